/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How to test a service: through its whole chain, in memory, without a socket.
 * Each test has a service of its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "06_todo.h"

static int
set_up(void **state)
{
    volo_router *router;
    volo_test *test;

    assert_int_equal(todo_new(&router), 0);
    assert_int_equal(volo_test_new(&test, volo_router_service(router)), 0);
    volo_router_unref(router);
    *state = test;
    return 0;
}

static int
tear_down(void **state)
{
    volo_test_free(*state);
    return 0;
}

/* One request; the answer is the caller's to free. */
static volo_test_response *
ask(volo_test *test, const char *method, const char *path, const char *json)
{
    volo_test_request *request;
    volo_test_response *response;

    assert_int_equal(volo_test_request_new(&request, test, method, path), 0);
    if (json) {
        volo_test_request_header(request, "Content-Type", "application/json");
        volo_test_request_body(request, volo_str_of(json));
    }
    assert_int_equal(volo_test_send(&response, test, request), 0);
    return response;
}

static void
expect(volo_test *test, const char *method, const char *path, const char *json,
       int status, const char *body)
{
    volo_test_response *response = ask(test, method, path, json);

    assert_int_equal(volo_test_status(response), status);
    if (body)
        assert_string_equal(volo_test_body(response).ptr, body);
    volo_test_response_free(response);
}

static void
test_a_new_list_is_empty(void **state)
{
    expect(*state, "GET", "/todos", NULL, 200, "[]");
}

static void
test_what_is_created_can_be_read(void **state)
{
    volo_test_response *response =
        ask(*state, "POST", "/todos", "{\"title\":\"write\"}");

    assert_int_equal(volo_test_status(response), 201);
    assert_true(volo_str_eq(volo_test_header(response, "Location"),
                            VOLO_STR("/todos/1")));
    volo_test_response_free(response);
    expect(*state, "GET", "/todos/1", NULL, 200,
           "{\"id\":1,\"title\":\"write\",\"done\":false}");
}

static void
test_an_update_changes_only_what_it_names(void **state)
{
    expect(*state, "POST", "/todos", "{\"title\":\"write\"}", 201, NULL);
    expect(*state, "PATCH", "/todos/1", "{\"done\":true}", 200,
           "{\"id\":1,\"title\":\"write\",\"done\":true}");
    expect(*state, "PATCH", "/todos/1", "{\"title\":\"read\"}", 200,
           "{\"id\":1,\"title\":\"read\",\"done\":true}");
}

static void
test_the_list_can_be_asked_for_what_is_done(void **state)
{
    expect(*state, "POST", "/todos", "{\"title\":\"a\",\"done\":true}", 201,
           NULL);
    expect(*state, "POST", "/todos", "{\"title\":\"b\"}", 201, NULL);
    expect(*state, "GET", "/todos?done=true", NULL, 200,
           "[{\"id\":1,\"title\":\"a\",\"done\":true}]");
    expect(*state, "GET", "/todos?done=false", NULL, 200,
           "[{\"id\":2,\"title\":\"b\",\"done\":false}]");
}

static void
test_what_is_deleted_is_gone(void **state)
{
    expect(*state, "POST", "/todos", "{\"title\":\"a\"}", 201, NULL);
    expect(*state, "DELETE", "/todos/1", NULL, 204, "");
    expect(*state, "GET", "/todos/1", NULL, 404, NULL);
    expect(*state, "DELETE", "/todos/1", NULL, 404, NULL);
}

static void
test_bad_requests_are_refused(void **state)
{
    expect(*state, "POST", "/todos", "{\"done\":true}", 422, NULL);
    expect(*state, "POST", "/todos", "{\"title\":\"\"}", 422, NULL);
    expect(*state, "POST", "/todos", "{\"title\":7}", 422, NULL);
    expect(*state, "POST", "/todos", "{", 400, NULL);
    expect(*state, "GET", "/todos/one", NULL, 400, NULL);
    expect(*state, "GET", "/todos/0", NULL, 404, NULL);
    expect(*state, "PUT", "/todos/1", "{}", 405, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_list_is_empty, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_created_can_be_read,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_an_update_changes_only_what_it_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_list_can_be_asked_for_what_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_deleted_is_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_bad_requests_are_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
