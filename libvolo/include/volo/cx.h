/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The context of one exchange: the request (volo/request.h), the response
 * under construction (volo/response.h), an arena that dies with it, and who
 * owns it.
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
#include <volo/request.h>
#include <volo/response.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Ownership, cancellation, time ------------------------------------- */

/** volo_cx_ref(cx): take a reference; returns ${cx}.  Thread-safe.
 * @since 0.1 */
VOLO_API volo_cx *volo_cx_ref(volo_cx *cx);

/** volo_cx_unref(cx): give a reference back; NULL is ignored.  The last one
 * to go without an answer makes it 500.  Thread-safe.    @since 0.1 */
VOLO_API void volo_cx_unref(volo_cx *cx);

/** volo_cx_keep(cx): keep all that ${cx} lends, without owning it: who keeps it
 * may read the request, and what was put aside, but not answer, nor take a
 * reference; and 500 is sent all the same when the last reference goes.  For
 * who has a reference, or keeps it already; returns ${cx}.  Thread-safe.
 * @since 0.1 */
VOLO_API volo_cx *volo_cx_keep(volo_cx *cx);

/** volo_cx_unkeep(cx): the reverse; NULL is ignored.  Thread-safe.
 * @since 0.1 */
VOLO_API void volo_cx_unkeep(volo_cx *cx);

/** volo_cx_is_canceled(cx): 1 if nobody waits for the answer any more: the
 * client has left, or a timeout has answered.  Thread-safe.    @since 0.1 */
VOLO_API int volo_cx_is_canceled(const volo_cx *cx);

/** volo_cx_is_answered(cx): 1 if it has been answered.  Thread-safe.
 * @since 0.1 */
VOLO_API int volo_cx_is_answered(const volo_cx *cx);

/** volo_cancel_fn: an exchange was canceled.  On the loop's thread, while the
 * owner may be at work: use it to tell the owner, for which a reference may be
 * taken, not to touch the cx.  Not called if nobody owns the cx any more. */
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
 * as long as the cx; NULL if out of memory.  Who has answered from another
 * thread must not call it any more: layers use the same memory then.
 * @since 0.1 */
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
    VOLO__MAYBE_UNUSED static inline const void *name##_key(void)              \
    {                                                                          \
        return &name##_volo_key;                                               \
    }                                                                          \
    VOLO__MAYBE_UNUSED static inline int name##_set(volo_cx *cx, type *value_, \
                                                    volo_free_fn fn_)          \
    {                                                                          \
        return volo_cx_set_ext(cx, &name##_volo_key, value_, fn_);             \
    }                                                                          \
    VOLO__MAYBE_UNUSED static inline type *name##_get(const volo_cx *cx)       \
    {                                                                          \
        return (type *)volo_cx_ext(cx, &name##_volo_key);                      \
    }                                                                          \
    struct name##_volo_key_needs_a_semicolon

#ifdef __cplusplus
}
#endif

#endif
