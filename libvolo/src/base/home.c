/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inbox is a stack that posters push to and that the home's thread takes
 * whole and turns round.  Only the push that finds it empty wakes: until the
 * home has taken all, it is awake or about to be.
 *
 * A dead home.  Its loop is gone, but other threads still own exchanges of it.
 * Four rules make posting to it safe:
 *
 *  1. Nothing is lost.  A poster pushes, then reads dead; retire sets dead,
 *     then takes the inbox.  All four are sequentially consistent, so either
 *     retire finds the task or its poster sees that he must help.
 *  2. One thread at a time.  To help is to add 1 to helpers: who finds 0 runs
 *     the inbox and deferred work until helpers has not moved meanwhile, and
 *     leaves it 0; all others go away, since their task was pushed before they
 *     added and will be seen.  Nobody waits for anybody, so a task may post to
 *     this home or to another dead one.  retire is the first helper: it adds
 *     before it sets dead.  The adding and subtracting carries what belongs to
 *     the home's thread from one helper to the next.
 *  3. Nobody's feet are on it when it goes.  A poster holds one of refs from
 *     before his push to his last look at the home: his task may be run, and
 *     the exchange that kept the home may end, as soon as it is pushed.  One
 *     more ref stands for all exchanges: the helper who finds live at 0 gives
 *     that back, once.  Who gives back the last destroys.
 *  4. wake is never called into a loop that is being taken apart.  A poster
 *     announces himself in wakers, then reads mute; volo__home_mute() sets
 *     mute, then waits until no waker is left: at most the time of one wake.
 *
 * No lock is taken, so that a signal handler may post.
 */
#include "base/home.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/poison.h"

_Thread_local struct volo__home *volo__here;

int
volo__home_init(struct volo__home *home, void (*wake)(struct volo__home *home),
                void (*destroy)(struct volo__home *home))
{
    memset(home, 0, sizeof *home);
    atomic_init(&home->refs, 1);
    home->wake = wake;
    home->destroy = destroy;
    home->deferred_tail = &home->deferred;
    home->date_s = INT64_MIN;
    volo__wheel_init(&home->wheel, 0);
    return 0;
}

/* ---- The inbox ----------------------------------------------------------- */

static void
unref(struct volo__home *home)
{
    if (atomic_fetch_sub(&home->refs, 1) != 1)
        return;
    if (home->kept_free)
        home->kept_free(home->kept);
    home->destroy(home);
}

void
volo__home_keep(struct volo__home *home, void *kept,
                void (*kept_free)(void *kept))
{
    home->kept = kept;
    home->kept_free = kept_free;
}

size_t
volo__home_run_inbox(struct volo__home *home)
{
    struct volo__task *task, *next, *list = NULL;
    size_t count = 0;

    if (!atomic_load(&home->inbox))
        return 0;
    task = atomic_exchange(&home->inbox, NULL);
    for (; task; task = next) {
        next = task->next;
        task->next = list;
        list = task;
    }
    for (; list; list = next) {
        next = list->next; /* the task may be posted again, or freed */
        list->run(list);
        count++;
    }
    return count;
}

/* The caller is in helpers, and was the first: see rule 2. */
static void
help(struct volo__home *home)
{
    struct volo__home *outer = volo__here;
    int seen = 1, ended;

    do {
        volo__here = home;
        do
            volo__home_run_deferred(home);
        while (volo__home_run_inbox(home) || home->deferred);
        volo__here = outer;

        ended = !home->ended && home->live == 0;
        home->ended |= ended;
        seen = atomic_fetch_sub(&home->helpers, seen) - seen;
        /* Not the last: the caller has one of his own. */
        if (ended)
            atomic_fetch_sub(&home->refs, 1);
    } while (seen);
}

static void
wake(struct volo__home *home)
{
    if (atomic_load(&home->mute))
        return;
    atomic_fetch_add(&home->wakers, 1);
    if (!atomic_load(&home->mute))
        home->wake(home);
    atomic_fetch_sub(&home->wakers, 1);
}

static void
push(struct volo__home *home, struct volo__task *newest,
     struct volo__task *oldest)
{
    struct volo__task *top;

    atomic_fetch_add(&home->refs, 1);
    top = atomic_load_explicit(&home->inbox, memory_order_relaxed);
    do
        oldest->next = top;
    while (!atomic_compare_exchange_weak(&home->inbox, &top, newest));
    if (!top)
        wake(home);
    if (atomic_load(&home->dead) && atomic_fetch_add(&home->helpers, 1) == 0)
        help(home);
    unref(home);
}

void
volo__home_post(struct volo__home *home, struct volo__task *task)
{
    push(home, task, task);
}

void
volo__home_post_chain(struct volo__home *home, struct volo__task *first,
                      struct volo__task *last)
{
    struct volo__task *task = first, *next, *before = NULL;

    last->next = NULL;
    for (; task; task = next) {
        next = task->next;
        task->next = before;
        before = task;
    }
    push(home, last, first);
}

/* ---- Deferred work ------------------------------------------------------- */

void
volo__home_defer(struct volo__home *home, struct volo__task *task)
{
    task->next = NULL;
    *home->deferred_tail = task;
    home->deferred_tail = &task->next;
}

void
volo__home_run_deferred(struct volo__home *home)
{
    struct volo__task *task;

    while ((task = home->deferred) != NULL) {
        home->deferred = task->next;
        if (!home->deferred)
            home->deferred_tail = &home->deferred;
        task->run(task);
    }
}

/* ---- The end ------------------------------------------------------------- */

void
volo__home_mute(struct volo__home *home)
{
    atomic_store(&home->mute, 1);
    while (atomic_load(&home->wakers))
        sched_yield();
}

static void
clear(struct volo__cache *cache, size_t size)
{
    void *item;

    while ((item = cache->head) != NULL) {
        VOLO__UNPOISON(item, size);
        cache->head = *(void **)item;
        volo__free(item);
    }
    cache->count = 0;
}

void
volo__home_retire(struct volo__home *home)
{
    struct volo__home *outer = volo__here == home ? NULL : volo__here;

    atomic_fetch_add(&home->refs, 1);
    volo__home_mute(home);
    atomic_fetch_add(&home->helpers, 1);
    atomic_store(&home->dead, 1);
    if (home->block)
        volo__block_unref(home->block);
    home->block = NULL;
    clear(&home->slabs, VOLO__SLAB_SIZE);
    clear(&home->outs, VOLO__OUT_SIZE);
    clear(&home->reads, VOLO__READ_SIZE);
    clear(&home->segs, VOLO__SEG_SIZE);
    if (home->wires)
        home->wires_free(home->wires);
    home->wires = NULL;
    volo__here = outer;
    help(home);
    unref(home);
}

void
volo__home_exchange_gone(struct volo__home *home)
{
    home->live--;
}

/* ---- Memory that is used again ------------------------------------------- */

static void *
take(struct volo__cache *cache, size_t size)
{
    void *item = cache->head;

    if (!item)
        return volo__malloc(size);
    VOLO__UNPOISON(item, size);
    cache->head = *(void **)item;
    cache->count--;
    return item;
}

static void
give(struct volo__home *home, struct volo__cache *cache, void *item,
     size_t size, unsigned most)
{
    if (!item)
        return;
    if (cache->count >= most ||
        atomic_load_explicit(&home->dead, memory_order_relaxed)) {
        volo__free(item);
        return;
    }
    *(void **)item = cache->head;
    cache->head = item;
    cache->count++;
    VOLO__POISON(item, size);
}

void *
volo__home_slab(struct volo__home *home)
{
    return take(&home->slabs, VOLO__SLAB_SIZE);
}

void
volo__home_slab_free(struct volo__home *home, void *slab)
{
    give(home, &home->slabs, slab, VOLO__SLAB_SIZE, VOLO__SLAB_CACHE);
}

void *
volo__home_out(struct volo__home *home)
{
    return take(&home->outs, VOLO__OUT_SIZE);
}

void
volo__home_out_free(struct volo__home *home, void *out)
{
    give(home, &home->outs, out, VOLO__OUT_SIZE, VOLO__OUT_CACHE);
}

void *
volo__home_seg(struct volo__home *home)
{
    return take(&home->segs, VOLO__SEG_SIZE);
}

void
volo__home_seg_free(struct volo__home *home, void *seg)
{
    give(home, &home->segs, seg, VOLO__SEG_SIZE, VOLO__SEG_CACHE);
}

struct volo__block *
volo__home_spare(struct volo__home *home)
{
    struct volo__block *block = take(&home->reads, VOLO__READ_SIZE);

    if (!block)
        return NULL;
    block->home = home;
    block->refs = 1;
    block->cap = VOLO__READ_SIZE - sizeof *block;
    return block;
}

struct volo__block *
volo__home_block(struct volo__home *home)
{
    struct volo__block *block = home->block;

    if (block && block->refs == 1)
        return block;

    /* Somebody keeps what was read into it: it is his now. */
    if (block)
        volo__block_unref(block);
    home->block = volo__home_spare(home);
    return home->block;
}

struct volo__block *
volo__block_ref(struct volo__block *block)
{
    block->refs++;
    return block;
}

void
volo__block_unref(struct volo__block *block)
{
    if (block && --block->refs == 0)
        give(block->home, &block->home->reads, block, VOLO__READ_SIZE,
             VOLO__READ_CACHE);
}

/* ---- The time of day ----------------------------------------------------- */

const char *
volo__home_date(struct volo__home *home)
{
    struct timespec now;

#ifdef CLOCK_REALTIME_COARSE
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
#else
    clock_gettime(CLOCK_REALTIME, &now);
#endif
    if (now.tv_sec != home->date_s) {
        home->date_s = now.tv_sec;
        volo__date_format(home->date, home->date_s);
    }
    return home->date;
}
