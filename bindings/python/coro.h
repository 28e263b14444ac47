/* SPDX-License-Identifier: Apache-2.0 */
/* The coroutine of a handler: coro.c moves it on, coro_type.c is its type. */
#ifndef VOLO_BINDINGS_CORO_H
#define VOLO_BINDINGS_CORO_H

#include "call.h"

enum volo__py_phase {
    VOLO__PY_RUN,   /* the handler */
    VOLO__PY_HOOK,  /* what respond() or on_error() has returned */
    VOLO__PY_CLEAN, /* a cleanup */
    VOLO__PY_DONE
};

struct volo__py_coro {
    PyObject ob_base;
    struct volo__py_call call;
    PyObject *handler; /* keeps what the call borrows */
    PyObject *inner;   /* what it is at; or NULL */
    PyObject *ready;   /* or what that has come to before it began */
    PyObject *result;  /* for Bound: the Response */
    PyObject *cancel;  /* the CancelledError that it must end with */
    PyObject *runner;
    volo__py_send_fn send; /* NULL for Bound */
    int phase;
    int failed; /* on_error() has been asked */
};

extern PyTypeObject *volo__py_coro_type;
extern PyTypeObject *volo__py_native_type; /* of an async def */

/* volo__py_coro_advance(self, value): what it was at has come to ${value},
 * which is taken over, or to the exception that is set: 1 if there is more to
 * await, 0 at the end, -1 at the end with an exception. */
int volo__py_coro_advance(struct volo__py_coro *self, PyObject *value);

/* volo__py_coro_finish(self): this is the end: 0, or -1 with the exception that
 * it ends with. */
int volo__py_coro_finish(struct volo__py_coro *self);

#endif
