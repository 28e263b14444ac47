/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the codec share; nobody else includes it. */
#ifndef VOLO_H2_STATE_H
#define VOLO_H2_STATE_H

#include "h2/fields.h"
#include "h2/layout.h"
#include "h2/memory.h"

extern const struct volo__codec volo__h2_codec;

/* ---- h2.c ---------------------------------------------------------------- */

/* volo__h2_enter(h2): from here on nothing is freed and nobody woken.
 * volo__h2_leave(h2, before, wake): send what there is, and look whether it is
 * the end. */
uint8_t volo__h2_enter(struct volo__h2 *h2);
void volo__h2_leave(struct volo__h2 *h2, uint8_t before, int wake);

/* volo__h2_fail(h2, code): the connection ends now, with an error ${code} of
 * HTTP/2; all exchanges are canceled. */
void volo__h2_fail(struct volo__h2 *h2, uint32_t code);

/* volo__h2_cut(h2): there is no memory to end it properly: it ends when
 * nobody is in it any more. */
void volo__h2_cut(struct volo__h2 *h2);

/* volo__h2_go_away(h2): no more requests: the first of two GOAWAYs. */
void volo__h2_go_away(struct volo__h2 *h2);

/* volo__h2_go_away_last(h2): the second. */
void volo__h2_go_away_last(struct volo__h2 *h2);

/* ---- h2_session.c -------------------------------------------------------- */

/* volo__h2_session_new(h2): VOLO_ENOMEM, VOLO_ENOTIMPL. */
int volo__h2_session_new(struct volo__h2 *h2);

/* volo__h2_pump(h2): from nghttp2 to the queue, as far as there is room. */
void volo__h2_pump(struct volo__h2 *h2);

/* ---- h2_session.c, for h2_memory.c ----------------------------------------
 */

/* volo__h2_set_callbacks(callbacks): what nghttp2 calls (h2_session.c). */
void volo__h2_set_callbacks(nghttp2_session_callbacks *callbacks);
void volo__h2_set_option(nghttp2_option *option);

/* ---- h2_stream.c --------------------------------------------------------- */

/* volo__h2_stream_new(h2, id): with a blank exchange; NULL if out of memory. */
struct volo__h2_stream *volo__h2_stream_new(struct volo__h2 *h2, int32_t id,
                                            volo_cx *cx);

/* volo__h2_stream_of(h2, id): NULL if there is none that is ours. */
struct volo__h2_stream *volo__h2_stream_of(struct volo__h2 *h2, int32_t id);

/* volo__h2_stream_finish(stream): its response is in the queue. */
void volo__h2_stream_finish(struct volo__h2_stream *stream);

/* volo__h2_stream_part(stream): it was answered, and is not complete: no more
 * of it is of use. */
void volo__h2_stream_part(struct volo__h2_stream *stream);

/* volo__h2_stream_drop(stream, err): its exchange is not to be answered. */
void volo__h2_stream_drop(struct volo__h2_stream *stream, int err);

/* volo__h2_stream_free(stream): nghttp2 has let go of it. */
void volo__h2_stream_free(struct volo__h2_stream *stream);

/* volo__h2_stream_free_lost(h2): those that only the queue kept. */
void volo__h2_stream_free_lost(struct volo__h2 *h2);

/* volo__h2_stream_reset(stream, code): RST_STREAM. */
void volo__h2_stream_reset(struct volo__h2_stream *stream, uint32_t code);

/* volo__h2_streams(h2): those that count against the limit. */
uint32_t volo__h2_streams(const struct volo__h2 *h2);

/* ---- h2_head.c ----------------------------------------------------------- */

int volo__h2_on_begin_headers(nghttp2_session *session,
                              const nghttp2_frame *frame, void *user);
int volo__h2_on_header(nghttp2_session *session, const nghttp2_frame *frame,
                       const uint8_t *name, size_t name_len,
                       const uint8_t *value, size_t value_len, uint8_t flags,
                       void *user);
int volo__h2_on_invalid_header(nghttp2_session *session,
                               const nghttp2_frame *frame, const uint8_t *name,
                               size_t name_len, const uint8_t *value,
                               size_t value_len, uint8_t flags, void *user);

/* volo__h2_head_end(h2, stream): the field block of a HEADERS is complete. */
void volo__h2_head_end(struct volo__h2 *h2, struct volo__h2_stream *stream,
                       int end_stream);

/* volo__h2_serve_ready(h2): what has become complete. */
void volo__h2_serve_ready(struct volo__h2 *h2);

/* ---- h2_check.c ---------------------------------------------------------- */

/* volo__h2_check_head(stream, end_stream): what the head as a whole must
 * obey; sets what follows from it.  Returns 0 or a status. */
int volo__h2_check_head(struct volo__h2_stream *stream, int end_stream);

/* ---- h2_body.c ----------------------------------------------------------- */

int volo__h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                     const uint8_t *data, size_t len, void *user);

/* volo__h2_body_ready(stream): it is about to be served: what is there of the
 * body goes with it. */
void volo__h2_body_ready(struct volo__h2_stream *stream);

/* volo__h2_body_ended(stream): END_STREAM has come. */
void volo__h2_body_ended(struct volo__h2_stream *stream);

/* volo__h2_body_go_on(stream): give what is held, as far as it is wanted. */
void volo__h2_body_go_on(struct volo__h2_stream *stream);

/* volo__h2_body_keep_fresh(h2): what was fed is about to go away. */
void volo__h2_body_keep_fresh(struct volo__h2_stream *stream);

/* volo__h2_body_waits(stream): 1 if its reader waits for the peer. */
int volo__h2_body_waits(const struct volo__h2_stream *stream);

/* ---- h2_respond.c -------------------------------------------------------- */

/* volo__h2_refuse(stream, status): answer it ourselves. */
void volo__h2_refuse(struct volo__h2_stream *stream, int status);

/* volo__h2_interim(stream, status, fields): 100 or 103. */
int volo__h2_interim(struct volo__h2_stream *stream, int status,
                     const struct volo__fields *fields);

/* ---- h2_priority.c ------------------------------------------------------- */

/* volo__h2_prioritize(stream, value): its response has this "priority". */
void volo__h2_prioritize(struct volo__h2_stream *stream, volo_str value);

/* ---- h2_data.c ----------------------------------------------------------- */

ssize_t volo__h2_read_data(nghttp2_session *session, int32_t id, uint8_t *buf,
                           size_t len, uint32_t *flags,
                           nghttp2_data_source *source, void *user);
int volo__h2_send_data(nghttp2_session *session, nghttp2_frame *frame,
                       const uint8_t *head, size_t len,
                       nghttp2_data_source *source, void *user);

/* ---- h2_budget.c --------------------------------------------------------- */

enum {
    VOLO__H2_WATCH_END,   /* of what there is */
    VOLO__H2_WATCH_PART,  /* the same, behind a part of a CONTINUATION's head */
    VOLO__H2_WATCH_CHECK, /* before a frame that not every stream may have */
    VOLO__H2_WATCH_FAULT  /* before one that is one too many */
};

/*
 * volo__h2_watch(h2, ptr, len, at, mark):
 * Look at the frames in the ${len} octets at ${ptr}, from ${at} on, before
 * nghttp2 does: it may have all up to ${mark}.
 */
int volo__h2_watch(struct volo__h2 *h2, const char *ptr, size_t len, size_t *at,
                   size_t *mark);

/* volo__h2_check_open(h2): nghttp2 has all before the frame that is to be
 * checked: 0, or it comes for a stream that is closed. */
int volo__h2_check_open(struct volo__h2 *h2);

/* volo__h2_in_block(h2): 1 in the middle of a frame that is not DATA, or of a
 * field block. */
int volo__h2_in_block(const struct volo__h2 *h2);

/* volo__h2_budget_init(h2): all full. */
void volo__h2_budget_init(struct volo__h2 *h2);

/* volo__h2_spend_reset(h2): a stream was reset through the peer's doing.
 * Returns 0, or NGHTTP2_ERR_CALLBACK_FAILURE if that was one too many. */
int volo__h2_spend_reset(struct volo__h2 *h2);

/* volo__h2_earn(h2, n): work was done for the peer. */
void volo__h2_earn(struct volo__h2 *h2, uint32_t n);

/* ---- h2_timer.c ---------------------------------------------------------- */

uint64_t volo__h2_due(const struct volo__wire *wire);
void volo__h2_timeout(struct volo__wire *wire);

/* volo__h2_hear_again(h2): if the queue was full and is not any more, what was
 * not read meanwhile is not overdue. */
void volo__h2_hear_again(struct volo__h2 *h2);

/* volo__h2_sooner(h2, from, by): something may be due ${by} after ${from}. */
void volo__h2_sooner(struct volo__h2 *h2, uint64_t from, uint64_t by);

#endif
