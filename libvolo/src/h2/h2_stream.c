/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a stream: made with its exchange, parted from it when the
 * response has left or nobody waits for it any more, freed when nghttp2 has
 * let go.  Either may end first.
 */
#include <string.h>

#include "base/alloc.h"
#include "h2/state.h"

struct volo__h2_stream *
volo__h2_stream_new(struct volo__h2 *h2, int32_t id, volo_cx *cx)
{
    struct volo__h2_stream *stream = volo__h2_alloc(h2->share, sizeof *stream);

    if (!stream)
        return NULL;
    memset(stream, 0, sizeof *stream);
    stream->h2 = h2;
    stream->id = id;
    stream->cx = cx;
    stream->prev = h2->last;
    if (h2->last)
        h2->last->next = stream;
    else
        h2->first = stream;
    h2->last = stream;
    h2->streams++;
    cx->codec = &volo__h2_codec;
    cx->conn = stream;
    return stream;
}

struct volo__h2_stream *
volo__h2_stream_of(struct volo__h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

void
volo__h2_stream_reset(struct volo__h2_stream *stream, uint32_t code)
{
    struct volo__h2 *h2 = stream->h2;

    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                  code))
        volo__h2_cut(h2);
}

uint32_t
volo__h2_streams(const struct volo__h2 *h2)
{
    return h2->streams + (h2->ghosts ? h2->ghosts->count : 0);
}

/* ---- Parting ------------------------------------------------------------- */

/* Out of the list of those to be served. */
static void
unready(struct volo__h2_stream *stream)
{
    struct volo__h2 *h2 = stream->h2;
    struct volo__h2_stream **at = &h2->ready_first, *before = NULL;

    if (!stream->waiting)
        return;
    stream->waiting = 0;
    while (*at != stream) {
        before = *at;
        at = &before->ready;
    }
    *at = stream->ready;
    if (h2->ready_last == stream)
        h2->ready_last = before;
}

static volo_cx *
part(struct volo__h2_stream *stream)
{
    volo_cx *cx = stream->cx;

    unready(stream);
    stream->cx = NULL;
    cx->codec = NULL;
    cx->conn = NULL;
    if (stream->served)
        stream->h2->wire.count--;
    return cx;
}

static void
left(void *user)
{
    volo__cx_detach(user);
}

/* ${cx} goes when what the queue has of its body has left.  Without the memory
 * to say so, it goes with the connection. */
static void
leave_last(struct volo__h2_stream *stream, volo_cx *cx)
{
    if (volo__outq_ref(stream->h2->wire.out, "", 0, left, cx) == 0)
        return;
    stream->lost = cx;
    volo__h2_cut(stream->h2);
}

void
volo__h2_stream_part(struct volo__h2_stream *stream)
{
    stream->linger_until = 0;
    volo__h2_stream_reset(stream, NGHTTP2_NO_ERROR);
}

/* RFC 9113 section 8.1: a client can be told that no more of its request is
 * wanted.  A short one is let come to its end: that is the same to us, and not
 * all clients are fond of being told. */
static void
linger(struct volo__h2_stream *stream)
{
    struct volo__h2 *h2 = stream->h2;
    const volo_cx *cx = stream->cx;

    if (stream->unwanted || cx->req.expect || h2->state != VOLO__H2_OPEN ||
        cx->body.length > VOLO__H2_LINGER) {
        volo__h2_stream_part(stream);
        return;
    }
    stream->linger_until = h2->wire.home->now_ms + VOLO__H2_LINGER_MS;
    volo__h2_sooner(h2, stream->linger_until, 0);
}

void
volo__h2_stream_finish(struct volo__h2_stream *stream)
{
    struct volo__outq *out = stream->h2->wire.out;
    volo_cx *cx;

    if (!stream->cx)
        return;
    if (!stream->ended)
        linger(stream);
    if (!stream->served) {
        volo__cx_discard(part(stream));
        return;
    }
    volo__h2_earn(stream->h2, 8);
    cx = part(stream);
    if (stream->lent)
        leave_last(stream, cx);
    else if (!cx->finishes || volo__outq_ref(out, "", 0, left, cx))
        volo__cx_detach(cx);
}

/* ---- The exchange without a stream --------------------------------------- */

static void
ghost_gone(void *user)
{
    struct volo__h2_ghosts *ghosts = user;

    ghosts->count--;
    if (ghosts->orphaned && !ghosts->count)
        volo__free(ghosts);
}

/* A handler that goes on for nobody still counts as a stream: else a client
 * that resets what it asks for could have any number of them at work. */
static void
haunt(struct volo__h2 *h2, volo_cx *cx)
{
    if (!h2->ghosts) {
        h2->ghosts = volo__calloc(sizeof *h2->ghosts);
        if (!h2->ghosts)
            volo__h2_cut(h2); /* it would not be counted */
    }
    while (cx->elder)
        cx = cx->elder;
    if (cx->gone || !h2->ghosts)
        return;
    h2->ghosts->count++;
    cx->gone = ghost_gone;
    cx->gone_user = h2->ghosts;
}

/* What the queue has of a piece is sent all the same, and must stay where it
 * is until then. */
static void
keep_lent(struct volo__h2_stream *stream)
{
    struct volo__chunk *chunk = stream->chunk;

    if (!chunk)
        return;
    if (volo__outq_ref(stream->h2->wire.out, "", 0, volo__chunk_done, chunk))
        volo__h2_cut(stream->h2);
    else
        stream->chunk = NULL;
}

void
volo__h2_stream_drop(struct volo__h2_stream *stream, int err)
{
    struct volo__h2 *h2 = stream->h2;
    volo_cx *cx = stream->cx;

    keep_lent(stream);
    if (!cx)
        return;
    if (!stream->served) {
        volo__cx_discard(part(stream));
        return;
    }
    part(stream);
    if (stream->lent) {
        volo__body_fail(cx, err);
        leave_last(stream, cx);
        return;
    }
    haunt(h2, cx);
    volo__cx_cancel(cx, err);
}

void
volo__h2_stream_free(struct volo__h2_stream *stream)
{
    struct volo__h2 *h2 = stream->h2;

    volo__h2_stream_drop(stream, VOLO_ECANCELED);
    if (h2->current == stream)
        h2->current = NULL;
    if (stream->prev)
        stream->prev->next = stream->next;
    else
        h2->first = stream->next;
    if (stream->next)
        stream->next->prev = stream->prev;
    else
        h2->last = stream->prev;
    h2->streams--;
    if (!h2->streams) {
        h2->idle_since = h2->wire.home->now_ms;
        volo__h2_sooner(h2, h2->idle_since, h2->wire.config->idle_timeout);
    }
    volo__free(stream->held);
    stream->held = NULL;
    if (!stream->chunk && !stream->lost) {
        volo__h2_free(h2->share, stream);
        return;
    }
    stream->next = h2->lost;
    h2->lost = stream;
}

void
volo__h2_stream_free_lost(struct volo__h2 *h2)
{
    struct volo__h2_stream *stream;

    while ((stream = h2->lost) != NULL) {
        h2->lost = stream->next;
        if (stream->chunk)
            volo__chunk_done(stream->chunk);
        if (stream->lost)
            volo__cx_detach(stream->lost);
        volo__h2_free(h2->share, stream);
    }
}
