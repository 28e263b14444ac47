/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection says before it asks for anything: for whom a proxy speaks,
 * the handshake of TLS, and which HTTP it is.  Octets are looked at one stage
 * after the other; those that do not suffice yet are kept.
 */
#include <string.h>

#include "base/tls_info.h"
#include "net/tls.h"
#include "server/conn.h"
#include "server/proxy.h"

/* As much of the preface of HTTP/2 as no request of HTTP/1 begins with. */
static const char preface[] = "PRI * HTTP/2.0\r\n";

enum { WAIT = -1 };

/* What comes after a proxy's header, or first. */
int
volo__conn_next_stage(const struct volo__conn *c)
{
    if (c->port->tls)
        return VOLO__CONN_HELLO;
    return volo__conn_option(c, VOLO_SERVER_HTTP2) ? VOLO__CONN_SNIFFS
                                                   : VOLO__CONN_TALKS;
}

/* ---- The stages: each returns what it took, or WAIT ---------------------- */

static int
read_proxy(struct volo__conn *c, const char *ptr, size_t len)
{
    int n = volo__proxy_parse(&c->peer, ptr, len);

    if (!n)
        return WAIT;
    if (n < 0) {
        volo__worker_bump(c->worker, VOLO_STAT_PROXY_REFUSED, 1);
        volo__conn_close(c);
        return 0;
    }
    if (volo__conn_enter_address(c)) {
        volo__worker_bump(c->worker, VOLO_STAT_REFUSED, 1);
        volo__conn_close(c);
        return 0;
    }
    c->stage = (uint8_t)volo__conn_next_stage(c);
    return n;
}

/* Who speaks HTTP in the clear where TLS is wanted is told so, in words that
 * it understands. */
static int
tell_of_tls(struct volo__conn *c, size_t len)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
                                 "content-type: text/plain; charset=utf-8\r\n"
                                 "content-length: 21\r\n"
                                 "connection: close\r\n\r\n"
                                 "this port speaks TLS\n";

    volo__outq_copy(&c->stream.out, answer, sizeof answer - 1);
    c->stage = VOLO__CONN_TALKS;
    c->wire->malformed = 1;
    c->wire->ops->stop(c->wire);
    return (int)len;
}

static int
read_hello(struct volo__conn *c, const char *ptr, size_t len,
           struct volo__block *block)
{
    int rc;

    if (*ptr >= 'A' && *ptr <= 'Z')
        return tell_of_tls(c, len);
    rc = volo__hand_begin(c, ptr, len, block);
    if (rc > 0)
        return (int)len;
    if (rc < 0)
        volo__conn_close(c);
    return WAIT;
}

static int
sniff(struct volo__conn *c, const char *ptr, size_t len)
{
    size_t most = sizeof preface - 1, seen = len < most ? len : most;

    if (!c->stream.no_h1) {
        if (memcmp(ptr, preface, seen)) {
            c->stage = VOLO__CONN_TALKS;
            return 0;
        }
        if (seen < most)
            return WAIT;
    }
    c->stage = VOLO__CONN_TALKS;

    /* Without it, HTTP/1 says that it does not know that version. */
    if (volo__conn_start_h2(c) == VOLO_ENOMEM)
        volo__conn_close(c);
    return 0;
}

static int
step(struct volo__conn *c, const char *ptr, size_t len,
     struct volo__block *block)
{
    switch (c->stage) {
    case VOLO__CONN_PROXY:
        return read_proxy(c, ptr, len);
    case VOLO__CONN_HELLO:
        return read_hello(c, ptr, len, block);
    case VOLO__CONN_SNIFFS:
        return sniff(c, ptr, len);
    default:
        return WAIT;
    }
}

static size_t
steps(struct volo__conn *c, const char *ptr, size_t len,
      struct volo__block *block)
{
    size_t done = 0;
    int n;

    while (c->stage && !c->dead && done < len) {
        n = step(c, ptr + done, len - done, block);
        if (n == WAIT)
            break;
        done += (size_t)n;
    }
    return done;
}

size_t
volo__conn_greet(struct volo__conn *c, const char *ptr, size_t len,
                 struct volo__block *block)
{
    size_t n = c->kept ? 0 : steps(c, ptr, len, block);

    if (c->dead || n == len || (!c->stage && !c->kept))
        return n;
    if (volo__conn_keep(c, ptr + n, len - n)) {
        volo__conn_close(c);
        return len;
    }

    /* With what was there, it may be more than it looks. */
    if (c->kept_len > len - n) {
        n = steps(c, c->kept, c->kept_len, NULL);
        volo__conn_unkeep(c, n);
    }
    return len;
}

void
volo__conn_greet_end(struct volo__conn *c)
{
    if (c->stage != VOLO__CONN_SNIFFS)
        return;
    c->stage = VOLO__CONN_TALKS;
    if (c->kept)
        volo__conn_unkeep(c, volo__conn_feed(c, c->kept + c->kept_off,
                                             c->kept_len - c->kept_off, NULL));
}

void
volo__conn_secured(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    volo__hand_end(c);
    volo__worker_bump(c->worker, VOLO_STAT_HANDSHAKES, 1);
    c->since = s->home->now_ms;
    c->peer.tls = 1;
    c->peer.tls_info = volo__tls_info_ref(volo__stream_tls(s));
    c->stage = VOLO__CONN_TALKS;
    if ((s->no_h1 || volo_str_eq(volo__stream_alpn(s), VOLO_STR("h2"))) &&
        volo__conn_start_h2(c))
        volo__conn_close(c);
    volo__conn_settle(c);
}
