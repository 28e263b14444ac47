/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <volo/error.h>
#include <volo/json.h>

#include "http_json.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Each test runs with a cx and without one: they differ only in memory. */
static volo_json *
parse(void **state, const char *text)
{
    volo_json *root = NULL;

    if (volo_json_parse(&root, *state, volo_str_of(text)) != 0)
        fail_msg("refused: %s: %s", text, volo_json_error());
    assert_non_null(root);
    assert_string_equal(volo_json_error(), "");
    return root;
}

static void
test_every_type_is_told(void **state)
{
    static const struct {
        const char *text;
        int type;
    } rows[] = {
        {"null", VOLO_JSON_NULL},     {"true", VOLO_JSON_BOOL},
        {"false", VOLO_JSON_BOOL},    {"0", VOLO_JSON_NUMBER},
        {"-1.5e3", VOLO_JSON_NUMBER}, {"\"\"", VOLO_JSON_STRING},
        {"[]", VOLO_JSON_ARRAY},      {" {} ", VOLO_JSON_OBJECT},
    };
    volo_json *root;
    size_t i;

    for (i = 0; i < N(rows); i++) {
        root = parse(state, rows[i].text);
        assert_int_equal(volo_json_type(root), rows[i].type);
        assert_int_equal(volo_json_len(root), 0);
        assert_null(volo_json_get(root, "a"));
        assert_null(volo_json_at(root, 0));
        assert_null(volo_json_next(root, NULL));
        volo_json_free(root);
    }
    assert_int_equal(volo_json_type(NULL), VOLO_JSON_ABSENT);
}

static void
test_lookups_chain_without_checks(void **state)
{
    volo_json *root = parse(state, "{\"a\":{\"b\":[1,{\"c\":\"deep\"}]}}");
    volo_json *b = volo_json_get(volo_json_get(root, "a"), "b");

    assert_str(volo_json_str(volo_json_get(volo_json_at(b, 1), "c")), "deep");
    assert_null(volo_json_get(volo_json_get(root, "x"), "b"));
    assert_null(volo_json_get(b, "c"));
    assert_null(volo_json_get(root, NULL));
    assert_null(volo_json_at(b, 2));
    assert_null(volo_json_at(NULL, 0));
    assert_null(volo_json_get(NULL, "a"));
    assert_null(volo_json_next(NULL, NULL));
    assert_int_equal(volo_json_len(NULL), 0);
    assert_null(volo_json_str(NULL).ptr);
    assert_null(volo_json_str(b).ptr);
    assert_null(volo_json_key_at(NULL, 0).ptr);
    assert_null(volo_json_key_at(b, 0).ptr);
    volo_json_free(root);
}

static void
test_members_come_in_order_with_their_names(void **state)
{
    volo_json *root =
        parse(state, "{\"b\":[1,2],\"a\":{\"x\":{}},\"\":null,\"b\":3}");
    static const char *const names[] = {"b", "a", "", "b"};
    volo_json *value = NULL;
    size_t i;

    assert_int_equal(volo_json_len(root), 4);
    for (i = 0; i < 4; i++) {
        value = volo_json_next(root, value);
        assert_ptr_equal(value, volo_json_at(root, i));
        assert_str(volo_json_key(root, value), names[i]);
        assert_str(volo_json_key_at(root, i), names[i]);
    }
    assert_null(volo_json_next(root, value));
    assert_null(volo_json_at(root, 4));
    assert_null(volo_json_key_at(root, 4).ptr);
    assert_int_equal(volo_json_type(volo_json_get(root, "b")), VOLO_JSON_ARRAY);
    assert_int_equal(volo_json_type(volo_json_get(root, "")), VOLO_JSON_NULL);
    volo_json_free(root);
}

static void
test_elements_come_in_order_whatever_is_among_them(void **state)
{
    volo_json *root = parse(state, "[0,[9,[9]],2,{\"k\":[9]},4]"),
              *value = NULL;
    int64_t n;
    size_t i;

    assert_int_equal(volo_json_len(root), 5);
    for (i = 0; i < 5; i++) {
        value = volo_json_next(root, value);
        assert_ptr_equal(value, volo_json_at(root, i));
        assert_null(volo_json_key(root, value).ptr);
        if (i % 2 == 0) {
            assert_int_equal(volo_json_i64(&n, value), 0);
            assert_int_equal(n, i);
        }
    }
    assert_null(volo_json_next(root, value));
    volo_json_free(root);
}

static void
test_strings_are_decoded_and_may_hold_nul(void **state)
{
    volo_json *root = parse(
        state, "[\"\\u20ac\\ud83d\\ude00\",\"a\\u0000b\",\"\\\"\\\\\\/\\n\"]");
    volo_str s = volo_json_str(volo_json_at(root, 1));

    assert_str(volo_json_str(volo_json_at(root, 0)),
               "\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.ptr, "a\0b", 3);
    assert_str(volo_json_str(volo_json_at(root, 2)), "\"\\/\n");
    volo_json_free(root);
}

struct number {
    const char *text;
    int i_err;
    int64_t i;
    int u_err;
    uint64_t u;
    int f_err;
    double f;
};

static void
test_integers_are_exact_or_refused(void **state)
{
    static const struct number rows[] = {
        {"0", 0, 0, 0, 0, 0, 0},
        {"-0", 0, 0, 0, 0, 0, 0},
        {"-1", 0, -1, VOLO_ERANGE, 0, 0, -1},
        {"9007199254740993", 0, 9007199254740993, 0, 9007199254740993, 0,
         9007199254740992.0},
        {"9223372036854775807", 0, INT64_MAX, 0, INT64_MAX, 0,
         9223372036854775808.0},
        {"9223372036854775808", VOLO_ERANGE, 0, 0, 9223372036854775808u, 0,
         9223372036854775808.0},
        {"-9223372036854775808", 0, INT64_MIN, VOLO_ERANGE, 0, 0,
         -9223372036854775808.0},
        {"18446744073709551615", VOLO_ERANGE, 0, 0, UINT64_MAX, 0,
         18446744073709551616.0},
        {"18446744073709551616", VOLO_ERANGE, 0, VOLO_ERANGE, 0, 0,
         18446744073709551616.0},
        {"-10000000000000000000", VOLO_ERANGE, 0, VOLO_ERANGE, 0, 0, -1e19},
        {"1.0", VOLO_EVALUE, 0, VOLO_EVALUE, 0, 0, 1},
        {"1e3", VOLO_EVALUE, 0, VOLO_EVALUE, 0, 0, 1000},
        {"-0.0", VOLO_EVALUE, 0, VOLO_EVALUE, 0, 0, 0},
        {"1e300", VOLO_ERANGE, 0, VOLO_ERANGE, 0, 0, 1e300},
        {"\"1\"", VOLO_EVALUE, 0, VOLO_EVALUE, 0, VOLO_EVALUE, 0},
        {"true", VOLO_EVALUE, 0, VOLO_EVALUE, 0, VOLO_EVALUE, 0},
        {"null", VOLO_EVALUE, 0, VOLO_EVALUE, 0, VOLO_EVALUE, 0},
        {"[1]", VOLO_EVALUE, 0, VOLO_EVALUE, 0, VOLO_EVALUE, 0},
    };
    size_t k;

    for (k = 0; k < N(rows); k++) {
        const struct number *row = &rows[k];
        volo_json *root = parse(state, row->text);
        int64_t i = 42;
        uint64_t u = 42;
        double f = 42;

        if (volo_json_i64(&i, root) != row->i_err ||
            i != (row->i_err ? 42 : row->i))
            fail_msg("i64 of %s", row->text);
        if (volo_json_u64(&u, root) != row->u_err ||
            u != (row->u_err ? 42 : row->u))
            fail_msg("u64 of %s", row->text);
        if (volo_json_f64(&f, root) != row->f_err ||
            memcmp(&(double){f == 0 ? 0 : f},
                   &(double){row->f_err ? 42 : row->f}, sizeof(f)))
            fail_msg("f64 of %s", row->text);
        volo_json_free(root);
    }
}

static void
test_what_is_missing_is_told_from_what_is_wrong(void **state)
{
    int64_t i = 1;
    uint64_t u = 1;
    double f = 1;

    (void)state;
    assert_int_equal(volo_json_i64(&i, NULL), VOLO_EMISSING);
    assert_int_equal(volo_json_u64(&u, NULL), VOLO_EMISSING);
    assert_int_equal(volo_json_f64(&f, NULL), VOLO_EMISSING);
    assert_int_equal(volo_json_bool(NULL), 0);
    assert_int_equal(i == 1 && u == 1 && f == 1, 1);
}

static void
test_only_true_is_true(void **state)
{
    volo_json *root = parse(state, "[true,false,null,1,\"true\",[true]]");
    size_t i;

    for (i = 0; i < 6; i++)
        assert_int_equal(volo_json_bool(volo_json_at(root, i)), i == 0);
    volo_json_free(root);
}

static void
test_malformed_text_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "0x1",
        "NaN",
        "Infinity",
        "-",
        "tru",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\n\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "1 2",
        "[]]",
        "{}{}",
        "[1]x",
        "/* */ 1",
        "// \n1",
        "\xef\xbb\xbf{}",
        "{\"a\"}",
        "{\"a\":}",
        "{1:2}",
        "[",
        "]",
        "1e999",
        "-1e999",
        "[\"a\",,]",
        "True",
    };
    volo_json *root = (volo_json *)(uintptr_t)64;
    size_t i;

    for (i = 0; i < N(texts); i++) {
        if (volo_json_parse(&root, *state, volo_str_of(texts[i])) !=
            VOLO_EFORMAT)
            fail_msg("accepted: %s", texts[i]);
        assert_true(strstr(volo_json_error(), " at ") != NULL);
        assert_int_equal((uintptr_t)root, 64);
    }
    assert_int_equal(volo_json_parse(&root, *state, volo_str_make(NULL, 0)),
                     VOLO_EFORMAT);
    assert_int_equal(volo_json_parse(&root, *state, VOLO_STR("1\0")),
                     VOLO_EFORMAT);
}

static void
test_the_error_says_where(void **state)
{
    volo_json *root;
    const char *error;

    assert_int_equal(
        volo_json_parse(&root, *state, VOLO_STR("{\"a\": 1, \"b\": x}")),
        VOLO_EFORMAT);
    error = strstr(volo_json_error(), " at ");
    assert_non_null(error);
    assert_string_equal(error, " at 14");
    root = parse(state, "1");
    volo_json_free(root);
}

/* ${depth} arrays or objects in each other, with brackets in a string. */
static char *
nested(size_t depth, int objects)
{
    size_t unit = objects ? 5 : 1, i, n = 0;
    char *text = malloc(depth * (unit + 1) + 16);

    for (i = 0; i < depth; i++, n += unit)
        memcpy(text + n, objects ? "{\"a\":" : "[", unit);
    memcpy(text + n, "\"[\\\"[{\"", 7);
    n += 7;
    memset(text + n, objects ? '}' : ']', depth);
    text[n + depth] = 0;
    return text;
}

static void
test_depth_is_limited_to_128(void **state)
{
    char want[64];
    volo_json *root;
    char *text;
    int objects;

    for (objects = 0; objects < 2; objects++) {
        text = nested(128, objects);
        root = parse(state, text);
        volo_json_free(root);
        free(text);
        text = nested(129, objects);
        assert_int_equal(volo_json_parse(&root, *state, volo_str_of(text)),
                         VOLO_EFORMAT);
        snprintf(want, sizeof(want), "more than 128 levels at %d",
                 objects ? 640 : 128);
        assert_string_equal(volo_json_error(), want);
        free(text);
    }
    text = nested(200000, 0);
    assert_int_equal(volo_json_parse(&root, *state, volo_str_of(text)),
                     VOLO_EFORMAT);
    free(text);
}

static void
test_depth_is_not_the_number_of_containers(void **state)
{
    char text[1024] = "[";
    volo_json *root;
    size_t i;

    for (i = 0; i < 300; i++)
        memcpy(text + 1 + i * 3, "[],", 3);
    memcpy(text + 901, "[]]", 4);
    root = parse(state, text);
    assert_int_equal(volo_json_len(root), 301);
    volo_json_free(root);
}

static void
test_large_text_is_parsed_and_owned(void **state)
{
    size_t n = 50000, i;
    char *text = malloc(n * 2 + 2);
    volo_json *root, *value;
    int64_t one, sum = 0;

    memset(text, '1', n * 2 + 1);
    text[0] = '[';
    for (i = 1; i < n; i++)
        text[i * 2] = ',';
    text[n * 2] = ']';
    text[n * 2 + 1] = 0;
    root = parse(state, text);
    memset(text, 'x', n * 2);
    free(text);
    for (value = volo_json_next(root, NULL); value;
         value = volo_json_next(root, value))
        if (volo_json_i64(&one, value) == 0)
            sum += one;
    assert_int_equal(sum, n);
    volo_json_free(root);
}

static void
test_only_the_root_of_ones_own_is_freed(void **state)
{
    volo_json *root = parse(state, "{\"a\":[1]}");

    volo_json_free(NULL);
    volo_json_free(volo_json_get(root, "a"));
    assert_int_equal(volo_json_len(volo_json_get(root, "a")), 1);
    volo_json_free(root);
}

/* Failing each allocation in turn: an error, no leak, and no trace. */
static void
test_out_of_memory_is_an_error_at_every_step(void **state)
{
    static char text[6000];
    volo_json *root;
    int err, step;

    memset(text, ' ', sizeof(text) - 1);
    memcpy(text, "[[1,2,3],{\"a\":\"b\"}]", 19);
    for (step = 0; step < 100; step++) {
        drain(*state);
        fail_after(step);
        err = volo_json_parse(&root, *state, volo_str_of(text));
        fail_never();
        if (err == 0)
            break;
        assert_int_equal(err, VOLO_ENOMEM);
    }
    assert_in_range(step, 1, 99);
    assert_int_equal(volo_json_len(root), 2);
    volo_json_free(root);
}

#define BOTH(name)                                         \
    {#name " (own)", name, NULL, NULL, NULL},              \
    {                                                      \
#name " (cx)", name, cx_set_up, cx_tear_down, NULL \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_every_type_is_told),
        BOTH(test_lookups_chain_without_checks),
        BOTH(test_members_come_in_order_with_their_names),
        BOTH(test_elements_come_in_order_whatever_is_among_them),
        BOTH(test_strings_are_decoded_and_may_hold_nul),
        BOTH(test_integers_are_exact_or_refused),
        BOTH(test_what_is_missing_is_told_from_what_is_wrong),
        BOTH(test_only_true_is_true),
        BOTH(test_malformed_text_is_refused),
        BOTH(test_the_error_says_where),
        BOTH(test_depth_is_limited_to_128),
        BOTH(test_depth_is_not_the_number_of_containers),
        BOTH(test_large_text_is_parsed_and_owned),
        BOTH(test_only_the_root_of_ones_own_is_freed),
        BOTH(test_out_of_memory_is_an_error_at_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
