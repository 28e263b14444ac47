/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server of one ASGI application: a queue, from which the event loop takes
 * what is there in one go, a task for each, and one flush for the answers of
 * one iteration.
 *
 * Lifespan, logging, and which loop it is: volo/asgi.py.
 */
#include "asgi_types.h"

#include <string.h>

#include "swig.h"

enum {
    TAKE = 256,  /* exchanges in one go */
    ROUNDS = 4,  /* and how often */
    SLOW_US = 50 /* of a step: then answers do not wait for others */
};

static struct volo__py_asgi_names *const names = &volo__py_asgi_names;

/* The routes of its jobs: by the address. */
static const char whole_route, piece_route;

/* Nothing of Python's is in it, so it may outlive the server. */
static int
make_service(volo_service **out, volo_queue *queue)
{
    volo_service *whole, *piecewise;
    int err;

    err = volo_queue_service(&whole, queue, (void *)&whole_route, NULL);
    if (err)
        return err;
    err = volo_queue_service_streaming(&piecewise, queue, (void *)&piece_route,
                                       NULL);
    if (err) {
        volo_service_unref(whole);
        return err;
    }
    return volo__py_split(out, whole, piecewise);
}

/* ---- Answers ------------------------------------------------------------- */

static void
flush(struct volo__py_asgi *asgi)
{
    asgi->flushes += asgi->flush.count > 0;
    volo__py_flush_send(&asgi->flush);
    volo__py_sweep();
}

/* While cycles are being started, the last of them flushes; else the event
 * loop does, once it has run what is ready.  Where that takes its time, an
 * answer leaves at once. */
void
volo__py_asgi_answer(struct volo__py_asgi *asgi, volo_cx *cx, int status)
{
    volo_answer answer;
    PyObject *handle;

    memset(&answer, 0, sizeof answer);
    answer.cx = cx;
    answer.status = status;
    volo__py_flush_add(&asgi->flush, &answer);
    if (asgi->pace_us > SLOW_US) {
        flush(asgi);
        return;
    }
    if (asgi->starting || asgi->scheduled)
        return;
    handle =
        PyObject_CallFunctionObjArgs(asgi->call_soon, asgi->flush_later, NULL);
    if (handle) {
        asgi->scheduled = 1;
        Py_DECREF(handle);
    } else {
        PyErr_WriteUnraisable((PyObject *)asgi);
        flush(asgi);
    }
}

static void
expect_steps(struct volo__py_asgi *asgi, int n)
{
    if (asgi->starting == 0) {
        asgi->since_us = volo__py_now_us();
        asgi->started = 0;
    }
    asgi->starting += n;
    asgi->started += n;
}

/* What a step takes, by and by. */
static void
measure(struct volo__py_asgi *asgi)
{
    uint64_t took = volo__py_now_us() - asgi->since_us;
    uint64_t each = took / (uint64_t)asgi->started;

    asgi->pace_us = (7 * asgi->pace_us + each) / 8;
}

void
volo__py_asgi_stepped(struct volo__py_asgi *asgi)
{
    if (asgi->starting == 0 || --asgi->starting > 0)
        return;
    measure(asgi);
    flush(asgi);
}

static PyObject *
flush_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;

    (void)none;
    asgi->scheduled = 0;
    flush(asgi);
    Py_RETURN_NONE;
}

/* ---- Taking -------------------------------------------------------------- */

/* An eager task may be over when it has been made. */
static void
start(struct volo__py_asgi *asgi, const volo_job *job)
{
    struct volo__py_cycle *cycle =
        volo__py_cycle_new(asgi, job, job->route == &whole_route);
    PyObject *args = cycle ? PyTuple_Pack(1, (PyObject *)cycle) : NULL;
    PyObject *task = NULL;

    if (args)
        task = PyObject_Call(asgi->task_type, args, asgi->task_options);
    Py_XDECREF(args);
    if (!task) {
        PyErr_WriteUnraisable((PyObject *)asgi);
        if (!cycle || !cycle->begun)
            volo__py_asgi_stepped(asgi);
        if (cycle)
            volo__py_cycle_end(cycle);
    } else if (cycle->linked) {
        cycle->task = Py_NewRef(task);
    }
    Py_XDECREF(task);
    Py_XDECREF((PyObject *)cycle);
}

/* Until nothing is there, so that the descriptor is quiet again; but not for
 * ever, since the event loop has other things to do. */
static int
drain(struct volo__py_asgi *asgi)
{
    int round, i, n = 0;

    for (round = 0; round < ROUNDS; round++) {
        n = volo_queue_take(asgi->queue, asgi->jobs, sizeof *asgi->jobs, TAKE,
                            0);
        if (n <= 0)
            break;
        asgi->takes++;
        asgi->jobs_taken += (uint64_t)n;
        expect_steps(asgi, n);
        for (i = 0; i < n; i++)
            start(asgi, &asgi->jobs[i]);
    }
    return n;
}

static PyObject *
drain_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;

    (void)none;
    if (!asgi->loop) {
        PyErr_SetString(PyExc_RuntimeError, "no event loop is attached");
        return NULL;
    }
    return PyBool_FromLong(drain(asgi) >= 0);
}

static PyObject *
events_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;

    (void)none;
    volo__py_hub_run(asgi->hub);
    volo__py_sweep();
    Py_RETURN_NONE;
}

/* ---- Set-up -------------------------------------------------------------- */

static int
init_parts(struct volo__py_asgi *asgi, unsigned capacity)
{
    int err = volo_queue_new(&asgi->queue, capacity);

    if (err) {
        volo__py_raise(err, NULL);
        return -1;
    }
    asgi->hub = volo__py_hub_of(asgi->queue);
    asgi->jobs = volo_alloc(TAKE * sizeof *asgi->jobs);
    asgi->usual = volo__py_usual_new();
    if (!asgi->hub || !asgi->jobs || !asgi->usual) {
        if (asgi->hub)
            PyErr_NoMemory();
        return -1;
    }
    asgi->scope = volo__py_asgi_template(asgi);
    asgi->flush_later = PyObject_GetAttrString((PyObject *)asgi, "flush");
    return asgi->scope && asgi->flush_later ? 0 : -1;
}

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *list[] = {"app", "on_error", "root_path", "capacity", NULL};
    PyObject *app, *on_error, *root_path = names->empty;
    struct volo__py_asgi *asgi;
    unsigned capacity = 0;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|UI:Asgi", list, &app,
                                     &on_error, &root_path, &capacity))
        return NULL;
    asgi = (struct volo__py_asgi *)PyType_GenericAlloc(type, 0);
    if (!asgi)
        return NULL;
    asgi->app = Py_NewRef(app);
    asgi->on_error = Py_NewRef(on_error);
    asgi->root_path = Py_NewRef(root_path);
    if (init_parts(asgi, capacity) < 0)
        Py_CLEAR(asgi);
    return (PyObject *)asgi;
}

static void
replace(PyObject **at, PyObject *object)
{
    PyObject *old = *at;

    *at = object;
    Py_XDECREF(old);
}

static PyObject *
attach_method(PyObject *self, PyObject *args)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;
    PyObject *loop, *type, *options, *create, *soon;

    if (!PyArg_ParseTuple(args, "OOO!:attach", &loop, &type, &PyDict_Type,
                          &options))
        return NULL;
    create = PyObject_GetAttr(loop, names->create_future);
    soon = PyObject_GetAttr(loop, names->call_soon);
    if (!create || !soon) {
        Py_XDECREF(create);
        Py_XDECREF(soon);
        return NULL;
    }
    replace(&asgi->loop, Py_NewRef(loop));
    replace(&asgi->task_type, Py_NewRef(type));
    replace(&asgi->task_options, PyDict_Copy(options));
    replace(&asgi->create_future, create);
    replace(&asgi->call_soon, soon);
    if (!asgi->task_options)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
service_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;
    volo_service *service = NULL;
    int err = make_service(&service, asgi->queue);

    (void)none;
    return err ? volo__py_raise(err, NULL) : volo__py_service_proxy(service);
}

static PyObject *
set_state_method(PyObject *self, PyObject *state)
{
    if (state != Py_None && !PyDict_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "the state must be a dict or None");
        return NULL;
    }
    replace(&((struct volo__py_asgi *)self)->state,
            state == Py_None ? NULL : Py_NewRef(state));
    Py_RETURN_NONE;
}

static PyObject *
set_server_method(PyObject *self, PyObject *server)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;

    if (PyDict_SetItem(asgi->scope, names->server, server) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- The end ------------------------------------------------------------- */

static PyObject *
tasks_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;
    struct volo__py_cycle *cycle;
    PyObject *tasks = PyList_New(0);

    (void)none;
    for (cycle = asgi->cycles; tasks && cycle; cycle = cycle->next)
        if (cycle->task && PyList_Append(tasks, cycle->task) < 0)
            Py_CLEAR(tasks);
    return tasks;
}

static PyObject *
close_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;

    (void)none;
    volo_queue_close(asgi->queue);
    volo__py_hub_close(asgi->hub);
    flush(asgi);
    Py_RETURN_NONE;
}

static PyObject *
stats_method(PyObject *self, PyObject *none)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;
    const struct volo__py_figure figures[] = {
        {"takes", asgi->takes},
        {"jobs", asgi->jobs_taken},
        {"flushes", asgi->flushes},
        {"wakes", volo_queue_wakes(asgi->queue)},
    };

    (void)none;
    return volo__py_figures(figures, sizeof figures / sizeof *figures);
}

static PyObject *
active_get(PyObject *self, void *none)
{
    (void)none;
    return PyLong_FromSsize_t(((struct volo__py_asgi *)self)->active);
}

static PyObject *
fd_get(PyObject *self, void *none)
{
    int fd = volo_queue_fd(((struct volo__py_asgi *)self)->queue);

    (void)none;
    return fd < 0 ? volo__py_raise(fd, NULL) : PyLong_FromLong(fd);
}

static PyObject *
events_fd_get(PyObject *self, void *none)
{
    (void)none;
    return PyLong_FromLong(
        volo__py_hub_fd(((struct volo__py_asgi *)self)->hub));
}

/* ---- The type ------------------------------------------------------------ */

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;
    struct volo__py_cycle *cycle;

    Py_VISIT((PyObject *)Py_TYPE(self));
    Py_VISIT(asgi->app);
    Py_VISIT(asgi->on_error);
    Py_VISIT(asgi->loop);
    Py_VISIT(asgi->task_type);
    Py_VISIT(asgi->task_options);
    Py_VISIT(asgi->create_future);
    Py_VISIT(asgi->call_soon);
    Py_VISIT(asgi->flush_later);
    Py_VISIT(asgi->scope);
    Py_VISIT(asgi->state);
    for (cycle = asgi->cycles; cycle; cycle = cycle->next)
        Py_VISIT((PyObject *)cycle);
    return 0;
}

static int
clear(PyObject *self)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;

    while (asgi->cycles)
        volo__py_cycle_end(asgi->cycles);
    Py_CLEAR(asgi->app);
    Py_CLEAR(asgi->on_error);
    Py_CLEAR(asgi->loop);
    Py_CLEAR(asgi->task_type);
    Py_CLEAR(asgi->task_options);
    Py_CLEAR(asgi->create_future);
    Py_CLEAR(asgi->call_soon);
    Py_CLEAR(asgi->flush_later);
    Py_CLEAR(asgi->scope);
    Py_CLEAR(asgi->state);
    return 0;
}

static void
dealloc(PyObject *self)
{
    struct volo__py_asgi *asgi = (struct volo__py_asgi *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear(self);
    Py_CLEAR(asgi->root_path);
    volo__py_flush_send(&asgi->flush);
    volo__py_sweep();
    volo_queue_unref(asgi->queue);
    if (asgi->hub) {
        volo__py_hub_close(asgi->hub);
        volo__py_hub_unref(asgi->hub);
    }
    volo_free(asgi->jobs);
    volo__py_usual_free(asgi->usual);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef methods[] = {
    {"attach", attach_method, METH_VARARGS,
     "attach(loop, task_type, options): serve on this event loop."},
    {"service", service_method, METH_NOARGS,
     "service() -> volo_service: what servers and routers take."},
    {"set_state", set_state_method, METH_O,
     "set_state(dict | None): what each scope gets a copy of."},
    {"set_server", set_server_method, METH_O,
     "set_server((host, port) | None): where the server listens."},
    {"drain", drain_method, METH_NOARGS,
     "drain() -> bool: take what is there; False once closed."},
    {"events", events_method, METH_NOARGS,
     "events(): hear what clients have done."},
    {"flush", flush_method, METH_NOARGS, "flush(): send what is ready."},
    {"tasks", tasks_method, METH_NOARGS,
     "tasks() -> list: those of all requests in progress."},
    {"stats", stats_method, METH_NOARGS, "stats() -> dict: counters."},
    {"close", close_method, METH_NOARGS, "close(): take no more."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef members[] = {
    {"active", active_get, NULL, "Requests in progress.", NULL},
    {"fd", fd_get, NULL, "Readable while drain() has work.", NULL},
    {"events_fd", events_fd_get, NULL, "Readable while events() has.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Asgi(app, on_error, root_path='', capacity=0)"},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {0, NULL},
};

PyType_Spec volo__py_asgi_spec = {
    .name = "volo._cvolo.Asgi",
    .basicsize = sizeof(struct volo__py_asgi),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};
