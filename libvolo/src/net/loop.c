/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A home on libuv: its wake-up, its clock, its end-of-iteration work, and how
 * a loop comes and goes.  Knows nothing of what its streams carry.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/loop.h"

int
volo__net_error(int err)
{
    switch (err) {
    case 0:
        return 0;
    case ENOMEM:
    case ENOBUFS:
        return VOLO_ENOMEM;
    case EMFILE:
    case ENFILE:
        return VOLO_ENOFILES;
    case EACCES:
    case EPERM:
        return VOLO_EACCES;
    case EADDRINUSE:
        return VOLO_EADDRINUSE;
    default:
        return VOLO_EIO;
    }
}

static void
wake(struct volo__home *home)
{
    uv_async_send(&volo__loop_of(home)->async);
}

static void
destroy(struct volo__home *home)
{
    volo_loop *loop = volo__loop_of(home);

    pthread_mutex_destroy(&loop->post_lock);
    volo__free(loop);
}

static void
on_async(uv_async_t *async)
{
    volo_loop *loop = async->data;
    struct volo__home *outer = volo__loop_begin(&loop->home);

    volo__home_run_inbox(&loop->home);
    volo__loop_end(outer);
}

static void
on_timer(uv_timer_t *timer)
{
    volo_loop *loop = timer->data;
    struct volo__home *outer = volo__loop_begin(&loop->home);

    loop->timer_at = UINT64_MAX;
    volo__wheel_advance(&loop->home.wheel, loop->home.now_ms);
    volo__loop_end(outer);
}

/* Let libuv's timer fire in time for the wheel.  If it is set too early, that
 * is left so: one wake-up more costs less than a restart per iteration. */
static void
arm(volo_loop *loop)
{
    uint64_t next = volo__wheel_next(&loop->home.wheel);
    uint64_t now = loop->home.now_ms;

    if (next == UINT64_MAX) {
        if (loop->timer_at != UINT64_MAX)
            uv_timer_stop(&loop->timer);
        loop->timer_at = UINT64_MAX;
    } else if (next < loop->timer_at) {
        uv_timer_start(&loop->timer, on_timer, next > now ? next - now : 0, 0);
        loop->timer_at = next;
    }
}

static void
on_prepare(uv_prepare_t *prepare)
{
    volo_loop *loop = prepare->data;
    struct volo__home *outer = volo__loop_begin(&loop->home);

    loop->iterations++;
    loop->untold = 0;
    volo__home_run_deferred(&loop->home);
    arm(loop);
    volo__loop_end(outer);
}

static void
on_check(uv_check_t *check)
{
    volo_loop *loop = check->data;
    struct volo__home *outer = volo__loop_begin(&loop->home);

    volo__home_run_deferred(&loop->home);
    volo__loop_end(outer);
}

/* Only the first of these can fail. */
static int
open_handles(volo_loop *loop)
{
    int err;

    err = uv_async_init(loop->uv, &loop->async, on_async);
    if (err < 0)
        return err;
    uv_prepare_init(loop->uv, &loop->prepare);
    uv_check_init(loop->uv, &loop->check);
    uv_timer_init(loop->uv, &loop->timer);
    loop->async.data = loop->prepare.data = loop;
    loop->check.data = loop->timer.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    uv_unref((uv_handle_t *)&loop->async);
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->check);
    uv_unref((uv_handle_t *)&loop->timer);
    loop->handles = 4;
    return 0;
}

static int
open_uv(volo_loop *loop, uv_loop_t *uv)
{
    int err;

    loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (loop->spare_fd < 0)
        return volo__net_error(errno);
    loop->uv = uv ? uv : &loop->own;
    err = uv ? 0 : uv_loop_init(&loop->own);
    if (err < 0)
        goto err0;
    err = open_handles(loop);
    if (err < 0)
        goto err1;
    loop->home.now_ms = uv_now(loop->uv);
    volo__wheel_init(&loop->home.wheel, loop->home.now_ms);
    return 0;

err1:
    if (!uv)
        uv_loop_close(&loop->own);
err0:
    close(loop->spare_fd);
    return volo__net_error(-err);
}

int
volo__loop_new(volo_loop **out, uv_loop_t *uv)
{
    volo_loop *loop;
    int err;

    loop = volo__calloc(sizeof *loop);
    if (!loop)
        return VOLO_ENOMEM;
    loop->timer_at = UINT64_MAX;
    err = VOLO_ENOMEM;
    if (pthread_mutex_init(&loop->post_lock, NULL))
        goto err0;
    err = volo__home_init(&loop->home, wake, destroy);
    if (err < 0)
        goto err1;
    err = open_uv(loop, uv);
    if (err < 0)
        goto err2;
    *out = loop;
    return 0;

err2:
    /* Nobody lives there: this destroys it. */
    volo__home_retire(&loop->home);
    return err;
err1:
    pthread_mutex_destroy(&loop->post_lock);
err0:
    volo__free(loop);
    return err;
}

void
volo__loop_enter(volo_loop *loop)
{
    if (volo__here == &loop->home) {
        loop->nested++;
        return;
    }
    loop->outer = volo__here;
    uv_update_time(loop->uv);
    volo__loop_begin(&loop->home);
}

void
volo__loop_leave(void)
{
    volo_loop *loop;

    if (!volo__here)
        return;
    loop = volo__loop_of(volo__here);
    if (loop->nested)
        loop->nested--;
    else
        volo__here = loop->outer;
}

void
volo__loop_run(volo_loop *loop)
{
    if (loop->uv != &loop->own)
        return;
    volo__loop_enter(loop);
    uv_run(loop->uv, UV_RUN_DEFAULT);
    volo__loop_leave();
}

void
volo__loop_break(volo_loop *loop)
{
    if (loop->uv == &loop->own)
        uv_stop(loop->uv);
}

static void
step_over(struct volo__alarm *alarm)
{
    (void)alarm; /* that it fires ends the wait */
}

void
volo__loop_step(volo_loop *loop, int64_t timeout_ms)
{
    struct volo__alarm limit = {.fire = step_over};
    uint64_t at;

    if (loop->uv != &loop->own)
        return;
    volo__loop_enter(loop);
    if (timeout_ms > 0) {
        at = loop->home.now_ms + (uint64_t)timeout_ms;
        volo__wheel_set(&loop->home.wheel, &limit, at);
    }
    /* libuv does not even look at its sockets if nothing holds it. */
    volo__loop_hold(loop);
    uv_run(loop->uv, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    volo__wheel_clear(&loop->home.wheel, &limit);
    volo__loop_release(loop);
    volo__loop_leave();
}

int
volo__loop_fd(volo_loop *loop)
{
    return uv_backend_fd(loop->uv);
}

int64_t
volo__loop_next_ms(volo_loop *loop)
{
    struct volo__home *home = &loop->home;
    uint64_t next, now;
    int64_t wheel = -1, uv;

    if (home->deferred || loop->untold || atomic_load(&home->inbox))
        return 0;
    uv_update_time(loop->uv);
    now = uv_now(loop->uv);
    next = volo__wheel_next(&home->wheel);
    if (next != UINT64_MAX)
        wheel = next > now ? (int64_t)(next - now) : 0;
    uv = uv_backend_timeout(loop->uv);
    if (uv < 0 || (wheel >= 0 && wheel < uv))
        return wheel;
    return uv;
}

/* Other rooms may have closed handles that take one more round. */
static int
close_own(volo_loop *loop)
{
    int rounds = 0;

    while (uv_loop_close(&loop->own) < 0) {
        if (++rounds > 16)
            return VOLO_EBUSY;
        uv_run(&loop->own, UV_RUN_NOWAIT);
    }
    return 0;
}

/* Nothing of it is left in libuv's hands. */
static int
finish(volo_loop *loop)
{
    struct volo__home *outer;
    int err = 0;

    pthread_mutex_lock(&loop->post_lock);
    loop->ended = 1;
    pthread_mutex_unlock(&loop->post_lock);
    do
        volo__home_run_deferred(&loop->home);
    while (volo__home_run_inbox(&loop->home) || loop->home.deferred);
    volo__timers_clear(loop);
    if (loop->spare_fd >= 0)
        close(loop->spare_fd);
    if (loop->uv == &loop->own)
        err = close_own(loop);
    outer = loop->outer;
    volo__home_retire(&loop->home);
    volo__here = outer;
    return err;
}

static void
on_handle_closed(uv_handle_t *handle)
{
    volo_loop *loop = handle->data;

    if (--loop->handles > 0 || loop->uv == &loop->own)
        return;
    /* The host's: nobody waits for this. */
    loop->outer = volo__loop_begin(&loop->home);
    finish(loop);
}

static void
close_handles(volo_loop *loop)
{
    /* What is posted from now on is run by finish(). */
    volo__home_mute(&loop->home);
    /* Whoever posts from now on is heard when the loop ends. */
    volo__home_mute(&loop->home);
    uv_close((uv_handle_t *)&loop->async, on_handle_closed);
    uv_close((uv_handle_t *)&loop->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&loop->check, on_handle_closed);
    uv_close((uv_handle_t *)&loop->timer, on_handle_closed);
}

void
volo__loop_hold(volo_loop *loop)
{
    if (loop->holds++ == 0)
        uv_ref((uv_handle_t *)&loop->async);
}

void
volo__loop_release(volo_loop *loop)
{
    if (--loop->holds > 0)
        return;
    uv_unref((uv_handle_t *)&loop->async);
    if (loop->closing)
        close_handles(loop);
}

int
volo__loop_close(volo_loop *loop)
{
    volo__loop_enter(loop);
    volo__timers_clear(loop);
    loop->closing = 1;
    if (loop->holds == 0)
        close_handles(loop);
    if (loop->uv != &loop->own) {
        volo__loop_leave();
        return 0;
    }
    while (loop->handles > 0)
        uv_run(loop->uv, UV_RUN_ONCE);
    return finish(loop);
}
