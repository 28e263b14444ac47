/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as text: the URL of a named one, the list of all. */
#include "router/router.h"

#include "base/alloc.h"
#include "base/str.h"

/* What may stand in a segment as it is (RFC 3986 section 3.3), but for "+",
 * which some readers take for a space. */
#define PCHAR "!$&'()*,;=:@"

/* The prefixes on the way to a route, innermost first; on the stack. */
struct way {
    const struct way *outer;
    const struct volo__pattern *prefix;
};

/* Text that grows; no memory is noted once, at the end. */
struct text {
    char *ptr;
    size_t len;
    size_t cap;
    int err;
};

static char *
text_room(struct text *t, size_t more)
{
    size_t cap = t->len + more + 1;
    char *ptr;

    if (t->err)
        return NULL;
    if (cap > t->cap) {
        cap = cap < 2 * t->cap ? 2 * t->cap : cap;
        ptr = volo__realloc(t->ptr, cap);
        if (!ptr) {
            t->err = VOLO_ENOMEM;
            return NULL;
        }
        t->ptr = ptr;
        t->cap = cap;
    }
    return t->ptr + t->len;
}

static void
text_add(struct text *t, volo_str s)
{
    char *at = text_room(t, s.len);

    if (at && s.len > 0)
        memcpy(at, s.ptr, s.len);
    if (at)
        t->len += s.len;
}

static void
text_encode(struct text *t, volo_str s, const char *keep)
{
    char *at = text_room(t, 3 * s.len);

    if (at && s.len > 0)
        t->len += volo__percent_encode(at, s, keep);
}

/* ---- The way to a route -------------------------------------------------- */

typedef void (*route_fn)(const volo_route *route, const struct way *way,
                         void *user);

static void
each(const volo_router *router, const struct way *outer, route_fn fn,
     void *user)
{
    const volo_route *route;
    struct way way = {outer, NULL};
    unsigned i;

    for (i = 0; i < router->count; i++) {
        route = router->routes[i];
        way.prefix = route->pattern;
        if (route->inner)
            each(route->inner, &way, fn, user);
        else
            fn(route, outer, user);
    }
    for (i = 0; i < router->host_count; i++)
        each(router->hosts[i]->inner, outer, fn, user);
}

static int
has_prefix(const struct way *way)
{
    for (; way; way = way->outer)
        if (way->prefix->count > 0)
            return 1;
    return 0;
}

/* A nested router's "/" is its prefix; a prefix of nothing is "/". */
static int
is_root(const struct volo__pattern *pattern)
{
    return volo_str_eq(pattern->source, VOLO_STR("/"));
}

/* ---- All of them --------------------------------------------------------- */

struct telling {
    volo_route_info_fn fn;
    void *user;
};

static void
add_prefixes(struct text *t, const struct way *way)
{
    if (!way)
        return;
    add_prefixes(t, way->outer);
    text_add(t, way->prefix->source);
}

static void
tell(const volo_route *route, const struct way *way, void *user)
{
    const struct telling *telling = user;
    struct text t = {0};

    add_prefixes(&t, way);
    if (!is_root(route->pattern) || !has_prefix(way))
        text_add(&t, route->pattern->source);
    if (t.len == 0)
        text_add(&t, VOLO_STR("/"));
    if (!t.err)
        telling->fn(volo_str_of(volo__route_method(route)),
                    volo_str_make(t.ptr, t.len), volo_str_of(route->name),
                    telling->user);
    volo__free(t.ptr);
}

void
volo_router_each(const volo_router *router, volo_route_info_fn fn, void *user)
{
    struct telling telling = {fn, user};

    each(router, NULL, tell, &telling);
}

/* ---- One of them --------------------------------------------------------- */

struct writing {
    const volo_route *route;
    const volo_str *params;
    size_t count;
    struct text text;
    int done;
};

static const volo_str *
value_of(const struct writing *w, volo_str name)
{
    size_t i;

    for (i = 0; i < w->count; i++)
        if (volo_str_eq(w->params[2 * i], name))
            return &w->params[2 * i + 1];
    return NULL;
}

/* Clients resolve "." and ".." away, encoded or not: no segment that a value
 * is in may be one. */
static int
has_dots(volo_str s)
{
    const char *p = s.ptr, *end = s.ptr + s.len, *slash;
    size_t len;

    for (;; p = slash + 1) {
        slash = memchr(p, '/', (size_t)(end - p));
        len = (size_t)((slash ? slash : end) - p);
        if (len == 1 && p[0] == '.')
            return 1;
        if (len == 2 && p[0] == '.' && p[1] == '.')
            return 1;
        if (!slash)
            return 0;
    }
}

static int
write_value(struct writing *w, const struct volo__seg *seg)
{
    const volo_str *value = value_of(w, seg->name);
    volo_str v;

    if (!value)
        return VOLO_EMISSING;
    v = *value;
    if (v.len == 0 || memchr(v.ptr, 0, v.len))
        return VOLO_EINVAL;
    if (seg->kind != VOLO__SEG_REST) {
        text_encode(&w->text, v, PCHAR);
        return 0;
    }
    if (w->text.len == 1 && v.ptr[0] == '/') {
        /* "//host" would be another host: the first one is encoded. */
        text_add(&w->text, VOLO_STR("%2F"));
        v = volo_str_make(v.ptr + 1, v.len - 1);
    }
    text_encode(&w->text, v, PCHAR "/");
    return 0;
}

static int
write_segment(struct writing *w, const struct volo__seg *seg)
{
    size_t at;
    int err;

    text_add(&w->text, VOLO_STR("/"));
    at = w->text.len;
    text_encode(&w->text, seg->text, PCHAR);
    if (!seg->name.ptr)
        return w->text.err;
    err = write_value(w, seg);
    text_encode(&w->text, seg->suffix, PCHAR);
    if (err || w->text.err)
        return err ? err : w->text.err;
    return has_dots(volo_str_make(w->text.ptr + at, w->text.len - at))
               ? VOLO_EINVAL
               : 0;
}

static int
write_pattern(struct writing *w, const struct volo__pattern *pattern)
{
    unsigned i;
    int err = 0;

    for (i = 0; i < pattern->count && !err; i++)
        err = write_segment(w, &pattern->segs[i]);
    return err;
}

static int
write_prefixes(struct writing *w, const struct way *way)
{
    int err = way ? write_prefixes(w, way->outer) : 0;

    return err || !way ? err : write_pattern(w, way->prefix);
}

static void
write_route(const volo_route *route, const struct way *way, void *user)
{
    struct writing *w = user;
    int err;

    if (route != w->route || w->done)
        return;
    w->done = 1;
    err = write_prefixes(w, way);
    if (!err && (!is_root(route->pattern) || !has_prefix(way)))
        err = write_pattern(w, route->pattern);
    if (!err && w->text.len > 1 && w->text.ptr[1] == '/')
        err = VOLO_EINVAL; /* it would name a host */
    if (!err && text_room(&w->text, 0))
        w->text.ptr[w->text.len] = 0;
    if (err)
        w->text.err = err;
}

int
volo_router_url(char **out, const volo_router *router, const char *name,
                const volo_str *params, size_t count)
{
    struct writing w = {.params = params, .count = count};

    w.route = volo__route_named(router, volo_str_of(name));
    if (!w.route)
        return VOLO_ENOENT;
    each(router, NULL, write_route, &w);
    if (w.text.err) {
        volo__free(w.text.ptr);
        return w.text.err;
    }
    *out = w.text.ptr;
    return 0;
}
