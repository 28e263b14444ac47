/* SPDX-License-Identifier: Apache-2.0 */
/* Timers for programs, on the wheel of the loop's home. */
#include "base/alloc.h"
#include "net/loop.h"

enum { CACHE = 256 };

struct volo_timer {
    struct volo__alarm alarm; /* first: an alarm is its timer */
    volo_loop *loop;
    volo_timer *next; /* in the list of the loop, or in its cache */
    volo_timer *prev;
    volo_task_fn fn;
    void *user;
    volo_free_fn user_free;
    int firing;
};

static volo_timer *
take(volo_loop *loop)
{
    volo_timer *timer = loop->timer_cache;

    if (!timer)
        return volo__malloc(sizeof *timer);
    loop->timer_cache = timer->next;
    loop->timer_cached--;
    return timer;
}

static void
give_back(volo_loop *loop, volo_timer *timer)
{
    if (loop->timer_cached >= CACHE || loop->closing) {
        volo__free(timer);
        return;
    }
    timer->next = loop->timer_cache;
    loop->timer_cache = timer;
    loop->timer_cached++;
}

static void
unlink_timer(volo_timer *timer)
{
    if (timer->prev)
        timer->prev->next = timer->next;
    else
        timer->loop->timers = timer->next;
    if (timer->next)
        timer->next->prev = timer->prev;
}

static void
fire(struct volo__alarm *alarm)
{
    volo_timer *timer = (volo_timer *)alarm;

    unlink_timer(timer);
    timer->firing = 1;
    timer->fn(timer->user);
    if (timer->user_free)
        timer->user_free(timer->user);
    give_back(timer->loop, timer);
}

static int
start(volo_timer **out, volo_loop *loop, uint64_t ms, volo_task_fn fn,
      void *user, volo_free_fn user_free)
{
    struct volo__home *home = &loop->home;
    volo_timer *timer;
    uint64_t at;

    timer = take(loop);
    if (!timer)
        return VOLO_ENOMEM;
    *timer = (volo_timer){.alarm.fire = fire,
                          .loop = loop,
                          .next = loop->timers,
                          .fn = fn,
                          .user = user,
                          .user_free = user_free};
    if (timer->next)
        timer->next->prev = timer;
    loop->timers = timer;
    /* For ever, where the sum would wrap; the wheel's "none" stays apart. */
    at =
        ms < UINT64_MAX - 1 - home->now_ms ? home->now_ms + ms : UINT64_MAX - 1;
    volo__wheel_set(&home->wheel, &timer->alarm, at);
    if (out)
        *out = timer;
    return 0;
}

int
volo_timer_start(volo_timer **out, volo_loop *loop, uint64_t ms,
                 volo_task_fn fn, void *user, volo_free_fn user_free)
{
    int err;

    if (!loop || !fn)
        err = VOLO_EINVAL;
    else if (volo__here != &loop->home)
        err = VOLO_ETHREAD;
    else
        err = start(out, loop, ms, fn, user, user_free);
    if (err < 0 && user_free)
        user_free(user);
    return err;
}

void
volo_timer_stop(volo_timer *timer)
{
    /* From inside its function, it is too late and harmless. */
    if (!timer || timer->firing)
        return;
    volo__wheel_clear(&timer->loop->home.wheel, &timer->alarm);
    unlink_timer(timer);
    if (timer->user_free)
        timer->user_free(timer->user);
    give_back(timer->loop, timer);
}

void
volo__timers_clear(volo_loop *loop)
{
    volo_timer *timer;

    while (loop->timers)
        volo_timer_stop(loop->timers);
    while ((timer = loop->timer_cache)) {
        loop->timer_cache = timer->next;
        volo__free(timer);
    }
    loop->timer_cached = 0;
}
