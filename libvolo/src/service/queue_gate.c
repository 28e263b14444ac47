/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From loops to takers: what a loop's services put aside during an iteration
 * is passed on at its end, all at once: to a queue, or to a function on the
 * loop's own thread.
 */
#include "service/queue.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

/* ---- Gates --------------------------------------------------------------- */

static void
gate_opens(struct volo__task *task)
{
    struct volo__gate *gate =
        (struct volo__gate *)(void *)((char *)task -
                                      offsetof(struct volo__gate, task));
    struct volo__waiting *list = gate->first;
    void (*drop)(void *) = gate->drop;
    void *owner = gate->owner;

    *gate->last = NULL;
    gate->first = NULL;
    gate->pass(gate, list);
    atomic_fetch_add_explicit(&gate->turns, 1, memory_order_release);
    drop(owner);
}

struct volo__gate *
volo__gate_of(_Atomic(struct volo__gate *) *list, struct volo__home *home)
{
    struct volo__gate *first = atomic_load_explicit(list, memory_order_acquire);
    struct volo__gate *gate;

    for (gate = first; gate; gate = gate->next) {
        if (gate->home == home) {
            (void)atomic_load_explicit(&gate->turns, memory_order_acquire);
            return gate;
        }
    }
    gate = volo__calloc(sizeof *gate);
    if (!gate)
        return NULL;
    gate->home = home;
    gate->task.run = gate_opens;
    gate->next = first;
    while (!atomic_compare_exchange_weak(list, &gate->next, gate))
        ;
    return gate;
}

void
volo__gate_add(struct volo__gate *gate, struct volo__waiting *waiting)
{
    if (!gate->first) {
        gate->last = &gate->first;
        gate->keep(gate->owner);
        volo__home_defer(gate->home, &gate->task);
    }
    *gate->last = waiting;
    gate->last = &waiting->next;
}

void
volo__gates_free(_Atomic(struct volo__gate *) *list)
{
    struct volo__gate *gate = atomic_load(list), *next;

    for (; gate; gate = next) {
        next = gate->next;
        volo__free(gate->jobs);
        volo__free(gate);
    }
}

struct volo__waiting *
volo__waiting_new(volo_cx *cx, void *route, volo_str body)
{
    struct volo__waiting *waiting;

    waiting = volo__arena_alloc(&cx->arena, sizeof *waiting);
    if (!waiting)
        return NULL;
    waiting->next = NULL;
    waiting->cx = volo_cx_ref(cx);
    waiting->route = route;
    waiting->body = body;
    waiting->passage = NULL;
    return waiting;
}
