/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make up a stream ask of each other. */
#ifndef VOLO_NET_STREAM_STATE_H
#define VOLO_NET_STREAM_STATE_H

#include "net/stream.h"

/* ---- stream.c ------------------------------------------------------------ */

/* volo__stream_break(s, err): it is of no use any more; error() follows. */
void volo__stream_break(struct volo__stream *s, int err);

/* volo__stream_end(s): there is no more to read: eof(), if it was not told. */
void volo__stream_end(struct volo__stream *s);

/* volo__stream_watch(s): wait for octets, wanted or not. */
void volo__stream_watch(struct volo__stream *s);

/* ---- stream_write.c ------------------------------------------------------ */

/* volo__stream_push(s): write until the queue is empty or the socket full. */
void volo__stream_push(struct volo__stream *s);

/* volo__stream_taken(s, n): the first ${n} octets of the queue are done with,
 * which may do anything but flush. */
void volo__stream_taken(struct volo__stream *s, size_t n);

#endif
