/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <volo/error.h>
#include <volo/json.h>

#include "http_json.h"

#define OK(call) assert_int_equal((call), 0)

static volo_json *
object(void **state)
{
    volo_json *root = NULL;

    OK(volo_json_object(&root, *state));
    return root;
}

static void
assert_text(void **state, const volo_json *value, const char *text)
{
    volo_str out;

    OK(volo_json_write(&out, *state, value));
    assert_str(out, text);
    assert_int_equal(out.ptr[out.len], 0);
    if (!*state)
        volo_free((char *)(uintptr_t)out.ptr);
}

static void
test_what_was_set_is_written_in_order(void **state)
{
    volo_json *root = object(state), *list, *inner;

    OK(volo_json_set_str(root, "s", VOLO_STR("a\"\\\n\xe2\x82\xac/")));
    OK(volo_json_set_i64(root, "i", INT64_MIN));
    OK(volo_json_set_u64(root, "u", UINT64_MAX));
    OK(volo_json_set_f64(root, "f", 1));
    OK(volo_json_set_f64(root, "g", 0.1));
    OK(volo_json_set_bool(root, "t", 7));
    OK(volo_json_set_bool(root, "n", 0));
    OK(volo_json_set_null(root, "z"));
    OK(volo_json_set_array(&list, root, "l"));
    OK(volo_json_set_i64(list, NULL, 1));
    OK(volo_json_set_object(&inner, list, NULL));
    OK(volo_json_set_str(inner, "", VOLO_STR("")));
    OK(volo_json_set_array(&inner, list, NULL));
    assert_text(state, root,
                "{\"s\":\"a\\\"\\\\\\n\xe2\x82\xac/\","
                "\"i\":-9223372036854775808,\"u\":18446744073709551615,"
                "\"f\":1.0,\"g\":0.1,\"t\":true,\"n\":false,\"z\":null,"
                "\"l\":[1,{\"\":\"\"},[]]}");
    assert_text(state, list, "[1,{\"\":\"\"},[]]");
    assert_text(state, volo_json_get(root, "f"), "1.0");
    volo_json_free(root);
}

static void
test_what_was_set_can_be_read(void **state)
{
    volo_json *root = object(state), *value;
    int64_t i;
    uint64_t u;

    OK(volo_json_set_i64(root, "a", 5));
    OK(volo_json_set_str(root, "b", VOLO_STR("x")));
    OK(volo_json_set_u64(root, "c", UINT64_MAX));
    assert_int_equal(volo_json_len(root), 3);
    OK(volo_json_i64(&i, volo_json_get(root, "a")));
    assert_int_equal(i, 5);
    OK(volo_json_u64(&u, volo_json_at(root, 0)));
    assert_int_equal(u, 5);
    assert_int_equal(volo_json_i64(&i, volo_json_get(root, "c")), VOLO_ERANGE);
    assert_str(volo_json_str(volo_json_at(root, 1)), "x");
    assert_str(volo_json_key_at(root, 2), "c");
    assert_null(volo_json_at(root, 3));
    value = volo_json_next(root, NULL);
    assert_str(volo_json_key(root, value), "a");
    value = volo_json_next(root, volo_json_next(root, value));
    assert_str(volo_json_key(root, value), "c");
    assert_null(volo_json_next(root, value));
    volo_json_free(root);
}

static void
test_a_member_of_the_same_name_is_replaced_in_its_place(void **state)
{
    volo_json *root = object(state), *value = NULL;
    size_t n = 0;

    OK(volo_json_set_i64(root, "a", 1));
    OK(volo_json_set_i64(root, "b", 2));
    OK(volo_json_set_i64(root, "c", 3));
    OK(volo_json_set_str(root, "b", VOLO_STR("two")));
    assert_text(state, root, "{\"a\":1,\"b\":\"two\",\"c\":3}");
    OK(volo_json_set_null(root, "c"));
    OK(volo_json_set_null(root, "a"));
    assert_text(state, root, "{\"a\":null,\"b\":\"two\",\"c\":null}");
    while ((value = volo_json_next(root, value)) != NULL)
        n++;
    assert_int_equal(n, 3);
    OK(volo_json_set_i64(root, "d", 4));
    assert_text(state, root, "{\"a\":null,\"b\":\"two\",\"c\":null,\"d\":4}");
    volo_json_free(root);
}

static void
test_all_members_of_one_name_become_one(void **state)
{
    volo_json *text, *root;

    OK(volo_json_parse(&text, *state,
                       VOLO_STR("{\"a\":1,\"b\":2,\"a\":3,\"c\":4,\"a\":5}")));
    OK(volo_json_dup(&root, *state, text));
    assert_text(state, root, "{\"a\":1,\"b\":2,\"a\":3,\"c\":4,\"a\":5}");
    OK(volo_json_set_i64(root, "a", 9));
    assert_text(state, root, "{\"a\":9,\"b\":2,\"c\":4}");
    OK(volo_json_set_i64(root, "e", 6));
    assert_text(state, root, "{\"a\":9,\"b\":2,\"c\":4,\"e\":6}");
    volo_json_free(text);
    volo_json_free(root);
}

static void
test_members_can_be_removed_from_any_place(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    volo_json *root = object(state);
    size_t i;

    for (i = 0; i < 4; i++)
        OK(volo_json_set_i64(root, names[i], (int64_t)i));
    OK(volo_json_remove(root, "d"));
    OK(volo_json_remove(root, "a"));
    assert_text(state, root, "{\"b\":1,\"c\":2}");
    assert_int_equal(volo_json_remove(root, "a"), VOLO_ENOENT);
    OK(volo_json_remove(root, "b"));
    OK(volo_json_remove(root, "c"));
    assert_text(state, root, "{}");
    OK(volo_json_set_i64(root, "x", 1));
    assert_text(state, root, "{\"x\":1}");
    volo_json_free(root);
}

static void
test_keys_belong_to_objects_only(void **state)
{
    volo_json *root, *list, *out = NULL;

    OK(volo_json_array(&root, *state));
    OK(volo_json_set_array(&list, root, NULL));
    OK(volo_json_set_i64(list, NULL, 1));
    assert_int_equal(volo_json_set_i64(root, "a", 1), VOLO_EINVAL);
    assert_int_equal(volo_json_set_i64(volo_json_at(list, 0), NULL, 1),
                     VOLO_EINVAL);
    assert_int_equal(volo_json_set_i64(volo_json_at(list, 0), "a", 1),
                     VOLO_EINVAL);
    assert_int_equal(volo_json_set_i64(NULL, "a", 1), VOLO_EINVAL);
    assert_int_equal(volo_json_set_i64(NULL, NULL, 1), VOLO_EINVAL);
    assert_int_equal(volo_json_remove(root, "a"), VOLO_EINVAL);
    assert_int_equal(volo_json_remove(NULL, "a"), VOLO_EINVAL);
    assert_int_equal(volo_json_set_value(root, NULL, NULL), VOLO_EINVAL);
    assert_int_equal(volo_json_set_array(&out, list, "x"), VOLO_EINVAL);
    assert_int_equal(volo_json_dup(&out, *state, NULL), VOLO_EINVAL);
    assert_null(out);
    assert_text(state, root, "[[1]]");
    volo_json_free(root);
    root = object(state);
    assert_int_equal(volo_json_set_null(root, NULL), VOLO_EINVAL);
    assert_int_equal(volo_json_remove(root, NULL), VOLO_EINVAL);
    volo_json_free(root);
}

static void
test_parsed_text_is_read_only_until_copied(void **state)
{
    volo_json *text, *root, *out;

    OK(volo_json_parse(&text, *state, VOLO_STR("{\"a\":[1],\"b\":2}")));
    assert_int_equal(volo_json_set_null(text, "a"), VOLO_EINVAL);
    assert_int_equal(volo_json_set_null(volo_json_get(text, "a"), NULL),
                     VOLO_EINVAL);
    assert_int_equal(volo_json_set_object(&out, text, "a"), VOLO_EINVAL);
    assert_int_equal(volo_json_remove(text, "a"), VOLO_EINVAL);
    OK(volo_json_dup(&root, *state, text));
    OK(volo_json_set_i64(volo_json_get(root, "a"), NULL, 2));
    OK(volo_json_remove(root, "b"));
    assert_text(state, text, "{\"a\":[1],\"b\":2}");
    assert_text(state, volo_json_get(text, "a"), "[1]");
    volo_json_free(text);
    assert_text(state, root, "{\"a\":[1,2]}");
    volo_json_free(root);
}

static void
test_values_are_copied_between_documents(void **state)
{
    volo_json *text, *root = object(state), *list;

    OK(volo_json_parse(&text, *state,
                       VOLO_STR("[{\"a\\u0000b\":[[],{},-1,1.5,\"s\",true,"
                                "null,18446744073709551615]}]")));
    OK(volo_json_set_value(root, "v", text));
    OK(volo_json_set_value(root, "w", volo_json_get(root, "v")));
    volo_json_free(text);
    assert_text(state, root,
                "{\"v\":[{\"a\\u0000b\":[[],{},-1,1.5,\"s\",true,null,"
                "18446744073709551615]}],\"w\":[{\"a\\u0000b\":[[],{},-1,1.5,"
                "\"s\",true,null,18446744073709551615]}]}");
    volo_json_free(root);

    /* Into itself: what it was before. */
    OK(volo_json_array(&root, *state));
    OK(volo_json_set_i64(root, NULL, 1));
    OK(volo_json_set_value(root, NULL, root));
    OK(volo_json_set_value(root, NULL, root));
    assert_text(state, root, "[1,[1],[1,[1]]]");
    OK(volo_json_dup(&list, *state, volo_json_at(root, 2)));
    volo_json_free(root);
    assert_text(state, list, "[1,[1]]");
    volo_json_free(list);
}

static void
test_an_object_can_replace_what_it_is_copied_from(void **state)
{
    volo_json *root = object(state), *inner;

    OK(volo_json_set_object(&inner, root, "a"));
    OK(volo_json_set_i64(inner, "b", 1));
    OK(volo_json_set_value(root, "a", root));
    assert_text(state, root, "{\"a\":{\"a\":{\"b\":1}}}");
    volo_json_free(root);
}

static void
test_keys_and_strings_are_copied(void **state)
{
    char key[] = "key", value[] = "value";
    volo_json *root = object(state);

    OK(volo_json_set_str(root, key, volo_str_of(value)));
    memset(key, 'x', 3);
    memset(value, 'x', 5);
    assert_text(state, root, "{\"key\":\"value\"}");
    OK(volo_json_set_str(root, "absent", volo_str_make(NULL, 0)));
    assert_int_equal(volo_json_type(volo_json_get(root, "absent")),
                     VOLO_JSON_NULL);
    volo_json_free(root);
}

static void
test_numbers_that_json_has_not_are_refused(void **state)
{
    volo_json *root = object(state);

    assert_int_equal(volo_json_set_f64(root, "a", NAN), VOLO_EINVAL);
    assert_int_equal(volo_json_set_f64(root, "a", INFINITY), VOLO_EINVAL);
    assert_int_equal(volo_json_set_f64(root, "a", -INFINITY), VOLO_EINVAL);
    assert_text(state, root, "{}");
    volo_json_free(root);
}

static void
test_a_string_that_is_not_utf8_is_not_written(void **state)
{
    volo_json *root = object(state);
    volo_str out = VOLO_STR("untouched");

    OK(volo_json_set_str(root, "a", VOLO_STR("\xff")));
    assert_int_equal(volo_json_write(&out, *state, root), VOLO_EINVAL);
    OK(volo_json_set_str(root, "a", VOLO_STR("\xed\xa0\x80")));
    assert_int_equal(volo_json_write(&out, *state, root), VOLO_EINVAL);
    OK(volo_json_set_null(root, "a"));
    OK(volo_json_set_null(root, "\xc3"));
    assert_int_equal(volo_json_write(&out, *state, root), VOLO_EINVAL);
    assert_int_equal(volo_json_write(&out, *state, NULL), VOLO_EINVAL);
    assert_str(out, "untouched");
    volo_json_free(root);
}

static void
test_what_is_built_is_not_too_deep_to_be_parsed(void **state)
{
    volo_json *root = object(state), *at = root, *other, *again;
    volo_str out;
    int depth;

    for (depth = 1; depth < 128; depth++)
        OK(volo_json_set_object(&at, at, "a"));
    assert_int_equal(volo_json_set_object(&other, at, "b"), VOLO_EINVAL);
    assert_int_equal(volo_json_set_array(&other, at, "b"), VOLO_EINVAL);
    OK(volo_json_set_null(at, "b"));
    assert_int_equal(volo_json_set_value(root, "c", root), VOLO_EINVAL);
    assert_null(volo_json_get(root, "c"));
    OK(volo_json_set_value(root, "c", volo_json_get(root, "a")));
    OK(volo_json_write(&out, *state, root));
    OK(volo_json_parse(&again, *state, out));
    OK(volo_json_dup(&other, *state, again));
    volo_json_free(again);
    volo_json_free(other);
    volo_json_free(root);
    if (!*state)
        volo_free((char *)(uintptr_t)out.ptr);
}

static void
test_large_documents_are_written_whole(void **state)
{
    volo_json *root, *again;
    volo_str out;
    size_t i;

    OK(volo_json_array(&root, *state));
    for (i = 0; i < 20000; i++)
        OK(volo_json_set_str(root, NULL, VOLO_STR("0123456789")));
    OK(volo_json_write(&out, *state, root));
    assert_int_equal(out.len, 1 + 20000 * 13);
    assert_int_equal(out.ptr[out.len], 0);
    OK(volo_json_parse(&again, *state, out));
    assert_int_equal(volo_json_len(again), 20000);
    volo_json_free(again);
    volo_json_free(root);
    if (!*state)
        volo_free((char *)(uintptr_t)out.ptr);
}

static int
build_and_write(volo_cx *cx)
{
    static char blank[8000];
    volo_json *root, *inner, *copy;
    volo_str out;
    int err = volo_json_object(&root, cx);

    if (err < 0)
        return err;
    memset(blank, ' ', sizeof(blank));
    if ((err = volo_json_set_str(root, "a",
                                 volo_str_make(blank, sizeof(blank)))) < 0 ||
        (err = volo_json_set_array(&inner, root, "b")) < 0 ||
        (err = volo_json_set_value(inner, NULL, root)) < 0)
        goto err1;
    err = volo_json_dup(&copy, cx, root);
    if (err < 0)
        goto err1;
    err = volo_json_write(&out, cx, copy);
    if (err == 0 && !cx)
        volo_free((char *)(uintptr_t)out.ptr);
    volo_json_free(copy);
err1:
    volo_json_free(root);
    return err;
}

static void
test_out_of_memory_is_an_error_at_every_step(void **state)
{
    int step, err;

    for (step = 0; step < 200; step++) {
        drain(*state);
        fail_after(step);
        err = build_and_write(*state);
        fail_never();
        if (err == 0)
            break;
        assert_int_equal(err, VOLO_ENOMEM);
    }
    assert_in_range(step, 2, 199);
}

static void
test_a_small_answer_costs_no_allocation(void **state)
{
    volo_cx *cx = *state;
    volo_json *root;
    volo_str out;
    char *begin = cx->arena.cur;

    fail_after(0);
    OK(volo_json_object(&root, cx));
    OK(volo_json_set_str(root, "message", VOLO_STR("Hello, World!")));
    OK(volo_json_write(&out, cx, root));
    fail_never();
    assert_str(out, "{\"message\":\"Hello, World!\"}");
    assert_in_range(cx->arena.cur - begin, 1, 320);
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
        BOTH(test_what_was_set_is_written_in_order),
        BOTH(test_what_was_set_can_be_read),
        BOTH(test_a_member_of_the_same_name_is_replaced_in_its_place),
        BOTH(test_all_members_of_one_name_become_one),
        BOTH(test_members_can_be_removed_from_any_place),
        BOTH(test_keys_belong_to_objects_only),
        BOTH(test_parsed_text_is_read_only_until_copied),
        BOTH(test_values_are_copied_between_documents),
        BOTH(test_an_object_can_replace_what_it_is_copied_from),
        BOTH(test_keys_and_strings_are_copied),
        BOTH(test_numbers_that_json_has_not_are_refused),
        BOTH(test_a_string_that_is_not_utf8_is_not_written),
        BOTH(test_what_is_built_is_not_too_deep_to_be_parsed),
        BOTH(test_large_documents_are_written_whole),
        BOTH(test_out_of_memory_is_an_error_at_every_step),
        cmocka_unit_test_setup_teardown(test_a_small_answer_costs_no_allocation,
                                        cx_set_up, cx_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
