/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type Response: a value with a status and field lines, which layers read
 * and change.  What a body means is reply.c's to know.
 */
#include "call.h"

#include <structmember.h>

int
volo__py_status_of(PyObject *value)
{
    long status;

    if (PyBool_Check(value) || !PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "a status must be int, not %R",
                     (PyObject *)Py_TYPE(value));
        return -1;
    }
    status = PyLong_AsLong(value);
    if (status == -1 && PyErr_Occurred())
        PyErr_Clear();
    if (status < 200 || status > 999) {
        PyErr_Format(PyExc_ValueError, "a status is 200 to 999, not %S", value);
        return -1;
    }
    return (int)status;
}

PyObject *
volo__py_response_take(struct volo__py_response *self, PyObject **field)
{
    PyObject *value;

    (void)self; /* of no use where there is a GIL */
    VOLO__PY_LOCK(self);
    value = *field;
    Py_XINCREF(value);
    VOLO__PY_UNLOCK();
    return value;
}

/* ---- Its life ------------------------------------------------------------ */

static PyObject *
make(PyTypeObject *type)
{
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);

    return alloc(type, 0);
}

PyObject *
volo__py_response_new(PyObject *body, int status, const char *media)
{
    struct volo__py_response *self =
        (struct volo__py_response *)make(volo__py.response_type);

    if (!self)
        return NULL;
    Py_INCREF(body);
    self->body = body;
    self->status = status;
    if (!media)
        return (PyObject *)self;
    self->media = PyUnicode_FromString(media);
    if (!self->media)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *
response_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct volo__py_response *self = (struct volo__py_response *)make(type);

    (void)args;
    (void)kwargs;
    if (!self)
        return NULL;
    self->body = PyBytes_FromStringAndSize("", 0);
    if (!self->body)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int
set_status(struct volo__py_response *self, PyObject *value)
{
    int status = 0;

    if (value && value != Py_None) {
        status = volo__py_status_of(value);
        if (status < 0)
            return -1;
    }
    self->status = status;
    return 0;
}

/* Headers of a Response are always its own: a copy of what is given. */
static int
set_headers(struct volo__py_response *self, PyObject *source)
{
    PyObject *headers = NULL, *old;

    if (source && source != Py_None) {
        headers = volo__py_headers_from(source);
        if (!headers)
            return -1;
    }
    VOLO__PY_LOCK(self);
    old = self->headers;
    self->headers = headers;
    VOLO__PY_UNLOCK();
    Py_XDECREF(old);
    return 0;
}

/* Without keywords, which is most often, there is nothing to be looked up. */
static int
read_args(PyObject *args, PyObject *kwargs, PyObject **given)
{
    static char *names[] = {"body", "status", "headers", "media_type", NULL};

    if (!kwargs || PyDict_Size(kwargs) == 0)
        return PyArg_UnpackTuple(args, "Response", 0, 4, &given[0], &given[1],
                                 &given[2], &given[3]);
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOO:Response", names,
                                       &given[0], &given[1], &given[2],
                                       &given[3]);
}

static void
put(PyObject *object, PyObject **field, PyObject *value)
{
    PyObject *old;

    (void)object;
    Py_XINCREF(value);
    VOLO__PY_LOCK(object);
    old = *field;
    *field = value;
    VOLO__PY_UNLOCK();
    Py_XDECREF(old);
}

static int
response_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    struct volo__py_response *self = (struct volo__py_response *)object;
    PyObject *given[4] = {NULL, NULL, NULL, NULL};

    if (!read_args(args, kwargs, given) || set_status(self, given[1]) < 0 ||
        set_headers(self, given[2]) < 0)
        return -1;
    if (given[0])
        put(object, &self->body, given[0]);
    put(object, &self->media, given[3]);
    return 0;
}

static int
response_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct volo__py_response *self = (struct volo__py_response *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->body);
    Py_VISIT(self->headers);
    Py_VISIT(self->media);
    return 0;
}

static int
response_clear(PyObject *object)
{
    struct volo__py_response *self = (struct volo__py_response *)object;

    Py_CLEAR(self->body);
    Py_CLEAR(self->headers);
    Py_CLEAR(self->media);
    return 0;
}

static void
response_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(object);
    response_clear(object);
    release(object);
    Py_DECREF(type);
}

/* ---- Its attributes ------------------------------------------------------ */

static PyObject *
get_status(PyObject *object, void *unused)
{
    struct volo__py_response *self = (struct volo__py_response *)object;
    int status = self->status;

    (void)unused;
    if (!status)
        status = self->body == Py_None ? 204 : 200;
    return PyLong_FromLong(status);
}

static int
put_status(PyObject *object, PyObject *value, void *unused)
{
    (void)unused;
    if (value)
        return set_status((struct volo__py_response *)object, value);
    PyErr_SetString(PyExc_AttributeError, "status cannot be deleted");
    return -1;
}

static PyObject *
get_headers(PyObject *object, void *unused)
{
    struct volo__py_response *self = (struct volo__py_response *)object;
    PyObject *headers = volo__py_response_take(self, &self->headers), *made;

    (void)unused;
    if (headers)
        return headers;
    made = volo__py_headers_from(NULL);
    if (!made)
        return NULL;
    VOLO__PY_LOCK(self);
    if (!self->headers) {
        self->headers = made;
        made = NULL;
    }
    headers = self->headers;
    Py_INCREF(headers);
    VOLO__PY_UNLOCK();
    Py_XDECREF(made);
    return headers;
}

static int
put_headers(PyObject *object, PyObject *value, void *unused)
{
    (void)unused;
    return set_headers((struct volo__py_response *)object, value);
}

static PyObject *
response_repr(PyObject *object)
{
    struct volo__py_response *self = (struct volo__py_response *)object;
    PyObject *name =
        PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__name__");
    PyObject *status = name ? get_status(object, NULL) : NULL;
    PyObject *body = status ? volo__py_response_take(self, &self->body) : NULL;
    PyObject *text = NULL;

    if (status)
        text = PyUnicode_FromFormat("<%U %S: %R>", name, status,
                                    body ? body : Py_None);
    Py_XDECREF(name);
    Py_XDECREF(status);
    Py_XDECREF(body);
    return text;
}

static PyMemberDef response_members[] = {
    {"body", T_OBJECT, offsetof(struct volo__py_response, body), 0,
     "bytes, str or None; or what is streamed or sent from elsewhere."},
    {"media_type", T_OBJECT, offsetof(struct volo__py_response, media), 0,
     "The Content-Type; None: text/plain for str, octets for bytes."},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef response_getset[] = {
    {"status", get_status, put_status, "200 to 999.", NULL},
    {"headers", get_headers, put_headers, "Its field lines, to be changed.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot response_slots[] = {
    {Py_tp_dealloc, (void *)response_dealloc},
    {Py_tp_traverse, (void *)response_traverse},
    {Py_tp_clear, (void *)response_clear},
    {Py_tp_new, (void *)response_new},
    {Py_tp_init, (void *)response_init},
    {Py_tp_repr, (void *)response_repr},
    {Py_tp_members, response_members},
    {Py_tp_getset, response_getset},
    {Py_tp_doc,
     (void *)"Response(body=b'', status=200, headers=None, media_type=None)\n"
             "--\n\nAn answer.  Without a status it is 200, or 204 where the "
             "body is None."},
    {0, NULL}};

static PyType_Spec response_spec = {
    "volo._cvolo.Response", sizeof(struct volo__py_response), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    response_slots};

int
volo__py_response_init(PyObject *module)
{
    (void)module;
    volo__py.response_type = (PyTypeObject *)PyType_FromSpec(&response_spec);
    return volo__py.response_type ? 0 : -1;
}
