/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a router that was built to the table that is run.  All services in it
 * are frozen by now: their layers are copied into the chains.
 */
#include "router/table.h"

#include "base/alloc.h"

/* The layers of joined routers, innermost first; lives on the stack. */
struct frame {
    const struct frame *outer;
    const struct volo__layers *layers;
    unsigned depth;
};

struct compiler {
    struct volo__table *table;
    struct volo__inherit child; /* for what is nested; with this prefix */
    struct volo__tree_item *items;
    uint32_t item_count;
    uint32_t endpoint_count;
    uint32_t host_count;
};

static struct frame
frame_of(const volo_route *route, const struct frame *outer)
{
    struct frame frame = {outer, &route->service->layers,
                          outer ? outer->depth + 1 : 1};

    return frame;
}

/* ${first} and ${second} within those of ${frame}; the table owns it. */
static int
chain_new(struct volo_next **out, struct volo__table *table,
          const struct frame *frame, const struct volo__layers *inner[2],
          volo_service_fn fn, void *user)
{
    unsigned depth = frame ? frame->depth : 0;
    const struct volo__layers **lists;
    struct volo__owned *owned;
    int err;

    owned = volo__arena_alloc(&table->arena, sizeof *owned);
    lists = volo__arena_alloc(&table->arena, (depth + 2) * sizeof *lists);
    if (!owned || !lists)
        return VOLO_ENOMEM;
    lists[depth] = inner[0];
    lists[depth + 1] = inner[1];
    for (; frame; frame = frame->outer)
        lists[frame->depth - 1] = frame->layers;
    err =
        volo__chain_new(out, lists, inner[1] ? depth + 2 : depth + 1, fn, user);
    if (err)
        return err;
    owned->chain = *out;
    owned->table = NULL;
    owned->next = table->owned;
    table->owned = owned;
    return 0;
}

static int
service_chain(struct volo_next **out, struct volo__table *table,
              const struct frame *frame, const volo_service *service)
{
    const struct volo__layers *inner[2] = {&service->layers, NULL};

    return chain_new(out, table, frame, inner, service->fn, service->user);
}

/* The table of a nested router, and its chain within ${frame}. */
static int
table_chain(struct volo_next **out, struct volo__table **inner,
            struct volo__table *table, const struct frame *frame,
            const volo_router *router, const struct volo__inherit *from)
{
    const struct volo__layers *lists[2] = {&router->service.layers, NULL};
    struct volo__owned *owned;
    int err;

    owned = volo__arena_alloc(&table->arena, sizeof *owned);
    if (!owned)
        return VOLO_ENOMEM;
    err = volo__table_new(inner, router, from);
    if (err)
        return err;
    owned->chain = NULL;
    owned->table = *inner;
    owned->next = table->owned;
    table->owned = owned;
    return chain_new(out, table, frame, lists, volo__table_run, *inner);
}

static int
concat(volo_str *out, struct volo__table *table, volo_str a, volo_str b)
{
    char *both;

    if (a.len == 0 || b.len == 0) {
        *out = a.len == 0 ? b : a;
        return 0;
    }
    both = volo__arena_bytes(&table->arena, a.len + b.len);
    if (!both)
        return VOLO_ENOMEM;
    memcpy(both, a.ptr, a.len);
    memcpy(both + a.len, b.ptr, b.len);
    *out = volo_str_make(both, a.len + b.len);
    return 0;
}

/* A nested router's "/" is its prefix. */
static int
full_pattern(volo_str *out, const struct compiler *c, const volo_route *route)
{
    volo_str source = route->pattern->source;

    if (c->child.prefix.len > 0 && volo_str_eq(source, VOLO_STR("/")))
        source.len = 0;
    if (c->child.prefix.len == 0 && source.len == 0)
        source = VOLO_STR("/");
    return concat(out, c->table, c->child.prefix, source);
}

/* ---- Endpoints ----------------------------------------------------------- */

static int
compile_route(struct compiler *c, struct volo__endpoint *endpoint,
              const volo_route *route, const struct frame *frame)
{
    const struct volo__layers *inner[2] = {&route->layers,
                                           &route->service->layers};
    int err;

    err = chain_new(&endpoint->chain, c->table, frame, inner,
                    route->service->fn, route->service->user);
    return err ? err : full_pattern(&endpoint->pattern, c, route);
}

static int
compile_place(struct compiler *c, struct volo__endpoint *endpoint,
              const volo_route *route, const struct frame *frame)
{
    const struct volo__layers *none[2] = {&route->layers, NULL};
    struct volo__inherit child = c->child;
    struct volo__place *place;
    int err;

    place = volo__arena_alloc(&c->table->arena, sizeof *place);
    if (!place)
        return VOLO_ENOMEM;
    endpoint->place = place;
    place->table = NULL;
    place->segs = route->pattern->count;
    child.nested = child.nested || place->segs > 0;
    err = concat(&child.prefix, c->table, c->child.prefix,
                 route->pattern->source);
    if (err)
        return err;
    if (route->inner) {
        err = table_chain(&place->chain, &place->table, c->table, NULL,
                          route->inner, &child);
    } else {
        err = service_chain(&place->chain, c->table, NULL, route->service);
        if (!err)
            err = full_pattern(&endpoint->pattern, c, route);
    }
    return err ? err
               : chain_new(&endpoint->chain, c->table, frame, none,
                           volo__place_run, place);
}

static void
add_items(struct compiler *c, struct volo__endpoint *endpoint)
{
    unsigned i;

    for (i = 0; i < endpoint->route->claim_count; i++) {
        c->items[c->item_count].pattern = endpoint->route->claims[i];
        c->items[c->item_count].order = c->item_count;
        c->items[c->item_count].user = endpoint;
        c->item_count++;
    }
}

/* All routes that share the paths of ${router}. */
static int
compile_routes(struct compiler *c, const volo_router *router,
               const struct frame *frame)
{
    struct volo__endpoint *endpoint;
    const volo_route *route;
    struct frame joined;
    unsigned i;
    int err = 0;

    for (i = 0; i < router->count && !err; i++) {
        route = router->routes[i];
        if (route->kind == VOLO__JOIN) {
            joined = frame_of(route, frame);
            err = compile_routes(c, route->inner, &joined);
            continue;
        }
        endpoint = &c->table->endpoints[c->table->endpoint_count++];
        memset(endpoint, 0, sizeof *endpoint);
        endpoint->route = route;
        err = route->kind == VOLO__ROUTE
                  ? compile_route(c, endpoint, route, frame)
                  : compile_place(c, endpoint, route, frame);
        add_items(c, endpoint);
    }
    return err;
}

static int
compile_leaves(struct compiler *c)
{
    struct volo__table *table = c->table;
    uint32_t lo, hi, i = 0;
    int err = 0;

    table->leaves = volo__arena_alloc(
        &table->arena, (table->tree.leaf_count + 1) * sizeof *table->leaves);
    if (!table->leaves)
        return VOLO_ENOMEM;
    for (lo = 0; lo < c->item_count && !err; lo = hi, i++) {
        hi = lo + 1;
        while (hi < c->item_count && c->items[hi].leaf == c->items[lo].leaf)
            hi++;
        err = volo__leaf_make(table, &table->leaves[c->items[lo].leaf],
                              c->items + lo, hi - lo);
    }
    return err;
}

/* ---- Fallbacks and hosts ------------------------------------------------- */

/* Its own, or that of the first one joined which has one, in its layers. */
static int
compile_fallback(struct volo_next **out, struct volo__table *table,
                 const volo_router *router, int member,
                 const struct frame *frame)
{
    const volo_service *own =
        member ? router->method_fallback : router->fallback;
    const volo_route *route;
    struct frame joined;
    unsigned i;

    if (own)
        return service_chain(out, table, frame, own);
    for (i = 0; i < router->count; i++) {
        route = router->routes[i];
        if (route->kind != VOLO__JOIN ||
            !volo__router_fallback_of(route->inner, member))
            continue;
        joined = frame_of(route, frame);
        return compile_fallback(out, table, route->inner, member, &joined);
    }
    return 0;
}

static int
compile_host(struct compiler *c, const struct volo__vhost *host,
             const struct frame *frame)
{
    struct volo__table_host *entry = &c->table->hosts[c->table->host_count];

    memset(entry, 0, sizeof *entry);
    entry->host = host;
    if (host->param)
        entry->name = host->param->segs[0].name;
    c->table->host_count++;
    return table_chain(&entry->chain, &entry->table, c->table, frame,
                       host->inner, &c->child);
}

static int
compile_hosts(struct compiler *c, const volo_router *router,
              const struct frame *frame)
{
    struct frame joined;
    unsigned i;
    int err = 0;

    for (i = 0; i < router->host_count && !err; i++)
        err = compile_host(c, router->hosts[i], frame);
    for (i = 0; i < router->count && !err; i++) {
        if (router->routes[i]->kind != VOLO__JOIN)
            continue;
        joined = frame_of(router->routes[i], frame);
        err = compile_hosts(c, router->routes[i]->inner, &joined);
    }
    return err;
}

/* ---- The table ----------------------------------------------------------- */

static void
count_all(struct compiler *c, const volo_router *router)
{
    unsigned i;

    c->host_count += router->host_count;
    for (i = 0; i < router->count; i++) {
        if (router->routes[i]->kind == VOLO__JOIN) {
            count_all(c, router->routes[i]->inner);
        } else {
            c->endpoint_count++;
            c->item_count += router->routes[i]->claim_count;
        }
    }
}

static int
take_room(struct compiler *c)
{
    struct volo__table *table = c->table;

    c->items = volo__malloc((c->item_count + 1) * sizeof *c->items);
    table->endpoints = volo__arena_alloc(
        &table->arena, (c->endpoint_count + 1) * sizeof *table->endpoints);
    table->hosts = volo__arena_alloc(&table->arena, (c->host_count + 1) *
                                                        sizeof *table->hosts);
    c->item_count = 0;
    return c->items && table->endpoints && table->hosts ? 0 : VOLO_ENOMEM;
}

static int
compile(struct compiler *c, const volo_router *router)
{
    struct volo__table *table = c->table;
    int err;

    count_all(c, router);
    err = take_room(c);
    if (!err)
        err = compile_fallback(&table->fallback, table, router, 0, NULL);
    if (!err)
        err = compile_fallback(&table->method_fallback, table, router, 1, NULL);
    if (err)
        return err;

    c->child.fallback = table->fallback;
    c->child.method_fallback = table->method_fallback;
    err = compile_routes(c, router, NULL);
    if (!err)
        err = compile_hosts(c, router, NULL);
    if (!err)
        err = volo__tree_build(&table->tree, c->items, c->item_count);
    if (!err)
        err = compile_leaves(c);
    if (!err)
        volo__hosts_sort(table);
    return err;
}

int
volo__table_new(struct volo__table **out, const volo_router *router,
                const struct volo__inherit *from)
{
    struct volo__table *table = volo__calloc(sizeof *table);
    struct compiler c = {.table = table, .child = *from};
    int err;

    if (!table)
        return VOLO_ENOMEM;
    volo__arena_init(&table->arena, NULL, 0);
    table->slash = router->slash < 0 ? from->slash : router->slash;
    table->clean = router->clean < 0 ? from->clean : router->clean;
    table->auto_options =
        router->auto_options < 0 ? from->auto_options : router->auto_options;
    table->nested = from->nested;
    table->fallback = from->fallback;
    table->method_fallback = from->method_fallback;
    c.child.slash = table->slash;
    c.child.clean = table->clean;
    c.child.auto_options = table->auto_options;
    err = compile(&c, router);
    volo__free(c.items);
    if (err) {
        volo__table_free(table);
        return err;
    }
    *out = table;
    return 0;
}

void
volo__table_free(struct volo__table *table)
{
    struct volo__owned *owned;

    if (!table)
        return;
    for (owned = table->owned; owned; owned = owned->next) {
        volo__free(owned->chain);
        volo__table_free(owned->table);
    }
    volo__tree_free(&table->tree);
    volo__arena_clear(&table->arena);
    volo__free(table);
}
