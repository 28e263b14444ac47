/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection as the codec sees it: feeding, and the ways it
 * ends.  Knows no syntax and no serialising.
 */
#include <string.h>

#include "h1/state.h"

static struct volo__h1 *
h1_of(struct volo__wire *wire)
{
    return (struct volo__h1 *)(void *)wire;
}

static const struct volo__h1 *
h1_of_const(const struct volo__wire *wire)
{
    return (const struct volo__h1 *)(const void *)wire;
}

/* ---- Feeding ------------------------------------------------------------- */

/* As much as the present state takes. */
static size_t
feed_some(struct volo__h1 *h1, const char *ptr, size_t len)
{
    switch (h1->state) {
    case VOLO__H1_START:
        return volo__h1_feed_start(h1, ptr, len);
    case VOLO__H1_IN_HEAD:
        return volo__h1_feed_head(h1, ptr, len);
    case VOLO__H1_HELD:
        return volo__h1_launch(h1, ptr, len);
    case VOLO__H1_LENGTH:
        return volo__h1_feed_length(h1, ptr, len);
    case VOLO__H1_CHUNKED:
        return volo__h1_feed_chunked(h1, ptr, len);
    case VOLO__H1_TRAILER:
        return volo__h1_feed_trailer(h1, ptr, len);
    case VOLO__H1_UPGRADED:
        return 0;
    default:
        return len;
    }
}

static size_t
feed(struct volo__wire *wire, const char *ptr, size_t len,
     struct volo__block *block)
{
    struct volo__h1 *h1 = h1_of(wire);
    size_t done = 0, n;
    uint8_t state;

    if (h1->busy)
        return 0; /* called from inside itself: the outer call goes on */
    h1->busy = 1;
    h1->block = block;
    do {
        state = h1->state;
        n = feed_some(h1, ptr + done, len - done);
        done += n;
    } while (done < len && (n || state != h1->state));
    h1->block = NULL;
    h1->busy = 0;
    return done;
}

static int
wants(const struct volo__wire *wire)
{
    const struct volo__h1 *h1 = h1_of_const(wire);
    switch (h1->state) {
    case VOLO__H1_START:
        return volo__h1_may_start(h1);
    case VOLO__H1_IN_HEAD:
    case VOLO__H1_CLOSED:
        return 1;
    case VOLO__H1_LENGTH:
    case VOLO__H1_CHUNKED:
    case VOLO__H1_TRAILER:
        return volo__h1_body_welcome(h1);
    default:
        return 0;
    }
}

static int
phase(const struct volo__wire *wire)
{
    const struct volo__h1 *h1 = h1_of_const(wire);
    switch (h1->state) {
    case VOLO__H1_START:
        return h1->wire.count ? VOLO__WIRE_BUSY : VOLO__WIRE_IDLE;
    case VOLO__H1_IN_HEAD:
        return VOLO__WIRE_HEAD;
    case VOLO__H1_LENGTH:
    case VOLO__H1_CHUNKED:
    case VOLO__H1_TRAILER:
        return volo__h1_body_welcome(h1) ? VOLO__WIRE_BODY : VOLO__WIRE_BUSY;
    case VOLO__H1_CLOSED:
        return VOLO__WIRE_CLOSING;
    default:
        return VOLO__WIRE_BUSY;
    }
}

static void
output_left(struct volo__wire *wire)
{
    struct volo__h1 *h1 = h1_of(wire);
    uint8_t busy = h1->busy;

    h1->busy = 1;
    if (h1->first && (h1->first->codec_bits & VOLO__H1_STREAMING)) {
        volo__h1_stream_move(h1, h1->first);
        volo__h1_advance(h1);
    }
    h1->busy = busy;
}

/* ---- Endings ------------------------------------------------------------- */

void
volo__h1_unlink(struct volo__h1 *h1, volo_cx *cx)
{
    volo_cx **at = &h1->first, *prev = NULL;

    while (*at != cx) {
        prev = *at;
        at = &prev->next;
    }
    *at = cx->next;
    if (h1->last == cx)
        h1->last = prev;
    cx->next = NULL;
    h1->wire.count--;
    if (h1->parsing == cx)
        h1->parsing = NULL;
}

/* A head that was not served yet is not in the list. */
static void
drop_head(struct volo__h1 *h1)
{
    volo_cx *cx = h1->parsing;

    if (h1->state != VOLO__H1_IN_HEAD && h1->state != VOLO__H1_HELD)
        return;
    h1->parsing = NULL;
    if (cx)
        volo__cx_discard(cx);
}

static void
cancel_all(struct volo__h1 *h1)
{
    volo_cx *cx;

    drop_head(h1);
    h1->state = VOLO__H1_CLOSED;
    h1->final = 1;
    h1->refuse = 0;
    while ((cx = h1->first) != NULL) {
        volo__h1_unlink(h1, cx);
        volo__cx_cancel(cx, VOLO_ECANCELED);
    }
}

void
volo__h1_cut(struct volo__h1 *h1)
{
    h1->wire.cut = 1;
    cancel_all(h1);
}

static void
close(struct volo__wire *wire)
{
    struct volo__h1 *h1 = h1_of(wire);
    /* An answer that was cut off must not look like one that has ended. */
    if (h1->first && h1->first->res.sent)
        wire->cut = 1;
    h1->busy = 1; /* for good: there is nobody to wake */
    cancel_all(h1);
}

void
volo__h1_settle(struct volo__h1 *h1)
{
    int status = h1->refuse;

    if (h1->wire.count || !h1->final)
        return;
    switch (h1->state) {
    case VOLO__H1_IN_HEAD:
    case VOLO__H1_HELD:
    case VOLO__H1_CLOSED:
    case VOLO__H1_UPGRADED:
        return;
    default:
        h1->state = VOLO__H1_CLOSED;
    }
    h1->refuse = 0;
    if (status)
        volo__h1_write_refusal(h1, status & 0x3ff, !(status & 0x8000));
}

void
volo__h1_refuse(struct volo__h1 *h1, int status)
{
    int head = h1->state == VOLO__H1_IN_HEAD && h1->size >= 5 &&
               !memcmp(h1->text, "HEAD ", 5);

    if (status != 408 && status != 503)
        h1->wire.malformed = 1;
    drop_head(h1);
    h1->state = VOLO__H1_DONE;
    h1->final = 1;
    h1->refuse = (uint16_t)(status | (head ? 0x8000 : 0));
    volo__h1_settle(h1);
}

/* A request behind the last response would not be answered, as its client then
 * knows: what there is of one is dropped. */
void
volo__h1_end_input(struct volo__h1 *h1)
{
    h1->final = 1;
    if (h1->state == VOLO__H1_IN_HEAD || h1->state == VOLO__H1_HELD) {
        drop_head(h1);
        h1->state = VOLO__H1_DONE;
    }
}

/* Nothing more of the request that is being received will be read. */
static void
give_up_input(struct volo__h1 *h1)
{
    volo_cx *cx;

    drop_head(h1);
    cx = h1->parsing;
    h1->state = VOLO__H1_DONE;
    h1->final = 1;
    if (cx) {
        volo__h1_unlink(h1, cx);
        volo__cx_cancel(cx, VOLO_ECANCELED);
    }
}

static void
eof(struct volo__wire *wire, int half)
{
    struct volo__h1 *h1 = h1_of(wire);
    uint8_t busy = h1->busy;

    if (h1->state == VOLO__H1_CLOSED || h1->state == VOLO__H1_UPGRADED)
        return;
    h1->busy = 1;
    if (!half)
        cancel_all(h1);
    else if (h1->state == VOLO__H1_HELD && !h1->parsing->body.length)
        h1->final = 1; /* complete, and not answered yet */
    else
        give_up_input(h1);
    volo__h1_settle(h1);
    h1->busy = busy;
}

static void
timeout(struct volo__wire *wire)
{
    struct volo__h1 *h1 = h1_of(wire);
    uint8_t busy = h1->busy;

    h1->busy = 1;
    switch (h1->state) {
    case VOLO__H1_IN_HEAD:
        volo__h1_refuse(h1, 408);
        break;
    case VOLO__H1_LENGTH:
    case VOLO__H1_CHUNKED:
    case VOLO__H1_TRAILER:
        volo__h1_body_broken(h1, VOLO_ETIMEDOUT);
        break;
    default:
        h1->final = 1;
        volo__h1_settle(h1);
        break;
    }
    h1->busy = busy;
}

static void
stop(struct volo__wire *wire)
{
    struct volo__h1 *h1 = h1_of(wire);
    uint8_t busy = h1->busy;

    h1->busy = 1;
    h1->final = 1;

    if (h1->wire.count)
        volo__h1_end_input(h1);
    volo__h1_settle(h1);
    h1->busy = busy;
}

/* ---- The face ------------------------------------------------------------ */

static const struct volo__wire_ops ops = {
    .feed = feed,
    .wants = wants,
    .phase = phase,
    .timeout = timeout,
    .eof = eof,
    .output_left = output_left,
    .stop = stop,
    .close = close,
};

void
volo__h1_init(struct volo__h1 *h1, const struct volo__wire_config *config,
              const struct volo__wire_host *host, struct volo__home *home,
              struct volo__outq *out, const struct volo__peer *peer)
{
    memset(h1, 0, sizeof *h1);
    h1->wire.ops = &ops;
    h1->wire.config = config;
    h1->wire.host = host;
    h1->wire.home = home;
    h1->wire.out = out;
    h1->wire.peer = peer;
}
