/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader(request): the body as it comes, for handlers of a streaming route.  A
 * thread reads it with read() and `for`, asyncio with aread() and `async for`.
 * The body begins to come with the first of these.  How it is kept meanwhile is
 * reader_body.c's.
 */
#include "reader_body.h"

struct reader {
    PyObject ob_base;
    struct volo__py_body *body;
};

#define BODY_OF(self) (((struct reader *)(void *)(self))->body)

/* ---- Threads
 * -------------------------------------------------------------------- */

static PyObject *
read_now(struct volo__py_body *body, Py_ssize_t most)
{
    PyObject *piece = NULL;

    volo__py_body_begin(body);
    volo__py_body_want(body, most < 0);
    while (!piece) {
        if (volo__py_bell_wait(&body->bell, UINT64_MAX) < 0)
            return NULL;
        piece = volo__py_body_take(body, most);
        if (!piece && PyErr_Occurred())
            return NULL;
    }
    return piece;
}

static PyObject *
reader_read(PyObject *self, PyObject *args)
{
    Py_ssize_t most = -1;

    if (!PyArg_ParseTuple(args, "|n:read", &most))
        return NULL;
    if (most == 0)
        return PyBytes_FromStringAndSize(NULL, 0);
    return read_now(BODY_OF(self), most);
}

static PyObject *
reader_next(PyObject *self)
{
    PyObject *piece = read_now(BODY_OF(self), PY_SSIZE_T_MAX);

    if (piece && PyBytes_Size(piece) == 0)
        Py_CLEAR(piece); /* that is the end of it */
    return piece;
}

/* ---- Asyncio
 * ----------------------------------------------------------------------- */

static PyObject *
read_soon(struct volo__py_body *body, Py_ssize_t most, int iterating)
{
    volo__py_body_begin(body);
    volo__py_body_want(body, most < 0);
    body->most = most;
    body->iterating = iterating;
    return volo__py_bell_future(&body->bell);
}

static PyObject *
reader_aread(PyObject *self, PyObject *args)
{
    Py_ssize_t most = -1;

    if (!PyArg_ParseTuple(args, "|n:aread", &most))
        return NULL;
    if (most == 0) {
        PyErr_SetString(PyExc_ValueError, "aread() wants -1, or more than 0");
        return NULL;
    }
    return read_soon(BODY_OF(self), most, 0);
}

static PyObject *
reader_anext(PyObject *self)
{
    return read_soon(BODY_OF(self), PY_SSIZE_T_MAX, 1);
}

static PyObject *
reader_itself(PyObject *self)
{
    return Py_NewRef(self);
}

/* ---- The type
 * ----------------------------------------------------------------------- */

static PyObject *
reader_length(PyObject *self, void *unused)
{
    int64_t length = volo_cx_content_length(BODY_OF(self)->bell.cx);

    (void)unused;
    if (length < 0)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(length);
}

static PyObject *
reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"request", NULL};
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self, *request;
    volo_cx *cx;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Reader", names, &request))
        return NULL;
    if (volo__py_is_layers(request))
        return NULL;
    cx = volo__py_cx_of(request);
    if (!cx)
        return NULL;
    self = alloc(type, 0);
    if (self) {
        BODY_OF(self) = volo__py_body_new(cx);
        if (!BODY_OF(self)) {
            Py_CLEAR(self);
            PyErr_NoMemory();
        }
    }
    volo_cx_unref(cx);
    return self;
}

static void
reader_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = (freefunc)PyType_GetSlot(type, Py_tp_free);

    if (BODY_OF(self))
        volo__py_bell_unref(&BODY_OF(self)->bell);
    free_it(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"read", reader_read, METH_VARARGS,
     "read(max=-1) -> bytes: block for some octets, at most so many, or for "
     "all\n"
     "up to the end; b\"\" at the end.  VoloError if the body is cut off or\n"
     "beyond its limit."},
    {"aread", reader_aread, METH_VARARGS,
     "aread(max=-1): a future for the same, on the event loop."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef getset[] = {
    {"length", reader_length, NULL,
     "How many octets were announced; None if that was not said.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Reader(request)\n--\n\nThe body of a request as it comes."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_iter, reader_itself},
    {Py_tp_iternext, reader_next},
    {Py_am_aiter, reader_itself},
    {Py_am_anext, reader_anext},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL}};

PyType_Spec volo__py_reader_spec = {.name = "volo._cvolo.Reader",
                                    .basicsize = sizeof(struct reader),
                                    .flags = Py_TPFLAGS_DEFAULT,
                                    .slots = slots};
