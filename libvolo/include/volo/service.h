/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one noun and its wrapper.  A service answers an exchange; a layer wraps
 * a service.  Layers run in the order in which they were added, the first
 * added outermost, and wrap everything in what they were added to, whenever
 * that was registered.
 */
#ifndef VOLO_SERVICE_H
#define VOLO_SERVICE_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_service_fn: answer ${cx}, before returning or later (see volo/cx.h).
 * Called on the loop's thread; must not block.
 */
typedef void (*volo_service_fn)(volo_cx *cx, void *user);

/**
 * volo_layer_fn: one step of a chain.  Call volo_next_run() to go on, or
 * answer ${cx} instead.  Called on the loop's thread; must not block.
 */
typedef void (*volo_layer_fn)(volo_cx *cx, volo_next *next, void *user);

/** volo_response_fn: the response passes a layer on its way out, on the
 * loop's thread.  ${frame} is what the layer gave to volo_next_run().  Called
 * exactly once per volo_next_run(), also if the exchange was canceled. */
typedef void (*volo_response_fn)(volo_cx *cx, void *frame);

/**
 * volo_next_run(next, cx, on_response, frame):
 * Run the rest of the chain.  When the response comes back, ${on_response}
 * (may be NULL) sees it.  Now or later, on the loop's thread; once.  Out of
 * memory answers 503.
 * @since 0.1
 */
VOLO_API void volo_next_run(volo_next *next, volo_cx *cx,
                            volo_response_fn on_response, void *frame);

/**
 * volo_next_run_within(next, cx, ms, on_expire, user, on_response, frame):
 * The same, but at most ${ms} milliseconds: then the exchange is canceled for
 * whoever is at work on it (whose late answer is thrown away), and
 * ${on_expire} answers in its place, through the layers outside this one.
 * The cx it gets is another one, with the request, the path, the extensions
 * and the headers that the response had when this was called.
 * ${on_response} sees the answer that is sent, once.
 * @since 0.1
 */
VOLO_API void volo_next_run_within(volo_next *next, volo_cx *cx, uint64_t ms,
                                   volo_service_fn on_expire, void *user,
                                   volo_response_fn on_response, void *frame);

/**
 * volo_service_new(out, fn, user, user_free):
 * A service that answers with ${fn}.  Shared: it is the caller's to unref.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_service_new(volo_service **out, volo_service_fn fn,
                              void *user, volo_free_fn user_free);

/** volo_service_ref(service): take a reference; returns ${service}.
 * Thread-safe.    @since 0.1 */
VOLO_API volo_service *volo_service_ref(volo_service *service);

/** volo_service_unref(service): give one back; NULL is ignored.  Thread-safe.
 * @since 0.1 */
VOLO_API void volo_service_unref(volo_service *service);

/**
 * volo_service_layer(service, fn, user, user_free):
 * Wrap ${service} in a layer, inside those it has.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_EBUSY (frozen: it is being served).
 * @since 0.1
 */
VOLO_API int volo_service_layer(volo_service *service, volo_layer_fn fn,
                                void *user, volo_free_fn user_free);

/**
 * volo_service_call(service, cx):
 * Hand ${cx} to ${service}, as a router does: for services made of services.
 * It is frozen if it was not.  On the loop's thread.
 * @since 0.1
 */
VOLO_API void volo_service_call(volo_service *service, volo_cx *cx);

/**
 * volo_service_freeze(service):
 * End the time in which ${service} can be changed, and prepare it to run on
 * many threads.  A server does this when it starts.
 *
 * Errors: VOLO_ENOMEM, VOLO_ELOOP, VOLO_EEXIST (routers nested in each other
 * have a parameter of one name).    @since 0.1
 */
VOLO_API int volo_service_freeze(volo_service *service);

/* ---- Layers from simpler functions ------------------------------------- */

/** volo_guard_fn: 1 to say yes to ${cx}, 0 to say no. */
typedef int (*volo_guard_fn)(volo_cx *cx, void *user);

/**
 * volo_layer: a layer as a value: what stock layers are made as, and what
 * volo_..._add_layer() functions take.  Shared.
 */
typedef struct volo_layer volo_layer;

/** volo_layer_new(out, fn, user, user_free): a layer from a function.
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_layer_new(volo_layer **out, volo_layer_fn fn, void *user,
                            volo_free_fn user_free);

/** volo_layer_map_request(out, fn, user, user_free): a layer that calls ${fn}
 * before the rest; if ${fn} has answered, the rest is not run.
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_layer_map_request(volo_layer **out, volo_service_fn fn,
                                    void *user, volo_free_fn user_free);

/** volo_layer_map_response(out, fn, user, user_free): a layer that calls
 * ${fn} with ${user} when the response comes back.
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_layer_map_response(volo_layer **out, volo_response_fn fn,
                                     void *user, volo_free_fn user_free);

/** volo_layer_when(out, guard, user, user_free, inner): ${inner}, of which a
 * reference is taken, where ${guard} says yes; else straight on.
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_layer_when(volo_layer **out, volo_guard_fn guard, void *user,
                             volo_free_fn user_free, volo_layer *inner);

/** volo_layer_ref(layer): take a reference; returns ${layer}.  Thread-safe.
 * @since 0.1 */
VOLO_API volo_layer *volo_layer_ref(volo_layer *layer);

/** volo_layer_unref(layer): give one back; NULL is ignored.  Thread-safe.
 * @since 0.1 */
VOLO_API void volo_layer_unref(volo_layer *layer);

/**
 * volo_layer_run(layer, cx, next):
 * Go on through ${layer} to ${next}: for layers made of layers.  ${layer} must
 * live as long as ${cx}.  On the loop's thread.
 * @since 0.1
 */
VOLO_API void volo_layer_run(volo_layer *layer, volo_cx *cx, volo_next *next);

/** volo_service_add_layer(service, layer): volo_service_layer() with a layer
 * made before, of which a reference is taken.  Errors: VOLO_EINVAL,
 * VOLO_ENOMEM, VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_service_add_layer(volo_service *service, volo_layer *layer);

#ifdef __cplusplus
}
#endif

#endif
