/* SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

static void
test_a_new_loop_closes_clean(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig_close(&rig);
}

static void
test_a_loop_that_nothing_holds_returns_from_run(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    volo__loop_run(rig.loop);
    rig_close(&rig);
}

static void
break_later(void *user)
{
    volo__loop_break(user);
}

static void
test_an_idle_loop_does_not_wake(void **state)
{
    struct rig rig;
    uint64_t before;

    (void)state;
    rig_open(&rig);
    rig_turn(&rig);
    before = rig.loop->iterations;
    volo__loop_step(rig.loop, 200);
    /* The step's own limit is the one reason to wake; the hierarchy of the
     * wheel may look at it once per level. */
    assert_in_range(rig.loop->iterations - before, 1, 4);
    rig_close(&rig);
}

static void *
post_break_after_200ms(void *user)
{
    usleep(200000);
    volo_loop_post(user, break_later, user);
    return NULL;
}

static void
test_a_loop_without_timers_sleeps_until_something_is_posted(void **state)
{
    struct rig rig;
    pthread_t thread;
    uint64_t before;

    (void)state;
    rig_open(&rig);
    rig_turn(&rig);
    volo__loop_hold(rig.loop);
    before = rig.loop->iterations;
    pthread_create(&thread, NULL, post_break_after_200ms, rig.loop);
    volo__loop_run(rig.loop);
    pthread_join(thread, NULL);
    assert_int_equal(rig.loop->iterations - before, 1);
    volo__loop_release(rig.loop);
    rig_close(&rig);
}

static void
nothing(void *user)
{
    (void)user;
}

static void
test_a_stopped_timer_leaves_an_idle_loop_alone(void **state)
{
    struct rig rig;
    volo_timer *timer;

    (void)state;
    rig_open(&rig);
    assert_int_equal(
        volo_timer_start(&timer, rig.loop, 60000, nothing, NULL, NULL), 0);
    rig_turn(&rig);
    assert_int_not_equal(rig.loop->timer_at, UINT64_MAX);
    assert_true(uv_is_active((uv_handle_t *)&rig.loop->timer));
    volo_timer_stop(timer);
    rig_turn(&rig);
    assert_false(uv_is_active((uv_handle_t *)&rig.loop->timer));
    rig_close(&rig);
}

struct job {
    struct volo__task task;
    struct volo__home *home;
    int runs;
    int again;
    int last; /* the exchange ends with it */
};

static void
run_job(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    job->runs++;
    assert_ptr_equal(volo__here, job->home);
    if (job->last)
        volo__home_exchange_gone(job->home);
    if (job->again-- > 0)
        volo__home_defer(job->home, task);
}

static void
test_deferred_work_runs_in_the_iteration_it_is_deferred_in(void **state)
{
    struct rig rig;
    struct job job = {.task.run = run_job, .again = 3};

    (void)state;
    rig_open(&rig);
    job.home = &rig.loop->home;
    volo__home_defer(job.home, &job.task);
    volo__loop_step(rig.loop, 0);
    assert_int_equal(job.runs, 4);
    rig_close(&rig);
}

static void
test_what_is_posted_runs_before_a_closing_loop_is_gone(void **state)
{
    struct rig rig;
    struct job posted = {.task.run = run_job, .again = 1};

    (void)state;
    rig_open(&rig);
    posted.home = &rig.loop->home;
    volo__home_post(posted.home, &posted.task);
    rig_close(&rig);
    assert_int_equal(posted.runs, 2);
}

static void
test_this_thread_is_the_loops_only_inside(void **state)
{
    volo_loop *loop, *other;

    (void)state;
    assert_null(volo_loop_current());
    assert_int_equal(volo__loop_new(&loop, NULL), 0);
    assert_int_equal(volo__loop_new(&other, NULL), 0);
    volo__loop_enter(loop);
    volo__loop_enter(loop);
    assert_ptr_equal(volo_loop_current(), loop);
    volo__loop_enter(other);
    assert_ptr_equal(volo_loop_current(), other);
    volo__loop_leave();
    assert_ptr_equal(volo_loop_current(), loop);
    volo__loop_leave();
    assert_ptr_equal(volo_loop_current(), loop);
    volo__loop_leave();
    assert_null(volo_loop_current());
    assert_int_equal(volo__loop_close(other), 0);
    assert_int_equal(volo__loop_close(loop), 0);
    assert_null(volo_loop_current());
    volo__loop_leave();
}

static void
test_a_step_with_a_limit_returns_without_any_event(void **state)
{
    struct rig rig;
    uint64_t before;

    (void)state;
    rig_open(&rig);
    volo__loop_step(rig.loop, 0);
    before = volo_loop_now_ms(rig.loop);
    while (volo_loop_now_ms(rig.loop) < before + 5)
        volo__loop_step(rig.loop, 5);
    rig_close(&rig);
}

static void
test_the_next_step_is_due_when_the_wheel_says(void **state)
{
    struct rig rig;
    volo_timer *timer;
    int64_t ms;

    (void)state;
    rig_open(&rig);
    volo__loop_hold(rig.loop);
    rig_turn(&rig);
    assert_int_equal(volo__loop_next_ms(rig.loop), -1);
    assert_int_equal(
        volo_timer_start(&timer, rig.loop, 1000, nothing, NULL, NULL), 0);
    ms = volo__loop_next_ms(rig.loop);
    assert_in_range(ms, 0, 1000);
    volo_timer_stop(timer);
    rig_turn(&rig);
    assert_int_equal(volo__loop_next_ms(rig.loop), -1);
    volo_loop_post(rig.loop, nothing, NULL);
    assert_int_equal(volo__loop_next_ms(rig.loop), 0);
    rig_turn(&rig);
    volo__loop_release(rig.loop);
    rig_close(&rig);
}

static void
test_its_descriptor_is_readable_when_something_is_posted(void **state)
{
    struct rig rig;
    struct pollfd p = {.events = POLLIN};

    (void)state;
    rig_open(&rig);
    rig_turn(&rig);
    p.fd = volo__loop_fd(rig.loop);
    assert_int_equal(poll(&p, 1, 0), 0);
    volo_loop_post(rig.loop, nothing, NULL);
    assert_int_equal(poll(&p, 1, 0), 1);
    rig_turn(&rig);
    assert_int_equal(poll(&p, 1, 0), 0);
    rig_close(&rig);
}

/* ---- On a host's loop ---------------------------------------------------- */

struct host_seen {
    volo_loop *loop;
    volo_loop *in_host;
    volo_loop *in_ours;
    int timers;
};

static void
on_host_timer(uv_timer_t *timer)
{
    struct host_seen *seen = timer->data;

    seen->in_host = volo_loop_current();
    seen->timers++;
    uv_close((uv_handle_t *)timer, NULL);
}

static void
see_ours(void *user)
{
    struct host_seen *seen = user;

    seen->in_ours = volo_loop_current();
}

static void
test_a_hosts_loop_is_not_kept_alive_by_ours(void **state)
{
    uv_loop_t uv;
    volo_loop *loop;
    int descriptors = open_descriptors();

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(volo__loop_new(&loop, &uv), 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(volo__loop_close(loop), 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
    assert_int_equal(open_descriptors(), descriptors);
}

static void
test_a_hosts_own_callbacks_are_not_on_our_thread(void **state)
{
    struct host_seen seen = {0};
    uv_loop_t uv;
    uv_timer_t timer;
    volo_loop *loop;

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(volo__loop_new(&loop, &uv), 0);
    uv_timer_init(&uv, &timer);
    timer.data = &seen;
    uv_timer_start(&timer, on_host_timer, 5, 0);
    seen.in_host = loop;
    assert_int_equal(volo_loop_post(loop, see_ours, &seen), 0);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(seen.timers, 1);
    assert_null(seen.in_host);
    assert_ptr_equal(seen.in_ours, loop);
    assert_null(volo_loop_current());
    volo__loop_close(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void
test_timers_fire_on_a_hosts_loop(void **state)
{
    struct host_seen seen = {0};
    uv_loop_t uv;
    volo_loop *loop;

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(volo__loop_new(&loop, &uv), 0);
    volo__loop_hold(loop);
    volo__loop_enter(loop);
    assert_int_equal(volo_timer_start(NULL, loop, 3, see_ours, &seen, NULL), 0);
    volo__loop_leave();
    while (!seen.in_ours)
        uv_run(&uv, UV_RUN_ONCE);
    assert_ptr_equal(seen.in_ours, loop);
    volo__loop_release(loop);
    volo__loop_close(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void
test_an_exchange_keeps_the_struct_of_a_closed_loop(void **state)
{
    volo_loop *loop;
    struct job job = {.task.run = run_job};

    (void)state;
    assert_int_equal(volo__loop_new(&loop, NULL), 0);
    job.home = &loop->home;
    loop->home.live = 1;
    assert_int_equal(volo__loop_close(loop), 0);
    assert_int_equal(volo_loop_post(loop, nothing, NULL), VOLO_ECLOSED);
    job.last = 1;
    volo__home_post(&loop->home, &job.task);
    assert_int_equal(job.runs, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_loop_closes_clean),
        cmocka_unit_test(test_a_loop_that_nothing_holds_returns_from_run),
        cmocka_unit_test(test_an_idle_loop_does_not_wake),
        cmocka_unit_test(
            test_a_loop_without_timers_sleeps_until_something_is_posted),
        cmocka_unit_test(test_a_stopped_timer_leaves_an_idle_loop_alone),
        cmocka_unit_test(
            test_deferred_work_runs_in_the_iteration_it_is_deferred_in),
        cmocka_unit_test(
            test_what_is_posted_runs_before_a_closing_loop_is_gone),
        cmocka_unit_test(test_this_thread_is_the_loops_only_inside),
        cmocka_unit_test(test_a_step_with_a_limit_returns_without_any_event),
        cmocka_unit_test(test_the_next_step_is_due_when_the_wheel_says),
        cmocka_unit_test(
            test_its_descriptor_is_readable_when_something_is_posted),
        cmocka_unit_test(test_a_hosts_loop_is_not_kept_alive_by_ours),
        cmocka_unit_test(test_a_hosts_own_callbacks_are_not_on_our_thread),
        cmocka_unit_test(test_timers_fire_on_a_hosts_loop),
        cmocka_unit_test(test_an_exchange_keeps_the_struct_of_a_closed_loop),
    };

    return cmocka_run_group_tests(tests, net_setup, NULL);
}
