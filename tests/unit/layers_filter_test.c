/* SPDX-License-Identifier: Apache-2.0 */
/* The filter: yes, no, and no in words of the guard's own. */
#include "layers_support.h"

static int freed;

static void
count_free(void *user)
{
    ++*(int *)user;
}

static int
is_admin(volo_cx *cx, void *user)
{
    (void)user;
    return volo_str_eq(volo_cx_header(cx, "x-role"), VOLO_STR("admin"));
}

static int
explain(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_status(cx, 401);
    volo_cx_set_header(cx, "www-authenticate", VOLO_STR("Basic"));
    volo_reply_text(cx, "who are you?");
    return 0;
}

static void
wrap_filter(struct rig *rig, volo_guard_fn guard, int status)
{
    volo_layer *layer = NULL;

    assert_int_equal(
        volo_layer_filter(&layer, guard, &freed, count_free, status), 0);
    rig_wrap(rig, layer);
}

static void
test_what_the_guard_admits_is_served_and_the_rest_refused(void **state)
{
    struct rig rig;

    (void)state;
    freed = 0;
    rig_service(&rig, say_hello, NULL);
    wrap_filter(&rig, is_admin, 0);
    rig_open(&rig);
    assert_int_equal(
        volo_test_status(rig_ask_with(&rig, "GET", "X-Role", "admin")), 200);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 403);
    rig_close(&rig);
    assert_int_equal(freed, 1);
}

static void
test_the_status_of_a_refusal_can_be_chosen(void **state)
{
    struct rig rig;

    (void)state;
    rig_service(&rig, say_hello, NULL);
    wrap_filter(&rig, is_admin, 404);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 404);
    rig_close(&rig);
}

static void
test_an_answer_of_the_guard_itself_is_kept(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, say_hello, NULL);
    wrap_filter(&rig, explain, 0);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 401);
    assert_str(volo_test_header(r, "www-authenticate"), "Basic");
    assert_str(volo_test_body(r), "who are you?");
    rig_close(&rig);
}

static void
test_a_failed_construction_frees_the_guards_data(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    freed = 0;
    assert_int_equal(volo_layer_filter(&layer, NULL, &freed, count_free, 0),
                     VOLO_EINVAL);
    assert_int_equal(
        volo_layer_filter(&layer, is_admin, &freed, count_free, 200),
        VOLO_EINVAL);
    assert_int_equal(freed, 2);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_what_the_guard_admits_is_served_and_the_rest_refused),
        cmocka_unit_test(test_the_status_of_a_refusal_can_be_chosen),
        cmocka_unit_test(test_an_answer_of_the_guard_itself_is_kept),
        cmocka_unit_test(test_a_failed_construction_frees_the_guards_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
