/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type Bound: a Handler as a callable from a request to a Response, for
 * layers to wrap.  It binds, calls, and makes a Response of what is returned;
 * for kinds other than SYNC it returns a coroutine that comes to one.  What
 * the handler raises goes on to the layers, but for Invalid, which is a
 * Response to them.  Nothing is sent.
 */
#include "call.h"

struct bound {
    PyObject ob_base;
    PyObject *handler;
};

PyObject *
volo__py_invalid_response(struct volo__py_call *call)
{
    PyObject *error = volo__py_fetch(), *errors, *status, *made = NULL;

    if (Py_TYPE(error) != (PyTypeObject *)volo__py.invalid) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
        return NULL;
    }
    errors = PyObject_GetAttrString(error, "errors");
    status = errors ? PyObject_GetAttrString(error, "status") : NULL;
    if (status && PyList_Check(errors) && PyLong_Check(status))
        made = volo__py_problem(volo__py_accept(call->job),
                                (int)PyLong_AsLong(status), NULL, errors);
    Py_XDECREF(errors);
    Py_XDECREF(status);
    Py_DECREF(error);
    return made;
}

static PyObject *
response_of(struct volo__py_call *call, PyObject *value)
{
    PyObject *pending = NULL, *response;

    if (call->waits)
        return volo__py_coro_bound(call, value);
    response = volo__py_to_response(call, value, &pending);
    return response ? response : volo__py_invalid_response(call);
}

/* Borrowed; NULL with TypeError. */
static PyObject *
only_request(PyObject *args, PyObject *kwargs)
{
    PyObject *request =
        PyTuple_Size(args) == 1 ? PyTuple_GetItem(args, 0) : NULL;

    if (request && (!kwargs || PyDict_Size(kwargs) == 0) &&
        Py_TYPE(request) == volo__py.request_type)
        return request;
    PyErr_SetString(PyExc_TypeError, "Bound takes one request");
    return NULL;
}

static PyObject *
bound_call(PyObject *object, PyObject *args, PyObject *kwargs)
{
    struct bound *self = (struct bound *)object;
    PyObject *request = only_request(args, kwargs), *value, *response;
    struct volo__py_call call = {0};

    if (!request)
        return NULL;
    call.request = request;
    call.job = &((struct volo__py_request *)request)->job;
    call.handler = (struct volo__py_handler *)self->handler;
    call.bound = 1;
    call.waits = call.handler->kind != VOLO__PY_SYNC;
    if (volo__py_call_answered(&call)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the request has been answered already");
        return NULL;
    }
    Py_INCREF(request);
    value = volo__py_call_fn(&call, 0);
    if (!value)
        value = volo__py_invalid_response(&call);
    response = value ? response_of(&call, value) : NULL;
    Py_XDECREF(value);
    volo__py_call_clear(&call);
    return response;
}

static PyObject *
bound_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    static char *names[] = {"handler", NULL};
    struct bound *self;
    PyObject *handler;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Bound", names,
                                     volo__py.handler_type, &handler))
        return NULL;
    self = (struct bound *)alloc(type, 0);
    if (!self)
        return NULL;
    Py_INCREF(handler);
    self->handler = handler;
    return (PyObject *)self;
}

static int
bound_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct bound *)object)->handler);
    return 0;
}

static int
bound_clear(PyObject *object)
{
    Py_CLEAR(((struct bound *)object)->handler);
    return 0;
}

static void
bound_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(object);
    bound_clear(object);
    release(object);
    Py_DECREF(type);
}

static PyType_Slot bound_slots[] = {
    {Py_tp_dealloc, (void *)bound_dealloc},
    {Py_tp_traverse, (void *)bound_traverse},
    {Py_tp_clear, (void *)bound_clear},
    {Py_tp_new, (void *)bound_new},
    {Py_tp_call, (void *)bound_call},
    {Py_tp_doc, (void *)"Bound(handler)\n--\n\nFrom a request to a Response, "
                        "or to a coroutine that comes to one."},
    {0, NULL}};

static PyType_Spec bound_spec = {"volo._cvolo.Bound", sizeof(struct bound), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                 bound_slots};

int
volo__py_bound_init(void)
{
    volo__py.bound_type = (PyTypeObject *)PyType_FromSpec(&bound_spec);
    return volo__py.bound_type ? 0 : -1;
}
