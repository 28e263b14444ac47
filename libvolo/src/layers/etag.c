/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer that gives content a validator and answers conditional requests by
 * it (RFC 9110 sections 8.8.3 and 13.1).  It sees content in memory only: what
 * is streamed has left by the time its hash would be known.
 */
#include <volo.h>

enum { TAG_MAX = 2 + 2 + 16 + 1 + 16 }; /* W/"length-hash" */

/* ---- The hash ------------------------------------------------------------ */

/* Eight octets as a number that is the same on every machine, so that servers
 * behind one balancer agree. */
static uint64_t
load64(const unsigned char *p)
{
    uint64_t x = 0;
    unsigned i;

    for (i = 0; i < 8; i++)
        x |= (uint64_t)p[i] << 8 * i;
    return x;
}

static uint64_t
mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9fb21c651e98df25u;
    return h ^ h >> 32;
}

/* It tells versions of a page apart; it does not withstand somebody who makes
 * two pages on purpose. */
static uint64_t
hash(volo_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    unsigned char tail[8] = {0};
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.len;
    size_t n = s.len;

    for (; n >= 8; n -= 8, p += 8)
        h = mix(h, load64(p));
    if (n)
        memcpy(tail, p, n);
    h = mix(h, load64(tail));
    return mix(h, h >> 29);
}

static char *
put_hex(char *out, uint64_t x, unsigned digits)
{
    unsigned i;

    for (i = digits; i-- > 0; x >>= 4)
        out[i] = "0123456789abcdef"[x & 15];
    return out + digits;
}

static size_t
tag_write(char *out, volo_str body, int weak)
{
    char *p = out;
    unsigned digits = 1;

    while (digits < 16 && (uint64_t)body.len >> 4 * digits)
        digits++;
    if (weak) {
        *p++ = 'W';
        *p++ = '/';
    }
    *p++ = '"';
    p = put_hex(p, body.len, digits);
    *p++ = '-';
    p = put_hex(p, hash(body), 16);
    *p++ = '"';
    return (size_t)(p - out);
}

/* ---- Lists of tags ------------------------------------------------------- */

/* The opaque part of a tag, with its quotes; *weak says whether "W/" was
 * before it.  Absent if it is none. */
static volo_str
opaque(volo_str tag, int *weak)
{
    *weak = tag.len >= 2 && tag.ptr[0] == 'W' && tag.ptr[1] == '/';
    if (*weak)
        tag = volo_str_make(tag.ptr + 2, tag.len - 2);
    if (tag.len < 2 || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"')
        return volo_str_make(NULL, 0);
    return tag;
}

static size_t
skip_blanks(volo_str s, size_t i)
{
    while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t'))
        i++;
    return i;
}

/* Where the tag that starts at ${i} ends; ${i} itself if there is none. */
static size_t
tag_end(volo_str s, size_t i)
{
    size_t start = i;

    if (s.len - i >= 2 && s.ptr[i] == 'W' && s.ptr[i + 1] == '/')
        i += 2;
    if (i == s.len || s.ptr[i] != '"')
        return start;

    /* etagc (RFC 9110 section 8.8.3): no quote, no blank, no control. */
    for (i++; i < s.len && s.ptr[i] != '"'; i++)
        if ((unsigned char)s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f)
            return start;
    return i < s.len ? i + 1 : start;
}

static int
tags_match(volo_str a, volo_str b, int strong)
{
    int weak_a, weak_b;
    volo_str x = opaque(a, &weak_a);
    volo_str y = opaque(b, &weak_b);

    if (strong && (weak_a || weak_b))
        return 0;
    return x.ptr && y.ptr && volo_str_eq(x, y);
}

/* 1 if ${tag} is in one field line; what follows a mistake is not read. */
static int
line_has(volo_str line, volo_str tag, int strong)
{
    size_t i = skip_blanks(line, 0);
    size_t end;

    if (i < line.len && line.ptr[i] == '*')
        return skip_blanks(line, i + 1) == line.len;
    while (i < line.len) {
        if (line.ptr[i] != ',') {
            end = tag_end(line, i);
            if (end == i)
                return 0;
            if (tags_match(volo_str_make(line.ptr + i, end - i), tag, strong))
                return 1;
            i = skip_blanks(line, end);
            if (i < line.len && line.ptr[i] != ',')
                return 0;
        }
        i = skip_blanks(line, i + 1);
    }
    return 0;
}

/* -1 if the request has no such field, else whether it names ${tag}. */
static int
field_has(const volo_cx *cx, int field, volo_str tag, int strong)
{
    size_t count = volo_cx_header_count(cx);
    size_t i;
    int result = -1;

    if (!volo_cx_field(cx, field).ptr)
        return -1;
    for (i = 0; i < count && result < 1; i++) {
        volo_str name, value;

        if (volo_cx_header_at(cx, i, &name, &value) == field)
            result = line_has(value, tag, strong);
    }
    return result;
}

/* ---- The layer ----------------------------------------------------------- */

/* Fields that tell of content which is not sent have no place. */
static void
drop_content(volo_cx *cx)
{
    volo_cx_remove_header(cx, "content-type");
    volo_cx_remove_header(cx, "content-encoding");
    volo_cx_remove_header(cx, "content-language");
    volo_cx_remove_header(cx, "content-range");
    volo_cx_remove_header(cx, "content-disposition");
    volo_cx_remove_header(cx, "last-modified");
    volo_cx_set_body_ref(cx, VOLO_STR(""), NULL, NULL);
}

static void
fail_precondition(volo_cx *cx)
{
    drop_content(cx);
    volo_cx_remove_header(cx, "etag");
    volo_cx_set_status(cx, 412);
    volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE,
                      VOLO_STR("text/plain; charset=utf-8"));
    volo_cx_set_body_ref(cx, VOLO_STR("Precondition Failed\n"), NULL, NULL);
}

/* The response's tag, made if it has none; absent if there is no memory. */
static volo_str
response_tag(volo_cx *cx, int weak)
{
    volo_str tag = volo_cx_response_header(cx, "etag");
    char *made;

    if (tag.ptr)
        return tag;
    made = volo_cx_alloc(cx, TAG_MAX);
    if (!made)
        return tag;
    tag = volo_str_make(made, tag_write(made, volo_cx_response_body(cx), weak));
    if (volo_cx_set_field(cx, VOLO_FIELD_ETAG, tag) < 0)
        return volo_str_make(NULL, 0);
    return tag;
}

static void
etag_response(volo_cx *cx, void *frame)
{
    const int *weak = frame;
    volo_str tag;
    int match;

    if (volo_cx_status(cx) != 200 || volo_cx_is_streamed(cx) ||
        !volo_cx_response_body(cx).ptr)
        return;
    tag = response_tag(cx, *weak);
    if (!tag.ptr)
        return;

    /* The order is that of RFC 9110 section 13.2.2. */
    match = field_has(cx, VOLO_FIELD_IF_MATCH, tag, 1);
    if (match == 0) {
        fail_precondition(cx);
        return;
    }
    if (field_has(cx, VOLO_FIELD_IF_NONE_MATCH, tag, 0) == 1) {
        drop_content(cx);
        volo_cx_set_status(cx, 304);
    }
}

static void
etag_run(volo_cx *cx, volo_next *next, void *user)
{
    int method = volo_cx_method(cx);

    if (method == VOLO_GET || method == VOLO_HEAD)
        volo_next_run(next, cx, etag_response, user);
    else
        volo_next_run(next, cx, NULL, NULL);
}

int
volo_layer_etag(volo_layer **out, int weak)
{
    int *copy;

    if (!out)
        return VOLO_EINVAL;

    copy = volo_alloc(sizeof *copy);
    if (!copy)
        return VOLO_ENOMEM;
    *copy = weak != 0;
    return volo_layer_new(out, etag_run, copy, volo_free);
}
