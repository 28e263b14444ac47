/* SPDX-License-Identifier: Apache-2.0 */
/* Typed parameters of a handler, from every source, and what is refused. */
#include "extract_support.h"

/* ---- Numbers and text ------------------------------------------------------
 */

VOLO_HANDLER(nothing)
{
    return volo_reply_text(cx, "nothing");
}

static void
test_a_handler_may_have_no_parameters(void **state)
{
    (void)state;
    open_rig("/", nothing);
    expect("/", NULL, NULL, 200, "nothing");
    close_rig();
}

VOLO_HANDLER(numbers, (u64, a, PATH("a")), (i64, b, PATH("b")),
             (u32, c, QUERY("c", "7")), (i32, d, QUERY("d", "-7")),
             (f64, e, QUERY("e", "0.5")), (bool, f, QUERY("f", "no")))
{
    char text[160];

    snprintf(text, sizeof text, "%llu %lld %u %d %g %d", (unsigned long long)a,
             (long long)b, c, d, e, f);
    return volo_reply_text(cx, text);
}

static void
test_numbers_of_every_size_with_defaults(void **state)
{
    (void)state;
    open_rig("/{a}/{b}", numbers);
    expect("/1/-2", NULL, NULL, 200, "1 -2 7 -7 0.5 0");
    expect("/18446744073709551615/-9223372036854775808?c=4294967295&"
           "d=-2147483648&e=-1.5e3&f=TRUE",
           NULL, NULL, 200,
           "18446744073709551615 -9223372036854775808 4294967295 -2147483648 "
           "-1500 1");
    close_rig();
}

static void
test_every_value_that_is_wrong_is_named(void **state)
{
    (void)state;
    open_rig("/{a}/{b}", numbers);
    expect("/x/-2", NULL, NULL, 400,
           "Bad Request\npath a: must be an unsigned integer\n");
    expect("/-1/1.5?c=4294967296&d=2147483648&e=nan&f=maybe", NULL, NULL, 400,
           "Bad Request\npath a: must be an unsigned integer\n"
           "path b: must be an integer\nquery c: is out of range\n"
           "query d: is out of range\nquery e: must be a number\n"
           "query f: must be true or false\n");
    expect("/18446744073709551616/1", NULL, NULL, 422,
           "Unprocessable Content\npath a: is out of range\n");
    close_rig();
}

static void
test_a_real_number_is_written_as_json_writes_it(void **state)
{
    static const char *const good[] = {"0", "-0.0", "12.5E%2B1", "1e-400"};
    static const char *const bad[] = {
        "",    "-",    "01",       "1.",      ".5",   "1e",
        "1e+", "%2B1", "0x1",      "%201",    "1%20", "1,5",
        "inf", "NaN",  "Infinity", "%5B1%5D", "1.5.5"};
    char target[64];
    size_t i;

    (void)state;
    open_rig("/{a}/{b}", numbers);
    for (i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(target, sizeof target, "/1/1?e=%s", good[i]);
        assert_int_equal(volo_test_status(send_to(target, NULL, NULL)), 200);
    }
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(target, sizeof target, "/1/1?e=%s", bad[i]);
        expect(target, NULL, NULL, 400,
               "Bad Request\nquery e: must be a number\n");
    }
    expect("/1/1?e=-1e999", NULL, NULL, 422,
           "Unprocessable Content\nquery e: is out of range\n");
    close_rig();
}

static void
test_a_client_of_json_gets_problem_json(void **state)
{
    volo_test_response *r;

    (void)state;
    open_rig("/{a}/{b}", numbers);
    r = send_to("/%22x/1", WITH("Accept: application/json"), NULL);
    assert_int_equal(volo_test_status(r), 400);
    assert_str(volo_test_header(r, "content-type"), "application/problem+json");
    assert_str(volo_test_body(r),
               "{\"title\":\"Bad Request\",\"status\":400,\"errors\":[{"
               "\"field\":\"a\",\"in\":\"path\","
               "\"reason\":\"must be an unsigned integer\"}]}");
    r = send_to("/x/1", WITH("Accept: */*"), NULL);
    assert_str(volo_test_header(r, "content-type"),
               "text/plain; charset=utf-8");
    r = send_to("/x/1", WITH("Accept: application/json;q=0, text/html"), NULL);
    assert_str(volo_test_header(r, "content-type"),
               "text/plain; charset=utf-8");
    close_rig();
}

VOLO_HANDLER(texts, (str, q, QUERY("q")), (cstr, h, HEADER("X-Name")),
             (str, c, COOKIE("id", "none")), (has, o, QUERY("o")),
             (str, opt, QUERY_OPT("opt")), (str, ip, CLIENT()))
{
    char text[200];

    assert_str(ip, "test");
    snprintf(text, sizeof text, "%.*s|%s|%.*s|%d|%d", (int)q.len, q.ptr, h,
             (int)c.len, c.ptr, o, opt.ptr != NULL);
    return volo_reply_text(cx, text);
}

static void
test_text_from_query_header_and_cookie(void **state)
{
    (void)state;
    open_rig("/", texts);
    expect("/?q=a+b%2Fc", WITH("x-name: Ada"), NULL, 200, "a b/c|Ada|none|0|0");
    expect("/?q=&o&opt=", WITH("x-name: Ada", "cookie: a=1; id=7"), NULL, 200,
           "|Ada|7|1|1");
    expect("/", NULL, NULL, 400,
           "Bad Request\nquery q: is missing\nheader X-Name: is missing\n");
    expect("/?q=%zz", WITH("x-name: Ada"), NULL, 400,
           "Bad Request\nquery q: has a broken escape\n");
    close_rig();
}

VOLO_HANDLER(lists, (list, tags, QUERY("tag")), (list, more, HEADER("X-More")),
             (list, def, QUERY("def", "d")))
{
    char text[200] = "";
    size_t i;

    for (i = 0; i < volo_list_len(tags); i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s,",
                 (int)volo_list_at(tags, i).len, volo_list_at(tags, i).ptr);
    snprintf(text + strlen(text), sizeof text - strlen(text), "%zu %zu",
             volo_list_len(more), volo_list_len(def));
    assert_absent(volo_list_at(tags, 99));
    return volo_reply_text(cx, text);
}

static void
test_repeated_names_are_a_list(void **state)
{
    (void)state;
    open_rig("/", lists);
    expect("/?tag=a&x=1&tag=b%20c&tag=", WITH("x-more: 1", "X-MORE: 2"), NULL,
           200, "a,b c,,2 1");
    expect("/", NULL, NULL, 200, "0 1");
    close_rig();
}

/* ---- Bodies -----------------------------------------------------------------
 */

VOLO_HANDLER(members, (json, doc, JSON()), (str, name, JSON("name")),
             (u32, age, JSON("age", "18")), (bool, on, JSON("on", "true")),
             (list, tags, JSON("tags")), (json, extra, JSON_OPT("extra")),
             (has, nick, JSON("nick")))
{
    char text[200];

    snprintf(text, sizeof text, "%zu %.*s %u %d %zu %d %d", volo_json_len(doc),
             (int)name.len, name.ptr, age, on, volo_list_len(tags),
             volo_json_type(extra), nick);
    return volo_reply_text(cx, text);
}

static void
test_json_whole_and_by_member(void **state)
{
    (void)state;
    open_rig("/", members);
    expect("/", WITH(IS_JSON), "{\"name\":\"Ada\"}", 200, "1 Ada 18 1 0 0 0");
    expect("/", WITH("content-type: application/x+json; charset=utf-8"),
           "{\"name\":\"Ada\",\"age\":36,\"on\":false,\"tags\":[\"a\",\"b\"],"
           "\"extra\":{},\"nick\":\"A\"}",
           200, "6 Ada 36 0 2 6 1");
    close_rig();
}

static void
test_json_that_does_not_fit_is_refused(void **state)
{
    volo_test_response *r;

    (void)state;
    open_rig("/", members);
    expect("/", WITH(IS_JSON),
           "{\"name\":7,\"age\":\"x\",\"on\":1,\"tags\":[1]}", 422,
           "Unprocessable Content\nbody name: must be a string\n"
           "body age: must be an unsigned integer\n"
           "body on: must be true or false\n"
           "body tags: must be an array of strings\n");
    expect("/", WITH(IS_JSON), "{}", 422,
           "Unprocessable Content\nbody name: is missing\n");
    r = send_to("/", WITH(IS_JSON), "{\"name\":");
    assert_int_equal(volo_test_status(r), 400);
    assert_non_null(strstr(volo_test_body(r).ptr, "\nbody: "));
    r = send_to("/", WITH("content-type: text/plain"), "{}");
    assert_int_equal(volo_test_status(r), 415);
    r = send_to("/", NULL, "{}");
    assert_int_equal(volo_test_status(r), 415);
    close_rig();
}

VOLO_HANDLER(fields, (form, all, FORM()), (u32, n, FORM("n")),
             (list, t, FORM("t")), (str, o, FORM_OPT("o")))
{
    char text[100];

    snprintf(text, sizeof text, "%zu %u %zu %d", volo_form_len(all), n,
             volo_list_len(t), o.ptr != NULL);
    return volo_reply_text(cx, text);
}

static void
test_forms_whole_and_by_field(void **state)
{
    static char many[4096] = "n=1";
    int i;

    (void)state;
    open_rig("/", fields);
    expect("/", WITH(IS_FORM), "n=3&t=a&t=b&x=%26", 200, "4 3 2 0");
    expect("/", WITH(IS_FORM), "n=x", 400,
           "Bad Request\nform n: must be an unsigned integer\n");
    assert_int_equal(
        volo_test_status(send_to("/", WITH("content-type: a/b"), "n=1")), 415);
    for (i = 0; i < 1000; i++)
        strcat(many, "&a");
    assert_int_equal(volo_test_status(send_to("/", WITH(IS_FORM), many)), 413);
    close_rig();
}

VOLO_HANDLER(raw, (str, b, BODY()))
{
    return volo_reply_str(cx, b);
}

VOLO_HANDLER(text, (str, t, TEXT()))
{
    return volo_reply_str(cx, t);
}

static void
test_raw_bodies_and_text(void **state)
{
    (void)state;
    open_rig("/", raw);
    expect("/", NULL, "\xff raw", 200, "\xff raw");
    close_rig();
    open_rig("/", text);
    expect("/", NULL, "\xc3\xa9", 200, "\xc3\xa9");
    expect("/", NULL, "\xff", 400, "Bad Request\nbody: is not UTF-8\n");
    close_rig();
}

static void
test_a_body_that_comes_late_is_waited_for(void **state)
{
    volo_test_response *r;

    (void)state;
    open_rig("/", raw);
    r = rig_post(&rig, "/", VOLO_STR("in small pieces"), 2);
    assert_str(volo_test_body(r), "in small pieces");
    close_rig();
}

/* ---- Extensions and types of one's own
 * --------------------------------------- */

VOLO_KEY(count, int);

VOLO_HANDLER(state_of, (ptr, n, EXT(count_key())), (ptr, no, EXT_OPT(rig_open)))
{
    assert_null(no);
    return volo_reply_text(cx, *(int *)n == 5 ? "five" : "?");
}

static void
test_state_is_a_parameter_like_others(void **state)
{
    int five = 5;

    (void)state;
    assert_int_equal(volo_router_new(&router), 0);
    volo_router_get(router, "/", state_of, NULL);
    volo_router_set_state(router, count_key(), &five, NULL);
    rig.service = volo_service_ref(volo_router_service(router));
    rig_open(&rig);
    expect("/", NULL, NULL, 200, "five");
    close_rig();
    open_rig("/", state_of);
    assert_int_equal(volo_test_status(send_to("/", NULL, NULL)), 500);
    close_rig();
}

struct point {
    int x, y;
};

#define VOLO_T_point struct point
#define VOLO_X_point extract_point

static void
extract_point(volo_extract *x, struct point *out, int source, const char *name,
              const char *fallback)
{
    volo_str text = {NULL, 0};
    char copy[32];

    if (volo_extract_str(x, &text, source, name, fallback))
        return;
    snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.ptr);
    if (sscanf(copy, "%d,%d", &out->x, &out->y) != 2)
        volo_extract_reject(x, 422, name, "query", "must be x,y");
}

VOLO_HANDLER(at_point, (point, p, QUERY("at", "1,2")), (u32, n, PATH("n")))
{
    char text[64];

    snprintf(text, sizeof text, "%d %d %u", p.x, p.y, n);
    return volo_reply_text(cx, text);
}

static void
test_a_type_of_ones_own(void **state)
{
    (void)state;
    open_rig("/{n}", at_point);
    expect("/9", NULL, NULL, 200, "1 2 9");
    expect("/9?at=3,4", NULL, NULL, 200, "3 4 9");
    expect("/9?at=3", NULL, NULL, 422,
           "Unprocessable Content\nquery at: must be x,y\n");
    expect("/x?at=3", NULL, NULL, 400,
           "Bad Request\nquery at: must be x,y\n"
           "path n: must be an unsigned integer\n");
    close_rig();
}

VOLO_HANDLER(failing)
{
    return VOLO_ENOENT;
}

static void
test_an_error_that_is_returned_is_the_answer(void **state)
{
    (void)state;
    open_rig("/", failing);
    expect("/", NULL, NULL, 404, "Not Found\n");
    close_rig();
}

VOLO_HANDLER(twelve, (u32, a, QUERY("a", "1")), (u32, b, QUERY("b", "1")),
             (u32, c, QUERY("c", "1")), (u32, d, QUERY("d", "1")),
             (u32, e, QUERY("e", "1")), (u32, f, QUERY("f", "1")),
             (u32, g, QUERY("g", "1")), (u32, h, QUERY("h", "1")),
             (u32, i, QUERY("i", "1")), (u32, j, QUERY("j", "1")),
             (u32, k, QUERY("k", "1")), (u32, l, QUERY("l", "1")))
{
    char sum[16];

    snprintf(sum, sizeof sum, "%u",
             a + b + c + d + e + f + g + h + i + j + k + l);
    return volo_reply_text(cx, sum);
}

static void
test_twelve_parameters(void **state)
{
    (void)state;
    open_rig("/", twelve);
    expect("/?l=100", NULL, NULL, 200, "111");
    close_rig();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handler_may_have_no_parameters),
        cmocka_unit_test(test_numbers_of_every_size_with_defaults),
        cmocka_unit_test(test_every_value_that_is_wrong_is_named),
        cmocka_unit_test(test_a_real_number_is_written_as_json_writes_it),
        cmocka_unit_test(test_a_client_of_json_gets_problem_json),
        cmocka_unit_test(test_text_from_query_header_and_cookie),
        cmocka_unit_test(test_repeated_names_are_a_list),
        cmocka_unit_test(test_json_whole_and_by_member),
        cmocka_unit_test(test_json_that_does_not_fit_is_refused),
        cmocka_unit_test(test_forms_whole_and_by_field),
        cmocka_unit_test(test_raw_bodies_and_text),
        cmocka_unit_test(test_a_body_that_comes_late_is_waited_for),
        cmocka_unit_test(test_state_is_a_parameter_like_others),
        cmocka_unit_test(test_a_type_of_ones_own),
        cmocka_unit_test(test_an_error_that_is_returned_is_the_answer),
        cmocka_unit_test(test_twelve_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
