/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exchange asks of the codec: its response is sent in its turn, and
 * then it is let go.  Knows no octets.
 */
#include "base/str.h"
#include "h1/state.h"
#include "http/message.h"

static void
left(void *user)
{
    volo__cx_detach(user);
}

/* Out of the list; 1 if its body is still being received, for nobody. */
static void
let_go(struct volo__h1 *h1, volo_cx *cx)
{
    if (h1->parsing == cx && h1->state != VOLO__H1_LENGTH)
        h1->left = VOLO__H1_DRAIN_LIMIT;
    volo__h1_unlink(h1, cx);
    cx->codec = NULL;
    cx->conn = NULL;
}

void
volo__h1_finish(struct volo__h1 *h1, volo_cx *cx)
{
    if (h1->parsing == cx && cx->res.streamed)
        volo__h1_body_unread(h1);
    let_go(h1, cx);

    /* With hooks, it lives until its octets have left. */
    if (!cx->finishes || volo__outq_ref(h1->wire.out, "", 0, left, cx))
        volo__cx_detach(cx);
}

/* ---- Sending ------------------------------------------------------------- */

static void
send_head_only(struct volo__h1 *h1, volo_cx *cx)
{
    int framing =
        volo__cx_has_length(cx) ? VOLO__H1_KNOWN_LENGTH : VOLO__H1_NO_LENGTH;
    uint64_t length = cx->res.body.len;

    if (cx->res.streamed && framing == VOLO__H1_KNOWN_LENGTH) {
        length = (uint64_t)cx->res.length;
        if (cx->res.length < 0)
            framing =
                cx->req.version == 10 ? VOLO__H1_NO_LENGTH : VOLO__H1_IN_CHUNKS;
    }
    if (volo__h1_write(h1, cx, framing, length, volo_str_make(NULL, 0)))
        volo__h1_cut(h1);
    else
        volo__h1_finish(h1, cx);
}

/* A large body stays where it is, and the exchange with it. */
static void
send_whole(struct volo__h1 *h1, volo_cx *cx)
{
    volo_str body = cx->res.body;
    int err = volo__h1_write(h1, cx, VOLO__H1_KNOWN_LENGTH, body.len, body);

    cx->sent += body.len;
    if (!err && body.len <= VOLO__H1_SMALL_BODY) {
        volo__h1_finish(h1, cx);
        return;
    }
    if (!err)
        err = volo__outq_ref(h1->wire.out, body.ptr, body.len, left, cx);
    if (err)
        volo__h1_cut(h1);
    else
        let_go(h1, cx);
}

/* Into the hands of the host, with the connection. */
static void
send_upgrade(struct volo__h1 *h1, volo_cx *cx)
{
    if (volo__h1_write(h1, cx, VOLO__H1_NO_LENGTH, 0, volo_str_make(NULL, 0))) {
        volo__h1_cut(h1);
        return;
    }
    let_go(h1, cx);
    h1->state = VOLO__H1_UPGRADED;
    h1->wire.host->upgrade(&h1->wire, cx);
}

static void
send_response(struct volo__h1 *h1, volo_cx *cx)
{
    if (cx->res.upgrade_fn) {
        send_upgrade(h1, cx);
        return;
    }
    /* We have not made one. */
    if (volo__cx_is_tunnel(cx))
        cx->res.status = 501;
    if (h1->parsing == cx && !cx->res.streamed)
        volo__h1_body_unread(h1);
    if (volo__cx_has_no_content(cx))
        send_head_only(h1, cx);
    else if (cx->res.streamed)
        volo__h1_stream_begin(h1, cx);
    else
        send_whole(h1, cx);
}

/* A request that waited for those before it. */
static void
serve_held(struct volo__h1 *h1)
{
    if (h1->state == VOLO__H1_HELD && !h1->wire.count)
        volo__h1_launch(h1, NULL, 0);
}

void
volo__h1_advance(struct volo__h1 *h1)
{
    volo_cx *cx;

    while ((cx = h1->first) != NULL) {
        if ((cx->codec_bits & (VOLO__H1_READY | VOLO__H1_STREAMING)) !=
            VOLO__H1_READY)
            return;
        cx->codec_bits &= ~(uint32_t)VOLO__H1_READY;
        send_response(h1, cx);
    }
    serve_held(h1);
    volo__h1_settle(h1);
}

/* ---- What the exchange calls --------------------------------------------- */

static void
respond(volo_cx *cx)
{
    struct volo__h1 *h1 = cx->conn;
    uint8_t busy = h1->busy;

    cx->codec_bits |= VOLO__H1_READY;
    if (cx != h1->first)
        return;
    h1->busy = 1;
    volo__h1_advance(h1);
    h1->busy = busy;
    if (!busy)
        h1->wire.host->wake(&h1->wire);
}

static void
stream(volo_cx *cx)
{
    struct volo__h1 *h1 = cx->conn;
    uint8_t busy = h1->busy;

    if (cx != h1->first ||
        (cx->codec_bits & (VOLO__H1_STREAMING | VOLO__H1_MOVING)) !=
            VOLO__H1_STREAMING)
        return;
    h1->busy = 1;
    volo__h1_stream_move(h1, cx);
    volo__h1_advance(h1);
    h1->busy = busy;
    if (!busy)
        h1->wire.host->wake(&h1->wire);
}

/* The first that reads says so to a client that waits for it, unless the
 * response has begun (RFC 9110 section 10.1.1). */
static void
want_body(volo_cx *cx)
{
    struct volo__h1 *h1 = cx->conn;

    if (cx->req.expect && h1->parsing == cx &&
        !(cx->codec_bits & VOLO__H1_STREAMING)) {
        volo_str go = VOLO_STR("HTTP/1.1 100 Continue\r\n\r\n");

        cx->req.expect = 0;
        volo__outq_copy(h1->wire.out, go.ptr, go.len);
    }
    if (!h1->busy)
        h1->wire.host->wake(&h1->wire);
}

static void
replace(volo_cx *cx, volo_cx *heir)
{
    struct volo__h1 *h1 = cx->conn;
    volo_cx **at = &h1->first;

    while (*at != cx)
        at = &(*at)->next;
    *at = heir;
    heir->next = cx->next;
    heir->codec = cx->codec;
    heir->conn = h1;
    heir->codec_bits = cx->codec_bits;
    heir->codec_n = cx->codec_n;
    if (h1->last == cx)
        h1->last = heir;
    if (h1->parsing == cx)
        h1->parsing = heir;
    cx->next = NULL;
    cx->codec = NULL;
    cx->conn = NULL;
}

static int
can_upgrade(volo_cx *cx, volo_str protocol)
{
    const struct volo__fields *fields = &cx->req.headers;
    uint32_t i;

    /* There is no descriptor to give away that speaks plainly. */
    if (cx->req.version != 11 || (cx->peer && cx->peer->tls))
        return VOLO_ENOTIMPL;
    if (cx->body.length || !(cx->codec_bits & VOLO__H1_UPGRADE))
        return VOLO_EINVAL;
    if (cx->req.method == VOLO_CONNECT)
        return 0;
    for (i = 0; i < fields->count; i++) {
        volo_str list = fields->v[i].value, item;

        if (fields->v[i].id != VOLO_FIELD_UPGRADE)
            continue;
        while (volo__list_next(&list, &item))
            if (volo__str_ieq(item, protocol))
                return 0;
    }
    return VOLO_EINVAL;
}

/* Only the first may write, and an advice that is late is none. */
static int
inform(volo_cx *cx, int status, const struct volo__fields *fields)
{
    struct volo__h1 *h1 = cx->conn;
    int err;

    if (cx->req.version == 10)
        return VOLO_ENOTIMPL;
    if (cx != h1->first || h1->wire.out->bytes > h1->wire.config->out_limit)
        return 0;
    err = volo__h1_write_interim(h1, status, fields);
    if (!err && !h1->busy)
        h1->wire.host->wake(&h1->wire);
    return err;
}

const struct volo__codec volo__h1_codec = {
    .respond = respond,
    .stream = stream,
    .want_body = want_body,
    .replace = replace,
    .can_upgrade = can_upgrade,
    .inform = inform,
};
