/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an exchange with an ASGI application ends: what was forgotten or went
 * wrong is answered for and logged, and what was held is let go.
 */
#include "asgi_cycle.h"

enum { CHAIN_MAX = 16 }; /* exceptions that came of each other */

/* After it, nothing of libvolo is held. */
void
volo__py_cycle_let_go(struct volo__py_cycle *cycle)
{
    if (cycle->writer)
        volo_writer_free(cycle->writer);
    cycle->writer = NULL;
    if (cycle->job.cx)
        volo_cx_unref(cycle->job.cx);
    cycle->job.cx = NULL;
    cycle->state = VOLO__PY_CYCLE_DONE;
}

void
volo__py_cycle_fail(struct volo__py_cycle *cycle)
{
    volo_cx *cx = cycle->job.cx;

    if (cx && cycle->state < VOLO__PY_CYCLE_STREAMING &&
        !volo_cx_is_answered(cx)) {
        volo__py_head_drop(&cycle->head);
        volo_reply_problem(cx, 500, NULL);
    }
    volo__py_cycle_let_go(cycle);
    volo__py_cycle_wake(cycle);
}

static void
tell(struct volo__py_cycle *cycle, PyObject *error, const char *words)
{
    PyObject *text = PyUnicode_FromString(words), *none = NULL;

    if (text)
        none = PyObject_CallFunctionObjArgs(cycle->asgi->on_error, error, text,
                                            NULL);
    if (!none)
        PyErr_WriteUnraisable((PyObject *)cycle);
    Py_XDECREF(none);
    Py_XDECREF(text);
}

/* Returned without an answer, or with half of one: a mistake, unless there is
 * nobody to get it. */
static void
finish_well(struct volo__py_cycle *cycle)
{
    if (cycle->state == VOLO__PY_CYCLE_DONE)
        return;
    if (!cycle->gone && !volo_cx_is_canceled(cycle->job.cx))
        tell(cycle, Py_None,
             cycle->state == VOLO__PY_CYCLE_NEW
                 ? "the ASGI application returned without a response"
                 : "the ASGI application returned without completing its "
                   "response");
    volo__py_cycle_fail(cycle);
}

/* Whether ${error} is what send() raises for a client that has left, or came of
 * that: frameworks have exceptions of their own for it. */
static int
comes_of_leaving(PyObject *error)
{
    PyObject *next;
    int i, found = 0;

    Py_XINCREF(error);
    for (i = 0; error && !found && i < CHAIN_MAX; i++) {
        found = PyErr_GivenExceptionMatches(error, PyExc_OSError);
        next = found ? NULL : PyException_GetContext(error);
        Py_DECREF(error);
        error = next;
    }
    Py_XDECREF(error);
    return found;
}

/* That the client has left is no mistake of an application that says so. */
static int
is_leaving(struct volo__py_cycle *cycle, PyObject *error)
{
    volo_cx *cx = cycle->job.cx;

    return (cycle->gone || (cx && volo_cx_is_canceled(cx))) &&
           comes_of_leaving(error);
}

/* 1 if the exception has been seen to; 0 if it is for the task to know (a
 * cancellation, the end of the program). */
static int
finish_badly(struct volo__py_cycle *cycle)
{
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace && value)
        PyException_SetTraceback(value, trace);
    if (!PyErr_GivenExceptionMatches(type, PyExc_Exception)) {
        volo__py_cycle_fail(cycle);
        PyErr_Restore(type, value, trace);
        return 0;
    }
    if (!is_leaving(cycle, value))
        tell(cycle, value ? value : type, "exception in an ASGI application");
    volo__py_cycle_fail(cycle);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return 1;
}

/* The application is done, one way or the other. */
PySendResult
volo__py_cycle_finish(struct volo__py_cycle *cycle, PySendResult status,
                      PyObject **result)
{
    if (status == PYGEN_RETURN) {
        Py_CLEAR(*result);
        finish_well(cycle);
    } else if (finish_badly(cycle)) {
        status = PYGEN_RETURN;
    }
    if (status == PYGEN_RETURN)
        *result = Py_NewRef(Py_None);
    Py_CLEAR(cycle->coro);
    Py_CLEAR(cycle->task);
    Py_CLEAR(cycle->head.lines);
    volo__py_link_unref(cycle->link);
    cycle->link = NULL;
    return status;
}
