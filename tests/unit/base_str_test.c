/* SPDX-License-Identifier: Apache-2.0 */
/* base/str.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <volo/error.h>

#include "base/str.h"

#define assert_text(s, text) assert_true(volo_str_eq(s, VOLO_STR(text)))

static void
test_case_is_that_of_ascii_letters_only(void **state)
{
    int c;

    (void)state;
    for (c = 0; c < 256; c++)
        assert_int_equal(volo__lower((unsigned char)c),
                         c < 128 ? tolower(c) : c);
    assert_true(volo__str_ieq(VOLO_STR("aZ@["), VOLO_STR("Az@[")));
    assert_false(volo__str_ieq(VOLO_STR("@"), VOLO_STR("`")));
    assert_false(volo__str_ieq(VOLO_STR("["), VOLO_STR("{")));
    assert_false(volo__str_ieq(VOLO_STR("ab"), VOLO_STR("abc")));
    assert_true(volo__str_ieq(volo_str_make(NULL, 0), VOLO_STR("")));
}

static void
test_trimming_takes_spaces_and_tabs_and_nothing_else(void **state)
{
    (void)state;
    assert_text(volo__str_trim(VOLO_STR(" \t a b\t ")), "a b");
    assert_text(volo__str_trim(VOLO_STR("\r\na\v")), "\r\na\v");
    assert_int_equal(volo__str_trim(VOLO_STR(" \t ")).len, 0);
    assert_int_equal(volo__str_trim(VOLO_STR("")).len, 0);
}

static void
test_tokens_are_those_of_the_rfc(void **state)
{
    const char *others = "!#$%&'*+-.^_`|~";
    int c;

    (void)state;
    for (c = 0; c < 256; c++) {
        char octet = (char)c;
        int want = c < 128 && c > 0 && (isalnum(c) || strchr(others, c));

        assert_int_equal(!!volo__is_token(volo_str_make(&octet, 1)), want);
    }
    assert_false(volo__is_token(VOLO_STR("")));
    assert_true(volo__is_token(VOLO_STR("x-abc")));
    assert_false(volo__is_token(VOLO_STR("x abc")));
}

static void
test_field_values_have_no_control_octet_but_the_tab(void **state)
{
    int c;

    (void)state;
    for (c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'b'};
        int want = c == '\t' || (c >= 0x20 && c != 0x7f);

        assert_int_equal(!!volo__is_field_value(volo_str_make(text, 3)), want);
    }
    assert_true(volo__is_field_value(VOLO_STR("")));
}

static void
test_lists_skip_what_is_empty_and_respect_quotes(void **state)
{
    volo_str list = VOLO_STR(" , a ,, b=\"x, \\\"y\";q=1 ,\t"), item;

    (void)state;
    assert_true(volo__list_next(&list, &item));
    assert_text(item, "a");
    assert_true(volo__list_next(&list, &item));
    assert_text(item, "b=\"x, \\\"y\";q=1");
    assert_false(volo__list_next(&list, &item));
    assert_text(item, "b=\"x, \\\"y\";q=1");
    assert_false(volo__list_next(&list, &item));
}

static void
test_a_quote_that_is_never_closed_takes_the_rest(void **state)
{
    volo_str list = VOLO_STR("a, \"b, c\\"), item;

    (void)state;
    assert_true(volo__list_next(&list, &item));
    assert_true(volo__list_next(&list, &item));
    assert_text(item, "\"b, c\\");
    assert_false(volo__list_next(&list, &item));
}

static void
test_a_list_has_a_token_only_as_a_whole_element(void **state)
{
    (void)state;
    assert_true(volo__list_has(VOLO_STR("gzip, ChunKed"), "chunked"));
    assert_false(volo__list_has(VOLO_STR("gzip, xchunked"), "chunked"));
    assert_false(volo__list_has(VOLO_STR("chunked;q=1"), "chunked"));
    assert_false(volo__list_has(VOLO_STR("\"chunked\""), "chunked"));
    assert_false(volo__list_has(VOLO_STR(""), "chunked"));
}

static void
check_number(uint64_t n)
{
    char want[32], got[32];
    uint64_t back = 0;
    size_t len;

    len = volo__u64_format(got, n);
    assert_int_equal(len, snprintf(want, sizeof want, "%" PRIu64, n));
    assert_memory_equal(got, want, len);
    assert_int_equal(volo__u64_parse(&back, volo_str_make(got, len)), 0);
    assert_true(back == n);
    len = volo__hex_format(got, n);
    assert_int_equal(len, snprintf(want, sizeof want, "%" PRIx64, n));
    assert_memory_equal(got, want, len);
}

static void
test_numbers_of_all_lengths_are_written_and_read_back(void **state)
{
    uint64_t n;

    (void)state;
    check_number(0);
    check_number(UINT64_MAX);
    for (n = 1; n < UINT64_MAX / 10; n *= 10) {
        check_number(n - 1);
        check_number(n);
    }
    for (n = 1; n; n <<= 1)
        check_number(n);
}

static void
test_what_is_no_number_is_told_from_what_is_too_large(void **state)
{
    uint64_t n = 42;

    (void)state;
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("")), VOLO_EFORMAT);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("-1")), VOLO_EFORMAT);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("+1")), VOLO_EFORMAT);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR(" 1")), VOLO_EFORMAT);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("1a")), VOLO_EFORMAT);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("1\xff")), VOLO_EFORMAT);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("18446744073709551616")),
                     VOLO_ERANGE);
    assert_int_equal(
        volo__u64_parse(&n, VOLO_STR("99999999999999999999999999")),
        VOLO_ERANGE);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("9999999999999999999999x")),
                     VOLO_EFORMAT);
    assert_int_equal(n, 42);
    assert_int_equal(volo__u64_parse(&n, VOLO_STR("00000000000000000000007")),
                     0);
    assert_int_equal(n, 7);
}

static void
test_signed_numbers_reach_both_ends(void **state)
{
    int64_t n = 42;

    (void)state;
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("9223372036854775808")),
                     VOLO_ERANGE);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("-9223372036854775809")),
                     VOLO_ERANGE);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("-")), VOLO_EFORMAT);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("--1")), VOLO_EFORMAT);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("")), VOLO_EFORMAT);
    assert_int_equal(n, 42);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("-9223372036854775808")), 0);
    assert_true(n == INT64_MIN);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("9223372036854775807")), 0);
    assert_true(n == INT64_MAX);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("-0")), 0);
    assert_int_equal(n, 0);
    assert_int_equal(volo__i64_parse(&n, VOLO_STR("+12")), 0);
    assert_int_equal(n, 12);
}

static void
check_decode(const char *text, int plus, const char *want)
{
    char out[64];
    ptrdiff_t n = volo__percent_decode(out, volo_str_of(text), plus);

    if (!want) {
        assert_int_equal(n, VOLO_EFORMAT);
        return;
    }
    assert_int_equal(n, strlen(want));
    assert_memory_equal(out, want, strlen(want));
}

static void
test_escapes_are_decoded_once_and_bad_ones_refused(void **state)
{
    (void)state;
    check_decode("a%20b%2Fc", 0, "a b/c");
    check_decode("%2525", 0, "%25");
    check_decode("a+b", 0, "a+b");
    check_decode("a+b%2b", 1, "a b+");
    check_decode("", 1, "");
    check_decode("%", 0, NULL);
    check_decode("a%2", 0, NULL);
    check_decode("%g0", 0, NULL);
    check_decode("%0g", 0, NULL);
    check_decode("%%41", 0, NULL);
    check_decode("% 1", 0, NULL);
}

static void
test_decoding_may_be_done_in_place(void **state)
{
    char text[] = "%41%42c%00d";

    (void)state;
    assert_int_equal(
        volo__percent_decode(text, volo_str_make(text, sizeof text - 1), 0), 5);
    assert_memory_equal(text, "ABc\0d", 5);
}

static void
test_all_octets_survive_encoding_and_decoding(void **state)
{
    char all[256], encoded[768], back[768];
    size_t i, n;

    (void)state;
    for (i = 0; i < 256; i++)
        all[i] = (char)i;
    n = volo__percent_encode(encoded, volo_str_make(all, 256), "");
    assert_int_equal(n, 66 + 190 * 3);
    assert_int_equal(volo__percent_decode(back, volo_str_make(encoded, n), 0),
                     256);
    assert_memory_equal(back, all, 256);
    n = volo__percent_encode(encoded, VOLO_STR("a/b c\0~"), "/");
    assert_int_equal(n, 11);
    assert_memory_equal(encoded, "a/b%20c%00~", 11);
}

/* By decoding each sequence and asking what the RFC forbids. */
static int
slow_utf8(const unsigned char *p, size_t len)
{
    size_t i = 0, n, k;
    uint32_t code;

    while (i < len) {
        n = p[i] < 0x80       ? 1
            : p[i] >> 5 == 6  ? 2
            : p[i] >> 4 == 14 ? 3
            : p[i] >> 3 == 30 ? 4
                              : 0;
        if (n == 0 || i + n > len)
            return 0;
        code = n == 1 ? p[i] : p[i] & (0xff >> (n + 1));
        for (k = 1; k < n; k++) {
            if (p[i + k] >> 6 != 2)
                return 0;
            code = code << 6 | (p[i + k] & 63);
        }
        if ((n == 2 && code < 0x80) || (n == 3 && code < 0x800) ||
            (n == 4 && code < 0x10000) || code > 0x10ffff ||
            (code >= 0xd800 && code <= 0xdfff))
            return 0;
        i += n;
    }
    return 1;
}

static void
test_utf8_is_what_a_slow_decoder_accepts(void **state)
{
    static const unsigned char edges[] = {
        0,    'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
        0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
        0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    size_t n = sizeof edges, i, len;
    unsigned char text[5];

    (void)state;
    for (i = 0; i < n * n * n * n; i++) {
        text[0] = edges[i % n];
        text[1] = edges[i / n % n];
        text[2] = edges[i / n / n % n];
        text[3] = edges[i / n / n / n];
        for (len = 1; len <= 4; len++)
            assert_int_equal(volo__utf8_valid(volo_str_make((char *)text, len)),
                             slow_utf8(text, len));
    }
}

static void
test_bad_utf8_is_found_behind_long_good_text(void **state)
{
    char text[64];
    size_t i;

    (void)state;
    assert_true(volo__utf8_valid(VOLO_STR("")));
    for (i = 0; i < sizeof text; i++) {
        memset(text, 'a', sizeof text);
        assert_true(volo__utf8_valid(volo_str_make(text, sizeof text)));
        text[i] = (char)0xff;
        assert_false(volo__utf8_valid(volo_str_make(text, sizeof text)));
    }
    assert_true(
        volo__utf8_valid(VOLO_STR("abcdefg\xe2\x82\xac-\xf0\x9f\x98\x80")));
}

static void
test_field_values_have_no_control_octet_wherever_it_stands(void **state)
{
    char text[19];
    size_t at;
    int c, fine;

    (void)state;
    for (c = 0; c < 256; c++) {
        fine = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (at = 0; at < sizeof text; at++) {
            memset(text, at % 2 ? 'a' : 0xff, sizeof text);
            text[at] = (char)c;
            assert_int_equal(
                volo__is_field_value(volo_str_make(text, sizeof text)), fine);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_is_that_of_ascii_letters_only),
        cmocka_unit_test(test_trimming_takes_spaces_and_tabs_and_nothing_else),
        cmocka_unit_test(test_tokens_are_those_of_the_rfc),
        cmocka_unit_test(test_field_values_have_no_control_octet_but_the_tab),
        cmocka_unit_test(test_lists_skip_what_is_empty_and_respect_quotes),
        cmocka_unit_test(test_a_quote_that_is_never_closed_takes_the_rest),
        cmocka_unit_test(test_a_list_has_a_token_only_as_a_whole_element),
        cmocka_unit_test(test_numbers_of_all_lengths_are_written_and_read_back),
        cmocka_unit_test(test_what_is_no_number_is_told_from_what_is_too_large),
        cmocka_unit_test(test_signed_numbers_reach_both_ends),
        cmocka_unit_test(test_escapes_are_decoded_once_and_bad_ones_refused),
        cmocka_unit_test(test_decoding_may_be_done_in_place),
        cmocka_unit_test(test_all_octets_survive_encoding_and_decoding),
        cmocka_unit_test(test_utf8_is_what_a_slow_decoder_accepts),
        cmocka_unit_test(test_bad_utf8_is_found_behind_long_good_text),
        cmocka_unit_test(
            test_field_values_have_no_control_octet_wherever_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
