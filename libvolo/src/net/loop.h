/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop: libuv's, with a home in it.  Order of an iteration: timers (the
 * wheel), prepare (deferred work), poll (sockets, inbox), check (deferred
 * work).
 *
 * Its own handles do not keep a uv_loop_t alive; its listeners and streams do
 * (volo__loop_hold()), whether they wait for anything just now or not.
 */
#ifndef VOLO_NET_LOOP_H
#define VOLO_NET_LOOP_H

#include <pthread.h>
#include <uv.h>

#include <volo/error.h>
#include <volo/loop.h>

#include "base/home.h"

struct volo_loop {
    struct volo__home home; /* first: a home is its loop */
    uv_loop_t own;
    uv_loop_t *uv; /* &own, or the host's */
    uv_async_t async;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    uint64_t timer_at; /* what timer is set to; UINT64_MAX if stopped */
    int handles;       /* of ours that are not closed yet */
    int spare_fd;      /* given up to say no when descriptors run out */
    unsigned holds;    /* listeners and streams whose closed() has not come */
    unsigned nested;   /* volo__loop_enter() while this is the loop already */
    struct volo__home *outer; /* whose thread it was before that */
    volo_timer *timers;       /* volo_timer_start() */
    volo_timer *timer_cache;
    unsigned timer_cached;
    pthread_mutex_t post_lock;
    int ended; /* guarded by post_lock: nothing posted would run */
    uint8_t closing;
    int untold; /* interests have changed that the kernel does not know yet:
                 * libuv tells it when it polls */
    uint64_t iterations; /* prepare callbacks, ever: idle loops make none */
};

/* volo__loop_new(out, uv): on ${uv}, a host's uv_loop_t, or, if that is NULL,
 * on a loop of its own.  VOLO_ENOMEM, VOLO_ENOFILES, VOLO_EIO. */
int volo__loop_new(volo_loop **out, uv_loop_t *uv);

/* volo__loop_run(loop): until volo__loop_break() or nothing holds it; the
 * calling thread is the loop's meanwhile.  Nothing on a host's loop. */
void volo__loop_run(volo_loop *loop);

/* volo__loop_break(loop): from its thread: let run or step return.  Nothing
 * on a host's loop. */
void volo__loop_break(volo_loop *loop);

/* volo__loop_step(loop, timeout_ms): one iteration, waiting at most so long
 * (-1: for ever, 0: not), also if nothing holds it. */
void volo__loop_step(volo_loop *loop, int64_t timeout_ms);

/* volo__loop_fd(loop), volo__loop_next_ms(loop): see volo_server_fd(). */
int volo__loop_fd(volo_loop *loop);
int64_t volo__loop_next_ms(volo_loop *loop);

/* volo__loop_enter(loop), volo__loop_leave(): this thread is the loop's for
 * calls from outside an iteration (setting up, tearing down, a host's).  They
 * nest.  No leave is needed after volo__loop_close(), nor does it harm. */
void volo__loop_enter(volo_loop *loop);
void volo__loop_leave(void);

/* volo__loop_hold(loop), volo__loop_release(loop): keep run from returning,
 * and volo__loop_close() from finishing, until as many releases. */
void volo__loop_hold(volo_loop *loop);
void volo__loop_release(volo_loop *loop);

/*
 * volo__loop_close(loop): all streams and listeners of it are closed or
 * closing; stop its timers, finish all these and let go.  The struct itself
 * goes with the last exchange (volo__home_retire()).  On a host's loop, this
 * only begins it.  VOLO_EBUSY if libuv found something still open, which only
 * a mistake in here can cause.
 */
int volo__loop_close(volo_loop *loop);

/* volo__timers_clear(loop): stop all of volo_timer_start(), free the cache. */
void volo__timers_clear(volo_loop *loop);

/* volo__net_error(err): the VOLO_E... for an errno. */
int volo__net_error(int err);

/* volo__loop_of(home): the loop around a home. */
static inline volo_loop *
volo__loop_of(struct volo__home *home)
{
    return (volo_loop *)home;
}

/* volo__loop_begin(home), volo__loop_end(outer): around each callback that
 * libuv makes, since a host's loop makes others between ours. */
static inline struct volo__home *
volo__loop_begin(struct volo__home *home)
{
    struct volo__home *outer = volo__here;

    home->now_ms = uv_now(volo__loop_of(home)->uv);
    /* What is set on an empty wheel is to count from now. */
    if (home->wheel.count == 0)
        volo__wheel_advance(&home->wheel, home->now_ms);
    volo__here = home;
    return outer;
}

static inline void
volo__loop_end(struct volo__home *outer)
{
    volo__here = outer;
}

#endif
