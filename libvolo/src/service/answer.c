/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an exchange is answered exactly once: by whoever owns it, on any thread;
 * the response then passes the layers, innermost first, on the home's thread,
 * and goes to the codec.  An exchange that everybody lets go of is answered
 * with 500.
 */
#include <stddef.h>

#include "base/alloc.h"
#include "base/tls_info.h"
#include "http/codec.h"
#include "http/problem.h"
#include "service/queue_layer.h"

#define CX_OF(task, member) \
    ((volo_cx *)(void *)((char *)(task)-offsetof(volo_cx, member)))

/* All layers are behind it: to the codec, or nowhere if there is none. */
static void
leave(volo_cx *cx)
{
    cx->unwound = 1;
    if (!cx->res.streamed && (cx->body.reading || !cx->body.complete))
        volo__body_abandon(cx);
    if (cx->codec) {
        cx->res.sent = 1;
        cx->codec->respond(cx);
        return;
    }
    cx->res.sent = 1;
    if (cx->res.writer)
        volo__writer_close(cx->res.writer);
    volo__cx_settle(cx);
}

/* Through the layers that are left, unless one of them holds it.  The caller
 * has a reference: what a layer takes and gives back is never the last. */
static void
unwind(volo_cx *cx)
{
    cx->unwinding = 1;
    while (cx->frame_count > cx->frame_floor && !cx->suspended) {
        struct volo__frame frame = cx->frames[--cx->frame_count];

        frame.fn(cx, frame.frame);
    }
    cx->unwinding = 0;
    if (!cx->suspended)
        leave(cx);
}

static void
answer_arrives(struct volo__task *task)
{
    volo_cx *cx = CX_OF(task, answer_task);

    unwind(cx);
    volo_cx_unref(cx);
}

void
volo__cx_answered(volo_cx *cx)
{
    unwind(cx);
}

int
volo_cx_answer(volo_cx *cx)
{
    int open = VOLO__OPEN, gone;

    if (!atomic_compare_exchange_strong(&cx->state, &open, VOLO__ANSWERED))
        return atomic_load(&cx->canceled) ? VOLO_ECANCELED : VOLO_EALREADY;
    gone = atomic_load(&cx->canceled);
    if (volo__here == cx->home) {
        unwind(cx);
    } else {
        /* The caller's reference may be gone when it arrives. */
        volo_cx_ref(cx);
        cx->answer_task.run = answer_arrives;
        volo__home_post(cx->home, &cx->answer_task);
    }
    return gone ? VOLO_ECANCELED : 0;
}

int
volo_cx_suspend(volo_cx *cx)
{
    if (volo__here != cx->home || !cx->unwinding || cx->suspended)
        return VOLO_EINVAL;
    cx->suspended = 1;
    volo_cx_ref(cx); /* for those that come after the resume */
    return 0;
}

static void
resume_arrives(struct volo__task *task)
{
    volo_cx *cx = CX_OF(task, resume_task);

    cx->suspended = 0;
    if (!cx->unwinding)
        unwind(cx);
    volo_cx_unref(cx);
}

/* Always by way of the loop: a layer may resume from inside its callback. */
void
volo_cx_resume(volo_cx *cx)
{
    cx->resume_task.run = resume_arrives;
    if (volo__here == cx->home)
        volo__home_defer(cx->home, &cx->resume_task);
    else
        volo__home_post(cx->home, &cx->resume_task);
}

volo_cx *
volo_cx_ref(volo_cx *cx)
{
    atomic_fetch_add_explicit(&cx->owners, 1, memory_order_relaxed);
    return cx;
}

void
volo__cx_released(volo_cx *cx)
{
    if (cx->suspended && cx->passage) {
        /* Who had it let go of it without a word. */
        volo__passage_go(volo_cx_ref(cx));
        return;
    }
    if (!cx->given_up && atomic_load(&cx->state) != VOLO__OPEN) {
        cx->released = 1;
        volo__cx_settle(cx);
        return;
    }

    /* The layers are still owed their frames: a reference for that time. */
    volo_cx_ref(cx);
    if (cx->given_up) {
        cx->given_up = 0;
        unwind(cx);
    } else {
        volo__cx_fail(cx, 500);
    }
    volo_cx_unref(cx);
}

static void
release_arrives(struct volo__task *task)
{
    volo__cx_released(CX_OF(task, release_task));
}

void
volo_cx_unref(volo_cx *cx)
{
    if (!cx)
        return;

    /* The usual case, no other owner anywhere: no locked instruction. */
    if (volo__here == cx->home &&
        atomic_load_explicit(&cx->owners, memory_order_acquire) == 1) {
        atomic_store_explicit(&cx->owners, 0, memory_order_relaxed);
        volo__cx_released(cx);
        return;
    }
    if (atomic_fetch_sub_explicit(&cx->owners, 1, memory_order_acq_rel) != 1)
        return;
    if (volo__here == cx->home) {
        volo__cx_released(cx);
    } else {
        cx->release_task.run = release_arrives;
        volo__home_post(cx->home, &cx->release_task);
    }
}

void
volo__cx_fail(volo_cx *cx, int status)
{
    if (atomic_load(&cx->state) != VOLO__OPEN || cx->res.sent)
        return;
    volo__problem_set(cx, status, NULL, NULL, 0);
    volo_cx_answer(cx);
}

void
volo__cx_serve(volo_cx *cx, volo_service *service)
{
    volo__cx_started(cx);
    if (cx->peer) {
        /* The owner may ask for it when the connection is gone. */
        cx->peer_copy = *cx->peer;
        cx->peer = &cx->peer_copy;
        if (cx->peer_copy.tls)
            volo__tls_info_ref(cx->peer_copy.tls_info);
    }
    volo_service_call(service, cx);
    volo_cx_unref(cx);
}

/* ---- Work on the loop's thread ------------------------------------------- */

struct posted {
    struct volo__task task;
    volo_cx *cx;
    volo_cx_fn fn;
    void *user;
};

static void
posted_run(struct volo__task *task)
{
    struct posted *posted = (struct posted *)(void *)task;
    volo_cx *cx = posted->cx;

    posted->fn(cx, posted->user);
    volo__free(posted);
    volo_cx_unref(cx);
}

int
volo_cx_post(volo_cx *cx, volo_cx_fn fn, void *user)
{
    struct posted *posted = volo__malloc(sizeof *posted);

    if (!posted)
        return VOLO_ENOMEM;
    posted->task.run = posted_run;
    posted->cx = volo_cx_ref(cx);
    posted->fn = fn;
    posted->user = user;
    volo__home_post(cx->home, &posted->task);
    return 0;
}
