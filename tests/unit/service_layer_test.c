/* SPDX-License-Identifier: Apache-2.0 */
/* One order everywhere, whenever a layer was added; and the way back. */
#include "support.h"

static char trace[256];

static void
mark(const char *text)
{
    strncat(trace, text, sizeof trace - strlen(trace) - 1);
}

static void
answer(volo_cx *cx, void *user)
{
    (void)user;
    mark("S");
    volo_cx_answer(cx);
}

static void
back(volo_cx *cx, void *frame)
{
    char text[3] = {'-', *(const char *)frame, 0};

    (void)cx;
    mark(text);
}

static void
through(volo_cx *cx, volo_next *next, void *user)
{
    char text[3] = {'+', *(const char *)user, 0};

    mark(text);
    volo_next_run(next, cx, back, user);
}

static void
stop(volo_cx *cx, volo_next *next, void *user)
{
    (void)next;
    (void)user;
    mark("!");
    volo_cx_set_status(cx, 403);
    volo_cx_answer(cx);
}

static void
test_the_first_layer_added_is_the_outermost(void **state)
{
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, answer, NULL);
    volo_service_layer(rig.service, through, (void *)"a", NULL);
    volo_service_layer(rig.service, through, (void *)"b", NULL);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    assert_string_equal(trace, "+a+bS-b-a");
    rig_close(&rig);
}

static void
test_a_layer_may_answer_itself(void **state)
{
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, answer, NULL);
    volo_service_layer(rig.service, through, (void *)"a", NULL);
    volo_service_layer(rig.service, stop, NULL, NULL);
    volo_service_layer(rig.service, through, (void *)"c", NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 403);
    assert_string_equal(trace, "+a!-a");
    rig_close(&rig);
}

static void
test_a_frozen_service_takes_no_more_layers(void **state)
{
    struct rig rig;

    (void)state;
    rig_service(&rig, answer, NULL);
    rig_open(&rig);
    assert_int_equal(volo_service_layer(rig.service, through, NULL, NULL),
                     VOLO_EBUSY);
    rig_close(&rig);
}

static void
test_more_layers_than_there_is_room_for_frames(void **state)
{
    struct rig rig;
    int i;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, answer, NULL);
    for (i = 0; i < 40; i++)
        volo_service_layer(rig.service, through, (void *)"x", NULL);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    assert_int_equal(strlen(trace), 40 * 4 + 1);
    rig_close(&rig);
}

/* ---- Later, and held ------------------------------------------------------
 */

struct pause {
    volo_cx *cx;
    volo_next *next;
};

static void
go_on(void *user)
{
    struct pause *pause = user;

    volo_next_run(pause->next, pause->cx, back, (void *)"l");
    volo_cx_unref(pause->cx);
}

static void
later(volo_cx *cx, volo_next *next, void *user)
{
    struct pause *pause = user;

    pause->cx = volo_cx_ref(cx);
    pause->next = next;
    mark("+l");
    assert_int_equal(
        volo_timer_start(NULL, volo_cx_loop(cx), 1, go_on, pause, NULL), 0);
}

static void
test_a_layer_may_go_on_later(void **state)
{
    struct pause pause;
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, answer, NULL);
    volo_service_layer(rig.service, through, (void *)"a", NULL);
    volo_service_layer(rig.service, later, &pause, NULL);
    volo_service_layer(rig.service, through, (void *)"b", NULL);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    assert_string_equal(trace, "+a+l+bS-b-l-a");
    rig_close(&rig);
}

static void *
resume_in_thread(void *arg)
{
    usleep(1000);
    volo_cx_set_header(arg, "x-held", VOLO_STR("yes"));
    volo_cx_resume(arg);
    volo_cx_unref(arg);
    return NULL;
}

static void
hold_back(volo_cx *cx, void *frame)
{
    mark("-h");
    volo_cx_ref(cx);
    assert_int_equal(volo_cx_suspend(cx), 0);
    pthread_create(frame, NULL, resume_in_thread, cx);
}

static void
hold(volo_cx *cx, volo_next *next, void *user)
{
    assert_int_equal(volo_cx_suspend(cx), VOLO_EINVAL);
    volo_next_run(next, cx, hold_back, user);
}

static void
test_a_response_can_be_held_on_its_way_out(void **state)
{
    volo_test_response *r;
    pthread_t thread;
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, answer, NULL);
    volo_service_layer(rig.service, through, (void *)"a", NULL);
    volo_service_layer(rig.service, hold, &thread, NULL);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_str(volo_test_header(r, "x-held"), "yes");
    assert_string_equal(trace, "+aS-h-a");
    pthread_join(thread, NULL);
    rig_close(&rig);
}

/* ---- Simpler functions ----------------------------------------------------
 */

static void
only_post(volo_cx *cx, void *user)
{
    (void)user;
    if (volo_cx_method(cx) == VOLO_POST)
        return;
    volo_cx_set_status(cx, 405);
    volo_cx_answer(cx);
}

static void
add_header(volo_cx *cx, void *user)
{
    volo_cx_set_header(cx, "x-mapped", volo_str_of(user));
}

static int
is_api(volo_cx *cx, void *user)
{
    volo_str prefix = volo_str_of(user), path = volo_cx_path(cx);

    return path.len >= prefix.len && !memcmp(path.ptr, prefix.ptr, prefix.len);
}

static void
count_free(void *user)
{
    ++*(int *)user;
}

static void
test_layers_from_request_and_response_functions(void **state)
{
    volo_layer *request, *response, *when;
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, answer, NULL);
    assert_int_equal(volo_layer_map_request(&request, only_post, NULL, NULL),
                     0);
    assert_int_equal(
        volo_layer_map_response(&response, add_header, (void *)"m", NULL), 0);
    assert_int_equal(
        volo_layer_when(&when, is_api, (void *)"/api", NULL, request), 0);
    volo_service_add_layer(rig.service, response);
    volo_service_add_layer(rig.service, when);
    volo_layer_unref(request);
    volo_layer_unref(response);
    volo_layer_unref(when);
    rig_open(&rig);

    r = rig_ask(&rig, "GET", "/api/x");
    assert_int_equal(volo_test_status(r), 405);
    assert_str(volo_test_header(r, "x-mapped"), "m");
    assert_int_equal(volo_test_status(rig_ask(&rig, "POST", "/api/x")), 200);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/other")), 200);
    rig_close(&rig);
}

static void
test_what_fails_to_be_made_frees_its_user(void **state)
{
    volo_layer *layer = NULL;
    volo_service *service = NULL;
    int count = 0;

    (void)state;
    assert_int_equal(volo_layer_new(&layer, NULL, &count, count_free),
                     VOLO_EINVAL);
    assert_int_equal(volo_layer_when(&layer, is_api, &count, count_free, NULL),
                     VOLO_EINVAL);
    assert_int_equal(volo_layer_map_request(&layer, NULL, &count, count_free),
                     VOLO_EINVAL);
    assert_int_equal(volo_service_new(&service, NULL, &count, count_free),
                     VOLO_EINVAL);
    assert_int_equal(count, 4);
    assert_null(layer);
    assert_null(service);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_layer_added_is_the_outermost),
        cmocka_unit_test(test_a_layer_may_answer_itself),
        cmocka_unit_test(test_a_frozen_service_takes_no_more_layers),
        cmocka_unit_test(test_more_layers_than_there_is_room_for_frames),
        cmocka_unit_test(test_a_layer_may_go_on_later),
        cmocka_unit_test(test_a_response_can_be_held_on_its_way_out),
        cmocka_unit_test(test_layers_from_request_and_response_functions),
        cmocka_unit_test(test_what_fails_to_be_made_frees_its_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
