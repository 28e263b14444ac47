/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that stand around something of C: their exchange goes by way of the
 * event loop's queue twice, and its request is theirs before and after.  What
 * such a layer does meanwhile, and what it shares with what is inside, is
 * python/volo/passage.py's: this moves the exchange from one to the other.
 */
#include "request.h"
#include "passage.h"
#include "run.h"
#include "swig.h"

#include <string.h>

/* Where an exchange has the Shared of the layer that it is in. */
static const char shared_key;

/* ---- What a layer shares with what is inside ----------------------------- */

void
volo__py_passage_join(struct volo__py_request *self)
{
    struct volo__py_handler *handler = (void *)self->handler;
    PyObject *shared;

    if (!handler || !handler->inside)
        return;
    shared = volo_cx_ext(self->job.cx, &shared_key);
    if (!shared)
        return;
    self->shared = Py_NewRef(shared);
    self->state = PyObject_GetAttrString(shared, "state");
    if (!self->state)
        PyErr_Clear(); /* it gets one of its own */
}

static PyObject *
shared_context(PyObject *shared)
{
    PyObject *context = PyObject_GetAttrString(shared, "context"), *copy;

    copy = context ? PyObject_CallMethod(context, "copy", NULL) : NULL;
    Py_XDECREF(context);
    return copy;
}

PyObject *
volo__py_context_of(const struct volo__py_call *call)
{
    PyObject *shared = NULL;

    if (call->request)
        shared = SELF(call->request)->shared;
    return shared ? shared_context(shared)
                  : PyObject_CallNoArgs(volo__py.copy_context);
}

PyObject *
volo__py_passage_task(PyObject *request, PyObject *run, PyObject *coro)
{
    PyObject *shared = SELF(request)->shared, *context, *task;

    if (!shared)
        return PyObject_CallFunctionObjArgs(run, coro, NULL);
    context = shared_context(shared);
    if (!context)
        return NULL;
    task = PyObject_CallMethod(context, "run", "OO", run, coro);
    Py_DECREF(context);
    if (task && PyObject_SetAttrString(shared, "task", task) < 0)
        PyErr_Clear();
    return task;
}

/* ---- Going on ------------------------------------------------------------ */

static int
check_phase(PyObject *object, int phase)
{
    if (!PyObject_TypeCheck(object, volo__py.request_type)) {
        PyErr_SetString(PyExc_TypeError, "expected a Request");
        return -1;
    }
    if (SELF(object)->phase == phase)
        return 0;
    PyErr_SetString(PyExc_RuntimeError,
                    "a layer with something of C in it may go on once, with "
                    "the request that it was given");
    return -1;
}

PyObject *
volo__py_go_on_function(PyObject *module, PyObject *args)
{
    volo_answer answer = {.kind = VOLO_ANSWER_GO_ON, .release = volo__py_drop};
    PyObject *request, *way, *shared;
    int err;

    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:go_on", &request, &way, &shared) ||
        check_phase(request, VOLO__PY_ENTERING) < 0)
        return NULL;
    if (SELF(request)->answered)
        return volo__py_raise(VOLO_EALREADY, NULL);
    err = volo_cx_set_ext(SELF(request)->job.cx, &shared_key, Py_NewRef(shared),
                          volo__py_drop);
    if (err)
        return volo__py_raise(err, NULL);
    volo__py_task_set(SELF(request)->job.cx, NULL);
    answer.cx = volo__py_request_release(request);
    answer.user = Py_NewRef(way);
    SELF(request)->phase = VOLO__PY_INSIDE;
    volo__py_aio_send(&answer);
    Py_RETURN_NONE;
}

/* ---- Coming back --------------------------------------------------------- */

/* way.arrive(leave), with a Request that does no more than hold the job. */
void
volo__py_passage_back(const volo_job *job)
{
    PyObject *way = job->state, *leave, *result = NULL;

    leave = volo__py_request_new(job, NULL);
    if (leave) {
        SELF(leave)->phase = VOLO__PY_LEAVING;
        result = PyObject_CallMethod(way, "arrive", "O", leave);
        Py_DECREF(leave);
    }
    if (!result)
        PyErr_WriteUnraisable(way);
    Py_XDECREF(result);
    Py_DECREF(way);
}

/* What holds a response that nobody wants to change any more. */
void
volo__py_passage_leave(struct volo__py_request *self)
{
    volo_answer answer = {.kind = VOLO_ANSWER_CHANGE};

    if (self->phase != VOLO__PY_LEAVING || self->answered || !self->job.cx)
        return;
    answer.cx = self->job.cx;
    self->job.cx = NULL;
    volo__py_aio_send(&answer);
}

/* (name, value) of every line; a new list. */
static PyObject *
lines_of(const volo_job *job)
{
    PyObject *list = PyList_New(0), *pair;
    size_t i;

    for (i = 0; list && i < job->header_count; i++) {
        pair = Py_BuildValue("(NN)", volo__py_field_name(&job->headers[i]),
                             volo__py_latin(job->headers[i].value));
        if (!pair || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

/* ${opaque} for a body that can't be seen. */
static PyObject *
body_of(const volo_job *job, PyObject *opaque)
{
    if (volo_cx_is_streamed(job->cx))
        return Py_NewRef(opaque);
    if (!job->body.ptr)
        return Py_NewRef(Py_None);
    return PyBytes_FromStringAndSize(job->body.ptr, (Py_ssize_t)job->body.len);
}

static PyObject *
response_of(const volo_job *job, PyObject *body)
{
    PyObject *lines = lines_of(job), *response = NULL, *headers = NULL;

    if (lines)
        headers = volo__py_headers_from(lines);
    if (headers)
        response = volo__py_response_new(body, (int)job->status, NULL);
    if (response)
        ((struct volo__py_response *)response)->headers = Py_NewRef(headers);
    Py_XDECREF(headers);
    Py_XDECREF(lines);
    return response;
}

/* From the one that holds it to the one that the layer has. */
static void
take_over(struct volo__py_request *self, struct volo__py_request *leave,
          PyObject *given)
{
    volo_cx *before, *cx;

    VOLO__PY_LOCK(leave);
    cx = leave->job.cx;
    leave->job.cx = NULL;
    VOLO__PY_UNLOCK();
    VOLO__PY_LOCK(self);
    before = self->job.cx;
    self->job.cx = cx;
    self->answered = 0;
    self->phase = VOLO__PY_LEAVING;
    self->given = Py_NewRef(given);
    VOLO__PY_UNLOCK();
    volo_cx_unkeep(before);
}

PyObject *
volo__py_come_back_function(PyObject *module, PyObject *args)
{
    PyObject *request, *leave, *opaque, *body, *response;

    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:come_back", &request, &leave, &opaque) ||
        check_phase(request, VOLO__PY_INSIDE) < 0 ||
        check_phase(leave, VOLO__PY_LEAVING) < 0)
        return NULL;
    body = body_of(&SELF(leave)->job, opaque);
    response = body ? response_of(&SELF(leave)->job, body) : NULL;
    if (response)
        take_over(SELF(request), SELF(leave), body);
    Py_XDECREF(body);
    return response;
}

/* ---- Making one ---------------------------------------------------------- */

PyObject *
volo__py_layer_function(PyObject *module, PyObject *args)
{
    PyObject *proxy, *handler;
    volo_layer *inner, *layer;
    volo_queue *queue;
    int err;

    (void)module;
    if (!PyArg_ParseTuple(args, "OO!:layer", &proxy, volo__py.handler_type,
                          &handler))
        return NULL;
    queue = volo__py_queue_of(proxy);
    if (!queue)
        return NULL;
    err = volo_queue_layer(&inner, queue, Py_NewRef(handler), volo__py_drop);
    if (err)
        return volo__py_raise(err, NULL);
    if (volo__py_front_layer(&layer, queue, inner) < 0)
        return NULL;
    return volo__py_layer_proxy(layer);
}
