/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments on a string: small nodes that point at octets, either copied into
 * an output block or lying elsewhere.  Several segments may point into one
 * block, so that many small answers with bodies of their own do not take one
 * each.  An empty queue has no block.
 */
#include "base/outq.h"

#include <string.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "base/home.h"

struct volo__out {
    unsigned refs; /* segments, and one while it is being filled */
    unsigned used;
    char data[];
};

enum { OUT_ROOM = VOLO__OUT_SIZE - sizeof(struct volo__out) };

struct volo__seg {
    struct volo__seg *next;
    const char *ptr;
    size_t len;
    struct volo__out *out; /* NULL: the octets are not ours */
    volo_free_fn release;
    void *user;
};

_Static_assert(sizeof(struct volo__seg) <= VOLO__SEG_SIZE, "a node fits");

void
volo__outq_init(struct volo__outq *q, struct volo__home *home)
{
    q->home = home;
    q->head = q->tail = NULL;
    q->out = NULL;
    q->bytes = 0;
}

static void
out_unref(struct volo__outq *q, struct volo__out *out)
{
    if (--out->refs == 0)
        volo__home_out_free(q->home, out);
}

static struct volo__seg *
append(struct volo__outq *q, const char *ptr, size_t len)
{
    struct volo__seg *seg = volo__home_seg(q->home);

    if (!seg)
        return NULL;
    seg->next = NULL;
    seg->ptr = ptr;
    seg->len = len;
    seg->out = NULL;
    seg->release = NULL;
    if (q->tail)
        q->tail->next = seg;
    else
        q->head = seg;
    q->tail = seg;
    return seg;
}

/* Have a block with room for ${size}. */
static struct volo__out *
out_with_room(struct volo__outq *q, size_t size)
{
    struct volo__out *out = q->out;

    if (out && OUT_ROOM - out->used >= size)
        return out;
    out = volo__home_out(q->home);
    if (!out)
        return NULL;
    out->refs = 1;
    out->used = 0;
    if (q->out)
        out_unref(q, q->out);
    q->out = out;
    return out;
}

/* The segment is made here and not in commit, which cannot fail. */
char *
volo__outq_reserve(struct volo__outq *q, size_t size)
{
    struct volo__out *out;
    struct volo__seg *seg;
    char *ptr;

    if (size > VOLO__OUT_SIZE / 2)
        return NULL;
    out = out_with_room(q, size);
    if (!out)
        return NULL;
    ptr = out->data + out->used;
    seg = q->tail;
    if (seg && seg->out == out && seg->ptr + seg->len == ptr)
        return ptr;
    seg = append(q, ptr, 0);
    if (!seg)
        return NULL;
    seg->out = out;
    out->refs++;
    return ptr;
}

void
volo__outq_commit(struct volo__outq *q, size_t size)
{
    q->tail->len += size;
    q->out->used += (unsigned)size;
    q->bytes += size;
}

/* What is too long for a block gets memory of its own: whole or not at all. */
static int
copy_long(struct volo__outq *q, const void *ptr, size_t len)
{
    char *copy = volo__malloc(len);

    if (!copy)
        return VOLO_ENOMEM;
    memcpy(copy, ptr, len);
    if (volo__outq_ref(q, copy, len, volo__free, copy) < 0) {
        volo__free(copy);
        return VOLO_ENOMEM;
    }
    return 0;
}

int
volo__outq_copy(struct volo__outq *q, const void *ptr, size_t len)
{
    char *room;

    if (len == 0)
        return 0;
    if (len > VOLO__OUT_SIZE / 2)
        return copy_long(q, ptr, len);
    room = volo__outq_reserve(q, len);
    if (!room)
        return VOLO_ENOMEM;
    memcpy(room, ptr, len);
    volo__outq_commit(q, len);
    return 0;
}

int
volo__outq_ref(struct volo__outq *q, const void *ptr, size_t len,
               volo_free_fn release, void *user)
{
    struct volo__seg *seg = append(q, ptr, len);

    if (!seg)
        return VOLO_ENOMEM;
    seg->release = release;
    seg->user = user;
    q->bytes += len;
    return 0;
}

int
volo__outq_iov(const struct volo__outq *q, struct iovec *iov, int max)
{
    const struct volo__seg *seg;
    int n = 0;

    for (seg = q->head; seg && n < max; seg = seg->next) {
        if (seg->len == 0)
            continue;
        iov[n].iov_base = (void *)(uintptr_t)seg->ptr;
        iov[n].iov_len = seg->len;
        n++;
    }
    return n;
}

/* The queue is in order again before the release is called, which may append
 * to it. */
static void
pop(struct volo__outq *q)
{
    struct volo__seg *seg = q->head;
    volo_free_fn release = seg->release;
    void *user = seg->user;

    q->head = seg->next;
    if (!q->head)
        q->tail = NULL;
    if (seg->out)
        out_unref(q, seg->out);
    volo__home_seg_free(q->home, seg);
    if (release)
        release(user);
}

static void
drop_block(struct volo__outq *q)
{
    if (q->head || !q->out)
        return;
    out_unref(q, q->out);
    q->out = NULL;
}

void
volo__outq_sent(struct volo__outq *q, size_t n)
{
    size_t len;

    q->bytes -= n;
    while (q->head && q->head->len <= n) {
        len = q->head->len;
        n -= len;
        pop(q);
    }
    if (n) {
        q->head->ptr += n;
        q->head->len -= n;
    }
    drop_block(q);
}

void
volo__outq_clear(struct volo__outq *q)
{
    while (q->head) {
        q->bytes -= q->head->len;
        pop(q);
    }
    drop_block(q);
}
