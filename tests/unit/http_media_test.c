/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <volo/error.h>
#include <volo/http.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static int
is(const char *value, const char *type)
{
    return volo_media_is(volo_str_of(value), type);
}

static void
test_a_type_is_recognised_whatever_its_case_and_parameters(void **state)
{
    (void)state;
    assert_int_equal(is("application/json", "application/json"), 1);
    assert_int_equal(is("Application/JSON", "application/json"), 1);
    assert_int_equal(is("application/json;charset=utf-8", "application/json"),
                     1);
    assert_int_equal(is(" application/json ; x=\";\"", "application/json"), 1);
    assert_int_equal(is("application/json5", "application/json"), 0);
    assert_int_equal(is("application/jso", "application/json"), 0);
    assert_int_equal(is("text/plain; a=application/json", "application/json"),
                     0);
    assert_int_equal(is("", "application/json"), 0);
    assert_int_equal(is(NULL, "application/json"), 0);
    assert_int_equal(is(";", "application/json"), 0);
    assert_int_equal(is("application/json", ""), 0);
}

static void
test_a_structured_suffix_is_the_last_one(void **state)
{
    (void)state;
    assert_int_equal(is("application/problem+json", "+json"), 1);
    assert_int_equal(is("application/problem+JSON; a=b", "+json"), 1);
    assert_int_equal(is("application/a+b+json", "+json"), 1);
    assert_int_equal(is("application/a+json+xml", "+json"), 0);
    assert_int_equal(is("application/json", "+json"), 0);
    assert_int_equal(is("application/problem+json5", "+json"), 0);
    assert_int_equal(is("application/x; a=+json", "+json"), 0);
    assert_int_equal(is(NULL, "+json"), 0);
}

static void
test_parameters_are_found_without_their_quotes(void **state)
{
    static const char *const rows[][3] = {
        {"text/html; charset=utf-8", "charset", "utf-8"},
        {"text/html;Charset=UTF-8", "charset", "UTF-8"},
        {"text/html; charset=\"utf-8\"", "CHARSET", "utf-8"},
        {"multipart/form-data; boundary=\"a;b=c\"; x=y", "boundary", "a;b=c"},
        {"multipart/form-data; boundary=\"a;x=z\"; x=y", "x", "y"},
        {"form-data; name=\"\"; filename=\"a\\\"b;c\"", "name", ""},
        {"form-data; name=\"\"; filename=\"a\\\"b;c\"", "filename", "a\\\"b;c"},
        {"form-data; filename*=UTF-8''x", "filename*", "UTF-8''x"},
        {"a/b;;; x=1; x=2", "x", "1"},
        {"a/b; bad; x=1", "x", "1"},
        {"a/b; x=a b; x=1", "x", "1"},
        {"a/b; x=; x=1", "x", "1"},
    };
    volo_str out;
    size_t i;

    (void)state;
    for (i = 0; i < N(rows); i++) {
        assert_int_equal(
            volo_media_param(&out, volo_str_of(rows[i][0]), rows[i][1]), 0);
        assert_int_equal(out.len, strlen(rows[i][2]));
        assert_memory_equal(out.ptr, rows[i][2], out.len);
    }
}

static void
test_absent_and_broken_parameters_are_not_found(void **state)
{
    static const char *const values[] = {NULL,
                                         "",
                                         "x=1",
                                         "a/b",
                                         "a/b; y=1",
                                         "a/b; x",
                                         "a/b; x=",
                                         "a/b; x =1",
                                         "a/b; x= 1 2",
                                         "a/b; x=\"1",
                                         "a/b; x=\"",
                                         "a/b; x=\"a\"b",
                                         "a/b; x=1\"2",
                                         "a/b; x=\"a\\",
                                         "a/b; x=\"a\\\"",
                                         "a/b; y=\"; x=1\"",
                                         "a/b; =1"};
    volo_str out = VOLO_STR("untouched");
    size_t i;

    (void)state;
    for (i = 0; i < N(values); i++)
        if (volo_media_param(&out, volo_str_of(values[i]), "x") !=
                VOLO_ENOENT ||
            out.len != 9)
            fail_msg("found in: %s", values[i] ? values[i] : "(absent)");
}

struct row {
    const char *accept;
    const char *type;
    int weight;
};

static void
check(const struct row *rows, size_t n)
{
    size_t i;
    int got;

    for (i = 0; i < n; i++) {
        got = volo_accepts(volo_str_of(rows[i].accept), rows[i].type);
        if (got != rows[i].weight)
            fail_msg("%s for %s: %d, not %d",
                     rows[i].accept ? rows[i].accept : "(absent)", rows[i].type,
                     got, rows[i].weight);
    }
}

/* The table of RFC 9110 section 12.5.1. */
static void
test_the_closest_range_gives_the_weight(void **state)
{
    static const char accept[] =
        "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
        "text/plain;format=fixed;q=0.4, */*;q=0.5";
    const struct row rows[] = {
        {accept, "text/plain;format=flowed", 1000},
        {accept, "text/plain", 700},
        {accept, "text/html", 300},
        {accept, "image/jpeg", 500},
        {accept, "text/plain;format=fixed", 400},
        {accept, "text/html;level=3", 300},
        {accept, "TEXT/Plain; Format=\"fixed\"", 400},
        {"text/*, text/plain;q=0", "text/plain", 0},
        {"text/plain;q=0, text/*", "text/plain", 0},
        {"*/*, text/*;q=0.1", "text/x", 100},
    };

    (void)state;
    check(rows, N(rows));
}

static void
test_weights_have_three_decimals_at_most(void **state)
{
    static const struct row rows[] = {
        {"a/b;q=0", "a/b", 0},
        {"a/b;q=0.", "a/b", 0},
        {"a/b;q=0.1", "a/b", 100},
        {"a/b;q=0.12", "a/b", 120},
        {"a/b;q=0.123", "a/b", 123},
        {"a/b;q=1", "a/b", 1000},
        {"a/b;q=1.000", "a/b", 1000},
        {"a/b; Q=0.5", "a/b", 500},
        {"a/b;q=0.001", "a/b", 1},
        {"a/b;q=0.5;ext=1", "a/b", 0},
        {"a/b;q=0.5, a/b;q=0.7", "a/b", 700},
    };

    (void)state;
    check(rows, N(rows));
}

static void
test_malformed_elements_are_ignored(void **state)
{
    static const struct row rows[] = {
        {"a/b;q=2, a/*;q=0.1", "a/b", 100},
        {"a/b;q=1.001, a/*;q=0.1", "a/b", 100},
        {"a/b;q=0.1234, a/*;q=0.1", "a/b", 100},
        {"a/b;q=-1, a/*;q=0.1", "a/b", 100},
        {"a/b;q=.5, a/*;q=0.1", "a/b", 100},
        {"a/b;q=, a/*;q=0.1", "a/b", 100},
        {"a/b;q, a/*;q=0.1", "a/b", 100},
        {"a/b;q=0x1, a/*;q=0.1", "a/b", 100},
        {"*/b, a/*;q=0.1", "a/b", 100},
        {"*, x/y", "a/b", 0},
        {"/, /b, a/, a/b/c, a b/c, x/y", "a/b", 0},
        {",, ,a/b;q=0.3,,", "a/b", 300},
    };

    (void)state;
    check(rows, N(rows));
}

static void
test_no_wish_is_no_refusal(void **state)
{
    static const struct row rows[] = {
        {NULL, "a/b", 1000},  {"", "a/b", 1000},    {" , ", "a/b", 1000},
        {"*", "a/b", 1000},   {"a/c", "a/b", 0},    {"b/*", "a/b", 0},
        {"a/*", "ab/c", 0},   {"ab/*", "a/b", 0},   {"*/*;q=0", "a/b", 0},
        {"*/*", "a/b", 1000}, {"A/B", "a/b", 1000}, {"a/b", "a/bc", 0},
    };

    (void)state;
    check(rows, N(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_type_is_recognised_whatever_its_case_and_parameters),
        cmocka_unit_test(test_a_structured_suffix_is_the_last_one),
        cmocka_unit_test(test_parameters_are_found_without_their_quotes),
        cmocka_unit_test(test_absent_and_broken_parameters_are_not_found),
        cmocka_unit_test(test_the_closest_range_gives_the_weight),
        cmocka_unit_test(test_weights_have_three_decimals_at_most),
        cmocka_unit_test(test_malformed_elements_are_ignored),
        cmocka_unit_test(test_no_wish_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
