/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From loops, and any other thread, to asyncio: a list that is pushed to
 * without a lock, and a descriptor that asyncio polls.  The descriptor is
 * written to only if nothing was on its way before, so a burst of events wakes
 * once.  Knows nothing of what events do.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

struct volo__py_hub {
    atomic_int refs;
    atomic_int dead;
    atomic_int told; /* the descriptor is readable, or about to be */
    _Atomic(struct volo__py_event *) newest;
    int fd;
    int write_fd;
    const volo_queue *queue; /* only compared: it may be gone */
    struct volo__py_hub *next;
    _Atomic(uint64_t) wakes, events;
};

/* All hubs, to find that of a queue. */
static pthread_mutex_t hubs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct volo__py_hub *hubs;

/* ---- Their life -----------------------------------------------------------
 */

static int
open_pair(struct volo__py_hub *hub)
{
#ifdef __linux__
    hub->fd = hub->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return hub->fd < 0 ? -1 : 0;
#else
    int fd[2], i;

    if (pipe(fd) < 0)
        return -1;
    for (i = 0; i < 2; i++) {
        fcntl(fd[i], F_SETFD, FD_CLOEXEC);
        fcntl(fd[i], F_SETFL, O_NONBLOCK);
    }
    hub->fd = fd[0];
    hub->write_fd = fd[1];
    return 0;
#endif
}

/* One that is still in use: the last reference may be going just now. */
static struct volo__py_hub *
find(const volo_queue *queue)
{
    struct volo__py_hub *hub;
    int refs;

    for (hub = hubs; hub; hub = hub->next) {
        if (hub->queue != queue || atomic_load(&hub->dead))
            continue;
        refs = atomic_load(&hub->refs);
        while (refs > 0)
            if (atomic_compare_exchange_weak(&hub->refs, &refs, refs + 1))
                return hub;
    }
    return NULL;
}

static int
make(struct volo__py_hub **out, const volo_queue *queue)
{
    struct volo__py_hub *hub = volo_alloc(sizeof *hub);

    if (!hub)
        return VOLO_ENOMEM;
    memset(hub, 0, sizeof *hub);
    if (open_pair(hub) < 0) {
        volo_free(hub);
        return VOLO_ENOFILES;
    }
    atomic_init(&hub->refs, 1);
    hub->queue = queue;
    hub->next = hubs;
    hubs = hub;
    *out = hub;
    return 0;
}

struct volo__py_hub *
volo__py_hub_of(const volo_queue *queue)
{
    struct volo__py_hub *hub;
    int err = 0;

    pthread_mutex_lock(&hubs_lock);
    hub = find(queue);
    if (!hub)
        err = make(&hub, queue);
    pthread_mutex_unlock(&hubs_lock);
    if (err)
        volo__py_raise(err, NULL);
    return hub;
}

struct volo__py_hub *
volo__py_hub_ref(struct volo__py_hub *hub)
{
    atomic_fetch_add_explicit(&hub->refs, 1, memory_order_relaxed);
    return hub;
}

static void
drop_all(struct volo__py_hub *hub)
{
    struct volo__py_event *event = atomic_exchange(&hub->newest, NULL), *next;

    for (; event; event = next) {
        next = event->next;
        event->drop(event);
    }
}

void
volo__py_hub_unref(struct volo__py_hub *hub)
{
    struct volo__py_hub **at = &hubs;

    if (!hub ||
        atomic_fetch_sub_explicit(&hub->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_lock(&hubs_lock);
    while (*at != hub)
        at = &(*at)->next;
    *at = hub->next;
    pthread_mutex_unlock(&hubs_lock);
    drop_all(hub);
    close(hub->fd);
    if (hub->write_fd != hub->fd)
        close(hub->write_fd);
    volo_free(hub);
}

/* ---- Posting --------------------------------------------------------------
 */

static void
tell(struct volo__py_hub *hub)
{
    uint64_t one = 1;

    if (atomic_exchange(&hub->told, 1))
        return;
    atomic_fetch_add_explicit(&hub->wakes, 1, memory_order_relaxed);
    while (write(hub->write_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

int
volo__py_hub_post(struct volo__py_hub *hub, struct volo__py_event *event)
{
    if (atomic_exchange(&event->queued, 1))
        return 0;
    event->next = atomic_load_explicit(&hub->newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&hub->newest, &event->next, event))
        ;

    /* Closed before it was pushed: nobody else would look. */
    if (atomic_load(&hub->dead))
        drop_all(hub);
    else
        tell(hub);
    return 1;
}

/* ---- Running ---------------------------------------------------------------
 */

/* What comes after this finds told 0 and says so again. */
static void
untell(struct volo__py_hub *hub)
{
    uint64_t count;
    ssize_t n;

    do
        n = read(hub->fd, &count, sizeof count);
    while (n < 0 && errno == EINTR);
    atomic_store(&hub->told, 0);
}

/* In the order in which they came. */
static struct volo__py_event *
take_all(struct volo__py_hub *hub)
{
    struct volo__py_event *event = atomic_exchange(&hub->newest, NULL);
    struct volo__py_event *oldest = NULL, *next;

    for (; event; event = next) {
        next = event->next;
        event->next = oldest;
        oldest = event;
    }
    return oldest;
}

size_t
volo__py_hub_run(struct volo__py_hub *hub)
{
    struct volo__py_event *event, *next;
    size_t n = 0;

    untell(hub);
    for (event = take_all(hub); event; event = next, n++) {
        next = event->next;
        atomic_store(&event->queued, 0);
        event->run(event);
    }
    atomic_fetch_add_explicit(&hub->events, n, memory_order_relaxed);
    return n;
}

void
volo__py_hub_close(struct volo__py_hub *hub)
{
    atomic_store(&hub->dead, 1);
    drop_all(hub);
}

int
volo__py_hub_fd(const struct volo__py_hub *hub)
{
    return hub->fd;
}

uint64_t
volo__py_hub_wakes(const struct volo__py_hub *hub)
{
    return atomic_load(&hub->wakes);
}

uint64_t
volo__py_hub_events(const struct volo__py_hub *hub)
{
    return atomic_load(&hub->events);
}
