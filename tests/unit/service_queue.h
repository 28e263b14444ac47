/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the queue share: a queue with a client before it, and takers
 * behind it. */
#ifndef VOLO_TESTS_UNIT_SERVICE_QUEUE_H
#define VOLO_TESTS_UNIT_SERVICE_QUEUE_H

#include "support.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A queue with a service before it and a client of that. */
struct desk {
    struct rig rig;
    volo_queue *queue;
    atomic_int freed; /* of the route */
};

static inline void
count_up(void *user)
{
    atomic_fetch_add((atomic_int *)user, 1);
}

static inline void
desk_open(struct desk *desk, size_t capacity)
{
    atomic_store(&desk->freed, 0);
    assert_int_equal(volo_queue_new(&desk->queue, capacity), 0);
    assert_int_equal(volo_queue_service(&desk->rig.service, desk->queue,
                                        &desk->freed, count_up),
                     0);
    rig_open(&desk->rig);
}

static inline void
desk_close(struct desk *desk)
{
    rig_close(&desk->rig);
    volo_queue_unref(desk->queue);
    assert_int_equal(atomic_load(&desk->freed), 1);
}

/* Call ${fn} some milliseconds after the client's loop has begun to run. */
static struct later {
    volo_loop *loop;
    uint64_t ms;
    volo_task_fn fn;
    void *user;
} plan;

static inline void
start_timer(void *user)
{
    struct later *l = user;

    assert_int_equal(
        volo_timer_start(NULL, l->loop, l->ms, l->fn, l->user, NULL), 0);
}

static inline void
later(struct desk *desk, uint64_t ms, volo_task_fn fn, void *user)
{
    plan.loop = volo_test_loop(desk->rig.client);
    plan.ms = ms;
    plan.fn = fn;
    plan.user = user;
    assert_int_equal(volo_loop_post(plan.loop, start_timer, &plan), 0);
}

/* ---- Takers -------------------------------------------------------------- */

struct taker {
    pthread_t thread;
    volo_queue *queue;
    void (*fill)(const volo_job *job, volo_answer *answer);
    size_t job_size;
    size_t answer_size;
    size_t max;
    int taken;
    int answered;
    int end; /* what take said at last */
};

enum { ROOM = 16, WIDE = 512 };

static inline void *
taker_run(void *arg)
{
    struct taker *t = arg;
    _Alignas(16) static _Thread_local char jobs[ROOM * WIDE];
    _Alignas(16) static _Thread_local char answers[ROOM * WIDE];
    volo_answer answer;
    volo_job job;
    int n, i;

    for (;;) {
        memset(jobs, 0x5a, sizeof jobs);
        n = volo_queue_take(t->queue, (volo_job *)(void *)jobs, t->job_size,
                            t->max, -1);
        if (n < 0)
            break;
        for (i = 0; i < n; i++) {
            memset(&job, 0, sizeof job);
            memcpy(&job, jobs + i * t->job_size,
                   t->job_size < sizeof job ? t->job_size : sizeof job);
            memset(&answer, 0, sizeof answer);
            answer.cx = job.cx;
            t->fill(&job, &answer);
            memset(answers + i * t->answer_size, 0x77, t->answer_size);
            memcpy(answers + i * t->answer_size, &answer,
                   t->answer_size < sizeof answer ? t->answer_size
                                                  : sizeof answer);
        }
        t->taken += n;
        t->answered +=
            volo_queue_answer(t->queue, (volo_answer *)(void *)answers,
                              t->answer_size, (size_t)n);
    }
    t->end = n;
    return NULL;
}

static inline void
taker_start(struct taker *t, volo_queue *queue,
            void (*fill)(const volo_job *, volo_answer *))
{
    memset(t, 0, sizeof *t);
    t->queue = queue;
    t->fill = fill;
    t->job_size = sizeof(volo_job);
    t->answer_size = sizeof(volo_answer);
    t->max = ROOM;
    pthread_create(&t->thread, NULL, taker_run, t);
}

static inline void
taker_join(struct taker *t)
{
    pthread_join(t->thread, NULL);
    assert_int_equal(t->end, VOLO_ECLOSED);
}

/* How many bodies were released, where a test counts that. */
__attribute__((unused)) static atomic_int releases;

/* One of each, which must be there. */
static inline void
take_and_answer(void *user)
{
    struct desk *desk = user;
    struct {
        volo_job job;
        uint64_t later; /* what a future version would add */
    } wide = {.later = 7};
    volo_answer answer = {0};

    assert_int_equal(volo_queue_take(desk->queue, &wide.job, sizeof wide, 1, 0),
                     1);
    assert_int_equal(wide.later, 0);
    answer.cx = wide.job.cx;
    assert_int_equal(volo_queue_answer(desk->queue, &answer, sizeof answer, 1),
                     1);
}

static inline void
say_nothing(const volo_job *job, volo_answer *answer)
{
    (void)job;
    (void)answer;
}

static inline void
ask_and_leave(struct desk *desk)
{
    rig_leave(&desk->rig, "/", 1);
}

#endif
