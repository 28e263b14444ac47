/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses that are not in memory: written piece by piece from any thread,
 * pulled from a function, or a connection that changes hands.
 */
#ifndef VOLO_WRITER_H
#define VOLO_WRITER_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A streamed response ----------------------------------------------- */

/**
 * volo_cx_answer_stream(out, cx, length):
 * Answer with status and headers as set, and a body that is written to
 * ${out}: ${length} octets, or -1 if that is not known (then chunked, or
 * ended by closing).  Otherwise as volo_cx_answer().  The writer holds the
 * exchange: it is the caller's to free with volo_writer_free(), from any
 * thread, one at a time.  Freed before its end, it cuts the response off in a
 * way that the client can tell.
 *
 * Errors: VOLO_EALREADY, VOLO_ECANCELED, VOLO_ENOMEM; on each, no writer.
 * @since 0.1
 */
VOLO_API int volo_cx_answer_stream(volo_writer **out, volo_cx *cx,
                                   int64_t length);

/**
 * volo_writer_write(w, data):
 * Send a copy of ${data}.  Accepted whole or not at all; it leaves at the end
 * of the loop's iteration at the latest.
 *
 * Errors: VOLO_EAGAIN (too much is waiting already: try again when told by
 * volo_writer_on_drain()), VOLO_ECANCELED (the client is gone), VOLO_ETOOBIG
 * (beyond the announced length), VOLO_ENOMEM, VOLO_ECLOSED (ended).
 * @since 0.1
 */
VOLO_API int volo_writer_write(volo_writer *w, volo_str data);

/** volo_writer_write_ref(w, data, release, user): the same without a copy;
 * ${release} (may be NULL) is called with ${user} when the octets are not
 * needed any more, on any thread, also when this call fails.    @since 0.1 */
VOLO_API int volo_writer_write_ref(volo_writer *w, volo_str data,
                                   volo_free_fn release, void *user);

/** volo_writer_trailer(w, name, value): add a trailer field (sent if the
 * response is chunked or HTTP/2, RFC 9110 section 6.5).  Errors: VOLO_EINVAL,
 * VOLO_ENOMEM, VOLO_ECLOSED.    @since 0.1 */
VOLO_API int volo_writer_trailer(volo_writer *w, const char *name,
                                 volo_str value);

/** volo_writer_end(w): the body is complete.  Errors: VOLO_ECLOSED (ended
 * before), VOLO_EINVAL (short of the announced length; the connection will
 * be cut), VOLO_ECANCELED.    @since 0.1 */
VOLO_API int volo_writer_end(volo_writer *w);

/** volo_writer_free(w): let go of ${w}; NULL is ignored.  From another thread
 * than the loop's, a volo_drain_fn may be under way meanwhile; its user_free
 * is the last call.    @since 0.1 */
VOLO_API void volo_writer_free(volo_writer *w);

/** volo_writer_pending(w): octets accepted and not yet handed to the system.
 * Thread-safe.    @since 0.1 */
VOLO_API size_t volo_writer_pending(const volo_writer *w);

/** volo_drain_fn: there is room again (${err} 0), or the client is gone
 * (VOLO_ECANCELED).  On the loop's thread. */
typedef void (*volo_drain_fn)(volo_writer *w, int err, void *user);

/**
 * volo_writer_on_drain(w, fn, user, user_free):
 * Have ${fn} told each time that room comes back after a VOLO_EAGAIN, and
 * once if the client leaves.  It is not called after volo_writer_free().  Set
 * it before the first write, on the loop's thread or before the loop can know
 * of ${w}.
 *
 * Errors: VOLO_EEXIST (set already).    @since 0.1
 */
VOLO_API int volo_writer_on_drain(volo_writer *w, volo_drain_fn fn, void *user,
                                  volo_free_fn user_free);

/**
 * volo_source_fn: write some to ${w}, then return 1 if there is more to come,
 * 0 if that was all, or a negative error, which cuts the response off.  It is
 * called again when there is room, so it must have written if it returns 1.
 * On the loop's thread; must not block.
 */
typedef int (*volo_source_fn)(volo_writer *w, void *user);

/**
 * volo_cx_answer_source(cx, length, fn, user, user_free):
 * Answer with a body that is pulled from ${fn} as the client takes it.
 * Otherwise as volo_cx_answer_stream().
 *
 * Errors: VOLO_EALREADY, VOLO_ECANCELED, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_cx_answer_source(volo_cx *cx, int64_t length,
                                   volo_source_fn fn, void *user,
                                   volo_free_fn user_free);

/* ---- Taking the connection over ---------------------------------------- */

/** volo_upgrade_fn: the connection is the application's from now on.
 * ${fd} is a non-blocking socket that it must close; ${early} the octets that
 * the peer has sent already, valid during the call.  On the loop's thread. */
typedef void (*volo_upgrade_fn)(volo_cx *cx, int fd, volo_str early,
                                void *user);

/**
 * volo_cx_answer_upgrade(cx, protocol, fn, user):
 * Answer 101 with "Upgrade: ${protocol}" and the headers as set (RFC 9110
 * section 7.8), or 200 without it where the method is CONNECT, then give the
 * connection to ${fn}.  ${fn} is not called if the client leaves before.
 *
 * Errors: VOLO_ENOTIMPL (not HTTP/1.1, or no socket below, or TLS),
 * VOLO_EINVAL (the client has not asked for ${protocol}, or sent a body),
 * VOLO_EALREADY, VOLO_ECANCELED, VOLO_ETHREAD, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_cx_answer_upgrade(volo_cx *cx, const char *protocol,
                                    volo_upgrade_fn fn, void *user);

#ifdef __cplusplus
}
#endif

#endif
