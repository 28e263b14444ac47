/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns to services.
 *
 *   /users            itself
 *   /users/{id}       one segment, not empty
 *   /img-{id}.png     part of a segment, one parameter per segment
 *   /files/{*rest}    the rest, not empty, slashes included; last
 *   {{ and }}         a brace
 *
 * Static wins over affixed (the longer text in front first, then the longer
 * one behind), affixed over plain, plain over catch-all, segment by segment,
 * and the search goes back if that leads nowhere.  Its work is bounded by the
 * size of the patterns, whatever the path.  Matching is on percent-decoded
 * segments; an encoded slash never splits one.
 *
 * The most specific pattern that matches decides; only then comes the method.
 * HEAD is answered by GET's service unless it has its own, OPTIONS by the
 * router, an unknown method by 405 with Allow, an unknown path by 404.
 *
 * A pattern has at most 128 segments and 32 parameters, each of another name,
 * also across the prefixes that it is nested below.
 *
 * A router is a service.  It is built before it is served, then frozen.
 */
#ifndef VOLO_ROUTER_H
#define VOLO_ROUTER_H

#include <volo/nest.h>
#include <volo/route.h>
#include <volo/service.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_router_new(out): an empty router; the caller's to unref.
 * Errors: VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_router_new(volo_router **out);

/** volo_router_ref(router): take a reference; returns ${router}.
 * Thread-safe.    @since 0.1 */
VOLO_API volo_router *volo_router_ref(volo_router *router);

/** volo_router_unref(router): give one back; NULL is ignored.  Thread-safe.
 * @since 0.1 */
VOLO_API void volo_router_unref(volo_router *router);

/** volo_router_service(router): ${router} as a service, borrowed from it;
 * volo_service_ref() of it keeps the router alive too.    @since 0.1 */
VOLO_API volo_service *volo_router_service(volo_router *router);

/**
 * volo_router_handle(router, method, pattern, fn, user, user_free):
 * Answer ${method} (VOLO_GET, ..., VOLO_ANY for those that have no route of
 * their own on the pattern) on ${pattern} with ${fn}.
 *
 * Patterns that differ only in the names of their parameters conflict,
 * whatever the methods.
 *
 * Errors: VOLO_EINVAL (malformed pattern), VOLO_EEXIST (conflict), VOLO_EBUSY
 * (frozen), VOLO_ENOMEM; volo_router_error() has the words.    @since 0.1
 */
VOLO_API int volo_router_handle(volo_router *router, int method,
                                const char *pattern, volo_service_fn fn,
                                void *user, volo_free_fn user_free);

/** volo_router_get(router, pattern, fn, user): volo_router_handle() for GET,
 * without a free function.  Errors: as that.    @since 0.1 */
VOLO_API int volo_router_get(volo_router *router, const char *pattern,
                             volo_service_fn fn, void *user);

/** volo_router_post(router, pattern, fn, user): the same for POST.
 * Errors: as volo_router_handle().    @since 0.1 */
VOLO_API int volo_router_post(volo_router *router, const char *pattern,
                              volo_service_fn fn, void *user);

/** volo_router_put(router, pattern, fn, user): the same for PUT.
 * Errors: as volo_router_handle().    @since 0.1 */
VOLO_API int volo_router_put(volo_router *router, const char *pattern,
                             volo_service_fn fn, void *user);

/** volo_router_delete(router, pattern, fn, user): the same for DELETE.
 * Errors: as volo_router_handle().    @since 0.1 */
VOLO_API int volo_router_delete(volo_router *router, const char *pattern,
                                volo_service_fn fn, void *user);

/** volo_router_any(router, pattern, fn, user): the same for VOLO_ANY.
 * Errors: as volo_router_handle().    @since 0.1 */
VOLO_API int volo_router_any(volo_router *router, const char *pattern,
                             volo_service_fn fn, void *user);

/**
 * volo_router_route(out, router, method, pattern, service):
 * The general form: ${method} is a name of any kind ("GET", "PURGE"; NULL for
 * any), ${service} any service, of which a reference is taken.  ${out} (may
 * be NULL) gets the route, borrowed from ${router}, to adorn further.
 *
 * Errors: as volo_router_handle(), VOLO_ELOOP.    @since 0.1
 */
VOLO_API int volo_router_route(volo_route **out, volo_router *router,
                               const char *method, const char *pattern,
                               volo_service *service);

/** volo_router_layer(router, fn, user, user_free): wrap everything in
 * ${router}, the 404 and 405 included.  Errors: VOLO_EINVAL, VOLO_ENOMEM,
 * VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_router_layer(volo_router *router, volo_layer_fn fn,
                               void *user, volo_free_fn user_free);

/** volo_router_add_layer(router, layer): the same with a layer made before,
 * of which a reference is taken.  Errors: as that.    @since 0.1 */
VOLO_API int volo_router_add_layer(volo_router *router, volo_layer *layer);

/** volo_router_set_state(router, key, value, value_free): what volo_cx_ext()
 * finds under ${key} inside ${router}.  ${value_free} is called when the
 * router dies, also when this call fails.  Errors: VOLO_ENOMEM, VOLO_EBUSY.
 * @since 0.1 */
VOLO_API int volo_router_set_state(volo_router *router, const void *key,
                                   void *value, volo_free_fn value_free);

/** volo_router_fallback(router, service): answer unknown paths with
 * ${service}, of which a reference is taken, instead of 404.  Errors:
 * VOLO_EINVAL, VOLO_EEXIST (set already), VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_router_fallback(volo_router *router, volo_service *service);

/** volo_router_method_fallback(router, service): the same for methods that a
 * path does not have, instead of 405; Allow is set already.  Errors: as
 * volo_router_fallback().    @since 0.1 */
VOLO_API int volo_router_method_fallback(volo_router *router,
                                         volo_service *service);

/** What volo_router_set_slash() takes. */
enum volo_slash {
    VOLO_SLASH_STRICT = 0,   /* "/a" and "/a/" are two paths */
    VOLO_SLASH_REDIRECT = 1, /* 308 to the one that exists */
    VOLO_SLASH_IGNORE = 2    /* both mean the same */
};

/** volo_router_set_slash(router, slash): what a trailing slash means, here and
 * in nested routers that do not say otherwise; strict by default.
 * Errors: VOLO_EINVAL, VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_router_set_slash(volo_router *router, int slash);

/** volo_router_set_clean(router, on): redirect (308) paths with "//", "/./"
 * or "/../" to their clean form if that one exists, here and in nested routers
 * that do not say otherwise; off by default.  Errors: VOLO_EINVAL,
 * VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_router_set_clean(volo_router *router, int on);

/** volo_router_set_auto_options(router, on): whether OPTIONS is answered by
 * the router (204 with Allow) where no route does, here and in nested routers
 * that do not say otherwise; on by default.  Errors: VOLO_EINVAL,
 * VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_router_set_auto_options(volo_router *router, int on);

/** volo_router_error(router): what was wrong with the last call that failed,
 * in words that name both patterns of a conflict; "" if nothing.  Borrowed
 * until the next call.    @since 0.1 */
VOLO_API const char *volo_router_error(const volo_router *router);

#ifdef __cplusplus
}
#endif

#endif
