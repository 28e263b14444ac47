/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A response that comes in pieces: with its length announced, chunked, or up
 * to the end of the connection.  Moves pieces while there is room in the
 * queue.  A length that does not come true ends the connection.
 */
#include <string.h>

#include "base/str.h"
#include "h1/state.h"

enum {
    SMALL_PIECE = 1024, /* copied: cheaper than a reference */
    PREFIX_ROOM = 24    /* CRLF, 16 digits, CRLF */
};

/* The CRLF that the chunk before it owes, and the size line. */
static size_t
chunk_prefix(char *out, volo_cx *cx, size_t len)
{
    char *p = out;

    if (!(cx->codec_bits & VOLO__H1_CHUNKS))
        return 0;
    if (cx->codec_bits & VOLO__H1_MIDDLE) {
        *p++ = '\r';
        *p++ = '\n';
    }
    cx->codec_bits |= VOLO__H1_MIDDLE;
    p += volo__hex_format(p, len);
    *p++ = '\r';
    *p++ = '\n';
    return (size_t)(p - out);
}

static int
copy_piece(struct volo__h1 *h1, volo_cx *cx, struct volo__chunk *chunk)
{
    char *p = volo__outq_reserve(h1->wire.out, PREFIX_ROOM + chunk->len);
    size_t n;

    if (!p)
        return VOLO_ENOMEM;
    n = chunk_prefix(p, cx, chunk->len);
    memcpy(p + n, chunk->ptr, chunk->len);
    volo__outq_commit(h1->wire.out, n + chunk->len);
    volo__chunk_done(volo__writer_pop(cx->res.writer));
    return 0;
}

static int
refer_piece(struct volo__h1 *h1, volo_cx *cx, struct volo__chunk *chunk)
{
    char prefix[PREFIX_ROOM];
    size_t n = chunk_prefix(prefix, cx, chunk->len);
    int err = n ? volo__outq_copy(h1->wire.out, prefix, n) : 0;

    if (err)
        return err;
    volo__writer_pop(cx->res.writer);
    err = volo__outq_ref(h1->wire.out, chunk->ptr, chunk->len, volo__chunk_done,
                         chunk);
    if (err)
        volo__chunk_done(chunk);
    return err;
}

/* One piece into the queue. */
static int
move_piece(struct volo__h1 *h1, volo_cx *cx, struct volo__chunk *chunk)
{
    if (cx->res.length >= 0) {
        if (chunk->len > cx->codec_n)
            return VOLO_ETOOBIG;
        cx->codec_n -= chunk->len;
    }
    return chunk->len <= SMALL_PIECE ? copy_piece(h1, cx, chunk)
                                     : refer_piece(h1, cx, chunk);
}

static int
copy_trailers(struct volo__h1 *h1, const struct volo__fields *fields)
{
    uint32_t i;
    int err = 0;

    for (i = 0; i < fields->count && !err; i++) {
        const volo_pair *field = &fields->v[i];

        err = volo__outq_copy(h1->wire.out, field->name.ptr, field->name.len);
        if (!err)
            err = volo__outq_copy(h1->wire.out, ": ", 2);
        if (!err)
            err = volo__outq_copy(h1->wire.out, field->value.ptr,
                                  field->value.len);
        if (!err)
            err = volo__outq_copy(h1->wire.out, "\r\n", 2);
    }
    return err;
}

/* All pieces have been moved and the writer has ended. */
static int
end_stream(struct volo__h1 *h1, volo_cx *cx)
{
    static const char last[] = "\r\n0\r\n";
    int skip = cx->codec_bits & VOLO__H1_MIDDLE ? 0 : 2;
    int err;

    if (cx->res.length >= 0 && cx->codec_n)
        return VOLO_EINVAL;
    if (!(cx->codec_bits & VOLO__H1_CHUNKS))
        return 0;
    err = volo__outq_copy(h1->wire.out, last + skip,
                          sizeof last - 1 - (size_t)skip);
    if (!err)
        err = copy_trailers(h1, volo__writer_trailers(cx->res.writer));
    if (!err)
        err = volo__outq_copy(h1->wire.out, "\r\n", 2);
    return err;
}

void
volo__h1_stream_move(struct volo__h1 *h1, volo_cx *cx)
{
    volo_writer *w = cx->res.writer;
    struct volo__chunk *chunk = NULL;
    int status, err = 0;

    if (cx->codec_bits & VOLO__H1_MOVING)
        return;
    cx->codec_bits |= VOLO__H1_MOVING;
    while (!err && h1->wire.out->bytes <= h1->wire.config->out_limit &&
           (chunk = volo__writer_front(w)) != NULL)
        err = move_piece(h1, cx, chunk);
    cx->codec_bits &= ~(uint32_t)VOLO__H1_MOVING;

    status = volo__writer_status(w);
    if (!err && (volo__writer_front(w) || status == VOLO__WRITER_OPEN))
        return;
    if (!err && status == VOLO__WRITER_ENDED)
        err = end_stream(h1, cx);
    if (err || status == VOLO__WRITER_BROKEN)
        volo__h1_cut(h1);
    else
        volo__h1_finish(h1, cx);
}

/* Without a length and without chunks, the end is that of the connection:
 * nothing can come behind it. */
static void
make_last(struct volo__h1 *h1, volo_cx *cx)
{
    volo_cx *next;

    while ((next = cx->next) != NULL) {
        volo__h1_unlink(h1, next);
        volo__cx_cancel(next, VOLO_ECANCELED);
    }
    volo__h1_end_input(h1);
    h1->refuse = 0;
}

void
volo__h1_stream_begin(struct volo__h1 *h1, volo_cx *cx)
{
    int framing = VOLO__H1_KNOWN_LENGTH;

    if (cx->res.length >= 0) {
        cx->codec_n = (uint64_t)cx->res.length;
    } else if (cx->req.version == 10) {
        framing = VOLO__H1_NO_LENGTH;
        make_last(h1, cx);
    } else {
        framing = VOLO__H1_IN_CHUNKS;
        cx->codec_bits |= VOLO__H1_CHUNKS;
    }
    cx->codec_bits |= VOLO__H1_STREAMING;
    if (volo__h1_write(h1, cx, framing, cx->codec_n, volo_str_make(NULL, 0)))
        volo__h1_cut(h1);
    else
        volo__h1_stream_move(h1, cx);
}
