/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals: the exception Invalid, and the body of an error, the same that
 * libvolo itself answers with: RFC 9457 for those who name JSON in Accept,
 * else a short text.
 */
#include "call.h"

#include <string.h>

/* ---- The exception ------------------------------------------------------- */

static int
invalid_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"status", "errors", NULL};
    PyObject *status, *errors, *list;
    int err;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Invalid", names, &status,
                                     &errors) ||
        volo__py_status_of(status) < 0)
        return -1;
    list = PySequence_List(errors);
    if (!list)
        return -1;
    err = PyObject_SetAttrString(self, "status", status);
    if (!err)
        err = PyObject_SetAttrString(self, "errors", list);
    Py_DECREF(list);
    return err;
}

void
volo__py_reject(int status, PyObject *errors)
{
    PyObject *hook = volo__py.hooks.rejection, *error;

    error = hook
                ? PyObject_CallFunction(hook, "Oi", errors, status)
                : PyObject_CallFunction(volo__py.invalid, "iO", status, errors);
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
}

void
volo__py_refuse(int status, const char *field, const char *where,
                const char *reason)
{
    PyObject *errors = Py_BuildValue("[(sss)]", field, where, reason);

    if (errors)
        volo__py_reject(status, errors);
    Py_XDECREF(errors);
}

/* ---- Who wants JSON ------------------------------------------------------ */

volo_str
volo__py_accept(const volo_job *job)
{
    size_t i;

    for (i = 0; i < job->header_count; i++)
        if (job->headers[i].id == VOLO_FIELD_ACCEPT)
            return job->headers[i].value;
    return volo_str_make(NULL, 0);
}

/* The next element of a list; commas in quotes are none. */
static volo_str
take_element(volo_str *rest)
{
    volo_str item = *rest;
    size_t i;
    int quoted = 0;

    for (i = 0; i < item.len && (quoted || item.ptr[i] != ','); i++)
        if (item.ptr[i] == '"' && (!quoted || item.ptr[i - 1] != '\\'))
            quoted = !quoted;
    rest->ptr += i + (i < item.len);
    rest->len -= i + (i < item.len);
    while (i && (*item.ptr == ' ' || *item.ptr == '\t')) {
        item.ptr++;
        i--;
    }
    item.len = i;
    return item;
}

/* Only who names it: a browser that takes anything reads text. */
static int
wants_json(volo_str accept)
{
    static const char *const types[] = {"application/problem+json",
                                        "application/json"};
    volo_str rest = accept, item;
    int i;

    while (rest.len) {
        item = take_element(&rest);
        for (i = 0; i < 2; i++)
            if (volo_media_is(item, types[i]) &&
                volo_accepts(accept, types[i]) > 0)
                return 1;
    }
    return 0;
}

/* ---- As JSON ------------------------------------------------------------- */

/* A str that is no text (lone surrogates) is left out: -1 is for memory. */
static int
set_member(volo_json *object, const char *key, PyObject *value)
{
    volo_str s;

    if (!value || volo__py_octets(value, &s) < 0) {
        PyErr_Clear();
        s = VOLO_STR("");
    }
    return volo_json_set_str(object, key, s) ? -1 : 0;
}

static int
put_error(volo_json *array, PyObject *error)
{
    static const char *const names[] = {"field", "in", "reason"};
    volo_json *member;
    int i, err = 0;

    if (volo_json_set_object(&member, array, NULL))
        return -1;
    for (i = 0; i < 3 && !err; i++) {
        PyObject *part = PySequence_GetItem(error, i);
        PyObject *text = part ? PyObject_Str(part) : NULL;

        err = set_member(member, names[i], text);
        Py_XDECREF(part);
        Py_XDECREF(text);
    }
    return err;
}

static int
fill_json(volo_json *doc, int status, PyObject *detail, PyObject *errors)
{
    Py_ssize_t i, n = errors ? PyList_Size(errors) : 0;
    volo_json *array;

    if (volo_json_set_str(doc, "title",
                          volo_str_of(volo_status_reason(status))) ||
        volo_json_set_i64(doc, "status", status))
        return -1;
    if (detail && set_member(doc, "detail", detail) < 0)
        return -1;
    if (n && volo_json_set_array(&array, doc, "errors"))
        return -1;
    for (i = 0; i < n; i++)
        if (put_error(array, PyList_GetItem(errors, i)) < 0)
            return -1;
    return 0;
}

static PyObject *
as_json(int status, PyObject *detail, PyObject *errors)
{
    volo_json *doc;
    volo_str text;
    PyObject *body = NULL;

    if (volo_json_object(&doc, NULL))
        return PyErr_NoMemory();
    if (fill_json(doc, status, detail, errors) == 0 &&
        volo_json_write(&text, NULL, doc) == 0) {
        body = PyBytes_FromStringAndSize(text.ptr, (Py_ssize_t)text.len);
        volo_free((void *)(uintptr_t)text.ptr);
    } else {
        PyErr_NoMemory();
    }
    volo_json_free(doc);
    return body;
}

/* ---- As text ------------------------------------------------------------- */

/* Takes over both. */
static PyObject *
joined(PyObject *left, PyObject *right)
{
    PyObject *both = left && right ? PyUnicode_Concat(left, right) : NULL;

    Py_XDECREF(left);
    Py_XDECREF(right);
    return both;
}

/* Control characters would disturb whoever reads it on a terminal. */
static PyObject *
plain(PyObject *value)
{
    PyObject *text = PyObject_Str(value), *clean = NULL;
    volo_str s;
    char *room;
    size_t i;

    if (text && volo__py_octets(text, &s) < 0) {
        PyErr_Clear();
        s = VOLO_STR("?");
    }
    room = text ? PyMem_Malloc(s.len + 1) : NULL;
    for (i = 0; room && i < s.len; i++)
        room[i] = (char)((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f
                             ? '?'
                             : s.ptr[i]);
    if (room)
        clean = PyUnicode_DecodeUTF8(room, (Py_ssize_t)s.len, "replace");
    PyMem_Free(room);
    Py_XDECREF(text);
    return clean;
}

/* "where field: reason\n"; where the whole is meant, it is named once. */
static PyObject *
error_line(PyObject *error)
{
    PyObject *parts[3] = {NULL, NULL, NULL}, *item, *line = NULL;
    int i;

    for (i = 0; i < 3; i++) {
        item = PySequence_GetItem(error, i);
        parts[i] = item ? plain(item) : NULL;
        Py_XDECREF(item);
    }
    if (parts[0] && parts[1] && parts[2])
        line = PyUnicode_Compare(parts[0], parts[1]) == 0
                   ? PyUnicode_FromFormat("%U: %U\n", parts[1], parts[2])
                   : PyUnicode_FromFormat("%U %U: %U\n", parts[1], parts[0],
                                          parts[2]);
    for (i = 0; i < 3; i++)
        Py_XDECREF(parts[i]);
    return line;
}

static PyObject *
as_text(int status, PyObject *detail, PyObject *errors)
{
    Py_ssize_t i, n = errors ? PyList_Size(errors) : 0;
    const char *title = volo_status_reason(status);
    PyObject *text = *title ? PyUnicode_FromString(title)
                            : PyUnicode_FromFormat("%d", status);

    if (detail) {
        text = joined(text, PyUnicode_FromString(": "));
        text = joined(text, plain(detail));
    }
    text = joined(text, PyUnicode_FromString("\n"));
    for (i = 0; i < n && text; i++)
        text = joined(text, error_line(PyList_GetItem(errors, i)));
    return text;
}

/* ---- Either -------------------------------------------------------------- */

PyObject *
volo__py_problem(volo_str accept, int status, PyObject *detail,
                 PyObject *errors)
{
    PyObject *title = PyUnicode_FromString(volo_status_reason(status)), *body,
             *made;
    int json = wants_json(accept);

    if (detail && title && PyUnicode_Compare(detail, title) == 0)
        detail = NULL; /* it says nothing more */
    Py_XDECREF(title);
    body = json ? as_json(status, detail, errors)
                : as_text(status, detail, errors);
    if (!body)
        return NULL;
    made = volo__py_response_new(body, status,
                                 json ? "application/problem+json"
                                      : "text/plain; charset=utf-8");
    Py_DECREF(body);
    return made;
}

static PyType_Slot invalid_slots[] = {
    {Py_tp_init, (void *)invalid_init},
    {Py_tp_doc, (void *)"Invalid(status, errors)\n--\n\nWhat came cannot be "
                        "taken: errors are (field, where, reason)."},
    {0, NULL}};

static PyType_Spec invalid_spec = {"volo._cvolo.Invalid", 0, 0,
                                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                   invalid_slots};

int
volo__py_invalid_init(PyObject *module)
{
    PyObject *bases = PyTuple_Pack(1, PyExc_Exception);

    (void)module;
    if (!bases)
        return -1;
    volo__py.invalid = PyType_FromSpecWithBases(&invalid_spec, bases);
    Py_DECREF(bases);
    return volo__py.invalid ? 0 : -1;
}
