/* SPDX-License-Identifier: Apache-2.0 */
/* What a program may ask of a loop: work on its thread, and timers. */
#ifndef VOLO_LOOP_H
#define VOLO_LOOP_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_loop_post(loop, fn, user):
 * Call ${fn} on the thread of ${loop}, soon, in the order of posting.
 * Thread-safe.
 *
 * Errors: VOLO_ENOMEM, VOLO_ECLOSED (the loop has ended; ${fn} will not be
 * called).    @since 0.1
 */
VOLO_API int volo_loop_post(volo_loop *loop, volo_task_fn fn, void *user);

/** volo_loop_current(): the loop whose thread this is; NULL on any other.
 * @since 0.1 */
VOLO_API volo_loop *volo_loop_current(void);

/** volo_loop_now_ms(loop): milliseconds of a clock that never goes back, as
 * of the start of the loop's iteration.  On its thread.    @since 0.1 */
VOLO_API uint64_t volo_loop_now_ms(const volo_loop *loop);

/**
 * volo_timer_start(out, loop, ms, fn, user, user_free):
 * Call ${fn} once, after ${ms} milliseconds.  ${out} (may be NULL) gets a
 * handle for volo_timer_stop(), good until ${fn} is called.  On the loop's
 * thread.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_ETHREAD.    @since 0.1
 */
VOLO_API int volo_timer_start(volo_timer **out, volo_loop *loop, uint64_t ms,
                              volo_task_fn fn, void *user,
                              volo_free_fn user_free);

/** volo_timer_stop(timer): it will not be called; NULL is ignored.  Not
 * after its function was called.  On the loop's thread.    @since 0.1 */
VOLO_API void volo_timer_stop(volo_timer *timer);

#ifdef __cplusplus
}
#endif

#endif
