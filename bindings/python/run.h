/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runners share: the pool that runs `def` handlers, the Aio that runs
 * `async def` ones, the events that reach asyncio from loops, and streams.
 *
 * Three kinds of threads meet here.  Loops have no GIL and never wait for it.
 * Pool threads keep their thread state, and let the GIL go only to wait.  The
 * asyncio thread is Python's.  No mutex of this room is held while Python
 * code runs or while the GIL is waited for; so any thread may take one, at any
 * time, for a moment.
 */
#ifndef VOLO_BINDINGS_RUN_H
#define VOLO_BINDINGS_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "flush.h"
#include "py.h"

/* volo__py_now_us(): microseconds of a clock that never goes back. */
uint64_t volo__py_now_us(void);

/* volo__py_until(seconds): that time in so many seconds; below 0: never. */
uint64_t volo__py_until(double seconds);

/* volo__py_cond_init(cond): one that is timed by that clock; 0 or -1. */
int volo__py_cond_init(pthread_cond_t *cond);

/* volo__py_cond_until(cond, lock, until_us): 0 when the time is up. */
int volo__py_cond_until(pthread_cond_t *cond, pthread_mutex_t *lock,
                        uint64_t until_us);

/* volo__py_run_init(module): all types and functions of this room; -1 with an
 * exception. */
int volo__py_run_init(PyObject *module);

/* volo__py_stat(dict, name, value): one entry; -1 with an exception. */
int volo__py_stat(PyObject *dict, const char *name, uint64_t value);

struct volo__py_figure {
    const char *name;
    uint64_t value;
};

/* volo__py_figures(v, n): as a dict; NULL with an exception. */
PyObject *volo__py_figures(const struct volo__py_figure *v, size_t n);

/* ---- Events: from loops to asyncio (events.c) -----------------------------
 */

/* Lies in what it is about, and holds a reference to that while it is under
 * way.  It is queued once at a time. */
struct volo__py_event {
    struct volo__py_event *next;
    atomic_int queued;
    void (*run)(struct volo__py_event *event);  /* on asyncio's thread */
    void (*drop)(struct volo__py_event *event); /* instead: any, no GIL */
};

/* The way to one asyncio loop.  Shared by its Aio and all that may post. */
struct volo__py_hub;

/* volo__py_hub_of(queue): the hub of those who serve ${queue}, with a
 * reference; the first to ask makes it.  NULL with an exception. */
struct volo__py_hub *volo__py_hub_of(const volo_queue *queue);
struct volo__py_hub *volo__py_hub_ref(struct volo__py_hub *hub);
void volo__py_hub_unref(struct volo__py_hub *hub);

int volo__py_hub_fd(const struct volo__py_hub *hub);

/* volo__py_hub_post(hub, event): have it run soon.  Returns 0 if it is under
 * way already, and then has taken no reference.  Any thread, no GIL. */
int volo__py_hub_post(struct volo__py_hub *hub, struct volo__py_event *event);

/* volo__py_hub_run(hub): run what is there; returns how many. */
size_t volo__py_hub_run(struct volo__py_hub *hub);

/* volo__py_hub_close(hub): drop what is there and what comes. */
void volo__py_hub_close(struct volo__py_hub *hub);

/* volo__py_hub_call(hub, args): of (fn, *args), have it called. */
PyObject *volo__py_hub_call(struct volo__py_hub *hub, PyObject *args);

uint64_t volo__py_hub_wakes(const struct volo__py_hub *hub);
uint64_t volo__py_hub_events(const struct volo__py_hub *hub);

/* ---- Services (service.c) --------------------------------------------------
 */

/* volo__py_service(out, queue, handler): what answers by way of ${queue}.  -1
 * with an exception. */
int volo__py_service(volo_service **out, volo_queue *queue, PyObject *handler);

PyObject *volo__py_service_function(PyObject *module, PyObject *args);

/* volo__py_task_set(cx, task): whom to cancel if the client leaves; NULL for
 * nobody any more.  On asyncio's thread. */
void volo__py_task_set(volo_cx *cx, PyObject *task);

/* ---- Asyncio (aio.c) -------------------------------------------------------
 */

/* volo__py_aio_hub(): the hub of the Aio that is attached to this thread, and
 * its asyncio loop; NULL if there is none.  Borrowed. */
struct volo__py_hub *volo__py_aio_hub(PyObject **loop);

/* ---- The pool (pool.c, pool_role.c, pool_batch.c) ---------------------------
 */

enum volo__py_role {
    VOLO__PY_LEADER, /* takes from the queue: there is one at most */
    VOLO__PY_WATCH,  /* looks whether the leader is stuck: one at most */
    VOLO__PY_LOOSE,  /* at work without leading */
    VOLO__PY_IDLE,
    VOLO__PY_OUT
};

struct volo__py_worker {
    struct volo__py_pool *pool;
    struct volo__py_worker *next; /* of the idle */
    pthread_cond_t turn;          /* with the pool's lock: its role changed */
    int role;                     /* with the pool's lock */
    clockid_t cpu_clock;          /* its processor time */
    atomic_int running;           /* it is at a batch */
    _Atomic(uint64_t) done;       /* jobs it has finished */

    pthread_mutex_t lock; /* of the batch, that others may steal */
    volo_job jobs[VOLO__PY_BATCH];
    size_t at; /* the next to be run */
    size_t count;
    struct volo__py_flush flush;
    struct volo__py_handler *current; /* what it runs; borrowed */
    int stuck;                        /* and is counted as stuck in */

    /* Its own. */
    uint64_t last_us; /* when the last job was finished */
    uint64_t sent_us; /* when answers were sent */
    uint64_t mark_us, mark_cpu_us;
    unsigned measure; /* batches to measure processor time in, still */
    int blocked;      /* its last job has waited for something */
};

struct volo__py_pool {
    PyObject ob_base;
    volo_queue *queue;
    PyObject *spawn;
    unsigned max_threads;
    uint64_t idle_us;

    pthread_mutex_t lock;
    pthread_cond_t gone; /* a thread has left */
    _Atomic(struct volo__py_worker *) leader;
    _Atomic(struct volo__py_worker *) watch;
    struct volo__py_worker *heritage; /* whose rest the leader takes over */
    struct volo__py_worker *idle;
    unsigned threads; /* those under way included */
    unsigned starting;
    int over;          /* closed, and nothing is left to take */
    atomic_int asleep; /* the watch, as long as nobody works */

    _Atomic(uint32_t) average_us; /* of a job */
    _Atomic(uint64_t) takes, jobs, answers, gil_rounds, ticks, takeovers,
        handovers, steals, spawns;
};

/* pool_role.c: without the GIL, except where said. */
void volo__py_pool_enter(struct volo__py_worker *w);
int volo__py_pool_turn(struct volo__py_worker *w); /* 0: leave */
void volo__py_pool_leave(struct volo__py_worker *w);
void volo__py_pool_settle(struct volo__py_worker *w);
int volo__py_pool_leads(const struct volo__py_worker *w);
struct volo__py_worker *volo__py_pool_heritage(struct volo__py_worker *w);

/* volo__py_pool_guard(w): see to it that somebody watches ${w}, who leads.
 * With the GIL. */
void volo__py_pool_guard(struct volo__py_worker *w);

/* volo__py_pool_hand_over(w): ${w} is about to block: let somebody else lead.
 * With the GIL. */
void volo__py_pool_hand_over(struct volo__py_worker *w);

/* volo__py_pool_spawn(pool): one thread more; None, or NULL with an exception.
 * With the GIL. */
PyObject *volo__py_pool_spawn(struct volo__py_pool *pool);

/* pool_batch.c */
int volo__py_pool_take(struct volo__py_worker *w, int64_t timeout_ms);
void volo__py_pool_run(struct volo__py_worker *w); /* with the GIL */

/* What run.c makes types of. */
extern PyType_Spec volo__py_pool_spec, volo__py_aio_spec, volo__py_writer_spec,
    volo__py_reader_spec;

/* volo__py_pool_blocks(): this thread is about to wait for a peer: if it is one
 * of a pool, others go on with what it has taken.  With the GIL. */
void volo__py_pool_blocks(void);

#endif
