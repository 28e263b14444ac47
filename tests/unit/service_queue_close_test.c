/* SPDX-License-Identifier: Apache-2.0 */
/* The queue when it is full, closed, waited for, or polled. */
#include "service_queue.h"

#include <poll.h>

/* ---- Full, closed, given up ---------------------------------------------- */

static void
test_what_finds_no_room_is_503(void **state)
{
    struct desk desk;
    volo_job job;

    (void)state;
    desk_open(&desk, 2);
    ask_and_leave(&desk);
    ask_and_leave(&desk);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 503);
    assert_int_equal(volo_queue_take(desk.queue, &job, sizeof job, 1, 0), 0);
    later(&desk, 1, take_and_answer, &desk);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    desk_close(&desk);
}

static void
close_and_answer(void *user)
{
    struct desk *desk = user;
    volo_job job;

    volo_queue_close(desk->queue);
    take_and_answer(user); /* what was there is still to be had */
    assert_int_equal(volo_queue_take(desk->queue, &job, sizeof job, 1, -1),
                     VOLO_ECLOSED);
}

static void
test_a_closed_queue_gives_what_is_left_and_takes_nothing(void **state)
{
    struct desk desk;

    (void)state;
    desk_open(&desk, 0);
    later(&desk, 1, close_and_answer, &desk);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 503);
    desk_close(&desk);
}

static void
test_closing_wakes_all_takers(void **state)
{
    struct taker takers[4];
    struct desk desk;
    int i;

    (void)state;
    desk_open(&desk, 0);
    for (i = 0; i < 4; i++)
        taker_start(&takers[i], desk.queue, say_nothing);
    usleep(2000); /* most are asleep by now; all ways must do */
    volo_queue_close(desk.queue);
    for (i = 0; i < 4; i++)
        taker_join(&takers[i]);
    volo_queue_close(desk.queue);
    desk_close(&desk);
}

/* Its service is no user: it could not take. */
static void
test_a_queue_without_users_gives_back_what_was_never_taken(void **state)
{
    struct desk desk;

    (void)state;
    desk_open(&desk, 0);
    ask_and_leave(&desk);
    volo_queue_unref(desk.queue);
    assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 503);
    rig_close(&desk.rig);
    assert_int_equal(atomic_load(&desk.freed), 1);
}

static void
test_waiting_ends_when_the_time_is_up(void **state)
{
    volo_queue *queue;
    volo_job job;

    (void)state;
    assert_int_equal(volo_queue_new(&queue, 1), 0);
    assert_int_equal(volo_queue_take(queue, &job, sizeof job, 1, 0), 0);
    assert_int_equal(volo_queue_take(queue, &job, sizeof job, 1, 3), 0);
    assert_int_equal(volo_queue_wakes(queue), 0);
    assert_int_equal(volo_queue_len(queue), 0);
    volo_queue_close(queue);
    assert_int_equal(volo_queue_take(queue, &job, sizeof job, 1, 0),
                     VOLO_ECLOSED);
    assert_int_equal(volo_queue_take(queue, &job, sizeof job, 1, INT64_MAX),
                     VOLO_ECLOSED);
    volo_queue_unref(volo_queue_ref(queue));
    volo_queue_unref(queue);
    volo_queue_unref(NULL);
}

static void
test_wrong_arguments_are_refused(void **state)
{
    volo_service *service = NULL;
    volo_queue *queue = NULL;
    atomic_int freed = 0;
    volo_answer answer;
    volo_job job;

    (void)state;
    assert_int_equal(volo_queue_new(NULL, 0), VOLO_EINVAL);
    assert_int_equal(volo_queue_new(&queue, SIZE_MAX), VOLO_EINVAL);
    assert_null(queue);
    assert_int_equal(volo_queue_service(&service, NULL, &freed, count_up),
                     VOLO_EINVAL);
    assert_int_equal(
        volo_queue_service_streaming(&service, NULL, &freed, count_up),
        VOLO_EINVAL);
    assert_int_equal(volo_batch_service(&service, NULL, &freed, count_up, NULL),
                     VOLO_EINVAL);
    assert_int_equal(freed, 3);
    assert_null(service);
    assert_int_equal(volo_queue_new(&queue, 0), 0);
    assert_int_equal(volo_queue_take(queue, NULL, sizeof job, 1, 0),
                     VOLO_EINVAL);
    assert_int_equal(volo_queue_take(queue, &job, 3, 1, 0), VOLO_EINVAL);
    assert_int_equal(volo_queue_take(queue, &job, sizeof job, 0, 0),
                     VOLO_EINVAL);
    assert_int_equal(volo_queue_answer(queue, NULL, sizeof answer, 1),
                     VOLO_EINVAL);
    assert_int_equal(volo_queue_answer(queue, &answer, 3, 1), VOLO_EINVAL);
    assert_int_equal(volo_queue_answer(queue, NULL, sizeof answer, 0), 0);
    volo_queue_unref(queue);
}

/* ---- The descriptor ------------------------------------------------------ */

static int
is_readable(volo_queue *queue)
{
    struct pollfd p = {.fd = volo_queue_fd(queue), .events = POLLIN};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void
take_by_descriptor(void *user)
{
    struct desk *desk = user;
    volo_job job;

    assert_true(is_readable(desk->queue));
    take_and_answer(user);
    assert_true(is_readable(desk->queue)); /* until nothing was found */
    assert_int_equal(volo_queue_take(desk->queue, &job, sizeof job, 1, 0), 0);
    assert_false(is_readable(desk->queue));
}

static void
test_the_descriptor_is_readable_until_nothing_was_found(void **state)
{
    struct desk desk;
    volo_job job;
    int i;

    (void)state;
    desk_open(&desk, 0);
    assert_true(volo_queue_fd(desk.queue) >= 0);
    assert_int_equal(volo_queue_fd(desk.queue), volo_queue_fd(desk.queue));
    assert_false(is_readable(desk.queue));
    for (i = 0; i < 3; i++) {
        later(&desk, 1, take_by_descriptor, &desk);
        assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    }
    assert_int_equal(volo_queue_wakes(desk.queue), 3);
    volo_queue_close(desk.queue);
    assert_true(is_readable(desk.queue));
    assert_int_equal(volo_queue_take(desk.queue, &job, sizeof job, 1, 0),
                     VOLO_ECLOSED);
    assert_true(is_readable(desk.queue));
    desk_close(&desk);
}

static void
test_a_descriptor_that_is_asked_for_late_knows_what_waits(void **state)
{
    struct desk desk;

    (void)state;
    desk_open(&desk, 0);
    ask_and_leave(&desk);
    assert_true(is_readable(desk.queue));
    desk_close(&desk);
}

/* What an event loop of another language does. */
static void *
poll_and_take(void *arg)
{
    struct taker *t = arg;
    struct pollfd p = {.fd = volo_queue_fd(t->queue), .events = POLLIN};
    volo_answer answers[2];
    volo_job jobs[2];
    int n = 0, i;

    while (n >= 0) {
        poll(&p, 1, -1);
        n = volo_queue_take(t->queue, jobs, sizeof *jobs, 2, 0);
        if (n <= 0)
            continue;
        memset(answers, 0, sizeof answers);
        for (i = 0; i < n; i++)
            answers[i].cx = jobs[i].cx;
        t->taken += n;
        volo_queue_answer(t->queue, answers, sizeof *answers, (size_t)n);
    }
    t->end = n;
    return NULL;
}

static void
test_a_poller_gets_all(void **state)
{
    struct taker taker = {0};
    struct desk desk;
    int i;

    (void)state;
    desk_open(&desk, 0);
    taker.queue = desk.queue;
    pthread_create(&taker.thread, NULL, poll_and_take, &taker);
    for (i = 0; i < 50; i++)
        assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    volo_queue_close(desk.queue);
    taker_join(&taker);
    assert_int_equal(taker.taken, 50);
    desk_close(&desk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_finds_no_room_is_503),
        cmocka_unit_test(
            test_a_closed_queue_gives_what_is_left_and_takes_nothing),
        cmocka_unit_test(test_closing_wakes_all_takers),
        cmocka_unit_test(
            test_a_queue_without_users_gives_back_what_was_never_taken),
        cmocka_unit_test(test_waiting_ends_when_the_time_is_up),
        cmocka_unit_test(test_wrong_arguments_are_refused),
        cmocka_unit_test(
            test_the_descriptor_is_readable_until_nothing_was_found),
        cmocka_unit_test(
            test_a_descriptor_that_is_asked_for_late_knows_what_waits),
        cmocka_unit_test(test_a_poller_gets_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
