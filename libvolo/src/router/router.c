/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router as an object: its life, its settings, and its place among the
 * services.  Knows nothing of patterns.
 */
#include "router/router.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "router/table.h"

static void
outer_ref(void *outer)
{
    volo_router_ref(outer);
}

static void
outer_unref(void *outer)
{
    volo_router_unref(outer);
}

static void
router_run(volo_cx *cx, void *user)
{
    volo__table_run(cx, ((volo_router *)user)->table);
}

/* Everything inside first: a service that is frozen does not change while its
 * chain is copied. */
static int
freeze_inside(volo_router *router)
{
    unsigned i;
    int err = 0;

    for (i = 0; i < router->count && !err; i++)
        err = volo_service_freeze(router->routes[i]->service);
    for (i = 0; i < router->host_count && !err; i++)
        err = volo_service_freeze(&router->hosts[i]->inner->service);
    if (!err && router->fallback)
        err = volo_service_freeze(router->fallback);
    if (!err && router->method_fallback)
        err = volo_service_freeze(router->method_fallback);
    return err;
}

/* Routes may have come to a nested router since it was nested. */
static int
check_inside(volo_router *router)
{
    const volo_route *route;
    unsigned i;
    int err = 0;

    for (i = 0; i < router->count && !err; i++) {
        route = router->routes[i];
        if (route->inner)
            err = volo__claim_params(router, route->pattern, route->inner);
    }
    return err;
}

static int
router_freeze(volo_service *service)
{
    static const struct volo__inherit outermost = {
        .slash = VOLO_SLASH_STRICT, .clean = 0, .auto_options = 1};
    volo_router *router = service->user;
    struct volo__table *table = NULL;
    int err;

    err = freeze_inside(router);
    if (!err)
        err = check_inside(router);
    if (!err)
        err = volo__table_new(&table, router, &outermost);
    if (err)
        return err;
    volo__table_free(router->table);
    router->table = table;
    return 0;
}

int
volo_router_new(volo_router **out)
{
    volo_router *router = volo__calloc(sizeof *router);

    if (!router)
        return VOLO_ENOMEM;
    atomic_init(&router->refs, 1);
    volo__service_init(&router->service, router_run, router);
    router->service.freeze = router_freeze;
    router->service.outer = router;
    router->service.outer_ref = outer_ref;
    router->service.outer_unref = outer_unref;
    router->slash = router->clean = router->auto_options = -1;
    *out = router;
    return 0;
}

volo_router *
volo_router_ref(volo_router *router)
{
    atomic_fetch_add_explicit(&router->refs, 1, memory_order_relaxed);
    return router;
}

static void
router_free(volo_router *router)
{
    unsigned i;

    volo__table_free(router->table);
    for (i = 0; i < router->count; i++)
        volo__route_free(router->routes[i]);
    for (i = 0; i < router->host_count; i++)
        volo__vhost_free(router->hosts[i]);
    volo__free(router->routes);
    volo__free(router->hosts);
    volo_service_unref(router->fallback);
    volo_service_unref(router->method_fallback);
    volo__service_fini(&router->service);
    volo__states_free(&router->states);
    volo__free(router);
}

void
volo_router_unref(volo_router *router)
{
    if (router &&
        atomic_fetch_sub_explicit(&router->refs, 1, memory_order_acq_rel) == 1)
        router_free(router);
}

volo_service *
volo_router_service(volo_router *router)
{
    return &router->service;
}

volo_router *
volo__router_of(volo_service *service)
{
    return service->fn == router_run ? service->user : NULL;
}

int
volo__router_fail(volo_router *router, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(router->error, sizeof router->error, format, args);
    va_end(args);
    return err;
}

int
volo__router_change(volo_router *router)
{
    router->error[0] = 0;
    if (router->service.frozen)
        return volo__router_fail(router, VOLO_EBUSY, "the router is frozen");
    return 0;
}

const char *
volo_router_error(const volo_router *router)
{
    return router->error;
}

/* ---- Settings ------------------------------------------------------------ */

int
volo_router_layer(volo_router *router, volo_layer_fn fn, void *user,
                  volo_free_fn user_free)
{
    return volo_service_layer(&router->service, fn, user, user_free);
}

int
volo_router_add_layer(volo_router *router, volo_layer *layer)
{
    return volo_service_add_layer(&router->service, layer);
}

/* The layer that a router with state has, outside all others. */
static void
enter(volo_cx *cx, volo_next *next, void *user)
{
    if (volo__cx_push_scope(cx, ((volo_router *)user)->states))
        volo__cx_fail(cx, 503);
    else
        volo_next_run(next, cx, NULL, NULL);
}

static int
add_enter(volo_router *router)
{
    struct volo__layers *layers = &router->service.layers;
    volo_layer *layer;
    int err = volo_layer_new(&layer, enter, router, NULL);

    if (err)
        return err;
    err = volo__layers_add(layers, layer);
    volo_layer_unref(layer);
    if (err)
        return err;
    memmove(layers->v + 1, layers->v, (layers->count - 1) * sizeof *layers->v);
    layers->v[0] = layer;
    return 0;
}

int
volo_router_set_state(volo_router *router, const void *key, void *value,
                      volo_free_fn value_free)
{
    int first = !router->states, err = volo__router_change(router);

    if (err) {
        if (value_free)
            value_free(value);
        return err;
    }
    err = volo__states_add(&router->states, key, value, value_free);
    if (!err && first) {
        err = add_enter(router);
        if (err)
            volo__states_free(&router->states);
    }
    return err;
}

/* What is about paths that are not found belongs to whose paths they are. */
static int
change_own(volo_router *router)
{
    int err = volo__router_change(router);

    if (!err && router->joined)
        err = volo__router_fail(router, VOLO_EINVAL,
                                "a group without a prefix has no paths of its "
                                "own");
    return err;
}

static int
set_fallback(volo_router *router, volo_service *service, int member)
{
    int err = change_own(router);

    if (!err && !service)
        err = volo__router_fail(router, VOLO_EINVAL, "there is no service");
    if (!err && volo__router_fallback_of(router, member))
        err = volo__router_fail(router, VOLO_EEXIST,
                                "there is a fallback already");
    if (err)
        return err;
    volo_service_ref(service);
    if (member)
        router->method_fallback = service;
    else
        router->fallback = service;
    return 0;
}

int
volo_router_fallback(volo_router *router, volo_service *service)
{
    return set_fallback(router, service, 0);
}

int
volo_router_method_fallback(volo_router *router, volo_service *service)
{
    return set_fallback(router, service, 1);
}

int
volo_router_set_slash(volo_router *router, int slash)
{
    int err = change_own(router);

    if (!err && (slash < VOLO_SLASH_STRICT || slash > VOLO_SLASH_IGNORE))
        err = volo__router_fail(router, VOLO_EINVAL, "%d is no volo_slash",
                                slash);
    if (!err)
        router->slash = (int8_t)slash;
    return err;
}

int
volo_router_set_clean(volo_router *router, int on)
{
    int err = change_own(router);

    if (!err)
        router->clean = on != 0;
    return err;
}

int
volo_router_set_auto_options(volo_router *router, int on)
{
    int err = change_own(router);

    if (!err)
        router->auto_options = on != 0;
    return err;
}
