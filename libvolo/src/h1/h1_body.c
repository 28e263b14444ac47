/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving a body.  One of known length is only counted; a chunked one goes
 * through the parser.  What nobody wants is read up to a limit for the sake of
 * the connection.
 */
#include "h1/state.h"

int
volo__h1_body_welcome(const struct volo__h1 *h1)
{
    return !h1->parsing || volo__body_wanted(h1->parsing);
}

void
volo__h1_body_broken(struct volo__h1 *h1, int err)
{
    volo_cx *cx = h1->parsing;

    h1->parsing = NULL;
    h1->state = VOLO__H1_DONE;
    h1->final = 1;
    if (err == VOLO_EPROTO || err == VOLO_EHEAD)
        h1->wire.malformed = 1;
    if (cx)
        volo__body_fail(cx, err);
    volo__h1_settle(h1);
}

/* An answer that came without the body ends the waiting for a "100", and then
 * we cannot know whether the body will come.  A large one, or one beyond a
 * limit whose end is not known, is not worth a connection. */
void
volo__h1_body_unread(struct volo__h1 *h1)
{
    volo_cx *cx = h1->parsing;
    uint64_t limit = VOLO__H1_DRAIN_LIMIT;

    if (cx->req.expect)
        h1->final = 1;
    else if (h1->state == VOLO__H1_LENGTH)
        h1->final |= h1->left > limit;
    else
        h1->final |= cx->body.got > limit ||
                     (cx->body.err && cx->body.err != VOLO_ECANCELED);
}

/* The reader wants no more of it, and may not have answered yet. */
static void
rejected(struct volo__h1 *h1)
{
    if (h1->state == VOLO__H1_LENGTH && h1->left <= VOLO__H1_DRAIN_LIMIT)
        return;
    h1->parsing = NULL;
    h1->state = VOLO__H1_DONE;
    h1->final = 1;
    volo__h1_settle(h1);
}

/* Octets have come for somebody who does not want them yet. */
static size_t
hold(struct volo__h1 *h1, size_t len)
{
    if (len)
        h1->parsing->req.expect = 0;
    return 0;
}

static void
end(struct volo__h1 *h1)
{
    volo_cx *cx = h1->parsing;

    h1->parsing = NULL;
    h1->state = VOLO__H1_START;
    if (cx)
        volo__body_end(cx);
    volo__h1_settle(h1);
}

/* Give ${len} octets; returns 0 if no more shall be given now. */
static int
give(struct volo__h1 *h1, const char *ptr, size_t len)
{
    uint8_t state = h1->state;
    int rc;

    if (!h1->parsing)
        return 1;
    h1->parsing->req.expect = 0;
    rc = volo__body_give(h1->parsing, volo_str_make(ptr, len), h1->block);
    if (h1->state != state)
        return 0;
    if (rc < 0 && h1->parsing)
        rejected(h1);
    return rc != 0 && h1->state == state;
}

size_t
volo__h1_feed_length(struct volo__h1 *h1, const char *ptr, size_t len)
{
    size_t n = len < h1->left ? len : (size_t)h1->left;

    if (!volo__h1_body_welcome(h1))
        return hold(h1, len);
    if (!n)
        return 0;
    h1->left -= n;
    give(h1, ptr, n);
    if (h1->state == VOLO__H1_LENGTH && !h1->left)
        end(h1);
    return n;
}

/* ---- Chunked ------------------------------------------------------------- */

int
volo__h1_on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct volo__h1 *h1 = volo__h1_of(parser);

    if (!len)
        return 0;
    if (!h1->parsing) {
        if (len > h1->left) {
            h1->fault = 413; /* enough has been thrown away */
            return -1;
        }
        h1->left -= len;
        return 0;
    }
    return give(h1, at, len) ? 0 : HPE_PAUSED;
}

/* The last one: trailers have limits of their own, so stop before them. */
int
volo__h1_on_chunk(llhttp_t *parser)
{
    struct volo__h1 *h1 = volo__h1_of(parser);

    if (parser->content_length)
        return 0;
    h1->state = VOLO__H1_TRAILER;
    volo__h1_section_begin(h1);
    return HPE_PAUSED;
}

int
volo__h1_on_chunk_ext(llhttp_t *parser, const char *at, size_t len)
{
    struct volo__h1 *h1 = volo__h1_of(parser);

    (void)at;
    if (len > h1->wire.config->chunk_ext_limit - h1->ext_size)
        return -1;
    h1->ext_size += (uint32_t)len;
    return 0;
}

int
volo__h1_on_end(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static int
error_of(int fault)
{
    switch (fault) {
    case 413:
        return VOLO_ETOOBIG;
    case 431:
        return VOLO_EHEAD;
    case 503:
        return VOLO_ENOMEM;
    default:
        return VOLO_EPROTO;
    }
}

/* The parser has stopped: where we want it to, or because it must. */
static size_t
stopped(struct volo__h1 *h1, const char *ptr, size_t len, int err)
{
    if (err == HPE_PAUSED) {
        llhttp_resume(&h1->parser);
        return (size_t)(llhttp_get_error_pos(&h1->parser) - ptr);
    }
    if (h1->state == VOLO__H1_CHUNKED || h1->state == VOLO__H1_TRAILER)
        volo__h1_body_broken(h1, error_of(h1->fault));
    return len;
}

size_t
volo__h1_feed_chunked(struct volo__h1 *h1, const char *ptr, size_t len)
{
    int err;

    if (!volo__h1_body_welcome(h1))
        return hold(h1, len);
    llhttp_resume(&h1->parser);
    h1->fault = 0;
    err = llhttp_execute(&h1->parser, ptr, len);
    return err ? stopped(h1, ptr, len, err) : len;
}

/* ---- Trailers ------------------------------------------------------------ */

/* As much as belongs to them and is within the limit; the parser's answer. */
static int
parse_trailers(struct volo__h1 *h1, const char **ptr, size_t len)
{
    if (volo__h1_section_dropped(h1)) {
        h1->size += (uint32_t)len;
    } else {
        if (volo__h1_section_add(h1, *ptr, len)) {
            h1->fault = 503;
            return HPE_USER;
        }
        *ptr = h1->text + h1->size - len;
    }
    return llhttp_execute(&h1->parser, *ptr, len);
}

/* Not complete yet. */
static size_t
keep(struct volo__h1 *h1, size_t taken)
{
    if (h1->size >= h1->wire.config->trailer_limit)
        volo__h1_body_broken(h1, VOLO_EHEAD);
    else if (!volo__h1_section_dropped(h1) &&
             volo__h1_section_keep(h1, h1->size < 256 ? 512 : h1->size * 2))
        volo__h1_body_broken(h1, VOLO_ENOMEM);
    return taken;
}

size_t
volo__h1_feed_trailer(struct volo__h1 *h1, const char *ptr, size_t len)
{
    size_t room = h1->wire.config->trailer_limit - h1->size;
    size_t n = len < room ? len : room, used;
    const char *at = ptr;
    int err;

    if (!volo__h1_body_welcome(h1))
        return hold(h1, len);
    if (!n)
        return 0;
    h1->fault = 0;
    err = parse_trailers(h1, &at, n);
    if (err == HPE_OK)
        return keep(h1, n);
    used = stopped(h1, at, n, err);
    if (h1->state != VOLO__H1_TRAILER)
        return len;
    h1->size -= (uint32_t)(n - used);
    if (!volo__h1_section_dropped(h1) && volo__h1_section_end(h1))
        volo__h1_body_broken(h1, VOLO_ENOMEM);
    else
        end(h1);
    return used;
}
