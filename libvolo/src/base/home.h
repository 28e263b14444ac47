/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A home is where an exchange lives: one thread at a time, its inbox, its
 * timers, its caches.  net makes it real with a loop; base knows no I/O, so a
 * home only asks to be woken.
 *
 * A home outlives its loop while exchanges that other threads own are still
 * out: it is then "dead", and who posts runs the inbox himself, or leaves it
 * to another poster who is at it: one at a time, as if he were its thread.
 * home.c says why that is safe.
 */
#ifndef VOLO_BASE_HOME_H
#define VOLO_BASE_HOME_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/wheel.h"

/* A piece of work, embedded in what it is about. */
struct volo__task {
    struct volo__task *next;
    void (*run)(struct volo__task *task);
};

/* A refcounted read buffer.  Its count belongs to the home's thread. */
struct volo__block {
    struct volo__block *next; /* in the cache */
    struct volo__home *home;
    unsigned refs;
    unsigned cap;
    char data[];
};

enum {
    VOLO__SLAB_SIZE = 8192,  /* holds one exchange and the start of its arena */
    VOLO__OUT_SIZE = 16384,  /* an output block */
    VOLO__READ_SIZE = 65536, /* a read buffer with its head */
    VOLO__SEG_SIZE = 56,
    VOLO__SLAB_CACHE = 1024, /* how many of each are kept for reuse */
    VOLO__OUT_CACHE = 256,
    VOLO__READ_CACHE = 16,
    VOLO__SEG_CACHE = 1024
};

struct volo__cache {
    void *head;
    unsigned count;
};

struct volo__home {
    _Atomic(struct volo__task *) inbox; /* newest first */
    atomic_int mute;                    /* wake is not called any more */
    atomic_int wakers;                  /* who may be calling it */
    atomic_int dead;                    /* posters run the inbox */
    atomic_int helpers;                 /* those who want to, since one began */
    atomic_int refs; /* posters inside, and one until it has ended */
    void (*wake)(struct volo__home *home);    /* thread-safe, by net */
    void (*destroy)(struct volo__home *home); /* frees what embeds it */
    void *kept;                               /* see volo__home_keep() */
    void (*kept_free)(void *kept);

    /* All below belongs to the home's thread. */
    struct volo__task *deferred; /* to run at the end of the iteration */
    struct volo__task **deferred_tail;
    struct volo__wheel wheel;
    uint64_t now_ms; /* as of the iteration's start */
    size_t live;     /* exchanges that still exist */
    int ended;       /* dead, and live has been 0 */
    struct volo__cache slabs;
    struct volo__cache outs;
    struct volo__cache reads;
    struct volo__cache segs;   /* of outq */
    struct volo__block *block; /* the current read buffer */
    void *wires;               /* what connections of one protocol share: */
    void (*wires_free)(void *wires); /* goes when the home retires */
    int64_t date_s;                  /* the second that date is of */
    char date[32];                   /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* volo__here: the home whose thread this is, or NULL. */
extern _Thread_local struct volo__home *volo__here;

/* volo__home_init(home, wake, destroy): VOLO_ENOMEM or 0. */
int volo__home_init(struct volo__home *home,
                    void (*wake)(struct volo__home *home),
                    void (*destroy)(struct volo__home *home));

/* volo__home_post(home, task): run ${task} on the home's thread, soon.  The
 * task is not copied.  Any thread, a signal handler too (as far as wake is
 * fit for one); cannot fail.  The caller holds something that keeps the home:
 * an exchange, or its loop. */
void volo__home_post(struct volo__home *home, struct volo__task *task);

/* volo__home_post_chain(home, first, last): many at once, linked by next in
 * the order in which they are to run; one wake at most. */
void volo__home_post_chain(struct volo__home *home, struct volo__task *first,
                           struct volo__task *last);

/* volo__home_run_inbox(home): run what was posted, in order.  Returns how
 * many. */
size_t volo__home_run_inbox(struct volo__home *home);

/* volo__home_defer(home, task): run it at the end of this iteration; once
 * per call, the caller sees to it that it is not linked already. */
void volo__home_defer(struct volo__home *home, struct volo__task *task);

/* volo__home_run_deferred(home): run these, in order, and those they add. */
void volo__home_run_deferred(struct volo__home *home);

/*
 * volo__home_mute(home):
 * When this returns, nobody is in home->wake(), and nobody will ever be: for
 * before what it wakes is taken apart.  What is posted from now on waits for
 * volo__home_run_inbox() or volo__home_retire().
 */
void volo__home_mute(struct volo__home *home);

/*
 * volo__home_retire(home): the loop is gone.  Mutes it, runs what was posted
 * and deferred, frees the caches; from now on who posts runs it.  The home
 * itself goes (through destroy, on any thread) when its last exchange does,
 * maybe before this returns.  volo__here is NULL afterwards if it was it.
 */
void volo__home_retire(struct volo__home *home);

/* volo__home_keep(home, kept, kept_free): something that exchanges may look at
 * for as long as one of them lives; released before destroy.  Once. */
void volo__home_keep(struct volo__home *home, void *kept,
                     void (*kept_free)(void *kept));

/* volo__home_exchange_gone(home): one exchange less; see live.  On its thread,
 * or in what is run for a dead one. */
void volo__home_exchange_gone(struct volo__home *home);

/* Slabs, output blocks (and, small, what outq strings them on): from the cache
 * or the allocator; NULL if none. */
void *volo__home_slab(struct volo__home *home);
void volo__home_slab_free(struct volo__home *home, void *slab);
void *volo__home_out(struct volo__home *home);
void volo__home_out_free(struct volo__home *home, void *out);
void *volo__home_seg(struct volo__home *home);
void volo__home_seg_free(struct volo__home *home, void *seg);

/* volo__home_block(home): the current read buffer, unshared (made if there is
 * none, or if the last one was kept by somebody); NULL if out of memory. */
struct volo__block *volo__home_block(struct volo__home *home);

/* volo__home_spare(home): a block that is nobody else's, with one reference;
 * NULL if out of memory. */
struct volo__block *volo__home_spare(struct volo__home *home);

/* volo__block_ref(block), volo__block_unref(block): home's thread. */
struct volo__block *volo__block_ref(struct volo__block *block);
void volo__block_unref(struct volo__block *block);

/* volo__home_date(home): the Date value of this second, 29 octets. */
const char *volo__home_date(struct volo__home *home);

#endif
