/* SPDX-License-Identifier: Apache-2.0 */
/* A small hash table under a lock; touched once per connection, not per
 * request, and only where a limit is set. */
#include "server/addresses.h"

#include <string.h>

#include "base/alloc.h"
#include "http/cx.h"

struct volo__address_count {
    uint8_t addr[16];
    uint8_t family; /* 0: free */
    uint64_t count;
};

void
volo__addresses_init(struct volo__addresses *a, uint64_t limit)
{
    memset(a, 0, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    a->limit = limit == UINT64_MAX ? 0 : limit;
}

void
volo__addresses_fini(struct volo__addresses *a)
{
    volo__free(a->slots);
    a->slots = NULL;
    pthread_mutex_destroy(&a->lock);
}

/* FNV-1a; a peer that can choose among addresses to collide has them all. */
static size_t
hash(const struct volo__peer *peer)
{
    uint64_t h = 1469598103934665603u ^ peer->family;
    int i;

    for (i = 0; i < 16; i++)
        h = (h ^ peer->addr[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static struct volo__address_count *
find(struct volo__address_count *slots, size_t cap,
     const struct volo__peer *peer)
{
    size_t i = hash(peer) & (cap - 1);

    while (slots[i].family &&
           (slots[i].family != peer->family ||
            memcmp(slots[i].addr, peer->addr, sizeof peer->addr) != 0))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

/* Twice the room, without those that have no connection left. */
static int
rebuild(struct volo__addresses *a)
{
    size_t live = 0, cap = 64, i;
    struct volo__address_count *slots, *to;

    for (i = 0; i < a->cap; i++)
        live += a->slots[i].count > 0;
    while (cap < 4 * (live + 1))
        cap *= 2;
    slots = volo__calloc(cap * sizeof *slots);
    if (!slots)
        return VOLO_ENOMEM;
    for (i = 0; i < a->cap; i++) {
        struct volo__peer peer = {.family = a->slots[i].family};

        if (a->slots[i].count == 0)
            continue;
        memcpy(peer.addr, a->slots[i].addr, sizeof peer.addr);
        to = find(slots, cap, &peer);
        *to = a->slots[i];
    }
    volo__free(a->slots);
    a->slots = slots;
    a->cap = cap;
    a->used = live;
    return 0;
}

static int
enter(struct volo__addresses *a, const struct volo__peer *peer)
{
    struct volo__address_count *slot;
    int err;

    if (a->used * 2 >= a->cap) {
        err = rebuild(a);
        if (err)
            return err;
    }
    slot = find(a->slots, a->cap, peer);
    if (!slot->family) {
        slot->family = peer->family;
        memcpy(slot->addr, peer->addr, sizeof slot->addr);
        a->used++;
    }
    if (slot->count >= a->limit)
        return VOLO_EBUSY;
    slot->count++;
    return 0;
}

int
volo__addresses_enter(struct volo__addresses *a, const struct volo__peer *peer)
{
    int err;

    if (!a->limit || peer->family < 4)
        return 0;
    pthread_mutex_lock(&a->lock);
    err = enter(a, peer);
    pthread_mutex_unlock(&a->lock);
    return err;
}

void
volo__addresses_leave(struct volo__addresses *a, const struct volo__peer *peer)
{
    struct volo__address_count *slot;

    if (!a->limit || peer->family < 4)
        return;
    pthread_mutex_lock(&a->lock);
    slot = find(a->slots, a->cap, peer);
    if (slot->count > 0)
        slot->count--;
    pthread_mutex_unlock(&a->lock);
}
