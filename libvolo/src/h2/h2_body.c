/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving a body.  A stream's window opens by what its reader has taken, so
 * that what one does not want waits here, bounded by the window; that of the
 * connection opens at once, so that it does not stop the others.
 */
#include <string.h>

#include "base/alloc.h"
#include "h2/state.h"

/* The peer may send as much again. */
static void
consumed(struct volo__h2_stream *stream, size_t len)
{
    if (!stream->ended &&
        nghttp2_session_consume_stream(stream->h2->session, stream->id, len) ==
            NGHTTP2_ERR_NOMEM)
        volo__h2_cut(stream->h2);
}

/* The rest is not wanted: its window stays shut. */
static void
turn_away(struct volo__h2_stream *stream)
{
    stream->unwanted = 1;
    stream->fresh = volo_str_make(NULL, 0);
    volo__free(stream->held);
    stream->held = NULL;
    stream->held_len = stream->held_off = stream->held_cap = 0;
}

/* ---- Holding ------------------------------------------------------------- */

static int
grow(struct volo__h2_stream *stream, size_t size)
{
    size_t cap = stream->held_cap ? (size_t)stream->held_cap * 2 : 1024;
    char *held;

    while (cap < size)
        cap *= 2;
    held = volo__realloc(stream->held, cap);
    if (!held)
        return VOLO_ENOMEM;
    stream->held = held;
    stream->held_cap = (uint32_t)cap;
    return 0;
}

static void
hold(struct volo__h2_stream *stream, const char *ptr, size_t len)
{
    if (stream->held_off && stream->held_off == stream->held_len)
        stream->held_len = stream->held_off = 0;
    if (stream->held_off && stream->held_len + len > stream->held_cap) {
        stream->held_len -= stream->held_off;
        memmove(stream->held, stream->held + stream->held_off,
                stream->held_len);
        stream->held_off = 0;
    }
    if (stream->held_len + len > stream->held_cap &&
        grow(stream, stream->held_len + len)) {
        volo__body_fail(stream->cx, VOLO_ENOMEM);
        turn_away(stream);
        return;
    }
    memcpy(stream->held + stream->held_len, ptr, len);
    stream->held_len += (uint32_t)len;
}

static size_t
holds(const struct volo__h2_stream *stream)
{
    return stream->held_len - stream->held_off;
}

void
volo__h2_body_keep_fresh(struct volo__h2_stream *stream)
{
    volo_str fresh = stream->fresh;

    stream->fresh = volo_str_make(NULL, 0);
    if (fresh.len)
        hold(stream, fresh.ptr, fresh.len);
}

/* ---- Giving -------------------------------------------------------------- */

/* 1 if the reader goes on. */
static int
give(struct volo__h2_stream *stream, const char *ptr, size_t len)
{
    int rc;

    stream->body_last = stream->h2->wire.home->now_ms;
    stream->body_got += len;
    stream->giving = 1;
    rc =
        volo__body_give(stream->cx, volo_str_make(ptr, len), stream->h2->block);
    stream->giving = 0;
    if (!stream->cx)
        return 0;
    if (rc < 0) {
        turn_away(stream);
        return 0;
    }
    consumed(stream, len);
    return rc;
}

static int
may_give(const struct volo__h2_stream *stream)
{
    return stream->cx && stream->served && !stream->giving &&
           !stream->unwanted && volo__body_wanted(stream->cx);
}

void
volo__h2_body_go_on(struct volo__h2_stream *stream)
{
    struct volo__block *block = stream->h2->block;

    stream->h2->block = NULL; /* what is held does not lie in there */
    while (holds(stream) && may_give(stream)) {
        char *held = stream->held;
        uint32_t at = stream->held_off, len = stream->held_len - at;

        stream->held = NULL;
        stream->held_len = stream->held_off = stream->held_cap = 0;
        give(stream, held + at, len);
        volo__free(held);
    }
    stream->h2->block = block;
    if (stream->ended && !holds(stream) && stream->cx && !stream->giving &&
        !stream->unwanted && !stream->cx->body.complete)
        volo__body_end(stream->cx);
}

int
volo__h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                 const uint8_t *data, size_t len, void *user)
{
    struct volo__h2 *h2 = user;
    struct volo__h2_stream *stream = volo__h2_stream_of(h2, id);
    const char *ptr = (const char *)data;

    (void)flags;
    if (h2->cutting || nghttp2_session_consume_connection(session, len))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (len)
        volo__h2_earn(h2, 1);
    if (!stream || !stream->cx || stream->unwanted || stream->refuse)
        return 0;
    stream->cx->req.expect = 0; /* it has not waited */
    if (!stream->served && !stream->fresh.len && !holds(stream)) {
        stream->fresh = volo_str_make(ptr, len);
        return 0;
    }
    volo__h2_body_keep_fresh(stream);
    if (!holds(stream) && may_give(stream))
        give(stream, ptr, len);
    else if (!stream->unwanted)
        hold(stream, ptr, len);
    return 0;
}

void
volo__h2_body_ended(struct volo__h2_stream *stream)
{
    stream->ended = 1;
    if (stream->served)
        volo__h2_body_go_on(stream);
}

/* ---- At the beginning ---------------------------------------------------- */

/* All of it is there, in one piece. */
static int
preload(struct volo__h2_stream *stream)
{
    volo_cx *cx = stream->cx;
    volo_str whole = stream->fresh;
    int err;

    if (holds(stream)) {
        whole = volo_str_make(stream->held, stream->held_len);
        err = volo__body_preload(cx, whole, NULL);
    } else if (whole.len) {
        err = volo__body_preload(cx, whole, stream->h2->block);
    } else {
        cx->body.complete = 1;
        return 0;
    }
    if (!err)
        turn_away(stream);
    return err;
}

void
volo__h2_body_ready(struct volo__h2_stream *stream)
{
    if (stream->ended && preload(stream) == 0)
        return;
    volo__h2_body_keep_fresh(stream);
    stream->body_since = stream->body_last = stream->h2->wire.home->now_ms;
}

int
volo__h2_body_waits(const struct volo__h2_stream *stream)
{
    return stream->served && stream->cx && !stream->ended &&
           !stream->unwanted && !holds(stream) && stream->cx->body.reading &&
           volo__body_wanted(stream->cx);
}
