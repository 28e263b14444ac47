/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The context of one exchange: the request, the response under construction,
 * an arena that dies with it, and who owns it.
 *
 * Ownership.  While a service runs, the cx is its own.  A service that answers
 * before it returns need do nothing more.  One that answers later takes a
 * reference with volo_cx_ref() before it returns and gives it back with
 * volo_cx_unref() after it has answered.  When the last reference goes and
 * nobody has answered, the exchange is answered with 500.
 *
 * Lifetime.  All that a cx lends (strings, headers, body) stays valid and in
 * place until its last reference is gone, whatever becomes of the client.
 */
#ifndef VOLO_CX_H
#define VOLO_CX_H

#include <volo/http.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The request ------------------------------------------------------- */

/** volo_cx_method(cx): the method's number, VOLO_OTHER if not well known.
 * @since 0.1 */
VOLO_API int volo_cx_method(const volo_cx *cx);

/** volo_cx_method_name(cx): the method as received.    @since 0.1 */
VOLO_API volo_str volo_cx_method_name(const volo_cx *cx);

/** volo_cx_version(cx): 10, 11 or 20 for HTTP/1.0, 1.1 and 2.    @since 0.1 */
VOLO_API int volo_cx_version(const volo_cx *cx);

/** volo_cx_target(cx): the request target as received.    @since 0.1 */
VOLO_API volo_str volo_cx_target(const volo_cx *cx);

/**
 * volo_cx_path(cx):
 * The path that is still to be matched, percent-encoded as received, without
 * the query and without the prefix of the routers it is nested in.  Starts
 * with "/" ("*" for OPTIONS *).
 * @since 0.1
 */
VOLO_API volo_str volo_cx_path(const volo_cx *cx);

/** volo_cx_original_path(cx): the whole path as received.    @since 0.1 */
VOLO_API volo_str volo_cx_original_path(const volo_cx *cx);

/** volo_cx_query(cx): what follows the "?"; absent if there is none.
 * @since 0.1 */
VOLO_API volo_str volo_cx_query(const volo_cx *cx);

/** volo_cx_scheme(cx): "http" or "https".    @since 0.1 */
VOLO_API volo_str volo_cx_scheme(const volo_cx *cx);

/**
 * volo_cx_authority(cx):
 * Host and port that the request is for: from an absolute target if it has
 * one (RFC 9112 section 3.2.2), else the Host field.  May be empty.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_authority(const volo_cx *cx);

/**
 * volo_cx_header(cx, name):
 * The value of the first field ${name} (any case); absent if there is none.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_header(const volo_cx *cx, const char *name);

/** volo_cx_field(cx, field): the same by number, VOLO_FIELD_...
 * @since 0.1 */
VOLO_API volo_str volo_cx_field(const volo_cx *cx, int field);

/** volo_cx_header_count(cx): how many field lines the request has.
 * @since 0.1 */
VOLO_API size_t volo_cx_header_count(const volo_cx *cx);

/**
 * volo_cx_header_at(cx, i, name, value):
 * Point ${name} (lower case) and ${value} to field line ${i}, in the order
 * received; both absent if there is none.  Returns the field's number.
 * @since 0.1
 */
VOLO_API int volo_cx_header_at(const volo_cx *cx, size_t i, volo_str *name,
                               volo_str *value);

/**
 * volo_cx_trailer(cx, name):
 * The value of trailer field ${name}; absent if there is none, or not yet:
 * trailers are there once the body has been read to its end.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_trailer(const volo_cx *cx, const char *name);

/** volo_cx_param(cx, name): path parameter ${name}, decoded; absent if there
 * is none.  Names are looked for in any case.    @since 0.1 */
VOLO_API volo_str volo_cx_param(const volo_cx *cx, const char *name);

/** volo_cx_param_count(cx): how many path parameters there are.
 * @since 0.1 */
VOLO_API size_t volo_cx_param_count(const volo_cx *cx);

/** volo_cx_param_at(cx, i, name, value): parameter ${i}, outermost router
 * first, left to right; absent if there is none.    @since 0.1 */
VOLO_API void volo_cx_param_at(const volo_cx *cx, size_t i, volo_str *name,
                               volo_str *value);

/**
 * volo_cx_pattern(cx):
 * The pattern of the route that matched, prefixes of nesting included, such
 * as "/users/{id}"; absent before and without a match.  For metrics and logs.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_pattern(const volo_cx *cx);

/** volo_cx_peer_ip(cx): the address of the other end of the connection, such
 * as "192.0.2.1" or "2001:db8::1"; "unix" for a Unix socket; "test" in the
 * in-memory client.    @since 0.1 */
VOLO_API volo_str volo_cx_peer_ip(volo_cx *cx);

/** volo_cx_peer_port(cx): its port, 0 where there is none.    @since 0.1 */
VOLO_API int volo_cx_peer_port(const volo_cx *cx);

/**
 * volo_cx_client_ip(cx):
 * The address of the client, seen through trusted proxies by the client-IP
 * layer; without that layer, that of the connection.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_client_ip(volo_cx *cx);

/** volo_cx_set_client_ip(cx, ip): what volo_cx_client_ip() says from now on;
 * copied.  Errors: VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_cx_set_client_ip(volo_cx *cx, volo_str ip);

/* ---- The response ------------------------------------------------------ */

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

/* ---- Ownership, cancellation, time ------------------------------------- */

/** volo_cx_ref(cx): take a reference; returns ${cx}.  Thread-safe.
 * @since 0.1 */
VOLO_API volo_cx *volo_cx_ref(volo_cx *cx);

/** volo_cx_unref(cx): give a reference back; NULL is ignored.  The last one
 * to go without an answer makes it 500.  Thread-safe.    @since 0.1 */
VOLO_API void volo_cx_unref(volo_cx *cx);

/** volo_cx_is_canceled(cx): 1 if nobody waits for the answer any more: the
 * client has left, or a timeout has answered.  Thread-safe.    @since 0.1 */
VOLO_API int volo_cx_is_canceled(const volo_cx *cx);

/** volo_cx_is_answered(cx): 1 if it has been answered.  Thread-safe.
 * @since 0.1 */
VOLO_API int volo_cx_is_answered(const volo_cx *cx);

/** volo_cancel_fn: an exchange was canceled.  On the loop's thread, while the
 * owner may be at work: use it to tell the owner, not to touch the cx. */
typedef void (*volo_cancel_fn)(volo_cx *cx, void *user);

/**
 * volo_cx_on_cancel(cx, fn, user, user_free):
 * Call ${fn} if the exchange is canceled before it is answered.  Several may
 * be registered.  On the loop's thread only (as where a service is called).
 *
 * Errors: VOLO_ENOMEM, VOLO_ECANCELED (it is already), VOLO_ETHREAD.
 * @since 0.1
 */
VOLO_API int volo_cx_on_cancel(volo_cx *cx, volo_cancel_fn fn, void *user,
                               volo_free_fn user_free);

/** volo_finish_fn: the response has left or has been given up. */
typedef void (*volo_finish_fn)(volo_cx *cx, void *user);

/**
 * volo_cx_on_finish(cx, fn, user, user_free):
 * Call ${fn} on the loop's thread after the last octet of the response was
 * handed to the system, or the exchange was given up.  Last registered is
 * called first.  The request and the response can still be read.  On the
 * loop's thread only.
 *
 * Errors: VOLO_ENOMEM, VOLO_ETHREAD.    @since 0.1
 */
VOLO_API int volo_cx_on_finish(volo_cx *cx, volo_finish_fn fn, void *user,
                               volo_free_fn user_free);

/** volo_cx_sent(cx): octets of content sent; complete in on_finish.
 * @since 0.1 */
VOLO_API uint64_t volo_cx_sent(const volo_cx *cx);

/** volo_cx_elapsed_us(cx): microseconds since the request's head was
 * complete.    @since 0.1 */
VOLO_API uint64_t volo_cx_elapsed_us(const volo_cx *cx);

/**
 * volo_cx_deadline_ms(cx):
 * Milliseconds left until a timeout layer gives up on the answer; -1 if there
 * is none, 0 if it has passed.
 * @since 0.1
 */
VOLO_API int64_t volo_cx_deadline_ms(const volo_cx *cx);

/** volo_cx_loop(cx): the loop that the exchange lives on.    @since 0.1 */
VOLO_API volo_loop *volo_cx_loop(const volo_cx *cx);

/** volo_cx_fn: work on an exchange. */
typedef void (*volo_cx_fn)(volo_cx *cx, void *user);

/**
 * volo_cx_post(cx, fn, user):
 * Call ${fn} with ${cx} on its loop's thread, soon.  The cx is kept alive
 * until then; to answer in ${fn}, the caller's ownership passes to it.
 * Thread-safe.
 *
 * Errors: VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_cx_post(volo_cx *cx, volo_cx_fn fn, void *user);

/* ---- Memory, extensions, state ----------------------------------------- */

/** volo_cx_alloc(cx, size): ${size} octets, aligned for anything, that live
 * as long as the cx; NULL if out of memory.    @since 0.1 */
VOLO_API void *volo_cx_alloc(volo_cx *cx, size_t size);

/** volo_cx_strdup(cx, s): a copy of ${s} that lives as long as the cx and has
 * a NUL behind it; absent if out of memory.    @since 0.1 */
VOLO_API volo_str volo_cx_strdup(volo_cx *cx, volo_str s);

/**
 * volo_cx_set_ext(cx, key, value, value_free):
 * Attach ${value} to the exchange under ${key}, any address that is unique to
 * its purpose.  A later value hides an earlier one.  ${value_free} is called
 * when the cx dies, also when this call fails.
 *
 * Errors: VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_cx_set_ext(volo_cx *cx, const void *key, void *value,
                             volo_free_fn value_free);

/** volo_cx_ext(cx, key): the newest value under ${key}: of the exchange, else
 * the state of the nearest router, else of the server; NULL if none.
 * @since 0.1 */
VOLO_API void *volo_cx_ext(const volo_cx *cx, const void *key);

/**
 * VOLO_KEY(name, type):
 * Declares, in one file, a key with typed access: name_set(cx, type *,
 * free_fn) and name_get(cx), which works for state too, and name_key() for
 * the set_state functions of routers and servers.
 */
#define VOLO_KEY(name, type)                                                   \
    static const char name##_volo_key = 0;                                     \
    static inline const void *name##_key(void) { return &name##_volo_key; }    \
    static inline int name##_set(volo_cx *cx, type *value_, volo_free_fn fn_)  \
    {                                                                          \
        return volo_cx_set_ext(cx, &name##_volo_key, value_, fn_);             \
    }                                                                          \
    static inline type *name##_get(const volo_cx *cx)                          \
    {                                                                          \
        return (type *)volo_cx_ext(cx, &name##_volo_key);                      \
    }                                                                          \
    struct name##_volo_key_needs_a_semicolon

#ifdef __cplusplus
}
#endif

#endif
