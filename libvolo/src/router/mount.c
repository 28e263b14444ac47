/* SPDX-License-Identifier: Apache-2.0 */
/* Routers and services inside a router: nest, group, merge, host. */
#include "router/router.h"

#include "base/alloc.h"

/* The prefix itself, with a slash behind it, and with anything behind it; of
 * no prefix, "/" and all below. */
static int
add_claims(volo_route *route)
{
    const struct volo__pattern *prefix = route->pattern;
    int err = 0;

    if (prefix->count > 0)
        route->claims[route->claim_count++] = route->pattern;
    err = volo__pattern_extend(&route->claims[route->claim_count], prefix,
                               VOLO__SEG_STATIC);
    if (err)
        return err;
    route->claim_count++;
    err = volo__pattern_extend(&route->claims[route->claim_count], prefix,
                               VOLO__SEG_REST);
    if (!err)
        route->claim_count++;
    return err;
}

/* A route of ${kind}, not yet in ${router}, with a reference to ${service}. */
static int
place_new(volo_route **out, volo_router *router, int kind, const char *prefix,
          volo_service *service)
{
    volo_route *route = volo__calloc(sizeof *route);
    const char *why = NULL;
    int err;

    if (!route)
        return VOLO_ENOMEM;
    route->router = router;
    route->kind = (uint8_t)kind;
    route->method = VOLO_ANY;
    route->service = volo_service_ref(service);
    route->inner = volo__router_of(service);
    err = volo__pattern_prefix(&route->pattern, volo_str_of(prefix), &why);
    if (err == VOLO_EINVAL)
        volo__router_fail(router, err, "\"%.150s\" %s", prefix, why);
    if (!err && kind != VOLO__JOIN)
        err = add_claims(route);
    if (err) {
        volo__route_free(route);
        return err;
    }
    *out = route;
    return 0;
}

static int
check_place(volo_route *route)
{
    volo_router *router = route->router, *inner = route->inner;
    int err = 0;

    if (inner && volo__router_contains(inner, router))
        return volo__router_fail(router, VOLO_ELOOP,
                                 "the router would contain itself");
    if (route->kind != VOLO__JOIN)
        err = volo__claim_check(route);
    if (!err && inner)
        err = volo__claim_params(router, route->pattern, inner);
    if (!err && inner)
        err = volo__claim_outer(router, inner);
    if (!err && inner)
        err = volo__claim_names(router, inner);
    return err;
}

int
volo_router_nest_service(volo_router *router, const char *prefix,
                         volo_service *service)
{
    volo_route *route;
    int kind, err = volo__router_change(router);

    if (err)
        return err;
    if (!service || !prefix)
        return volo__router_fail(router, VOLO_EINVAL,
                                 "there is no prefix or nothing to nest");
    kind = volo__router_of(service) ? VOLO__NEST : VOLO__MOUNT;
    err = place_new(&route, router, kind, prefix, service);
    if (err)
        return err;
    err = check_place(route);
    if (!err)
        err = volo__route_add(route);
    if (err)
        volo__route_free(route);
    return err;
}

int
volo_router_nest(volo_router *router, const char *prefix, volo_router *inner)
{
    return volo_router_nest_service(router, prefix,
                                    inner ? &inner->service : NULL);
}

int
volo_router_group(volo_router **out, volo_router *router, const char *prefix)
{
    volo_router *inner;
    volo_route *route;
    int joined, err = volo__router_change(router);

    if (err)
        return err;
    if (!prefix)
        return volo__router_fail(router, VOLO_EINVAL, "there is no prefix");
    err = volo_router_new(&inner);
    if (err)
        return err;
    joined = !*prefix || strcmp(prefix, "/") == 0;
    err = place_new(&route, router, joined ? VOLO__JOIN : VOLO__NEST, prefix,
                    &inner->service);
    volo_router_unref(inner);
    if (err)
        return err;
    err = check_place(route);
    if (!err)
        err = volo__route_add(route);
    if (err) {
        volo__route_free(route);
        return err;
    }
    inner->outer = router;
    inner->place = route;
    inner->joined = (uint8_t)joined;
    *out = inner;
    return 0;
}

/* ---- Merging ------------------------------------------------------------- */

volo_service *
volo__router_fallback_of(const volo_router *router, int member)
{
    volo_service *found = member ? router->method_fallback : router->fallback;
    unsigned i;

    for (i = 0; i < router->count && !found; i++)
        if (router->routes[i]->kind == VOLO__JOIN)
            found = volo__router_fallback_of(router->routes[i]->inner, member);
    return found;
}

static const struct volo__vhost *host_rival(const volo_router *router,
                                            const struct volo__vhost *host);

static int
check_hosts(volo_router *router, const volo_router *other)
{
    const struct volo__vhost *rival;
    unsigned i;
    int err = 0;

    for (i = 0; i < other->host_count; i++) {
        rival = host_rival(router, other->hosts[i]);
        if (rival)
            return volo__router_fail(router, VOLO_EEXIST,
                                     "\"%.150s\" conflicts with \"%.150s\"",
                                     other->hosts[i]->source, rival->source);
    }
    for (i = 0; i < other->count && !err; i++)
        if (other->routes[i]->kind == VOLO__JOIN)
            err = check_hosts(router, other->routes[i]->inner);
    return err;
}

static int
check_merge(volo_route *route)
{
    volo_router *router = route->router;
    int i, err = check_place(route);

    if (!err)
        err = volo__claim_merge(router, route->inner);
    if (!err)
        err = check_hosts(router, route->inner);
    for (i = 0; i < 2 && !err; i++)
        if (volo__router_fallback_of(router, i) &&
            volo__router_fallback_of(route->inner, i))
            err = volo__router_fail(router, VOLO_EEXIST,
                                    "both routers have a fallback");
    return err;
}

int
volo_router_merge(volo_router *router, volo_router *other)
{
    volo_route *route;
    int err = volo__router_change(router);

    if (err)
        return err;
    if (!other)
        return volo__router_fail(router, VOLO_EINVAL, "there is no router");
    err = place_new(&route, router, VOLO__JOIN, "", &other->service);
    if (err)
        return err;
    err = check_merge(route);
    if (!err)
        err = volo_service_freeze(&other->service);
    if (!err)
        err = volo__route_add(route);
    if (err)
        volo__route_free(route);
    return err;
}

/* ---- Hosts --------------------------------------------------------------- */

void
volo__vhost_free(struct volo__vhost *host)
{
    if (!host)
        return;
    volo_router_unref(host->inner);
    volo__free(host->param);
    volo__free(host->source);
    volo__free(host->text);
    volo__free(host);
}

/* In all that shares the paths of ${router}, down from here. */
static const struct volo__vhost *
host_rival(const volo_router *router, const struct volo__vhost *host)
{
    const struct volo__vhost *found = NULL;
    unsigned i;

    for (i = 0; i < router->host_count; i++)
        if (router->hosts[i]->kind == host->kind &&
            strcmp(router->hosts[i]->text, host->text) == 0)
            return router->hosts[i];
    for (i = 0; i < router->count && !found; i++)
        if (router->routes[i]->kind == VOLO__JOIN)
            found = host_rival(router->routes[i]->inner, host);
    return found;
}

static int
host_check(volo_router *router, const struct volo__vhost *host)
{
    const struct volo__vhost *rival = host_rival(router, host);
    int err = 0;

    if (rival)
        return volo__router_fail(router, VOLO_EEXIST,
                                 "\"%.150s\" conflicts with \"%.150s\"",
                                 host->source, rival->source);
    if (volo__router_contains(host->inner, router))
        return volo__router_fail(router, VOLO_ELOOP,
                                 "the router would contain itself");
    if (host->param)
        err = volo__claim_params(router, host->param, host->inner);
    if (!err)
        err = volo__claim_outer(router, host->inner);
    if (!err)
        err = volo__claim_names(router, host->inner);
    return err;
}

static int
host_add(volo_router *router, struct volo__vhost *host)
{
    struct volo__vhost **more;
    unsigned cap = router->host_cap ? 2 * router->host_cap : 4;

    if (router->host_count == router->host_cap) {
        more = volo__realloc(router->hosts, cap * sizeof *more);
        if (!more)
            return VOLO_ENOMEM;
        router->hosts = more;
        router->host_cap = cap;
    }
    router->hosts[router->host_count++] = host;
    return 0;
}

int
volo_router_host(volo_router *router, const char *host, volo_router *inner)
{
    struct volo__vhost *vhost;
    int err = volo__router_change(router);

    if (err)
        return err;
    if (!host || !inner)
        return volo__router_fail(router, VOLO_EINVAL,
                                 "there is no host or no router");
    if (router->joined)
        return volo__router_fail(router, VOLO_EINVAL,
                                 "a group without a prefix has no hosts");
    err = volo__vhost_new(&vhost, volo_str_of(host));
    if (err == VOLO_EINVAL)
        return volo__router_fail(router, err, "\"%.150s\" is no host", host);
    if (err)
        return err;
    vhost->inner = volo_router_ref(inner);
    err = host_check(router, vhost);
    if (!err)
        err = host_add(router, vhost);
    if (err)
        volo__vhost_free(vhost);
    return err;
}
