/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a request between its loop, which fills, and a Reader, which
 * takes.  At most so much waits; beyond that the peer is held back.
 */
#ifndef VOLO_BINDINGS_READER_BODY_H
#define VOLO_BINDINGS_READER_BODY_H

#include "stream.h"

struct volo__py_chunk;

struct volo__py_body {
    struct volo__py_bell bell; /* first */

    /* With the bell's lock. */
    struct volo__py_chunk *first;
    struct volo__py_chunk **last;
    size_t waiting; /* octets */
    int begun;
    int paused;
    int ended;
    int err;   /* of the end */
    int whole; /* all of it is wanted at once: tell at the end only */

    /* Asyncio's thread: what the future is for. */
    Py_ssize_t most; /* octets; below 0: all */
    int iterating;   /* the end is StopAsyncIteration */
};

/* volo__py_body_new(cx): NULL if out of memory. */
struct volo__py_body *volo__py_body_new(volo_cx *cx);

/* volo__py_body_begin(body): have it come, if it does not yet; 0 or an error.
 * Any thread. */
int volo__py_body_begin(struct volo__py_body *body);

/* volo__py_body_want(body, whole): ready at the end only, or with each piece.
 */
void volo__py_body_want(struct volo__py_body *body, int whole);

/*
 * volo__py_body_take(body, most):
 * What is there: bytes, at most ${most} octets of one piece, or, below 0,
 * everything up to the end; b"" at the end.  NULL with an exception if it ended
 * badly, without one if it is not there yet.
 */
PyObject *volo__py_body_take(struct volo__py_body *body, Py_ssize_t most);

#endif
