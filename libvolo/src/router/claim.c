/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may not be there twice: a path with a method, a parameter's name on
 * the way to a route, a route's name, a router in itself.
 */
#include "router/router.h"

static const volo_router *
space_of(const volo_router *router)
{
    while (router->joined)
        router = router->outer;
    return router;
}

static const char *
kind_words(const volo_route *route)
{
    return route->kind == VOLO__ROUTE ? volo__route_method(route) : "nested";
}

/* Both are claimed by routes that could not be told apart. */
static int
excludes(const volo_route *a, const struct volo__pattern *pa,
         const volo_route *b, const struct volo__pattern *pb)
{
    if (pa->hash != pb->hash || volo__pattern_compare(pa, pb) != 0)
        return 0;
    if (a->kind != VOLO__ROUTE || b->kind != VOLO__ROUTE ||
        !volo__pattern_same_names(pa, pb))
        return 1;
    if (a->method != b->method || b->guard_count > 0)
        return 0;
    return a->method != VOLO_OTHER ||
           strcmp(a->method_name, b->method_name) == 0;
}

static int
conflicts(const volo_route *a, const volo_route *b)
{
    unsigned i, k;

    for (i = 0; i < a->claim_count; i++)
        for (k = 0; k < b->claim_count; k++)
            if (excludes(a, a->claims[i], b, b->claims[k]))
                return 1;
    return 0;
}

/* The route in the space of ${router} that ${route} is in conflict with. */
static const volo_route *
rival(const volo_router *router, const volo_route *route)
{
    const volo_route *other;
    unsigned i;

    for (i = 0; i < router->count; i++) {
        other = router->routes[i];
        if (other->kind == VOLO__JOIN)
            other = rival(other->inner, route);
        else if (!conflicts(route, other))
            other = NULL;
        if (other)
            return other;
    }
    return NULL;
}

static const char *
text_of(const struct volo__pattern *pattern)
{
    return pattern->count > 0 ? pattern->source.ptr : "/";
}

static int
check_rival(volo_router *router, const volo_route *route)
{
    const volo_route *other = rival(space_of(router), route);

    if (!other)
        return 0;
    return volo__router_fail(
        router, VOLO_EEXIST, "\"%.150s\" conflicts with \"%.150s\" (%.40s)",
        text_of(route->pattern), text_of(other->pattern), kind_words(other));
}

static int
check_param(volo_router *router, const struct volo__pattern *prefix,
            const struct volo__pattern *pattern)
{
    volo_str name;

    if (!volo__pattern_shares_name(&name, prefix, pattern))
        return 0;
    return volo__router_fail(
        router, VOLO_EEXIST,
        "parameter \"%.*s\" of \"%.100s\" is in \"%.100s\" too",
        (int)(name.len < 60 ? name.len : 60), name.ptr, text_of(pattern),
        text_of(prefix));
}

int
volo__claim_params(volo_router *router, const struct volo__pattern *prefix,
                   const volo_router *inner)
{
    const volo_route *route;
    unsigned i;
    int err = 0;

    if (prefix->params == 0)
        return 0;
    for (i = 0; i < inner->count && !err; i++) {
        route = inner->routes[i];
        err = check_param(router, prefix, route->pattern);
        if (!err && route->inner)
            err = volo__claim_params(router, prefix, route->inner);
    }
    return err;
}

int
volo__claim_outer(volo_router *router, const volo_router *inner)
{
    const volo_router *at;
    int err = 0;

    for (at = router; at->outer && !err; at = at->outer)
        err = volo__claim_params(router, at->place->pattern, inner);
    return err;
}

int
volo__claim_check(const volo_route *route)
{
    const volo_router *at;
    int err = check_rival(route->router, route);

    for (at = route->router; at->outer && !err; at = at->outer)
        err = check_param(route->router, at->place->pattern, route->pattern);
    return err;
}

int
volo__claim_merge(volo_router *router, const volo_router *other)
{
    const volo_route *route;
    unsigned i;
    int err = 0;

    for (i = 0; i < other->count && !err; i++) {
        route = other->routes[i];
        err = route->kind == VOLO__JOIN
                  ? volo__claim_merge(router, route->inner)
                  : check_rival(router, route);
    }
    return err;
}

const volo_router *
volo__router_top(const volo_router *router)
{
    while (router->outer)
        router = router->outer;
    return router;
}

const volo_route *
volo__route_named(const volo_router *router, volo_str name)
{
    const volo_route *route, *found = NULL;
    unsigned i;

    for (i = 0; i < router->count && !found; i++) {
        route = router->routes[i];
        if (route->inner)
            found = volo__route_named(route->inner, name);
        else if (route->name && volo_str_eq(volo_str_of(route->name), name))
            found = route;
    }
    for (i = 0; i < router->host_count && !found; i++)
        found = volo__route_named(router->hosts[i]->inner, name);
    return found;
}

static int
check_name(volo_router *router, const volo_route *route)
{
    const volo_route *other;

    if (!route->name)
        return 0;
    other =
        volo__route_named(volo__router_top(router), volo_str_of(route->name));
    if (!other || other == route)
        return 0;
    return volo__router_fail(
        router, VOLO_EEXIST,
        "\"%.80s\" is the name of \"%.100s\" and of \"%.100s\"", route->name,
        text_of(route->pattern), text_of(other->pattern));
}

int
volo__claim_names(volo_router *router, const volo_router *inner)
{
    const volo_route *route;
    unsigned i;
    int err = 0;

    for (i = 0; i < inner->count && !err; i++) {
        route = inner->routes[i];
        err = route->inner ? volo__claim_names(router, route->inner)
                           : check_name(router, route);
    }
    for (i = 0; i < inner->host_count && !err; i++)
        err = volo__claim_names(router, inner->hosts[i]->inner);
    return err;
}

int
volo__router_contains(const volo_router *a, const volo_router *b)
{
    const volo_router *inner;
    unsigned i;

    if (a == b)
        return 1;
    for (i = 0; i < a->count; i++) {
        inner = volo__router_of(a->routes[i]->service);
        if (inner && volo__router_contains(inner, b))
            return 1;
    }
    for (i = 0; i < a->host_count; i++)
        if (volo__router_contains(a->hosts[i]->inner, b))
            return 1;
    return 0;
}
