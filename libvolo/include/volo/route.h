/* SPDX-License-Identifier: Apache-2.0 */
/* One route of a router: its layers, its name, its guard; and all of them. */
#ifndef VOLO_ROUTE_H
#define VOLO_ROUTE_H

#include <volo/service.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_route_layer(route, layer): wrap this one route, inside its router's
 * layers.  Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_route_layer(volo_route *route, volo_layer *layer);

/** volo_route_name(route, name): name it, for volo_router_url().  Errors:
 * VOLO_EINVAL (empty), VOLO_EEXIST, VOLO_ENOMEM, VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_route_name(volo_route *route, const char *name);

/**
 * volo_route_guard(route, fn, user, user_free):
 * Take the route only if ${fn}, which can read the parameters, says yes; else
 * the search goes on as if it were not there.  Routes with guards may share
 * method and pattern; they are tried in order of registration.  One without a
 * guard comes last, and is registered last.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_EBUSY.    @since 0.1
 */
VOLO_API int volo_route_guard(volo_route *route, volo_guard_fn fn, void *user,
                              volo_free_fn user_free);

/**
 * volo_router_url(out, router, name, params, count):
 * Build the path of the route named ${name}, also in nested routers, from
 * ${count} pairs name, value in ${params}, percent-encoded as needed.  It never
 * leads to another host.  ${out} is the caller's to volo_free().
 *
 * Errors: VOLO_ENOENT, VOLO_EMISSING (a parameter), VOLO_EINVAL (an empty
 * one, "." or "..", which clients take away), VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_router_url(char **out, const volo_router *router,
                             const char *name, const volo_str *params,
                             size_t count);

/** volo_route_info_fn: told of one route; all strings valid during the call,
 * ${name} absent if it has none, ${method} "*" for any. */
typedef void (*volo_route_info_fn)(volo_str method, volo_str pattern,
                                   volo_str name, void *user);

/** volo_router_each(router, fn, user): tell ${fn} of every route, nested ones
 * with their prefixes, in order of registration; those of hosts last.  Where
 * memory runs out one is left out.    @since 0.1 */
VOLO_API void volo_router_each(const volo_router *router, volo_route_info_fn fn,
                               void *user);

#ifdef __cplusplus
}
#endif

#endif
