/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving WSGI applications (PEP 3333): what the wsgi_*.c files share.  A Wsgi
 * is the function of Handlers that a pool runs; each exchange is an object
 * that the application knows as start_response.
 */
#ifndef VOLO_BINDINGS_WSGI_H
#define VOLO_BINDINGS_WSGI_H

#include "gate.h"

/* Wsgi(app, environ, make_input, on_error) */
struct volo__py_wsgi {
    PyObject ob_base;
    PyObject *app;
    PyObject *environ;    /* dict: what is the same in all of them */
    PyObject *make_input; /* make_input(reader) -> a file to read from */
    PyObject *on_error;   /* on_error(exception, words): to the log */
    PyObject *root_path;  /* str: the first of SCRIPT_NAME */
};

extern PyTypeObject *volo__py_wsgi_type;
extern PyTypeObject *volo__py_start_type;

/* volo__py_wsgi_init(module): called by volo__py_init(). */
int volo__py_wsgi_init(PyObject *module);

/* volo__py_wsgi_run(handler, job, out): volo__py_handler_run() where the
 * function of ${handler} is a Wsgi. */
int volo__py_wsgi_run(struct volo__py_handler *handler, const volo_job *job,
                      volo_answer *out);

/* ---- The environment (wsgi_environ.c) ------------------------------------ */

/* volo__py_environ(wsgi, job, input): a new one. */
PyObject *volo__py_environ(struct volo__py_wsgi *wsgi, const volo_job *job,
                           PyObject *input);

int volo__py_environ_init(void);

/* ---- An exchange (wsgi_start.c, wsgi_send.c) ----------------------------- */

struct volo__py_start {
    PyObject ob_base;
    struct volo__py_wsgi *wsgi; /* NULL: it is over */
    PyObject *handler;
    volo_job job;
    int owned;         /* the job's reference is ours, not the request's */
    PyObject *request; /* made for readers and writers, or NULL */
    PyObject *writer;  /* of a streamed response, or NULL */
    struct volo__py_head head;
    int status;  /* 0: start_response has not been called */
    int put;     /* the head is in the cx */
    int sent;    /* and has left */
    int muted;   /* and nothing of the body follows */
    int gone;    /* the client has left */
    int answers; /* it is a whole answer, for the caller to send */
};

extern PyType_Spec volo__py_start_spec;

/* volo__py_start_request(start): its request, borrowed; or NULL. */
PyObject *volo__py_start_request(struct volo__py_start *start);

/* volo__py_start_put(start): the head into the cx, once; or -1. */
int volo__py_start_put(struct volo__py_start *start);

/* volo__py_start_begin(start): the head leaves, pieces follow; or -1. */
int volo__py_start_begin(struct volo__py_start *start);

/* volo__py_start_write(start, bytes): send them, waiting for room; or -1. */
int volo__py_start_write(struct volo__py_start *start, PyObject *bytes);

/* volo__py_start_send(start, result): all that the application returned; or
 * -1. */
int volo__py_start_send(struct volo__py_start *start, PyObject *result);

#endif
