/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hand-written half of the Python binding shares: the types that a
 * request meets on its way through Python, and who holds what.
 *
 * It is mechanism only.  What a handler's annotations mean, how values turn
 * into answers, which layers there are: the package python/volo decides, and
 * tells this half in plans and in the functions of volo__py_hooks.
 *
 * Limited API of 3.10, so that one module serves every later version.
 * Everything here wants the GIL unless it says otherwise.
 */
#ifndef VOLO_BINDINGS_PY_H
#define VOLO_BINDINGS_PY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>

#include <volo.h>

/*
 * Sharing.  Where there is no GIL, VOLO__PY_LOCK(object) to VOLO__PY_UNLOCK()
 * is one block in which nobody else is at the fields of ${object}.  No Python
 * code runs and no return leaves from inside.
 */
#ifdef Py_GIL_DISABLED
#define VOLO__PY_LOCK(object) Py_BEGIN_CRITICAL_SECTION(object);
#define VOLO__PY_UNLOCK() Py_END_CRITICAL_SECTION()
#else
#define VOLO__PY_LOCK(object) {
#define VOLO__PY_UNLOCK() }
#endif

/* ---- The module (module.c) ----------------------------------------------- */

/*
 * What python/volo gives with volo._cvolo.set_hooks(dumps=, respond=,
 * on_error=, rejection=, error=, records=): kept for ever, to be borrowed.
 *
 * respond(request, value) is asked in two cases.  A value that reply.c does
 * not know (a Struct, a generator): it returns one that it does know, mostly a
 * Response.  A Response whose body is neither bytes, str nor None (a file, a
 * stream): it sends that with a Writer; what it returns is ignored.
 *
 * For an ASYNC handler respond and on_error may return a coroutine: it is
 * awaited, for what they would have returned.
 */
struct volo__py_hooks {
    PyObject *dumps;     /* dumps(value) -> bytes: a value as JSON */
    PyObject *respond;   /* respond(request, value): see above */
    PyObject *on_error;  /* on_error(request, exception) -> a value */
    PyObject *rejection; /* rejection(errors, status) -> the exception for what
                            the plan refuses; errors: (field, where, reason).
                            NULL: Invalid, answered without on_error */
    PyObject *error;     /* error(code, name, text) -> the exception of
                            volo__py_raise(); NULL: volo._cvolo.VoloError */
    PyObject *records;   /* metaclass of types that are JSON, as dict is */
};

struct volo__py {
    struct volo__py_hooks hooks;
    PyObject *error;        /* VoloError */
    PyObject *invalid;      /* Invalid: what the plan raises */
    PyObject *copy_context; /* contextvars.copy_context */
    PyObject *run_context;  /* contextvars.Context.run, unbound */
    PyTypeObject *request_type;
    PyTypeObject *tls_type; /* TLSInfo */
    PyTypeObject *state_type;
    PyTypeObject *response_type;
    PyTypeObject *headers_type;
    PyTypeObject *multi_type;
    PyTypeObject *handler_type;
    PyTypeObject *bound_type;
    PyTypeObject *pool_type;
    PyTypeObject *aio_type;
    PyTypeObject *writer_type;
    PyTypeObject *reader_type;
};

extern struct volo__py volo__py;

/* volo__py_init(module): add all of this half to the module that SWIG makes;
 * -1 with an exception. */
int volo__py_init(PyObject *module);

/* volo__py_raise(err): set the exception volo.VoloError (or MemoryError ...)
 * for a VOLO_E... code; returns NULL. */
PyObject *volo__py_raise(int err, const char *words);

/* volo__py_drop(object): give a reference back from any thread, with or without
 * the GIL: a volo_free_fn.  It waits on a list for volo__py_sweep(). */
void volo__py_drop(void *object);

/* volo__py_sweep(): drop what waits for it.  Cheap when nothing does. */
void volo__py_sweep(void);

/* ---- A request (request.c) ----------------------------------------------- */

/*
 * The view of one exchange.  It owns the job's reference to the cx until
 * volo__py_request_release() hands that to the answer; one that Python code
 * has still then keeps it, so it can be read for ever.
 */
struct volo__py_request {
    PyObject ob_base;
    volo_job job;      /* job.cx NULL: nothing is held any more */
    PyObject *handler; /* the volo__py_handler it is for; may be NULL */
    PyObject *state;   /* attributes for layers: a dict, or NULL */
    PyObject *headers; /* made when asked for, as those below */
    PyObject *params;
    PyObject *query;
    PyObject *cookies;
    PyObject *body;
    PyObject *cleanups; /* list of what dependency providers left, or NULL:
                           each called with the exception or None, last first,
                           once the answer is made (awaited where ASYNC) */
    PyObject *task;     /* of an async handler, to cancel, or NULL: set by the
                           runner if not answered yet; cleared at the end */
    PyObject *shared;   /* see passage.h; NULL outside of such layers */
    PyObject *given;    /* the body that came back to one; or NULL */
    int phase;          /* of one: a volo__py_layer_phase */
    struct volo__py_kept *kept; /* what is read before the loop has it again */
    int answered;               /* its reference has gone with an answer */
};

/* volo__py_request_new(job, handler): takes over the reference of ${job},
 * also on failure. */
PyObject *volo__py_request_new(const volo_job *job, PyObject *handler);

/* volo__py_request_release(request): the cx with the reference that an answer
 * takes over.  NULL if it has been released before. */
volo_cx *volo__py_request_release(PyObject *request);

/* ---- Handlers (handler.c, coro.c, plan.c) -------------------------------- */

enum volo__py_kind {
    VOLO__PY_SYNC = 0,   /* def: on the pool */
    VOLO__PY_NOWAIT = 1, /* async def that has no await: driven at once */
    VOLO__PY_ASYNC = 2   /* async def: a task of the event loop */
};

/* One argument: where it comes from and what it must be. */
struct volo__py_arg;

/* What a route's user pointer is: Handler(fn, plan, kind). */
struct volo__py_handler {
    PyObject ob_base;
    PyObject *fn;
    PyObject *dumps; /* its own encoder, or NULL: hooks.dumps */
    PyObject *name;  /* of the route, for Request.route; or NULL */
    struct volo__py_arg *args;
    int arg_count;
    int kind;
    int streaming;             /* the body is not read before */
    int inside;                /* of a layer that goes by way of a queue */
    int context;               /* 1: each call in a copy of the context */
    _Atomic(uint32_t) pace_us; /* the pool's: how long it blocks, by and by */
    atomic_int stuck;          /* the pool's: calls that block just now */
};

/*
 * volo__py_handler_run(handler, job, out):
 * Bind the arguments, call, and encode what comes back, errors included: the
 * whole of a SYNC or NOWAIT exchange.  Takes over the reference of ${job}.
 * Returns 1 if ${out} is to be sent, 0 if it has been seen to.  Never leaves an
 * exception.
 */
int volo__py_handler_run(struct volo__py_handler *handler, const volo_job *job,
                         volo_answer *out);

/* Takes an answer that is to leave soon; ${runner} is an Aio or the like. */
typedef void (*volo__py_send_fn)(PyObject *runner, const volo_answer *answer);

/*
 * volo__py_handler_start(handler, job, send, runner, coro):
 * For ASYNC: a request (a new reference), and in ${coro} the coroutine (a new
 * reference) that runs the handler, encodes what it returns or raises, gives
 * that to ${send} and then returns None: to be run as a task.  It keeps
 * ${runner}.  Raises CancelledError when cancelled, and nothing else.  Dropped
 * before its end, it answers 500.  NULL where there is nothing to run: then
 * ${send} has been called already.  Takes over the reference of ${job}.
 */
PyObject *volo__py_handler_start(struct volo__py_handler *handler,
                                 const volo_job *job, volo__py_send_fn send,
                                 PyObject *runner, PyObject **coro);

#endif
