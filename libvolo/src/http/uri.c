/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets, taken apart without a copy and with one reading only.
 * Does not decode, and does not resolve dot segments: a router compares
 * segments, and whatever serves files looks after itself.
 */
#include <string.h>

#include <arpa/inet.h>

#include <volo/error.h>
#include <volo/http.h>

#include "base/str.h"
#include "http/uri.h"

/* What an octet of a target may do there. */
enum { PLAIN = 0, REFUSED = 1, ESCAPE = 2, QUESTION = 3 };

static const unsigned char classes[256] = {
    [0x00 ... ' '] = REFUSED, [0x7f ... 0xff] = REFUSED, ['#'] = REFUSED,
    ['%'] = ESCAPE,           ['?'] = QUESTION,
};

static inline int
class_of(char c)
{
    return classes[(unsigned char)c];
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ${s} begins with "%": whether two digits follow that are not of a NUL. */
static int
escape_valid(volo_str s)
{
    int high, low;

    if (s.len < 3)
        return 0;
    high = hex_digit(s.ptr[1]);
    low = hex_digit(s.ptr[2]);
    return high >= 0 && low >= 0 && (high | low) != 0;
}

static volo_str
from(volo_str s, size_t n)
{
    return volo_str_make(s.ptr + n, s.len - n);
}

/* How many plain octets ${s} begins with: nearly all, nearly always. */
static inline size_t
plain_len(volo_str s)
{
    size_t i = 0;

    while (i < s.len && class_of(s.ptr[i]) == PLAIN)
        i++;
    return i;
}

/* The length of the path that ${s} begins with; it ends before a "?". */
static ptrdiff_t
path_len(volo_str s)
{
    size_t i = plain_len(s);

    while (i < s.len && s.ptr[i] != '?') {
        if (s.ptr[i] != '%' || !escape_valid(from(s, i)))
            return VOLO_EPROTO;
        i++;
        i += plain_len(from(s, i));
    }
    return (ptrdiff_t)i;
}

/* Escapes of a query are looked at by those who decode it. */
static int
query_valid(volo_str s)
{
    size_t i = 0;

    while (i < s.len && class_of(s.ptr[i]) != REFUSED)
        i++;
    return i == s.len;
}

/* "/path?query", or nothing of it, or only the query. */
static int
parse_path(struct volo__target *t, volo_str s)
{
    ptrdiff_t n = path_len(s);

    if (n < 0)
        return VOLO_EPROTO;
    t->path = volo_str_make(s.ptr, (size_t)n);
    if ((size_t)n == s.len)
        return 0;
    t->query = from(s, (size_t)n + 1);
    return query_valid(t->query) ? 0 : VOLO_EPROTO;
}

/* sub-delims and unreserved of RFC 3986 section 2. */
static const unsigned char name_chars[256] = {
    ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['-'] = 1,
    ['.'] = 1,         ['_'] = 1,         ['~'] = 1,         ['!'] = 1,
    ['$'] = 1,         ['&'] = 1,         ['\''] = 1,        ['('] = 1,
    [')'] = 1,         ['*'] = 1,         ['+'] = 1,         [','] = 1,
    [';'] = 1,         ['='] = 1,
};

static inline int
is_name_char(unsigned char c)
{
    return name_chars[c];
}

static int
is_reg_name(volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (s.ptr[i] == '%') {
            if (!escape_valid(from(s, i)))
                return 0;
            i += 2;
        } else if (!is_name_char((unsigned char)s.ptr[i])) {
            return 0;
        }
    }
    return 1;
}

static int
is_ipv6(volo_str s)
{
    struct in6_addr addr;
    char text[INET6_ADDRSTRLEN];

    /* inet_pton() would stop at a NUL. */
    if (s.len >= sizeof(text) || memchr(s.ptr, 0, s.len))
        return 0;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    return inet_pton(AF_INET6, text, &addr) == 1;
}

/* "v1.something": nobody has defined one yet. */
static int
is_ip_future(volo_str s)
{
    size_t i = 1, start;

    if (s.len < 4 || (s.ptr[0] != 'v' && s.ptr[0] != 'V'))
        return 0;
    while (i < s.len && hex_digit(s.ptr[i]) >= 0)
        i++;
    if (i == 1 || i == s.len || s.ptr[i] != '.')
        return 0;
    for (start = ++i; i < s.len; i++)
        if (s.ptr[i] != ':' && !is_name_char((unsigned char)s.ptr[i]))
            return 0;
    return i > start;
}

/* Empty, or digits that make at most 65535. */
static int
is_port(volo_str s)
{
    uint64_t port = 0;

    return s.len == 0 || (volo__u64_parse(&port, s) == 0 && port <= 65535);
}

volo_str
volo__authority_host(volo_str s)
{
    const char *end;

    if (s.len == 0)
        return s;
    end = memchr(s.ptr, s.ptr[0] == '[' ? ']' : ':', s.len);
    if (!end)
        return s;
    return volo_str_make(s.ptr, (size_t)(end - s.ptr) + (s.ptr[0] == '['));
}

int
volo__authority_valid(volo_str s)
{
    volo_str host = volo__authority_host(s), port, inside;

    if (s.len == 0)
        return 1;
    port = from(s, host.len);
    if (port.len && (port.ptr[0] != ':' || !is_port(from(port, 1))))
        return 0;
    if (host.len == 0 || host.ptr[0] != '[')
        return is_reg_name(host);
    if (host.len < 3 || host.ptr[host.len - 1] != ']')
        return 0;
    inside = volo_str_make(host.ptr + 1, host.len - 2);
    return is_ipv6(inside) || is_ip_future(inside);
}

/* The length of "http://" or "https://"; 0 if ${s} begins with neither. */
static size_t
scheme_len(volo_str s)
{
    size_t n = s.len > 4 && volo__lower((unsigned char)s.ptr[4]) == 's' ? 5 : 4;

    if (s.len < n + 3 || memcmp(s.ptr + n, "://", 3))
        return 0;
    if (!volo__str_ieq(volo_str_make(s.ptr, 4), VOLO_STR("http")))
        return 0;
    return n + 3;
}

/* "http://host:port/path?query"; the host must be there (RFC 9110 4.2.1). */
static int
parse_absolute(struct volo__target *t, int method, volo_str s)
{
    size_t n = scheme_len(s), i;
    volo_str rest;
    int err;

    if (n == 0)
        return VOLO_EPROTO;
    t->scheme = volo_str_make(s.ptr, n - 3);
    rest = from(s, n);
    for (i = 0; i < rest.len; i++)
        if (rest.ptr[i] == '/' || rest.ptr[i] == '?')
            break;
    t->authority = volo_str_make(rest.ptr, i);
    if (volo__authority_host(t->authority).len == 0 ||
        !volo__authority_valid(t->authority))
        return VOLO_EPROTO;
    err = parse_path(t, from(rest, i));
    if (err < 0)
        return err;
    if (t->path.len == 0)
        t->path = method == VOLO_OPTIONS && !t->query.ptr ? VOLO_STR("*")
                                                          : VOLO_STR("/");
    return 0;
}

/* "host:port", both there. */
static int
parse_authority(struct volo__target *t, volo_str s)
{
    size_t host = volo__authority_host(s).len;

    if (host == 0 || s.len < host + 2 || !volo__authority_valid(s))
        return VOLO_EPROTO;
    t->authority = s;
    return 0;
}

int
volo__target_parse(struct volo__target *out, int method, volo_str target)
{
    struct volo__target t;
    int err;

    memset(&t, 0, sizeof(t));
    if (target.len == 0)
        return VOLO_EPROTO;
    if (method == VOLO_CONNECT) {
        err = parse_authority(&t, target);
    } else if (target.ptr[0] == '/') {
        err = parse_path(&t, target);
    } else if (volo_str_eq(target, VOLO_STR("*"))) {
        t.path = target;
        err = method == VOLO_OPTIONS ? 0 : VOLO_EPROTO;
    } else {
        err = parse_absolute(&t, method, target);
    }
    if (err == 0)
        *out = t;
    return err;
}
