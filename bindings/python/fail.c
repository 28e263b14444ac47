/* SPDX-License-Identifier: Apache-2.0 */
/* What an exception is answered with. */
#include "call.h"

#include <string.h>

static const volo_pair plain_text = {{"content-type", 12},
                                     {"text/plain; charset=utf-8", 25},
                                     VOLO_FIELD_CONTENT_TYPE,
                                     0};

static volo_str
plain_body(int status)
{
    return status == 503 ? VOLO_STR("Service Unavailable\n")
                         : VOLO_STR("Internal Server Error\n");
}

int
volo__py_reply_plain(struct volo__py_call *call, volo_answer *out, int status)
{
    volo_cx *cx;

    if (volo__py_call_answered(call))
        return 0;
    cx = call->job->cx;
    memset(out, 0, sizeof *out);
    out->status = status;
    if (volo__py_call_leaves(call)) {
        out->kind = VOLO_ANSWER_CHANGE;
        out->headers = &plain_text;
        out->header_count = 1;
        out->body = plain_body(status);
        out->cx = volo__py_call_release(call);
        return out->cx ? 1 : 0;
    }
    volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE,
                      VOLO_STR("text/plain; charset=utf-8"));
    volo_cx_set_body_ref(cx, plain_body(status), NULL, NULL);
    out->cx = volo__py_call_release(call);
    return out->cx ? 1 : 0;
}

/* An interrupt is meant for the program, wherever it has struck the thread
 * that runs asyncio: it comes again when this is over. */
static void
pass_on(const struct volo__py_call *call, PyObject *error)
{
    if (call->handler && call->handler->kind != VOLO__PY_SYNC &&
        PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
}

/* A Response or another value for ${error}; NULL with an exception. */
static PyObject *
value_of(struct volo__py_call *call, PyObject *error)
{
    PyObject *hook = volo__py.hooks.on_error, *errors, *status, *made = NULL;

    if (Py_TYPE(error) == (PyTypeObject *)volo__py.invalid) {
        errors = PyObject_GetAttrString(error, "errors");
        status = PyObject_GetAttrString(error, "status");
        if (errors && status && PyList_Check(errors) && PyLong_Check(status))
            made = volo__py_problem(volo__py_accept(call->job),
                                    (int)PyLong_AsLong(status), NULL, errors);
        Py_XDECREF(errors);
        Py_XDECREF(status);
        return made;
    }
    if (!hook) {
        volo__py_log("a handler has raised an exception", error);
        return volo__py_problem(volo__py_accept(call->job), 500, NULL, NULL);
    }
    if (!volo__py_call_request(call))
        return NULL;
    return PyObject_CallFunctionObjArgs(hook, call->request, error, NULL);
}

static int
reply_for(struct volo__py_call *call, volo_answer *out, PyObject *error,
          PyObject **pending)
{
    PyObject *value;
    int done;

    call->status = 0;
    Py_CLEAR(call->extra);
    value = value_of(call, error);
    if (!value)
        return -1;
    if (call->waits && volo__py_is_coroutine(value)) {
        *pending = value;
        return 2;
    }
    done = volo__py_reply(call, out, value, pending);
    Py_DECREF(value);
    return done;
}

/* The client has left meanwhile: that is no news, and nobody's mistake. */
static int
is_gone(PyObject *error)
{
    PyObject *type = volo__py.hooks.error, *code = NULL;
    int gone = 0;

    if (PyErr_GivenExceptionMatches(error, type ? type : volo__py.error))
        code = PyObject_GetAttrString(error, "code");
    if (code && PyLong_Check(code))
        gone = PyLong_AsLong(code) == VOLO_ECANCELED;
    Py_XDECREF(code);
    PyErr_Clear();
    return gone;
}

int
volo__py_reply_error(struct volo__py_call *call, volo_answer *out,
                     PyObject **pending)
{
    PyObject *error = volo__py_fetch(), *worse;
    int done = -1;

    if (!error)
        return volo__py_reply_plain(call, out, 500);
    if (!call->error) {
        Py_INCREF(error);
        call->error = error;
    }
    if (!PyErr_GivenExceptionMatches(error, PyExc_Exception)) {
        volo__py_log("a handler has tried to end the program", error);
        pass_on(call, error);
    } else if (volo__py_call_answered(call)) {
        if (!is_gone(error))
            volo__py_log("an exception after the answer", error);
    } else {
        done = reply_for(call, out, error, pending);
        worse = done < 0 ? volo__py_fetch() : NULL;
        if (worse)
            volo__py_log("an exception could not be answered", worse);
        Py_XDECREF(worse);
    }
    Py_DECREF(error);
    return done < 0 ? volo__py_reply_plain(call, out, 500) : done;
}
