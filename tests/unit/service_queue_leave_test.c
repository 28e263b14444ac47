/* SPDX-License-Identifier: Apache-2.0 */
/* The queue when clients leave, and when jobs outlive what they came from. */
#include "service_queue.h"

/* ---- Clients that leave -------------------------------------------------- */

static void
test_what_nobody_waits_for_any_more_is_not_taken(void **state)
{
    struct desk desk;
    volo_job job;

    (void)state;
    desk_open(&desk, 0);
    ask_and_leave(&desk);
    ask_and_leave(&desk);
    assert_int_equal(volo_queue_len(desk.queue), 2);
    assert_true(volo_queue_oldest_us(desk.queue) > 0);
    assert_int_equal(volo_queue_take(desk.queue, &job, sizeof job, 1, 0), 0);
    assert_int_equal(volo_queue_len(desk.queue), 0);
    assert_int_equal(volo_queue_oldest_us(desk.queue), 0);
    desk_close(&desk);
}

static volo_job held;

static void
take_and_hold(void *user)
{
    struct desk *desk = user;

    assert_int_equal(volo_queue_take(desk->queue, &held, sizeof held, 1, 0), 1);
}

static void
hold_one(struct desk *desk)
{
    later(desk, 1, take_and_hold, desk);
    rig_leave(&desk->rig, "/held", 3);
    assert_true(volo_cx_is_canceled(held.cx));
}

static void
test_an_answer_that_comes_too_late_is_harmless_and_says_so(void **state)
{
    volo_answer answer = {.release = count_up, .user = &releases};
    struct desk desk;

    (void)state;
    atomic_store(&releases, 0);
    desk_open(&desk, 0);
    hold_one(&desk);
    answer.cx = held.cx;
    answer.body = VOLO_STR("late");
    assert_str(held.path, "/held");
    assert_int_equal(volo_queue_answer(desk.queue, &answer, sizeof answer, 1),
                     0);
    volo_test_run(desk.rig.client, 1);
    assert_int_equal(atomic_load(&releases), 1);
    desk_close(&desk);
}

static void
test_a_job_may_outlive_client_service_and_loop(void **state)
{
    volo_answer answer = {.release = count_up, .user = &releases};
    struct desk desk;

    (void)state;
    atomic_store(&releases, 0);
    desk_open(&desk, 0);
    hold_one(&desk);
    rig_close(&desk.rig);
    assert_int_equal(atomic_load(&desk.freed), 0);
    assert_str(held.path, "/held");
    assert_ptr_equal(held.route, &desk.freed);
    answer.cx = held.cx;
    answer.body = VOLO_STR("late");
    assert_int_equal(volo_queue_answer(desk.queue, &answer, sizeof answer, 1),
                     0);
    assert_int_equal(atomic_load(&releases), 1);
    assert_int_equal(atomic_load(&desk.freed), 1);
    volo_queue_unref(desk.queue);
}

static void
test_a_job_may_outlive_the_queue_and_be_let_go(void **state)
{
    struct desk desk;

    (void)state;
    desk_open(&desk, 0);
    hold_one(&desk);
    rig_close(&desk.rig);
    volo_queue_unref(desk.queue);
    assert_int_equal(atomic_load(&desk.freed), 0);
    volo_cx_unref(held.cx);
    assert_int_equal(atomic_load(&desk.freed), 1);
}

static void
let_go(void *user)
{
    take_and_hold(user);
    volo_cx_unref(held.cx);
}

static void
test_a_job_that_is_let_go_unanswered_is_500(void **state)
{
    struct desk desk;

    (void)state;
    desk_open(&desk, 0);
    later(&desk, 1, let_go, &desk);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 500);
    desk_close(&desk);
}

static void
answer_twice(void *user)
{
    struct desk *desk = user;
    volo_answer answers[2] = {{0}, {0}};

    take_and_hold(user);
    volo_cx_ref(held.cx);
    answers[0].cx = answers[1].cx = held.cx;
    answers[1].status = 500;
    answers[1].body = VOLO_STR("second");
    answers[1].release = count_up;
    answers[1].user = &releases;
    assert_int_equal(
        volo_queue_answer(desk->queue, answers, sizeof *answers, 2), 1);
}

static void
test_the_second_answer_is_thrown_away_and_released(void **state)
{
    struct desk desk;

    (void)state;
    atomic_store(&releases, 0);
    desk_open(&desk, 0);
    later(&desk, 1, answer_twice, &desk);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    assert_int_equal(atomic_load(&releases), 1);
    desk_close(&desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_nobody_waits_for_any_more_is_not_taken),
        cmocka_unit_test(
            test_an_answer_that_comes_too_late_is_harmless_and_says_so),
        cmocka_unit_test(test_a_job_may_outlive_client_service_and_loop),
        cmocka_unit_test(test_a_job_may_outlive_the_queue_and_be_let_go),
        cmocka_unit_test(test_a_job_that_is_let_go_unanswered_is_500),
        cmocka_unit_test(test_the_second_answer_is_thrown_away_and_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
