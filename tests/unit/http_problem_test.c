/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets an error as JSON, and what stands in it. */
#include "support.h"

#include "http/problem.h"

static void
problem(volo_cx *cx, void *user)
{
    struct volo__invalid errors[] = {
        {VOLO_STR("a\"\xff\n"), "query", "is \\ \t wrong"},
        {VOLO_STR("body"), "body", "is \xc3\xa9"},
    };

    (void)user;
    assert_int_equal(volo__problem_set(cx, 400, "not so", errors, 2), 0);
    volo_cx_answer(cx);
}

static volo_test_response *
ask(struct rig *rig, const char *method, const char *accept)
{
    volo_test_request *request;
    volo_test_response *r = NULL;

    volo_test_request_new(&request, rig->client, method, "/");
    if (accept)
        volo_test_request_header(request, "accept", accept);
    assert_int_equal(volo_test_send(&r, rig->client, request), 0);
    return r;
}

static void
test_only_who_names_json_gets_it(void **state)
{
    static const char *const json[] = {
        "application/json", "application/problem+json",
        "APPLICATION/JSON; q=0.1, text/html", "text/html,application/json",
        "application/json;q=0, application/problem+json"};
    static const char *const text[] = {NULL,
                                       "",
                                       "*/*",
                                       "application/*",
                                       "text/html",
                                       "application/json;q=0",
                                       "application/jsonx",
                                       "application/json;q=0.0, */*"};
    struct rig rig;
    size_t i;

    (void)state;
    rig_service(&rig, problem, NULL);
    rig_open(&rig);
    for (i = 0; i < sizeof json / sizeof *json; i++)
        assert_str(volo_test_header(ask(&rig, "GET", json[i]), "content-type"),
                   "application/problem+json");
    for (i = 0; i < sizeof text / sizeof *text; i++)
        assert_str(volo_test_header(ask(&rig, "GET", text[i]), "content-type"),
                   "text/plain; charset=utf-8");
    rig_close(&rig);
}

static void
test_as_json_everything_is_escaped(void **state)
{
    volo_test_response *r;
    volo_json *doc, *error;
    struct rig rig;

    (void)state;
    rig_service(&rig, problem, NULL);
    rig_open(&rig);
    r = ask(&rig, "GET", "application/json");
    assert_int_equal(volo_test_status(r), 400);
    assert_str(volo_test_body(r),
               "{\"title\":\"Bad Request\",\"status\":400,"
               "\"detail\":\"not so\",\"errors\":["
               "{\"field\":\"a\\\"\\u00ff\\u000a\",\"in\":\"query\","
               "\"reason\":\"is \\\\ \\u0009 wrong\"},"
               "{\"field\":\"body\",\"in\":\"body\","
               "\"reason\":\"is \xc3\xa9\"}]}");
    assert_int_equal(volo_json_parse(&doc, NULL, volo_test_body(r)), 0);
    error = volo_json_at(volo_json_get(doc, "errors"), 1);
    assert_str(volo_json_str(volo_json_get(error, "reason")), "is \xc3\xa9");
    volo_json_free(doc);
    rig_close(&rig);
}

static void
test_as_text_each_value_has_a_line(void **state)
{
    struct rig rig;

    (void)state;
    rig_service(&rig, problem, NULL);
    rig_open(&rig);
    assert_str(volo_test_body(ask(&rig, "GET", NULL)),
               "Bad Request: not so\n"
               "query a\"\xff?: is \\ ? wrong\n"
               "body: is \xc3\xa9\n");
    assert_int_equal(volo_test_body(ask(&rig, "HEAD", NULL)).len, 0);
    rig_close(&rig);
}

static void
replaced(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_status(cx, 201);
    volo_cx_set_header(cx, "content-type", VOLO_STR("a/b"));
    volo_cx_set_header(cx, "x-kept", VOLO_STR("1"));
    volo_cx_set_body(cx, VOLO_STR("half"));
    assert_int_equal(volo__problem_set(cx, 1000, NULL, NULL, 0), VOLO_EINVAL);
    assert_int_equal(volo_cx_status(cx), 201);
    assert_int_equal(volo__problem_set(cx, 404, "not FOUND", NULL, 0), 0);
    volo_cx_answer(cx);
}

static void
test_it_takes_the_place_of_what_was_there(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, replaced, NULL);
    rig_open(&rig);
    r = ask(&rig, "GET", NULL);
    assert_int_equal(volo_test_status(r), 404);
    assert_str(volo_test_body(r), "Not Found\n"); /* not said twice */
    assert_str(volo_test_header(r, "content-type"),
               "text/plain; charset=utf-8");
    assert_str(volo_test_header(r, "x-kept"), "1");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_who_names_json_gets_it),
        cmocka_unit_test(test_as_json_everything_is_escaped),
        cmocka_unit_test(test_as_text_each_value_has_a_line),
        cmocka_unit_test(test_it_takes_the_place_of_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
