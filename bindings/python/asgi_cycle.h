/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange with an ASGI application: its cycle, the link through which
 * loop threads of libvolo speak to that, and what it gives to be awaited.
 */
#ifndef VOLO_BINDINGS_ASGI_CYCLE_H
#define VOLO_BINDINGS_ASGI_CYCLE_H

#include "asgi.h"
#include "gate.h"

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

/* ---- One exchange (asgi_cycle.c, asgi_receive.c, asgi_send.c) ------------ */

enum volo__py_cycle_state {
    VOLO__PY_CYCLE_NEW,       /* nothing from the application yet */
    VOLO__PY_CYCLE_STARTED,   /* response.start, which waits for the body */
    VOLO__PY_CYCLE_STREAMING, /* more of the body is to come */
    VOLO__PY_CYCLE_TRAILERS,  /* the body is over, trailers are to come */
    VOLO__PY_CYCLE_DONE
};

struct volo__py_cycle {
    PyObject ob_base;
    struct volo__py_cycle *next;
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

/* volo__py_cycle_finish(cycle, status, result): the application is done, one
 * way or the other: what the task is to be told. */
PySendResult volo__py_cycle_finish(struct volo__py_cycle *cycle,
                                   PySendResult status, PyObject **result);

/* volo__py_cycle_let_go(cycle): of all that is libvolo's. */
void volo__py_cycle_let_go(struct volo__py_cycle *cycle);

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

#endif
