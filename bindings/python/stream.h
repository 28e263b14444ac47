/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Writer and Reader share: a bell.  A loop rings it when something has
 * changed (there is room, octets have come, the client is gone); who waits for
 * that is a thread, on a condition, or asyncio, through a future.
 */
#ifndef VOLO_BINDINGS_STREAM_H
#define VOLO_BINDINGS_STREAM_H

#include "run.h"

struct volo__py_bell {
    struct volo__py_event event; /* first, to be found by it */
    atomic_int refs;
    volo_cx *cx; /* a reference */
    pthread_mutex_t lock;
    pthread_cond_t cond;

    /* With the lock. */
    struct volo__py_hub *hub; /* of the asyncio loop that waits */
    int wanted;               /* ring there as well */

    /* Asyncio's thread only. */
    PyObject *future;

    /* Whether what is waited for is there; with the lock. */
    int (*ready)(struct volo__py_bell *bell);

    /* Give the future its result, or an exception, with
     * volo__py_future_set().  0 if it is to wait on.  With the GIL. */
    int (*settle)(struct volo__py_bell *bell);

    /* What it lies in dies.  Any thread, no GIL. */
    void (*fini)(struct volo__py_bell *bell);
};

/* volo__py_bell_init(bell, cx): takes a reference to ${cx} if it succeeds; 0
 * or -1.  It then has one reference of its own. */
int volo__py_bell_init(struct volo__py_bell *bell, volo_cx *cx);
void volo__py_bell_ref(struct volo__py_bell *bell);
void volo__py_bell_unref(void *bell);

/* volo__py_bell_ring(bell): tell all who wait.  Any thread, no GIL; the lock is
 * held, and let go. */
void volo__py_bell_ring(struct volo__py_bell *bell);

/* volo__py_bell_wait(bell, until_us): until it is ready: 1; 0 if it is late;
 * -1 with an exception on asyncio's thread, which must not block. */
int volo__py_bell_wait(struct volo__py_bell *bell, uint64_t until_us);

/* volo__py_bell_future(bell): a future of this thread's loop for that; a new
 * reference.  NULL with an exception. */
PyObject *volo__py_bell_future(struct volo__py_bell *bell);

/* volo__py_future_set(bell, method, value): call set_result or set_exception,
 * unless that is too late.  Takes over ${value}; NULL is the exception that is
 * set. */
void volo__py_future_set(struct volo__py_bell *bell, PyObject *value);
void volo__py_future_fail(struct volo__py_bell *bell, PyObject *error);

/* volo__py_is_layers(request): 1, with RuntimeError, if it is that of a layer
 * which must leave the body to what is inside. */
int volo__py_is_layers(PyObject *request);

/* volo__py_cx_of(request): the cx with a reference; NULL with an exception. */
volo_cx *volo__py_cx_of(PyObject *request);

/* writer_head.c: the head of a Response into ${cx}; -1 with an exception. */
int volo__py_put_head(volo_cx *cx, PyObject *response);

/* writer_file.c: Writer.file(request, response, path, type). */
PyObject *volo__py_writer_file(PyObject *unused, PyObject *args);

#endif
