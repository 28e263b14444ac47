/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Early hints (RFC 8297): field lines of a 103, before the answer.  They are
 * but hints: to who can't be told (HTTP/1.0, one who has left) nothing is.
 */
#include "call.h"
#include "gate.h"
#include "request.h"
#include "stream.h"

#include <string.h>

enum { HINTS_MAX = 64 };

static int
send_hints(volo_cx *cx, const volo_pair *pairs, size_t count)
{
    int err = count ? volo_cx_early_hints(cx, pairs, count) : 0;

    if (!err || err == VOLO_ENOTIMPL || err == VOLO_ECANCELED)
        return 0;
    if (err == VOLO_EINVAL)
        PyErr_SetString(PyExc_ValueError,
                        "no field line, or none for early hints");
    else
        volo__py_raise(err, NULL);
    return -1;
}

static int
too_many(void)
{
    PyErr_Format(PyExc_ValueError, "more than %d early hints", HINTS_MAX);
    return -1;
}

/* ---- ASGI: the values of Link fields ------------------------------------- */

static int
read_links(PyObject *tuple, volo_pair *pairs)
{
    Py_ssize_t i, n = PyTuple_Size(tuple), len;
    char *text;

    for (i = 0; i < n; i++) {
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, i), &text, &len) < 0)
            return -1;
        pairs[i].name = VOLO_STR("link");
        pairs[i].value = volo_str_make(text, (size_t)len);
    }
    return 0;
}

int
volo__py_hint_links(volo_cx *cx, PyObject *links)
{
    volo_pair pairs[HINTS_MAX] = {0};
    PyObject *tuple = PySequence_Tuple(links);
    int rc = -1;

    if (!tuple)
        return -1;
    if (PyTuple_Size(tuple) > HINTS_MAX)
        rc = too_many();
    else if (read_links(tuple, pairs) == 0)
        rc = send_hints(cx, pairs, (size_t)PyTuple_Size(tuple));
    Py_DECREF(tuple);
    return rc;
}

/* ---- Request.early_hints() ----------------------------------------------- */

/* ${lines} are names and values in turn; what ${pairs} refer to is put into
 * ${octets}. */
static int
read_lines(PyObject *lines, volo_pair *pairs, PyObject **octets)
{
    Py_ssize_t i, n = PyList_Size(lines), len;
    char *text;

    for (i = 0; i < n; i++) {
        octets[i] = PyUnicode_AsLatin1String(PyList_GetItem(lines, i));
        if (!octets[i] || PyBytes_AsStringAndSize(octets[i], &text, &len) < 0)
            return -1;
        *(i % 2 ? &pairs[i / 2].value : &pairs[i / 2].name) =
            volo_str_make(text, (size_t)len);
    }
    return 0;
}

/* Checked as the headers of a response are. */
static int
send_lines(volo_cx *cx, PyObject *lines)
{
    volo_pair pairs[HINTS_MAX] = {0};
    PyObject *octets[2 * HINTS_MAX] = {0};
    size_t count = (size_t)PyList_Size(lines) / 2, i;
    int rc;

    if (count > HINTS_MAX)
        return too_many();
    rc = read_lines(lines, pairs, octets);
    if (rc == 0)
        rc = send_hints(cx, pairs, count);
    for (i = 0; i < 2 * count; i++)
        Py_XDECREF(octets[i]);
    return rc;
}

PyObject *
volo__py_early_hints(PyObject *request, PyObject *fields)
{
    PyObject *headers = volo__py_headers_from(fields);
    volo_cx *cx = headers ? volo__py_cx_of(request) : NULL;
    int rc = -1;

    if (cx)
        rc = send_lines(cx, ((struct volo__py_headers *)headers)->lines);
    volo_cx_unref(cx);
    Py_XDECREF(headers);
    if (rc < 0)
        return NULL;
    Py_RETURN_NONE;
}
