/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aio(queue, loop, run): `async def` handlers on an asyncio loop.  The loop
 * polls the queue's descriptor; each time it is readable, all that waits is
 * started at once, and what has been answered by then leaves together.  What is
 * answered later, in other callbacks, leaves at the end of that iteration.
 *
 * All of it is for the loop's own thread, but for call().
 */
#include "run.h"
#include "passage.h"
#include "swig.h"

enum {
    DRAIN = 256,
    DRAIN_ROUNDS = 4,
    SLOW_US = 100, /* between answers: then they are not sent together */
    LATE_US = 500  /* the first of them does not wait longer */
};

struct aio {
    PyObject ob_base;
    volo_queue *queue;
    struct volo__py_hub *hub;
    PyObject *loop;
    PyObject *run;       /* run(coroutine) -> task */
    PyObject *call_soon; /* of the loop */
    volo_job *jobs;      /* room for DRAIN */
    struct volo__py_flush flush;
    pthread_t thread; /* where it is attached */
    int attached;
    int queue_done; /* its descriptor is polled no more */
    int draining;
    int flush_soon;             /* flush() will be called */
    uint64_t last_us, first_us; /* the last answer, the first that waits */
    uint64_t drains, takes, started, tasks, answers, flushes, calls;
};

#define AIO(self) ((struct aio *)(void *)(self))

/* The Aio whose loop runs on this thread: a reference. */
static _Thread_local struct aio *here;

struct volo__py_hub *
volo__py_aio_hub(PyObject **loop)
{
    if (!here)
        return NULL;
    *loop = here->loop;
    return here->hub;
}

/* ---- Answers ------------------------------------------------------------- */

static void
send_answers(struct aio *aio)
{
    if (aio->flush.count == 0)
        return;
    volo__py_flush_send(&aio->flush);
    aio->flushes++;
}

/* Where the loop refuses, they leave at once. */
static void
flush_later(struct aio *aio)
{
    PyObject *flush = PyObject_GetAttrString((PyObject *)aio, "flush");
    PyObject *handle = NULL;

    if (flush)
        handle = PyObject_CallFunctionObjArgs(aio->call_soon, flush, NULL);
    Py_XDECREF(flush);
    if (!handle) {
        PyErr_WriteUnraisable((PyObject *)aio);
        send_answers(aio);
        return;
    }
    Py_DECREF(handle);
    aio->flush_soon = 1;
}

/* While steps are short, answers leave together, which costs less.  Where they
 * are not, there is little to save, and others would wait for them. */
static void
add_answer(struct aio *aio, const volo_answer *answer)
{
    uint64_t now = volo__py_now_us();
    int slow = now - aio->last_us > SLOW_US;

    aio->last_us = now;
    if (aio->flush.count == 0)
        aio->first_us = now;
    volo__py_flush_add(&aio->flush, answer);
    aio->answers++;
    if (slow || now - aio->first_us > LATE_US)
        send_answers(aio);
    else if (!aio->draining && !aio->flush_soon && aio->flush.count)
        flush_later(aio);
}

void
volo__py_aio_send(const volo_answer *answer)
{
    if (here)
        add_answer(here, answer);
    else
        volo_queue_answer(NULL, answer, sizeof *answer, 1);
}

/* A coroutine that is dropped answers where that happens. */
static void
send(PyObject *self, const volo_answer *answer)
{
    if (here == AIO(self))
        volo__py_task_set(answer->cx, NULL);
    volo__py_aio_send(answer);
}

static PyObject *
aio_flush(PyObject *self, PyObject *unused)
{
    (void)unused;
    AIO(self)->flush_soon = 0;
    send_answers(AIO(self));
    volo__py_sweep();
    Py_RETURN_NONE;
}

/* ---- Jobs ---------------------------------------------------------------- */

/* It may have been answered already: on 3.12 and later, a task begins at
 * once. */
static void
remember_task(PyObject *object, PyObject *task)
{
    struct volo__py_request *request = (void *)object;

    if (request->answered || !request->job.cx)
        return;
    Py_XDECREF(request->task);
    request->task = Py_NewRef(task);
    volo__py_task_set(request->job.cx, task);
}

static void
start_task(struct aio *aio, const volo_job *job)
{
    PyObject *coro = NULL, *request, *task;

    request =
        volo__py_handler_start(job->route, job, send, (PyObject *)aio, &coro);
    if (!request)
        return;
    task = volo__py_passage_task(request, aio->run, coro);
    if (task) {
        aio->tasks++;
        remember_task(request, task);
        Py_DECREF(task);
    } else {
        PyErr_WriteUnraisable(aio->run);
    }
    Py_DECREF(coro);
    Py_DECREF(request);
}

static void
start(struct aio *aio, const volo_job *job)
{
    struct volo__py_handler *handler = job->route;
    volo_answer answer;

    if (job->kind == VOLO_JOB_LEAVE) {
        volo__py_passage_back(job);
    } else if (handler->kind == VOLO__PY_ASYNC) {
        start_task(aio, job);
    } else if (volo__py_handler_run(handler, job, &answer)) {
        add_answer(aio, &answer);
    }
}

/* The asyncio loop is to have its turn as well: not more than so many rounds.
 * What is left keeps the descriptor readable. */
static int
drain(struct aio *aio)
{
    int round, i, n = 0;

    for (round = 0; round < DRAIN_ROUNDS; round++) {
        n = volo_queue_take(aio->queue, aio->jobs, sizeof *aio->jobs, DRAIN, 0);
        if (n <= 0)
            break;
        aio->takes++;
        aio->started += (uint64_t)n;
        for (i = 0; i < n; i++)
            start(aio, &aio->jobs[i]);
        send_answers(aio);
    }
    return n;
}

static int call_loop(struct aio *aio, const char *method, int fd,
                     PyObject *callback);

static PyObject *
aio_drain(PyObject *self, PyObject *unused)
{
    struct aio *aio = AIO(self);
    int n;

    (void)unused;
    if (aio->draining)
        Py_RETURN_NONE;
    aio->draining = 1;
    aio->drains++;
    aio->last_us = volo__py_now_us();
    n = drain(aio);
    aio->last_us = volo__py_now_us();
    aio->draining = 0;
    volo__py_sweep();

    /* Closed: readable for ever, and nothing will come. */
    if (n == VOLO_ECLOSED && aio->attached && !aio->queue_done) {
        aio->queue_done = 1;
        if (call_loop(aio, "remove_reader", volo_queue_fd(aio->queue), NULL) <
            0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- Events -------------------------------------------------------------- */

static PyObject *
aio_events(PyObject *self, PyObject *unused)
{
    (void)unused;
    volo__py_hub_run(AIO(self)->hub);
    volo__py_sweep();
    Py_RETURN_NONE;
}

static PyObject *
aio_call(PyObject *self, PyObject *args)
{
    return volo__py_hub_call(AIO(self)->hub, args);
}

/* ---- Attaching ----------------------------------------------------------- */

static int
call_loop(struct aio *aio, const char *method, int fd, PyObject *callback)
{
    PyObject *result;

    result = callback
                 ? PyObject_CallMethod(aio->loop, method, "iO", fd, callback)
                 : PyObject_CallMethod(aio->loop, method, "i", fd);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int
add_reader(struct aio *aio, int fd, const char *method)
{
    PyObject *callback = PyObject_GetAttrString((PyObject *)aio, method);
    int rc = -1;

    if (callback)
        rc = call_loop(aio, "add_reader", fd, callback);
    Py_XDECREF(callback);
    return rc;
}

static PyObject *
aio_attach(PyObject *self, PyObject *unused)
{
    struct aio *aio = AIO(self), *before = here;

    (void)unused;
    if (aio->attached)
        Py_RETURN_NONE;
    if (add_reader(aio, volo_queue_fd(aio->queue), "drain") < 0 ||
        add_reader(aio, volo__py_hub_fd(aio->hub), "events") < 0)
        return NULL;
    aio->attached = 1;
    aio->queue_done = 0;
    here = (struct aio *)(void *)Py_NewRef(self);
    Py_XDECREF((PyObject *)before);
    Py_RETURN_NONE;
}

static PyObject *
aio_detach(PyObject *self, PyObject *unused)
{
    struct aio *aio = AIO(self);
    int failed = 0;

    (void)unused;
    if (!aio->attached)
        Py_RETURN_NONE;
    aio->attached = 0;
    if (!aio->queue_done)
        failed |=
            call_loop(aio, "remove_reader", volo_queue_fd(aio->queue), NULL);
    if (!failed)
        failed =
            call_loop(aio, "remove_reader", volo__py_hub_fd(aio->hub), NULL);
    send_answers(aio);
    if (here == aio) {
        here = NULL;
        Py_DECREF(self);
    }
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
aio_close(PyObject *self, PyObject *unused)
{
    struct aio *aio = AIO(self);
    PyObject *result;

    volo_queue_close(aio->queue);
    result = aio_drain(self, unused);
    if (!result)
        return NULL;
    Py_DECREF(result);
    volo__py_hub_close(aio->hub);
    return aio_detach(self, unused);
}

/* ---- Figures ------------------------------------------------------------- */

static PyObject *
aio_stats(PyObject *self, PyObject *unused)
{
    struct aio *aio = AIO(self);
    const struct volo__py_figure stats[] = {
        {"drains", aio->drains},
        {"takes", aio->takes},
        {"jobs", aio->started},
        {"tasks", aio->tasks},
        {"answered", aio->answers},
        {"answers", aio->flushes},
        {"events", volo__py_hub_events(aio->hub)},
        {"event_wakes", volo__py_hub_wakes(aio->hub)},
        {"wakes", volo_queue_wakes(aio->queue)},
        {"waiting", volo_queue_len(aio->queue)},
    };

    (void)unused;
    return volo__py_figures(stats, sizeof stats / sizeof *stats);
}

static PyObject *
aio_fd(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(volo_queue_fd(AIO(self)->queue));
}

static PyObject *
aio_events_fd(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(volo__py_hub_fd(AIO(self)->hub));
}

/* ---- The type ------------------------------------------------------------ */

static int
aio_set_up(struct aio *aio, PyObject *queue, PyObject *loop, PyObject *run)
{
    volo_queue *handle = volo__py_queue_of(queue);
    int fd;

    if (!handle)
        return -1;
    if (!PyCallable_Check(run)) {
        PyErr_SetString(PyExc_TypeError, "run must be callable");
        return -1;
    }
    fd = volo_queue_fd(handle);
    if (fd < 0) {
        volo__py_raise(fd, NULL);
        return -1;
    }
    aio->queue = volo_queue_ref(handle);
    aio->loop = Py_NewRef(loop);
    aio->run = Py_NewRef(run);
    aio->hub = volo__py_hub_of(handle);
    aio->call_soon = PyObject_GetAttrString(loop, "call_soon");
    aio->jobs = volo_alloc(DRAIN * sizeof *aio->jobs);
    if (!aio->jobs)
        PyErr_NoMemory();
    return aio->hub && aio->call_soon && aio->jobs ? 0 : -1;
}

static PyObject *
aio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"queue", "loop", "run", NULL};
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self, *queue, *loop, *run;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO:Aio", names, &queue,
                                     &loop, &run))
        return NULL;
    self = alloc(type, 0);
    if (self && aio_set_up(AIO(self), queue, loop, run) < 0)
        Py_CLEAR(self);
    return self;
}

static int
aio_clear(PyObject *self)
{
    struct aio *aio = AIO(self);

    Py_CLEAR(aio->loop);
    Py_CLEAR(aio->run);
    Py_CLEAR(aio->call_soon);
    return 0;
}

static int
aio_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct aio *aio = AIO(self);

    Py_VISIT(aio->loop);
    Py_VISIT(aio->run);
    Py_VISIT(aio->call_soon);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void
aio_dealloc(PyObject *self)
{
    struct aio *aio = AIO(self);
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(self);
    send_answers(aio);
    if (aio->hub) {
        volo__py_hub_close(aio->hub);
        volo__py_hub_unref(aio->hub);
    }
    aio_clear(self);
    volo_free(aio->jobs);
    volo_queue_unref(aio->queue);
    free_it(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"attach", aio_attach, METH_NOARGS,
     "Have the loop poll for jobs and events; on the loop's thread."},
    {"detach", aio_detach, METH_NOARGS, "The reverse."},
    {"close", aio_close, METH_NOARGS,
     "Close the queue, start what is left in it, detach.  Twice is harmless."},
    {"drain", aio_drain, METH_NOARGS, "Start what waits in the queue."},
    {"events", aio_events, METH_NOARGS, "Run what loops have posted."},
    {"flush", aio_flush, METH_NOARGS, "Send the answers that are ready."},
    {"call", aio_call, METH_VARARGS,
     "call(fn, *args): have fn(*args) called on the loop's thread, soon; from\n"
     "any thread.  What it raises goes to sys.unraisablehook."},
    {"stats", aio_stats, METH_NOARGS, "Counters, as a dict."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef getset[] = {
    {"fd", aio_fd, NULL, "Readable while drain() has something to do.", NULL},
    {"events_fd", aio_events_fd, NULL,
     "Readable while events() has something to do.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Aio(queue, loop, run)\n--\n\nRuns `async def` handlers on an "
                "asyncio loop; run(coroutine) makes a task."},
    {Py_tp_new, aio_new},
    {Py_tp_dealloc, aio_dealloc},
    {Py_tp_traverse, aio_traverse},
    {Py_tp_clear, aio_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL}};

PyType_Spec volo__py_aio_spec = {.name = "volo._cvolo.Aio",
                                 .basicsize = sizeof(struct aio),
                                 .flags =
                                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                 .slots = slots};
