/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types Handler (what a route's jobs carry) and Bound (what layers wrap),
 * and the whole of an exchange that needs no event loop.
 *
 * Who drives what:
 *   SYNC    volo__py_handler_run() calls the function on a pool thread.
 *   NOWAIT  volo__py_handler_run() calls it on asyncio's thread and sends the
 *           coroutine None, once, inside the copy of the context: as it has
 *           nothing to wait with, it is at its end then.
 *   ASYNC   volo__py_handler_start() wraps the coroutine in one of coro.c,
 *           which is the task, and at its end does what _run() does here.
 * In each case volo__py_reply() encodes what comes of it, on the thread where
 * that is, before the answer is given to the runner.
 */
#include "call.h"
#include "wsgi.h"

#include <string.h>

#include <structmember.h>

/* ---- Calling ------------------------------------------------------------- */

static PyObject *step_function; /* step(coroutine), for Context.run */

/* To the end of a coroutine that does not wait. */
static PyObject *
step_coroutine(PyObject *module, PyObject *coroutine)
{
    PyObject *value = NULL, *closed;
    PySendResult how = PyIter_Send(coroutine, Py_None, &value);

    (void)module;
    if (how != PYGEN_NEXT)
        return how == PYGEN_RETURN ? value : NULL;
    Py_XDECREF(value);
    closed = PyObject_CallMethod(coroutine, "close", NULL);
    Py_XDECREF(closed);
    if (closed)
        PyErr_SetString(PyExc_RuntimeError,
                        "a handler waits, and was registered as one that "
                        "does not");
    return NULL;
}

/* run(context, function, ...), with the arguments from place 2 on. */
static PyObject *
run_in_context(struct volo__py_call *call, PyObject *args, PyObject *function)
{
    PyObject *context = volo__py_context_of(call), *value;

    if (!context)
        return NULL;
    PyTuple_SetItem(args, 0, context);
    Py_INCREF(function);
    PyTuple_SetItem(args, 1, function);
    value = PyObject_Call(volo__py.run_context, args, NULL);
    return value;
}

PyObject *
volo__py_call_fn(struct volo__py_call *call, int context)
{
    PyObject *args, *value;

    if (!context && call->handler->arg_count == 0)
        return PyObject_CallNoArgs(call->handler->fn);
    args = volo__py_plan_bind(call, context ? 2 : 0);
    if (!args)
        return NULL;
    value = context ? run_in_context(call, args, call->handler->fn)
                    : PyObject_Call(call->handler->fn, args, NULL);
    Py_DECREF(args);
    return value;
}

static PyObject *
drive(struct volo__py_call *call, PyObject *coroutine)
{
    PyObject *args, *value;

    if (!call->handler->context)
        return step_coroutine(NULL, coroutine);
    args = PyTuple_New(3);
    if (!args)
        return NULL;
    Py_INCREF(coroutine);
    PyTuple_SetItem(args, 2, coroutine);
    value = run_in_context(call, args, step_function);
    Py_DECREF(args);
    return value;
}

static PyObject *
result_of(struct volo__py_call *call)
{
    int nowait = call->handler->kind == VOLO__PY_NOWAIT;
    PyObject *value, *result;

    /* There is something to be found out with it. */
    if (call->handler->inside && !volo__py_call_request(call))
        return NULL;
    value = volo__py_call_fn(call, call->handler->context && !nowait);
    if (!value || !nowait || !volo__py_is_coroutine(value))
        return value;
    result = drive(call, value);
    Py_DECREF(value);
    return result;
}

/* ---- After the answer ---------------------------------------------------- */

PyObject *
volo__py_next_cleanup(struct volo__py_call *call)
{
    struct volo__py_request *request = (struct volo__py_request *)call->request;
    PyObject *last = NULL, *list;
    Py_ssize_t n;

    if (!request)
        return NULL;
    VOLO__PY_LOCK(request);
    list = request->cleanups;
    n = list ? PyList_Size(list) : 0;
    if (n > 0) {
        last = PyList_GetItem(list, n - 1);
        Py_XINCREF(last);
        if (PyList_SetSlice(list, n - 1, n, NULL) < 0)
            PyErr_Clear();
    }
    VOLO__PY_UNLOCK();
    return last;
}

PyObject *
volo__py_run_cleanup(struct volo__py_call *call, PyObject *cleanup)
{
    PyObject *error = call->error ? call->error : Py_None;
    PyObject *result = PyObject_CallFunctionObjArgs(cleanup, error, NULL);

    if (!result)
        volo__py_cleanup_failed();
    return result;
}

void
volo__py_cleanup_failed(void)
{
    PyObject *worse = volo__py_fetch();

    volo__py_log("what was to be done after an answer has failed", worse);
    Py_XDECREF(worse);
}

static void
clean_up(struct volo__py_call *call)
{
    PyObject *cleanup, *result, *end;

    while ((cleanup = volo__py_next_cleanup(call)) != NULL) {
        result = volo__py_run_cleanup(call, cleanup);
        if (result && volo__py_is_coroutine(result)) {
            end = step_coroutine(NULL, result);
            if (!end)
                volo__py_cleanup_failed();
            Py_XDECREF(end);
        }
        Py_XDECREF(result);
        Py_DECREF(cleanup);
    }
}

/* ---- The whole ----------------------------------------------------------- */

int
volo__py_handler_run(struct volo__py_handler *handler, const volo_job *job,
                     volo_answer *out)
{
    struct volo__py_call call = {0};
    PyObject *value, *pending = NULL;
    int done;

#ifndef VOLO_PY_BARE
    if (Py_TYPE(handler->fn) == volo__py_wsgi_type)
        return volo__py_wsgi_run(handler, job, out);
#endif
    call.job = job;
    call.handler = handler;
    Py_INCREF((PyObject *)handler);
    value = result_of(&call);
    done = value ? volo__py_reply(&call, out, value, &pending) : -1;
    if (done < 0)
        done = volo__py_reply_error(&call, out, &pending);
    Py_XDECREF(value);
    if (call.request)
        clean_up(&call);
    volo__py_call_clear(&call);
    Py_DECREF((PyObject *)handler);
    return done;
}

/* ---- The type Handler ---------------------------------------------------- */

static int
handler_set(struct volo__py_handler *self, PyObject *fn, PyObject *dumps,
            PyObject *name)
{
    if (!PyCallable_Check(fn)) {
        PyErr_SetString(PyExc_TypeError, "fn must be callable");
        return -1;
    }
    if (dumps != Py_None && !PyCallable_Check(dumps)) {
        PyErr_SetString(PyExc_TypeError, "dumps must be callable");
        return -1;
    }
    if (self->kind < VOLO__PY_SYNC || self->kind > VOLO__PY_ASYNC) {
        PyErr_SetString(PyExc_ValueError, "kind is 0, 1 or 2");
        return -1;
    }
    Py_INCREF(fn);
    self->fn = fn;
    Py_INCREF(name);
    self->name = name;
    if (dumps != Py_None) {
        Py_INCREF(dumps);
        self->dumps = dumps;
    }
    return 0;
}

static PyObject *
handler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fn",      "plan", "kind",   "dumps", "streaming",
                            "context", "name", "inside", NULL};
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *fn, *plan, *dumps = Py_None, *name = Py_None;
    int kind, streaming = 0, context = 1, inside = 0;
    struct volo__py_handler *self;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOi|$OppOp:Handler", names,
                                     &fn, &plan, &kind, &dumps, &streaming,
                                     &context, &name, &inside))
        return NULL;
    self = (struct volo__py_handler *)alloc(type, 0);
    if (!self)
        return NULL;
    self->kind = kind;
    self->streaming = streaming;
    self->context = context;
    self->inside = inside;
    if (handler_set(self, fn, dumps, name) < 0 ||
        volo__py_plan_read(self, plan) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int
handler_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct volo__py_handler *self = (struct volo__py_handler *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->fn);
    Py_VISIT(self->dumps);
    Py_VISIT(self->name);
    return volo__py_plan_visit(self, visit, arg);
}

static int
handler_clear(PyObject *object)
{
    struct volo__py_handler *self = (struct volo__py_handler *)object;

    Py_CLEAR(self->fn);
    Py_CLEAR(self->dumps);
    Py_CLEAR(self->name);
    volo__py_plan_free(self);
    return 0;
}

static void
handler_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(object);
    handler_clear(object);
    release(object);
    Py_DECREF(type);
}

static PyMemberDef handler_members[] = {
    {"fn", T_OBJECT, offsetof(struct volo__py_handler, fn), READONLY,
     "What it calls."},
    {"name", T_OBJECT, offsetof(struct volo__py_handler, name), READONLY,
     "The name of its route, or None."},
    {"kind", T_INT, offsetof(struct volo__py_handler, kind), READONLY,
     "0 on a thread, 1 at once on the event loop, 2 a task of it."},
    {"streaming", T_INT, offsetof(struct volo__py_handler, streaming), READONLY,
     "Whether it reads the body itself."},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot handler_slots[] = {
    {Py_tp_dealloc, (void *)handler_dealloc},
    {Py_tp_traverse, (void *)handler_traverse},
    {Py_tp_clear, (void *)handler_clear},
    {Py_tp_new, (void *)handler_new},
    {Py_tp_members, handler_members},
    {Py_tp_doc,
     (void *)"Handler(fn, plan, kind, *, dumps=None, streaming=False, "
             "context=True, name=None, inside=False)\n--\n\nA function with "
             "where its "
             "arguments come from and how it is to be run."},
    {0, NULL}};

static PyType_Spec handler_spec = {
    "volo._cvolo.Handler", sizeof(struct volo__py_handler), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, handler_slots};

static PyMethodDef step_method = {"step", step_coroutine, METH_O, NULL};

int
volo__py_handler_init(PyObject *module)
{
    (void)module;
    step_function = PyCFunction_New(&step_method, NULL);
    volo__py.handler_type = (PyTypeObject *)PyType_FromSpec(&handler_spec);
    if (!step_function || !volo__py.handler_type)
        return -1;
    return volo__py_bound_init();
}
