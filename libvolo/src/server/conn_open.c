/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's first moment and its last: counted, limited, listed. */
#include "base/alloc.h"
#include "base/tls_info.h"
#include "server/conn.h"
#include "server/peer.h"

static void
link_conn(struct volo__worker *w, struct volo__conn *c)
{
    c->next = w->conns;
    if (c->next)
        c->next->prev = c;
    w->conns = c;
}

static void
unlink_conn(struct volo__worker *w, struct volo__conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        w->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

int
volo__conn_enter_address(struct volo__conn *c)
{
    struct volo__addresses *all = &c->worker->server->per_address;
    int err;

    if (!all->limit)
        return 0;
    err = volo__addresses_enter(all, &c->peer);
    c->counted = !err;
    return err;
}

static void
leave_address(struct volo__conn *c)
{
    if (c->counted)
        volo__addresses_leave(&c->worker->server->per_address, &c->peer);
    c->counted = 0;
}

void
volo__conn_free(struct volo__conn *c)
{
    struct volo__worker *w = c->worker;

    unlink_conn(w, c);
    leave_address(c);
    volo__tls_info_unref(c->peer.tls_info);
    volo__free(c->kept);
    volo__free(c);
    volo__worker_conn_gone(w);
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

/* Those that a proxy speaks for are counted when it has said who they are. */
static int
first_stage(const struct volo__conn *c)
{
    if (volo__networks_have(&c->port->trusted, &c->peer))
        return VOLO__CONN_PROXY;
    return volo__conn_next_stage(c);
}

static struct volo__conn *
conn_new(struct volo__worker *w, const struct volo__port *port, int fd,
         const struct sockaddr *addr)
{
    struct volo__conn *c = volo__calloc(sizeof *c);

    if (!c)
        return refuse(w, c, fd);
    c->worker = w;
    c->port = port;
    volo__peer_set(&c->peer, addr);
    c->stage = (uint8_t)first_stage(c);
    if (c->stage != VOLO__CONN_PROXY && volo__conn_enter_address(c))
        return refuse(w, c, fd);
    if (volo__stream_open(&c->stream, &w->loop->home, fd,
                          &volo__conn_stream_ops)) {
        leave_address(c);
        return refuse(w, c, -1);
    }
    return c;
}

void
volo__conn_open(struct volo__worker *w, const struct volo__port *port, int fd,
                const struct sockaddr *addr)
{
    struct volo__conn *c = conn_new(w, port, fd, addr);

    if (!c)
        return;
    c->alarm.fire = volo__conn_on_alarm;
    c->settle_task.run = volo__conn_on_task;
    c->since = c->last_in = c->last_out = w->loop->home.now_ms;
    volo__h1_init(&c->h1, volo__conn_wire_config(c), &volo__conn_host,
                  &w->loop->home, &c->stream.out, &c->peer);
    c->wire = &c->h1.wire;
    link_conn(w, c);
    atomic_fetch_add(&w->server->connections, 1);
    volo__worker_bump(w, VOLO_STAT_CONNECTIONS, 1);
    volo__worker_bump(w, VOLO_STAT_ACCEPTED, 1);
    /* Where the codec stops filling the queue, and waits for drained(). */
    c->stream.drain_mark = w->server->wire.out_limit;
    c->stream.half = volo__conn_option(c, VOLO_SERVER_HALF_CLOSE) != 0;
    c->stream.no_h2 = !volo__conn_option(c, VOLO_SERVER_HTTP2);
    c->stream.no_h1 = !volo__conn_option(c, VOLO_SERVER_HTTP1);
    volo__stream_read(&c->stream, 1);
    volo__conn_arm(c);
}
