/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types Headers (case-insensitive; those of a response can be changed, and
 * are checked as they are) and MultiDict.  What they have in common is
 * lines.c's.
 */
#include "call.h"

#include <string.h>

/* ---- What may stand in a field (RFC 9110 section 5) ---------------------- */

static int
is_token(volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if ((unsigned)((c | 0x20) - 'a') >= 26u && (unsigned)(c - '0') >= 10u &&
            (!c || !strchr("!#$%&'*+-.^_`|~", c)))
            return 0;
    }
    return s.len > 0;
}

/* What is beyond ASCII is two octets of UTF-8 here, which are no controls. */
static int
is_value(volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return 0;
    }
    return 1;
}

/* How a message ends and what becomes of its connection is libvolo's. */
static int
is_ours(int id)
{
    return id == VOLO_FIELD_CONNECTION || id == VOLO_FIELD_KEEP_ALIVE ||
           id == VOLO_FIELD_TRANSFER_ENCODING || id == VOLO_FIELD_UPGRADE ||
           id == VOLO_FIELD_CONTENT_LENGTH || id == VOLO_FIELD_PROXY_CONNECTION;
}

static int
check_name(PyObject *name)
{
    volo_str octets;

    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a field's name must be str, not %R",
                     (PyObject *)Py_TYPE(name));
        return -1;
    }
    if (volo__py_octets(name, &octets) < 0)
        return -1;
    if (!is_token(octets)) {
        PyErr_Format(PyExc_ValueError, "%R is no name of a field", name);
        return -1;
    }
    if (is_ours(volo_field_of(octets.ptr, octets.len))) {
        PyErr_Format(PyExc_ValueError, "%R is for libvolo to set", name);
        return -1;
    }
    return 0;
}

static int
check_value(PyObject *name, PyObject *value)
{
    PyObject *latin;
    volo_str octets;

    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "the value of %R must be str, not %R",
                     name, (PyObject *)Py_TYPE(value));
        return -1;
    }
    if (volo__py_octets(value, &octets) < 0)
        return -1;
    if (!is_value(octets)) {
        PyErr_Format(PyExc_ValueError,
                     "the value of %R has a control character in it", name);
        return -1;
    }
    if ((size_t)PyUnicode_GetLength(value) == octets.len)
        return 0;
    latin = PyUnicode_AsLatin1String(value); /* UnicodeEncodeError: no */
    Py_XDECREF(latin);
    return latin ? 0 : -1;
}

/* ---- Making them --------------------------------------------------------- */

static struct volo__py_headers *
make(PyTypeObject *type)
{
    struct volo__py_headers *self = PyObject_New(struct volo__py_headers, type);

    if (!self)
        return NULL;
    self->lines = NULL;
    self->cx = NULL;
    self->pairs = NULL;
    self->count = 0;
    return self;
}

PyObject *
volo__py_headers_of(volo_cx *cx, const volo_pair *pairs, size_t count)
{
    struct volo__py_headers *self = make(volo__py.headers_type);

    if (!self)
        return NULL;
    self->cx = cx ? volo_cx_keep(cx) : NULL;
    self->pairs = pairs;
    self->count = cx ? count : 0;
    return (PyObject *)self;
}

PyObject *
volo__py_multi_from(PyObject *lines)
{
    struct volo__py_headers *self = lines ? make(volo__py.multi_type) : NULL;

    if (self)
        self->lines = lines;
    else
        Py_XDECREF(lines);
    return (PyObject *)self;
}

static int
add_pair(struct volo__py_headers *self, PyObject *pair)
{
    PyObject *name, *value = NULL;
    int err = -1;

    if (PySequence_Size(pair) != 2) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError,
                        "headers must be a mapping or (name, value) pairs");
        return -1;
    }
    name = PySequence_GetItem(pair, 0);
    if (name)
        value = PySequence_GetItem(pair, 1);
    if (value)
        err = volo__py_headers_add(self, name, value, 0);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return err;
}

static int
add_dict(struct volo__py_headers *self, PyObject *dict)
{
    PyObject *items = PyDict_Items(dict);
    Py_ssize_t i, n = items ? PyList_Size(items) : 0;
    int err = items ? 0 : -1;

    for (i = 0; i < n && !err; i++) {
        PyObject *pair = PyList_GetItem(items, i);

        err = volo__py_headers_add(self, PyTuple_GetItem(pair, 0),
                                   PyTuple_GetItem(pair, 1), 0);
    }
    Py_XDECREF(items);
    return err;
}

static int
add_all(struct volo__py_headers *self, PyObject *source)
{
    PyObject *items, *iter, *pair;
    int err = 0;

    if (Py_TYPE(source) == &PyDict_Type)
        return add_dict(self, source);
    if (PyObject_HasAttrString(source, "items")) {
        items = PyObject_CallMethod(source, "items", NULL);
    } else {
        items = source;
        Py_INCREF(items);
    }
    iter = items ? PyObject_GetIter(items) : NULL;
    Py_XDECREF(items);
    if (!iter)
        return -1;
    while (!err && (pair = PyIter_Next(iter)) != NULL) {
        err = add_pair(self, pair);
        Py_DECREF(pair);
    }
    Py_DECREF(iter);
    return err || PyErr_Occurred() ? -1 : 0;
}

PyObject *
volo__py_headers_from(PyObject *source)
{
    struct volo__py_headers *self = make(volo__py.headers_type);

    if (!self)
        return NULL;
    self->lines = PyList_New(0);
    if (!self->lines ||
        (source && source != Py_None && add_all(self, source) < 0))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *
headers_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"items", NULL};
    PyObject *source = NULL;

    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Headers", names,
                                     &source))
        return NULL;
    return volo__py_headers_from(source);
}

/* ---- Changing them ------------------------------------------------------- */

static int
check_mutable(const struct volo__py_headers *self)
{
    if (self->lines)
        return 0;
    PyErr_SetString(PyExc_TypeError,
                    "the headers of a request cannot be changed");
    return -1;
}

/* How many lines there were; -1 with an exception.  From the back, so that
 * what is left keeps its place. */
static int
remove_lines(PyObject *lines, PyObject *key)
{
    Py_ssize_t i;
    int found = 0;

    for (i = PyList_Size(lines) - 2; i >= 0; i -= 2) {
        if (PyUnicode_Compare(PyList_GetItem(lines, i), key) != 0)
            continue;
        if (PyList_SetSlice(lines, i, i + 2, NULL) < 0)
            return -1;
        found++;
    }
    return found;
}

static int
append_line(PyObject *lines, PyObject *key, PyObject *value)
{
    Py_ssize_t n = PyList_Size(lines);

    if (PyList_Append(lines, key) < 0)
        return -1;
    if (PyList_Append(lines, value) == 0)
        return 0;
    PyList_SetSlice(lines, n, n + 1, NULL);
    return -1;
}

int
volo__py_headers_add(struct volo__py_headers *self, PyObject *name,
                     PyObject *value, int replace)
{
    PyObject *key, *text;
    int err = 0;

    if (check_mutable(self) < 0 || check_name(name) < 0 ||
        check_value(name, value) < 0)
        return -1;
    key = volo__py_lines_key(self, name);
    text = key ? volo__py_exact_str(value) : NULL;
    if (!text) {
        Py_XDECREF(key);
        return -1;
    }
    VOLO__PY_LOCK(self->lines);
    if (replace && remove_lines(self->lines, key) < 0)
        err = -1;
    if (!err)
        err = append_line(self->lines, key, text);
    VOLO__PY_UNLOCK();
    Py_DECREF(key);
    Py_DECREF(text);
    return err;
}

static int
take_away(struct volo__py_headers *self, PyObject *name)
{
    PyObject *key;
    int found;

    if (check_mutable(self) < 0)
        return -1;
    key = volo__py_lines_key(self, name);
    if (!key)
        return -1;
    VOLO__PY_LOCK(self->lines);
    found = remove_lines(self->lines, key);
    VOLO__PY_UNLOCK();
    Py_DECREF(key);
    return found;
}

static int
headers_assign(PyObject *self, PyObject *name, PyObject *value)
{
    int found;

    if (value)
        return volo__py_headers_add((struct volo__py_headers *)self, name,
                                    value, 1);
    found = take_away((struct volo__py_headers *)self, name);
    if (found == 0)
        PyErr_SetObject(PyExc_KeyError, name);
    return found > 0 ? 0 : -1;
}

static PyObject *
put(PyObject *self, PyObject *args, const char *called, int replace)
{
    PyObject *name, *value;

    if (!PyArg_UnpackTuple(args, called, 2, 2, &name, &value) ||
        volo__py_headers_add((struct volo__py_headers *)self, name, value,
                             replace) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
headers_set(PyObject *self, PyObject *args)
{
    return put(self, args, "set", 1);
}

static PyObject *
headers_add(PyObject *self, PyObject *args)
{
    return put(self, args, "add", 0);
}

static PyObject *
headers_setdefault(PyObject *self, PyObject *args)
{
    PyObject *name, *value;
    int found;

    if (!PyArg_UnpackTuple(args, "setdefault", 2, 2, &name, &value))
        return NULL;
    found = volo__py_lines_contains(self, name);
    if (found < 0 ||
        (!found && volo__py_headers_add((struct volo__py_headers *)self, name,
                                        value, 0) < 0))
        return NULL;
    return volo__py_lines_item(self, name);
}

static PyObject *
headers_remove(PyObject *self, PyObject *name)
{
    if (take_away((struct volo__py_headers *)self, name) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- The types ----------------------------------------------------------- */

static PyMethodDef changing[] = {
    {"set", headers_set, METH_VARARGS,
     "set($self, name, value, /)\n--\n\nThe only line of that name from now "
     "on."},
    {"add", headers_add, METH_VARARGS,
     "add($self, name, value, /)\n--\n\nOne more line."},
    {"setdefault", headers_setdefault, METH_VARARGS,
     "setdefault($self, name, value, /)\n--\n\nAdd it if there is none; its "
     "value."},
    {"remove", headers_remove, METH_O,
     "remove($self, name, /)\n--\n\nTake all lines of that name away, if any."},
    {NULL, NULL, 0, NULL}};

static PyMethodDef headers_methods[16];

#define COMMON_SLOTS                                    \
    {Py_tp_dealloc, (void *)volo__py_lines_dealloc},    \
        {Py_tp_repr, (void *)volo__py_lines_repr},      \
        {Py_tp_iter, (void *)volo__py_lines_iter},      \
        {Py_mp_length, (void *)volo__py_lines_len},     \
        {Py_mp_subscript, (void *)volo__py_lines_item}, \
    {                                                   \
        Py_sq_contains, (void *)volo__py_lines_contains \
    }

static PyType_Slot headers_slots[] = {
    COMMON_SLOTS,
    {Py_tp_new, (void *)headers_new},
    {Py_tp_methods, headers_methods},
    {Py_mp_ass_subscript, (void *)headers_assign},
    {Py_tp_doc, (void *)"Headers(items=None)\n--\n\nField lines, in order; "
                        "names in any case.  Those of a request are "
                        "read-only."},
    {0, NULL}};

static PyType_Slot multi_slots[] = {
    COMMON_SLOTS,
    {Py_tp_methods, volo__py_lines_methods},
    {Py_tp_doc, (void *)"Names with values, in order; names may repeat."},
    {0, NULL}};

static PyType_Spec headers_spec = {"volo._cvolo.Headers",
                                   sizeof(struct volo__py_headers), 0,
                                   Py_TPFLAGS_DEFAULT, headers_slots};

static PyType_Spec multi_spec = {
    "volo._cvolo.MultiDict", sizeof(struct volo__py_headers), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, multi_slots};

/* Those that all have, and those that only Headers have. */
static void
join_methods(void)
{
    PyMethodDef *to = headers_methods;
    const PyMethodDef *from;

    for (from = volo__py_lines_methods; from->ml_name; from++)
        *to++ = *from;
    for (from = changing; from->ml_name; from++)
        *to++ = *from;
}

int
volo__py_headers_init(PyObject *module)
{
    (void)module;
    join_methods();
    volo__py.headers_type = (PyTypeObject *)PyType_FromSpec(&headers_spec);
    volo__py.multi_type = (PyTypeObject *)PyType_FromSpec(&multi_spec);
    return volo__py.headers_type && volo__py.multi_type ? 0 : -1;
}
