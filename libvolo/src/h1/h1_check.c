/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we demand of a head beyond what the parser does: the request line to
 * the octet, Host, and framing with one reading only (RFC 9112 sections 3 and
 * 6).  Repairs nothing.
 */
#include <string.h>

#include "base/str.h"
#include "h1/state.h"
#include "http/message.h"
#include "http/uri.h"

/* ---- The request line ---------------------------------------------------- */

/* The method is ${len} octets so far. */
static int
check_method(const char *line, size_t len)
{
    size_t shown = len < VOLO__METHOD_LIMIT ? len : VOLO__METHOD_LIMIT;

    if (!volo__is_token(volo_str_make(line, shown)))
        return 400;
    return len > VOLO__METHOD_LIMIT ? 501 : 0;
}

static int
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int
check_version(volo_cx *cx, const char *ptr, size_t len)
{
    if (len != 8 || memcmp(ptr, "HTTP/", 5) || !is_digit(ptr[5]) ||
        ptr[6] != '.' || !is_digit(ptr[7]))
        return 400;
    if (ptr[5] != '1' || ptr[7] > '1')
        return 505;
    cx->req.version = (uint8_t)(10 + ptr[7] - '0');
    return 0;
}

/* What follows the method: "target SP version CR". */
static int
check_rest(struct volo__h1 *h1, volo_cx *cx, const char *ptr, size_t len)
{
    size_t end = len && ptr[len - 1] == '\r' ? len - 1 : len;
    const char *space = memchr(ptr, ' ', end);
    size_t target = space ? (size_t)(space - ptr) : end;

    if (target > h1->wire.config->target_limit)
        return 414;
    if (!space || !target || end == len)
        return 400;
    cx->req.target = volo_str_make(ptr, target);
    return check_version(cx, space + 1, end - target - 1);
}

static int
check_any_line(struct volo__h1 *h1, volo_cx *cx, const char *line, size_t len)
{
    size_t most = len > VOLO__METHOD_LIMIT ? VOLO__METHOD_LIMIT + 1 : len;
    const char *space = memchr(line, ' ', most);
    size_t method = space ? (size_t)(space - line) : most;
    int status = check_method(line, method);

    if (status || !space)
        return status ? status : 400;
    cx->req.method_name = volo_str_make(line, method);
    cx->req.method = (uint8_t)volo_method_of(line, method);
    return check_rest(h1, cx, space + 1, len - method - 1);
}

int
volo__h1_check_line(struct volo__h1 *h1, volo_cx *cx, const char *line,
                    size_t len)
{
    /* The usual case needs no search. */
    if (len > 4 && !memcmp(line, "GET ", 4)) {
        cx->req.method_name = volo_str_make(line, 3);
        cx->req.method = VOLO_GET;
        return check_rest(h1, cx, line + 4, len - 4);
    }
    return check_any_line(h1, cx, line, len);
}

int
volo__h1_check_part(const struct volo__h1 *h1, const char *line, size_t len)
{
    size_t most = len > VOLO__METHOD_LIMIT ? VOLO__METHOD_LIMIT + 1 : len;
    const char *space = memchr(line, ' ', most);
    size_t method = space ? (size_t)(space - line) : most;
    int status;

    /* A CR may be the one before the LF: too early to say. */
    if (!space && method && line[method - 1] == '\r')
        method--;
    status = method || space ? check_method(line, method) : 0;
    if (status || !space)
        return status;

    /* One more octet than the limit may be that CR, too. */
    len -= method + 1;
    most = (size_t)h1->wire.config->target_limit + 2;
    if (len >= most && !memchr(space + 1, ' ', most - 1))
        return 414;
    return 0;
}

/* ---- The fields ---------------------------------------------------------- */

static int
is_repeated(const struct volo__h1 *h1, int id)
{
    return (h1->repeated >> id) & 1;
}

static volo_str
value_of(const volo_cx *cx, int id)
{
    return volo__fields_find(&cx->req.headers, id, volo_str_make(NULL, 0));
}

/* Whether any line of field ${id} lists ${token}. */
static int
lists(const volo_cx *cx, int id, const char *token)
{
    const struct volo__fields *fields = &cx->req.headers;
    uint32_t i;

    for (i = 0; i < fields->count; i++)
        if (fields->v[i].id == (uint32_t)id &&
            volo__list_has(fields->v[i].value, token))
            return 1;
    return 0;
}

/* RFC 9112 section 3.2: one Host, and a valid one; an absolute target
 * overrides it, but does not excuse it. */
static int
check_target(const struct volo__h1 *h1, volo_cx *cx)
{
    volo_str authority;

    if (volo__fields_has(&cx->req.headers, VOLO_FIELD_HOST)) {
        cx->req.authority = value_of(cx, VOLO_FIELD_HOST);
        if (is_repeated(h1, VOLO_FIELD_HOST) ||
            !volo__authority_valid(cx->req.authority))
            return 400;
    } else if (cx->req.version != 10) {
        return 400;
    }
    if (volo__cx_take_target(cx, cx->req.method, &authority))
        return 400;
    if (authority.ptr)
        cx->req.authority = authority;
    return 0;
}

/* One token at least, all of them tokens, of which we know one. */
static int
check_coding(const struct volo__h1 *h1, const volo_cx *cx)
{
    volo_str list = value_of(cx, VOLO_FIELD_TRANSFER_ENCODING), item;
    int unknown = 0, chunked = 0;

    if (is_repeated(h1, VOLO_FIELD_TRANSFER_ENCODING))
        return 400;
    if (volo__str_ieq(list, VOLO_STR("chunked")))
        return 0;
    while (volo__list_next(&list, &item)) {
        if (!volo__is_token(item) || chunked)
            return 400;
        chunked = volo__str_ieq(item, VOLO_STR("chunked"));
        unknown |= !chunked;
    }
    return unknown ? 501 : 400;
}

static int
check_framing(const struct volo__h1 *h1, volo_cx *cx)
{
    uint64_t length;

    if (volo__fields_has(&cx->req.headers, VOLO_FIELD_TRANSFER_ENCODING)) {
        if (cx->req.version == 10 ||
            volo__fields_has(&cx->req.headers, VOLO_FIELD_CONTENT_LENGTH))
            return 400;
        cx->body.length = -1;
        return check_coding(h1, cx);
    }
    if (!volo__fields_has(&cx->req.headers, VOLO_FIELD_CONTENT_LENGTH))
        return 0;
    if (is_repeated(h1, VOLO_FIELD_CONTENT_LENGTH) ||
        volo__u64_parse(&length, value_of(cx, VOLO_FIELD_CONTENT_LENGTH)) ||
        length > INT64_MAX)
        return 400;
    cx->body.length = (int64_t)length;
    return 0;
}

/* RFC 9112 section 9.3. */
static int
client_stays(const volo_cx *cx)
{
    if (!volo__fields_has(&cx->req.headers, VOLO_FIELD_CONNECTION))
        return cx->req.version != 10;
    if (lists(cx, VOLO_FIELD_CONNECTION, "close"))
        return 0;
    return cx->req.version != 10 ||
           lists(cx, VOLO_FIELD_CONNECTION, "keep-alive");
}

static void
set_bits(volo_cx *cx)
{
    uint32_t bits = 0;

    if (cx->req.method == VOLO_CONNECT ||
        (volo__fields_has(&cx->req.headers, VOLO_FIELD_UPGRADE) &&
         cx->req.version != 10 && lists(cx, VOLO_FIELD_CONNECTION, "upgrade")))
        bits |= VOLO__H1_UPGRADE | VOLO__H1_EXCLUSIVE;
    if (cx->body.length || !volo_method_is_safe(cx->req.method))
        bits |= VOLO__H1_EXCLUSIVE;
    cx->codec_bits = bits;
}

int
volo__h1_check_head(struct volo__h1 *h1, volo_cx *cx)
{
    int status = check_target(h1, cx);

    if (!status)
        status = check_framing(h1, cx);
    if (!status && cx->req.method == VOLO_CONNECT && cx->body.length)
        status = 400;
    if (!status && cx->req.version != 10)
        status = volo__cx_take_expect(cx, cx->body.length != 0);
    if (status)
        return status;
    set_bits(cx);
    if (++h1->wire.requests >= h1->wire.config->request_limit ||
        !client_stays(cx))
        h1->final = 1;
    return 0;
}

/* RFC 7540 section 3.2.  Later requests would be answered in two protocols,
 * and one with content would leave its client waiting for nothing. */
int
volo__h1_wants_h2c(const struct volo__h1 *h1, const volo_cx *cx,
                   volo_str *settings)
{
    const volo_str name = VOLO_STR("http2-settings");

    if (!h1->wire.host->h2c || h1->wire.requests != 1 || h1->final ||
        cx->body.length || cx->req.method == VOLO_CONNECT)
        return 0;
    if (!lists(cx, VOLO_FIELD_UPGRADE, "h2c") ||
        !lists(cx, VOLO_FIELD_CONNECTION, "http2-settings") ||
        volo__fields_count_named(&cx->req.headers, name) != 1)
        return 0;
    *settings = volo__fields_find(&cx->req.headers, 0, name);
    return 1;
}
