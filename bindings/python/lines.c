/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multi-mappings: what field lines and the pairs of a query have in common.
 * They keep their order and repeated names.  The lines of a request stay the
 * octets that came until one is asked for.
 */
#include "call.h"

/* ---- One line ------------------------------------------------------------ */

static size_t
count_of(const struct volo__py_headers *self)
{
    return self->lines ? (size_t)PyList_Size(self->lines) / 2 : self->count;
}

/* A part of line ${i}: 0 its name, 1 its value; NULL without an exception
 * beyond the end. */
static PyObject *
part_at(struct volo__py_headers *self, size_t i, int part)
{
    PyObject *found = NULL;

    if (!self->lines) {
        if (i >= self->count)
            return NULL;
        return part ? volo__py_latin(self->pairs[i].value)
                    : volo__py_field_name(&self->pairs[i]);
    }
    VOLO__PY_LOCK(self->lines);
    if (i < (size_t)PyList_Size(self->lines) / 2)
        found = PyList_GetItem(self->lines, (Py_ssize_t)(2 * i) + part);
    Py_XINCREF(found);
    VOLO__PY_UNLOCK();
    return found;
}

/* A known name is its number, an unknown one its octets: both lower case. */
static size_t
find_pair(const struct volo__py_headers *self, volo_str name, size_t i)
{
    uint32_t id = (uint32_t)volo_field_of(name.ptr, name.len);

    for (; i < self->count; i++)
        if (self->pairs[i].id == id &&
            (id || volo_str_eq(self->pairs[i].name, name)))
            break;
    return i;
}

static size_t
find_line(const struct volo__py_headers *self, PyObject *key, size_t i)
{
    size_t n;

    VOLO__PY_LOCK(self->lines);
    n = (size_t)PyList_Size(self->lines) / 2;
    for (; i < n; i++)
        if (PyUnicode_Compare(PyList_GetItem(self->lines, (Py_ssize_t)(2 * i)),
                              key) == 0)
            break;
    VOLO__PY_UNLOCK();
    return i;
}

/* The first line from ${i} on that is named ${key}, or one beyond the end. */
static size_t
find(const struct volo__py_headers *self, PyObject *key, size_t i)
{
    volo_str name;

    if (self->lines)
        return find_line(self, key, i);
    if (volo__py_octets(key, &name) == 0)
        return find_pair(self, name, i);
    PyErr_Clear(); /* nothing that came has such a name */
    return self->count;
}

PyObject *
volo__py_lines_key(const struct volo__py_headers *self, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a name must be str, not %.100R",
                     (PyObject *)Py_TYPE(name));
        return NULL;
    }
    if (!self->lines || Py_TYPE((PyObject *)self) == volo__py.headers_type)
        return volo__py_lower(name);
    Py_INCREF(name);
    return name;
}

/* ---- Looking ------------------------------------------------------------- */

/* The first value; NULL, with an exception or without. */
static PyObject *
first(struct volo__py_headers *self, PyObject *name)
{
    PyObject *key = volo__py_lines_key(self, name), *value;

    if (!key)
        return NULL;
    value = part_at(self, find(self, key, 0), 1);
    Py_DECREF(key);
    return value;
}

Py_ssize_t
volo__py_lines_len(PyObject *self)
{
    return (Py_ssize_t)count_of((struct volo__py_headers *)self);
}

PyObject *
volo__py_lines_item(PyObject *self, PyObject *name)
{
    PyObject *value = first((struct volo__py_headers *)self, name);

    if (!value && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, name);
    return value;
}

int
volo__py_lines_contains(PyObject *self, PyObject *name)
{
    PyObject *value;

    if (!PyUnicode_Check(name))
        return 0;
    value = first((struct volo__py_headers *)self, name);
    if (!value)
        return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(value);
    return 1;
}

static PyObject *
lines_get(PyObject *self, PyObject *args)
{
    PyObject *name, *fallback = Py_None, *value;

    if (!PyArg_UnpackTuple(args, "get", 1, 2, &name, &fallback))
        return NULL;
    value = first((struct volo__py_headers *)self, name);
    if (value || PyErr_Occurred())
        return value;
    Py_INCREF(fallback);
    return fallback;
}

static int
append_new(PyObject *list, PyObject *item)
{
    int err = item ? PyList_Append(list, item) : -1;

    Py_XDECREF(item);
    return err;
}

static PyObject *
lines_getlist(PyObject *object, PyObject *name)
{
    struct volo__py_headers *self = (struct volo__py_headers *)object;
    PyObject *key = volo__py_lines_key(self, name), *list, *value;
    size_t i = 0;

    list = key ? PyList_New(0) : NULL;
    while (list) {
        i = find(self, key, i);
        value = part_at(self, i++, 1);
        if (!value && !PyErr_Occurred())
            break;
        if (append_new(list, value) < 0)
            Py_CLEAR(list);
    }
    Py_XDECREF(key);
    return list;
}

/* ---- All of them --------------------------------------------------------- */

static PyObject *
pair_at(struct volo__py_headers *self, size_t i)
{
    PyObject *name = part_at(self, i, 0), *value, *pair;

    if (!name)
        return NULL;
    value = part_at(self, i, 1);
    pair = value ? PyTuple_Pack(2, name, value) : NULL;
    Py_DECREF(name);
    Py_XDECREF(value);
    return pair;
}

/* ${what}: 0 names, 1 values, 2 both. */
static PyObject *
all(PyObject *object, int what)
{
    struct volo__py_headers *self = (struct volo__py_headers *)object;
    PyObject *list = PyList_New(0), *item;
    size_t i;

    for (i = 0; list; i++) {
        item = what == 2 ? pair_at(self, i) : part_at(self, i, what);
        if (!item && !PyErr_Occurred())
            break;
        if (append_new(list, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *
lines_keys(PyObject *self, PyObject *unused)
{
    (void)unused;
    return all(self, 0);
}

static PyObject *
lines_values(PyObject *self, PyObject *unused)
{
    (void)unused;
    return all(self, 1);
}

static PyObject *
lines_items(PyObject *self, PyObject *unused)
{
    (void)unused;
    return all(self, 2);
}

PyObject *
volo__py_lines_iter(PyObject *self)
{
    PyObject *names = all(self, 0);
    PyObject *iter = names ? PyObject_GetIter(names) : NULL;

    Py_XDECREF(names);
    return iter;
}

PyObject *
volo__py_headers_list(struct volo__py_headers *self)
{
    PyObject *list = NULL;
    size_t i;

    if (self->lines) {
        VOLO__PY_LOCK(self->lines);
        list = PyList_GetSlice(self->lines, 0, PyList_Size(self->lines));
        VOLO__PY_UNLOCK();
        return list;
    }
    list = PyList_New(0);
    for (i = 0; list && i < self->count; i++)
        if (append_new(list, part_at(self, i, 0)) < 0 ||
            append_new(list, part_at(self, i, 1)) < 0)
            Py_CLEAR(list);
    return list;
}

PyObject *
volo__py_lines_repr(PyObject *self)
{
    PyObject *pairs = all(self, 2);
    PyObject *type =
        pairs ? PyObject_GetAttrString((PyObject *)Py_TYPE(self), "__name__")
              : NULL;
    PyObject *text = type ? PyUnicode_FromFormat("%U(%R)", type, pairs) : NULL;

    Py_XDECREF(pairs);
    Py_XDECREF(type);
    return text;
}

void
volo__py_lines_dealloc(PyObject *object)
{
    struct volo__py_headers *self = (struct volo__py_headers *)object;
    PyTypeObject *type = Py_TYPE(object);

    Py_XDECREF(self->lines);
    volo_cx_unkeep(self->cx);
    PyObject_Free(self);
    Py_DECREF(type);
}

PyMethodDef volo__py_lines_methods[] = {
    {"get", lines_get, METH_VARARGS,
     "get($self, name, default=None, /)\n--\n\nThe first value of name."},
    {"getlist", lines_getlist, METH_O,
     "getlist($self, name, /)\n--\n\nAll values of name, in order."},
    {"keys", lines_keys, METH_NOARGS, "The names, one for each line."},
    {"values", lines_values, METH_NOARGS, "The values, one for each line."},
    {"items", lines_items, METH_NOARGS, "The lines as (name, value)."},
    {NULL, NULL, 0, NULL}};
