/* SPDX-License-Identifier: Apache-2.0 */
/* Where values come from: bodies that are not there, not what they should be,
 * or too large; and what is told only once. */
#include "extract_support.h"

#include <stdlib.h>

VOLO_HANDLER(three, (str, a, JSON("a")), (u32, b, JSON("b")),
             (list, c, JSON("c")))
{
    char text[64];

    snprintf(text, sizeof text, "%.*s %u %zu", (int)a.len, a.ptr, b,
             volo_list_len(c));
    return volo_reply_text(cx, text);
}

static void
test_a_body_that_cannot_be_read_is_told_once(void **state)
{
    volo_test_response *r;
    const char *line;

    (void)state;
    open_rig("/", three);
    r = send_to("/", WITH(IS_JSON), "{\"a\":");
    assert_int_equal(volo_test_status(r), 400);
    line = strstr(volo_test_body(r).ptr, "\nbody: ");
    assert_non_null(line);
    assert_ptr_equal(strchr(line + 1, '\n'), strrchr(line, '\n'));

    expect("/", WITH("content-type: text/plain"), "{}", 415,
           "Unsupported Media Type\n"
           "header content-type: must be application/json\n");
    expect("/", NULL, "{}", 415,
           "Unsupported Media Type\n"
           "header content-type: must be application/json\n");
    expect("/", WITH(IS_JSON), "[1]", 422,
           "Unprocessable Content\nbody: must be an object\n");
    expect("/", WITH(IS_JSON), "\"a\"", 422,
           "Unprocessable Content\nbody: must be an object\n");
    close_rig();
}

static void
test_without_a_body_each_member_is_missing(void **state)
{
    (void)state;
    open_rig("/", three);
    expect("/", NULL, NULL, 400,
           "Bad Request\nbody a: is missing\nbody b: is missing\n");
    expect("/", WITH(IS_JSON), "", 400,
           "Bad Request\nbody a: is missing\nbody b: is missing\n");
    expect("/", WITH(IS_JSON), "{\"a\":null,\"b\":null,\"c\":null}", 422,
           "Unprocessable Content\nbody a: is missing\n"
           "body b: is missing\n");
    expect("/", WITH(IS_JSON), "{\"a\":\"\",\"b\":4294967295}", 200,
           " 4294967295 0");
    expect("/", WITH(IS_JSON), "{\"a\":\"\",\"b\":4294967296,\"c\":{}}", 422,
           "Unprocessable Content\nbody b: is out of range\n"
           "body c: must be an array\n");
    close_rig();
}

VOLO_HANDLER(may, (json, all, JSON_OPT()), (str, a, JSON("a", "x")),
             (i32, b, JSON_OPT("b")), (has, c, JSON("c")),
             (json, d, JSON("d", "[1,2]")))
{
    char text[64];

    snprintf(text, sizeof text, "%d %.*s %d %d %zu", volo_json_type(all),
             (int)a.len, a.ptr, b, c, volo_json_len(d));
    return volo_reply_text(cx, text);
}

static void
test_what_is_optional_needs_no_body(void **state)
{
    (void)state;
    open_rig("/", may);
    expect("/", NULL, NULL, 200, "0 x 0 0 2");
    expect("/", WITH(IS_JSON), "", 200, "0 x 0 0 2");
    expect("/", WITH(IS_JSON), "{\"a\":\"y\",\"b\":-1,\"c\":0,\"d\":[]}", 200,
           "6 y -1 1 0");
    /* What is there is still read. */
    assert_int_equal(volo_test_status(send_to("/", NULL, "{}")), 415);
    assert_int_equal(volo_test_status(send_to("/", WITH(IS_JSON), "{")), 400);
    close_rig();
}

VOLO_HANDLER(whole, (json, all, JSON()))
{
    return volo_reply_json(cx, all);
}

static void
test_the_whole_body_may_be_any_json_but_must_be_there(void **state)
{
    (void)state;
    open_rig("/", whole);
    expect("/", WITH(IS_JSON), " [1, 2] ", 200, "[1,2]");
    expect("/", WITH(IS_JSON), "7", 200, "7");
    expect("/", NULL, NULL, 400, "Bad Request\nbody: is missing\n");
    expect("/", WITH(IS_JSON), "null", 422,
           "Unprocessable Content\nbody: is missing\n");
    expect("/", WITH(IS_JSON, "accept: application/json"), "", 400,
           "{\"title\":\"Bad Request\",\"status\":400,\"errors\":["
           "{\"field\":\"body\",\"in\":\"body\",\"reason\":\"is missing\"}]}");
    close_rig();
}

VOLO_HANDLER(bad_default, (json, all, JSON("a", "{")))
{
    return volo_reply_json(cx, all);
}

static void
test_a_default_that_is_no_json_is_the_programs_fault(void **state)
{
    (void)state;
    open_rig("/", bad_default);
    expect("/", NULL, NULL, 500,
           "Internal Server Error\nbody a: has a default of no JSON\n");
    close_rig();
}

VOLO_HANDLER(fields, (str, a, FORM("a", "x")), (list, b, FORM("b")),
             (str, c, FORM_OPT("c")), (has, d, FORM("d")))
{
    char text[64];

    snprintf(text, sizeof text, "%.*s %zu %d %d", (int)a.len, a.ptr,
             volo_list_len(b), c.ptr != NULL, d);
    return volo_reply_text(cx, text);
}

static void
test_a_form_that_is_not_there_has_no_fields(void **state)
{
    (void)state;
    open_rig("/", fields);
    expect("/", NULL, NULL, 200, "x 0 0 0");
    expect("/", WITH(IS_FORM), "c=&d&b=1&b=2&a=%20", 200, "  2 1 1");
    expect("/", WITH(IS_FORM), "a=%2", 400,
           "Bad Request\nform: has a broken escape\n");
    expect("/", WITH("content-type: multipart/form-data"), "a=1", 415,
           "Unsupported Media Type\nheader content-type: must be "
           "application/x-www-form-urlencoded\n");
    close_rig();
}

VOLO_HANDLER(text, (str, t, TEXT()))
{
    return volo_reply_str(cx, t);
}

static void
test_text_is_utf8_or_refused(void **state)
{
    (void)state;
    open_rig("/", text);
    expect("/", WITH("content-type: text/plain"), "a", 200, "a");
    expect("/", WITH("content-type: text/plain; charset=\"UTF-8\""), "a", 200,
           "a");
    expect("/", WITH("content-type: text/plain; charset=us-ascii"), "a", 200,
           "a");
    expect("/", WITH("content-type: text/plain; charset=utf-16"), "a", 415,
           "Unsupported Media Type\n"
           "header content-type: must have the charset utf-8\n");
    close_rig();
}

/* ---- Size ------------------------------------------------------------------
 */

VOLO_HANDLER(raw, (str, b, BODY()), (str, q, QUERY("q", "-")))
{
    (void)q;
    return volo_reply_str(cx, b);
}

static void
limited(volo_cx *cx, void *user)
{
    volo_cx_set_body_limit(cx, 10);
    raw(cx, user);
}

static void
test_a_body_that_is_too_large_is_413_announced_or_not(void **state)
{
    volo_test_response *r;
    size_t chunk;

    (void)state;
    open_rig("/", limited);
    for (chunk = 0; chunk < 4; chunk++) {
        r = rig_post(&rig, "/", VOLO_STR("ten octets"), chunk);
        assert_int_equal(volo_test_status(r), 200);
        r = rig_post(&rig, "/", VOLO_STR("and one more"), chunk);
        assert_int_equal(volo_test_status(r), 413);
        assert_str(volo_test_body(r), "Content Too Large\n"
                                      "body: is larger than is accepted\n");
    }
    close_rig();
}

static void
test_a_large_body_comes_whole(void **state)
{
    size_t size = 1 << 20, i;
    char *octets = malloc(size);
    volo_test_response *r;

    (void)state;
    for (i = 0; i < size; i++)
        octets[i] = (char)(i * 31 >> 3);
    open_rig("/", raw);
    for (i = 0; i < 3; i++) {
        r = rig_post(&rig, "/", volo_str_make(octets, size), i * 30011);
        assert_int_equal(volo_test_status(r), 200);
        assert_int_equal(volo_test_body(r).len, size);
        assert_memory_equal(volo_test_body(r).ptr, octets, size);
    }
    close_rig();
    free(octets);
}

/* ---- The rest -------------------------------------------------------------
 */

VOLO_HANDLER(no_such, (str, id, PATH("id")))
{
    return volo_reply_str(cx, id);
}

static void
test_a_parameter_that_the_pattern_lacks_is_the_programs_fault(void **state)
{
    (void)state;
    open_rig("/{other}", no_such);
    expect("/x", NULL, NULL, 500,
           "Internal Server Error\npath id: is not in the pattern\n");
    close_rig();
}

VOLO_HANDLER(ones, (list, p, PATH("p")), (list, c, COOKIE("c")),
             (list, b, BODY()), (list, none, COOKIE("none", "d")))
{
    char text[64];

    snprintf(text, sizeof text, "%zu %zu %zu %zu", volo_list_len(p),
             volo_list_len(c), volo_list_len(b), volo_list_len(none));
    assert_str(volo_list_at(p, 0), "x y");
    assert_str(volo_list_at(none, 0), "d");
    assert_absent(volo_list_at(NULL, 0));
    return volo_reply_text(cx, text);
}

static void
test_where_there_can_be_but_one_a_list_has_one(void **state)
{
    (void)state;
    open_rig("/{p}", ones);
    expect("/x%20y", WITH("cookie: c=1"), "body", 200, "1 1 1 1");
    expect("/x%20y", NULL, NULL, 200, "1 0 1 1");
    close_rig();
}

VOLO_HANDLER(tags, (list, t, QUERY("t")), (list, u, QUERY("u")))
{
    (void)u;
    return volo_reply_str(cx, volo_list_at(t, 0));
}

static void
test_a_query_that_cannot_be_read_is_told_once(void **state)
{
    char target[2100] = "/?t=1";
    int i;

    (void)state;
    open_rig("/", tags);
    expect("/?t=1&x=%", NULL, NULL, 400,
           "Bad Request\nquery: has a broken escape\n");
    for (i = 0; i < 1000; i++)
        memcpy(target + 5 + 2 * i, "&a", 3);
    expect(target, NULL, NULL, 413,
           "Content Too Large\nquery: has too many fields\n");
    target[strlen(target) - 2] = '\0';
    expect(target, NULL, NULL, 200, "1");
    close_rig();
}

VOLO_KEY(thing, int);

VOLO_HANDLER(odd, (cstr, q, QUERY("q")), (cstr, c, COOKIE("c")),
             (str, e, EXT(thing_key())), (cstr, o, HEADER_OPT("o")))
{
    (void)q, (void)c, (void)e, (void)o;
    fail();
    return volo_reply_empty(cx);
}

static void
test_a_refusal_names_every_kind_of_place(void **state)
{
    (void)state;
    open_rig("/", odd);
    expect("/?q=a%00b", NULL, NULL, 400,
           "Bad Request\nquery q: has a NUL in it\ncookie c: is missing\n"
           "request extension: is missing\n");
    close_rig();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_that_cannot_be_read_is_told_once),
        cmocka_unit_test(test_without_a_body_each_member_is_missing),
        cmocka_unit_test(test_what_is_optional_needs_no_body),
        cmocka_unit_test(test_the_whole_body_may_be_any_json_but_must_be_there),
        cmocka_unit_test(test_a_default_that_is_no_json_is_the_programs_fault),
        cmocka_unit_test(test_a_form_that_is_not_there_has_no_fields),
        cmocka_unit_test(test_text_is_utf8_or_refused),
        cmocka_unit_test(test_a_body_that_is_too_large_is_413_announced_or_not),
        cmocka_unit_test(test_a_large_body_comes_whole),
        cmocka_unit_test(
            test_a_parameter_that_the_pattern_lacks_is_the_programs_fault),
        cmocka_unit_test(test_where_there_can_be_but_one_a_list_has_one),
        cmocka_unit_test(test_a_query_that_cannot_be_read_is_told_once),
        cmocka_unit_test(test_a_refusal_names_every_kind_of_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
