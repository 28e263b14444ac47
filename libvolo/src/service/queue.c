/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue as its users see it: its life, putting, taking.  How exchanges
 * come to it is queue_gate.c's, how they are answered queue_answer.c's.
 */
#include "service/queue_layer.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

#include "base/alloc.h"

enum { DEFAULT_CAPACITY = 8192, MOST_CAPACITY = 1 << 24 };

static size_t
power_of_two(size_t n)
{
    size_t power = 2;

    while (power < n)
        power *= 2;
    return power;
}

int
volo_queue_new(volo_queue **out, size_t capacity)
{
    volo_queue *queue;
    int err = VOLO_ENOMEM;

    if (!out || capacity > MOST_CAPACITY)
        return VOLO_EINVAL;
    queue = volo__calloc(sizeof *queue);
    if (!queue)
        return VOLO_ENOMEM;
    err = volo__ring_init(&queue->ring,
                          power_of_two(capacity ? capacity : DEFAULT_CAPACITY));
    if (err)
        goto err0;
    err = volo__bed_init(&queue->bed);
    if (err)
        goto err1;
    atomic_init(&queue->refs, 1);
    atomic_init(&queue->keeps, 1);
    *out = queue;
    return 0;

err1:
    volo__ring_fini(&queue->ring);
err0:
    volo__free(queue);
    return err;
}

/* ---- Its life ------------------------------------------------------------ */

void
volo__queue_keep(volo_queue *queue)
{
    atomic_fetch_add_explicit(&queue->keeps, 1, memory_order_relaxed);
}

void
volo__queue_drop(volo_queue *queue)
{
    if (atomic_fetch_sub_explicit(&queue->keeps, 1, memory_order_acq_rel) != 1)
        return;
    volo__gates_free(&queue->gates);
    volo__bed_fini(&queue->bed);
    volo__ring_fini(&queue->ring);
    volo__free(queue);
}

volo_queue *
volo_queue_ref(volo_queue *queue)
{
    atomic_fetch_add_explicit(&queue->refs, 1, memory_order_relaxed);
    return queue;
}

/* Nobody is left who could take: the rest goes, and with it what it keeps.
 * Who is putting still does so before he looks whether it is closed, or not
 * at all. */
void
volo_queue_unref(volo_queue *queue)
{
    struct volo__waiting *waiting;

    if (!queue ||
        atomic_fetch_sub_explicit(&queue->refs, 1, memory_order_acq_rel) != 1)
        return;
    volo_queue_close(queue);
    while (atomic_load(&queue->putting))
        sched_yield();
    while ((waiting = volo__ring_take(&queue->ring)) != NULL)
        volo__waiting_fail(waiting);
    volo__queue_drop(queue);
}

void
volo_queue_close(volo_queue *queue)
{
    atomic_store(&queue->closed, 1);
    volo__bed_wake_all(&queue->bed);
    volo__queue_fd_tell(queue);
}

/* ---- Putting ------------------------------------------------------------- */

void
volo__waiting_fail(struct volo__waiting *waiting)
{
    volo_cx *cx = waiting->cx;

    if (waiting->passage && waiting->passage->leaving) {
        volo__passage_fail(waiting->passage);
        return;
    }
    if (!volo_cx_is_canceled(cx))
        volo__cx_fail(cx, 503);
    volo_cx_unref(cx);
}

/* A layer that has seen it come must see it leave. */
int
volo__waiting_is_void(const struct volo__waiting *waiting)
{
    return volo_cx_is_canceled(waiting->cx) &&
           !(waiting->passage && waiting->passage->leaving);
}

/* Returns those that found no room, or that nobody waits for any more. */
static struct volo__waiting *
put_all(volo_queue *queue, struct volo__waiting *list)
{
    int closed = atomic_load(&queue->closed);
    uint64_t now = volo__now_us();
    struct volo__waiting *next, *left = NULL;

    for (; list; list = next) {
        next = list->next; /* a taker may be done with it at once */
        if (!closed && !volo__waiting_is_void(list) &&
            volo__ring_put(&queue->ring, list, now))
            continue;
        list->next = left;
        left = list;
    }
    return left;
}

/* To fail is to run what layers there are: not while others may wait for this
 * thread to be done putting. */
void
volo__queue_put(volo_queue *queue, struct volo__waiting *list)
{
    struct volo__waiting *left, *next;

    atomic_fetch_add(&queue->putting, 1);
    left = put_all(queue, list);
    atomic_fetch_sub(&queue->putting, 1);
    if (!volo__ring_is_empty(&queue->ring)) {
        volo__bed_told(&queue->bed);
        volo__queue_fd_tell(queue);
    }
    for (; left; left = next) {
        next = left->next;
        volo__waiting_fail(left);
    }
}

/* ---- Taking -------------------------------------------------------------- */

void
volo__job_fill(volo_job *job, const struct volo__waiting *waiting)
{
    const struct volo__request *req = &waiting->cx->req;

    job->cx = waiting->cx;
    job->route = waiting->route;
    job->method = req->method;
    job->version = req->version;
    job->method_name = req->method_name;
    job->target = req->target;
    job->path = req->path;
    job->query = req->query;
    job->pattern = req->pattern;
    job->body = waiting->body;
    job->headers = req->headers.v;
    job->header_count = req->headers.count;
    job->params = req->params.v;
    job->param_count = req->params.count;
    job->kind = VOLO_JOB_SERVE;
    job->status = 0;
    job->state = NULL;
    if (waiting->passage)
        volo__passage_describe(job, waiting->passage);
}

/* The caller's descriptor may be of another version than ours: shorter, or
 * longer by what we do not know, which is then zero. */
static void
hand_out(char *to, size_t size, const struct volo__waiting *waiting)
{
    volo_job job;

    volo__job_fill(&job, waiting);
    if (size > sizeof job)
        memset(to + sizeof job, 0, size - sizeof job);
    memcpy(to, &job, size < sizeof job ? size : sizeof job);
}

static int
take_ready(volo_queue *queue, volo_job *jobs, size_t size, size_t max)
{
    struct volo__waiting *waiting;
    size_t n = 0;

    while (n < max && (waiting = volo__ring_take(&queue->ring)) != NULL) {
        if (volo__waiting_is_void(waiting))
            volo_cx_unref(waiting->cx);
        else
            hand_out((char *)jobs + n++ * size, size, waiting);
    }

    /* What is left is for the next sleeper, since this taker is busy now. */
    if (n == max && !volo__ring_is_empty(&queue->ring))
        volo__bed_told(&queue->bed);
    return (int)n;
}

/* In this order: what was put before it was closed is still to be taken. */
static int
is_over(volo_queue *queue)
{
    return atomic_load(&queue->closed) && !atomic_load(&queue->putting) &&
           volo__ring_is_empty(&queue->ring);
}

int
volo__queue_is_idle(volo_queue *queue)
{
    return !atomic_load(&queue->closed) && volo__ring_is_empty(&queue->ring);
}

static void
wait_for_more(volo_queue *queue, uint64_t until_us)
{
    volo__bed_enter(&queue->bed);
    if (volo__queue_is_idle(queue)) {
        volo__bed_sleep(&queue->bed, until_us);
        return;
    }
    volo__bed_leave(&queue->bed);
    if (atomic_load(&queue->closed))
        sched_yield(); /* who is putting still is about to see it */
}

static uint64_t
time_after(int64_t timeout_ms)
{
    uint64_t now = volo__now_us();

    if (timeout_ms < 0 || (uint64_t)timeout_ms > (UINT64_MAX - now) / 1000 - 1)
        return UINT64_MAX;
    return now + (uint64_t)timeout_ms * 1000;
}

static int
take_waiting(volo_queue *queue, volo_job *jobs, size_t size, size_t max,
             int64_t timeout_ms)
{
    uint64_t until = timeout_ms ? time_after(timeout_ms) : 0;
    int n;

    for (;;) {
        n = take_ready(queue, jobs, size, max);
        if (n > 0)
            return n;
        volo__queue_fd_clear(queue);
        if (is_over(queue))
            return VOLO_ECLOSED;
        if (until != UINT64_MAX && (until == 0 || volo__now_us() >= until))
            return 0;
        wait_for_more(queue, until);
    }
}

int
volo_queue_take(volo_queue *queue, volo_job *jobs, size_t job_size, size_t max,
                int64_t timeout_ms)
{
    if (!queue || !jobs || job_size < sizeof(volo_cx *) || max == 0)
        return VOLO_EINVAL;
    return take_waiting(queue, jobs, job_size, max < INT_MAX ? max : INT_MAX,
                        timeout_ms);
}

/* ---- Figures ------------------------------------------------------------- */

size_t
volo_queue_len(const volo_queue *queue)
{
    return volo__ring_len(&queue->ring);
}

uint64_t
volo_queue_oldest_us(const volo_queue *queue)
{
    uint64_t since = volo__ring_oldest_us(&queue->ring);
    uint64_t now = volo__now_us();

    return since && now > since ? now - since : 0;
}

uint64_t
volo_queue_wakes(const volo_queue *queue)
{
    return atomic_load_explicit(&queue->bed.wakes, memory_order_relaxed);
}
