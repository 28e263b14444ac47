/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which codec a connection has, what that asks of its host, and how one takes
 * over from the other.
 */
#include <stddef.h>

#include "h2/h2.h"
#include "server/conn.h"

/* Whichever codec it has, it fills our stream's queue. */
static struct volo__conn *
conn_of(struct volo__wire *wire)
{
    return (
        struct volo__conn *)(void *)((char *)wire->out -
                                     offsetof(struct volo__conn, stream.out));
}

/* ---- The codec's host ---------------------------------------------------- */

static void
serve(struct volo__conn *c, volo_cx *cx)
{
    struct volo__root *root = c->worker->server->root;

    if (root->states && volo__cx_push_scope(cx, root->states)) {
        volo__cx_fail(cx, 503);
        volo_cx_unref(cx);
        return;
    }
    volo__cx_serve(cx, &root->around);
}

static void
host_serve(struct volo__wire *wire, volo_cx *cx)
{
    serve(conn_of(wire), cx);
}

/* Something is to be written or fed, but this is no place to do it. */
static void
host_wake(struct volo__wire *wire)
{
    struct volo__conn *c = conn_of(wire);

    if (c->in_data || c->settle_deferred || c->dead)
        return;
    c->settle_deferred = 1;
    volo__home_defer(c->stream.home, &c->settle_task);
}

static void
host_upgrade(struct volo__wire *wire, volo_cx *cx)
{
    struct volo__conn *c = conn_of(wire);

    c->upgrade = cx;
    host_wake(wire);
}

static int
make_h2(struct volo__wire **out, struct volo__conn *c)
{
    return volo__h2_new(out, volo__conn_wire_config(c), &volo__conn_host,
                        c->stream.home, &c->stream.out, &c->peer);
}

/* RFC 7540 section 3.2: cleartext only.  What a bad request for it has put
 * into the queue, which was empty, is taken back. */
static int
host_h2c(struct volo__wire *wire, volo_cx *cx, volo_str settings)
{
    static const char go[] = "HTTP/1.1 101 Switching Protocols\r\n"
                             "connection: upgrade\r\nupgrade: h2c\r\n\r\n";
    struct volo__conn *c = conn_of(wire);
    struct volo__outq *out = wire->out;
    struct volo__wire *h2;

    if (c->peer.tls || out->bytes || !volo__conn_option(c, VOLO_SERVER_HTTP2))
        return 0;
    if (volo__outq_copy(out, go, sizeof go - 1))
        return 0;
    if (make_h2(&h2, c)) {
        volo__outq_clear(out);
        return 0;
    }
    if (volo__h2_adopt(h2, cx, settings)) {
        h2->ops->close(h2);
        volo__outq_clear(out);
        return 0;
    }
    c->adopted = cx;
    volo__conn_count(c);
    c->requests_seen = h2->requests;
    c->wire = h2;
    return 1;
}

const struct volo__wire_host volo__conn_host = {
    .serve = host_serve,
    .wake = host_wake,
    .upgrade = host_upgrade,
    .h2c = host_h2c,
};

/* ---- The codec ----------------------------------------------------------- */

int
volo__conn_start_h2(struct volo__conn *c)
{
    return make_h2(&c->wire, c);
}

int
volo__conn_leave_wire(struct volo__conn *c)
{
    struct volo__wire *wire = c->wire;
    int cut = wire->cut;

    volo__conn_count(c);
    volo__worker_bump(c->worker, VOLO_STAT_ACTIVE,
                      0 - (uint64_t)c->active_seen);
    if (wire->malformed)
        volo__worker_bump(c->worker, VOLO_STAT_MALFORMED, 1);
    c->wire = NULL;
    wire->ops->close(wire);
    return cut || c->h1.wire.cut;
}

size_t
volo__conn_feed(struct volo__conn *c, const char *ptr, size_t len,
                struct volo__block *block)
{
    size_t n = c->wire->ops->feed(c->wire, ptr, len, block);
    volo_cx *cx = c->adopted;

    c->adopted = NULL;
    if (cx)
        serve(c, cx);
    return n;
}
