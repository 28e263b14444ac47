/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pool(queue, spawn, max_threads=40, idle_s=10.0): threads for `def` handlers.
 * The threads are Python's: spawn() starts one whose body is pool.work().  Who
 * of them does what is pool_role.c's, what they do pool_batch.c's.
 */
#include "run.h"

#include <stddef.h>

#include "swig.h"

#define POOL(self) ((struct volo__py_pool *)(void *)(self))

enum { MOST_THREADS = 4096 };

/* ---- A thread ---------------------------------------------------------------
 */

static struct volo__py_worker *
worker_new(struct volo__py_pool *pool)
{
    struct volo__py_worker *w = volo_alloc(sizeof *w);

    if (!w)
        return NULL;
    memset(w, 0, offsetof(struct volo__py_worker, jobs));
    w->at = w->count = w->flush.count = 0;
    w->current = NULL;
    w->stuck = 0;
    w->measure = 0;
    w->blocked = 0;
    w->mark_us = w->mark_cpu_us = 0;
    w->pool = pool;
    if (pthread_getcpuclockid(pthread_self(), &w->cpu_clock))
        w->cpu_clock = CLOCK_MONOTONIC;
    if (volo__py_cond_init(&w->turn) < 0)
        goto err0;
    if (pthread_mutex_init(&w->lock, NULL))
        goto err1;
    return w;

err1:
    pthread_cond_destroy(&w->turn);
err0:
    volo_free(w);
    return NULL;
}

static void
worker_free(struct volo__py_worker *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->turn);
    volo_free(w);
}

static PyObject *
pool_work(PyObject *self, PyObject *unused)
{
    struct volo__py_pool *pool = POOL(self);
    struct volo__py_worker *w = worker_new(pool);
    int go;

    (void)unused;
    if (!w)
        return PyErr_NoMemory();
    volo__py_pool_enter(w);
    do {
        Py_BEGIN_ALLOW_THREADS go = volo__py_pool_turn(w);
        Py_END_ALLOW_THREADS atomic_fetch_add_explicit(&pool->gil_rounds, 1,
                                                       memory_order_relaxed);
        if (go)
            volo__py_pool_run(w);
    } while (go);
    volo__py_pool_leave(w);
    worker_free(w);
    Py_RETURN_NONE;
}

/* ---- The pool
 * ------------------------------------------------------------------ */

static PyObject *
pool_start(PyObject *self, PyObject *unused)
{
    (void)unused;
    return volo__py_pool_spawn(POOL(self));
}

static PyObject *
pool_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    volo_queue_close(POOL(self)->queue);
    Py_RETURN_NONE;
}

/* Returns the number of threads that are left. */
static unsigned
await_threads(struct volo__py_pool *pool, uint64_t until_us)
{
    unsigned left;

    pthread_mutex_lock(&pool->lock);
    while (pool->threads &&
           volo__py_cond_until(&pool->gone, &pool->lock, until_us))
        ;
    left = pool->threads;
    pthread_mutex_unlock(&pool->lock);
    return left;
}

static PyObject *
pool_join(PyObject *self, PyObject *args)
{
    double seconds = -1;
    uint64_t until;
    unsigned left;

    if (!PyArg_ParseTuple(args, "|d:join", &seconds))
        return NULL;
    until = volo__py_until(seconds);
    Py_BEGIN_ALLOW_THREADS left = await_threads(POOL(self), until);
    Py_END_ALLOW_THREADS return PyBool_FromLong(left == 0);
}

static unsigned
count_threads(struct volo__py_pool *pool)
{
    unsigned n;

    pthread_mutex_lock(&pool->lock);
    n = pool->threads;
    pthread_mutex_unlock(&pool->lock);
    return n;
}

static PyObject *
pool_stats(PyObject *self, PyObject *unused)
{
    struct volo__py_pool *pool = POOL(self);
    const struct volo__py_figure stats[] = {
        {"threads", count_threads(pool)},
        {"takers", atomic_load(&pool->leader) != NULL},
        {"takes", atomic_load(&pool->takes)},
        {"jobs", atomic_load(&pool->jobs)},
        {"answers", atomic_load(&pool->answers)},
        {"gil_rounds", atomic_load(&pool->gil_rounds)},
        {"ticks", atomic_load(&pool->ticks)},
        {"takeovers", atomic_load(&pool->takeovers)},
        {"handovers", atomic_load(&pool->handovers)},
        {"steals", atomic_load(&pool->steals)},
        {"spawns", atomic_load(&pool->spawns)},
        {"wakes", volo_queue_wakes(pool->queue)},
        {"waiting", volo_queue_len(pool->queue)},
        {"average_us", atomic_load(&pool->average_us)},
    };

    (void)unused;
    return volo__py_figures(stats, sizeof stats / sizeof *stats);
}

static int
pool_set_up(struct volo__py_pool *pool, PyObject *queue, PyObject *spawn,
            unsigned max_threads, double idle_s)
{
    volo_queue *handle = volo__py_queue_of(queue);

    if (!handle)
        return -1;
    if (!PyCallable_Check(spawn)) {
        PyErr_SetString(PyExc_TypeError, "spawn must be callable");
        return -1;
    }
    if (max_threads < 1 || max_threads > MOST_THREADS || !(idle_s > 0)) {
        PyErr_Format(PyExc_ValueError,
                     "max_threads must be 1 to %d, idle_s more than 0",
                     MOST_THREADS);
        return -1;
    }
    if (pthread_mutex_init(&pool->lock, NULL))
        goto err0;
    if (volo__py_cond_init(&pool->gone) < 0)
        goto err1;
    pool->queue = volo_queue_ref(handle);
    pool->spawn = Py_NewRef(spawn);
    pool->max_threads = max_threads;
    pool->idle_us = idle_s < 1e6 ? (uint64_t)(idle_s * 1e6) : 1000000000000u;
    return 0;

err1:
    pthread_mutex_destroy(&pool->lock);
err0:
    PyErr_NoMemory();
    return -1;
}

static PyObject *
pool_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"queue", "spawn", "max_threads", "idle_s", NULL};
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self, *queue, *spawn;
    unsigned max_threads = 40;
    double idle_s = 10;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Id:Pool", names, &queue,
                                     &spawn, &max_threads, &idle_s))
        return NULL;
    self = alloc(type, 0);
    if (self && pool_set_up(POOL(self), queue, spawn, max_threads, idle_s) < 0)
        Py_CLEAR(self);
    return self;
}

/* No thread is at work: each holds the pool while it is. */
static void
pool_dealloc(PyObject *self)
{
    struct volo__py_pool *pool = POOL(self);
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(self);
    Py_CLEAR(pool->spawn);
    if (pool->queue) {
        pthread_cond_destroy(&pool->gone);
        pthread_mutex_destroy(&pool->lock);
        volo_queue_unref(pool->queue);
    }
    free_it(self);
    Py_DECREF(type);
}

static int
pool_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(POOL(self)->spawn);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
pool_clear(PyObject *self)
{
    Py_CLEAR(POOL(self)->spawn);
    return 0;
}

static PyMethodDef methods[] = {
    {"work", pool_work, METH_NOARGS,
     "The body of a thread: returns when it is not needed any more."},
    {"start", pool_start, METH_NOARGS, "Start the first thread."},
    {"close", pool_close, METH_NOARGS,
     "Close the queue: threads run what is left, and end.  Twice is harmless."},
    {"join", pool_join, METH_VARARGS,
     "join(timeout=-1.0): wait for all threads to end, for at most so many\n"
     "seconds; returns whether they have."},
    {"stats", pool_stats, METH_NOARGS, "Counters, as a dict."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_doc, "Pool(queue, spawn, max_threads=40, "
                                          "idle_s=10.0)\n--\n\nThreads that "
                                          "run `def` handlers."},
                              {Py_tp_new, pool_new},
                              {Py_tp_dealloc, pool_dealloc},
                              {Py_tp_traverse, pool_traverse},
                              {Py_tp_clear, pool_clear},
                              {Py_tp_methods, methods},
                              {0, NULL}};

PyType_Spec volo__py_pool_spec = {.name = "volo._cvolo.Pool",
                                  .basicsize = sizeof(struct volo__py_pool),
                                  .flags =
                                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                  .slots = slots};
