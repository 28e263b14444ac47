/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body that a WSGI application returns.  If its first piece is known to be
 * all of it, the answer is one; else each piece is sent before the next is
 * asked for, as PEP 3333 wants.
 */
#include "wsgi.h"

#include "asgi.h"

/* The next piece that is not empty: 1; 0 at the end; -1. */
static int
next_piece(PyObject *iter, PyObject **out)
{
    for (;;) {
        PyObject *piece = PyIter_Next(iter);

        if (!piece)
            return PyErr_Occurred() ? -1 : 0;
        if (!PyBytes_Check(piece)) {
            PyErr_Format(PyExc_TypeError,
                         "a WSGI application returned %R where bytes belong",
                         (PyObject *)Py_TYPE(piece));
            Py_DECREF(piece);
            return -1;
        }
        if (PyBytes_Size(piece) > 0) {
            *out = piece;
            return 1;
        }
        Py_DECREF(piece);
    }
}

/* A list of one piece says so itself. */
static int
is_single(PyObject *result)
{
    return (PyList_Check(result) && PyList_Size(result) == 1) ||
           (PyTuple_Check(result) && PyTuple_Size(result) == 1);
}

static int
send_whole(struct volo__py_start *start, PyObject *bytes)
{
    if (volo__py_length_check(start->head.announced, PyBytes_Size(bytes)) < 0 ||
        volo__py_body_set(start->job.cx, bytes) < 0)
        return -1;
    start->sent = start->answers = 1;
    return 0;
}

/* Beyond the end there must be nothing, and to come to it an application may
 * have something to do. */
static int
expect_end(PyObject *iter)
{
    PyObject *piece = NULL;
    int rc = next_piece(iter, &piece);

    Py_XDECREF(piece);
    if (rc == 1)
        PyErr_SetString(PyExc_RuntimeError,
                        "the response is longer than its Content-Length");
    return rc == 0 ? 0 : -1;
}

static int
end(struct volo__py_start *start)
{
    PyObject *done;

    if (!start->writer)
        return 0;
    done = PyObject_CallMethod(start->writer, "end", NULL);
    if (!done && !volo_cx_is_canceled(start->job.cx)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_RuntimeError,
                        "the response is shorter than its Content-Length");
    }
    start->gone = !done && volo_cx_is_canceled(start->job.cx);
    Py_XDECREF(done);
    Py_CLEAR(start->writer);
    start->muted = 1;
    return done ? 0 : -1;
}

/* Takes over ${piece}, which may be NULL. */
static int
stream(struct volo__py_start *start, PyObject *iter, PyObject *piece)
{
    int rc = piece ? 1 : 0;

    while (rc > 0 && !start->muted) {
        rc = volo__py_start_write(start, piece);
        Py_CLEAR(piece);
        if (rc == 0)
            rc = next_piece(iter, &piece);
    }
    Py_XDECREF(piece);
    return rc < 0 ? -1 : end(start);
}

/* Nothing has left yet: with the first piece, if there is one, it is seen how
 * the answer goes. */
static int
send_first(struct volo__py_start *start, PyObject *iter, PyObject *piece,
           int single)
{
    if (volo__py_start_put(start) < 0)
        return -1;
    if (volo__py_is_bodiless(start->job.method, start->status))
        return volo__py_start_begin(start);
    if (!piece)
        return send_whole(start, volo__py_asgi_names.no_bytes);
    if (single)
        return send_whole(start, piece);
    if (start->head.announced == PyBytes_Size(piece))
        return expect_end(iter) < 0 ? -1 : send_whole(start, piece);
    if (volo__py_start_begin(start) < 0)
        return -1;
    return stream(start, iter, Py_NewRef(piece));
}

int
volo__py_start_send(struct volo__py_start *start, PyObject *result)
{
    PyObject *iter = PyObject_GetIter(result), *piece = NULL;
    int rc = iter ? next_piece(iter, &piece) : -1;

    if (rc >= 0) {
        rc = start->sent ? stream(start, iter, Py_XNewRef(piece))
                         : send_first(start, iter, piece, is_single(result));
    }
    Py_XDECREF(piece);
    Py_XDECREF(iter);
    return rc;
}
