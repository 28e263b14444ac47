/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop: libuv's, with a home in it.  Order of an iteration: timers (the
 * wheel), prepare (deferred work), poll (sockets, inbox), check (deferred
 * work).
 */
#ifndef VOLO_NET_LOOP_H
#define VOLO_NET_LOOP_H

#include <uv.h>

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
    int started;
};

/* volo__loop_new(out, uv): on ${uv}, a host's uv_loop_t, or, if that is NULL,
 * on a loop of its own.  VOLO_ENOMEM, VOLO_ENOFILES, VOLO_EIO. */
int volo__loop_new(volo_loop **out, uv_loop_t *uv);

/* volo__loop_run(loop): until volo__loop_break() or nothing is left; the
 * calling thread is the loop's meanwhile. */
void volo__loop_run(volo_loop *loop);

/* volo__loop_break(loop): from its thread: let run or step return. */
void volo__loop_break(volo_loop *loop);

/* volo__loop_step(loop, timeout_ms): one iteration, waiting at most so long
 * (-1: for ever, 0: not). */
void volo__loop_step(volo_loop *loop, int64_t timeout_ms);

/* volo__loop_fd(loop), volo__loop_next_ms(loop): see volo_server_fd(). */
int volo__loop_fd(volo_loop *loop);
int64_t volo__loop_next_ms(volo_loop *loop);

/* volo__loop_enter(loop), volo__loop_leave(): this thread is the loop's for
 * calls from outside an iteration (setting up, tearing down, a host's). */
void volo__loop_enter(volo_loop *loop);
void volo__loop_leave(void);

/*
 * volo__loop_close(loop): all streams, listeners and timers of it are closed
 * or closing; finish them and let go.  The struct itself goes with the last
 * exchange (volo__home_retire()).  On a host's loop, this only begins it.
 */
void volo__loop_close(volo_loop *loop);

/* volo__loop_of(home): the loop around a home. */
static inline volo_loop *
volo__loop_of(struct volo__home *home)
{
    return (volo_loop *)home;
}

#endif
