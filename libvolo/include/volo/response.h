/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the response of an exchange, and sending it.  What is set is checked:
 * nothing that would change the meaning of the message is taken.
 */
#ifndef VOLO_RESPONSE_H
#define VOLO_RESPONSE_H

#include <volo/http.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_cx_set_status(cx, status):
 * Answer with ${status}; 200 unless set.
 *
 * Errors: VOLO_EINVAL (not 200 to 999), VOLO_EALREADY (sent).    @since 0.1
 */
VOLO_API int volo_cx_set_status(volo_cx *cx, int status);

/** volo_cx_status(cx): the status so far.    @since 0.1 */
VOLO_API int volo_cx_status(const volo_cx *cx);

/**
 * volo_cx_set_header(cx, name, value):
 * Give the response the field ${name} with ${value}, in the place of all that
 * had the name.  Both are copied; the name is lower-cased.
 *
 * Errors: VOLO_EINVAL (a name that is no token, a value with CR, LF, NUL or
 * another control octet, RFC 9110 section 5.5, or a field that is
 * libvolo's to write: Connection, Keep-Alive, Transfer-Encoding, Upgrade,
 * Content-Length), VOLO_ENOMEM, VOLO_EALREADY (sent).    @since 0.1
 */
VOLO_API int volo_cx_set_header(volo_cx *cx, const char *name, volo_str value);

/** volo_cx_add_header(cx, name, value): the same, beside those that have the
 * name.  Errors: as volo_cx_set_header().    @since 0.1 */
VOLO_API int volo_cx_add_header(volo_cx *cx, const char *name, volo_str value);

/**
 * volo_cx_set_field(cx, field, value):
 * volo_cx_set_header() for a well-known field and a ${value} that is borrowed:
 * it must live as long as the cx (a literal, or memory of volo_cx_alloc()).
 * Errors: as volo_cx_set_header().    @since 0.1
 */
VOLO_API int volo_cx_set_field(volo_cx *cx, int field, volo_str value);

/** volo_cx_remove_header(cx, name): take field ${name} from the response.
 * Errors: VOLO_EALREADY (sent).    @since 0.1 */
VOLO_API int volo_cx_remove_header(volo_cx *cx, const char *name);

/** volo_cx_response_header(cx, name): the first value of the response's field
 * ${name}; absent if there is none.    @since 0.1 */
VOLO_API volo_str volo_cx_response_header(const volo_cx *cx, const char *name);

/** volo_cx_response_header_count(cx): field lines of the response so far.
 * @since 0.1 */
VOLO_API size_t volo_cx_response_header_count(const volo_cx *cx);

/** volo_cx_response_header_at(cx, i, name, value): field line ${i} of the
 * response; returns the field's number.    @since 0.1 */
VOLO_API int volo_cx_response_header_at(const volo_cx *cx, size_t i,
                                        volo_str *name, volo_str *value);

/**
 * volo_cx_set_body(cx, body):
 * Make a copy of ${body} the content of the response.
 *
 * Errors: VOLO_ENOMEM, VOLO_EALREADY (sent).    @since 0.1
 */
VOLO_API int volo_cx_set_body(volo_cx *cx, volo_str body);

/**
 * volo_cx_set_body_ref(cx, body, release, user):
 * Make ${body} itself the content, without a copy; ${release} (may be NULL:
 * the octets live as long as the cx, or for ever) is called with ${user} once
 * they are not needed any more, on any thread, also when this call fails.
 *
 * Errors: VOLO_ENOMEM, VOLO_EALREADY (sent).    @since 0.1
 */
VOLO_API int volo_cx_set_body_ref(volo_cx *cx, volo_str body,
                                  volo_free_fn release, void *user);

/** volo_cx_response_body(cx): the content set so far; absent if none or if
 * the answer is streamed.    @since 0.1 */
VOLO_API volo_str volo_cx_response_body(const volo_cx *cx);

/** volo_cx_is_streamed(cx): 1 if the answer comes from a volo_writer.
 * @since 0.1 */
VOLO_API int volo_cx_is_streamed(const volo_cx *cx);

/**
 * volo_cx_early_hints(cx, fields, count):
 * Send a 103 with these fields (Link, above all), which are copied, ahead of
 * the answer; ${id} in them is not looked at.  May be called more than once.
 * It is an advice: where it cannot be sent at once, since the answers to
 * earlier requests or octets that the client does not read are before it, it
 * is left out.  Any thread that owns the cx; from another one than the loop's
 * it arrives soon.
 *
 * Errors: VOLO_EINVAL (see volo_cx_set_header()), VOLO_EALREADY (it has been
 * answered), VOLO_ECANCELED, VOLO_ENOTIMPL (HTTP/1.0), VOLO_ENOMEM.
 * @since 0.1
 */
VOLO_API int volo_cx_early_hints(volo_cx *cx, const volo_pair *fields,
                                 size_t count);

/**
 * volo_cx_answer(cx):
 * The response is complete: send it.  It passes the layers that the request
 * came through, innermost first, then leaves.  Exactly once; any thread that
 * owns the cx.
 *
 * Errors: VOLO_EALREADY (answered before: nothing happens), VOLO_ECANCELED
 * (the client is gone: the answer is thrown away).    @since 0.1
 */
VOLO_API int volo_cx_answer(volo_cx *cx);

/**
 * volo_cx_suspend(cx):
 * From inside an on_response callback: hold the response there until
 * volo_cx_resume(), so that a layer can do something slow on the way out.
 * The caller takes a reference first.
 *
 * Errors: VOLO_EINVAL (not inside an on_response callback).    @since 0.1
 */
VOLO_API int volo_cx_suspend(volo_cx *cx);

/** volo_cx_resume(cx): let a suspended response go on to the next layer.  Any
 * thread, once per volo_cx_suspend().    @since 0.1 */
VOLO_API void volo_cx_resume(volo_cx *cx);

#ifdef __cplusplus
}
#endif

#endif
