/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that are nearly right: decoding, the slash at the end, the clean form,
 * and redirects to the path that exists.  A Location from here starts with one
 * slash and no other, nor a backslash, which browsers take for one: it never
 * leads to another host.
 */
#include "router/table.h"

#include "base/str.h"

static int
hex_value(unsigned char c)
{
    if ((unsigned)(c - '0') < 10u)
        return c - '0';
    c |= 0x20;
    return (unsigned)(c - 'a') < 6u ? c - 'a' + 10 : -1;
}

int
volo__path_decode(volo_str *out, volo_cx *cx, volo_str path)
{
    const char *p = memchr(path.ptr, '%', path.len);
    const char *end = path.ptr + path.len;
    int high, low;
    char *to, *start;

    if (!p) {
        *out = path;
        return 0;
    }
    start = volo__arena_bytes(&cx->arena, path.len);
    if (!start)
        return VOLO_ENOMEM;
    to = start + (p - path.ptr);
    memcpy(start, path.ptr, (size_t)(p - path.ptr));
    for (; p < end; p++, to++) {
        *to = *p;
        if (*p != '%')
            continue;
        high = end - p > 2 ? hex_value((unsigned char)p[1]) : -1;
        low = high >= 0 ? hex_value((unsigned char)p[2]) : -1;
        if (low < 0 || high + low == 0)
            return VOLO_EFORMAT;
        *to = (char)(high << 4 | low);
        if (*to == '/')
            *to = 0;
        p += 2;
    }
    *out = volo_str_make(start, (size_t)(to - start));
    return 0;
}

/* ---- Does it exist? ------------------------------------------------------ */

struct probe {
    const struct volo__table *table;
    volo_cx *cx;
    volo_str path;
};

/* A nested router is asked in turn; guards are not. */
static int
probe_leaf(void *user, uint32_t number, const volo_str *values, unsigned count)
{
    const struct probe *probe = user;
    volo__endpoints at = probe->table->leaves[number].all;
    const struct volo__place *place = at[0]->place;

    (void)values;
    (void)count;
    if (!place || !place->table)
        return 1;
    return volo__path_exists(place->table, probe->cx,
                             volo__place_strip(place, probe->path));
}

int
volo__path_exists(const struct volo__table *table, volo_cx *cx, volo_str path)
{
    struct probe probe = {table, cx, path};
    volo_str decoded;

    if (volo__path_decode(&decoded, cx, path))
        return 0;
    return volo__tree_match(&table->tree, decoded, probe_leaf, &probe);
}

int
volo__path_other(volo_str *out, volo_cx *cx, volo_str path)
{
    char *longer;

    if (path.len < 2)
        return 0;
    if (path.ptr[path.len - 1] == '/') {
        *out = volo_str_make(path.ptr, path.len - 1);
        return 1;
    }
    longer = volo__arena_bytes(&cx->arena, path.len + 1);
    if (!longer)
        return 0;
    memcpy(longer, path.ptr, path.len);
    longer[path.len] = '/';
    *out = volo_str_make(longer, path.len + 1);
    return 1;
}

/* ---- Redirects ----------------------------------------------------------- */

static int
is_safe(const char *location, size_t len)
{
    return len > 0 && location[0] == '/' &&
           (len == 1 || (location[1] != '/' && location[1] != '\\'));
}

/* 308 to ${head} ${tail}, with the query that came. */
static int
redirect(volo_cx *cx, volo_str head, volo_str tail)
{
    size_t len = head.len + tail.len;
    volo_str query = cx->req.query;
    char *to;

    to = volo__arena_bytes(&cx->arena, len + query.len + 1);
    if (!to)
        return 0;
    if (head.len > 0)
        memcpy(to, head.ptr, head.len);
    memcpy(to + head.len, tail.ptr, tail.len);
    if (!is_safe(to, len))
        return 0;
    if (query.ptr) {
        to[len++] = '?';
        memcpy(to + len, query.ptr, query.len);
        len += query.len;
    }
    if (volo_cx_set_field(cx, VOLO_FIELD_LOCATION, volo_str_make(to, len)))
        return 0;
    volo_cx_set_status(cx, 308);
    volo_cx_answer(cx);
    return 1;
}

/* What the routers outside have taken from the path as received; absent if
 * the path is not a part of that (a prefix alone, seen as "/"). */
static volo_str
prefix_of(const volo_cx *cx)
{
    volo_str all = cx->req.original_path, path = cx->req.path;

    if (all.len < path.len ||
        memcmp(all.ptr + all.len - path.len, path.ptr, path.len) != 0)
        return volo_str_make(NULL, 0);
    return volo_str_make(all.ptr, all.len - path.len);
}

int
volo__redirect_slash(const struct volo__table *table, volo_cx *cx)
{
    volo_str other, prefix = prefix_of(cx);

    if (!prefix.ptr || !volo__path_other(&other, cx, cx->req.path) ||
        !volo__path_exists(table, cx, other))
        return 0;
    return redirect(cx, prefix, other);
}

/* ---- Clean paths --------------------------------------------------------- */

static int
is_clean(volo_str path)
{
    const char *p = path.ptr, *end = p + path.len;

    for (; p && end - p > 1; p = memchr(p + 1, '/', (size_t)(end - p - 1))) {
        if (p[1] == '/')
            return 0;
        if (p[1] != '.')
            continue;
        if (end - p == 2 || p[2] == '/' ||
            (p[2] == '.' && (end - p == 3 || p[3] == '/')))
            return 0;
    }
    return 1;
}

/* Back before the last segment that was written. */
static size_t
drop_segment(const char *out, size_t n)
{
    while (n > 0 && out[--n] != '/')
        continue;
    return n;
}

/*
 * RFC 3986 section 5.2.4, and runs of slashes become one.  The length, or 0
 * where ".." leads above the router's own root, if that is nested.
 */
static size_t
clean(char *out, volo_str path, int nested)
{
    const char *p = path.ptr, *end = p + path.len, *slash;
    size_t n = 0, len;
    int open = 1; /* the last segment was none: it ends in a slash */

    while (p < end) {
        p++;
        slash = memchr(p, '/', (size_t)(end - p));
        len = (size_t)((slash ? slash : end) - p);
        open = len == 0 || (len <= 2 && memcmp(p, "..", len) == 0);
        if (len == 2 && open) {
            if (n == 0 && nested)
                return 0;
            n = drop_segment(out, n);
        }
        if (!open) {
            out[n++] = '/';
            memcpy(out + n, p, len);
            n += len;
        }
        p += len;
    }
    if (open)
        out[n++] = '/';
    return n;
}

int
volo__redirect_clean(const struct volo__table *table, volo_cx *cx)
{
    volo_str path = cx->req.path, prefix = prefix_of(cx), to;
    char *out;

    if (is_clean(path) || !prefix.ptr)
        return 0;
    out = volo__arena_bytes(&cx->arena, path.len + 1);
    if (!out)
        return 0;
    to = volo_str_make(out, clean(out, path, table->nested));
    if (to.len == 0 || !volo__path_exists(table, cx, to))
        return 0;
    return redirect(cx, prefix, to);
}
