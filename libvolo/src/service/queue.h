/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue from inside: a bounded ring for many producers and many takers,
 * takers that sleep, and the batches in which loops hand over.
 *
 * Two counts keep it.  refs are those who may take from it; when the last
 * goes, the queue closes and what nobody took is answered with 503.  keeps are
 * those who may still look at it: all refs together, services, routes of
 * exchanges that are still out, a batch that is under way.  A service is none
 * of the refs: exchanges that nobody takes would keep it, and it the queue.
 */
#ifndef VOLO_SERVICE_QUEUE_H
#define VOLO_SERVICE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <volo/queue.h>

#include "base/home.h"
#include "service/service.h"

/* One exchange on its way to a taker; it lies in the arena of the cx. */
struct volo__waiting {
    struct volo__waiting *next;
    volo_cx *cx; /* a reference */
    void *route; /* what the job says */
    volo_str body;
    struct volo__passage *passage; /* through a layer; else NULL */
};

/* ---- The ring (queue_ring.c) --------------------------------------------- */

struct volo__cell {
    atomic_size_t turn; /* whose turn it is: Vyukov's sequence number */
    struct volo__waiting *waiting;
    _Atomic(uint64_t) at_us; /* when it was put there */
};

struct volo__ring {
    struct volo__cell *cells;
    size_t mask;
    char pad0[64];
    atomic_size_t put; /* both only grow */
    char pad1[64];
    atomic_size_t taken;
    char pad2[64];
};

/* volo__ring_init(ring, capacity): VOLO_ENOMEM; a power of two, at least 2. */
int volo__ring_init(struct volo__ring *ring, size_t capacity);
void volo__ring_fini(struct volo__ring *ring);

/* volo__ring_put(ring, waiting, now_us): 0 if it is full.  Any thread. */
int volo__ring_put(struct volo__ring *ring, struct volo__waiting *waiting,
                   uint64_t now_us);

/* volo__ring_take(ring): the oldest; NULL if there is none, or if it is being
 * put in this moment: who puts it tells of it after that.  Any thread. */
struct volo__waiting *volo__ring_take(struct volo__ring *ring);

/* volo__ring_is_empty(ring): whether volo__ring_take() would give NULL. */
int volo__ring_is_empty(struct volo__ring *ring);

size_t volo__ring_len(const struct volo__ring *ring);

/* volo__ring_oldest_us(ring): when the oldest was put; 0 if there is none. */
uint64_t volo__ring_oldest_us(const struct volo__ring *ring);

/* ---- Sleeping takers (queue_wait.c) -------------------------------------- */

/*
 * A sleeper announces himself in sleepers; who wakes takes him out of there
 * and makes out a permit in his place.  So a sleeper is woken once however
 * late it runs, and nobody is woken while nobody sleeps.
 */
struct volo__bed {
    atomic_int sleepers;
    atomic_uint permits;
    _Atomic(uint64_t) wakes;
    pthread_mutex_t lock; /* of the descriptor; of permits without a futex */
    pthread_cond_t cond;
    atomic_int fd;     /* -1 until it is wanted */
    int write_fd;      /* its other end */
    atomic_int fd_set; /* it is readable */
};

int volo__bed_init(struct volo__bed *bed);
void volo__bed_fini(struct volo__bed *bed);

/* volo__bed_enter(bed): announce a sleeper.  He must then look once more
 * whether there is something to do, and call one of the next two. */
void volo__bed_enter(struct volo__bed *bed);

/* volo__bed_leave(bed): not sleeping after all. */
void volo__bed_leave(struct volo__bed *bed);

/* volo__bed_sleep(bed, until_us): until woken, or until that time of
 * volo__now_us() (UINT64_MAX: for ever). */
void volo__bed_sleep(struct volo__bed *bed, uint64_t until_us);

/*
 * volo__bed_told(bed): there is something to do, since before this call.  A
 * full barrier: either this call sees the sleeper, or the sleeper, after
 * volo__bed_enter(), sees what there is to do.  Wakes one sleeper, if any.
 */
void volo__bed_told(struct volo__bed *bed);

/* volo__bed_wake_all(bed): for the end. */
void volo__bed_wake_all(struct volo__bed *bed);

/* volo__bed_barrier(bed): order what this thread wrote before with what it
 * reads after, against all others that do the same or enter or tell. */
static inline void
volo__bed_barrier(struct volo__bed *bed)
{
    atomic_fetch_add(&bed->sleepers, 0);
}

/* volo__now_us(): microseconds of a clock that never goes back. */
uint64_t volo__now_us(void);

/* ---- The queue (queue.c) ------------------------------------------------- */

struct volo__gate;

struct volo_queue {
    struct volo__ring ring;
    struct volo__bed bed;
    atomic_int refs;
    atomic_int keeps;
    atomic_int closed;
    atomic_int putting; /* who may be putting, unless he sees it closed */
    _Atomic(struct volo__gate *) gates;
};

/* One of keeps. */
void volo__queue_keep(volo_queue *queue);
void volo__queue_drop(volo_queue *queue);

/* volo__queue_put(queue, list): all of ${list}, then wake; what finds no room
 * is answered with 503. */
void volo__queue_put(volo_queue *queue, struct volo__waiting *list);

/* volo__waiting_fail(waiting): answer 503 if anybody waits; let go. */
void volo__waiting_fail(struct volo__waiting *waiting);

/* volo__job_fill(job, waiting): describe it; the reference goes along. */
void volo__job_fill(volo_job *job, const struct volo__waiting *waiting);

/* volo__queue_is_idle(queue): nothing to take now, and it is not closed. */
int volo__queue_is_idle(volo_queue *queue);

/* ---- A descriptor to poll (queue_fd.c) ----------------------------------- */

/* volo__queue_fd_tell(queue): there is something to take: after
 * volo__bed_told().  Nothing if no descriptor was asked for. */
void volo__queue_fd_tell(volo_queue *queue);

/* volo__queue_fd_clear(queue): a taker has found nothing. */
void volo__queue_fd_clear(volo_queue *queue);

/* ---- Handing over (queue_gate.c) ----------------------------------------- */
/* What one home has for one queue or batch function, until the end of its
 * iteration.  Only that home's thread touches more than ${home}, ${next}. */
struct volo__gate {
    struct volo__gate *next;
    atomic_uint turns; /* to hand it to a later home at the same address */
    struct volo__home *home;
    struct volo__task task;
    void *owner; /* what the functions below get */
    void (*keep)(void *owner);
    void (*drop)(void *owner);
    void (*pass)(struct volo__gate *gate, struct volo__waiting *list);
    struct volo__waiting *first;
    struct volo__waiting **last;
    volo_job *jobs; /* room that is used again */
    size_t job_cap;
};

/*
 * volo__gate_of(list, home): the gate of ${home} in ${list}; one that is new
 * is blank but for ${home}.  NULL if out of memory.  No lock: only the home's
 * thread looks for it, and gates are only ever added.
 */
struct volo__gate *volo__gate_of(_Atomic(struct volo__gate *) *list,
                                 struct volo__home *home);

/* volo__gate_add(gate, waiting): pass it on at the end of the iteration. */
void volo__gate_add(struct volo__gate *gate, struct volo__waiting *waiting);

void volo__gates_free(_Atomic(struct volo__gate *) *list);

/* volo__waiting_new(cx, route, body): in the arena of ${cx}, with a reference
 * to it; NULL if out of memory. */
struct volo__waiting *volo__waiting_new(volo_cx *cx, void *route,
                                        volo_str body);

#endif
