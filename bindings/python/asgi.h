/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving ASGI 3 applications: what the asgi_*.c files share.
 *
 * An Asgi takes exchanges from a queue of its own, on the event loop's thread,
 * and gives each a cycle: the coroutine that a task drives, and the state
 * behind the application's receive and send.  What a loop thread of libvolo
 * has to say to a cycle goes through a link.
 *
 * It knows the messages of the ASGI specification and no policy: which
 * application, lifespan and logging are volo/asgi.py's.  All of it wants the
 * GIL, and the event loop's thread, unless it says otherwise.
 */
#ifndef VOLO_BINDINGS_ASGI_H
#define VOLO_BINDINGS_ASGI_H

#include "run.h"

/* ---- Names and constants (asgi_names.c) ---------------------------------- */

/* X(member, text): str objects made once. */
#define VOLO__PY_ASGI_NAMES(X)                     \
    X(type, "type")                                \
    X(body, "body")                                \
    X(more_body, "more_body")                      \
    X(more_trailers, "more_trailers")              \
    X(status, "status")                            \
    X(headers, "headers")                          \
    X(trailers, "trailers")                        \
    X(asgi, "asgi")                                \
    X(version, "version")                          \
    X(spec_version, "spec_version")                \
    X(http, "http")                                \
    X(https, "https")                              \
    X(http_version, "http_version")                \
    X(method, "method")                            \
    X(scheme, "scheme")                            \
    X(path, "path")                                \
    X(raw_path, "raw_path")                        \
    X(query_string, "query_string")                \
    X(root_path, "root_path")                      \
    X(client, "client")                            \
    X(server, "server")                            \
    X(extensions, "extensions")                    \
    X(state, "state")                              \
    X(empty, "")                                   \
    X(version_3_0, "3.0")                          \
    X(version_2_4, "2.4")                          \
    X(version_1_0, "1.0")                          \
    X(version_1_1, "1.1")                          \
    X(version_2, "2")                              \
    X(request, "http.request")                     \
    X(disconnect, "http.disconnect")               \
    X(response_start, "http.response.start")       \
    X(response_body, "http.response.body")         \
    X(response_trailers, "http.response.trailers") \
    X(early_hint, "http.response.early_hint")      \
    X(links, "links")                              \
    X(tls, "tls")                                  \
    X(close_, "close")                             \
    X(await_, "__await__")                         \
    X(done, "done")                                \
    X(set_result, "set_result")                    \
    X(create_future, "create_future")              \
    X(call_soon, "call_soon")

struct volo__py_asgi_names {
#define VOLO__PY_NAME(member, text) PyObject *member;
    VOLO__PY_ASGI_NAMES(VOLO__PY_NAME)
#undef VOLO__PY_NAME
    PyObject *no_bytes;
    PyObject *methods[VOLO_PATCH + 1];  /* str, by number */
    PyObject *fields[VOLO_FIELD_COUNT]; /* bytes, by number */
    PyObject *disconnected;             /* the exception ClientDisconnected */
    PyTypeObject *asgi_type;
    PyTypeObject *cycle_type;
    PyTypeObject *wait_type;
};

extern struct volo__py_asgi_names volo__py_asgi_names;

/* volo__py_asgi_init(module): called by volo__py_init(). */
int volo__py_asgi_init(PyObject *module);

/* ---- The server of one application (asgi.c) ------------------------------ */

struct volo__py_asgi {
    PyObject ob_base;
    PyObject *app;
    PyObject *on_error; /* on_error(exception, words): to the log */
    PyObject *loop;
    PyObject *task_type;
    PyObject *task_options; /* dict: keywords of the task type */
    PyObject *create_future;
    PyObject *call_soon;
    PyObject *flush_later; /* our own method, bound */
    PyObject *scope;       /* the keys that every scope has */
    PyObject *state;       /* dict of the lifespan, or NULL */
    PyObject *root_path;   /* str */
    volo_queue *queue;
    volo_job *jobs;
    struct volo__py_usual *usual;
    struct volo__py_hub *hub;
    struct volo__py_cycle *cycles; /* those at work, each with a reference */
    struct volo__py_flush flush;
    Py_ssize_t active;
    int starting; /* cycles whose first step is still to come */
    int started;  /* of this batch, in all */
    uint64_t takes, jobs_taken, flushes;
    uint64_t since_us;
    uint64_t pace_us; /* of a first step, on average */
    int scheduled;    /* the event loop will flush */
};

/* volo__py_asgi_answer(asgi, cx, status): send what has been put into ${cx},
 * whose reference goes with it, together with others of this iteration. */
void volo__py_asgi_answer(struct volo__py_asgi *asgi, volo_cx *cx, int status);

/* volo__py_asgi_stepped(asgi): one of the cycles has had its first step. */
void volo__py_asgi_stepped(struct volo__py_asgi *asgi);

/* ---- The scope (asgi_scope.c) -------------------------------------------- */

/* What comes again and again in scopes: field lines and clients. */
struct volo__py_usual *volo__py_usual_new(void);
void volo__py_usual_free(struct volo__py_usual *usual);

/* volo__py_asgi_template(asgi): what every scope begins as. */
PyObject *volo__py_asgi_template(struct volo__py_asgi *asgi);

/* volo__py_asgi_scope(asgi, job): a new scope for ${job}. */
PyObject *volo__py_asgi_scope(struct volo__py_asgi *asgi, const volo_job *job);

/* volo__py_asgi_tls(scope, cx): what asgi_tls.c says of a connection with TLS,
 * into the extensions of this scope alone; -1 with an exception. */
int volo__py_asgi_tls(PyObject *scope, const volo_cx *cx);

#endif
