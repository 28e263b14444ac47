/* SPDX-License-Identifier: Apache-2.0 */
/* base/home.c: the inbox, its end, and the caches.  Run it under TSan too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <volo/alloc.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/home.h"

struct place {
    struct volo__home home; /* first: a home is its place */
    atomic_int wakes;
    atomic_int torn_down; /* a wake would be a crash now */
    int plain;            /* of the home's thread: TSan watches it */
};

struct job {
    struct volo__task task; /* first: a task is its job */
    struct place *place;
    int number;
};

static atomic_int destroyed;
static char order[64];
static int order_len;

static atomic_int slow; /* 1: the next wake takes long; 2: it is under way */

static void
wake(struct volo__home *home)
{
    struct place *place = (struct place *)home;
    int next = 1;

    if (atomic_compare_exchange_strong(&slow, &next, 2)) {
        /* Still at it when the other begins to wait. */
        while (!atomic_load(&home->mute))
            sched_yield();
        usleep(1000);
        atomic_fetch_add(&place->wakes, 1);
        atomic_store(&slow, 0);
        return;
    }

    assert_false(atomic_load(&place->torn_down));
    atomic_fetch_add(&place->wakes, 1);
}

static void
destroy(struct volo__home *home)
{
    atomic_fetch_add(&destroyed, 1);
    memset(home, 0xdd, sizeof *home);
    free(home);
}

static struct place *
place_new(void)
{
    struct place *place = calloc(1, sizeof *place);

    assert_int_equal(volo__home_init(&place->home, wake, destroy), 0);
    atomic_store(&destroyed, 0);
    order_len = 0;
    return place;
}

static void
write_down(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    assert_ptr_equal(volo__here, &job->place->home);
    order[order_len++] = (char)('a' + job->number);
    order[order_len] = 0;
}

static void
jobs_init(struct job *jobs, int n, struct place *place,
          void (*run)(struct volo__task *))
{
    int i;

    for (i = 0; i < n; i++) {
        jobs[i].task.run = run;
        jobs[i].place = place;
        jobs[i].number = i;
    }
}

static void
test_what_is_posted_runs_in_order_after_one_wake(void **state)
{
    struct place *place = place_new();
    struct job jobs[4];

    (void)state;
    jobs_init(jobs, 4, place, write_down);
    volo__here = &place->home;
    volo__home_post(&place->home, &jobs[0].task);
    jobs[1].task.next = &jobs[2].task;
    volo__home_post_chain(&place->home, &jobs[1].task, &jobs[2].task);
    volo__home_post(&place->home, &jobs[3].task);
    assert_int_equal(place->wakes, 1);
    assert_int_equal(volo__home_run_inbox(&place->home), 4);
    assert_string_equal(order, "abcd");
    assert_int_equal(volo__home_run_inbox(&place->home), 0);
    volo__home_post(&place->home, &jobs[0].task);
    assert_int_equal(place->wakes, 2);
    assert_int_equal(volo__home_run_inbox(&place->home), 1);
    volo__home_retire(&place->home);
    assert_null(volo__here);
    assert_int_equal(destroyed, 1);
}

static void
defer_two_more(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    write_down(task);
    if (job->number < 2) {
        job->number += 2;
        volo__home_defer(&job->place->home, task);
    }
}

static void
test_deferred_work_runs_in_order_with_what_it_adds(void **state)
{
    struct place *place = place_new();
    struct job jobs[2];

    (void)state;
    jobs_init(jobs, 2, place, defer_two_more);
    volo__here = &place->home;
    volo__home_defer(&place->home, &jobs[0].task);
    volo__home_defer(&place->home, &jobs[1].task);
    volo__home_run_deferred(&place->home);
    assert_string_equal(order, "abcd");
    assert_null(place->home.deferred);
    volo__home_run_deferred(&place->home);
    assert_string_equal(order, "abcd");
    volo__home_retire(&place->home);
}

static void
last_one(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    write_down(task);
    volo__home_exchange_gone(&job->place->home);
}

static void
test_a_dead_home_runs_posts_and_goes_with_its_last_exchange(void **state)
{
    struct place *place = place_new(), *here = place_new();
    struct job jobs[2];

    (void)state;
    jobs_init(jobs, 2, place, last_one);
    place->home.live = 2;
    volo__home_retire(&place->home);
    assert_int_equal(destroyed, 0);
    volo__here = &here->home;
    volo__home_post(&place->home, &jobs[0].task);
    assert_string_equal(order, "a");
    assert_ptr_equal(volo__here, &here->home);
    assert_int_equal(destroyed, 0);
    assert_int_equal(place->wakes, 0);
    volo__home_post(&place->home, &jobs[1].task);
    assert_int_equal(destroyed, 1);
    volo__home_retire(&here->home);
    assert_int_equal(destroyed, 2);
}

static struct job follow_up;

static void
post_and_defer(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    write_down(task);
    volo__home_post(&job->place->home, &follow_up.task);
    job->task.run = write_down;
    volo__home_defer(&job->place->home, task);
}

static void
test_what_runs_in_a_dead_home_may_post_and_defer_there(void **state)
{
    struct place *place = place_new();
    struct job job;

    (void)state;
    jobs_init(&job, 1, place, post_and_defer);
    jobs_init(&follow_up, 1, place, last_one);
    follow_up.number = 7;
    place->home.live = 1;
    volo__home_retire(&place->home);
    volo__home_post(&place->home, &job.task);
    assert_int_equal(order_len, 3);
    assert_non_null(strchr(order, 'h'));
    assert_int_equal(destroyed, 1);
}

static struct place *other_place;
static struct job back;

static void
post_to_other(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    volo__home_post(&other_place->home, &follow_up.task);
    assert_ptr_equal(volo__here, &job->place->home);
    assert_int_equal(order_len, 0); /* what came back waits for its turn */
}

static void
post_back(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    volo__home_post(&back.place->home, &back.task);
    volo__home_exchange_gone(&job->place->home);
}

static void
test_dead_homes_may_post_to_each_other(void **state)
{
    struct place *place = place_new();
    struct job job;

    (void)state;
    other_place = place_new();
    jobs_init(&job, 1, place, post_to_other);
    jobs_init(&follow_up, 1, other_place, post_back);
    jobs_init(&back, 1, place, last_one);
    place->home.live = other_place->home.live = 1;
    volo__home_retire(&place->home);
    volo__home_retire(&other_place->home);
    volo__home_post(&place->home, &job.task);
    assert_string_equal(order, "a");
    assert_int_equal(destroyed, 2);
}

static void
test_a_mute_home_is_not_woken_and_forgets_nothing(void **state)
{
    struct place *place = place_new();
    struct job job;

    (void)state;
    jobs_init(&job, 1, place, write_down);
    volo__home_mute(&place->home);
    volo__home_post(&place->home, &job.task);
    assert_int_equal(place->wakes, 0);
    assert_int_equal(order_len, 0);
    volo__home_retire(&place->home);
    assert_string_equal(order, "a");
    assert_int_equal(destroyed, 1);
}

static void *
post_one(void *user)
{
    struct job *job = user;

    volo__home_post(&job->place->home, &job->task);
    return NULL;
}

static void
test_muting_waits_for_a_wake_that_is_under_way(void **state)
{
    struct place *place = place_new();
    pthread_t thread;
    struct job job;

    (void)state;
    jobs_init(&job, 1, place, write_down);
    atomic_store(&slow, 1);
    pthread_create(&thread, NULL, post_one, &job);
    while (atomic_load(&slow) != 2)
        sched_yield();
    volo__home_mute(&place->home);
    assert_int_equal(atomic_load(&slow), 0);
    assert_int_equal(place->wakes, 1);
    pthread_join(thread, NULL);
    volo__home_retire(&place->home);
    assert_string_equal(order, "a");
}

/* ---- Several threads post while the home retires ------------------------- */

enum { THREADS = 4, POSTS = 500, ROUNDS = 40 };

struct poster {
    pthread_t thread;
    struct place *place;
    struct job jobs[POSTS];
    int ran[POSTS];
};

static struct poster posters[THREADS];

/* Each job is an exchange that its poster owns. */
static void
exchange_ends(struct volo__task *task)
{
    struct job *job = (struct job *)task;

    job->place->plain++;
    posters[job->number / POSTS].ran[job->number % POSTS]++;
    volo__home_slab_free(&job->place->home, volo__home_slab(&job->place->home));
    volo__home_exchange_gone(&job->place->home);
}

static void *
post_all(void *user)
{
    struct poster *p = user;
    int i;

    for (i = 0; i < POSTS; i++) {
        if (i % 5 == 4 && i + 2 < POSTS) {
            p->jobs[i].task.next = &p->jobs[i + 1].task;
            volo__home_post_chain(&p->place->home, &p->jobs[i].task,
                                  &p->jobs[i + 1].task);
            i++;
        } else {
            volo__home_post(&p->place->home, &p->jobs[i].task);
        }
        if (i % 100 == 0)
            sched_yield();
    }
    return NULL;
}

static void
check_round(void)
{
    int t, i;

    /* What one has posted, another may run: wait for all. */
    for (t = 0; t < THREADS; t++)
        pthread_join(posters[t].thread, NULL);
    for (t = 0; t < THREADS; t++)
        for (i = 0; i < POSTS; i++)
            assert_int_equal(posters[t].ran[i], 1);
    assert_int_equal(destroyed, 1);
}

static void
one_round(int round)
{
    struct place *place = place_new();
    int t, i;

    place->home.live = THREADS * POSTS;
    for (t = 0; t < THREADS; t++) {
        posters[t].place = place;
        memset(posters[t].ran, 0, sizeof posters[t].ran);
        jobs_init(posters[t].jobs, POSTS, place, exchange_ends);
        for (i = 0; i < POSTS; i++)
            posters[t].jobs[i].number += t * POSTS;
        pthread_create(&posters[t].thread, NULL, post_all, &posters[t]);
    }

    /* The loop turns a few times, a few more in each round, then goes. */
    volo__here = &place->home;
    for (i = 0; i < round * 3; i++) {
        volo__home_run_inbox(&place->home);
        place->plain++;
        sched_yield();
    }
    volo__home_mute(&place->home);
    atomic_store(&place->torn_down, 1);
    volo__home_retire(&place->home);
    check_round();
}

static void
test_threads_that_post_while_the_home_retires_lose_nothing(void **state)
{
    int round;

    (void)state;
    for (round = 0; round < ROUNDS; round++)
        one_round(round);
}

/* ---- Caches -------------------------------------------------------------- */

static int asked, alive;

static void *
count(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        alive--;
        free(ptr);
        return NULL;
    }
    asked++;
    alive += !ptr;
    return realloc(ptr, size);
}

static void
test_memory_is_used_again_up_to_a_limit(void **state)
{
    struct place *place = place_new();
    struct volo__home *home = &place->home;
    static void *slabs[VOLO__SLAB_CACHE + 10];
    int i;

    (void)state;
    asked = alive = 0;
    volo_set_allocator(count, NULL);
    for (i = 0; i < VOLO__SLAB_CACHE + 10; i++)
        slabs[i] = volo__home_slab(home);
    for (i = 0; i < VOLO__SLAB_CACHE + 10; i++)
        volo__home_slab_free(home, slabs[i]);
    volo__home_slab_free(home, NULL);
    assert_int_equal(alive, VOLO__SLAB_CACHE);
    assert_int_equal(asked, VOLO__SLAB_CACHE + 10);
    volo__home_slab_free(home, volo__home_slab(home));
    volo__home_out_free(home, volo__home_out(home));
    volo__home_out_free(home, volo__home_out(home));
    assert_int_equal(asked, VOLO__SLAB_CACHE + 11);
    volo__home_retire(home);
    assert_int_equal(alive, 0);
    volo_set_allocator(NULL, NULL);
}

static void
test_a_read_buffer_that_somebody_keeps_is_not_read_into_again(void **state)
{
    struct place *place = place_new();
    struct volo__home *home = &place->home;
    struct volo__block *first, *second;

    (void)state;
    asked = alive = 0;
    volo_set_allocator(count, NULL);
    first = volo__home_block(home);
    assert_true(first->cap >= 65000);
    memset(first->data, 1, first->cap);
    assert_ptr_equal(volo__home_block(home), first);
    assert_ptr_equal(volo__block_ref(first), first);
    second = volo__home_block(home);
    assert_ptr_not_equal(second, first);
    assert_int_equal(first->refs, 1);
    volo__block_unref(first);
    assert_int_equal(home->reads.count, 1);
    volo__block_ref(second);
    assert_ptr_equal(volo__home_block(home), first);
    assert_int_equal(asked, 2);

    /* One that outlives the loop is freed, not cached. */
    home->live = 1;
    volo__home_retire(home);
    assert_int_equal(alive, 1);
    volo__block_unref(second);
    volo__block_unref(NULL);
    assert_int_equal(alive, 0);
    volo_set_allocator(NULL, NULL);
    free(place);
}

static void
test_the_date_is_that_of_now(void **state)
{
    struct place *place = place_new();
    char before[30], after[30];
    const char *date;

    (void)state;
    volo__date_format(before, time(NULL) - 1); /* the coarse clock lags */
    date = volo__home_date(&place->home);
    assert_int_equal(strlen(date), 29);
    volo__date_format(after, time(NULL));
    if (memcmp(date, before, 29))
        assert_memory_equal(date, after, 29);
    place->home.date_s -= 100;
    place->home.date[0] = '?';
    assert_int_not_equal(volo__home_date(&place->home)[0], '?');
    volo__home_retire(&place->home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_posted_runs_in_order_after_one_wake),
        cmocka_unit_test(test_deferred_work_runs_in_order_with_what_it_adds),
        cmocka_unit_test(
            test_a_dead_home_runs_posts_and_goes_with_its_last_exchange),
        cmocka_unit_test(
            test_what_runs_in_a_dead_home_may_post_and_defer_there),
        cmocka_unit_test(test_dead_homes_may_post_to_each_other),
        cmocka_unit_test(test_a_mute_home_is_not_woken_and_forgets_nothing),
        cmocka_unit_test(test_muting_waits_for_a_wake_that_is_under_way),
        cmocka_unit_test(
            test_threads_that_post_while_the_home_retires_lose_nothing),
        cmocka_unit_test(test_memory_is_used_again_up_to_a_limit),
        cmocka_unit_test(
            test_a_read_buffer_that_somebody_keeps_is_not_read_into_again),
        cmocka_unit_test(test_the_date_is_that_of_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
