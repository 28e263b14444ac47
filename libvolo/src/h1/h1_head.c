/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving a head, and the order in which requests are served.  The parser
 * gets the request line only when it is complete, so that we can read it
 * first, and stops at the end of the head.
 */
#include <string.h>

#include "base/str.h"
#include "h1/state.h"

int
volo__h1_may_start(const struct volo__h1 *h1)
{
    if (h1->final)
        return 0;
    if (h1->wire.count >= h1->wire.config->pipeline_limit)
        return 0;
    if (h1->last && (h1->last->codec_bits & VOLO__H1_EXCLUSIVE))
        return 0;
    return h1->wire.out->bytes <= h1->wire.config->out_limit;
}

static int
begin_head(struct volo__h1 *h1)
{
    volo_cx *cx = volo__cx_new(h1->wire.home);

    if (!cx)
        return VOLO_ENOMEM;
    cx->codec = &volo__h1_codec;
    cx->conn = h1;
    cx->peer = h1->wire.peer;
    cx->body.limit = h1->wire.config->body_limit;
    cx->write_limit = h1->wire.config->out_limit;
    h1->parsing = cx;
    h1->state = VOLO__H1_IN_HEAD;
    h1->blank = 0;
    volo__h1_section_begin(h1);
    return 0;
}

/* A few empty lines are forgiven (RFC 9112 section 2.2), nothing else. */
size_t
volo__h1_feed_start(struct volo__h1 *h1, const char *ptr, size_t len)
{
    size_t n;

    if (!volo__h1_may_start(h1))
        return 0;
    for (n = 0; n < len; n++) {
        int odd = h1->blank & 1; /* a CR has been seen */

        if (!odd && ptr[n] != '\r' && ptr[n] != '\n') {
            if (begin_head(h1) == 0)
                return n;
            volo__h1_refuse(h1, 503);
            return len;
        }
        if (ptr[n] != (odd ? '\n' : '\r') ||
            ++h1->blank > VOLO__H1_BLANK_LIMIT) {
            volo__h1_refuse(h1, 400);
            return len;
        }
    }
    return len;
}

/* ---- The order of serving ------------------------------------------------ */

static int
may_serve(const struct volo__h1 *h1, const volo_cx *cx)
{
    if (!h1->last)
        return 1;
    return !((cx->codec_bits | h1->last->codec_bits) & VOLO__H1_EXCLUSIVE);
}

static void
link_last(struct volo__h1 *h1, volo_cx *cx)
{
    if (h1->last)
        h1->last->next = cx;
    else
        h1->first = cx;
    h1->last = cx;
    h1->wire.count++;
}

/* Where reading goes on, and the body as far as it is there. */
static size_t
begin_body(struct volo__h1 *h1, volo_cx *cx, const char *ptr, size_t len)
{
    struct volo__body *body = &cx->body;
    uint64_t size = (uint64_t)body->length;

    if (len)
        cx->req.expect = 0; /* it has not waited */
    if (body->length < 0) {
        h1->state = VOLO__H1_CHUNKED;
        h1->ext_size = 0;
        return 0;
    }
    if (len >= size &&
        volo__body_preload(cx, volo_str_make(ptr, size), h1->block) == 0) {
        h1->parsing = NULL;
        h1->state = VOLO__H1_START;
        return size;
    }
    h1->state = VOLO__H1_LENGTH;
    h1->left = size;
    return 0;
}

/* The other codec has the exchange and the connection from here on. */
static int
hand_over(struct volo__h1 *h1, volo_cx *cx)
{
    volo_str settings;

    if (!volo__h1_wants_h2c(h1, cx, &settings))
        return 0;
    cx->body.complete = 1;
    cx->codec = NULL;
    cx->conn = NULL;
    if (h1->wire.host->h2c(&h1->wire, cx, settings)) {
        h1->parsing = NULL;
        h1->state = VOLO__H1_UPGRADED;
        return 1;
    }
    cx->codec = &volo__h1_codec;
    cx->conn = h1;
    return 0;
}

size_t
volo__h1_launch(struct volo__h1 *h1, const char *ptr, size_t len)
{
    volo_cx *cx = h1->parsing;
    size_t n = 0;

    if (!may_serve(h1, cx))
        return 0;
    if ((cx->codec_bits & VOLO__H1_UPGRADE) && hand_over(h1, cx))
        return 0;
    link_last(h1, cx);
    if (cx->body.length) {
        n = begin_body(h1, cx, ptr, len);
    } else {
        cx->body.complete = 1;
        h1->parsing = NULL;
        h1->state = VOLO__H1_START;
    }
    h1->wire.host->serve(&h1->wire, cx);
    return n;
}

/* ---- Receiving ----------------------------------------------------------- */

/* The head ends after ${size} octets of what is there. */
static int
complete(struct volo__h1 *h1, size_t size)
{
    h1->size = (uint32_t)size;
    if (volo__h1_section_end(h1))
        return 503;
    return volo__h1_check_head(h1, h1->parsing);
}

/* The request line: 1 when it is there, 0 if not yet, or refused. */
static int
line_complete(struct volo__h1 *h1, size_t fresh)
{
    size_t from = h1->size - fresh;
    const char *end = memchr(h1->text + from, '\n', fresh);
    int status;

    status = end ? volo__h1_check_line(h1, h1->parsing, h1->text,
                                       (size_t)(end - h1->text))
                 : volo__h1_check_part(h1, h1->text, h1->size);
    if (status) {
        volo__h1_refuse(h1, status);
        return 0;
    }
    return end != NULL;
}

/* Let the parser see what is new.  It knows only some methods; any other is
 * shown to it as PUT. */
static int
execute(struct volo__h1 *h1)
{
    size_t from = h1->parsed;

    if (!from) {
        llhttp_init(&h1->parser, HTTP_REQUEST, &volo__h1_settings);
        if (h1->parsing->req.method == VOLO_OTHER) {
            llhttp_execute(&h1->parser, "PUT", 3);
            from = h1->parsing->req.method_name.len;
        }
    }
    h1->parsed = h1->size;
    return llhttp_execute(&h1->parser, h1->text + from, h1->size - from);
}

/* Not complete yet: within the limit, keep it for the next octets. */
static size_t
keep(struct volo__h1 *h1, size_t taken)
{
    size_t cap = h1->size < 256 ? 512 : h1->size * 2;

    if (h1->size >= h1->wire.config->head_limit)
        volo__h1_refuse(h1, 431);
    else if (volo__h1_section_keep(h1, cap))
        volo__h1_refuse(h1, 503);
    return taken;
}

static size_t
refused(struct volo__h1 *h1, int status, size_t len)
{
    volo__h1_refuse(h1, status);
    return len;
}

size_t
volo__h1_feed_head(struct volo__h1 *h1, const char *ptr, size_t len)
{
    size_t room = h1->wire.config->head_limit - h1->size;
    size_t n = len < room ? len : room, size;
    int err, status;

    if (!len)
        return 0;
    if (volo__h1_section_add(h1, ptr, n))
        return refused(h1, 503, len);
    if (!h1->parsed && !line_complete(h1, n))
        return h1->state == VOLO__H1_IN_HEAD ? keep(h1, n) : len;

    h1->fault = 0;
    err = execute(h1);
    if (err == HPE_OK)
        return keep(h1, n);
    if (err != HPE_PAUSED)
        return refused(h1, h1->fault ? h1->fault : 400, len);

    size = (size_t)(llhttp_get_error_pos(&h1->parser) - h1->text);
    n -= h1->size - size;
    status = complete(h1, size);
    if (status)
        return refused(h1, status, len);
    h1->state = VOLO__H1_HELD;
    return n + volo__h1_launch(h1, ptr + n, len - n);
}
