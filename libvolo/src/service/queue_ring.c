/* SPDX-License-Identifier: Apache-2.0 */
/*
 * D. Vyukov's bounded queue: each cell has a number that says whose turn it
 * is.  It is the position of the put that may fill it, one more once it is
 * filled, and a whole round more once it was taken.  Does not sleep.
 */
#include "service/queue.h"

#include "base/alloc.h"

int
volo__ring_init(struct volo__ring *ring, size_t capacity)
{
    size_t i;

    ring->cells = volo__calloc(capacity * sizeof *ring->cells);
    if (!ring->cells)
        return VOLO_ENOMEM;
    for (i = 0; i < capacity; i++)
        atomic_init(&ring->cells[i].turn, i);
    ring->mask = capacity - 1;
    atomic_init(&ring->put, 0);
    atomic_init(&ring->taken, 0);
    return 0;
}

void
volo__ring_fini(struct volo__ring *ring)
{
    volo__free(ring->cells);
}

int
volo__ring_put(struct volo__ring *ring, struct volo__waiting *waiting,
               uint64_t now_us)
{
    size_t at = atomic_load_explicit(&ring->put, memory_order_relaxed), turn;
    struct volo__cell *cell;

    for (;;) {
        cell = &ring->cells[at & ring->mask];
        turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
        if (turn == at) {
            if (atomic_compare_exchange_weak_explicit(&ring->put, &at, at + 1,
                                                      memory_order_relaxed,
                                                      memory_order_relaxed))
                break;
        } else if ((ptrdiff_t)(turn - at) < 0) {
            return 0;
        } else {
            at = atomic_load_explicit(&ring->put, memory_order_relaxed);
        }
    }
    cell->waiting = waiting;
    atomic_store_explicit(&cell->at_us, now_us, memory_order_relaxed);
    atomic_store_explicit(&cell->turn, at + 1, memory_order_release);
    return 1;
}

struct volo__waiting *
volo__ring_take(struct volo__ring *ring)
{
    size_t at = atomic_load_explicit(&ring->taken, memory_order_relaxed), turn;
    struct volo__waiting *waiting;
    struct volo__cell *cell;

    for (;;) {
        cell = &ring->cells[at & ring->mask];
        turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
        if (turn == at + 1) {
            if (atomic_compare_exchange_weak_explicit(&ring->taken, &at, at + 1,
                                                      memory_order_relaxed,
                                                      memory_order_relaxed))
                break;
        } else if ((ptrdiff_t)(turn - (at + 1)) < 0) {
            return NULL;
        } else {
            at = atomic_load_explicit(&ring->taken, memory_order_relaxed);
        }
    }
    waiting = cell->waiting;
    atomic_store_explicit(&cell->turn, at + ring->mask + 1,
                          memory_order_release);
    return waiting;
}

int
volo__ring_is_empty(struct volo__ring *ring)
{
    size_t at = atomic_load(&ring->taken), turn;

    for (;;) {
        turn = atomic_load(&ring->cells[at & ring->mask].turn);
        if (turn == at + 1)
            return 0;
        if ((ptrdiff_t)(turn - (at + 1)) < 0)
            return 1;
        at = atomic_load(&ring->taken); /* somebody was faster */
    }
}

/* The two are not read in one moment: what is taken meanwhile must not make
 * a length of less than nothing. */
size_t
volo__ring_len(const struct volo__ring *ring)
{
    size_t taken = atomic_load(&ring->taken);
    size_t put = atomic_load(&ring->put);
    size_t len = put - taken;

    return len > ring->mask + 1 ? ring->mask + 1 : len;
}

uint64_t
volo__ring_oldest_us(const struct volo__ring *ring)
{
    size_t at = atomic_load(&ring->taken);
    const struct volo__cell *cell = &ring->cells[at & ring->mask];
    uint64_t at_us;

    if (atomic_load(&cell->turn) != at + 1)
        return 0;
    at_us = atomic_load(&cell->at_us);
    /* If it was taken meanwhile, this may be another's time. */
    return atomic_load(&cell->turn) == at + 1 ? at_us : 0;
}
