/* SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

struct note {
    volo_loop *loop;
    char *log; /* one letter per call */
    volo_timer *timer;
    char letter;
    int freed;
    int again;
    int inside;
};

static void
write_down(void *user)
{
    struct note *note = user;
    size_t len = strlen(note->log);

    assert_ptr_equal(volo_loop_current(), note->loop);
    note->log[len] = note->letter;
    note->log[len + 1] = '\0';
}

static void
count_free(void *user)
{
    ((struct note *)user)->freed++;
}

static void
start_again(void *user)
{
    struct note *note = user;

    assert_int_equal(note->inside, 0);
    note->inside = 1;
    if (note->again-- > 0)
        assert_int_equal(volo_timer_start(&note->timer, note->loop, 0,
                                          start_again, note, NULL),
                         0);
    note->inside = 0;
}

static void
stop_other(void *user)
{
    struct note *note = user;

    write_down(note);
    volo_timer_stop(note->timer);
}

static void
start(struct note *note, uint64_t ms)
{
    assert_int_equal(volo_timer_start(&note->timer, note->loop, ms, write_down,
                                      note, count_free),
                     0);
}

static void
test_timers_fire_in_the_order_of_their_times(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a, b, c;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log, .letter = 'a'};
    b = c = a;
    b.letter = 'b';
    c.letter = 'c';
    start(&c, 70);
    start(&a, 1);
    start(&b, 20);
    turn_until(&rig, strlen(log) == 3);
    assert_string_equal(log, "abc");
    assert_int_equal(a.freed + b.freed + c.freed, 3);
    rig_close(&rig);
}

static void
test_a_timer_does_not_fire_before_its_time(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a;
    uint64_t due;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log, .letter = 'a'};
    start(&a, 30);
    due = volo_loop_now_ms(rig.loop) + 30;
    turn_until(&rig, log[0]);
    assert_true(volo_loop_now_ms(rig.loop) >= due);
    rig_close(&rig);
}

static void
test_a_stopped_timer_is_freed_and_not_called(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a, b;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log, .letter = 'a'};
    b = a;
    b.letter = 'b';
    start(&a, 1);
    start(&b, 3);
    volo_timer_stop(a.timer);
    assert_int_equal(a.freed, 1);
    turn_until(&rig, log[0]);
    assert_string_equal(log, "b");
    assert_int_equal(a.freed, 1);
    volo_timer_stop(NULL);
    rig_close(&rig);
}

/* Nor does a chain of them keep the loop from its sockets. */
static void
test_a_timer_may_start_another_and_one_of_zero_waits_its_turn(void **state)
{
    struct rig rig;
    struct note a;
    uint64_t before;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .again = 300};
    before = rig.loop->iterations;
    start_again(&a);
    turn_until(&rig, a.again < 0);
    assert_true(rig.loop->iterations - before >= 100);
    rig_close(&rig);
}

static void
test_a_timer_may_stop_another_that_is_due_as_well(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a, b;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log, .letter = 'a'};
    b = a;
    b.letter = 'b';
    assert_int_equal(volo_timer_start(NULL, rig.loop, 2, stop_other, &a, NULL),
                     0);
    start(&b, 2);
    a.timer = b.timer;
    usleep(5000);
    turn_until(&rig, log[0]);
    rig_turn(&rig);
    assert_string_equal(log, "a");
    assert_int_equal(b.freed, 1);
    rig_close(&rig);
}

static void
test_a_timer_that_stops_itself_is_too_late_and_harmless(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log, .letter = 'a'};
    assert_int_equal(
        volo_timer_start(&a.timer, rig.loop, 0, stop_other, &a, count_free), 0);
    turn_until(&rig, a.freed);
    assert_int_equal(a.freed, 1);
    rig_close(&rig);
}

static void
test_closing_the_loop_frees_timers_that_never_fired(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a, b;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log, .letter = 'a'};
    b = a;
    start(&a, 1000000);
    start(&b, UINT64_MAX);
    rig_turn(&rig);
    rig_close(&rig);
    assert_string_equal(log, "");
    assert_int_equal(a.freed, 1);
    assert_int_equal(b.freed, 1);
}

static void
test_wrong_calls_free_the_user_pointer(void **state)
{
    struct rig rig;
    struct note a = {0};
    volo_timer *untouched = (volo_timer *)&a;

    (void)state;
    rig_open(&rig);
    assert_int_equal(
        volo_timer_start(&untouched, NULL, 1, write_down, &a, count_free),
        VOLO_EINVAL);
    assert_int_equal(
        volo_timer_start(&untouched, rig.loop, 1, NULL, &a, count_free),
        VOLO_EINVAL);
    volo__loop_leave();
    assert_int_equal(
        volo_timer_start(&untouched, rig.loop, 1, write_down, &a, count_free),
        VOLO_ETHREAD);
    assert_int_equal(a.freed, 3);
    assert_ptr_equal(untouched, &a);
    rig_close(&rig);
}

static void
test_a_hundred_thousand_timers_leave_nothing_behind(void **state)
{
    struct rig rig;
    char log[16] = "";
    struct note a;
    int i;

    (void)state;
    rig_open(&rig);
    a = (struct note){.loop = rig.loop, .log = log};
    for (i = 0; i < 100000; i++)
        start(&a, (uint64_t)i % 20);
    turn_until(&rig, a.freed == 100000);
    assert_null(rig.loop->timers);
    assert_int_equal(rig.loop->home.wheel.count, 0);
    assert_true(rig.loop->timer_cached <= 256);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_the_order_of_their_times),
        cmocka_unit_test(test_a_timer_does_not_fire_before_its_time),
        cmocka_unit_test(test_a_stopped_timer_is_freed_and_not_called),
        cmocka_unit_test(
            test_a_timer_may_start_another_and_one_of_zero_waits_its_turn),
        cmocka_unit_test(test_a_timer_may_stop_another_that_is_due_as_well),
        cmocka_unit_test(
            test_a_timer_that_stops_itself_is_too_late_and_harmless),
        cmocka_unit_test(test_closing_the_loop_frees_timers_that_never_fired),
        cmocka_unit_test(test_wrong_calls_free_the_user_pointer),
        cmocka_unit_test(test_a_hundred_thousand_timers_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, net_setup, NULL);
}
