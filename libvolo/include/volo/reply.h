/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers from values.  Each sets content and Content-Type and then answers;
 * the status is 200 unless volo_cx_set_status() was called before.  All return
 * what volo_cx_answer() returns, or VOLO_ENOMEM, VOLO_EINVAL; one that comes
 * late, VOLO_EALREADY or VOLO_ECANCELED, touches nothing.  When a reply
 * fails before it answers, it answers with the error's status itself, so a
 * handler may ignore the result.
 */
#ifndef VOLO_REPLY_H
#define VOLO_REPLY_H

#include <volo/json.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_reply_text(cx, text): text/plain; charset=utf-8, copied; ${text} is
 * NUL-terminated.    @since 0.1 */
VOLO_API int volo_reply_text(volo_cx *cx, const char *text);

/** volo_reply_str(cx, text): the same with a length.    @since 0.1 */
VOLO_API int volo_reply_str(volo_cx *cx, volo_str text);

/** volo_reply_html(cx, html): text/html; charset=utf-8, copied.
 * @since 0.1 */
VOLO_API int volo_reply_html(volo_cx *cx, volo_str html);

/** volo_reply_bytes(cx, type, bytes): copied; ${type} is the Content-Type,
 * NULL for application/octet-stream.    @since 0.1 */
VOLO_API int volo_reply_bytes(volo_cx *cx, const char *type, volo_str bytes);

/** volo_reply_static(cx, type, bytes): the same without a copy, for octets
 * and a type that outlive the cx, such as literals.    @since 0.1 */
VOLO_API int volo_reply_static(volo_cx *cx, const char *type, volo_str bytes);

/** volo_reply_json(cx, value): application/json.    @since 0.1 */
VOLO_API int volo_reply_json(volo_cx *cx, const volo_json *value);

/** volo_reply_status(cx, status): that status and its reason as text, or no
 * content where the status has none; from 400 on, volo_reply_problem().
 * @since 0.1 */
VOLO_API int volo_reply_status(volo_cx *cx, int status);

/** volo_reply_empty(cx): no content: 204 unless a status was set.
 * @since 0.1 */
VOLO_API int volo_reply_empty(volo_cx *cx);

/**
 * volo_reply_redirect(cx, status, location):
 * ${status}: 301, 302, 303, 307 or 308.  ${location} is a URI reference;
 * octets that may not stand in one are percent-encoded.
 * @since 0.1
 */
VOLO_API int volo_reply_redirect(volo_cx *cx, int status, const char *location);

/**
 * volo_reply_problem(cx, status, detail):
 * An error: application/problem+json (RFC 9457) with title, status and
 * ${detail} (may be NULL) where the client accepts JSON, else a short
 * text/plain.
 * @since 0.1
 */
VOLO_API int volo_reply_problem(volo_cx *cx, int status, const char *detail);

/**
 * volo_reply_invalid(cx, status, field, where, reason):
 * The same, for a value that was not accepted: ${field} is its name, ${where}
 * it stands ("path", "query", "header", "cookie", "form", "body"), ${reason}
 * what is wrong.  As JSON, they are a member of "errors".
 * @since 0.1
 */
VOLO_API int volo_reply_invalid(volo_cx *cx, int status, const char *field,
                                const char *where, const char *reason);

/** volo_reply_error(cx, err): volo_reply_problem() with the status of a
 * VOLO_E... code.    @since 0.1 */
VOLO_API int volo_reply_error(volo_cx *cx, int err);

/**
 * volo_reply_file(cx, path, type):
 * The regular file at ${path}, streamed; ${type} is its Content-Type, NULL to
 * tell it by the name.  404 if there is none, 403 if it may not be read.
 * Opened and read on the loop's thread.
 * @since 0.1
 */
VOLO_API int volo_reply_file(volo_cx *cx, const char *path, const char *type);

/**
 * volo_reply_cookie(cx, name, value, attributes):
 * Add Set-Cookie to the response; does not answer.  ${attributes} is such as
 * "Path=/; HttpOnly; SameSite=Lax", or NULL.
 *
 * Errors: VOLO_EINVAL (RFC 6265 section 4.1.1), VOLO_ENOMEM, VOLO_EALREADY.
 * @since 0.1
 */
VOLO_API int volo_reply_cookie(volo_cx *cx, const char *name, volo_str value,
                               const char *attributes);

#ifdef __cplusplus
}
#endif

#endif
