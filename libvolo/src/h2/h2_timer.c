/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the peer is given time for.  There may be many such things at once, and
 * all of them are put off again and again; so only the earliest moment at which
 * one could be due is kept, and they are looked at when it has come.
 */
#include "h2/state.h"

void
volo__h2_sooner(struct volo__h2 *h2, uint64_t from, uint64_t by)
{
    h2->due = volo__earliest(h2->due, volo__later(from, by));
}

/* With a full queue nothing is read, and nobody to blame for what does not
 * come. */
static int
is_deaf(const struct volo__h2 *h2)
{
    return h2->wire.out->bytes > h2->wire.config->out_limit;
}

void
volo__h2_hear_again(struct volo__h2 *h2)
{
    uint64_t now = h2->wire.home->now_ms;
    struct volo__h2_stream *stream;

    if (!h2->full || is_deaf(h2))
        return;
    h2->full = 0;
    h2->block_since = now;
    for (stream = h2->first; stream; stream = stream->next)
        stream->body_last = now;
    volo__h2_sooner(h2, now, h2->wire.config->body_timeout);
}

/* ---- Of a stream --------------------------------------------------------- */

static uint64_t
body_due(const struct volo__h2_stream *stream)
{
    if (!volo__h2_body_waits(stream) || is_deaf(stream->h2))
        return UINT64_MAX;
    return volo__wire_body_due(stream->h2->wire.config, stream->body_since,
                               stream->body_last, stream->body_got);
}

/* Something is to be sent and its window is shut, or that of all. */
static int
is_stalled(const struct volo__h2_stream *stream)
{
    nghttp2_session *session = stream->h2->session;

    if (!stream->started || !stream->cx || stream->deferred)
        return 0;
    return nghttp2_session_get_stream_remote_window_size(session, stream->id) <=
               0 ||
           nghttp2_session_get_remote_window_size(session) <= 0;
}

static uint64_t
write_due(struct volo__h2_stream *stream)
{
    const struct volo__h2 *h2 = stream->h2;

    if (!stream->started || !stream->cx || stream->deferred)
        return UINT64_MAX;
    return volo__later(stream->out_last, h2->wire.config->write_timeout);
}

static uint64_t
stream_due(struct volo__h2_stream *stream)
{
    if (stream->linger_until)
        return stream->linger_until;
    return volo__earliest(body_due(stream), write_due(stream));
}

static void
stream_timeout(struct volo__h2_stream *stream, uint64_t now)
{
    if (stream->linger_until && stream->linger_until <= now)
        volo__h2_stream_part(stream);
    if (body_due(stream) <= now) {
        stream->unwanted = 1;
        volo__body_fail(stream->cx, VOLO_ETIMEDOUT);
    }
    if (write_due(stream) > now)
        return;
    if (!is_stalled(stream)) {
        stream->out_last = now; /* others were before it, or we are slow */
        return;
    }
    volo__h2_stream_reset(stream, NGHTTP2_CANCEL);
    volo__h2_stream_drop(stream, VOLO_ETIMEDOUT);
}

/* ---- Of the connection --------------------------------------------------- */

/* The client has to say hello, and to take note of our settings. */
static uint64_t
hello_due(const struct volo__h2 *h2)
{
    if (h2->greeted && h2->acked)
        return UINT64_MAX;
    return volo__later(h2->start, h2->wire.config->head_timeout);
}

static uint64_t
block_due(const struct volo__h2 *h2)
{
    if (!volo__h2_in_block(h2) || is_deaf(h2))
        return UINT64_MAX;
    return volo__later(h2->block_since, h2->wire.config->head_timeout);
}

static uint64_t
idle_due(const struct volo__h2 *h2)
{
    if (h2->streams)
        return UINT64_MAX;
    return volo__later(h2->idle_since, h2->wire.config->idle_timeout);
}

static uint64_t
stop_due(const struct volo__h2 *h2)
{
    return h2->state == VOLO__H2_NOTICED ? h2->stop_at : UINT64_MAX;
}

static uint64_t
connection_due(const struct volo__h2 *h2)
{
    return volo__earliest(volo__earliest(hello_due(h2), block_due(h2)),
                          volo__earliest(idle_due(h2), stop_due(h2)));
}

static uint64_t
next_due(const struct volo__h2 *h2)
{
    struct volo__h2_stream *stream;
    uint64_t due = connection_due(h2);

    for (stream = h2->first; stream; stream = stream->next)
        due = volo__earliest(due, stream_due(stream));
    return due;
}

uint64_t
volo__h2_due(const struct volo__wire *wire)
{
    struct volo__h2 *h2 = (struct volo__h2 *)(uintptr_t)wire;

    if (h2->state == VOLO__H2_CLOSED)
        return UINT64_MAX;
    if (volo__h2_in_block(h2) && !is_deaf(h2))
        volo__h2_sooner(h2, h2->block_since, wire->config->head_timeout);
    if (h2->due <= wire->home->now_ms)
        h2->due = next_due(h2);
    return h2->due;
}

void
volo__h2_timeout(struct volo__wire *wire)
{
    struct volo__h2 *h2 = (struct volo__h2 *)wire;
    uint64_t now = wire->home->now_ms;
    struct volo__h2_stream *stream, *next;
    uint8_t before;

    if (h2->state == VOLO__H2_CLOSED)
        return;
    before = volo__h2_enter(h2);
    for (stream = h2->first; stream; stream = next) {
        next = stream->next;
        stream_timeout(stream, now);
    }
    if (hello_due(h2) <= now)
        volo__h2_fail(h2, NGHTTP2_SETTINGS_TIMEOUT);
    else if (block_due(h2) <= now)
        volo__h2_fail(h2, NGHTTP2_PROTOCOL_ERROR);
    else if (idle_due(h2) <= now)
        volo__h2_fail(h2, NGHTTP2_NO_ERROR);
    else if (stop_due(h2) <= now)
        volo__h2_go_away_last(h2);
    h2->due = next_due(h2);
    volo__h2_leave(h2, before, 0);
}
