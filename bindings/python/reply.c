/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a handler returns to an answer, by way of respond() where a value
 * is not one of the plain ones; and from what it raises.
 */
#include "call.h"
#include "passage.h"

#include <string.h>

enum { DETOURS = 8 }; /* values that lead to other values: then it is a loop */

/* ---- The exchange -------------------------------------------------------- */

PyObject *
volo__py_call_request(struct volo__py_call *call)
{
    if (call->request)
        return call->request;
    call->request = volo__py_request_new(call->job, (PyObject *)call->handler);
    if (call->request)
        call->job = &((struct volo__py_request *)call->request)->job;
    else
        call->lost = 1; /* its reference is gone, and 500 on its way */
    return call->request;
}

int
volo__py_call_answered(const struct volo__py_call *call)
{
    return call->lost || (call->request &&
                          ((struct volo__py_request *)call->request)->answered);
}

int
volo__py_call_leaves(const struct volo__py_call *call)
{
    return call->request && ((struct volo__py_request *)call->request)->phase ==
                                VOLO__PY_LEAVING;
}

volo_cx *
volo__py_call_release(struct volo__py_call *call)
{
    if (call->lost)
        return NULL;
    if (call->request)
        return volo__py_request_release(call->request);
    call->lost = 1;
    return call->job->cx;
}

void
volo__py_call_clear(struct volo__py_call *call)
{
    if (!call->lost && !call->request && !call->bound)
        volo_cx_unref(call->job->cx);
    call->lost = 1;
    Py_CLEAR(call->request);
    Py_CLEAR(call->error);
    Py_CLEAR(call->extra);
}

/* ---- Tuples -------------------------------------------------------------- */

/* (status, value) or (status, headers, value): the first two are put aside
 * for the answer; the value is borrowed. */
static PyObject *
unpack(struct volo__py_call *call, PyObject *tuple)
{
    Py_ssize_t n = PyTuple_Size(tuple);
    PyObject *value;

    if (n != 2 && n != 3) {
        PyErr_Format(PyExc_TypeError,
                     "a handler's tuple is (status, value) or (status, "
                     "headers, value), not one of %zd",
                     n);
        return NULL;
    }
    call->status = volo__py_status_of(PyTuple_GetItem(tuple, 0));
    if (call->status < 0)
        return NULL;
    Py_CLEAR(call->extra);
    if (n == 3) {
        call->extra = volo__py_headers_from(PyTuple_GetItem(tuple, 1));
        if (!call->extra)
            return NULL;
    }
    value = PyTuple_GetItem(tuple, n - 1);
    if (PyTuple_Check(value) || PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "%R is no content for an answer with a status", value);
        return NULL;
    }
    return value;
}

/* One like it, for what will be changed; NULL with an exception. */
static PyObject *
copy_of(struct volo__py_response *self)
{
    PyObject *body = volo__py_response_take(self, &self->body);
    PyObject *media = volo__py_response_take(self, &self->media);
    PyObject *headers = volo__py_response_take(self, &self->headers);
    struct volo__py_response *copy;

    copy = (struct volo__py_response *)volo__py_response_new(
        body ? body : Py_None, self->status, NULL);
    if (copy) {
        copy->media = media;
        media = NULL;
        copy->headers = headers ? volo__py_headers_from(headers) : NULL;
        if (headers && !copy->headers)
            Py_CLEAR(copy);
    }
    Py_XDECREF(body);
    Py_XDECREF(media);
    Py_XDECREF(headers);
    return (PyObject *)copy;
}

static int
add_extra(PyObject *response, PyObject *extra)
{
    PyObject *headers = PyObject_GetAttrString(response, "headers");
    PyObject *list = volo__py_headers_list((struct volo__py_headers *)extra);
    Py_ssize_t i;
    int err = headers && list ? 0 : -1;

    for (i = 0; !err && i < PyList_Size(list); i += 2)
        err = volo__py_headers_add((struct volo__py_headers *)headers,
                                   PyList_GetItem(list, i),
                                   PyList_GetItem(list, i + 1), 1);
    Py_XDECREF(headers);
    Py_XDECREF(list);
    return err;
}

/* A Response in a tuple gets what stands beside it; takes it over.  One that
 * may be returned again stays as it is; one that is sent by respond() is sent
 * but once, and is more than we could copy. */
static PyObject *
with_extra(struct volo__py_call *call, PyObject *response)
{
    struct volo__py_response *self = (struct volo__py_response *)response;
    PyObject *made = response;

    if (!call->status && !call->extra)
        return response;
    if (volo__py_is_plain(self->body)) {
        made = copy_of(self);
        Py_DECREF(response);
        if (!made)
            return NULL;
    }
    if (call->status)
        ((struct volo__py_response *)made)->status = call->status;
    call->status = 0;
    if (call->extra && add_extra(made, call->extra) < 0)
        Py_CLEAR(made);
    Py_CLEAR(call->extra);
    return made;
}

/* ---- Values -------------------------------------------------------------- */

int
volo__py_is_json(PyObject *value)
{
    PyObject *kind = (PyObject *)Py_TYPE(value);

    return PyDict_Check(value) || PyList_Check(value) ||
           (PyObject *)Py_TYPE(kind) == volo__py.hooks.records;
}

PyObject *
volo__py_as_json(struct volo__py_call *call, PyObject *value)
{
    PyObject *dumps = call->handler ? call->handler->dumps : NULL, *bytes;

    if (!dumps)
        dumps = volo__py.hooks.dumps;
    if (!dumps) {
        PyErr_SetString(PyExc_RuntimeError, "there is no encoder for JSON");
        return NULL;
    }
    bytes = PyObject_CallFunctionObjArgs(dumps, value, NULL);
    if (bytes && !PyBytes_Check(bytes) && !PyUnicode_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "dumps() must return bytes, not %R",
                     (PyObject *)Py_TYPE(bytes));
        Py_CLEAR(bytes);
    }
    return bytes;
}

/* As volo_reply_status() does. */
static PyObject *
of_status(struct volo__py_call *call, PyObject *value)
{
    int status = volo__py_status_of(value);
    PyObject *reason, *made;

    if (status < 0)
        return NULL;
    if (status >= 400)
        return volo__py_problem(volo__py_accept(call->job), status, NULL, NULL);
    if (status == 204 || status == 205 || status == 304)
        return volo__py_response_new(Py_None, status, NULL);
    reason = PyUnicode_FromString(volo_status_reason(status));
    made = reason ? volo__py_response_new(reason, status, NULL) : NULL;
    Py_XDECREF(reason);
    return made;
}

/* A Response with what stands for ${value}: NULL with an exception, or without
 * one if it is none of the plain values. */
static PyObject *
of_value(struct volo__py_call *call, PyObject *value)
{
    PyObject *body, *made;

    if (volo__py_is_plain(value))
        return volo__py_response_new(value, 0, NULL);
    if (PyByteArray_Check(value) || PyMemoryView_Check(value)) {
        body = PyBytes_FromObject(value);
        made = body ? volo__py_response_new(body, 0, NULL) : NULL;
    } else if (volo__py_is_json(value)) {
        body = volo__py_as_json(call, value);
        made = body ? volo__py_response_new(body, 0, "application/json") : NULL;
    } else if (PyBool_Check(value)) {
        PyErr_SetString(PyExc_TypeError,
                        "a bool is no answer: return a status, as 204, or "
                        "JSON, as {\"ok\": True}");
        return NULL;
    } else {
        return PyLong_Check(value) ? of_status(call, value) : NULL;
    }
    Py_XDECREF(body);
    return made;
}

/* ---- respond() ----------------------------------------------------------- */

/* Takes over ${value}; the same again if there is nobody to ask. */
static PyObject *
ask(struct volo__py_call *call, PyObject *value)
{
    PyObject *hook = volo__py.hooks.respond, *request, *result = NULL;

    request = hook ? volo__py_call_request(call) : NULL;
    if (request)
        result = PyObject_CallFunctionObjArgs(hook, request, value, NULL);
    if (!result && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "%R is no answer",
                     (PyObject *)Py_TYPE(value));
    if (result == value && !volo__py_call_answered(call)) {
        PyErr_Format(PyExc_TypeError, "respond() makes nothing of %R",
                     (PyObject *)Py_TYPE(value));
        Py_CLEAR(result);
    }
    Py_DECREF(value);
    return result;
}

/* ${value} one step nearer to a Response; takes it over.  Sets ${done} to what
 * volo__py_reply() returns if that is decided. */
static PyObject *
step(struct volo__py_call *call, PyObject *value, PyObject **pending, int *done)
{
    PyObject *next;

    if (PyTuple_Check(value)) {
        next = unpack(call, value);
        Py_XINCREF(next);
        Py_DECREF(value);
        return next;
    }
    next = of_value(call, value);
    if (next || PyErr_Occurred()) {
        Py_DECREF(value);
        return next;
    }
    next = ask(call, value);
    if (next && call->waits && volo__py_is_coroutine(next)) {
        *pending = next;
        *done = 2;
        return NULL;
    }
    return next;
}

static int
is_response(PyObject *value)
{
    return Py_TYPE(value) == volo__py.response_type ||
           PyObject_TypeCheck(value, volo__py.response_type);
}

/* A Response, or NULL with ${done} set to 0, -1 or 2; takes over ${value}. */
static PyObject *
to_response(struct volo__py_call *call, PyObject *value, PyObject **pending,
            int *done)
{
    int i;

    *done = -1;
    for (i = 0; i < DETOURS && value; i++) {
        if (volo__py_call_answered(call)) {
            Py_DECREF(value);
            *done = 0;
            return NULL;
        }
        if (is_response(value))
            return with_extra(call, value);
        value = step(call, value, pending, done);
    }
    if (value) {
        PyErr_Format(PyExc_TypeError,
                     "respond() makes %R of it again and again",
                     (PyObject *)Py_TYPE(value));
        Py_DECREF(value);
    }
    return NULL;
}

PyObject *
volo__py_to_response(struct volo__py_call *call, PyObject *value,
                     PyObject **pending)
{
    PyObject *response;
    int done;

    Py_INCREF(value);
    response = to_response(call, value, pending, &done);
    if (!response && done == 0)
        PyErr_SetString(PyExc_RuntimeError,
                        "the request has been answered already");
    return response;
}

/* ---- Answers ------------------------------------------------------------- */

/* One whose body only respond() can send: that it has been sent is what
 * counts. */
static int
send_elsewhere(struct volo__py_call *call, PyObject *response,
               PyObject **pending)
{
    PyObject *result;

    Py_INCREF(response);
    result = ask(call, response);
    if (!result)
        return -1;
    if (call->waits && volo__py_is_coroutine(result)) {
        *pending = result;
        return 2;
    }
    Py_DECREF(result);
    if (volo__py_call_answered(call))
        return 0;
    PyErr_SetString(PyExc_TypeError,
                    "respond() has not sent a body that only it can send");
    return -1;
}

/* By way of a Response; takes over ${value}. */
static int
reply_with(struct volo__py_call *call, volo_answer *out, PyObject *value,
           PyObject **pending)
{
    PyObject *response;
    int done;

    response = to_response(call, value, pending, &done);
    if (!response)
        return done;
    done = volo__py_encode(call, out, response);
    if (done == 0)
        done = send_elsewhere(call, response, pending);
    Py_DECREF(response);
    return done;
}

int
volo__py_reply(struct volo__py_call *call, volo_answer *out, PyObject *value,
               PyObject **pending)
{
    int done;

    if (volo__py_call_answered(call))
        return 0;
    if (PyTuple_Check(value)) {
        value = unpack(call, value);
        if (!value)
            return -1;
    }
    done = volo__py_encode_plain(call, out, value);
    if (done)
        return done;
    Py_INCREF(value);
    return reply_with(call, out, value, pending);
}
