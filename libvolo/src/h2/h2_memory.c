/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the connections of a home share: the settings of nghttp2, and a pool
 * from which it and we take what a stream needs, so that a request costs no
 * call of the allocator once others have been there.  Knows no protocol.
 *
 * One piece they share in full.  nghttp2 makes a frame of 16 KiB for each
 * session, in which it lays out what it sends next.  We copy that out before
 * we ask any session for more, and a session that is not being asked has
 * nothing in there: all of them can write to the same one.
 *
 * And nghttp2 is not asked to bear what is hard to bear everywhere, as some of
 * its versions cannot: where memory runs out, it gets what it asks for from a
 * reserve, and the connection is cut as soon as it returns.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/poison.h"
#include "h2/state.h"

enum {
    HEAD = 16,   /* in front of each piece: its class */
    STEP = 64,   /* classes up to FINE are so far apart */
    FINE = 1024, /* beyond, they are so far apart: */
    WIDE_STEP = 512,
    LARGEST = 8192,
    FINE_CLASSES = FINE / STEP,
    CLASSES = FINE_CLASSES + (LARGEST - FINE) / WIDE_STEP,
    RESERVE_CLASS = 253,
    FRAME_CLASS = 254,     /* the frame that is shared */
    NO_CLASS = 255,        /* from the allocator and back */
    RESERVE = 48 * 1024,   /* two frames, and a few small things */
    KEPT_MAX = 1024 * 1024 /* octets that lie here for the next stream */
};

struct piece {
    union {
        struct piece *next;
        struct {
            uint32_t class_no;
            uint32_t size; /* of those without a class */
        } is;
        char room[HEAD];
    } u;
};

struct volo__h2_share {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    char *reserve;
    size_t reserve_used;
    unsigned reserve_out; /* pieces of it: with none, it is whole again */
    struct piece *frame;
    struct piece *free[CLASSES];
    size_t kept;
    int making;
};

/* ---- The pool ------------------------------------------------------------ */

static unsigned
class_of(size_t size)
{
    if (size <= FINE)
        return size ? (unsigned)((size - 1) / STEP) : 0;
    if (size > LARGEST)
        return NO_CLASS;
    return FINE_CLASSES + (unsigned)((size - FINE - 1) / WIDE_STEP);
}

static size_t
size_of(unsigned class_no)
{
    if (class_no < FINE_CLASSES)
        return (size_t)(class_no + 1) * STEP;
    return FINE + (size_t)(class_no - FINE_CLASSES + 1) * WIDE_STEP;
}

static struct piece *
fresh(size_t size, unsigned class_no)
{
    struct piece *piece = volo__malloc(HEAD + size);

    if (!piece)
        return NULL;
    piece->u.is.class_no = class_no;
    piece->u.is.size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    return piece;
}

/* The frame, if this is the request for it. */
static struct piece *
shared_frame(struct volo__h2_share *share, size_t size)
{
    if (!share->making || size <= VOLO__H2_FRAME || size > VOLO__H2_FRAME + 64)
        return NULL;
    if (!share->frame)
        share->frame = fresh(VOLO__H2_FRAME + 64, FRAME_CLASS);
    return share->frame;
}

void *
volo__h2_alloc(struct volo__h2_share *share, size_t size)
{
    unsigned class_no = class_of(size);
    struct piece *piece;

    if (class_no == NO_CLASS) {
        piece = shared_frame(share, size);
        if (!piece)
            piece = size < UINT32_MAX ? fresh(size, NO_CLASS) : NULL;
        return piece ? piece + 1 : NULL;
    }
    piece = share->free[class_no];
    if (!piece) {
        piece = fresh(size_of(class_no), class_no);
        return piece ? piece + 1 : NULL;
    }
    VOLO__UNPOISON(piece + 1, size_of(class_no));
    share->free[class_no] = piece->u.next;
    share->kept -= size_of(class_no);
    piece->u.is.class_no = class_no;
    return piece + 1;
}

void
volo__h2_free(struct volo__h2_share *share, void *ptr)
{
    struct piece *piece = ptr;
    unsigned class_no;

    if (!ptr)
        return;
    piece--;
    class_no = piece->u.is.class_no;
    if (class_no == FRAME_CLASS)
        return;
    if (class_no == RESERVE_CLASS) {
        if (--share->reserve_out == 0)
            share->reserve_used = 0;
        return;
    }
    if (class_no == NO_CLASS || share->kept + size_of(class_no) > KEPT_MAX) {
        volo__free(piece);
        return;
    }
    piece->u.next = share->free[class_no];
    share->free[class_no] = piece;
    share->kept += size_of(class_no);
    VOLO__POISON(piece + 1, size_of(class_no));
}

static size_t
room_of(const void *ptr)
{
    const struct piece *piece = (const struct piece *)ptr - 1;

    if (piece->u.is.class_no >= RESERVE_CLASS)
        return piece->u.is.size;
    return size_of(piece->u.is.class_no);
}

/* ---- As nghttp2 asks for it ---------------------------------------------- */

static void *
from_reserve(struct volo__h2_share *share, size_t size)
{
    size_t room = (size + HEAD + HEAD - 1) / HEAD * HEAD;
    struct piece *piece;

    if (size > RESERVE || room > RESERVE - share->reserve_used)
        return NULL;
    piece = (struct piece *)(void *)(share->reserve + share->reserve_used);
    share->reserve_used += room;
    share->reserve_out++;
    piece->u.is.class_no = RESERVE_CLASS;
    piece->u.is.size = (uint32_t)size;
    return piece + 1;
}

static void *
mem_malloc(size_t size, void *user)
{
    struct volo__h2 *h2 = user;
    void *ptr = volo__h2_alloc(h2->share, size);

    if (ptr)
        return ptr;
    volo__h2_cut(h2);
    return from_reserve(h2->share, size);
}

static void
mem_free(void *ptr, void *user)
{
    volo__h2_free(((struct volo__h2 *)user)->share, ptr);
}

static void *
mem_calloc(size_t count, size_t size, void *user)
{
    void *ptr;

    if (size && count > SIZE_MAX / size)
        return NULL;
    ptr = mem_malloc(count * size, user);
    if (ptr)
        memset(ptr, 0, count * size);
    return ptr;
}

static void *
mem_realloc(void *ptr, size_t size, void *user)
{
    size_t room = ptr ? room_of(ptr) : 0;
    void *moved;

    if (ptr && size <= room)
        return ptr;
    moved = mem_malloc(size, user);
    if (!moved || !ptr)
        return moved;
    memcpy(moved, ptr, room);
    mem_free(ptr, user);
    return moved;
}

nghttp2_mem
volo__h2_mem(struct volo__h2 *h2)
{
    return (nghttp2_mem){h2, mem_malloc, mem_free, mem_calloc, mem_realloc};
}

/* ---- One for each home --------------------------------------------------- */

static void
share_free(void *ptr)
{
    struct volo__h2_share *share = ptr;
    unsigned i;

    for (i = 0; i < CLASSES; i++)
        while (share->free[i]) {
            struct piece *piece = share->free[i];

            VOLO__UNPOISON(piece + 1, size_of(i));
            share->free[i] = piece->u.next;
            volo__free(piece);
        }
    volo__free(share->frame);
    volo__free(share->reserve);
    nghttp2_option_del(share->option);
    nghttp2_session_callbacks_del(share->callbacks);
    volo__free(share);
}

static struct volo__h2_share *
share_new(void)
{
    struct volo__h2_share *share = volo__calloc(sizeof *share);

    if (!share)
        return NULL;
    share->reserve = volo__malloc(RESERVE);
    if (!share->reserve || nghttp2_session_callbacks_new(&share->callbacks) ||
        nghttp2_option_new(&share->option)) {
        share_free(share);
        return NULL;
    }
    volo__h2_set_callbacks(share->callbacks);
    volo__h2_set_option(share->option);
    return share;
}

struct volo__h2_share *
volo__h2_share_get(struct volo__home *home)
{
    if (!home->wires) {
        home->wires = share_new();
        home->wires_free = share_free;
    }
    return home->wires;
}

const nghttp2_session_callbacks *
volo__h2_share_callbacks(struct volo__h2_share *share)
{
    return share->callbacks;
}

const nghttp2_option *
volo__h2_share_option(struct volo__h2_share *share)
{
    return share->option;
}

void
volo__h2_share_making(struct volo__h2_share *share, int making)
{
    share->making = making;
}
