/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What receive() and send() give to be awaited.  It is done at once where that
 * can be, without a suspension and without an exception to carry the value;
 * else it waits on a future and then tries again.  It passes for a coroutine,
 * so that it can be made a task.
 */
#include "asgi_types.h"
#include "sent.h"

enum kind { DONE, RECEIVE, WRITE };

struct wait {
    PyObject ob_base;
    enum kind kind;
    int more;
    struct volo__py_cycle *cycle;
    PyObject *data;
    PyObject *iter; /* of the future that is awaited, or NULL */
};

static PyObject *done;

static struct wait *
make(enum kind kind, struct volo__py_cycle *cycle)
{
    PyTypeObject *type = volo__py_asgi_names.wait_type;
    struct wait *wait = (struct wait *)PyType_GenericAlloc(type, 0);

    if (wait) {
        wait->kind = kind;
        wait->cycle = cycle;
        Py_XINCREF((PyObject *)cycle);
    }
    return wait;
}

PyObject *
volo__py_wait_done(void)
{
    if (!done)
        done = (PyObject *)make(DONE, NULL);
    return done ? Py_NewRef(done) : NULL;
}

PyObject *
volo__py_wait_receive(struct volo__py_cycle *cycle)
{
    return (PyObject *)make(RECEIVE, cycle);
}

PyObject *
volo__py_wait_write(struct volo__py_cycle *cycle, PyObject *data, int more)
{
    struct wait *wait = make(WRITE, cycle);

    if (wait) {
        wait->data = Py_NewRef(data);
        wait->more = more;
    }
    return (PyObject *)wait;
}

/* ---- Steps --------------------------------------------------------------- */

/* 1 with a value, 0 if it must wait, -1. */
static int
try(struct wait *wait, PyObject **out)
{
    int rc;

    if (wait->kind == RECEIVE)
        return volo__py_cycle_receive(wait->cycle, out);
    rc = wait->kind == DONE
             ? 1
             : volo__py_cycle_write(wait->cycle, wait->data, wait->more);
    if (rc == 1)
        *out = Py_NewRef(Py_None);
    return rc;
}

/* A future that the cycle sets when there is news. */
static int
begin_wait(struct wait *wait)
{
    struct volo__py_cycle *cycle = wait->cycle;
    PyObject *future = PyObject_CallObject(cycle->asgi->create_future, NULL);
    int rc = -1;

    if (!future)
        return -1;
    if (!cycle->waiters)
        cycle->waiters = PyList_New(0);
    if (cycle->waiters && PyList_Append(cycle->waiters, future) == 0) {
        wait->iter = PyObject_CallMethodObjArgs(
            future, volo__py_asgi_names.await_, NULL);
        rc = wait->iter ? 0 : -1;
    }
    Py_DECREF(future);
    return rc;
}

static PySendResult
step(PyObject *self, PyObject *arg, PyObject **result)
{
    struct wait *wait = (struct wait *)self;
    PySendResult rc;
    int ready;

    for (;;) {
        if (wait->iter) {
            rc = PyIter_Send(wait->iter, arg, result);
            if (rc == PYGEN_NEXT)
                return rc;
            Py_CLEAR(wait->iter);
            if (rc == PYGEN_ERROR)
                return rc;
            Py_CLEAR(*result);
        }
        ready = try(wait, result);
        if (ready)
            return ready > 0 ? PYGEN_RETURN : PYGEN_ERROR;
        if (begin_wait(wait) < 0)
            return PYGEN_ERROR;
        arg = Py_None;
    }
}

/* ---- The same for who does not know am_send ------------------------------ */

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

/* What waits is told; what does not is over. */
static PyObject *
throw_method(PyObject *self, PyObject *args)
{
    struct wait *wait = (struct wait *)self;
    PyObject *value = volo__py_throw(wait->iter, args);

    if (!value)
        Py_CLEAR(wait->iter);
    return value;
}

static PyObject *
close_method(PyObject *self, PyObject *none)
{
    (void)none;
    Py_CLEAR(((struct wait *)self)->iter);
    Py_RETURN_NONE;
}

/* ---- The type ------------------------------------------------------------ */

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    struct wait *wait = (struct wait *)self;

    Py_VISIT((PyObject *)Py_TYPE(self));
    Py_VISIT((PyObject *)wait->cycle);
    Py_VISIT(wait->iter);
    return 0;
}

static int
clear(PyObject *self)
{
    struct wait *wait = (struct wait *)self;

    Py_CLEAR(wait->cycle);
    Py_CLEAR(wait->data);
    Py_CLEAR(wait->iter);
    return 0;
}

static void
dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear(self);
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
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, next},
    {Py_tp_methods, methods},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, step},
    {0, NULL},
};

PyType_Spec volo__py_wait_spec = {
    .name = "volo._cvolo.AsgiWait",
    .basicsize = sizeof(struct wait),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
