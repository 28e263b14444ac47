/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: octets from the stream to the codec and back, and a timer
 * for every state that the peer can hold.  Knows nothing of HTTP but what the
 * codec's phase tells.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "server/conn.h"

static void settle(struct volo__conn *c);

/* Whichever codec it has, it fills our stream's queue. */
static struct volo__conn *
conn_of(struct volo__wire *wire)
{
    return (
        struct volo__conn *)(void *)((char *)wire->out -
                                     offsetof(struct volo__conn, stream.out));
}

struct volo__conn *
volo__conn_next(struct volo__conn *conn)
{
    return conn->next;
}

/* ---- Counting ------------------------------------------------------------ */

static void
count(struct volo__conn *c)
{
    struct volo__worker *w = c->worker;

    volo__worker_bump(w, VOLO_STAT_READS, c->stream.reads - c->reads_seen);
    volo__worker_bump(w, VOLO_STAT_WRITES, c->stream.writes - c->writes_seen);
    volo__worker_bump(w, VOLO_STAT_REQUESTS,
                      c->wire->requests - c->requests_seen);
    volo__worker_bump(w, VOLO_STAT_ACTIVE,
                      (uint64_t)c->wire->count - (uint64_t)c->active_seen);
    c->reads_seen = c->stream.reads;
    c->writes_seen = c->stream.writes;
    c->requests_seen = c->wire->requests;
    c->active_seen = c->wire->count;
}

/* ---- The end and the alarm ------------------------------------------------
 */

/* The codec goes, with what it has in progress.  1: in the middle of a
 * response. */
static int
leave_wire(struct volo__conn *c)
{
    struct volo__wire *wire = c->wire;
    int cut = wire->cut;

    count(c);
    volo__worker_bump(c->worker, VOLO_STAT_ACTIVE,
                      0 - (uint64_t)c->active_seen);
    if (wire->malformed)
        volo__worker_bump(c->worker, VOLO_STAT_MALFORMED, 1);
    c->wire = NULL;
    wire->ops->close(wire);
    return cut || c->h1.wire.cut;
}

static void
close_now(struct volo__conn *c)
{
    int cut;

    if (c->dead)
        return;
    c->dead = 1;
    volo__wheel_clear(&c->stream.home->wheel, &c->alarm);
    if (c->upgrade) {
        volo_cx *cx = c->upgrade;

        c->upgrade = NULL;
        volo__cx_detach(cx);
    }
    cut = leave_wire(c);

    /* An answer that was cut off must not look like one that has ended. */
    if (cut || c->stream.out.bytes)
        volo__stream_reset(&c->stream);
    else
        volo__stream_close(&c->stream);
}

static void
on_alarm(struct volo__alarm *alarm)
{
    struct volo__conn *c =
        (struct volo__conn *)(void *)((char *)alarm -
                                      offsetof(struct volo__conn, alarm));
    uint64_t now = c->stream.home->now_ms;
    int waits = c->phase == VOLO__WIRE_HEAD || c->phase == VOLO__WIRE_BODY ||
                c->phase == VOLO__WIRE_IDLE;

    if (c->stream.sent != c->sent_seen) {
        c->sent_seen = c->stream.sent;
        c->last_out = now;
    }
    if (volo__conn_due(c) > now) {
        volo__conn_arm(c);
        return;
    }
    volo__worker_bump(c->worker, VOLO_STAT_TIMEOUTS, 1);
    if (!waits || c->stream.out.bytes) {
        close_now(c);
        return;
    }
    c->wire->ops->timeout(c->wire);
    volo__stream_flush(&c->stream);
    settle(c);
}

/* ---- Input --------------------------------------------------------------- */

static void
unkeep(struct volo__conn *c)
{
    volo__free(c->kept);
    c->kept = NULL;
    c->kept_len = c->kept_off = 0;
}

/* The codec is held back: keep what it did not take, and read no more. */
static int
keep(struct volo__conn *c, const char *ptr, size_t len)
{
    char *kept = volo__malloc(len);

    if (!kept)
        return VOLO_ENOMEM;
    memcpy(kept, ptr, len);
    c->kept = kept;
    c->kept_len = len;
    c->kept_off = 0;
    return 0;
}

/* Feed what was kept, as far as the codec goes now. */
static void
feed_kept(struct volo__conn *c)
{
    size_t n;

    while (c->kept && c->wire->ops->wants(c->wire) && !c->upgrade) {
        n = c->wire->ops->feed(c->wire, c->kept + c->kept_off,
                               c->kept_len - c->kept_off, NULL);
        c->kept_off += n;
        if (c->kept_off == c->kept_len)
            unkeep(c);
        else if (n == 0)
            break;
    }
    if (c->eof_due && !c->kept && !c->upgrade) {
        c->eof_due = 0;
        c->wire->ops->eof(c->wire, c->stream.half);
    }
}

static void
on_data(struct volo__stream *s, const char *ptr, size_t len,
        struct volo__block *block)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;
    size_t n;

    c->last_in = s->home->now_ms;
    c->phase_in += len;
    c->in_data = 1;
    n = c->wire->ops->feed(c->wire, ptr, len, block);
    c->in_data = 0;
    if (n < len && keep(c, ptr + n, len - n)) {
        close_now(c);
        return;
    }
    settle(c);
}

static void
on_eof(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    if (c->shut) {
        close_now(c);
        return;
    }
    c->eof_due = 1;
    if (!c->stream.half && !c->upgrade)
        unkeep(c);
    settle(c);
}

static void
on_error(struct volo__stream *s, int err)
{
    (void)err;
    close_now((struct volo__conn *)(void *)s);
}

/* ---- Output -------------------------------------------------------------- */

static void
on_drained(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    c->wire->ops->output_left(c->wire);
    settle(c);
}

/* The 101 has left: the connection changes hands. */
static void
hand_over(struct volo__conn *c)
{
    volo_cx *cx = c->upgrade;
    volo_str early = VOLO_STR("");
    int fd = volo__stream_detach(&c->stream);

    c->upgrade = NULL;
    c->dead = 1;
    volo__wheel_clear(&c->stream.home->wheel, &c->alarm);
    if (c->kept)
        early = volo_str_make(c->kept + c->kept_off, c->kept_len - c->kept_off);
    cx->res.upgrade_fn(cx, fd, early, cx->res.upgrade_user);
    volo__cx_detach(cx);
    leave_wire(c);
}

/* Nothing more is to be said: FIN, then wait for the peer's, so that a RST
 * does not take the last answer from him. */
static void
linger(struct volo__conn *c)
{
    if (c->shut)
        return;
    if (c->stream.eof || c->wire->cut) {
        close_now(c);
        return;
    }
    c->shut = 1;
    c->since = c->stream.home->now_ms;
    volo__stream_shutdown(&c->stream);
    volo__stream_read(&c->stream, 1);
}

static void
look_at_phase(struct volo__conn *c)
{
    uint64_t now = c->stream.home->now_ms;
    size_t out = c->stream.out.bytes;
    uint8_t phase = (uint8_t)c->wire->ops->phase(c->wire);

    /* Octets that begin no request do not make it less idle. */
    if (phase != c->phase || c->wire->requests != c->requests_seen ||
        (phase == VOLO__WIRE_IDLE && c->stream.sent != c->sent_seen)) {
        c->phase = phase;
        c->since = now;
        c->phase_in = 0;
        if (phase == VOLO__WIRE_BODY)
            c->last_in = now;
    }
    if (!c->out_seen || c->stream.sent != c->sent_seen) {
        c->sent_seen = c->stream.sent;
        c->last_out = now;
    }
    c->out_seen = out;
}

/* After anything has happened: go on where that is possible now. */
static void
settle(struct volo__conn *c)
{
    if (c->dead)
        return;
    feed_kept(c);
    if (c->upgrade) {
        /* What comes from now on is not ours to read. */
        volo__stream_read(&c->stream, 0);
        volo__stream_flush(&c->stream);
        if (c->stream.out.bytes == 0) {
            hand_over(c);
            return;
        }
    }
    look_at_phase(c);
    count(c);
    if (c->phase == VOLO__WIRE_CLOSING) {
        unkeep(c);
        volo__stream_flush(&c->stream);
        if (!c->dead && c->stream.out.bytes == 0)
            linger(c);
    } else if (!c->upgrade) {
        volo__stream_read(&c->stream, !c->kept && c->wire->ops->wants(c->wire));
    }
    if (!c->dead)
        volo__conn_arm(c);
}

/* ---- The codec's host ---------------------------------------------------- */

static void
host_serve(struct volo__wire *wire, volo_cx *cx)
{
    struct volo__conn *c = conn_of(wire);
    struct volo__root *root = c->worker->server->root;

    if (root->states && volo__cx_push_scope(cx, root->states)) {
        volo__cx_fail(cx, 503);
        volo_cx_unref(cx);
        return;
    }
    volo__cx_serve(cx, &root->around);
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

static const struct volo__wire_host host = {
    .serve = host_serve,
    .wake = host_wake,
    .upgrade = host_upgrade,
};

/* ---- Life ---------------------------------------------------------------- */

static void
conn_free(struct volo__conn *c)
{
    struct volo__worker *w = c->worker;

    if (c->prev)
        c->prev->next = c->next;
    else
        w->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    if (c->counted)
        volo__addresses_leave(&w->server->per_address, &c->peer);
    unkeep(c);
    volo__free(c);
    volo__worker_conn_gone(w);
}

/* A task that is deferred still points here: then it comes last. */
static void
on_closed(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    c->closed = 1;
    if (!c->settle_deferred)
        conn_free(c);
}

static void
settle_run(struct volo__task *task)
{
    struct volo__conn *c =
        (struct volo__conn *)(void *)((char *)task -
                                      offsetof(struct volo__conn, settle_task));

    c->settle_deferred = 0;
    if (c->closed) {
        conn_free(c);
        return;
    }
    if (c->dead)
        return;
    feed_kept(c);
    volo__stream_flush(&c->stream);
    settle(c);
}

static const struct volo__stream_ops stream_ops = {
    .data = on_data,
    .eof = on_eof,
    .error = on_error,
    .drained = on_drained,
    .closed = on_closed,
};

static void
peer_set(struct volo__peer *peer, const struct sockaddr *addr)
{
    const struct sockaddr_in *v4 = (const void *)addr;
    const struct sockaddr_in6 *v6 = (const void *)addr;

    memset(peer, 0, sizeof *peer);
    if (addr->sa_family == AF_INET) {
        peer->family = 4;
        peer->port = ntohs(v4->sin_port);
        memcpy(peer->addr, &v4->sin_addr, 4);
    } else if (addr->sa_family == AF_INET6 &&
               IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        peer->family = 4;
        peer->port = ntohs(v6->sin6_port);
        memcpy(peer->addr, v6->sin6_addr.s6_addr + 12, 4);
    } else if (addr->sa_family == AF_INET6) {
        peer->family = 6;
        peer->port = ntohs(v6->sin6_port);
        memcpy(peer->addr, &v6->sin6_addr, 16);
    } else {
        peer->family = 1;
    }
}

static void
link_conn(struct volo__worker *w, struct volo__conn *c)
{
    c->next = w->conns;
    if (c->next)
        c->next->prev = c;
    w->conns = c;
}

/* A refused connection is closed without a word: it has not asked yet. */
static struct volo__conn *
refuse(struct volo__worker *w, struct volo__conn *c, int fd)
{
    volo__worker_bump(w, VOLO_STAT_REFUSED, 1);
    if (fd >= 0)
        close(fd);
    volo__free(c);
    return NULL;
}

static struct volo__conn *
conn_new(struct volo__worker *w, int fd, const struct sockaddr *addr)
{
    struct volo__conn *c = volo__calloc(sizeof *c);

    if (!c)
        return refuse(w, c, fd);
    c->worker = w;
    peer_set(&c->peer, addr);
    if (w->server->per_address.limit) {
        if (volo__addresses_enter(&w->server->per_address, &c->peer))
            return refuse(w, c, fd);
        c->counted = 1;
    }
    if (volo__stream_open(&c->stream, &w->loop->home, fd, &stream_ops)) {
        if (c->counted)
            volo__addresses_leave(&w->server->per_address, &c->peer);
        return refuse(w, c, -1);
    }
    return c;
}

void
volo__conn_open(struct volo__worker *w, int fd, const struct sockaddr *addr)
{
    struct volo__conn *c = conn_new(w, fd, addr);

    if (!c)
        return;
    c->alarm.fire = on_alarm;
    c->settle_task.run = settle_run;
    c->since = c->last_in = c->last_out = w->loop->home.now_ms;
    volo__h1_init(&c->h1, &w->server->wire, &host, &w->loop->home,
                  &c->stream.out, &c->peer);
    c->wire = &c->h1.wire;
    link_conn(w, c);
    atomic_fetch_add(&w->server->connections, 1);
    volo__worker_bump(w, VOLO_STAT_CONNECTIONS, 1);
    volo__worker_bump(w, VOLO_STAT_ACCEPTED, 1);
    /* Where the codec stops filling the queue, and waits for drained(). */
    c->stream.drain_mark = w->server->wire.out_limit;
    c->stream.half = volo__conn_option(c, VOLO_SERVER_HALF_CLOSE) != 0;
    volo__stream_read(&c->stream, 1);
    volo__conn_arm(c);
}

void
volo__conn_stop(struct volo__conn *c, int now)
{
    if (now) {
        close_now(c);
        return;
    }
    if (c->dead)
        return;
    c->wire->ops->stop(c->wire);
    settle(c);
}
