/* SPDX-License-Identifier: Apache-2.0 */
/* service/queue_ring.c and queue_wait.c: without exchanges. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <unistd.h>

#include "service/queue.h"

enum { PRODUCERS = 3, TAKERS = 3, EACH = 20000 };

static struct volo__waiting things[PRODUCERS][EACH];

static void
test_a_ring_gives_back_in_order_and_says_when_it_is_full(void **state)
{
    struct volo__ring ring;
    int round, i;

    (void)state;
    assert_int_equal(volo__ring_init(&ring, 4), 0);
    for (round = 0; round < 5; round++) {
        assert_true(volo__ring_is_empty(&ring));
        assert_int_equal(volo__ring_oldest_us(&ring), 0);
        for (i = 0; i < 4; i++)
            assert_true(volo__ring_put(&ring, &things[0][i], 100 + i));
        assert_false(volo__ring_put(&ring, &things[0][4], 1));
        assert_int_equal(volo__ring_len(&ring), 4);
        assert_false(volo__ring_is_empty(&ring));
        for (i = 0; i < 4; i++) {
            assert_int_equal(volo__ring_oldest_us(&ring), 100 + i);
            assert_ptr_equal(volo__ring_take(&ring), &things[0][i]);
        }
        assert_null(volo__ring_take(&ring));
        assert_int_equal(volo__ring_len(&ring), 0);
        /* Not at the same place in the next round. */
        volo__ring_put(&ring, &things[0][0], 1);
        volo__ring_take(&ring);
    }
    volo__ring_fini(&ring);
}

/* ---- Many threads -------------------------------------------------------- */

static struct volo__ring shared;
static struct volo__bed bed;
static atomic_int left;
static int seen[PRODUCERS][EACH]; /* each is written by one taker only */
static atomic_int producer_number;

static void *
produce(void *arg)
{
    int me = atomic_fetch_add(&producer_number, 1), i;

    (void)arg;
    for (i = 0; i < EACH; i++) {
        things[me][i].route = &seen[me][i];
        while (!volo__ring_put(&shared, &things[me][i], 1)) {
            volo__bed_told(&bed);
            sched_yield();
        }
        if (i % 8 == 0)
            volo__bed_told(&bed);
    }
    volo__bed_told(&bed);
    return NULL;
}

static void
take_or_sleep(void)
{
    struct volo__waiting *w = volo__ring_take(&shared);

    if (w) {
        ++*(int *)w->route;
        if (atomic_fetch_sub(&left, 1) == 1)
            volo__bed_wake_all(&bed);
        else if (!volo__ring_is_empty(&shared))
            volo__bed_told(&bed);
        return;
    }
    volo__bed_enter(&bed);
    if (volo__ring_is_empty(&shared) && atomic_load(&left) > 0)
        volo__bed_sleep(&bed, UINT64_MAX);
    else
        volo__bed_leave(&bed);
}

static void *
consume(void *arg)
{
    while (atomic_load(&left) > 0)
        take_or_sleep();
    return arg;
}

/* A wake-up that got lost would hang this test. */
static void
test_many_threads_lose_and_double_nothing_and_all_wake_up(void **state)
{
    pthread_t threads[PRODUCERS + TAKERS];
    int i, k;

    (void)state;
    assert_int_equal(volo__ring_init(&shared, 64), 0);
    assert_int_equal(volo__bed_init(&bed), 0);
    atomic_store(&left, PRODUCERS * EACH);
    for (i = 0; i < PRODUCERS + TAKERS; i++)
        pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume,
                       NULL);
    for (i = 0; i < PRODUCERS + TAKERS; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < PRODUCERS; i++)
        for (k = 0; k < EACH; k++)
            assert_int_equal(seen[i][k], 1);
    assert_int_equal(atomic_load(&bed.sleepers), 0);
    assert_int_equal(atomic_load(&bed.permits), 0);
    volo__bed_fini(&bed);
    volo__ring_fini(&shared);
}

static void
test_nobody_is_woken_while_nobody_sleeps(void **state)
{
    (void)state;
    assert_int_equal(volo__bed_init(&bed), 0);
    volo__bed_told(&bed);
    volo__bed_wake_all(&bed);
    assert_int_equal(atomic_load(&bed.wakes), 0);
    assert_int_equal(atomic_load(&bed.permits), 0);

    /* A sleeper that was not needed leaves nothing behind. */
    volo__bed_enter(&bed);
    volo__bed_leave(&bed);
    assert_int_equal(atomic_load(&bed.sleepers), 0);
    volo__bed_told(&bed);
    assert_int_equal(atomic_load(&bed.wakes), 0);

    /* One that was woken in that moment takes its permit along. */
    volo__bed_enter(&bed);
    volo__bed_told(&bed);
    volo__bed_told(&bed);
    assert_int_equal(atomic_load(&bed.wakes), 1);
    volo__bed_leave(&bed);
    assert_int_equal(atomic_load(&bed.permits), 0);
    volo__bed_fini(&bed);
}

static void
test_sleep_ends_when_its_time_is_up(void **state)
{
    uint64_t begin = volo__now_us();

    (void)state;
    assert_int_equal(volo__bed_init(&bed), 0);
    volo__bed_enter(&bed);
    volo__bed_sleep(&bed, begin + 5000);
    assert_true(volo__now_us() >= begin + 5000);
    assert_int_equal(atomic_load(&bed.sleepers), 0);
    volo__bed_fini(&bed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_ring_gives_back_in_order_and_says_when_it_is_full),
        cmocka_unit_test(
            test_many_threads_lose_and_double_nothing_and_all_wake_up),
        cmocka_unit_test(test_nobody_is_woken_while_nobody_sleeps),
        cmocka_unit_test(test_sleep_ends_when_its_time_is_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
