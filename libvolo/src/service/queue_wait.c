/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How takers sleep and are woken: on a futex, or on a condition where there is
 * none, or in a poll of their own on a descriptor.  Knows no ring: what there
 * is to do is its users' business.
 */
#include "service/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

uint64_t
volo__now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int
cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    int err;

    if (pthread_condattr_init(&attr))
        return VOLO_ENOMEM;
#ifndef __APPLE__
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
#endif
    err = pthread_cond_init(cond, &attr) ? VOLO_ENOMEM : 0;
    pthread_condattr_destroy(&attr);
    return err;
}

int
volo__bed_init(struct volo__bed *bed)
{
    int err;

    if (pthread_mutex_init(&bed->lock, NULL))
        return VOLO_ENOMEM;
    err = cond_init(&bed->cond);
    if (err) {
        pthread_mutex_destroy(&bed->lock);
        return err;
    }
    atomic_init(&bed->sleepers, 0);
    atomic_init(&bed->permits, 0);
    atomic_init(&bed->wakes, 0);
    atomic_init(&bed->fd, -1);
    atomic_init(&bed->fd_set, 0);
    bed->write_fd = -1;
    return 0;
}

void
volo__bed_fini(struct volo__bed *bed)
{
    int fd = atomic_load(&bed->fd);

    if (fd >= 0)
        close(fd);
    if (bed->write_fd >= 0 && bed->write_fd != fd)
        close(bed->write_fd);
    pthread_cond_destroy(&bed->cond);
    pthread_mutex_destroy(&bed->lock);
}

/* ---- Permits ------------------------------------------------------------- */

static struct timespec
timespec_of(uint64_t us)
{
    struct timespec t;

    t.tv_sec = (time_t)(us / 1000000);
    t.tv_nsec = (long)(us % 1000000) * 1000;
    return t;
}

#ifdef __linux__

/* Until there is a permit, it seems, or it is late, or for no reason. */
static void
wait_for_permit(struct volo__bed *bed, uint64_t until_us)
{
    struct timespec until = timespec_of(until_us);

    syscall(SYS_futex, &bed->permits, FUTEX_WAIT_BITSET_PRIVATE, 0,
            until_us == UINT64_MAX ? NULL : &until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

static void
add_permits(struct volo__bed *bed, int n)
{
    atomic_fetch_add(&bed->permits, (unsigned)n);
    syscall(SYS_futex, &bed->permits, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

#else

static void
wait_for_permit(struct volo__bed *bed, uint64_t until_us)
{
    struct timespec until = timespec_of(until_us);

    pthread_mutex_lock(&bed->lock);
    if (atomic_load(&bed->permits) == 0) {
        if (until_us == UINT64_MAX)
            pthread_cond_wait(&bed->cond, &bed->lock);
        else
            pthread_cond_timedwait(&bed->cond, &bed->lock, &until);
    }
    pthread_mutex_unlock(&bed->lock);
}

static void
add_permits(struct volo__bed *bed, int n)
{
    pthread_mutex_lock(&bed->lock);
    atomic_fetch_add(&bed->permits, (unsigned)n);
    if (n == 1)
        pthread_cond_signal(&bed->cond);
    else
        pthread_cond_broadcast(&bed->cond);
    pthread_mutex_unlock(&bed->lock);
}

#endif

static int
use_permit(struct volo__bed *bed)
{
    unsigned n = atomic_load(&bed->permits);

    while (n > 0)
        if (atomic_compare_exchange_weak(&bed->permits, &n, n - 1))
            return 1;
    return 0;
}

/* Take one sleeper out of the count, if there is one. */
static int
claim_sleeper(struct volo__bed *bed)
{
    int n = atomic_load(&bed->sleepers);

    while (n > 0)
        if (atomic_compare_exchange_weak(&bed->sleepers, &n, n - 1))
            return 1;
    return 0;
}

/* ---- Sleepers ------------------------------------------------------------ */

void
volo__bed_enter(struct volo__bed *bed)
{
    atomic_fetch_add(&bed->sleepers, 1);
}

/* If all sleepers are claimed, so is this one: a permit is there for it or
 * will be in a moment, and must not stay behind. */
void
volo__bed_leave(struct volo__bed *bed)
{
    if (claim_sleeper(bed))
        return;
    while (!use_permit(bed))
        wait_for_permit(bed, UINT64_MAX);
}

void
volo__bed_sleep(struct volo__bed *bed, uint64_t until_us)
{
    while (!use_permit(bed)) {
        if (until_us != UINT64_MAX && volo__now_us() >= until_us) {
            volo__bed_leave(bed);
            return;
        }
        wait_for_permit(bed, until_us);
    }
}

void
volo__bed_wake_all(struct volo__bed *bed)
{
    int n = atomic_exchange(&bed->sleepers, 0);

    if (n > 0)
        add_permits(bed, n);
}

void
volo__bed_told(struct volo__bed *bed)
{
    volo__bed_barrier(bed);
    if (!claim_sleeper(bed))
        return;
    atomic_fetch_add_explicit(&bed->wakes, 1, memory_order_relaxed);
    add_permits(bed, 1);
}
