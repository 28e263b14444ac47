/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange meets a table: host, path, guards and method decide where it
 * goes.  The hot path: no memory but the parameters' places in the exchange.
 */
#include "router/table.h"

#include "base/str.h"
#include "http/uri.h"

/* One search for the place of an exchange. */
struct attempt {
    volo_cx *cx;
    const struct volo__table *table;
    const struct volo__endpoint *found;
    const struct volo__leaf *refused; /* the path is there, the method not */
    int decoded;                      /* values may hold an octet 0 */
    int err;
};

/* The octet 0 of a decoded path back to the slash it stands for.  In a copy:
 * the search may not be over. */
static int
restore_slashes(volo_cx *cx, volo_str *value)
{
    char *copy;
    size_t i;

    if (!memchr(value->ptr, 0, value->len))
        return 0;
    copy = volo__arena_bytes(&cx->arena, value->len);
    if (!copy)
        return VOLO_ENOMEM;
    for (i = 0; i < value->len; i++)
        copy[i] = value->ptr[i] ? value->ptr[i] : '/';
    value->ptr = copy;
    return 0;
}

static int
add_params(struct attempt *a, const struct volo__leaf *leaf,
           const volo_str *values)
{
    volo_cx *cx = a->cx;
    volo_str value;
    unsigned i;
    int err = 0;

    for (i = 0; i < leaf->name_count && !err; i++) {
        value = values[i];
        if (a->decoded)
            err = restore_slashes(cx, &value);
        if (!err)
            err = volo__fields_add(&cx->req.params, &cx->arena, 0,
                                   leaf->names[i], value);
    }
    return err;
}

static const struct volo__endpoint *
choose(const struct volo__leaf *leaf, volo_cx *cx)
{
    volo__endpoints at = volo__leaf_list(leaf, cx);

    for (; *at; at++)
        if ((*at)->route->guard_count == 0 || volo__leaf_there(*at, cx))
            return *at;
    return NULL;
}

/* A pattern all of whose routes are refused by their guards is not there. */
static int
is_there(const struct volo__leaf *leaf, volo_cx *cx)
{
    volo__endpoints at;

    for (at = leaf->all; *at && leaf->guarded; at++)
        if (volo__leaf_there(*at, cx))
            return 1;
    return !leaf->guarded;
}

/* The most specific pattern that is there decides, whatever the method. */
static int
try_leaf(void *user, uint32_t number, const volo_str *values, unsigned count)
{
    struct attempt *a = user;
    const struct volo__leaf *leaf = &a->table->leaves[number];
    uint32_t before = a->cx->req.params.count;

    (void)count; /* at most one more than names: what is below a prefix */
    a->err = add_params(a, leaf, values);
    if (a->err)
        return 1;
    a->found = choose(leaf, a->cx);
    if (a->found)
        return 1;
    if (is_there(leaf, a->cx)) {
        a->refused = leaf;
        return 1;
    }
    a->cx->req.params.count = before;
    return 0;
}

static int
search(struct attempt *a, volo_str path)
{
    const char *raw = path.ptr;

    a->err = volo__path_decode(&path, a->cx, path);
    if (a->err)
        return 1;
    a->decoded = path.ptr != raw;
    return volo__tree_match(&a->table->tree, path, try_leaf, a);
}

/* ---- What comes of it ---------------------------------------------------- */

static void
answer_empty(volo_cx *cx, int status)
{
    volo_cx_set_status(cx, status);
    volo_cx_answer(cx);
}

static void
refuse_method(const struct volo__table *table, volo_cx *cx,
              const struct volo__leaf *leaf)
{
    volo_str allow = volo__leaf_allow(leaf, table, cx);

    if (!allow.ptr || volo_cx_set_field(cx, VOLO_FIELD_ALLOW, allow)) {
        volo__cx_fail(cx, 503);
        return;
    }
    if (cx->req.method == VOLO_OPTIONS && table->auto_options)
        answer_empty(cx, 204);
    else if (table->method_fallback)
        volo__chain_run(table->method_fallback, cx);
    else
        volo__cx_fail(cx, 405);
}

static void
not_found(const struct volo__table *table, volo_cx *cx)
{
    if (table->fallback)
        volo__chain_run(table->fallback, cx);
    else
        volo__cx_fail(cx, 404);
}

/* 1 if it has gone somewhere. */
static int
follow(struct attempt *a)
{
    volo_cx *cx = a->cx;

    if (a->err) {
        volo__cx_fail(cx, a->err == VOLO_ENOMEM ? 503 : 400);
        return 1;
    }
    if (a->found) {
        cx->req.pattern = a->found->pattern;
        volo__chain_run(a->found->chain, cx);
        return 1;
    }
    if (a->refused)
        refuse_method(a->table, cx, a->refused);
    return a->refused != NULL;
}

/* The path is not there as it is: what of the one with another end? */
static int
follow_slash(struct attempt *a)
{
    volo_str other;

    if (a->table->slash == VOLO_SLASH_REDIRECT)
        return volo__redirect_slash(a->table, a->cx);
    if (a->table->slash == VOLO_SLASH_IGNORE &&
        volo__path_other(&other, a->cx, a->cx->req.path)) {
        search(a, other);
        return follow(a);
    }
    return 0;
}

static int
follow_host(const struct volo__table *table, volo_cx *cx)
{
    const struct volo__table_host *host;
    volo_str label = {NULL, 0};
    int err = 0;

    host = volo__hosts_find(&label, table, cx->req.authority);
    if (!host)
        return 0;
    if (host->name.ptr)
        err =
            volo__fields_add(&cx->req.params, &cx->arena, 0, host->name, label);
    if (err)
        volo__cx_fail(cx, 503);
    else
        volo__chain_run(host->chain, cx);
    return 1;
}

/* "*", which asks about the server as a whole, or nothing. */
static void
run_without_path(const struct volo__table *table, volo_cx *cx)
{
    if (cx->req.method == VOLO_OPTIONS && table->auto_options &&
        volo_str_eq(cx->req.path, VOLO_STR("*")))
        answer_empty(cx, 204);
    else
        not_found(table, cx);
}

void
volo__table_run(volo_cx *cx, void *user)
{
    const struct volo__table *table = user;
    struct attempt a = {.cx = cx, .table = table};

    if (table->host_count > 0 && follow_host(table, cx))
        return;
    if (cx->req.path.len == 0 || cx->req.path.ptr[0] != '/') {
        run_without_path(table, cx);
        return;
    }
    if (table->clean && volo__redirect_clean(table, cx))
        return;
    search(&a, cx->req.path);
    if (!follow(&a) && !follow_slash(&a))
        not_found(table, cx);
}

/* ---- Nested -------------------------------------------------------------- */

/* An encoded slash splits no segment, so the path as received has its slashes
 * where the decoded one has them. */
volo_str
volo__place_strip(const struct volo__place *place, volo_str path)
{
    const char *p = path.ptr, *end = path.ptr + path.len;
    unsigned i;

    for (i = 0; i < place->segs && p; i++)
        p = memchr(p + 1, '/', (size_t)(end - p - 1));
    return p ? volo_str_make(p, (size_t)(end - p)) : VOLO_STR("/");
}

void
volo__place_run(volo_cx *cx, void *user)
{
    const struct volo__place *place = user;

    cx->req.path = volo__place_strip(place, cx->req.path);
    volo__chain_run(place->chain, cx);
}
