/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a response as an ASGI or WSGI application gives it: pairs, to be
 * checked and put into the exchange.  Framing is the server's: a
 * Content-Length is held against the body, and what concerns the connection
 * is left out.
 */
#include "gate.h"

#include <string.h>

/* One line, borrowed from ${pair}: a tuple of two bytes. */
struct line {
    const char *name;
    volo_str value;
    size_t name_len;
    PyObject *pair;
};

static int
bad(const char *words, PyObject *what)
{
    PyErr_Format(PyExc_RuntimeError, "%s: %R", words, what);
    return -1;
}

/* WSGI's str have one character for each octet. */
static PyObject *
encoded(PyObject *pair)
{
    PyObject *name = PyTuple_GetItem(pair, 0);
    PyObject *value = PyTuple_GetItem(pair, 1), *both = NULL;

    name = PyUnicode_Check(name) ? PyUnicode_AsLatin1String(name) : NULL;
    value = PyUnicode_Check(value) ? PyUnicode_AsLatin1String(value) : NULL;
    if (name && value)
        both = PyTuple_Pack(2, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return both;
}

/* ${item} as a tuple of two; NULL without an exception if it is none. */
static PyObject *
as_pair(const struct volo__py_head *head, PyObject *item)
{
    PyObject *pair, *both;

    pair = PyTuple_Check(item) ? Py_NewRef(item) : PySequence_Tuple(item);
    if (!pair || PyTuple_Size(pair) != 2) {
        Py_XDECREF(pair);
        return NULL;
    }
    if (!head->text)
        return pair;
    both = encoded(pair);
    Py_DECREF(pair);
    return both;
}

static int
read_line(struct line *line, const struct volo__py_head *head, PyObject *item)
{
    PyObject *pair = as_pair(head, item);
    Py_ssize_t name_len, len;
    char *name, *value;

    line->pair = pair;
    if (!pair ||
        PyBytes_AsStringAndSize(PyTuple_GetItem(pair, 0), &name, &name_len) <
            0 ||
        PyBytes_AsStringAndSize(PyTuple_GetItem(pair, 1), &value, &len) < 0) {
        PyErr_Clear();
        return bad(head->text ? "not a pair of two str"
                              : "not a pair of two bytes",
                   item);
    }
    line->name = name;
    line->name_len = (size_t)name_len;
    line->value = volo_str_make(value, (size_t)len);
    return 0;
}

static int
put_length(struct volo__py_head *head, const struct line *line, PyObject *item)
{
    int64_t length = 0;
    size_t i;

    for (i = 0; i < line->value.len; i++) {
        char c = line->value.ptr[i];

        if (c < '0' || c > '9' || length > INT64_MAX / 10 - 1)
            return bad("not a length", item);
        length = length * 10 + (c - '0');
    }
    if (!line->value.len || (head->announced >= 0 && head->announced != length))
        return bad("not one length", item);
    head->announced = length;
    return 0;
}

static int
put_line(struct volo__py_head *head, const struct line *line, PyObject *item)
{
    int err;

    switch (volo_field_of(line->name, line->name_len)) {
    case VOLO_FIELD_CONTENT_LENGTH:
        return put_length(head, line, item);
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
    err = volo_cx_add_header(head->cx, line->name, line->value);
    if (err == VOLO_EINVAL)
        return bad("not a header", item);
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

/* What layers outside have set by that name goes; cookies add up. */
static int
make_room(struct volo__py_head *head, const struct line *line, PyObject *item)
{
    (void)item;
    if (volo_field_of(line->name, line->name_len) != VOLO_FIELD_SET_COOKIE)
        volo_cx_remove_header(head->cx, line->name);
    return 0;
}

typedef int (*line_fn)(struct volo__py_head *head, const struct line *line,
                       PyObject *item);

static int
each_line(struct volo__py_head *head, PyObject *list, line_fn fn)
{
    Py_ssize_t i, n = PyList_Size(list);

    for (i = 0; i < n; i++) {
        PyObject *item = PyList_GetItem(list, i);
        struct line line = {0};
        int rc = read_line(&line, head, item);

        if (rc == 0)
            rc = fn(head, &line, item);
        Py_XDECREF(line.pair);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* The application's may be of any kind that can be read. */
static int
each(struct volo__py_head *head, PyObject *lines, line_fn fn)
{
    PyObject *list =
        PyList_Check(lines) ? Py_NewRef(lines) : PySequence_List(lines);
    int rc = -1;

    if (list)
        rc = each_line(head, list, fn);
    Py_XDECREF(list);
    return rc;
}

int
volo__py_head_put(struct volo__py_head *head)
{
    head->announced = -1;
    if (!head->lines)
        return 0;
    if (volo_cx_response_header_count(head->cx) &&
        each(head, head->lines, make_room) < 0)
        return -1;
    return each(head, head->lines, put_line);
}

static int
drop_line(struct volo__py_head *head, const struct line *line, PyObject *item)
{
    (void)item;
    volo_cx_remove_header(head->cx, line->name);
    return 0;
}

/* It may have stopped anywhere. */
void
volo__py_head_drop(struct volo__py_head *head)
{
    PyObject *type, *value, *trace;

    if (!head->lines)
        return;
    PyErr_Fetch(&type, &value, &trace);
    if (each(head, head->lines, drop_line) < 0)
        PyErr_Clear();
    PyErr_Restore(type, value, trace);
}

/* ---- Trailers ------------------------------------------------------------ */

struct tail {
    struct volo__py_head head; /* first */
    volo_writer *writer;
};

static int
put_trailer(struct volo__py_head *head, const struct line *line, PyObject *item)
{
    volo_writer *writer = ((struct tail *)head)->writer;
    int err = VOLO_EINVAL;

    if (strlen(line->name) == line->name_len)
        err = volo_writer_trailer(writer, line->name, line->value);
    if (err == VOLO_EINVAL)
        return bad("not a trailer", item);
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

int
volo__py_head_trail(volo_writer *writer, PyObject *lines)
{
    struct tail tail = {.writer = writer};

    return each(&tail.head, lines, put_trailer);
}
