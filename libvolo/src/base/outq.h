/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be written to one connection: octets copied into blocks, and
 * octets that lie elsewhere, in order.  Knows no socket: it lends its front as
 * an array of pieces and is told how much of it has left.
 */
#ifndef VOLO_BASE_OUTQ_H
#define VOLO_BASE_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <volo/types.h>

struct volo__home;
struct volo__seg;
struct volo__out;

struct volo__outq {
    struct volo__home *home;
    struct volo__seg *head;
    struct volo__seg *tail;
    struct volo__out *out; /* the block that is being filled */
    size_t bytes;          /* waiting */
};

/* volo__outq_init(q, home): empty, holding no memory. */
void volo__outq_init(struct volo__outq *q, struct volo__home *home);

/*
 * volo__outq_reserve(q, size):
 * Room for ${size} (at most VOLO__OUT_SIZE / 2) octets in one piece, to be
 * filled and then told to volo__outq_commit(); NULL if out of memory.
 */
char *volo__outq_reserve(struct volo__outq *q, size_t size);

/* volo__outq_commit(q, size): ${size} octets of what was reserved are used. */
void volo__outq_commit(struct volo__outq *q, size_t size);

/* volo__outq_copy(q, ptr, len): append a copy.  VOLO_ENOMEM: nothing was. */
int volo__outq_copy(struct volo__outq *q, const void *ptr, size_t len);

/*
 * volo__outq_ref(q, ptr, len, release, user):
 * Append the octets themselves; ${release} is called when they have left or
 * the queue is cleared.  With ${len} 0, a mark: ${release} is called when all
 * before it has left, at the latest with the next volo__outq_sent(), of 0
 * octets too.  VOLO_ENOMEM: nothing was appended, and ${release} was not
 * called.
 */
int volo__outq_ref(struct volo__outq *q, const void *ptr, size_t len,
                   volo_free_fn release, void *user);

/* volo__outq_iov(q, iov, max): point ${iov} to the front; returns how many
 * pieces, 0 if nothing waits. */
int volo__outq_iov(const struct volo__outq *q, struct iovec *iov, int max);

/* volo__outq_sent(q, n): the first ${n} octets have left.  Releases what they
 * were in; that may append to the queue. */
void volo__outq_sent(struct volo__outq *q, size_t n);

/* volo__outq_clear(q): throw all away, releasing; also what is appended from
 * there. */
void volo__outq_clear(struct volo__outq *q);

#endif
