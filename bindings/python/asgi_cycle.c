/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange with an ASGI application: the coroutine that a task drives.  It
 * is between the task and the application's own coroutine, so that it knows
 * without a callback when that is over, and how.
 *
 * What the messages mean is asgi_receive.c's and asgi_send.c's; what becomes of
 * an application's end, asgi_end.c's.
 */
#include "asgi_types.h"
#include "sent.h"

#include <string.h>

static struct volo__py_asgi_names *const names = &volo__py_asgi_names;

/* ---- Its life ------------------------------------------------------------ */

struct volo__py_cycle *
volo__py_cycle_new(struct volo__py_asgi *asgi, const volo_job *job, int whole)
{
    struct volo__py_cycle *cycle =
        (struct volo__py_cycle *)PyType_GenericAlloc(names->cycle_type, 0);

    if (!cycle) {
        volo_cx_unref(job->cx);
        return NULL;
    }
    cycle->asgi = asgi;
    Py_INCREF((PyObject *)asgi);
    cycle->job = *job;
    cycle->head.cx = job->cx;
    cycle->whole = (uint8_t)whole;
    cycle->head.announced = -1;

    cycle->linked = 1;
    cycle->next = asgi->cycles;
    if (cycle->next)
        cycle->next->prev = cycle;
    asgi->cycles = cycle;
    asgi->active++;
    return (struct volo__py_cycle *)Py_NewRef((PyObject *)cycle);
}

/* Not at work any more. */
static void
unlink_cycle(struct volo__py_cycle *cycle)
{
    if (!cycle->linked)
        return;
    cycle->linked = 0;
    if (cycle->next)
        cycle->next->prev = cycle->prev;
    if (cycle->prev)
        cycle->prev->next = cycle->next;
    else
        cycle->asgi->cycles = cycle->next;
    cycle->next = cycle->prev = NULL;
    cycle->asgi->active--;
    Py_DECREF((PyObject *)cycle);
}

struct volo__py_link *
volo__py_cycle_link(struct volo__py_cycle *cycle)
{
    if (!cycle->link) {
        cycle->link = volo__py_link_new(cycle->asgi->hub, (PyObject *)cycle);
        if (!cycle->link)
            PyErr_NoMemory();
    }
    return cycle->link;
}

/* ---- Waking -------------------------------------------------------------- */

/* One that has been cancelled is done. */
static void
wake_one(PyObject *future)
{
    PyObject *is_done = PyObject_CallMethodObjArgs(future, names->done, NULL);
    PyObject *set = NULL;

    if (is_done == Py_False)
        set = PyObject_CallMethodObjArgs(future, names->set_result, Py_None,
                                         NULL);
    else
        set = Py_XNewRef(is_done);
    if (!set)
        PyErr_WriteUnraisable(future);
    Py_XDECREF(set);
    Py_XDECREF(is_done);
}

void
volo__py_cycle_wake(struct volo__py_cycle *cycle)
{
    PyObject *waiters = cycle->waiters;
    Py_ssize_t i;

    if (!waiters)
        return;
    cycle->waiters = NULL;
    for (i = 0; i < PyList_Size(waiters); i++)
        wake_one(PyList_GetItem(waiters, i));
    Py_DECREF(waiters);
}

void
volo__py_cycle_hear(struct volo__py_cycle *cycle, unsigned said)
{
    if (said & VOLO__PY_GONE)
        cycle->gone = 1;
    volo__py_cycle_wake(cycle);
}

/* ---- The end ------------------------------------------------------------- */

void
volo__py_cycle_end(struct volo__py_cycle *cycle)
{
    Py_INCREF((PyObject *)cycle);
    cycle->begun = 1;
    volo__py_cycle_fail(cycle);
    Py_CLEAR(cycle->coro);
    Py_CLEAR(cycle->task);
    unlink_cycle(cycle);
    Py_DECREF((PyObject *)cycle);
}

/* ---- The beginning ------------------------------------------------------- */

static PyObject *
receive_function(PyObject *self, PyObject *none)
{
    (void)none;
    return volo__py_wait_receive((struct volo__py_cycle *)self);
}

static PyObject *
send_function(PyObject *self, PyObject *message)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;
    PyObject *data, *wait;
    int rc = volo__py_cycle_send(cycle, message), more;

    if (rc)
        return rc > 0 ? volo__py_wait_done() : NULL;
    data = volo__py_body_of(message);
    more = volo__py_flag_of(message, names->more_body);
    wait = data && more >= 0 ? volo__py_wait_write(cycle, data, more) : NULL;
    Py_XDECREF(data);
    return wait;
}

static PyMethodDef receive_def = {
    "receive", receive_function, METH_NOARGS,
    "receive() -> awaitable of the next message to the application."};
static PyMethodDef send_def = {
    "send", send_function, METH_O,
    "send(message) -> awaitable, until the message has been taken."};

/* What is awaited of something that is no coroutine. */
static PyObject *
awaited(PyObject *object)
{
    PyObject *iter;

    if (PyType_GetSlot(Py_TYPE(object), Py_am_send))
        return object;
    iter = PyObject_CallMethodObjArgs(object, names->await_, NULL);
    Py_DECREF(object);
    return iter;
}

static PyObject *
call_app(struct volo__py_cycle *cycle)
{
    struct volo__py_asgi *asgi = cycle->asgi;
    PyObject *scope = volo__py_asgi_scope(asgi, &cycle->job);
    PyObject *receive = PyCFunction_New(&receive_def, (PyObject *)cycle);
    PyObject *send = PyCFunction_New(&send_def, (PyObject *)cycle);
    PyObject *made = NULL;

    if (scope && receive && send)
        made =
            PyObject_CallFunctionObjArgs(asgi->app, scope, receive, send, NULL);
    Py_XDECREF(scope);
    Py_XDECREF(receive);
    Py_XDECREF(send);
    return made ? awaited(made) : NULL;
}

/* ---- Steps --------------------------------------------------------------- */

static PySendResult
drive(struct volo__py_cycle *cycle, PyObject *arg, PyObject **result)
{
    PySendResult status = PYGEN_ERROR;

    if (!cycle->coro && !cycle->begun) {
        cycle->begun = 1;
        cycle->coro = call_app(cycle);
    } else if (!cycle->coro) {
        PyErr_SetString(PyExc_RuntimeError, "the cycle is over");
        return PYGEN_ERROR;
    }
    if (cycle->coro)
        status = PyIter_Send(cycle->coro, arg, result);
    return status == PYGEN_NEXT ? status
                                : volo__py_cycle_finish(cycle, status, result);
}

static PySendResult
step(PyObject *self, PyObject *arg, PyObject **result)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;
    struct volo__py_asgi *asgi = cycle->asgi;
    int first = !cycle->begun;
    PySendResult status;

    *result = NULL;
    status = drive(cycle, arg, result);
    if (first || status != PYGEN_NEXT) {
        Py_INCREF(self);
        Py_INCREF((PyObject *)asgi);
        if (status != PYGEN_NEXT)
            unlink_cycle(cycle);
        if (first)
            volo__py_asgi_stepped(asgi);
        Py_DECREF((PyObject *)asgi);
        Py_DECREF(self);
    }
    return status;
}

static PyObject *
send_method(PyObject *self, PyObject *arg)
{
    PyObject *value = NULL;
    PySendResult status = step(self, arg, &value);

    return volo__py_sent(status, value);
}

static PyObject *
next(PyObject *self)
{
    return send_method(self, Py_None);
}

/* ---- Throwing ------------------------------------------------------------ */

static PyObject *
throw_method(PyObject *self, PyObject *args)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;
    struct volo__py_asgi *asgi = cycle->asgi;
    int first = !cycle->begun;
    PyObject *value = NULL;
    PySendResult status;

    cycle->begun = 1;
    Py_INCREF(self);
    Py_INCREF((PyObject *)asgi);
    status = volo__py_thrown(volo__py_throw(cycle->coro, args), &value);
    if (status != PYGEN_NEXT) {
        status = volo__py_cycle_finish(cycle, status, &value);
        unlink_cycle(cycle);
    }
    if (first)
        volo__py_asgi_stepped(asgi);
    Py_DECREF((PyObject *)asgi);
    Py_DECREF(self);
    return volo__py_sent(status, value);
}

static PyObject *
close_method(PyObject *self, PyObject *none)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;
    PyObject *coro = cycle->coro;

    (void)none;
    cycle->begun = 1;
    if (!coro)
        Py_RETURN_NONE;
    return PyObject_CallMethodObjArgs(coro, names->close_, NULL);
}

/* cr_frame and the like, for who looks at a task: the application's. */
static PyObject *
getattro(PyObject *self, PyObject *name)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;
    PyObject *value = PyObject_GenericGetAttr(self, name);

    if (value || !cycle->coro || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    return PyObject_GetAttr(cycle->coro, name);
}

/* ---- The type ------------------------------------------------------------ */

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;

    Py_VISIT((PyObject *)Py_TYPE(self));
    Py_VISIT((PyObject *)cycle->asgi);
    Py_VISIT(cycle->coro);
    Py_VISIT(cycle->task);
    Py_VISIT(cycle->head.lines);
    Py_VISIT(cycle->waiters);
    return 0;
}

static int
clear(PyObject *self)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;

    Py_CLEAR(cycle->coro);
    Py_CLEAR(cycle->task);
    Py_CLEAR(cycle->head.lines);
    Py_CLEAR(cycle->waiters);
    return 0;
}

static void
dealloc(PyObject *self)
{
    struct volo__py_cycle *cycle = (struct volo__py_cycle *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    volo__py_cycle_let_go(cycle);
    volo__py_link_unref(cycle->link);
    clear(self);
    Py_CLEAR(cycle->asgi);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef methods[] = {
    {"send", send_method, METH_O, "As of a coroutine."},
    {"throw", throw_method, METH_VARARGS, "As of a coroutine."},
    {"close", close_method, METH_NOARGS, "As of a coroutine."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_getattro, getattro},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, next},
    {Py_tp_methods, methods},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, step},
    {0, NULL},
};

PyType_Spec volo__py_cycle_spec = {
    .name = "volo._cvolo.AsgiCycle",
    .basicsize = sizeof(struct volo__py_cycle),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
