/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media types and their parameters (RFC 9110 section 8.3), and what an Accept
 * field thinks of them (12.5.1).  Knows no table of types.
 */
#include <string.h>

#include <volo/http.h>

#include "base/str.h"

#include <volo/error.h>

/* ${rest} from its ${n}th octet on. */
static volo_str
after(volo_str rest, size_t n)
{
    return volo_str_make(rest.ptr + n, rest.len - n);
}

/* Up to the next ";" that is not quoted; the whole if there is none. */
static size_t
piece_len(volo_str s)
{
    int quoted = 0;
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (quoted && s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (s.ptr[i] == ';' && !quoted)
            return i;
    }
    return s.len;
}

/* Take the piece before the next ";", trimmed; 0 if nothing is left. */
static int
next_piece(volo_str *rest, volo_str *piece)
{
    size_t n;

    if (!rest->ptr)
        return 0;
    n = piece_len(*rest);
    *piece = volo__str_trim(volo_str_make(rest->ptr, n));
    *rest = n < rest->len ? after(*rest, n + 1) : volo_str_make(NULL, 0);
    return 1;
}

/* 1 if ${s}, quotes included, is one whole quoted-string. */
static int
is_quoted(volo_str s)
{
    size_t i;

    if (s.len < 2 || s.ptr[0] != '"' || !volo__is_field_value(s))
        return 0;
    for (i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i == s.len - 1;
    }
    return 0;
}

/* Take "name=value" apart; 0 if it is none. */
static int
split_param(volo_str piece, volo_str *name, volo_str *value)
{
    const char *eq = piece.len ? memchr(piece.ptr, '=', piece.len) : NULL;
    size_t n;

    if (!eq)
        return 0;
    n = (size_t)(eq - piece.ptr);
    *name = volo_str_make(piece.ptr, n);
    *value = after(piece, n + 1);
    if (!volo__is_token(*name))
        return 0;
    if (is_quoted(*value)) {
        *value = volo_str_make(value->ptr + 1, value->len - 2);
        return 1;
    }
    return volo__is_token(*value);
}

/* The essence, without parameters; ${rest} is set to them. */
static volo_str
essence_of(volo_str value, volo_str *rest)
{
    volo_str essence = volo_str_make(NULL, 0);

    *rest = value;
    next_piece(rest, &essence);
    return essence;
}

int
volo_media_is(volo_str value, const char *type)
{
    volo_str rest, essence = essence_of(value, &rest), want = volo_str_of(type);
    size_t i;

    if (want.len == 0 || essence.len == 0)
        return 0;
    if (want.ptr[0] != '+')
        return volo__str_ieq(essence, want);
    for (i = essence.len; i > 0; i--)
        if (essence.ptr[i - 1] == '+')
            return volo__str_ieq(after(essence, i - 1), want);
    return 0;
}

static int
find_param(volo_str *out, volo_str rest, volo_str want)
{
    volo_str piece, name, value;

    while (next_piece(&rest, &piece)) {
        if (!split_param(piece, &name, &value) || !volo__str_ieq(name, want))
            continue;
        *out = value;
        return 0;
    }
    return VOLO_ENOENT;
}

int
volo_media_param(volo_str *out, volo_str value, const char *name)
{
    volo_str rest;

    essence_of(value, &rest);
    return find_param(out, rest, volo_str_of(name));
}

/* A qvalue (RFC 9110 section 12.4.2) in thousandths; -1 if it is none. */
static int
weight_of(volo_str s)
{
    int weight, unit = 100;
    size_t i;

    if (s.len < 1 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1'))
        return -1;
    if (s.len > 1 && s.ptr[1] != '.')
        return -1;
    weight = (s.ptr[0] - '0') * 1000;
    for (i = 2; i < s.len; i++, unit /= 10) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        weight += (s.ptr[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : -1;
}

/* How closely the range names the type: 0 any, 1 its first half, 2 both; -1
 * not at all, -2 it is no media range. */
static int
closeness(volo_str range, volo_str type)
{
    const char *slash = range.len ? memchr(range.ptr, '/', range.len) : NULL;
    size_t n;
    volo_str major, minor;

    if (!slash)
        return -2;
    n = (size_t)(slash - range.ptr);
    major = volo_str_make(range.ptr, n);
    minor = after(range, n + 1);
    if (!volo__is_token(major) || !volo__is_token(minor))
        return -2;
    if (volo_str_eq(major, VOLO_STR("*")))
        return volo_str_eq(minor, VOLO_STR("*")) ? 0 : -2;
    if (volo_str_eq(minor, VOLO_STR("*")))
        return type.len > n && type.ptr[n] == '/' &&
                       volo__str_ieq(major, volo_str_make(type.ptr, n))
                   ? 1
                   : -1;
    return volo__str_ieq(range, type) ? 2 : -1;
}

struct range {
    int rank;   /* the higher, the closer; -1 it does not match */
    int weight; /* thousandths */
};

/* "q" is the weight wherever it stands; all others must be the type's too. */
static int
read_params(struct range *r, volo_str rest, volo_str type_params)
{
    volo_str piece, name, value, theirs;

    while (next_piece(&rest, &piece)) {
        if (piece.len == 0)
            continue;
        if (!split_param(piece, &name, &value))
            return VOLO_EFORMAT;
        if (volo__str_ieq(name, VOLO_STR("q"))) {
            r->weight = weight_of(value);
            if (r->weight < 0)
                return VOLO_EFORMAT;
        } else if (find_param(&theirs, type_params, name) == 0 &&
                   volo__str_ieq(value, theirs)) {
            r->rank += r->rank >= 0;
        } else {
            r->rank = -1;
        }
    }
    return 0;
}

/* One element of the list, held against the type. */
static int
read_range(struct range *r, volo_str item, volo_str type)
{
    volo_str params, type_params;
    volo_str range = essence_of(item, &params);
    int close = closeness(range, essence_of(type, &type_params));

    if (close == -2)
        return VOLO_EFORMAT;
    /* No number of parameters makes up for a wildcard. */
    r->rank = close < 0 ? -1 : close * 0x10000;
    r->weight = 1000;
    return read_params(r, params, type_params);
}

int
volo_accepts(volo_str accept, const char *type)
{
    struct range best = {-1, 0}, r;
    volo_str item, want = volo_str_of(type);
    int any = 0;

    if (!accept.ptr)
        return 1000;
    while (volo__list_next(&accept, &item)) {
        if (read_range(&r, item, want) < 0)
            continue;
        any = 1;
        if (r.rank > best.rank ||
            (r.rank == best.rank && r.rank >= 0 && r.weight > best.weight))
            best = r;
    }
    return any ? best.weight : 1000;
}
