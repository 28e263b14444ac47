/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any callable as an event: for threads that have Python code run where asyncio
 * runs, without the cost of a wake for each.
 */
#include "run.h"

/* A call that is under way. */
struct call {
    struct volo__py_event event;
    PyObject *fn;
    PyObject *args;
};

static void
call_run(struct volo__py_event *event)
{
    struct call *call = (struct call *)(void *)event;
    PyObject *result = PyObject_CallObject(call->fn, call->args);

    if (!result)
        PyErr_WriteUnraisable(call->fn);
    Py_XDECREF(result);
    Py_DECREF(call->fn);
    Py_DECREF(call->args);
    volo_free(call);
}

static void
call_drop(struct volo__py_event *event)
{
    struct call *call = (struct call *)(void *)event;

    volo__py_drop(call->fn);
    volo__py_drop(call->args);
    volo_free(call);
}

PyObject *
volo__py_hub_call(struct volo__py_hub *hub, PyObject *args)
{
    Py_ssize_t n = PyTuple_Size(args);
    struct call *call;

    if (n < 1 || !PyCallable_Check(PyTuple_GetItem(args, 0))) {
        PyErr_SetString(PyExc_TypeError, "call(fn, *args) wants a callable");
        return NULL;
    }
    call = volo_alloc(sizeof *call);
    if (!call)
        return PyErr_NoMemory();
    memset(call, 0, sizeof *call);
    call->event.run = call_run;
    call->event.drop = call_drop;
    call->args = PyTuple_GetSlice(args, 1, n);
    if (!call->args) {
        volo_free(call);
        return NULL;
    }
    call->fn = Py_NewRef(PyTuple_GetItem(args, 0));
    volo__py_hub_post(hub, &call->event);
    Py_RETURN_NONE;
}
