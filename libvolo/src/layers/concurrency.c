/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer that bounds how many exchanges are inside at once, over all loops.
 *
 *   active    slots taken; the fast path is one compare-and-swap on it
 *   waiting   exchanges in the line; changed under the lock only
 *
 * No slot is lost between the two: who joins the line first counts itself in
 * and then looks at active, who leaves first gives its slot back and then
 * looks at waiting (both sequentially consistent), so one of them sees the
 * other, and gives the slots that are free to the head of the line.  A waiter
 * that got one is run by a task on its own loop, never from the middle of
 * somebody else's answer.
 */
#include <volo.h>

#include <pthread.h>
#include <stdatomic.h>

struct waiter;

struct limiter {
    atomic_uint active;
    atomic_uint waiting;
    unsigned limit;
    unsigned queue;
    pthread_mutex_t lock; /* of the line */
    struct waiter *head;
    struct waiter *tail;
};

enum waiter_state { WAITING, GRANTED, GONE };

/* In the arena of its exchange. */
struct waiter {
    struct limiter *limiter;
    volo_next *next;
    volo_cx *cx; /* with a reference while it waits */
    struct waiter *before;
    struct waiter *after;
    enum waiter_state state; /* under the lock */
};

static int
try_enter(struct limiter *l)
{
    unsigned n = atomic_load(&l->active);

    while (n < l->limit)
        if (atomic_compare_exchange_weak(&l->active, &n, n + 1))
            return 1;
    return 0;
}

/* ---- The line (all under the lock) --------------------------------------- */

static void
line_append(struct limiter *l, struct waiter *w)
{
    w->before = l->tail;
    w->after = NULL;
    if (l->tail)
        l->tail->after = w;
    else
        l->head = w;
    l->tail = w;
    atomic_fetch_add(&l->waiting, 1);
}

static void
line_remove(struct limiter *l, struct waiter *w)
{
    if (w->before)
        w->before->after = w->after;
    else
        l->head = w->after;
    if (w->after)
        w->after->before = w->before;
    else
        l->tail = w->before;
    atomic_fetch_sub(&l->waiting, 1);
}

static void admit(volo_cx *cx, void *user);

/* Give free slots to the head of the line.  Returns those whom it could not
 * tell for want of memory, linked by after; their slots are free again. */
static struct waiter *
line_advance(struct limiter *l)
{
    struct waiter *failed = NULL;

    while (l->head && try_enter(l)) {
        struct waiter *w = l->head;

        line_remove(l, w);
        w->state = GRANTED;
        if (volo_cx_post(w->cx, admit, w) == 0)
            continue;
        w->state = GONE;
        w->after = failed;
        failed = w;
        atomic_fetch_sub(&l->active, 1);
    }
    return failed;
}

/* ---- Coming and going ---------------------------------------------------- */

static void
refuse(volo_cx *cx)
{
    volo_cx_set_header(cx, "retry-after", VOLO_STR("1"));
    volo_reply_problem(cx, 503, "Too many requests are being served.");
}

/* We own the exchanges in the line, so may answer them from any thread. */
static void
refuse_all(struct waiter *failed)
{
    while (failed) {
        volo_cx *cx = failed->cx;

        failed = failed->after;
        refuse(cx);
        volo_cx_unref(cx);
    }
}

static void
leave(struct limiter *l)
{
    struct waiter *failed;

    atomic_fetch_sub(&l->active, 1);
    if (!atomic_load(&l->waiting))
        return;

    pthread_mutex_lock(&l->lock);
    failed = line_advance(l);
    pthread_mutex_unlock(&l->lock);
    refuse_all(failed);
}

static void
leave_response(volo_cx *cx, void *frame)
{
    (void)cx;
    leave(frame);
}

/* A slot for a waiter, on the thread of its loop. */
static void
admit(volo_cx *cx, void *user)
{
    struct waiter *w = user;

    if (volo_cx_is_canceled(cx))
        leave(w->limiter);
    else
        volo_next_run(w->next, cx, leave_response, w->limiter);
    volo_cx_unref(cx);
}

static void
on_cancel(volo_cx *cx, void *user)
{
    struct waiter *w = user;
    struct limiter *l = w->limiter;
    int waits;

    (void)cx;
    pthread_mutex_lock(&l->lock);
    waits = w->state == WAITING;
    if (waits) {
        line_remove(l, w);
        w->state = GONE;
    }
    pthread_mutex_unlock(&l->lock);

    /* Once granted, admit() will see the cancellation itself. */
    if (waits)
        volo_cx_unref(w->cx);
}

/* 1 if ${w} waits, 0 if there is no room. */
static int
line_join(struct limiter *l, struct waiter *w)
{
    struct waiter *failed = NULL;
    int room;

    pthread_mutex_lock(&l->lock);
    room = atomic_load(&l->waiting) < l->queue;
    if (room) {
        line_append(l, w);
        failed = line_advance(l);
    }
    pthread_mutex_unlock(&l->lock);
    refuse_all(failed);
    return room;
}

static void
wait_in_line(struct limiter *l, volo_cx *cx, volo_next *next)
{
    struct waiter *w = volo_cx_alloc(cx, sizeof *w);

    if (!w) {
        refuse(cx);
        return;
    }
    w->limiter = l;
    w->next = next;
    w->cx = cx;
    w->state = GONE; /* until it is in the line, for on_cancel() */
    if (volo_cx_on_cancel(cx, on_cancel, w, NULL) < 0) {
        refuse(cx);
        return;
    }

    volo_cx_ref(cx);
    w->state = WAITING;
    if (!line_join(l, w)) {
        w->state = GONE;
        refuse(cx);
        volo_cx_unref(cx);
    }
}

static void
concurrency_run(volo_cx *cx, volo_next *next, void *user)
{
    struct limiter *l = user;

    /* Nobody overtakes the line. */
    if (!atomic_load(&l->waiting) && try_enter(l))
        volo_next_run(next, cx, leave_response, l);
    else if (l->queue)
        wait_in_line(l, cx, next);
    else
        refuse(cx);
}

static void
limiter_free(void *user)
{
    struct limiter *l = user;

    pthread_mutex_destroy(&l->lock);
    volo_free(l);
}

int
volo_layer_concurrency(volo_layer **out, unsigned limit, unsigned queue)
{
    struct limiter *l;

    if (!out || !limit)
        return VOLO_EINVAL;

    l = volo_alloc(sizeof *l);
    if (!l)
        return VOLO_ENOMEM;
    atomic_init(&l->active, 0);
    atomic_init(&l->waiting, 0);
    l->limit = limit;
    l->queue = queue;
    if (pthread_mutex_init(&l->lock, NULL)) {
        volo_free(l);
        return VOLO_ENOMEM;
    }
    return volo_layer_new(out, concurrency_run, l, limiter_free);
}
