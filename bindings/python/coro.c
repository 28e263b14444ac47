/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A coroutine around the handler's own: the same to whoever awaits it, but
 * when that has come to its end, this encodes what has come of it, on the spot
 * and with no callback.  Then it awaits what is left to be done: the
 * coroutines of hooks, and cleanups.
 */
#include "coro.h"

#include <string.h>

int
volo__py_is_coroutine(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);

    return type == volo__py_native_type ||
           PyType_GetSlot(type, Py_am_await) != NULL;
}

/* What can be sent to; takes over ${value}. */
static PyObject *
awaited(PyObject *value)
{
    unaryfunc await;
    PyObject *iterator;

    if (Py_TYPE(value) == volo__py_native_type ||
        Py_TYPE(value) == volo__py_coro_type)
        return value;
    await = (unaryfunc)PyType_GetSlot(Py_TYPE(value), Py_am_await);
    iterator = await(value);
    Py_DECREF(value);
    return iterator;
}

/* ---- The end ------------------------------------------------------------- */

static int
is_cancel(PyObject *error)
{
    PyObject *module = PyImport_ImportModule("asyncio.exceptions"), *type;
    int is;

    type = module ? PyObject_GetAttrString(module, "CancelledError") : NULL;
    is = type && PyErr_GivenExceptionMatches(error, type);
    Py_XDECREF(module);
    Py_XDECREF(type);
    PyErr_Clear();
    return is;
}

static void
forget_task(PyObject *object)
{
    struct volo__py_request *request = (struct volo__py_request *)object;
    PyObject *task;

    VOLO__PY_LOCK(object);
    task = request->task;
    request->task = NULL;
    VOLO__PY_UNLOCK();
    Py_XDECREF(task);
}

/* 0, or -1 with the exception that it ends with. */
int
volo__py_coro_finish(struct volo__py_coro *self)
{
    PyObject *cancel = self->cancel;

    self->phase = VOLO__PY_DONE;
    self->cancel = NULL;
    if (self->send && self->call.request)
        forget_task(self->call.request);
    volo__py_call_clear(&self->call);
    if (!cancel)
        return 0;
    PyErr_SetObject((PyObject *)Py_TYPE(cancel), cancel);
    Py_DECREF(cancel);
    return -1;
}

/* 1 with the next cleanup to be awaited; else as volo__py_coro_finish(). */
static int
clean_up(struct volo__py_coro *self)
{
    PyObject *cleanup, *result;

    self->phase = VOLO__PY_CLEAN;
    while ((cleanup = volo__py_next_cleanup(&self->call)) != NULL) {
        result = volo__py_run_cleanup(&self->call, cleanup);
        Py_DECREF(cleanup);
        if (result && volo__py_is_coroutine(result)) {
            self->inner = awaited(result);
            if (self->inner)
                return 1;
            volo__py_cleanup_failed();
        } else {
            Py_XDECREF(result);
        }
    }
    return volo__py_coro_finish(self);
}

/* ---- From one thing to the next ------------------------------------------ */

/* What is done with an exception: as volo__py_reply_error(). */
static int
reply_raised(struct volo__py_coro *self, volo_answer *out, PyObject **pending)
{
    PyObject *error = volo__py_fetch();

    if (error && is_cancel(error)) {
        Py_XDECREF(self->cancel);
        self->cancel = error;
        if (!self->call.error) {
            Py_INCREF(error);
            self->call.error = error;
        }
        return volo__py_reply_plain(&self->call, out, 503);
    }
    if (self->failed) {
        volo__py_log("an exception could not be answered", error);
        Py_XDECREF(error);
        return volo__py_reply_plain(&self->call, out, 500);
    }
    self->failed = 1;
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return volo__py_reply_error(&self->call, out, pending);
}

/* ${pending} is to be awaited: 1, or 0 with an exception. */
static int
await_hook(struct volo__py_coro *self, PyObject *pending)
{
    self->inner = awaited(pending);
    self->phase = VOLO__PY_HOOK;
    return self->inner != NULL;
}

static int
answer_with(struct volo__py_coro *self, PyObject *value)
{
    PyObject *pending = NULL;
    volo_answer out;
    int done;

    done = value ? volo__py_reply(&self->call, &out, value, &pending) : -1;
    for (;;) {
        if (done < 0)
            done = reply_raised(self, &out, &pending);
        if (done != 2)
            break;
        if (await_hook(self, pending))
            return 1;
        done = -1;
    }
    if (done == 1)
        self->send(self->runner, &out);
    return clean_up(self);
}

static int
respond_with(struct volo__py_coro *self, PyObject *value)
{
    PyObject *pending = NULL;

    self->result =
        value ? volo__py_to_response(&self->call, value, &pending) : NULL;
    if (pending && await_hook(self, pending))
        return 1;
    if (!self->result)
        self->result = volo__py_invalid_response(&self->call);
    if (volo__py_coro_finish(self) < 0)
        return -1;
    return self->result ? 0 : -1;
}

/* What it was at has come to ${value}, which is taken over, or to the exception
 * that is set: 1 if there is more to await, 0 at the end, -1 at the end with an
 * exception. */
int
volo__py_coro_advance(struct volo__py_coro *self, PyObject *value)
{
    int more;

    Py_CLEAR(self->inner);
    if (self->phase == VOLO__PY_CLEAN) {
        if (!value)
            volo__py_cleanup_failed();
        more = clean_up(self);
    } else {
        more =
            self->send ? answer_with(self, value) : respond_with(self, value);
    }
    Py_XDECREF(value);
    return more;
}

/* ---- Making them --------------------------------------------------------- */

/* With what ${value} (taken over) is to be awaited for, or is already. */
static struct volo__py_coro *
make(const struct volo__py_call *call, PyObject *value, volo__py_send_fn send,
     PyObject *runner)
{
    struct volo__py_coro *self =
        PyObject_GC_New(struct volo__py_coro, volo__py_coro_type);

    if (!self) {
        Py_XDECREF(value);
        return NULL;
    }
    memset((char *)self + sizeof self->ob_base, 0,
           sizeof *self - sizeof self->ob_base);
    self->call = *call;
    self->handler = (PyObject *)call->handler;
    Py_XINCREF(self->handler);
    self->send = send;
    self->runner = runner;
    Py_XINCREF(runner);
    if (value && volo__py_is_coroutine(value))
        self->inner = awaited(value);
    else
        self->ready = value;
    PyObject_GC_Track((PyObject *)self);
    return self;
}

PyObject *
volo__py_coro_bound(struct volo__py_call *call, PyObject *value)
{
    struct volo__py_coro *self;

    Py_INCREF(value);
    self = make(call, value, NULL, NULL);
    if (!self)
        return NULL;
    Py_INCREF(call->request);
    if (!self->inner && !self->ready) /* __await__ has failed */
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* Nothing to wait for yet: answer, which may lead to something. */
static int
begin(struct volo__py_coro *self)
{
    PyObject *ready = self->ready;

    if (self->inner)
        return 1;
    self->ready = NULL;
    if (volo__py_coro_advance(self, ready) > 0)
        return 1;
    PyErr_Clear(); /* CancelledError, of whom there is nobody to tell */
    return 0;
}

PyObject *
volo__py_handler_start(struct volo__py_handler *handler, const volo_job *job,
                       volo__py_send_fn send, PyObject *runner, PyObject **coro)
{
    struct volo__py_call call = {0};
    struct volo__py_coro *self;
    PyObject *request, *value;

    request = volo__py_request_new(job, (PyObject *)handler);
    if (!request) {
        PyErr_Clear(); /* out of memory: it has been let go, which is 500 */
        return NULL;
    }
    Py_INCREF(request); /* of the two, one is the caller's */
    call.request = request;
    call.job = &((struct volo__py_request *)request)->job;
    call.handler = handler;
    call.waits = 1;
    value = volo__py_call_fn(&call, 0);
    self = make(&call, value, send, runner);
    if (self && begin(self)) {
        *coro = (PyObject *)self;
        return request;
    }
    if (self)
        Py_DECREF((PyObject *)self);
    else
        volo__py_call_clear(&call);
    PyErr_Clear();
    Py_DECREF(request);
    return NULL;
}
