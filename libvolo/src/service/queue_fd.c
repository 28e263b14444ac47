/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor that is readable while there is something to take, for takers
 * that sleep in a poll.  It is set when something comes and cleared when a
 * taker finds nothing, so it costs nothing while takers are at work.
 */
#include "service/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>

static int
open_pair(int fd[2])
{
    fd[0] = fd[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd[0] < 0 ? -1 : 0;
}
#else
static int
open_pair(int fd[2])
{
    int i;

    if (pipe(fd) < 0)
        return -1;
    for (i = 0; i < 2; i++) {
        fcntl(fd[i], F_SETFD, FD_CLOEXEC);
        fcntl(fd[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}
#endif

/* Eight octets are what an eventfd wants; to a pipe they are as good as any. */
static void
set(struct volo__bed *bed)
{
    uint64_t one = 1;

    atomic_store(&bed->fd_set, 1);
    while (write(bed->write_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void
unset(struct volo__bed *bed)
{
    uint64_t count;
    ssize_t n;

    atomic_store(&bed->fd_set, 0);
    do
        n = read(atomic_load(&bed->fd), &count, sizeof count);
    while (n < 0 && errno == EINTR);
}

void
volo__queue_fd_tell(volo_queue *queue)
{
    struct volo__bed *bed = &queue->bed;

    if (atomic_load(&bed->fd) < 0 || atomic_load(&bed->fd_set))
        return;
    pthread_mutex_lock(&bed->lock);
    if (!atomic_load(&bed->fd_set)) {
        atomic_fetch_add_explicit(&bed->wakes, 1, memory_order_relaxed);
        set(bed);
    }
    pthread_mutex_unlock(&bed->lock);
}

/* Who puts something and then sees it set leaves it so: hence the second look
 * after it was unset. */
void
volo__queue_fd_clear(volo_queue *queue)
{
    struct volo__bed *bed = &queue->bed;

    if (atomic_load(&bed->fd) < 0 || !atomic_load(&bed->fd_set))
        return;
    pthread_mutex_lock(&bed->lock);
    if (atomic_load(&bed->fd_set)) {
        unset(bed);
        volo__bed_barrier(bed);
        if (!volo__queue_is_idle(queue))
            set(bed);
    }
    pthread_mutex_unlock(&bed->lock);
}

int
volo_queue_fd(volo_queue *queue)
{
    struct volo__bed *bed = &queue->bed;
    int fd = atomic_load(&bed->fd), pair[2];

    if (fd >= 0)
        return fd;
    pthread_mutex_lock(&bed->lock);
    fd = atomic_load(&bed->fd);
    if (fd < 0 && open_pair(pair) == 0) {
        fd = pair[0];
        bed->write_fd = pair[1];
        atomic_store(&bed->fd, fd);
        volo__bed_barrier(bed);
        if (!volo__queue_is_idle(queue))
            set(bed);
    }
    pthread_mutex_unlock(&bed->lock);
    return fd < 0 ? VOLO_ENOFILES : fd;
}
