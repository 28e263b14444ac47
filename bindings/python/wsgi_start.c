/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_response: what a WSGI application says its status and field lines to,
 * and what it may write() to.  Nothing leaves before the first octet of the
 * body does, so that a mistake can still be answered.
 */
#include "wsgi.h"

/* ---- Sending ------------------------------------------------------------- */

PyObject *
volo__py_start_request(struct volo__py_start *start)
{
    if (!start->request) {
        start->owned = 0;
        start->request = volo__py_request_new(&start->job, start->handler);
    }
    return start->request;
}

static int
begin_muted(struct volo__py_start *start)
{
    int err = volo__py_head_only(start->job.cx, start->head.announced);

    start->muted = 1;
    if (!err || err == VOLO_ECANCELED)
        return 0;
    volo__py_raise(err, NULL);
    return -1;
}

int
volo__py_start_put(struct volo__py_start *start)
{
    if (!start->status) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the WSGI application has not called start_response");
        return -1;
    }
    if (start->put)
        return 0;
    start->put = 1;
    volo_cx_set_status(start->job.cx, start->status);
    return volo__py_head_put(&start->head);
}

int
volo__py_start_begin(struct volo__py_start *start)
{
    PyObject *request;

    if (volo__py_start_put(start) < 0)
        return -1;
    start->sent = 1;
    if (volo__py_is_bodiless(start->job.method, start->status))
        return begin_muted(start);
    request = volo__py_start_request(start);
    if (!request)
        return -1;
    start->writer =
        PyObject_CallFunction((PyObject *)volo__py.writer_type, "OOL", request,
                              Py_None, (long long)start->head.announced);
    if (!start->writer)
        start->gone = volo_cx_is_canceled(start->job.cx);
    return start->writer ? 0 : -1;
}

static int
fails(struct volo__py_start *start)
{
    start->gone = volo_cx_is_canceled(start->job.cx);
    return -1;
}

/* Until it has been taken. */
int
volo__py_start_write(struct volo__py_start *start, PyObject *bytes)
{
    PyObject *taken, *room;
    int done;

    while (!start->muted) {
        taken = PyObject_CallMethod(start->writer, "write", "O", bytes);
        if (!taken)
            return fails(start);
        done = taken == Py_True;
        Py_DECREF(taken);
        if (done)
            break;
        room = PyObject_CallMethod(start->writer, "wait", NULL);
        if (!room)
            return fails(start);
        Py_DECREF(room);
    }
    return 0;
}

/* ---- What the application calls ------------------------------------------ */

static int
is_over(const struct volo__py_start *start)
{
    if (!start->wsgi)
        PyErr_SetString(PyExc_RuntimeError, "the request is over");
    return !start->wsgi;
}

static PyObject *
write_method(PyObject *self, PyObject *bytes)
{
    struct volo__py_start *start = (struct volo__py_start *)self;

    if (is_over(start))
        return NULL;
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "write() wants bytes");
        return NULL;
    }
    if (!start->sent && volo__py_start_begin(start) < 0)
        return NULL;
    if (volo__py_start_write(start, bytes) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* "200 OK": 0 if it is none. */
static int
status_of(PyObject *text)
{
    Py_ssize_t len;
    const char *s = PyUnicode_AsUTF8AndSize(text, &len);
    int i, status = 0;

    for (i = 0; s && i < 3; i++) {
        if (i >= len || s[i] < '0' || s[i] > '9')
            s = NULL;
        else
            status = status * 10 + (s[i] - '0');
    }
    if (s && (len == 3 || s[3] == ' ') && status >= 200)
        return status;
    PyErr_Format(PyExc_ValueError, "a status is a str such as '200 OK', not %R",
                 text);
    return 0;
}

/* Whose head has left must know what went wrong; else this takes its place. */
static int
check_exception(struct volo__py_start *start, PyObject *info)
{
    PyObject *error;

    if (info == Py_None) {
        if (!start->status)
            return 0;
        PyErr_SetString(PyExc_RuntimeError,
                        "start_response has been called before");
        return -1;
    }
    if (!start->sent)
        return 0;
    error = PySequence_GetItem(info, 1);
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return -1;
}

static PyObject *
call(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *list[] = {"status", "headers", "exc_info", NULL};
    struct volo__py_start *start = (struct volo__py_start *)self;
    PyObject *status, *headers, *info = Py_None, *old = start->head.lines;
    int number;

    if (is_over(start) ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "UO!|O:start_response",
                                     list, &status, &PyList_Type, &headers,
                                     &info) ||
        check_exception(start, info) < 0)
        return NULL;
    number = status_of(status);
    if (!number)
        return NULL;
    if (start->put)
        volo__py_head_drop(&start->head);
    start->put = 0;
    start->status = number;
    start->head.lines = PyList_GetSlice(headers, 0, PyList_Size(headers));
    Py_XDECREF(old);
    return start->head.lines ? PyObject_GetAttrString(self, "write") : NULL;
}

/* ---- The type ------------------------------------------------------------ */

static void
dealloc(PyObject *self)
{
    struct volo__py_start *start = (struct volo__py_start *)self;
    PyTypeObject *type = Py_TYPE(self);

    Py_CLEAR(start->writer);
    Py_CLEAR(start->request);
    if (start->owned)
        volo_cx_unref(start->job.cx);
    Py_CLEAR(start->head.lines);
    Py_CLEAR(start->handler);
    Py_CLEAR(start->wsgi);
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef methods[] = {
    {"write", write_method, METH_O,
     "write(data: bytes): send them now; blocks while there is no room."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "start_response(status, headers, exc_info=None) -> write"},
    {Py_tp_dealloc, dealloc},
    {Py_tp_call, call},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec volo__py_start_spec = {
    .name = "volo._cvolo.start_response",
    .basicsize = sizeof(struct volo__py_start),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
