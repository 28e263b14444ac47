/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type of a handler's coroutine: send, throw, close, and to be awaited, as
 * any coroutine is.  What happens in it is coro.c's.
 */
#include "coro.h"
#include "sent.h"

PyTypeObject *volo__py_coro_type;
PyTypeObject *volo__py_native_type;

/* ---- As a coroutine ------------------------------------------------------ */

static PySendResult
send_inner(struct volo__py_coro *self, PyObject *arg, PyObject **value)
{
    PyObject *inner = self->inner;
    PySendResult how;

    *value = NULL;
    Py_INCREF(inner);
    how = PyIter_Send(inner, arg, value);
    Py_DECREF(inner);
    return how;
}

/* After inner has done ${how} with ${value}: until something is to be waited
 * for, or the end. */
static PySendResult
go_on(struct volo__py_coro *self, PySendResult how, PyObject *value,
      PyObject **out)
{
    int more;

    while (how != PYGEN_NEXT) {
        more = volo__py_coro_advance(self, how == PYGEN_RETURN ? value : NULL);
        if (more < 0) {
            *out = NULL;
            return PYGEN_ERROR;
        }
        if (more == 0) {
            *out = self->result ? self->result : Py_None;
            Py_INCREF(*out);
            return PYGEN_RETURN;
        }
        how = send_inner(self, Py_None, &value);
    }
    *out = value;
    return PYGEN_NEXT;
}

static int
check_usable(struct volo__py_coro *self)
{
    if (self->phase != VOLO__PY_DONE)
        return 0;
    PyErr_SetString(PyExc_RuntimeError,
                    "cannot reuse already awaited coroutine");
    return -1;
}

static PySendResult
coro_am_send(PyObject *object, PyObject *arg, PyObject **out)
{
    struct volo__py_coro *self = (struct volo__py_coro *)object;
    PyObject *value;
    PySendResult how;

    *out = NULL;
    if (check_usable(self) < 0)
        return PYGEN_ERROR;
    if (self->ready) {
        value = self->ready;
        self->ready = NULL;
        return go_on(self, PYGEN_RETURN, value, out);
    }
    how = send_inner(self, arg, &value);
    return go_on(self, how, value, out);
}

static PyObject *
coro_send(PyObject *self, PyObject *arg)
{
    PyObject *value;
    PySendResult how = coro_am_send(self, arg, &value);

    return volo__py_sent(how, value);
}

static PyObject *
coro_next(PyObject *self)
{
    return coro_send(self, Py_None);
}

static PyObject *
coro_throw(PyObject *object, PyObject *args)
{
    struct volo__py_coro *self = (struct volo__py_coro *)object;
    PyObject *value, *out;
    PySendResult how;

    if (check_usable(self) < 0)
        return NULL;
    how = volo__py_thrown(volo__py_throw(self->inner, args), &value);
    how = go_on(self, how, value, &out);
    return volo__py_sent(how, out);
}

static PyObject *
coro_close(PyObject *object, PyObject *unused)
{
    struct volo__py_coro *self = (struct volo__py_coro *)object;
    PyObject *inner = self->inner, *closed = NULL;

    (void)unused;
    self->inner = NULL;
    Py_CLEAR(self->ready);
    if (inner && PyObject_HasAttrString(inner, "close")) {
        closed = PyObject_CallMethod(inner, "close", NULL);
        if (!closed) {
            Py_DECREF(inner);
            return NULL;
        }
    }
    Py_XDECREF(closed);
    Py_XDECREF(inner);
    if (self->phase != VOLO__PY_DONE) {
        Py_CLEAR(self->cancel);
        volo__py_coro_finish(self);
    }
    Py_RETURN_NONE;
}

static PyObject *
coro_self(PyObject *self)
{
    Py_INCREF(self);
    return self;
}

/* What debuggers and asyncio look at is the handler's own coroutine. */
static PyObject *
coro_getattr(PyObject *object, PyObject *name)
{
    PyObject *inner = ((struct volo__py_coro *)object)->inner;
    PyObject *value = PyObject_GenericGetAttr(object, name);

    if (value || !inner || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    return PyObject_GetAttr(inner, name);
}

/* ---- The type ------------------------------------------------------------ */

static int
coro_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct volo__py_coro *self = (struct volo__py_coro *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->call.request);
    Py_VISIT(self->call.error);
    Py_VISIT(self->handler);
    Py_VISIT(self->inner);
    Py_VISIT(self->ready);
    Py_VISIT(self->result);
    Py_VISIT(self->cancel);
    Py_VISIT(self->runner);
    return 0;
}

/* The request goes last: what else there is may look at it in its end. */
static int
coro_clear(PyObject *object)
{
    struct volo__py_coro *self = (struct volo__py_coro *)object;

    Py_CLEAR(self->inner);
    Py_CLEAR(self->ready);
    Py_CLEAR(self->result);
    Py_CLEAR(self->cancel);
    Py_CLEAR(self->runner);
    self->phase = VOLO__PY_DONE;
    volo__py_call_clear(&self->call);
    Py_CLEAR(self->handler);
    return 0;
}

static void
coro_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    coro_clear(object);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

static PyMethodDef coro_methods[] = {
    {"send", coro_send, METH_O, "As of any coroutine."},
    {"throw", coro_throw, METH_VARARGS, "As of any coroutine."},
    {"close", coro_close, METH_NOARGS, "As of any coroutine."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot coro_slots[] = {
    {Py_tp_dealloc, (void *)coro_dealloc},
    {Py_tp_traverse, (void *)coro_traverse},
    {Py_tp_clear, (void *)coro_clear},
    {Py_tp_getattro, (void *)coro_getattr},
    {Py_tp_iter, (void *)coro_self},
    {Py_tp_iternext, (void *)coro_next},
    {Py_tp_methods, coro_methods},
    {Py_am_await, (void *)coro_self},
    {Py_am_send, (void *)coro_am_send},
    {Py_tp_doc, (void *)"The coroutine of a handler, and what follows it."},
    {0, NULL}};

static PyType_Spec coro_spec = {
    "volo._cvolo.HandlerCoroutine", sizeof(struct volo__py_coro), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    coro_slots};

int
volo__py_coro_init(PyObject *module)
{
    PyObject *types = PyImport_ImportModule("types");

    (void)module;
    if (!types)
        return -1;
    volo__py_native_type =
        (PyTypeObject *)PyObject_GetAttrString(types, "CoroutineType");
    Py_DECREF(types);
    volo__py_coro_type = (PyTypeObject *)PyType_FromSpec(&coro_spec);
    return volo__py_native_type && volo__py_coro_type ? 0 : -1;
}
