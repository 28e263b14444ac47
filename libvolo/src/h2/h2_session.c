/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Around nghttp2: how a session is made, what it tells us about frames as
 * such, and the way of what it wants to send into the queue.  What a frame
 * means for an exchange is said elsewhere.
 */
#include <string.h>

#include "h2/state.h"

enum { OLDEST = 0x012b00 /* 1.43 */, SETTINGS_MAX = 32, ACKS_MAX = 1000 };

/* ---- What it tells us ---------------------------------------------------- */

static int
has_end(const nghttp2_frame *frame)
{
    return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

/* The ack of the PING that went with the first GOAWAY: all that the client sent
 * before it knew has come. */
static void
pinged(struct volo__h2 *h2, const nghttp2_frame *frame)
{
    if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && h2->state == VOLO__H2_NOTICED)
        volo__h2_go_away_last(h2);
}

static void
settings_came(struct volo__h2 *h2, const nghttp2_frame *frame)
{
    h2->greeted = 1;
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
        h2->acked = 1;
}

static int
on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct volo__h2 *h2 = user;
    struct volo__h2_stream *stream;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_DATA:
        stream = volo__h2_stream_of(h2, frame->hd.stream_id);
        if (stream && has_end(frame))
            volo__h2_body_ended(stream);
        break;
    case NGHTTP2_HEADERS:
        stream = h2->current;
        h2->current = NULL;
        if (stream)
            volo__h2_head_end(h2, stream, has_end(frame));
        break;
    case NGHTTP2_SETTINGS:
        settings_came(h2, frame);
        break;
    case NGHTTP2_PING:
        pinged(h2, frame);
        break;
    default:
        break;
    }
    return h2->cutting ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct volo__h2_stream *stream =
        nghttp2_session_get_stream_user_data(session, id);

    (void)user;
    (void)code;
    if (stream)
        volo__h2_stream_free(stream);
    return 0;
}

/* Resets that the peer has provoked cost him what his own do.  One too many is
 * noted: what is being sent is sent. */
static void
reset_sent(struct volo__h2 *h2, const nghttp2_frame *frame)
{
    uint32_t code = frame->rst_stream.error_code;

    if (frame->hd.stream_id > h2->last_reset)
        h2->last_reset = frame->hd.stream_id;
    if (code == NGHTTP2_NO_ERROR || code == NGHTTP2_INTERNAL_ERROR ||
        code == NGHTTP2_CANCEL)
        return;
    h2->wire.malformed |= code != NGHTTP2_REFUSED_STREAM;
    volo__h2_spend_reset(h2);
}

/* Much of what ends a connection the library finds, and refuses by itself. */
static void
goaway_sent(struct volo__h2 *h2, uint32_t code)
{
    if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_SETTINGS_TIMEOUT &&
        code != NGHTTP2_INTERNAL_ERROR)
        h2->wire.malformed = 1;
}

static int
on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct volo__h2 *h2 = user;
    struct volo__h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        reset_sent(h2, frame);
    else if (frame->hd.type == NGHTTP2_GOAWAY)
        goaway_sent(h2, frame->goaway.error_code);
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        !has_end(frame))
        return 0;
    stream = volo__h2_stream_of(h2, frame->hd.stream_id);
    if (stream)
        volo__h2_stream_finish(stream);
    return h2->cutting ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

void
volo__h2_set_callbacks(nghttp2_session_callbacks *cbs)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        cbs, volo__h2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cbs, volo__h2_on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(
        cbs, volo__h2_on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cbs,
                                                              volo__h2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cbs, on_frame_recv);
    nghttp2_session_callbacks_set_on_stream_close_callback(cbs,
                                                           on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(cbs, on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(cbs, volo__h2_send_data);
}

void
volo__h2_set_option(nghttp2_option *option)
{
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
    nghttp2_option_set_max_settings(option, SETTINGS_MAX);
#if VOLO__H2_HAS_EXTPRI
    nghttp2_option_set_builtin_recv_extension_type(option,
                                                   NGHTTP2_PRIORITY_UPDATE);
#endif
}

/* ---- Making one ---------------------------------------------------------- */

static int
submit_settings(struct volo__h2 *h2)
{
    nghttp2_settings_entry entries[] = {
        /* What we say is another number, see patch(). */
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, UINT32_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2->wire.config->head_limit},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
#if VOLO__H2_HAS_EXTPRI
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
#endif
    };

    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries,
                                sizeof entries / sizeof entries[0]))
        return VOLO_ENOMEM;
    if (nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                              VOLO__H2_CONN_WINDOW))
        return VOLO_ENOMEM;
    return 0;
}

int
volo__h2_session_new(struct volo__h2 *h2)
{
    struct volo__h2_share *share = h2->share;
    nghttp2_mem mem = volo__h2_mem(h2);
    int rc;

    if (!nghttp2_version(OLDEST))
        return VOLO_ENOTIMPL;
    volo__h2_share_making(share, 1);
    rc = nghttp2_session_server_new3(&h2->session,
                                     volo__h2_share_callbacks(share), h2,
                                     volo__h2_share_option(share), &mem);
    volo__h2_share_making(share, 0);
    if (rc) {
        h2->session = NULL;
        return VOLO_ENOMEM;
    }
    return submit_settings(h2);
}

/* ---- Sending ------------------------------------------------------------- */

/* nghttp2 takes a stream beyond the limit for the end of the connection; we
 * only refuse it.  So the limit is kept by us, and nghttp2 does not know it:
 * our first frame, the SETTINGS whose first entry it is, says it. */
static int
patch(struct volo__h2 *h2, const uint8_t *ptr, size_t len)
{
    uint32_t limit = h2->wire.config->stream_limit;
    uint8_t value[4] = {(uint8_t)(limit >> 24), (uint8_t)(limit >> 16),
                        (uint8_t)(limit >> 8), (uint8_t)limit};
    enum { AT = 9 + 2 };
    char *room = volo__outq_reserve(h2->wire.out, len);

    if (!room)
        return VOLO_ENOMEM;
    memcpy(room, ptr, len);
    memcpy(room + AT, value, sizeof value);
    volo__outq_commit(h2->wire.out, len);
    h2->patched = 1;
    return 0;
}

static void
pump(struct volo__h2 *h2)
{
    struct volo__outq *out = h2->wire.out;
    const uint8_t *ptr;
    ssize_t n = 0;
    int err = 0;

    while (!err && !h2->cutting &&
           (out->bytes <= h2->wire.config->out_limit ||
            h2->state == VOLO__H2_CLOSED) &&
           (n = nghttp2_session_mem_send(h2->session, &ptr)) > 0)
        err = h2->patched ? volo__outq_copy(out, ptr, (size_t)n)
                          : patch(h2, ptr, (size_t)n);
    h2->full |= out->bytes > h2->wire.config->out_limit;
    if (err || n < 0)
        volo__h2_cut(h2);
}

void
volo__h2_pump(struct volo__h2 *h2)
{
    pump(h2);
    if (!h2->fault || h2->state == VOLO__H2_CLOSED)
        return;
    volo__h2_fail(h2, h2->fault);
    pump(h2);
}
