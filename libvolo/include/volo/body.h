/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the body of a request, whole or as it comes. */
#ifndef VOLO_BODY_H
#define VOLO_BODY_H

#include <volo/types.h>
#include <volo/writer.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_body_fn: the body is there (${err} is 0), or will never be:
 * VOLO_ETOOBIG, VOLO_EPROTO, VOLO_ETIMEDOUT, VOLO_ECANCELED, VOLO_ENOMEM.
 * ${body} lives as long as the cx.  The callback answers, or keeps the cx, as
 * a service does.  volo_reply_error() turns ${err} into an answer.
 */
typedef void (*volo_body_fn)(volo_cx *cx, int err, volo_str body, void *user);

/**
 * volo_cx_read_body(cx, fn, user):
 * Read the whole body, at most the body limit, and give it to ${fn}: before
 * this returns if it is there already (as that of a GET is), else later on
 * the loop's thread; the exchange stays open until then.  Without a copy if
 * it lies in the read buffer.  May be called again once it is read: ${fn}
 * then gets the same body.  On the loop's thread.
 *
 * Errors: VOLO_EBUSY (it is being streamed, or another call is under way),
 * VOLO_ETHREAD.    @since 0.1
 */
VOLO_API int volo_cx_read_body(volo_cx *cx, volo_body_fn fn, void *user);

/** volo_cx_body(cx): the body that volo_cx_read_body() has read; absent
 * before.    @since 0.1 */
VOLO_API volo_str volo_cx_body(const volo_cx *cx);

/** What a volo_chunk_fn returns. */
enum volo_flow {
    VOLO_FLOW_MORE = 0, /* go on */
    VOLO_FLOW_PAUSE = 1 /* nothing more until volo_cx_resume_body() */
};

/**
 * volo_chunk_fn: a piece of the body, valid during the call; at the end, once,
 * an absent one with ${err} 0; or, once, an error as in volo_body_fn.  One of
 * the two comes in any case: VOLO_ECANCELED also if the response was complete
 * before the body was.  Returns a volo_flow.
 */
typedef int (*volo_chunk_fn)(volo_cx *cx, int err, volo_str chunk, void *user);

/**
 * volo_cx_read_stream(cx, fn, user):
 * Give the body to ${fn} piece by piece, on the loop's thread, as it comes.
 * The exchange stays open until the end or the error; then ${fn} (or who has
 * taken a reference) answers.  While paused, the peer is held back by flow
 * control.  On the loop's thread.
 *
 * Errors: VOLO_EBUSY (it is being read), VOLO_ETHREAD.    @since 0.1
 */
VOLO_API int volo_cx_read_stream(volo_cx *cx, volo_chunk_fn fn, void *user);

/** volo_cx_resume_body(cx): end a VOLO_FLOW_PAUSE.  Thread-safe.
 * @since 0.1 */
VOLO_API void volo_cx_resume_body(volo_cx *cx);

/** volo_cx_content_length(cx): the announced length of the request's body; 0
 * if it has none, -1 if it is not known.    @since 0.1 */
VOLO_API int64_t volo_cx_content_length(const volo_cx *cx);

/**
 * volo_cx_set_body_limit(cx, limit):
 * Accept at most ${limit} octets of body in this exchange instead of the
 * server's limit; UINT64_MAX for no limit.  Before the body is read.
 * @since 0.1
 */
VOLO_API void volo_cx_set_body_limit(volo_cx *cx, uint64_t limit);

/** volo_cx_body_limit(cx): the limit in force.    @since 0.1 */
VOLO_API uint64_t volo_cx_body_limit(const volo_cx *cx);

#ifdef __cplusplus
}
#endif

#endif
