/* SPDX-License-Identifier: Apache-2.0 */
/*
 * News for goroutines: loops put it on a stack, and write to an eventfd when
 * it was empty; Go's poller wakes who reads it.  So no loop waits for Go, and
 * what happens at once is told at once.
 */
#include "go.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct volo__go_hub {
    _Atomic(struct volo__go_note *) stack;
    struct volo__go_note *rest; /* taken from it, not told yet */
    int fd;
    atomic_uint refs;
};

/* While it is on the stack, events is not 0, and it holds itself. */
struct volo__go_note {
    struct volo__go_note *next;
    struct volo__go_hub *hub;
    uint64_t id;
    atomic_uint events;
    atomic_uint refs;
};

int
volo__go_hub_new(struct volo__go_hub **out)
{
    struct volo__go_hub *hub = volo__go_alloc(sizeof *hub);

    if (!hub)
        return VOLO_ENOMEM;
    hub->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (hub->fd < 0) {
        volo__go_free(hub);
        return VOLO_ENOFILES;
    }
    atomic_init(&hub->stack, NULL);
    hub->rest = NULL;
    atomic_init(&hub->refs, 1);
    *out = hub;
    return 0;
}

void
volo__go_hub_unref(struct volo__go_hub *hub)
{
    if (atomic_fetch_sub(&hub->refs, 1) != 1)
        return;
    close(hub->fd);
    volo__go_free(hub);
}

int
volo__go_hub_fd(const struct volo__go_hub *hub)
{
    int fd = dup(hub->fd);

    return fd < 0 ? VOLO_ENOFILES : fd;
}

struct volo__go_note *
volo__go_note_new(struct volo__go_hub *hub, uint64_t id)
{
    struct volo__go_note *note = volo__go_alloc(sizeof *note);

    if (!note)
        return NULL;
    atomic_fetch_add(&hub->refs, 1);
    note->hub = hub;
    note->id = id;
    atomic_init(&note->events, 0);
    atomic_init(&note->refs, 1);
    return note;
}

struct volo__go_note *
volo__go_note_ref(struct volo__go_note *note)
{
    atomic_fetch_add(&note->refs, 1);
    return note;
}

void
volo__go_note_unref(void *user)
{
    struct volo__go_note *note = user;
    struct volo__go_hub *hub = note->hub;

    if (atomic_fetch_sub(&note->refs, 1) != 1)
        return;
    volo__go_free(note);
    volo__go_hub_unref(hub);
}

void
volo__go_tell(struct volo__go_note *note, unsigned event)
{
    struct volo__go_hub *hub = note->hub;
    uint64_t one = 1;
    int fd = hub->fd;

    if (atomic_fetch_or(&note->events, event))
        return;
    volo__go_note_ref(note);
    note->next = atomic_load(&hub->stack);
    while (!atomic_compare_exchange_weak(&hub->stack, &note->next, note))
        ;
    if (note->next)
        return;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

size_t
volo__go_hub_take(struct volo__go_hub *hub, struct volo__go_news *news,
                  size_t max)
{
    struct volo__go_note *note;
    size_t n = 0;

    while (n < max) {
        if (!hub->rest)
            hub->rest = atomic_exchange(&hub->stack, NULL);
        note = hub->rest;
        if (!note)
            break;
        hub->rest = note->next;
        news[n].id = note->id;
        news[n++].events = atomic_exchange(&note->events, 0);
        volo__go_note_unref(note);
    }
    return n;
}

/* ---- Who has left ----------------------------------------------------------
 */

static void
client_left(volo_cx *cx, void *user)
{
    (void)cx;
    volo__go_tell(user, VOLO__GO_GONE);
}

static void
watch_begins(volo_cx *cx, void *user)
{
    struct volo__go_note *note = user;

    volo__go_note_ref(note);
    if (volo_cx_on_cancel(cx, client_left, note, volo__go_note_unref))
        volo__go_tell(note, VOLO__GO_GONE);
    volo__go_note_unref(note);
}

int
volo__go_watch(volo_cx *cx, struct volo__go_hub *hub, uint64_t id)
{
    struct volo__go_note *note = volo__go_note_new(hub, id);
    int err = note ? volo_cx_post(cx, watch_begins, note) : VOLO_ENOMEM;

    if (err && note)
        volo__go_note_unref(note);
    return err;
}
