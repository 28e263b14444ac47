/* SPDX-License-Identifier: Apache-2.0 */
/* base/wheel.c, mostly against a model that keeps a plain list. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/wheel.h"

enum { ALARMS = 64 };

struct probe {
    struct volo__alarm alarm; /* first: an alarm is its probe */
    uint64_t due;             /* of the model: when it has to fire */
    int set;
    int late; /* set to the present by one that fired */
};

static struct volo__wheel wheel;
static struct probe probes[ALARMS];
static uint64_t target; /* of the advance that is under way */
static uint64_t last;   /* when the last alarm was due */
static uint64_t seed;
static int fired, meddle, firing;

static uint64_t
draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Of all magnitudes, so that each level and the space beyond is met. */
static uint64_t
draw_delay(void)
{
    return draw() & ((UINT64_C(1) << draw() % 30) - 1);
}

static void
model_set(struct probe *p, uint64_t at)
{
    p->due = at > wheel.now ? at : wheel.now;
    p->set = 1;
    p->late = firing && at <= wheel.now;
    volo__wheel_set(&wheel, &p->alarm, at);
}

static void
model_clear(struct probe *p)
{
    p->set = 0;
    volo__wheel_clear(&wheel, &p->alarm);
}

static void
meddle_with_others(void)
{
    unsigned n = draw() % 4;

    while (n--) {
        struct probe *p = &probes[draw() % ALARMS];

        if (draw() % 2)
            model_clear(p);
        else
            model_set(p, wheel.now + draw_delay() - draw() % 3);
    }
}

static void
on_fire(struct volo__alarm *alarm)
{
    struct probe *p = (struct probe *)alarm;

    assert_true(p->set);
    assert_null(alarm->next);
    assert_true(p->due <= target);
    assert_true(p->due >= last);
    last = p->due;
    p->set = 0;
    fired++;
    if (meddle)
        meddle_with_others();
}

static uint64_t
model_earliest(void)
{
    uint64_t earliest = UINT64_MAX;
    int i;

    for (i = 0; i < ALARMS; i++)
        if (probes[i].set && probes[i].due < earliest)
            earliest = probes[i].due;
    return earliest;
}

static size_t
model_count(void)
{
    size_t n = 0;
    int i;

    for (i = 0; i < ALARMS; i++)
        n += (size_t)probes[i].set;
    return n;
}

static void
advance(uint64_t now)
{
    int i;

    target = now > wheel.now ? now : wheel.now;
    last = 0;
    for (i = 0; i < ALARMS; i++)
        probes[i].late = 0;
    firing = 1;
    volo__wheel_advance(&wheel, now);
    firing = 0;
    assert_int_equal(wheel.now, target);

    /* All the others have fired. */
    for (i = 0; i < ALARMS; i++) {
        assert_true(!probes[i].set || probes[i].due > target || probes[i].late);
        if (probes[i].due < target)
            probes[i].due = target;
    }
}

static int
set_up(void **state)
{
    int i;

    (void)state;
    memset(probes, 0, sizeof probes);
    for (i = 0; i < ALARMS; i++)
        probes[i].alarm.fire = on_fire;
    volo__wheel_init(&wheel, 1000);
    fired = meddle = 0;
    seed = 88172645463325252;
    return 0;
}

static void
test_an_empty_wheel_has_nothing_to_wait_for(void **state)
{
    (void)state;
    assert_true(volo__wheel_next(&wheel) == UINT64_MAX);
    advance(UINT64_MAX);
    assert_int_equal(fired, 0);
}

static void
test_an_alarm_fires_at_its_millisecond_and_not_before(void **state)
{
    static const uint64_t delays[] = {
        1,        63,       64,       65,       4095,
        4096,     4097,     262143,   262144,   262145,
        16777215, 16777216, 16777217, 99999999, 1234567890123};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof delays / sizeof *delays; i++) {
        uint64_t at = wheel.now + delays[i];

        fired = 0;
        model_set(&probes[0], at);
        assert_true(volo__wheel_next(&wheel) <= at);
        advance(at - 1);
        assert_int_equal(fired, 0);
        assert_int_equal(volo__wheel_next(&wheel), at);
        advance(at);
        assert_int_equal(fired, 1);
        assert_int_equal(wheel.count, 0);
    }
}

static void
test_going_from_next_to_next_ends_soon_for_far_alarms(void **state)
{
    int steps = 0;

    (void)state;
    model_set(&probes[0], 1000 + UINT64_C(16777216) * 3 + 77);
    while (!fired && steps++ < 12)
        advance(volo__wheel_next(&wheel));
    assert_int_equal(fired, 1);
}

static void
test_a_past_alarm_fires_at_the_next_advance_to_the_same_time(void **state)
{
    (void)state;
    model_set(&probes[0], 1000);
    model_set(&probes[1], 3);
    assert_int_equal(volo__wheel_next(&wheel), 1000);
    advance(1000);
    assert_int_equal(fired, 2);
}

static void
again(struct volo__alarm *alarm)
{
    fired++;
    volo__wheel_set(&wheel, alarm, wheel.now);
}

static void
test_an_alarm_that_sets_itself_to_now_does_not_spin(void **state)
{
    struct volo__alarm alarm = {.fire = again};

    (void)state;
    volo__wheel_set(&wheel, &alarm, 1001);
    volo__wheel_advance(&wheel, 1500);
    assert_int_equal(fired, 1);
    volo__wheel_advance(&wheel, 1500);
    assert_int_equal(fired, 2);
    volo__wheel_clear(&wheel, &alarm);
    assert_int_equal(wheel.count, 0);
}

static struct volo__alarm *victim;

static void
kill_victim(struct volo__alarm *alarm)
{
    (void)alarm;
    fired++;
    volo__wheel_clear(&wheel, victim);
}

static void
test_an_alarm_may_clear_one_that_is_due_in_the_same_tick(void **state)
{
    struct volo__alarm first = {.fire = kill_victim};
    struct volo__alarm second = {.fire = kill_victim};

    (void)state;
    victim = &second;
    volo__wheel_set(&wheel, &first, 1010);
    volo__wheel_set(&wheel, &second, 1010);
    volo__wheel_advance(&wheel, 2000);
    assert_int_equal(fired, 1);
    assert_null(second.next);
    assert_true(volo__wheel_next(&wheel) == UINT64_MAX);
}

static void
test_setting_again_moves_and_clearing_twice_is_nothing(void **state)
{
    (void)state;
    model_set(&probes[0], 1100);
    model_set(&probes[0], 1200);
    assert_int_equal(wheel.count, 1);
    advance(1199);
    assert_int_equal(fired, 0);
    model_clear(&probes[0]);
    model_clear(&probes[0]);
    assert_int_equal(wheel.count, 0);
    assert_true(volo__wheel_next(&wheel) == UINT64_MAX);
    advance(3000);
    assert_int_equal(fired, 0);
}

static void
random_step(void)
{
    struct probe *p = &probes[draw() % ALARMS];
    uint64_t next;

    switch (draw() % 8) {
    case 0:
    case 1:
    case 2:
        model_set(p, wheel.now + draw_delay());
        break;
    case 3:
        model_set(p, wheel.now - draw() % 5);
        break;
    case 4:
        model_clear(p);
        break;
    case 5:
        next = volo__wheel_next(&wheel);
        if (next != UINT64_MAX)
            advance(next);
        break;
    default:
        advance(wheel.now + draw_delay());
    }
}

static void
run_random(void)
{
    int i;

    for (i = 0; i < 100000; i++) {
        random_step();
        assert_int_equal(wheel.count, model_count());
        assert_true(volo__wheel_next(&wheel) <= model_earliest());
        assert_true(model_earliest() >= wheel.now);
        assert_true((volo__wheel_next(&wheel) == UINT64_MAX) ==
                    (wheel.count == 0));
    }
    assert_true(fired > 1000);
}

static void
test_random_alarms_fire_as_in_the_model(void **state)
{
    (void)state;
    run_random();
}

static void
test_random_alarms_that_meddle_with_others_fire_as_in_the_model(void **state)
{
    (void)state;
    meddle = 1;
    run_random();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_empty_wheel_has_nothing_to_wait_for,
                               set_up),
        cmocka_unit_test_setup(
            test_an_alarm_fires_at_its_millisecond_and_not_before, set_up),
        cmocka_unit_test_setup(
            test_going_from_next_to_next_ends_soon_for_far_alarms, set_up),
        cmocka_unit_test_setup(
            test_a_past_alarm_fires_at_the_next_advance_to_the_same_time,
            set_up),
        cmocka_unit_test_setup(
            test_an_alarm_that_sets_itself_to_now_does_not_spin, set_up),
        cmocka_unit_test_setup(
            test_an_alarm_may_clear_one_that_is_due_in_the_same_tick, set_up),
        cmocka_unit_test_setup(
            test_setting_again_moves_and_clearing_twice_is_nothing, set_up),
        cmocka_unit_test_setup(test_random_alarms_fire_as_in_the_model, set_up),
        cmocka_unit_test_setup(
            test_random_alarms_that_meddle_with_others_fire_as_in_the_model,
            set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
