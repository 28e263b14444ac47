/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread of a pool at a batch: job after job, and their answers in one call
 * at its end.  What it has not begun may be taken away from it at any moment;
 * hence the lock around each step from one job to the next.
 *
 * It measures how long jobs wait for something (the time that passed less the
 * processor time), because a handler that does so is better run by a thread
 * that does not lead.
 */
#include "run.h"

enum {
    BLOCKS_US = 200, /* a handler that waits so long at a time blocks */
    LATE_US = 500,   /* answers are not kept longer while others run */
    SLOW_US = 100,   /* of jobs slower than that take one at a time */
    BATCH_US = 1000, /* of others so many as take that long */
    MEASURED = 8,    /* batches to look at after a slow job */
    PACE = 8,
    AVERAGE = 16 /* how many jobs the averages are over, about */
};

/* The worker whose thread this is. */
static _Thread_local struct volo__py_worker *here;

/* ---- Taking
 * ------------------------------------------------------------------ */

static size_t
batch_size(const struct volo__py_pool *pool)
{
    uint32_t us = atomic_load_explicit(&pool->average_us, memory_order_relaxed);

    if (us >= SLOW_US)
        return 1;
    if ((uint64_t)us * VOLO__PY_BATCH <= BATCH_US)
        return VOLO__PY_BATCH;
    return BATCH_US / us; /* less than that, then */
}

static int
take(struct volo__py_worker *w, size_t max, int64_t timeout_ms)
{
    struct volo__py_pool *pool = w->pool;
    int n =
        volo_queue_take(pool->queue, w->jobs, sizeof *w->jobs, max, timeout_ms);

    if (n <= 0)
        return n;
    pthread_mutex_lock(&w->lock);
    w->at = 0;
    w->count = (size_t)n;
    pthread_mutex_unlock(&w->lock);
    atomic_fetch_add_explicit(&pool->takes, 1, memory_order_relaxed);
    return n;
}

int
volo__py_pool_take(struct volo__py_worker *w, int64_t timeout_ms)
{
    return take(w, batch_size(w->pool), timeout_ms);
}

/* ---- Answering (the worker's lock is held)
 * ------------------------------------- */

static void
send_answers(struct volo__py_worker *w)
{
    if (w->flush.count == 0)
        return;
    volo__py_flush_send(&w->flush);
    atomic_fetch_add_explicit(&w->pool->answers, 1, memory_order_relaxed);
}

/* ---- Heritage
 * ------------------------------------------------------------------ */

/* What the one before has not begun is run here; what he has answered leaves
 * now, since he may be stuck for long. */
static void
inherit(struct volo__py_worker *w)
{
    struct volo__py_worker *from = volo__py_pool_heritage(w);
    size_t n;

    if (!from)
        return;
    n = from->count - from->at;
    memcpy(w->jobs, from->jobs + from->at, n * sizeof *w->jobs);
    from->count = from->at;
    send_answers(from);
    pthread_mutex_unlock(&from->lock);

    pthread_mutex_lock(&w->lock);
    w->at = 0;
    w->count = n;
    pthread_mutex_unlock(&w->lock);
    atomic_fetch_add_explicit(&w->pool->steals, n, memory_order_relaxed);
}

/* ---- Pace
 * ---------------------------------------------------------------------- */

static uint64_t
cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Asking for the processor time is a system call: only while jobs are slow. */
static void
begin_measure(struct volo__py_worker *w)
{
    w->last_us = w->sent_us = volo__py_now_us();
    if (!w->measure)
        return;
    w->measure--;
    w->mark_us = w->last_us;
    w->mark_cpu_us = cpu_now();
}

static uint64_t
waited(struct volo__py_worker *w, uint64_t now, int known)
{
    uint64_t cpu = cpu_now(), wall = now - w->mark_us;
    uint64_t used = cpu - w->mark_cpu_us;

    w->mark_us = now;
    w->mark_cpu_us = cpu;
    w->measure = MEASURED;
    return known && wall > used ? wall - used : 0;
}

static void
average(_Atomic(uint32_t) *value, uint64_t sample, int weight)
{
    int64_t old = atomic_load_explicit(value, memory_order_relaxed);
    int64_t now = sample < 1000000 ? (int64_t)sample : 1000000;

    /* Away from zero, so that it gets to where it should. */
    if (now == old)
        return;
    now = old + (now - old) / weight + (now > old ? 1 : -1);
    atomic_store_explicit(value, (uint32_t)(now < 0 ? 0 : now),
                          memory_order_relaxed);
}

/* After each job. */
static void
measure(struct volo__py_worker *w, struct volo__py_handler *handler, int known)
{
    uint64_t now = volo__py_now_us(), wall = now - w->last_us, idle = 0;

    w->last_us = now;
    if (wall > BLOCKS_US)
        idle = waited(w, now, known);
    w->blocked = idle > BLOCKS_US;
    average(&handler->pace_us, idle, PACE);
    average(&w->pool->average_us, wall, AVERAGE);
}

static int
blocks(struct volo__py_handler *handler)
{
    return atomic_load_explicit(&handler->pace_us, memory_order_relaxed) >
               BLOCKS_US ||
           atomic_load_explicit(&handler->stuck, memory_order_relaxed) > 0;
}

/* ---- Running
 * ------------------------------------------------------------------- */

/* From one job to the next: NULL at the end.  The handler is held for as long
 * as others may look at it here. */
static const volo_job *
step(struct volo__py_worker *w, const volo_answer *answer)
{
    struct volo__py_handler *before;
    const volo_job *job = NULL;

    pthread_mutex_lock(&w->lock);
    before = w->current;
    w->current = NULL;
    if (before && w->stuck)
        atomic_fetch_sub(&before->stuck, 1);
    w->stuck = 0;
    if (answer)
        volo__py_flush_add(&w->flush, answer);
    if (w->at < w->count) {
        job = &w->jobs[w->at++];
        w->current = job->route;
        Py_INCREF(w->current);
    }
    if (!job || w->last_us - w->sent_us > LATE_US) {
        send_answers(w);
        w->sent_us = w->last_us;
    }
    pthread_mutex_unlock(&w->lock);
    Py_XDECREF(before);
    return job;
}

static void
run_batch(struct volo__py_worker *w)
{
    const volo_job *job;
    volo_answer answer;
    int ready = 0, known;

    known = w->measure > 0;
    begin_measure(w);
    atomic_store(&w->running, 1);
    while ((job = step(w, ready ? &answer : NULL)) != NULL) {
        struct volo__py_handler *handler = job->route;

        if (volo__py_pool_leads(w)) {
            if (blocks(handler))
                volo__py_pool_hand_over(w);
            if (volo__py_pool_leads(w))
                volo__py_pool_guard(w);
        }
        ready = volo__py_handler_run(handler, job, &answer);
        measure(w, w->current, known);
        known = w->measure > 0;
        atomic_fetch_add(&w->done, 1);
        atomic_fetch_add_explicit(&w->pool->jobs, 1, memory_order_relaxed);
    }
    /* Still at work for the one who watches: a finalizer may be stuck. */
    volo__py_sweep();
    atomic_store(&w->running, 0);
}

/* One that does not lead goes on only if its last job was of the kind that one
 * had better run beside each other. */
static int
take_more(struct volo__py_worker *w)
{
    if (volo__py_pool_leads(w))
        return volo__py_pool_take(w, 0) > 0;
    return w->blocked && take(w, 1, 0) > 0;
}

void
volo__py_pool_run(struct volo__py_worker *w)
{
    here = w;
    if (volo__py_pool_leads(w))
        inherit(w);
    do
        run_batch(w);
    while (take_more(w));
    volo__py_pool_settle(w);
    here = NULL;
}

void
volo__py_pool_blocks(void)
{
    struct volo__py_worker *w = here;

    if (!w)
        return;
    if (volo__py_pool_leads(w))
        volo__py_pool_hand_over(w);
    pthread_mutex_lock(&w->lock);
    send_answers(w);
    pthread_mutex_unlock(&w->lock);
}
