/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: what a handler's arguments are made of, as tuples
 *
 *   (source, name, mode, convert, default, required)
 *
 * in the order of the parameters, all positional.  Sources: path, query,
 * header, cookie, form (convert gets the text), json (convert gets the body),
 * body, text, request, stream (a Reader), state (an item of request.state),
 * depends and custom (convert gets the request).  Modes: str, int, float,
 * bool, convert, and list, where convert gets a list of str.
 */
#include "plan.h"

#include <string.h>

static const char *const source_names[] = {
    [VOLO__PY_PATH] = "path",       [VOLO__PY_QUERY] = "query",
    [VOLO__PY_HEADER] = "header",   [VOLO__PY_COOKIE] = "cookie",
    [VOLO__PY_FORM] = "form",       [VOLO__PY_JSON] = "json",
    [VOLO__PY_BODY] = "body",       [VOLO__PY_TEXT] = "text",
    [VOLO__PY_REQUEST] = "request", [VOLO__PY_STATE] = "state",
    [VOLO__PY_STREAM] = "stream",   [VOLO__PY_DEPENDS] = "depends",
    [VOLO__PY_CUSTOM] = "custom",
};

static const char *const mode_names[] = {
    [VOLO__PY_STR] = "str",         [VOLO__PY_INT] = "int",
    [VOLO__PY_FLOAT] = "float",     [VOLO__PY_BOOL] = "bool",
    [VOLO__PY_CONVERT] = "convert", [VOLO__PY_LIST] = "list",
};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

const char *
volo__py_where(const struct volo__py_arg *arg)
{
    switch (arg->source) {
    case VOLO__PY_JSON:
    case VOLO__PY_BODY:
    case VOLO__PY_TEXT:
        return "body";
    case VOLO__PY_REQUEST:
    case VOLO__PY_STATE:
    case VOLO__PY_STREAM:
    case VOLO__PY_DEPENDS:
    case VOLO__PY_CUSTOM:
        return "request";
    default:
        return source_names[arg->source];
    }
}

/* ---- Reading one --------------------------------------------------------- */

static int
number_of(PyObject *name, const char *const *names, int count, const char *what)
{
    int i;

    for (i = 0; i < count; i++)
        if (PyUnicode_Check(name) &&
            PyUnicode_CompareWithASCIIString(name, names[i]) == 0)
            return i;
    PyErr_Format(PyExc_ValueError, "a plan has no %s %R", what, name);
    return -1;
}

/* Names of fields are looked for in lower case. */
static int
read_name(struct volo__py_arg *arg, PyObject *name)
{
    volo_str octets;

    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "a name in a plan must be str");
        return -1;
    }
    if (arg->source == VOLO__PY_HEADER) {
        arg->name = PyObject_CallMethod(name, "lower", NULL);
    } else {
        Py_INCREF(name);
        arg->name = name;
    }
    if (!arg->name || volo__py_octets(arg->name, &octets) < 0)
        return -1;
    if (strlen(octets.ptr) != octets.len) {
        PyErr_SetString(PyExc_ValueError, "a name in a plan has a NUL in it");
        return -1;
    }
    arg->key = octets;
    if (arg->source == VOLO__PY_HEADER)
        arg->field = volo_field_of(octets.ptr, octets.len);
    return 0;
}

static int
needs_convert(const struct volo__py_arg *arg)
{
    return arg->source == VOLO__PY_DEPENDS || arg->source == VOLO__PY_CUSTOM ||
           arg->source == VOLO__PY_JSON || arg->mode == VOLO__PY_CONVERT;
}

static int
read_convert(struct volo__py_arg *arg, PyObject *convert)
{
    if (convert == Py_None) {
        if (!needs_convert(arg))
            return 0;
        PyErr_Format(PyExc_TypeError, "%R in a plan needs convert", arg->name);
        return -1;
    }
    if (!PyCallable_Check(convert)) {
        PyErr_Format(PyExc_TypeError, "convert of %R is not callable",
                     arg->name);
        return -1;
    }
    Py_INCREF(convert);
    arg->convert = convert;
    return 0;
}

static int
read_arg(struct volo__py_arg *arg, PyObject *item)
{
    PyObject *source, *name, *mode, *convert, *fallback;
    int required;

    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a plan is a sequence of tuples");
        return -1;
    }
    if (!PyArg_ParseTuple(item, "OOOOOp:plan", &source, &name, &mode, &convert,
                          &fallback, &required))
        return -1;
    arg->source =
        number_of(source, source_names, COUNT(source_names), "source");
    arg->mode = arg->source < 0
                    ? -1
                    : number_of(mode, mode_names, COUNT(mode_names), "mode");
    if (arg->mode < 0)
        return -1;
    arg->required = required;
    Py_INCREF(fallback);
    arg->fallback = fallback;
    return read_name(arg, name) < 0 ? -1 : read_convert(arg, convert);
}

/* ---- Reading all --------------------------------------------------------- */

int
volo__py_plan_read(struct volo__py_handler *handler, PyObject *plan)
{
    PyObject *items = PySequence_List(plan);
    Py_ssize_t i, n = items ? PyList_Size(items) : -1;
    int err = 0;

    if (n < 0)
        return -1;
    handler->args = PyMem_Calloc((size_t)n + 1, sizeof *handler->args);
    if (!handler->args) {
        Py_DECREF(items);
        PyErr_NoMemory();
        return -1;
    }
    for (i = 0; i < n && !err; i++) {
        handler->arg_count = (int)i + 1;
        err = read_arg(&handler->args[i], PyList_GetItem(items, i));
    }
    Py_DECREF(items);
    return err;
}

void
volo__py_plan_free(struct volo__py_handler *handler)
{
    struct volo__py_arg *args = handler->args;
    int i, n = handler->arg_count;

    handler->args = NULL;
    handler->arg_count = 0;
    for (i = 0; i < n; i++) {
        Py_XDECREF(args[i].name);
        Py_XDECREF(args[i].convert);
        Py_XDECREF(args[i].fallback);
    }
    PyMem_Free(args);
}

int
volo__py_plan_visit(struct volo__py_handler *handler, visitproc visit,
                    void *arg)
{
    int i;

    for (i = 0; i < handler->arg_count; i++) {
        Py_VISIT(handler->args[i].convert);
        Py_VISIT(handler->args[i].fallback);
    }
    return 0;
}

/* ---- Binding ------------------------------------------------------------- */

PyObject *
volo__py_plan_bind(struct volo__py_call *call, int room)
{
    struct volo__py_handler *handler = call->handler;
    struct volo__py_reading reading = {call, NULL, NULL, 0, 0};
    PyObject *args = PyTuple_New(room + handler->arg_count), *value;
    int i;

    for (i = 0; args && i < handler->arg_count; i++) {
        value = volo__py_arg_value(&reading, &handler->args[i]);
        if (!value && reading.failed) {
            Py_CLEAR(args);
            break;
        }
        if (value && args)
            PyTuple_SetItem(args, room + i, value);
    }
    if (args && reading.errors) {
        volo__py_reject(reading.status, reading.errors);
        Py_CLEAR(args);
    }
    Py_XDECREF(reading.errors);
    return args;
}
