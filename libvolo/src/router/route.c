/* SPDX-License-Identifier: Apache-2.0 */
/* Routes while they are registered and adorned.  Knows nothing of matching. */
#include "router/router.h"

#include "base/alloc.h"
#include "base/str.h"

void
volo__route_free(volo_route *route)
{
    unsigned i;

    if (!route)
        return;
    if (route->inner && route->inner->place == route) {
        /* A group that somebody else keeps alive stands alone now. */
        route->inner->outer = NULL;
        route->inner->place = NULL;
        route->inner->joined = 0;
    }
    for (i = 0; i < route->guard_count; i++)
        if (route->guards[i].user_free)
            route->guards[i].user_free(route->guards[i].user);
    for (i = 0; i < route->claim_count; i++)
        if (route->claims[i] != route->pattern)
            volo__free(route->claims[i]);
    volo__layers_clear(&route->layers);
    volo_service_unref(route->service);
    volo__free(route->guards);
    volo__free(route->method_name);
    volo__free(route->name);
    volo__free(route->pattern);
    volo__free(route);
}

const char *
volo__route_method(const volo_route *route)
{
    if (route->method == VOLO_OTHER)
        return route->method_name;
    return route->method == VOLO_ANY ? "*" : volo_method_name(route->method);
}

int
volo__route_add(volo_route *route)
{
    volo_router *router = route->router;
    volo_route **more;
    unsigned cap;

    if (router->count == router->cap) {
        cap = router->cap ? 2 * router->cap : 8;
        more = volo__realloc(router->routes, cap * sizeof(volo_route *));
        if (!more)
            return VOLO_ENOMEM;
        router->routes = more;
        router->cap = cap;
    }
    router->routes[router->count++] = route;
    return 0;
}

static int
set_method(volo_route *route, const char *method)
{
    volo_str name = volo_str_of(method);

    if (!method)
        return 0;
    if (!volo__is_token(name))
        return volo__router_fail(route->router, VOLO_EINVAL,
                                 "\"%.100s\" is no method", method);
    route->method = (uint8_t)volo_method_of(name.ptr, name.len);
    if (route->method != VOLO_OTHER)
        return 0;
    route->method_name = volo__strndup(name.ptr, name.len);
    return route->method_name ? 0 : VOLO_ENOMEM;
}

static int
set_pattern(volo_route *route, const char *pattern)
{
    const char *why = NULL;
    int err;

    err = volo__pattern_new(&route->pattern, volo_str_of(pattern), &why);
    if (err == VOLO_EINVAL)
        return volo__router_fail(route->router, err, "\"%.150s\" %s",
                                 pattern ? pattern : "", why);
    if (err)
        return err;
    route->claims[0] = route->pattern;
    route->claim_count = 1;
    return 0;
}

int
volo_router_route(volo_route **out, volo_router *router, const char *method,
                  const char *pattern, volo_service *service)
{
    volo_router *inner = service ? volo__router_of(service) : NULL;
    volo_route *route;
    int err = volo__router_change(router);

    if (err)
        return err;
    if (!service)
        return volo__router_fail(router, VOLO_EINVAL, "there is no service");
    if (inner && volo__router_contains(inner, router))
        return volo__router_fail(router, VOLO_ELOOP,
                                 "the router would contain itself");
    route = volo__calloc(sizeof *route);
    if (!route)
        return VOLO_ENOMEM;
    route->router = router;
    route->kind = VOLO__ROUTE;
    route->service = volo_service_ref(service);
    err = set_method(route, method);
    if (!err)
        err = set_pattern(route, pattern);
    if (!err)
        err = volo__claim_check(route);
    if (!err)
        err = volo__route_add(route);
    if (err) {
        volo__route_free(route);
        return err;
    }
    if (out)
        *out = route;
    return 0;
}

int
volo_router_handle(volo_router *router, int method, const char *pattern,
                   volo_service_fn fn, void *user, volo_free_fn user_free)
{
    const char *name = method == VOLO_ANY ? NULL : volo_method_name(method);
    volo_service *service;
    int err;

    err = volo_service_new(&service, fn, user, user_free);
    if (err == VOLO_EINVAL)
        return volo__router_fail(router, err, "there is no function");
    if (err)
        return err;
    err = volo_router_route(NULL, router, name, pattern, service);
    volo_service_unref(service);
    return err;
}

int
volo_router_get(volo_router *router, const char *pattern, volo_service_fn fn,
                void *user)
{
    return volo_router_handle(router, VOLO_GET, pattern, fn, user, NULL);
}

int
volo_router_post(volo_router *router, const char *pattern, volo_service_fn fn,
                 void *user)
{
    return volo_router_handle(router, VOLO_POST, pattern, fn, user, NULL);
}

int
volo_router_put(volo_router *router, const char *pattern, volo_service_fn fn,
                void *user)
{
    return volo_router_handle(router, VOLO_PUT, pattern, fn, user, NULL);
}

int
volo_router_delete(volo_router *router, const char *pattern, volo_service_fn fn,
                   void *user)
{
    return volo_router_handle(router, VOLO_DELETE, pattern, fn, user, NULL);
}

int
volo_router_any(volo_router *router, const char *pattern, volo_service_fn fn,
                void *user)
{
    return volo_router_handle(router, VOLO_ANY, pattern, fn, user, NULL);
}

/* ---- Adornments ---------------------------------------------------------- */

int
volo_route_layer(volo_route *route, volo_layer *layer)
{
    int err = volo__router_change(route->router);

    if (err)
        return err;
    if (!layer)
        return volo__router_fail(route->router, VOLO_EINVAL,
                                 "there is no layer");
    return volo__layers_add(&route->layers, layer);
}

int
volo_route_name(volo_route *route, const char *name)
{
    volo_router *router = route->router;
    const volo_route *other;
    char *copy;
    int err = volo__router_change(router);

    if (err)
        return err;
    if (!name || !*name)
        return volo__router_fail(router, VOLO_EINVAL, "the name is empty");
    other = volo__route_named(volo__router_top(router), volo_str_of(name));
    if (other && other != route)
        return volo__router_fail(router, VOLO_EEXIST,
                                 "\"%.100s\" is the name of \"%.100s\" already",
                                 name, other->pattern->source.ptr);
    copy = volo__strndup(name, strlen(name));
    if (!copy)
        return VOLO_ENOMEM;
    volo__free(route->name);
    route->name = copy;
    return 0;
}

static int
guard_room(volo_route *route)
{
    struct volo__guard *more;
    unsigned cap = route->guard_cap ? 2u * route->guard_cap : 2;

    if (route->guard_count < route->guard_cap)
        return 0;
    if (cap > UINT8_MAX)
        return volo__router_fail(route->router, VOLO_EINVAL,
                                 "the route has too many guards");
    more = volo__realloc(route->guards, cap * sizeof *more);
    if (!more)
        return VOLO_ENOMEM;
    route->guards = more;
    route->guard_cap = (uint8_t)cap;
    return 0;
}

int
volo_route_guard(volo_route *route, volo_guard_fn fn, void *user,
                 volo_free_fn user_free)
{
    int err = volo__router_change(route->router);

    if (!err && !fn)
        err =
            volo__router_fail(route->router, VOLO_EINVAL, "there is no guard");
    if (!err)
        err = guard_room(route);
    if (err) {
        if (user_free)
            user_free(user);
        return err;
    }
    route->guards[route->guard_count++] =
        (struct volo__guard){fn, user, user_free};
    return 0;
}
