/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who does what in a pool.  One leads: he takes from the queue and runs what he
 * took.  One watches him, and takes the lead when he is stuck in a job; who
 * knows that his next job blocks hands the lead over himself.  All others are
 * idle.  So quick handlers run on one thread, with the GIL in one hand, and
 * blocking ones spread out as quickly as threads can be had.
 *
 * The new leader takes over what the old one has taken and not begun: his
 * heritage.  He looks for it once he has the GIL, since by then the old one may
 * have got on after all.
 */
#include "run.h"

enum {
    TICK_US = 1000,    /* of the watch */
    QUIET_TICKS = 4,   /* without work, before the watch sleeps */
    STUCK_CPU_US = 500 /* a job that uses more in a tick is not blocked */
};

/* ---- Roles (the pool's lock is held) ----------------------------------------
 */

static void
promote(struct volo__py_worker *w, int role)
{
    w->role = role;
    pthread_cond_signal(&w->turn);
}

static struct volo__py_worker *
pop_idle(struct volo__py_pool *pool)
{
    struct volo__py_worker *w = pool->idle;

    if (w)
        pool->idle = w->next;
    return w;
}

static void
remove_idle(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    struct volo__py_worker **at = &pool->idle;

    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

static void
become_idle(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    w->role = VOLO__PY_IDLE;
    w->next = pool->idle;
    pool->idle = w;
}

/* What is there for a thread that has nothing to do. */
static void
find_role(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    if (pool->over) {
        w->role = VOLO__PY_OUT;
    } else if (!atomic_load(&pool->leader)) {
        w->role = VOLO__PY_LEADER;
        atomic_store(&pool->leader, w);
    } else if (!atomic_load(&pool->watch) &&
               atomic_load(&atomic_load(&pool->leader)->running)) {
        w->role = VOLO__PY_WATCH;
        atomic_store(&pool->asleep, 0);
        atomic_store(&pool->watch, w);
    } else {
        become_idle(pool, w);
    }
}

static void
lead_instead(struct volo__py_pool *pool, struct volo__py_worker *next,
             struct volo__py_worker *of)
{
    if (atomic_load(&pool->watch) == next)
        atomic_store(&pool->watch, NULL);
    pool->heritage = of;
    of->role = VOLO__PY_LOOSE;
    atomic_store(&pool->leader, next);
    if (next)
        promote(next, VOLO__PY_LEADER);
}

/* All of them may go. */
static void
end(struct volo__py_pool *pool)
{
    struct volo__py_worker *w;

    pool->over = 1;
    while ((w = pop_idle(pool)) != NULL)
        promote(w, VOLO__PY_OUT);
    w = atomic_exchange(&pool->watch, NULL);
    if (w)
        promote(w, VOLO__PY_OUT);
}

/* ---- Starting threads
 * --------------------------------------------------------- */

/* Whether there is to be one more; counted already then.  With the lock. */
static int
may_start(struct volo__py_pool *pool)
{
    if (pool->threads >= pool->max_threads || pool->starting)
        return 0;
    pool->threads++;
    pool->starting++;
    return 1;
}

PyObject *
volo__py_pool_spawn(struct volo__py_pool *pool)
{
    if (pool->spawn)
        return PyObject_CallNoArgs(pool->spawn);
    PyErr_SetString(PyExc_RuntimeError, "the pool is being taken apart");
    return NULL;
}

/* Where none can be had, those that are there must do.  Returns 0 then. */
static int
start(struct volo__py_pool *pool)
{
    PyObject *result = volo__py_pool_spawn(pool);

    if (result) {
        atomic_fetch_add(&pool->spawns, 1);
        Py_DECREF(result);
        return 1;
    }
    PyErr_WriteUnraisable((PyObject *)pool);
    pthread_mutex_lock(&pool->lock);
    if (pool->starting) {
        pool->starting--;
        pool->threads--;
    }
    pthread_mutex_unlock(&pool->lock);
    return 0;
}

void
volo__py_pool_enter(struct volo__py_worker *w)
{
    struct volo__py_pool *pool = w->pool;

    pthread_mutex_lock(&pool->lock);
    if (pool->starting)
        pool->starting--;
    else
        pool->threads++;
    find_role(pool, w);
    pthread_mutex_unlock(&pool->lock);
}

void
volo__py_pool_leave(struct volo__py_worker *w)
{
    struct volo__py_pool *pool = w->pool;
    struct volo__py_worker *me = w;

    pthread_mutex_lock(&pool->lock);
    if (pool->heritage == w)
        pool->heritage = NULL;
    atomic_compare_exchange_strong(&pool->leader, &me, NULL);
    pool->threads--;
    pthread_cond_broadcast(&pool->gone);
    pthread_mutex_unlock(&pool->lock);

    /* Who found it as heritage may be at it still. */
    pthread_mutex_lock(&w->lock);
    pthread_mutex_unlock(&w->lock);
}

/* ---- The watch
 * ------------------------------------------------------------------ */

struct sight {
    struct volo__py_worker *leader; /* only compared */
    uint64_t done;
    uint64_t cpu_us;
};

static uint64_t
cpu_of(const struct volo__py_worker *w)
{
    struct timespec t;

    if (clock_gettime(w->cpu_clock, &t) < 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Whether nothing has got on since ${last}, which is brought up to date. */
static int
is_stuck(struct volo__py_worker *leader, struct sight *last, int *blocked)
{
    uint64_t done = atomic_load(&leader->done), cpu_us = cpu_of(leader);
    int stuck = leader == last->leader && done == last->done;

    *blocked = stuck && cpu_us - last->cpu_us < STUCK_CPU_US;
    last->leader = leader;
    last->done = done;
    last->cpu_us = cpu_us;
    return stuck;
}

/* Others that are about to run the same handler will know better. */
static void
mark_stuck(struct volo__py_worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->current && !w->stuck) {
        w->stuck = 1;
        atomic_fetch_add(&w->current->stuck, 1);
    }
    pthread_mutex_unlock(&w->lock);
}

/* Returns 1 if the watch shall look again in a moment. */
static int
look(struct volo__py_pool *pool, struct volo__py_worker *w, struct sight *last,
     unsigned *quiet)
{
    struct volo__py_worker *leader = atomic_load(&pool->leader);
    int blocked;

    atomic_fetch_add_explicit(&pool->ticks, 1, memory_order_relaxed);
    if (!leader || !atomic_load(&leader->running)) {
        last->leader = NULL;
        return ++*quiet < QUIET_TICKS;
    }
    *quiet = 0;
    if (is_stuck(leader, last, &blocked)) {
        if (blocked)
            mark_stuck(leader);
        lead_instead(pool, w, leader);
        atomic_fetch_add_explicit(&pool->takeovers, 1, memory_order_relaxed);
    }
    return 1;
}

/* Say so first, then look again: the leader may just have begun. */
static void
fall_asleep(struct volo__py_pool *pool)
{
    struct volo__py_worker *leader;

    atomic_store(&pool->asleep, 1);
    leader = atomic_load(&pool->leader);
    if (leader && atomic_load(&leader->running))
        atomic_store(&pool->asleep, 0);
}

/* Nobody has worked for so long: the leader, who waits, is enough. */
static void
retire(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    if (atomic_load(&pool->watch) == w)
        atomic_store(&pool->watch, NULL);
    else
        remove_idle(pool, w);
    w->role = VOLO__PY_OUT;
}

static void
keep_watch(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    struct sight last = {0};
    unsigned quiet = 0;
    uint64_t until;
    int on_time;

    while (w->role == VOLO__PY_WATCH) {
        int asleep = atomic_load(&pool->asleep);

        until = volo__py_now_us() + (asleep ? pool->idle_us : TICK_US);
        on_time = volo__py_cond_until(&w->turn, &pool->lock, until);
        if (w->role != VOLO__PY_WATCH)
            return;
        if (on_time) {
            quiet = 0; /* woken: somebody has begun */
            last.leader = NULL;
        } else if (asleep && atomic_load(&pool->asleep)) {
            retire(pool, w);
        } else if (!look(pool, w, &last, &quiet)) {
            fall_asleep(pool);
        }
    }
}

/* ---- Waiting for one's turn
 * -------------------------------------------------------- */

static void
rest(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    uint64_t until = volo__py_now_us() + pool->idle_us;

    while (w->role == VOLO__PY_IDLE)
        if (!volo__py_cond_until(&w->turn, &pool->lock, until) &&
            w->role == VOLO__PY_IDLE)
            retire(pool, w);
}

/* The lock is let go meanwhile.  Returns 1 if there is something to do. */
static int
lead(struct volo__py_pool *pool, struct volo__py_worker *w)
{
    int n, inherits = pool->heritage != NULL;

    if (inherits)
        return 1;
    pthread_mutex_unlock(&pool->lock);
    n = volo__py_pool_take(w, -1);
    pthread_mutex_lock(&pool->lock);
    if (n >= 0)
        return n > 0;
    end(pool);
    atomic_store(&pool->leader, NULL);
    w->role = VOLO__PY_OUT;
    return 0;
}

int
volo__py_pool_turn(struct volo__py_worker *w)
{
    struct volo__py_pool *pool = w->pool;
    int ready = 0;

    pthread_mutex_lock(&pool->lock);
    while (!ready && w->role != VOLO__PY_OUT) {
        if (w->role == VOLO__PY_LEADER)
            ready = lead(pool, w);
        else if (w->role == VOLO__PY_WATCH)
            keep_watch(pool, w);
        else if (w->role == VOLO__PY_IDLE)
            rest(pool, w);
        else
            find_role(pool, w); /* the lead was lost meanwhile */
    }
    pthread_mutex_unlock(&pool->lock);
    return ready;
}

void
volo__py_pool_settle(struct volo__py_worker *w)
{
    pthread_mutex_lock(&w->pool->lock);
    if (w->role == VOLO__PY_LOOSE)
        find_role(w->pool, w);
    pthread_mutex_unlock(&w->pool->lock);
}

int
volo__py_pool_leads(const struct volo__py_worker *w)
{
    return atomic_load_explicit(&w->pool->leader, memory_order_acquire) == w;
}

/* Locked, so that it cannot leave; NULL if there is none. */
struct volo__py_worker *
volo__py_pool_heritage(struct volo__py_worker *w)
{
    struct volo__py_pool *pool = w->pool;
    struct volo__py_worker *from;

    pthread_mutex_lock(&pool->lock);
    from = pool->heritage;
    pool->heritage = NULL;
    if (from == w)
        from = NULL;
    if (from)
        pthread_mutex_lock(&from->lock);
    pthread_mutex_unlock(&pool->lock);
    return from;
}

/* ---- The leader's part
 * ---------------------------------------------------------- */

void
volo__py_pool_guard(struct volo__py_worker *w)
{
    struct volo__py_pool *pool = w->pool;
    struct volo__py_worker *watch = atomic_load(&pool->watch);
    int wanted = 0;

    if (watch && !atomic_load(&pool->asleep))
        return;
    pthread_mutex_lock(&pool->lock);
    watch = atomic_load(&pool->watch);
    if (watch) {
        atomic_store(&pool->asleep, 0);
        pthread_cond_signal(&watch->turn);
    } else if ((watch = pop_idle(pool)) != NULL) {
        atomic_store(&pool->asleep, 0);
        atomic_store(&pool->watch, watch);
        promote(watch, VOLO__PY_WATCH);
    } else {
        wanted = may_start(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (wanted)
        start(pool);
}

/* The lead goes to a thread that is there, or to nobody until one has come:
 * who finishes before that takes it. */
void
volo__py_pool_hand_over(struct volo__py_worker *w)
{
    struct volo__py_pool *pool = w->pool;
    struct volo__py_worker *next;
    int coming, wanted = 0;

    pthread_mutex_lock(&pool->lock);
    if (atomic_load(&pool->leader) == w) {
        next = pop_idle(pool);
        if (!next)
            next = atomic_load(&pool->watch);
        coming = !next && pool->starting;
        if (!next && !coming)
            wanted = may_start(pool);
        if (next || coming || wanted) {
            atomic_fetch_add(&pool->handovers, 1);
            lead_instead(pool, next, w);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (!wanted || start(pool))
        return;
    pthread_mutex_lock(&pool->lock);
    if (!atomic_load(&pool->leader) && w->role == VOLO__PY_LOOSE) {
        pool->heritage = NULL;
        atomic_store(&pool->leader, w);
        w->role = VOLO__PY_LEADER;
    }
    pthread_mutex_unlock(&pool->lock);
}
