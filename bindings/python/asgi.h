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

#include "gate.h"
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
    X(throw_, "throw")                             \
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

/* ---- From the loops' threads to the event loop (asgi_link.c) ------------- */

/* What a link says of its exchange. */
enum {
    VOLO__PY_GONE = 1, /* the client has left */
    VOLO__PY_ROOM = 2, /* there is room to write again */
    VOLO__PY_BODY = 4  /* more of the body, or its end, is there */
};

/* A piece of a request's body. */
struct volo__py_piece {
    struct volo__py_piece *next;
    size_t len;
    char data[];
};

/* What a cycle and its exchange's loop thread have in common; plain memory,
 * counted by who may use it. */
struct volo__py_link {
    struct volo__py_event event;
    struct volo__py_hub *hub;
    atomic_int refs;
    atomic_uint said;
    PyObject *cycle; /* a reference, given back with volo__py_drop() */
    volo_writer *writer;
    pthread_mutex_t lock; /* of what follows */
    struct volo__py_piece *head;
    struct volo__py_piece *tail;
    size_t waiting; /* octets in the list */
    int paused;
    int ended;
    int err;
};

/* volo__py_link_new(hub, cycle): NULL if out of memory.  What it is told of
 * goes to volo__py_cycle_hear(). */
struct volo__py_link *volo__py_link_new(struct volo__py_hub *hub,
                                        PyObject *cycle);
struct volo__py_link *volo__py_link_ref(struct volo__py_link *link);

/* volo__py_link_unref(link): a volo_free_fn for any thread. */
void volo__py_link_unref(void *link);

/* These send the exchange's thread to work, which then tells.  They return 0
 * or an error, and take a reference of their own. */
int volo__py_link_watch(struct volo__py_link *link, volo_cx *cx);
int volo__py_link_read(struct volo__py_link *link, volo_cx *cx);
int volo__py_link_drain(struct volo__py_link *link, volo_cx *cx,
                        volo_writer *writer);

/*
 * volo__py_link_take(link, cx, out):
 * The next piece of the body, for the caller to free(): 1.  0: nothing yet.
 * VOLO_ECLOSED: that was all; another error: it broke off.
 */
int volo__py_link_take(struct volo__py_link *link, volo_cx *cx,
                       struct volo__py_piece **out);

/* ---- The server of one application (asgi.c) ------------------------------ */

struct volo__py_asgi {
    PyObject_HEAD PyObject *app;
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
    int starting;  /* cycles whose first step is still to come */
    int scheduled; /* the event loop will flush */
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

/* volo__py_decode_path(out, path): ${path} without its percent-encoding, in
 * memory for the caller to free(), or ${path} itself (then NULL is set). */
volo_str volo__py_decode_path(char **memory, volo_str path);

/* volo__py_mount_prefix(cx, path): the part of the whole path that routers
 * have taken off ${path}. */
volo_str volo__py_mount_prefix(const volo_cx *cx, volo_str path);

/* volo__py_is_https(cx): by the connection, or by a proxy that is trusted. */
int volo__py_is_https(volo_cx *cx);

/* ---- One exchange (asgi_cycle.c, asgi_receive.c, asgi_send.c) ------------ */

enum volo__py_cycle_state {
    VOLO__PY_CYCLE_NEW,       /* nothing from the application yet */
    VOLO__PY_CYCLE_STARTED,   /* response.start, which waits for the body */
    VOLO__PY_CYCLE_STREAMING, /* more of the body is to come */
    VOLO__PY_CYCLE_TRAILERS,  /* the body is over, trailers are to come */
    VOLO__PY_CYCLE_DONE
};

struct volo__py_cycle {
    PyObject_HEAD struct volo__py_cycle *next;
    struct volo__py_cycle *prev;
    struct volo__py_asgi *asgi;
    volo_job job;              /* job.cx NULL: it has been answered */
    struct volo__py_head head; /* of response.start */
    struct volo__py_link *link;
    volo_writer *writer;
    PyObject *coro; /* what the application made */
    PyObject *task;
    PyObject *waiters; /* list of futures, or NULL */
    int status;
    uint8_t state;
    uint8_t whole;    /* the body came with the job */
    uint8_t received; /* all of the request's body has been given */
    uint8_t reading;
    uint8_t watched;
    uint8_t gone;
    uint8_t trailers;
    uint8_t begun; /* the first step has been taken */
    uint8_t linked;
};

/* volo__py_cycle_new(asgi, job, whole): takes over the reference of ${job},
 * also on failure. */
struct volo__py_cycle *volo__py_cycle_new(struct volo__py_asgi *asgi,
                                          const volo_job *job, int whole);

/* volo__py_cycle_end(cycle): give it up: no task drives it any more. */
void volo__py_cycle_end(struct volo__py_cycle *cycle);

/* volo__py_cycle_wake(cycle): all who wait look again. */
void volo__py_cycle_wake(struct volo__py_cycle *cycle);

/* volo__py_cycle_hear(cycle, said): news of its link. */
void volo__py_cycle_hear(struct volo__py_cycle *cycle, unsigned said);

/* volo__py_cycle_link(cycle): its link, made at the first call; or NULL with
 * an exception. */
struct volo__py_link *volo__py_cycle_link(struct volo__py_cycle *cycle);

/* volo__py_cycle_fail(cycle): 500, or an answer that is cut off if it has
 * begun; nothing if it is complete. */
void volo__py_cycle_fail(struct volo__py_cycle *cycle);

/* These three return 1 with a value, 0 if there is nothing yet, or -1 with an
 * exception. */
int volo__py_cycle_receive(struct volo__py_cycle *cycle, PyObject **out);
int volo__py_cycle_send(struct volo__py_cycle *cycle, PyObject *message);
int volo__py_cycle_write(struct volo__py_cycle *cycle, PyObject *data,
                         int more);

/* volo__py_body_of(message): its body as bytes, empty if it has none. */
PyObject *volo__py_body_of(PyObject *message);

/* volo__py_flag_of(message, name): 1, 0 (also if it is missing) or -1. */
int volo__py_flag_of(PyObject *message, PyObject *name);

/* ---- What is awaited (asgi_wait.c) --------------------------------------- */

/* volo__py_wait_done(): an awaitable that is None at once, shared. */
PyObject *volo__py_wait_done(void);

/* volo__py_wait_receive(cycle): the next message, once it is awaited. */
PyObject *volo__py_wait_receive(struct volo__py_cycle *cycle);

/* volo__py_wait_write(cycle, data, more): ${data} when there is room. */
PyObject *volo__py_wait_write(struct volo__py_cycle *cycle, PyObject *data,
                              int more);

/* volo__py_sent(status, value): what a send() method returns for that. */
PyObject *volo__py_sent(PySendResult status, PyObject *value);

#endif
