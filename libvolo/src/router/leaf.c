/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a pattern ends: which of its routes answers which method, and what
 * Allow says.
 */
#include "router/table.h"

/* What is said first, as far as it is there. */
static const uint8_t allow_order[] = {VOLO_GET,     VOLO_HEAD,  VOLO_POST,
                                      VOLO_PUT,     VOLO_PATCH, VOLO_DELETE,
                                      VOLO_CONNECT, VOLO_TRACE, VOLO_OPTIONS};

/* Append the routes of ${method} (of ${name} too, if it is VOLO_OTHER). */
static unsigned
append(struct volo__endpoint **list, unsigned n, volo__endpoints all,
       int method, const char *name)
{
    const volo_route *route;

    for (; *all; all++) {
        route = (*all)->route;
        if (route->method == method &&
            (method != VOLO_OTHER || strcmp(route->method_name, name) == 0))
            list[n++] = *all;
    }
    list[n] = NULL;
    return n;
}

/* HEAD falls back on GET, and all on VOLO_ANY. */
static int
make_list(struct volo__table *table, volo__endpoints *out, volo__endpoints all,
          int method, const char *name)
{
    struct volo__endpoint **list;
    unsigned n = 0;

    while (all[n])
        n++;
    list = volo__arena_alloc(&table->arena, (n + 1) * sizeof *list);
    if (!list)
        return VOLO_ENOMEM;
    n = method == VOLO_ANY ? 0 : append(list, 0, all, method, name);
    if (method == VOLO_HEAD)
        n = append(list, n, all, VOLO_GET, NULL);
    append(list, n, all, VOLO_ANY, NULL);
    *out = list;
    return 0;
}

static int
is_repeated(volo__endpoints all, volo__endpoints at)
{
    for (; all < at; all++)
        if ((*all)->route->method == VOLO_OTHER &&
            strcmp((*all)->route->method_name, (*at)->route->method_name) == 0)
            return 1;
    return 0;
}

static int
make_others(struct volo__table *table, struct volo__leaf *leaf, unsigned count)
{
    struct volo__leaf_other *other;
    volo__endpoints at;
    int err = 0;

    leaf->others =
        volo__arena_alloc(&table->arena, (count + 1) * sizeof *leaf->others);
    if (!leaf->others)
        return VOLO_ENOMEM;
    for (at = leaf->all; *at && !err; at++) {
        if ((*at)->route->method != VOLO_OTHER || is_repeated(leaf->all, at))
            continue;
        other = &leaf->others[leaf->other_count++];
        other->name = volo_str_of((*at)->route->method_name);
        err = make_list(table, &other->list, leaf->all, VOLO_OTHER,
                        (*at)->route->method_name);
    }
    return err;
}

static int
make_names(struct volo__table *table, struct volo__leaf *leaf,
           const struct volo__pattern *pattern)
{
    volo_str *names;
    unsigned i;

    names =
        volo__arena_alloc(&table->arena, (pattern->params + 1) * sizeof *names);
    if (!names)
        return VOLO_ENOMEM;
    leaf->names = names;
    for (i = 0; i < pattern->count; i++)
        if (pattern->segs[i].name.ptr)
            names[leaf->name_count++] = pattern->segs[i].name;
    return 0;
}

static int
make_all(struct volo__table *table, struct volo__leaf *leaf,
         const struct volo__tree_item *items, uint32_t count)
{
    struct volo__endpoint **all;
    uint32_t i;

    all = volo__arena_alloc(&table->arena, (count + 1) * sizeof *all);
    if (!all)
        return VOLO_ENOMEM;
    for (i = 0; i < count; i++) {
        all[i] = items[i].user;
        leaf->guarded |= all[i]->route->guard_count > 0;
    }
    all[count] = NULL;
    leaf->all = all;
    return 0;
}

/* ---- Allow --------------------------------------------------------------- */

static int
has(volo__endpoints there, int method)
{
    for (; *there; there++)
        if ((*there)->route->method == method)
            return 1;
    return 0;
}

static size_t
put(char *out, size_t at, const char *name)
{
    size_t len = strlen(name);

    if (at > 0) {
        memcpy(out + at, ", ", 2);
        at += 2;
    }
    memcpy(out + at, name, len);
    return at + len;
}

/* The methods of ${there}, none of which is for any. */
static volo_str
make_allow(struct volo__arena *arena, volo__endpoints there, int auto_options)
{
    size_t room = 80, at = 0;
    volo__endpoints other;
    unsigned i;
    char *out;

    for (other = there; *other; other++)
        if ((*other)->route->method == VOLO_OTHER)
            room += strlen((*other)->route->method_name) + 2;
    out = volo__arena_bytes(arena, room);
    if (!out)
        return volo_str_make(NULL, 0);
    for (i = 0; i < sizeof allow_order; i++)
        if (has(there, allow_order[i]) ||
            (allow_order[i] == VOLO_HEAD && has(there, VOLO_GET)) ||
            (allow_order[i] == VOLO_OPTIONS && auto_options))
            at = put(out, at, volo_method_name(allow_order[i]));
    for (other = there; *other; other++)
        if ((*other)->route->method == VOLO_OTHER && !is_repeated(there, other))
            at = put(out, at, (*other)->route->method_name);
    return volo_str_make(out, at);
}

volo_str
volo__leaf_allow(const struct volo__leaf *leaf, const struct volo__table *table,
                 volo_cx *cx)
{
    struct volo__endpoint **there;
    unsigned n = 0;
    volo__endpoints at;

    if (!leaf->guarded)
        return leaf->allow;
    while (leaf->all[n])
        n++;
    there = volo__arena_alloc(&cx->arena, (n + 1) * sizeof *there);
    if (!there)
        return volo_str_make(NULL, 0);
    for (n = 0, at = leaf->all; *at; at++)
        if (volo__leaf_there(*at, cx))
            there[n++] = *at;
    there[n] = NULL;
    return make_allow(&cx->arena, there, table->auto_options);
}

/* ---- The leaf ------------------------------------------------------------ */

int
volo__leaf_make(struct volo__table *table, struct volo__leaf *leaf,
                const struct volo__tree_item *items, uint32_t count)
{
    const struct volo__endpoint *first = items[0].user;
    int method, err;

    memset(leaf, 0, sizeof *leaf);
    err = make_all(table, leaf, items, count);
    if (!err)
        err = make_names(table, leaf, first->route->pattern);
    for (method = 0; method < VOLO__LEAF_METHODS && !err; method++)
        err = make_list(table, &leaf->by[method], leaf->all, method, NULL);
    if (!err)
        err = make_others(table, leaf, count);
    if (err || leaf->guarded)
        return err;
    leaf->allow = make_allow(&table->arena, leaf->all, table->auto_options);
    return leaf->allow.ptr ? 0 : VOLO_ENOMEM;
}

volo__endpoints
volo__leaf_list(const struct volo__leaf *leaf, const volo_cx *cx)
{
    unsigned i;

    if (cx->req.method < VOLO__LEAF_METHODS)
        return leaf->by[cx->req.method];
    for (i = 0; i < leaf->other_count; i++)
        if (volo_str_eq(leaf->others[i].name, cx->req.method_name))
            return leaf->others[i].list;
    return leaf->by[VOLO_ANY];
}

int
volo__leaf_there(const struct volo__endpoint *endpoint, volo_cx *cx)
{
    const volo_route *route = endpoint->route;
    unsigned i;

    for (i = 0; i < route->guard_count; i++)
        if (!route->guards[i].fn(cx, route->guards[i].user))
            return 0;
    return 1;
}
