/* SPDX-License-Identifier: Apache-2.0 */
/* The timeout layer: who is late, and what becomes of it. */
#include "layers_support.h"

static volo_layer *
timeout_of(uint64_t ms, int status)
{
    volo_layer *layer = NULL;

    assert_int_equal(volo_layer_timeout(&layer, ms, status), 0);
    return layer;
}

static void
test_an_answer_in_time_passes(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, say_hello, NULL);
    rig_wrap(&rig, timeout_of(5000, 0));
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "hello");
    rig_close(&rig);
}

static void
test_a_late_answer_is_replaced_by_504_and_thrown_away(void **state)
{
    volo_test_response *r;
    volo_cx *kept = NULL;
    struct rig rig;

    (void)state;
    rig_service(&rig, keep, &kept);
    rig_wrap(&rig, timeout_of(5, 0));
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 504);
    assert_true(volo_test_body(r).len > 0);
    assert_int_equal(volo_cx_is_canceled(kept), 1);
    volo_cx_set_body(kept, VOLO_STR("late"));
    assert_int_equal(volo_cx_answer(kept), VOLO_ECANCELED);
    volo_cx_unref(kept);

    /* The next exchange is not bothered by it. */
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 504);
    volo_cx_unref(kept);
    rig_close(&rig);
}

static void
answer_now(void *user)
{
    volo_cx *cx = user;

    volo_reply_text(cx, "in the end");
    volo_cx_unref(cx);
}

static void
answer_after(volo_cx *cx, void *user)
{
    assert_int_equal(volo_timer_start(NULL, volo_cx_loop(cx), *(uint64_t *)user,
                                      answer_now, volo_cx_ref(cx), NULL),
                     0);
}

static void
test_an_asynchronous_answer_in_time_passes(void **state)
{
    uint64_t ms = 5;
    volo_test_response *r;
    struct rig rig;

    (void)state;
    rig_service(&rig, answer_after, &ms);
    rig_wrap(&rig, timeout_of(8000, 0));
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "in the end");
    rig_close(&rig);
}

static void
test_the_shorter_of_two_timeouts_wins_in_either_order(void **state)
{
    volo_cx *kept = NULL;
    struct rig rig;
    int inner;

    (void)state;
    for (inner = 0; inner < 2; inner++) {
        rig_service(&rig, keep, &kept);
        rig_wrap(&rig, timeout_of(inner ? 8000 : 5, inner ? 500 : 503));
        rig_wrap(&rig, timeout_of(inner ? 5 : 8000, inner ? 503 : 500));
        rig_open(&rig);
        assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 503);
        volo_cx_unref(kept);
        rig_close(&rig);
    }
}

static void
test_a_client_that_leaves_before_the_timeout_leaves_nothing_behind(void **state)
{
    volo_cx *kept = NULL;
    struct rig rig;

    (void)state;
    rig_service(&rig, keep, &kept);
    rig_wrap(&rig, timeout_of(20, 0));
    rig_open(&rig);
    rig_leave(&rig, "/", 1);
    assert_int_equal(volo_cx_is_canceled(kept), 1);
    volo_test_run(rig.client, 30);
    volo_cx_unref(kept);
    rig_close(&rig);
}

static void
test_a_timeout_of_nothing_or_with_a_success_is_refused(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    assert_int_equal(volo_layer_timeout(&layer, 0, 0), VOLO_EINVAL);
    assert_int_equal(volo_layer_timeout(&layer, 1, 200), VOLO_EINVAL);
    assert_int_equal(volo_layer_timeout(&layer, 1, 600), VOLO_EINVAL);
    assert_int_equal(volo_layer_timeout(NULL, 1, 0), VOLO_EINVAL);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_in_time_passes),
        cmocka_unit_test(test_a_late_answer_is_replaced_by_504_and_thrown_away),
        cmocka_unit_test(test_an_asynchronous_answer_in_time_passes),
        cmocka_unit_test(test_the_shorter_of_two_timeouts_wins_in_either_order),
        cmocka_unit_test(
            test_a_client_that_leaves_before_the_timeout_leaves_nothing_behind),
        cmocka_unit_test(
            test_a_timeout_of_nothing_or_with_a_success_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
