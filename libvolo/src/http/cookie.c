/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cookies (RFC 6265).  Takes more than it lets a server send, since browsers
 * do; knows nothing of the attributes of Set-Cookie.
 */
#include <string.h>

#include <volo/error.h>

#include "base/str.h"
#include "http/cookie.h"

/* Up to the next ";", which no quote protects (section 5.4). */
static volo_str
take_piece(volo_str *rest)
{
    const char *end = memchr(rest->ptr, ';', rest->len);
    size_t n = end ? (size_t)(end - rest->ptr) : rest->len;
    size_t skip = end ? n + 1 : n;
    volo_str piece = volo_str_make(rest->ptr, n);

    *rest = volo_str_make(rest->ptr + skip, rest->len - skip);
    return volo__str_trim(piece);
}

static volo_str
without_quotes(volo_str s)
{
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        return volo_str_make(s.ptr + 1, s.len - 2);
    return s;
}

static int
split(volo_str piece, volo_str *name, volo_str *value)
{
    const char *eq = piece.len ? memchr(piece.ptr, '=', piece.len) : NULL;
    volo_str key, val;
    size_t n;

    if (!eq)
        return 0;
    n = (size_t)(eq - piece.ptr);
    key = volo__str_trim(volo_str_make(piece.ptr, n));
    val = volo__str_trim(volo_str_make(eq + 1, piece.len - n - 1));
    if (!volo__is_token(key) || !volo__is_field_value(val))
        return 0;
    *name = key;
    *value = without_quotes(val);
    return 1;
}

int
volo__cookie_next(volo_str *rest, volo_str *name, volo_str *value)
{
    while (rest->len)
        if (split(take_piece(rest), name, value))
            return 1;
    return 0;
}

int
volo__cookie_find(volo_str *out, volo_str field, volo_str name)
{
    volo_str key, value;

    while (volo__cookie_next(&field, &key, &value)) {
        if (!volo_str_eq(key, name))
            continue;
        *out = value;
        return 0;
    }
    return VOLO_ENOENT;
}

int
volo__cookie_name_valid(volo_str s)
{
    return volo__is_token(s);
}

int
volo__cookie_value_valid(volo_str s)
{
    size_t i;

    s = without_quotes(s);
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c <= ' ' || c > '~' || c == '"' || c == ',' || c == ';' ||
            c == '\\')
            return 0;
    }
    return 1;
}
