/* SPDX-License-Identifier: Apache-2.0 */
/* Answers from values. */
#include "support.h"

/* One handler, one request. */
static volo_test_response *
answer_of(struct rig *rig, volo_service_fn fn, void *user, const char *method)
{
    rig_service(rig, fn, user);
    rig_open(rig);
    return rig_ask(rig, method, "/");
}

static void
expect(volo_service_fn fn, int status, const char *type, const char *body)
{
    struct rig rig;
    volo_test_response *r = answer_of(&rig, fn, NULL, "GET");

    assert_int_equal(volo_test_status(r), status);
    if (type)
        assert_str(volo_test_header(r, "content-type"), type);
    else
        assert_absent(volo_test_header(r, "content-type"));
    assert_string_equal(volo_test_body(r).ptr, body);
    rig_close(&rig);
}

static void
text(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_text(cx, "hi"), 0);
}

static void
html(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_html(cx, VOLO_STR("<p>"));
}

static void
bytes(volo_cx *cx, void *user)
{
    char type[] = "image/png";

    (void)user;
    volo_reply_bytes(cx, type, VOLO_STR("png"));
    memset(type, 0, sizeof type); /* it was copied */
}

static void
nothing(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_text(cx, NULL), 0);
}

static void
octets(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_static(cx, NULL, VOLO_STR("\x01"));
}

static void
bad_type(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_bytes(cx, "a\r\nb: c", VOLO_STR("x")),
                     VOLO_EINVAL);
}

static void
test_text_html_and_bytes(void **state)
{
    (void)state;
    expect(text, 200, "text/plain; charset=utf-8", "hi");
    expect(html, 200, "text/html; charset=utf-8", "<p>");
    expect(bytes, 200, "image/png", "png");
    expect(nothing, 200, "text/plain; charset=utf-8", "");
    expect(octets, 200, "application/octet-stream", "\x01");
    expect(bad_type, 500, "text/plain; charset=utf-8",
           "Internal Server Error\n");
}

static void
json(volo_cx *cx, void *user)
{
    volo_json *doc;

    (void)user;
    assert_int_equal(volo_json_object(&doc, cx), 0);
    assert_int_equal(volo_json_set_str(doc, "a", VOLO_STR("\"")), 0);
    volo_cx_set_status(cx, 201);
    assert_int_equal(volo_reply_json(cx, doc), 0);
}

static void
json_broken(volo_cx *cx, void *user)
{
    volo_json *doc;

    (void)user;
    volo_json_object(&doc, cx);
    volo_json_set_str(doc, "a", VOLO_STR("\xff"));
    assert_int_equal(volo_reply_json(cx, doc), VOLO_EINVAL);
}

static void
json_absent(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_json(cx, NULL), VOLO_EINVAL);
}

static void
test_json_is_written_once_and_checked(void **state)
{
    (void)state;
    expect(json, 201, "application/json", "{\"a\":\"\\\"\"}");
    expect(json_broken, 500, "text/plain; charset=utf-8",
           "Internal Server Error\n");
    expect(json_absent, 500, "text/plain; charset=utf-8",
           "Internal Server Error\n");
}

static void
conflict(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_status(cx, 409);
}

static void
unknown(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_status(cx, 799);
}

static void
not_modified(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_status(cx, 304);
}

static void
empty(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_empty(cx);
}

static void
accepted(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_status(cx, 202);
    volo_reply_empty(cx);
}

static void
out_of_range(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_status(cx, 99), VOLO_EINVAL);
}

static void
test_a_status_alone(void **state)
{
    (void)state;
    expect(conflict, 409, "text/plain; charset=utf-8", "Conflict\n");
    expect(unknown, 799, "text/plain; charset=utf-8", "799\n");
    expect(not_modified, 304, NULL, "");
    expect(empty, 204, NULL, "");
    expect(accepted, 202, NULL, "");
    expect(out_of_range, 500, "text/plain; charset=utf-8",
           "Internal Server Error\n");
}

static void
redirect(volo_cx *cx, void *user)
{
    volo_reply_redirect(cx, 303, user);
}

static void
redirect_to(const char *to, const char *location)
{
    struct rig rig;
    volo_test_response *r =
        answer_of(&rig, redirect, (void *)(uintptr_t)to, "GET");

    if (location) {
        assert_int_equal(volo_test_status(r), 303);
        assert_str(volo_test_header(r, "location"), location);
    } else {
        assert_int_equal(volo_test_status(r), 500);
        assert_absent(volo_test_header(r, "location"));
    }
    rig_close(&rig);
}

static void
redirect_with_200(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_redirect(cx, 200, "/"), VOLO_EINVAL);
}

static void
test_redirects_encode_what_may_not_stand_there(void **state)
{
    (void)state;
    redirect_to("/a?b=c#d", "/a?b=c#d");
    redirect_to("/a b\r\nx: y\xc3\xa9%20", "/a%20b%0D%0Ax:%20y%C3%A9%20");
    redirect_to("%", "%25");
    redirect_to("/100%/%2/%zz%20%%41%4", "/100%25/%252/%25zz%20%25%41%254");
    redirect_to("", NULL);
    redirect_to(NULL, NULL);
    expect(redirect_with_200, 500, "text/plain; charset=utf-8",
           "Internal Server Error\n");
}

static void
problem(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_header(cx, "content-type", VOLO_STR("image/png"));
    volo_cx_set_body(cx, VOLO_STR("half an image"));
    volo_reply_problem(cx, 409, "taken by \"Ada\"\n");
}

static void
invalid(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_invalid(cx, 422, "age", "form", "must be positive");
}

static void
invalid_somehow(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_invalid(cx, 422, NULL, NULL, NULL);
}

static void
bad_status(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_problem(cx, 42, "x"), VOLO_EINVAL);
}

static void
too_big(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_error(cx, VOLO_ETOOBIG);
}

static void
test_errors_say_what_and_why(void **state)
{
    (void)state;
    expect(problem, 409, "text/plain; charset=utf-8",
           "Conflict: taken by \"Ada\"?\n");
    expect(invalid, 422, "text/plain; charset=utf-8",
           "Unprocessable Content\nform age: must be positive\n");
    expect(invalid_somehow, 422, "text/plain; charset=utf-8",
           "Unprocessable Content\n: \n");
    expect(bad_status, 500, "text/plain; charset=utf-8",
           "Internal Server Error\n");
    expect(too_big, 413, "text/plain; charset=utf-8", "Content Too Large\n");
}

static void
test_problem_json_is_escaped(void **state)
{
    volo_test_request *request;
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, problem, NULL);
    rig_open(&rig);
    volo_test_request_new(&request, rig.client, "GET", "/");
    volo_test_request_header(request, "accept",
                             "text/html, application/problem+json;q=0.5");
    assert_int_equal(volo_test_send(&r, rig.client, request), 0);
    assert_str(volo_test_body(r),
               "{\"title\":\"Conflict\",\"status\":409,"
               "\"detail\":\"taken by \\\"Ada\\\"\\u000a\"}");
    rig_close(&rig);
}

static void
cookies(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(volo_reply_cookie(cx, "a", VOLO_STR("1"), NULL), 0);
    assert_int_equal(volo_reply_cookie(cx, "b", VOLO_STR("2"),
                                       "Path=/; HttpOnly; SameSite=Lax"),
                     0);
    assert_int_equal(volo_reply_cookie(cx, "a b", VOLO_STR("1"), NULL),
                     VOLO_EINVAL);
    assert_int_equal(volo_reply_cookie(cx, "a", VOLO_STR("1;2"), NULL),
                     VOLO_EINVAL);
    assert_int_equal(
        volo_reply_cookie(cx, "a", VOLO_STR("1"), "Path=/\r\nx: y"),
        VOLO_EINVAL);
    assert_int_equal(volo_reply_cookie(cx, "a", VOLO_STR("1"), "Path=/;"),
                     VOLO_EINVAL);
    assert_int_equal(
        volo_reply_cookie(cx, "a", VOLO_STR("1"), "Path=/\xc3\xa9"),
        VOLO_EINVAL);
    assert_int_equal(volo_reply_cookie(cx, "a", VOLO_STR("1"), "; Secure"),
                     VOLO_EINVAL);
    volo_reply_empty(cx);
}

static void
test_cookies_stand_beside_each_other(void **state)
{
    struct rig rig;
    volo_test_response *r = answer_of(&rig, cookies, NULL, "GET");
    volo_str name, value;

    (void)state;
    assert_int_equal(volo_test_header_count(r), 2);
    volo_test_header_at(r, 0, &name, &value);
    assert_str(name, "set-cookie");
    assert_str(value, "a=1");
    volo_test_header_at(r, 1, &name, &value);
    assert_str(value, "b=2; Path=/; HttpOnly; SameSite=Lax");
    rig_close(&rig);
}

/* ---- Too late ---------------------------------------------------------------
 */

/* Answered, and held back by a layer: nobody else may change it. */
static void
hold(volo_cx *cx, void *frame)
{
    (void)frame;
    volo_cx_ref(cx);
    assert_int_equal(volo_cx_suspend(cx), 0);
}

static void
holding(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    volo_next_run(next, cx, hold, NULL);
}

static void
twice(volo_cx *cx, void *user)
{
    volo_json *doc;

    (void)user;
    volo_json_object(&doc, cx);
    assert_int_equal(volo_reply_text(cx, "first"), 0);
    assert_int_equal(volo_reply_text(cx, "second"), VOLO_EALREADY);
    assert_int_equal(volo_reply_bytes(cx, "a/b", VOLO_STR("x")), VOLO_EALREADY);
    assert_int_equal(volo_reply_static(cx, "a/b", VOLO_STR("x")),
                     VOLO_EALREADY);
    assert_int_equal(volo_reply_json(cx, doc), VOLO_EALREADY);
    assert_int_equal(volo_reply_status(cx, 201), VOLO_EALREADY);
    assert_int_equal(volo_reply_status(cx, 1), VOLO_EALREADY);
    assert_int_equal(volo_reply_empty(cx), VOLO_EALREADY);
    assert_int_equal(volo_reply_redirect(cx, 302, "/"), VOLO_EALREADY);
    assert_int_equal(volo_reply_problem(cx, 400, "no"), VOLO_EALREADY);
    assert_int_equal(volo_reply_invalid(cx, 422, "a", "query", "b"),
                     VOLO_EALREADY);
    assert_int_equal(volo_reply_error(cx, VOLO_ENOMEM), VOLO_EALREADY);
    assert_int_equal(volo_reply_file(cx, "/etc/passwd", NULL), VOLO_EALREADY);
    assert_int_equal(volo_reply_cookie(cx, "a", VOLO_STR("1"), NULL),
                     VOLO_EALREADY);
    volo_cx_resume(cx);
    volo_cx_unref(cx);
}

static void
test_what_comes_after_the_answer_touches_nothing(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, twice, NULL);
    assert_int_equal(volo_service_layer(rig.service, holding, NULL, NULL), 0);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "first");
    assert_str(volo_test_header(r, "content-type"),
               "text/plain; charset=utf-8");
    assert_absent(volo_test_header(r, "location"));
    assert_absent(volo_test_header(r, "set-cookie"));
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_html_and_bytes),
        cmocka_unit_test(test_json_is_written_once_and_checked),
        cmocka_unit_test(test_a_status_alone),
        cmocka_unit_test(test_redirects_encode_what_may_not_stand_there),
        cmocka_unit_test(test_errors_say_what_and_why),
        cmocka_unit_test(test_problem_json_is_escaped),
        cmocka_unit_test(test_cookies_stand_beside_each_other),
        cmocka_unit_test(test_what_comes_after_the_answer_touches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
