/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <volo/error.h>

#include "http/cookie.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
assert_str(volo_str s, const char *text)
{
    assert_non_null(s.ptr);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.ptr, text, s.len);
}

static void
assert_next(volo_str *rest, const char *name, const char *value)
{
    volo_str n, v;

    assert_int_equal(volo__cookie_next(rest, &n, &v), 1);
    assert_str(n, name);
    assert_str(v, value);
}

static void
test_pairs_come_in_order(void **state)
{
    volo_str rest = VOLO_STR("a=1; b=2;c=3 ;  d=; e=x=y"), n, v;

    (void)state;
    assert_next(&rest, "a", "1");
    assert_next(&rest, "b", "2");
    assert_next(&rest, "c", "3");
    assert_next(&rest, "d", "");
    assert_next(&rest, "e", "x=y");
    assert_int_equal(volo__cookie_next(&rest, &n, &v), 0);
    assert_int_equal(volo__cookie_next(&rest, &n, &v), 0);
    rest = volo_str_make(NULL, 0);
    assert_int_equal(volo__cookie_next(&rest, &n, &v), 0);
}

static void
test_broken_pairs_are_skipped(void **state)
{
    volo_str rest = VOLO_STR(";;  ; bare; =v; a b=1; \"q\"=1; x=\x01;@=1;ok=1"),
             n, v;

    (void)state;
    assert_next(&rest, "ok", "1");
    assert_int_equal(volo__cookie_next(&rest, &n, &v), 0);
}

static void
test_quotes_go_but_protect_nothing(void **state)
{
    volo_str rest =
                 VOLO_STR("a=\"x y\"; b=\"\"; c=\"; d=\"p;e=1\"; f={\"g\":1}"),
             n, v;

    (void)state;
    assert_next(&rest, "a", "x y");
    assert_next(&rest, "b", "");
    assert_next(&rest, "c", "\"");
    assert_next(&rest, "d", "\"p");
    assert_next(&rest, "e", "1\"");
    assert_next(&rest, "f", "{\"g\":1}");
    assert_int_equal(volo__cookie_next(&rest, &n, &v), 0);
}

static void
test_the_first_of_exactly_that_name_is_found(void **state)
{
    volo_str field = VOLO_STR("SID=0; sid=1; sid=2; xsid=3"), out;

    (void)state;
    assert_int_equal(volo__cookie_find(&out, field, VOLO_STR("sid")), 0);
    assert_str(out, "1");
    assert_int_equal(volo__cookie_find(&out, field, VOLO_STR("SID")), 0);
    assert_str(out, "0");
    assert_int_equal(volo__cookie_find(&out, field, VOLO_STR("si")),
                     VOLO_ENOENT);
    assert_int_equal(volo__cookie_find(&out, field, VOLO_STR("Sid")),
                     VOLO_ENOENT);
    assert_int_equal(
        volo__cookie_find(&out, volo_str_make(NULL, 0), VOLO_STR("a")),
        VOLO_ENOENT);
    assert_str(out, "0");
}

static void
test_a_server_sends_only_what_the_grammar_has(void **state)
{
    static const char *const good[] = {"",    "x",      "\"\"", "\"x\"",
                                       "a=b", "!#$%&'", "[]{}", "%20"};
    static const char *const bad[] = {
        "a b", "a;b",  "a,b",      "a\"b", "\"",     "a\\b", "\"a",
        "a\n", "\x7f", "\xc3\xa4", "\t",   "\"\"\"", "a\r"};
    size_t i;

    (void)state;
    for (i = 0; i < N(good); i++)
        assert_int_equal(volo__cookie_value_valid(volo_str_of(good[i])), 1);
    for (i = 0; i < N(bad); i++)
        assert_int_equal(volo__cookie_value_valid(volo_str_of(bad[i])), 0);
    assert_int_equal(volo__cookie_value_valid(VOLO_STR("a\0b")), 0);
    assert_int_equal(volo__cookie_name_valid(VOLO_STR("__Host-sid")), 1);
    assert_int_equal(volo__cookie_name_valid(VOLO_STR("")), 0);
    assert_int_equal(volo__cookie_name_valid(VOLO_STR("a=b")), 0);
    assert_int_equal(volo__cookie_name_valid(VOLO_STR("a b")), 0);
    assert_int_equal(volo__cookie_name_valid(VOLO_STR("a;b")), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_come_in_order),
        cmocka_unit_test(test_broken_pairs_are_skipped),
        cmocka_unit_test(test_quotes_go_but_protect_nothing),
        cmocka_unit_test(test_the_first_of_exactly_that_name_is_found),
        cmocka_unit_test(test_a_server_sends_only_what_the_grammar_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
