/* SPDX-License-Identifier: Apache-2.0 */
/* Routers inside routers: by prefix, as groups, by host; and merged ones. */
#ifndef VOLO_NEST_H
#define VOLO_NEST_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_router_nest(router, prefix, inner):
 * Let ${inner} answer all below ${prefix} (parameters allowed, no catch-all,
 * no slash at the end; "/" or "" for all that ${router} has no route for): the
 * prefix itself, with or without a slash, which it sees as "/", and what
 * follows.  It sees the path without the prefix; its parameters come after
 * the prefix's; its fallbacks and what it was not told with a set function
 * are ${router}'s.  A route of ${router} below ${prefix} that is more specific
 * than "anything" goes before it.  A reference is taken.
 *
 * Errors: as volo_router_handle(), VOLO_ELOOP.  A parameter of ${prefix} that
 * a route added to ${inner} later has too is found out by
 * volo_service_freeze(), which returns VOLO_EEXIST.    @since 0.1
 */
VOLO_API int volo_router_nest(volo_router *router, const char *prefix,
                              volo_router *inner);

/** volo_router_nest_service(router, prefix, service): the same for any
 * service.  Errors: as volo_router_nest().    @since 0.1 */
VOLO_API int volo_router_nest_service(volo_router *router, const char *prefix,
                                      volo_service *service);

/**
 * volo_router_group(out, router, prefix):
 * A router nested in ${router} at ${prefix} ("" or "/" for none: then it
 * shares the paths of ${router}), borrowed from it: routes with layers of
 * their own.  One without a prefix has no fallback, host or rule for slashes
 * (VOLO_EINVAL): what is not found is not found in ${router}.
 *
 * Errors: as volo_router_nest().    @since 0.1
 */
VOLO_API int volo_router_group(volo_router **out, volo_router *router,
                               const char *prefix);

/**
 * volo_router_merge(router, other):
 * Take over the routes, nests, hosts and names of ${other}, with its layers
 * around each of them and its state; its fallbacks too if ${router} has none.
 * ${other} is frozen.
 *
 * Errors: as volo_router_handle() (then both are unchanged), VOLO_EEXIST
 * (both have a fallback), VOLO_ELOOP.    @since 0.1
 */
VOLO_API int volo_router_merge(volo_router *router, volo_router *other);

/**
 * volo_router_host(router, host, inner):
 * Let ${inner} answer requests for ${host}: "api.example.com",
 * "*.example.com" (any one or more labels), or "{tenant}.example.com" (one
 * label, a path parameter).  Case and port do not count; exact before
 * parameter before wildcard; other hosts go to ${router}'s own routes.  A
 * reference is taken.
 *
 * Errors: as volo_router_nest().    @since 0.1
 */
VOLO_API int volo_router_host(volo_router *router, const char *host,
                              volo_router *inner);

#ifdef __cplusplus
}
#endif

#endif
