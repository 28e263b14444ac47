/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of a query or a form, in order.  Does not know what names mean, nor
 * whether a value is UTF-8: whoever makes a type of it looks at that.
 */
#include <string.h>

#include <volo/error.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/query.h"

/* Up to the next "&". */
static volo_str
take_piece(volo_str *rest)
{
    const char *end = memchr(rest->ptr, '&', rest->len);
    size_t n = end ? (size_t)(end - rest->ptr) : rest->len;
    size_t skip = end ? n + 1 : n;
    volo_str piece = volo_str_make(rest->ptr, n);

    *rest = volo_str_make(rest->ptr + skip, rest->len - skip);
    return piece;
}

int
volo__query_next(volo_str *rest, volo_str *name, volo_str *value)
{
    volo_str piece;
    const char *eq;
    size_t n;

    do {
        if (!rest->len)
            return 0;
        piece = take_piece(rest);
    } while (!piece.len);
    eq = memchr(piece.ptr, '=', piece.len);
    n = eq ? (size_t)(eq - piece.ptr) : piece.len;
    *name = volo_str_make(piece.ptr, n);
    n += eq != NULL;
    *value = volo_str_make(piece.ptr + n, piece.len - n);
    return 1;
}

/* The octet that ${s} begins with, decoded; -1 for a broken escape.  ${used}
 * is how many it took. */
static int
octet_at(volo_str s, size_t *used)
{
    char c;

    *used = s.ptr[0] == '%' && s.len >= 3 ? 3 : 1;
    if (volo__percent_decode(&c, volo_str_make(s.ptr, *used), 1) != 1)
        return -1;
    return (unsigned char)c;
}

/* Compare without a copy; a broken escape is like no name. */
static int
name_is(volo_str encoded, volo_str plain)
{
    size_t i, used;

    if (encoded.len < plain.len)
        return 0;
    for (i = 0; i < plain.len; i++) {
        if (!encoded.len ||
            octet_at(encoded, &used) != (unsigned char)plain.ptr[i])
            return 0;
        encoded = volo_str_make(encoded.ptr + used, encoded.len - used);
    }
    return encoded.len == 0;
}

static int
is_plain(volo_str s)
{
    return !s.len || (!memchr(s.ptr, '%', s.len) && !memchr(s.ptr, '+', s.len));
}

static int
decode(volo_str *out, struct volo__arena *a, volo_str s)
{
    ptrdiff_t n;
    char *p;

    if (is_plain(s)) {
        *out = s;
        return 0;
    }
    p = volo__arena_bytes(a, s.len);
    if (!p)
        return VOLO_ENOMEM;
    n = volo__percent_decode(p, s, 1);
    if (n < 0)
        return VOLO_EFORMAT;
    *out = volo_str_make(p, (size_t)n);
    return 0;
}

int
volo__query_find(volo_str *out, struct volo__arena *a, volo_str query,
                 volo_str name, unsigned nth)
{
    volo_str key, value;

    while (volo__query_next(&query, &key, &value))
        if (name_is(key, name) && nth-- == 0)
            return decode(out, a, value);
    return VOLO_ENOENT;
}
