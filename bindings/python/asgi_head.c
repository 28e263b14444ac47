/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a response as an ASGI application gives it: pairs of bytes, to
 * be checked and put into the exchange.  Framing is the server's: a
 * Content-Length is held against the body, and what concerns the connection
 * is left out.
 */
#include "asgi.h"

#include <string.h>

/* One line, borrowed from ${item}, or from ${keep} where ${item} is something
 * else than a list or tuple of bytes. */
struct line {
    const char *name;
    volo_str value;
    size_t name_len;
    PyObject *keep;
};

static int
bad(const char *words, PyObject *what)
{
    PyErr_Format(PyExc_RuntimeError, "%s: %R", words, what);
    return -1;
}

static int
read_pair(struct line *line, PyObject *pair, PyObject *item)
{
    PyObject *name, *value;
    Py_ssize_t name_len, len;
    char *text, *content;

    if (PyTuple_Size(pair) != 2)
        return bad("a header is not a pair", item);
    name = PyTuple_GetItem(pair, 0);
    value = PyTuple_GetItem(pair, 1);
    if (!PyBytes_Check(name) || !PyBytes_Check(value))
        return bad("a header is not of bytes", item);
    if (PyBytes_AsStringAndSize(name, &text, &name_len) < 0 ||
        PyBytes_AsStringAndSize(value, &content, &len) < 0)
        return -1;
    line->name = text;
    line->name_len = (size_t)name_len;
    line->value = volo_str_make(content, (size_t)len);
    return 0;
}

static int
read_line(struct line *line, PyObject *item)
{
    line->keep = PyTuple_Check(item) ? Py_NewRef(item) : PySequence_Tuple(item);
    if (!line->keep)
        return -1;
    return read_pair(line, line->keep, item);
}

static int
put_length(struct volo__py_cycle *cycle, const struct line *line,
           PyObject *item)
{
    int64_t length = 0;
    size_t i;

    for (i = 0; i < line->value.len; i++) {
        char c = line->value.ptr[i];

        if (c < '0' || c > '9' || length > INT64_MAX / 10 - 1)
            return bad("not a length", item);
        length = length * 10 + (c - '0');
    }
    if (!line->value.len ||
        (cycle->announced >= 0 && cycle->announced != length))
        return bad("not one length", item);
    cycle->announced = length;
    return 0;
}

static int
put_line(struct volo__py_cycle *cycle, const struct line *line, PyObject *item)
{
    int err;

    switch (volo_field_of(line->name, line->name_len)) {
    case VOLO_FIELD_CONTENT_LENGTH:
        return put_length(cycle, line, item);
    case VOLO_FIELD_TRANSFER_ENCODING:
    case VOLO_FIELD_CONNECTION:
    case VOLO_FIELD_KEEP_ALIVE:
    case VOLO_FIELD_PROXY_CONNECTION:
    case VOLO_FIELD_UPGRADE:
        return 0;
    default:
        break;
    }
    if (strlen(line->name) != line->name_len)
        return bad("not a header", item);
    err = volo_cx_add_header(cycle->job.cx, line->name, line->value);
    if (err == VOLO_EINVAL)
        return bad("not a header", item);
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

/* What layers outside have set by that name goes; cookies add up. */
static int
make_room(struct volo__py_cycle *cycle, const struct line *line, PyObject *item)
{
    (void)item;
    if (volo_field_of(line->name, line->name_len) != VOLO_FIELD_SET_COOKIE)
        volo_cx_remove_header(cycle->job.cx, line->name);
    return 0;
}

typedef int (*line_fn)(struct volo__py_cycle *cycle, const struct line *line,
                       PyObject *item);

static int
each_line(struct volo__py_cycle *cycle, line_fn fn)
{
    PyObject *list = cycle->headers;
    Py_ssize_t i, n = PyList_Size(list);

    for (i = 0; i < n; i++) {
        PyObject *item = PyList_GetItem(list, i);
        struct line line = {0};
        int rc = read_line(&line, item);

        if (rc == 0)
            rc = fn(cycle, &line, item);
        Py_XDECREF(line.keep);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* The list is the application's, and may be of any kind that can be read. */
static int
settle_headers(struct volo__py_cycle *cycle)
{
    PyObject *list = cycle->headers;

    if (!list || PyList_Check(list))
        return 0;
    cycle->headers = PySequence_List(list);
    Py_DECREF(list);
    return cycle->headers ? 0 : -1;
}

int
volo__py_cycle_put_head(struct volo__py_cycle *cycle)
{
    cycle->announced = -1;
    if (settle_headers(cycle) < 0)
        return -1;
    if (!cycle->headers)
        return 0;
    if (volo_cx_response_header_count(cycle->job.cx) &&
        each_line(cycle, make_room) < 0)
        return -1;
    return each_line(cycle, put_line);
}

static int
drop_line(struct volo__py_cycle *cycle, const struct line *line, PyObject *item)
{
    (void)item;
    volo_cx_remove_header(cycle->job.cx, line->name);
    return 0;
}

/* It may have stopped anywhere; an exception that is set stays. */
void
volo__py_cycle_drop_head(struct volo__py_cycle *cycle)
{
    PyObject *type, *value, *trace;

    if (!cycle->headers || !PyList_Check(cycle->headers))
        return;
    PyErr_Fetch(&type, &value, &trace);
    if (each_line(cycle, drop_line) < 0)
        PyErr_Clear();
    PyErr_Restore(type, value, trace);
}

static int
put_trailer(struct volo__py_cycle *cycle, const struct line *line,
            PyObject *item)
{
    int err = VOLO_EINVAL;

    if (strlen(line->name) == line->name_len)
        err = volo_writer_trailer(cycle->writer, line->name, line->value);
    if (err == VOLO_EINVAL)
        return bad("not a trailer", item);
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

int
volo__py_cycle_put_trailers(struct volo__py_cycle *cycle, PyObject *headers)
{
    Py_INCREF(headers);
    Py_XDECREF(cycle->headers);
    cycle->headers = headers;
    if (settle_headers(cycle) < 0)
        return -1;
    return each_line(cycle, put_trailer);
}
