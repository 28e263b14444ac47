/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects and cookies: what is written into a field by its own grammar. */
#include <string.h>

#include "base/str.h"
#include "http/cookie.h"
#include "http/cx.h"
#include "reply/reply.h"

/* ---- Location ------------------------------------------------------------ */

static int
is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

static int
is_hex(char c)
{
    return (unsigned)(c - '0') < 10u || (unsigned)((c | 0x20) - 'a') < 6u;
}

/* Where the next "%" is that no escape begins with; the length if none. */
static size_t
stray_percent(volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (s.ptr[i] == '%' &&
            (s.len - i < 3 || !is_hex(s.ptr[i + 1]) || !is_hex(s.ptr[i + 2])))
            break;
    return i;
}

/* All that RFC 3986 has in a URI reference, escapes that are there included;
 * the rest is encoded. */
static volo_str
encode_location(volo_cx *cx, volo_str location)
{
    size_t len = 0, n;
    char *out;

    if (location.len > SIZE_MAX / 3)
        return volo_str_of(NULL);
    out = volo_cx_alloc(cx, 3 * location.len + 1);
    if (!out)
        return volo_str_of(NULL);
    while (location.len) {
        n = stray_percent(location);
        len += volo__percent_encode(out + len, volo_str_make(location.ptr, n),
                                    ":/?#[]@!$&'()*+,;=%");
        if (n == location.len)
            break;
        memcpy(out + len, "%25", 3);
        len += 3;
        location = volo_str_make(location.ptr + n + 1, location.len - n - 1);
    }
    return volo_str_make(out, len);
}

int
volo_reply_redirect(volo_cx *cx, int status, const char *location)
{
    volo_str uri;
    int err = volo__reply_late(cx);

    if (err)
        return err;
    if (!is_redirect(status) || !location || !*location)
        return volo__reply_failed(cx, VOLO_EINVAL);
    uri = encode_location(cx, volo_str_of(location));
    if (!uri.ptr)
        return volo__reply_failed(cx, VOLO_ENOMEM);
    err = volo_cx_set_field(cx, VOLO_FIELD_LOCATION, uri);
    return err ? volo__reply_failed(cx, err) : volo_reply_status(cx, status);
}

/* ---- Set-Cookie ---------------------------------------------------------- */

/* RFC 6265 section 4.1.1: an av is any ASCII but controls and ";"; we want a
 * token before the "=", so that nothing else is smuggled in. */
static int
attribute_valid(volo_str av)
{
    const char *eq = memchr(av.ptr, '=', av.len);
    volo_str name = av;
    size_t i;

    if (eq)
        name.len = (size_t)(eq - av.ptr);
    if (!volo__is_token(name))
        return 0;
    for (i = name.len; i < av.len; i++)
        if ((unsigned char)av.ptr[i] < 0x20 || (unsigned char)av.ptr[i] > 0x7e)
            return 0;
    return 1;
}

static int
attributes_valid(volo_str list)
{
    while (list.len) {
        const char *end = memchr(list.ptr, ';', list.len);
        size_t n = end ? (size_t)(end - list.ptr) : list.len;

        if (!attribute_valid(volo__str_trim(volo_str_make(list.ptr, n))))
            return 0;
        list.ptr += n + (end != NULL);
        list.len -= n + (end != NULL);
        if (end && !list.len)
            return 0; /* nothing behind the last ";" */
    }
    return 1;
}

static char *
append(char *out, volo_str s)
{
    if (s.len)
        memcpy(out, s.ptr, s.len);
    return out + s.len;
}

int
volo__cookie_line(volo_str *out, volo_cx *cx, const char *name, volo_str value,
                  const char *attributes)
{
    volo_str key = volo_str_of(name), list = volo_str_of(attributes);
    char *line, *p;

    if (!volo__cookie_name_valid(key) || !volo__cookie_value_valid(value) ||
        !attributes_valid(list))
        return VOLO_EINVAL;
    line = volo_cx_alloc(cx, key.len + value.len + list.len + 3);
    if (!line)
        return VOLO_ENOMEM;
    p = append(line, key);
    *p++ = '=';
    p = append(p, value);
    if (list.len) {
        p = append(p, VOLO_STR("; "));
        p = append(p, list);
    }
    *out = volo_str_make(line, (size_t)(p - line));
    return 0;
}
