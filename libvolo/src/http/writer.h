/* SPDX-License-Identifier: Apache-2.0 */
/* The writer from inside, for writer.c and source.c alone. */
#ifndef VOLO_HTTP_WRITER_H
#define VOLO_HTTP_WRITER_H

#include "http/codec.h"

struct volo_writer {
    volo_cx *cx; /* a reference: the writer lives in its arena */
    atomic_size_t pending;
    atomic_int blocked;   /* somebody was told VOLO_EAGAIN */
    atomic_int closed;    /* the codec takes nothing any more */
    atomic_int in_flight; /* tasks posted that have not run */

    /* The application's side. */
    int64_t left; /* of the announced length; -1 not announced */
    uint64_t written;
    int ended;
    struct volo__fields trailers;
    struct volo__arena
        arena; /* of these: layers use the exchange's meanwhile */

    /* The home's side. */
    struct volo__chunk *head;
    struct volo__chunk *tail;
    int status;
    int drain_deferred;
    int told; /* that the client is gone */
    volo_drain_fn drain;
    void *drain_user;
    volo_free_fn drain_free;

    struct volo__task end_task;
    struct volo__task free_task;
    struct volo__task drain_task;
};

#endif
