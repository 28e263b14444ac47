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

#include <volo.h>

/* ---- The module (module.c) ----------------------------------------------- */

/* What python/volo gives with volo._cvolo.set_hooks(): strong references. */
struct volo__py_hooks {
    PyObject *dumps;        /* dumps(value) -> bytes: a value as JSON */
    PyObject *respond;      /* respond(request, value): reply.c can't do it */
    PyObject *on_error;     /* on_error(request, exception): as a value */
    PyObject *copy_context; /* contextvars.copy_context */
};

struct volo__py {
    struct volo__py_hooks hooks;
    PyObject *run_name; /* "run", "send" ...: interned */
    PyTypeObject *request_type;
    PyTypeObject *response_type;
    PyTypeObject *headers_type;
    PyTypeObject *handler_type;
    PyTypeObject *bound_type;
    PyTypeObject *pool_type;
    PyTypeObject *aio_type;
    PyTypeObject *writer_type;
    PyTypeObject *reader_type;
};

extern struct volo__py volo__py;

/* volo__py_init(module): add the types and functions of this half to the
 * module that SWIG makes.  -1 with an exception on failure. */
int volo__py_init(PyObject *module);

/* volo__py_raise(err): set the exception volo.VoloError (or MemoryError ...)
 * for a VOLO_E... code; returns NULL. */
PyObject *volo__py_raise(int err, const char *words);

/*
 * volo__py_drop(object):
 * Give a reference back from any thread, with or without the GIL: a
 * volo_free_fn.  The object goes on a list that volo__py_sweep() empties.
 */
void volo__py_drop(void *object);

/* volo__py_sweep(): drop what waits for it.  Cheap when nothing does. */
void volo__py_sweep(void);

/* ---- A request (request.c) ----------------------------------------------- */

/*
 * The view of one exchange.  It owns the job's reference to the cx until
 * volo__py_request_release() hands that to the answer; one that Python code
 * keeps longer takes a reference of its own then, so it can be read for ever.
 */
struct volo__py_request {
    PyObject_HEAD
    volo_job job;      /* job.cx NULL: nothing is held any more */
    PyObject *handler; /* the volo__py_handler it is for */
    PyObject *state;   /* attributes for layers: a dict, or NULL */
    PyObject *headers; /* made when asked for, as the rest below */
    PyObject *body;
    PyObject *cleanups; /* list of what dependency providers left, or NULL */
    PyObject *task;     /* of an async handler, to cancel; or NULL */
    int answered;       /* its reference has gone with an answer */
};

/* volo__py_request_new(job, handler): takes over the reference of ${job},
 * also on failure. */
PyObject *volo__py_request_new(const volo_job *job, PyObject *handler);

/* volo__py_request_release(request): the cx with the reference that an answer
 * takes over.  NULL if it has been released before. */
volo_cx *volo__py_request_release(PyObject *request);

/* ---- Responses and headers (response.c, headers.c) ----------------------- */

/* A value with status and field lines; subclassed in python/volo. */
struct volo__py_response {
    PyObject_HEAD
    PyObject *body;    /* bytes, str, None; or what respond() understands */
    PyObject *headers; /* volo__py_headers, or NULL for none */
    PyObject *media;   /* str: the Content-Type, or NULL: by the body */
    int status;        /* 0: 200, or 204 without a body */
};

/* ---- From values to answers (reply.c) ------------------------------------ */

/*
 * volo__py_reply(out, request, cx, value):
 * Put ${value} into ${cx}: str, bytes, None, dict, list, int (a status),
 * (status, value), (status, headers, value), Response; all else goes through
 * hooks.respond.  Returns 1 and fills ${out} (cx and status) if the answer is
 * to be sent with volo_queue_answer(); 0 if it has been seen to elsewhere (a
 * stream); -1 with an exception.  ${request} may be NULL: it is made when
 * respond() wants one.
 */
int volo__py_reply(volo_answer *out, PyObject **request, const volo_job *job,
                   PyObject *handler, PyObject *value);

/* ---- Handlers (handler.c, plan.c) ---------------------------------------- */

enum volo__py_kind {
    VOLO__PY_SYNC = 0,   /* def: on the pool */
    VOLO__PY_NOWAIT = 1, /* async def that has no await: driven at once */
    VOLO__PY_ASYNC = 2   /* async def: a task of the event loop */
};

/* One argument: where it comes from and what it must be. */
struct volo__py_arg;

/* What a route's user pointer is: Handler(fn, plan, kind). */
struct volo__py_handler {
    PyObject_HEAD
    PyObject *fn;
    PyObject *dumps; /* its own encoder, or NULL: hooks.dumps */
    struct volo__py_arg *args;
    int arg_count;
    int kind;
    int streaming; /* the body is not read before */
    int context;   /* 1: each call in a copy of the context */
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

/*
 * volo__py_handler_start(handler, job, out_coro):
 * For ASYNC: a request, and in ${coro} the coroutine that will answer it (of
 * hooks: bound arguments, awaited, encoded).  NULL where that failed: then it
 * has been answered.
 */
PyObject *volo__py_handler_start(struct volo__py_handler *handler,
                                 const volo_job *job, PyObject **coro);

/* ---- Answers that wait to leave together (flush.c) ------------------------ */

enum { VOLO__PY_BATCH = 64 };

struct volo__py_flush {
    volo_answer answers[VOLO__PY_BATCH];
    size_t count;
};

/* volo__py_flush_add(flush, answer): sends when it is full. */
void volo__py_flush_add(struct volo__py_flush *flush,
                        const volo_answer *answer);

/* volo__py_flush_send(flush): all of them, in one call. */
void volo__py_flush_send(struct volo__py_flush *flush);

#endif
