/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a streamed answer: status and field lines of a Response into its
 * exchange.  A line takes the place of what outer layers have set by its name,
 * and stands beside others of the same Response; as with answers in memory.
 */
#include "stream.h"

#include "call.h"

static int
refuse(int err)
{
    volo__py_raise(err, NULL);
    return -1;
}

/* Whether line ${i} has the name of an earlier one. */
static int
is_repeated(PyObject *lines, Py_ssize_t i, PyObject *name)
{
    Py_ssize_t j;

    for (j = 0; j < i; j += 2)
        if (PyUnicode_Compare(PyList_GetItem(lines, j), name) == 0)
            return 1;
    return 0;
}

/* Field lines are octets: a character for each. */
static int
latin(PyObject *str, PyObject **bytes, volo_str *out)
{
    *bytes = PyUnicode_AsLatin1String(str);
    if (!*bytes)
        return -1;
    *out =
        volo_str_make(PyBytes_AsString(*bytes), (size_t)PyBytes_Size(*bytes));
    return 0;
}

static int
put_octets(volo_cx *cx, volo_str name, volo_str value, int repeated)
{
    int err = VOLO_EINVAL;

    if (strlen(name.ptr) != name.len)
        return refuse(err);
    if (repeated || volo_str_eq(name, VOLO_STR("set-cookie")))
        err = volo_cx_add_header(cx, name.ptr, value);
    else
        err = volo_cx_set_header(cx, name.ptr, value);
    return err ? refuse(err) : 0;
}

static int
put_line(volo_cx *cx, PyObject *name, PyObject *value, int repeated)
{
    PyObject *name_bytes = NULL, *value_bytes = NULL;
    volo_str key, text;
    int rc = -1;

    if (latin(name, &name_bytes, &key) == 0 &&
        latin(value, &value_bytes, &text) == 0)
        rc = put_octets(cx, key, text, repeated);
    Py_XDECREF(name_bytes);
    Py_XDECREF(value_bytes);
    return rc;
}

static int
put_lines(volo_cx *cx, PyObject *lines)
{
    Py_ssize_t i, n = PyList_Size(lines);

    for (i = 0; i + 1 < n; i += 2) {
        PyObject *name = PyList_GetItem(lines, i);
        PyObject *value = PyList_GetItem(lines, i + 1);

        if (put_line(cx, name, value, is_repeated(lines, i, name)) < 0)
            return -1;
    }
    return 0;
}

/* Unless a line has said so. */
static int
put_media(volo_cx *cx, PyObject *lines, PyObject *media)
{
    PyObject *name;
    int rc = -1;

    if (!PyUnicode_Check(media))
        return 0;
    name = PyUnicode_FromString("content-type");
    if (name && lines && is_repeated(lines, PyList_Size(lines), name))
        rc = 0;
    else if (name)
        rc = put_line(cx, name, media, 0);
    Py_XDECREF(name);
    return rc;
}

static int
put_fields(volo_cx *cx, struct volo__py_response *response)
{
    PyObject *headers = volo__py_response_take(response, &response->headers);
    PyObject *media = volo__py_response_take(response, &response->media);
    PyObject *lines = NULL;
    int rc = 0;

    if (headers) {
        lines =
            volo__py_headers_list((struct volo__py_headers *)(void *)headers);
        rc = lines ? put_lines(cx, lines) : -1;
    }
    if (!rc && media)
        rc = put_media(cx, lines, media);
    Py_XDECREF(lines);
    Py_XDECREF(media);
    Py_XDECREF(headers);
    return rc;
}

int
volo__py_put_head(volo_cx *cx, PyObject *object)
{
    struct volo__py_response *response = (void *)object;
    int err;

    if (!PyObject_TypeCheck(object, volo__py.response_type)) {
        PyErr_SetString(PyExc_TypeError, "expected a Response");
        return -1;
    }
    err = volo_cx_set_status(cx, response->status ? response->status : 200);
    return err ? refuse(err) : put_fields(cx, response);
}
