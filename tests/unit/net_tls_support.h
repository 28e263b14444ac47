/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of TLS: certificates made on the spot, a stream with TLS on a
 * loop, and an OpenSSL client at the other end of its socket, both driven by
 * this thread.
 */
#ifndef VOLO_TESTS_UNIT_NET_TLS_SUPPORT_H
#define VOLO_TESTS_UNIT_NET_TLS_SUPPORT_H

#include "net_support.h"

#include "net/tls_conn.h"
#include "tls_support.h"

/* With a loop. */
static inline int
tls_net_setup(void **state)
{
    return tls_setup(state) || net_setup(state);
}

/* ---- The server's end ---------------------------------------------------- */

struct end {
    struct volo__stream s; /* first */
    volo_loop *loop;
    char *got;
    size_t got_len, got_room;
    int datas, eofs, errors, drains, closes, secures;
    int err;
    int pause_after; /* turn reading off once so much has come; 0: never */
    const char *answer;
    char close_in; /* the callback that closes: s d e r D f */
};

static inline void
end_maybe_close(struct end *e, char where)
{
    if (e->close_in == where) {
        volo__stream_close(&e->s);
        volo__stream_close(&e->s);
    }
}

static inline void
end_data(struct volo__stream *s, const char *ptr, size_t len,
         struct volo__block *block)
{
    struct end *e = (struct end *)s;

    assert_ptr_equal(volo__here, s->home);
    assert_true(ptr >= block->data && ptr + len <= block->data + block->cap);
    assert_int_equal(e->secures, s->ops->secured ? 1 : 0);
    e->datas++;
    if (e->got_len + len > e->got_room) {
        e->got_room = (e->got_len + len) * 2;
        e->got = realloc(e->got, e->got_room);
    }
    memcpy(e->got + e->got_len, ptr, len);
    e->got_len += len;
    if (e->answer)
        volo__outq_copy(&s->out, e->answer, strlen(e->answer));
    if (e->pause_after && e->got_len >= (size_t)e->pause_after)
        volo__stream_read(s, 0);
    end_maybe_close(e, 'd');
}

static inline void
end_eof(struct volo__stream *s)
{
    ((struct end *)s)->eofs++;
    end_maybe_close((struct end *)s, 'e');
}

static inline void
end_error(struct volo__stream *s, int err)
{
    struct end *e = (struct end *)s;

    e->errors++;
    e->err = err;
    volo__stream_close(s);
}

static inline void
end_drained(struct volo__stream *s)
{
    assert_null(s->out.head);
    assert_int_equal(volo__stream_waiting(s), 0);
    ((struct end *)s)->drains++;
    end_maybe_close((struct end *)s, 'D');
}

static inline void
end_closed(struct volo__stream *s)
{
    ((struct end *)s)->closes++;
}

static inline void
end_secured(struct volo__stream *s)
{
    struct end *e = (struct end *)s;

    assert_non_null(volo__stream_tls(s));
    e->secures++;
    end_maybe_close(e, 's');
}

static const struct volo__stream_ops end_ops = {
    .data = end_data,
    .eof = end_eof,
    .error = end_error,
    .drained = end_drained,
    .closed = end_closed,
    .secured = end_secured,
};

/* ---- The client's end ---------------------------------------------------- */

struct client {
    SSL *ssl;
    int fd;
    int alert;  /* that it has got */
    int reason; /* why it has failed, as OpenSSL counts */
};

/* ---- Both ---------------------------------------------------------------- */

struct line {
    struct rig rig;
    struct end *end;
    struct client client;
    SSL_CTX *ctx;
    volo_tls *tls;
};

/* The server's end with TLS and reading on, the client ready to begin. */
static inline void
line_connect_on(struct line *l, const int pair[2], const char *name)
{
    l->end = calloc(1, sizeof *l->end);
    l->client = (struct client){.fd = pair[1]};
    l->client.ssl = l->ctx ? SSL_new(l->ctx) : NULL;
    if (l->ctx) {
        SSL_set_fd(l->client.ssl, pair[1]);
        SSL_set_connect_state(l->client.ssl);
        if (name)
            SSL_set_tlsext_host_name(l->client.ssl, name);
    }
    assert_int_equal(
        volo__stream_open(&l->end->s, &l->rig.loop->home, pair[0], &end_ops),
        0);
    l->end->s.drain_mark = SIZE_MAX;
    assert_int_equal(volo__tls_ready(l->tls), 0);
    assert_int_equal(volo__stream_start_tls(&l->end->s, l->tls), 0);
    volo__stream_read(&l->end->s, 1);
}

/* The same on a socket pair. */
static inline void
line_connect(struct line *l, const char *name)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    line_connect_on(l, pair, name);
}

/* The client leaves without a word. */
static inline void
line_cut(struct line *l)
{
    close(l->client.fd);
    l->client.fd = -1;
}

static inline void
line_hang_up(struct line *l)
{
    volo__stream_close(&l->end->s);
    rig_turn(&l->rig);
    assert_int_equal(l->end->closes, 1);
    /* Else its session would not do any more. */
    if (l->client.ssl)
        SSL_set_shutdown(l->client.ssl, SSL_SENT_SHUTDOWN);
    SSL_free(l->client.ssl);
    l->client.ssl = NULL;
    if (l->client.fd >= 0)
        close(l->client.fd);
    free(l->end->got);
    free(l->end);
    l->end = NULL;
    ERR_clear_error();
}

/* Opens the loop; takes ${tls} and ${ctx} (NULL: the client is for raw use). */
static inline void
line_open(struct line *l, volo_tls *tls, SSL_CTX *ctx)
{
    memset(l, 0, sizeof *l);
    rig_open(&l->rig);
    l->tls = tls;
    l->ctx = ctx;
}

static inline void
line_close(struct line *l)
{
    if (l->end)
        line_hang_up(l);
    volo_tls_unref(l->tls);
    rig_close(&l->rig);
    SSL_CTX_free(l->ctx);
}

/* What the client's last call came to: 1 well, 0 it waits, -1 it has failed;
 * then notes the alert that came, if one did.  At once, since the server's end
 * clears this thread's errors. */
static inline int
client_result(struct client *c, int result)
{
    int err = SSL_get_error(c->ssl, result), reason;

    if (result > 0)
        return 1;
    if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
        return 0;
    reason = ERR_GET_REASON(ERR_peek_last_error());
    if (err == SSL_ERROR_SSL)
        c->reason = reason;
    if (err == SSL_ERROR_SSL && reason > SSL_AD_REASON_OFFSET)
        c->alert = reason - SSL_AD_REASON_OFFSET;
    return -1;
}

/* One step of the client's handshake and an iteration of the loop. */
static inline int
line_step(struct line *l)
{
    int result;

    ERR_clear_error();
    result = client_result(&l->client, SSL_do_handshake(l->client.ssl));
    volo__loop_step(l->rig.loop, 0);
    return result;
}

/* Until both are done, or one has failed: 1, -1. */
static inline int
line_shake(struct line *l)
{
    int turns, result = 0;

    for (turns = 0; turns < 100000 && result >= 0; turns++) {
        result = line_step(l);
        if (l->end->errors)
            return -1;
        if (result == 1 && l->end->secures)
            return 1;
    }
    rig_turn(&l->rig);
    return -1;
}

/* Let the client find out what has become of its connection: the alert. */
static inline int
line_alert(struct line *l)
{
    int turns, result = 0;
    char byte;

    for (turns = 0; turns < 100000 && result >= 0; turns++) {
        ERR_clear_error();
        result = client_result(&l->client, SSL_read(l->client.ssl, &byte, 1));
        volo__loop_step(l->rig.loop, 0);
    }
    assert_int_equal(result, -1);
    return l->client.alert;
}

static inline void
client_say(struct line *l, const char *ptr, size_t len)
{
    int turns = 0, n;

    while (len) {
        assert_true(turns++ < 1000000);
        ERR_clear_error();
        n = SSL_write(l->client.ssl, ptr, (int)len);
        if (n > 0) {
            ptr += n;
            len -= (size_t)n;
        }
        volo__loop_step(l->rig.loop, 0);
    }
}

/* The common name of the certificate that the client was shown. */
static inline const char *
client_saw(const struct line *l)
{
    static char name[64];

    X509_NAME_get_text_by_NID(
        X509_get_subject_name(SSL_get0_peer_certificate(l->client.ssl)),
        NID_commonName, name, sizeof name);
    return name;
}

/* Take ${len} octets and compare. */
static inline void
client_hear(struct line *l, const char *want, size_t len)
{
    char *got = malloc(len + 1);
    size_t n = 0;
    int turns = 0, part;

    while (n < len) {
        assert_true(turns++ < 1000000);
        ERR_clear_error();
        part = SSL_read(l->client.ssl, got + n, (int)(len + 1 - n));
        if (part > 0)
            n += (size_t)part;
        else
            volo__loop_step(l->rig.loop, 0);
    }
    assert_int_equal(n, len);
    assert_memory_equal(got, want, len);
    free(got);
}

/* A handshake and an exchange, after which a client has its ticket; then a
 * second connection on another loop with it.  Returns whether that resumed. */
static inline SSL_SESSION *
first_visit(volo_tls *tls, SSL_CTX *ctx, const char *name)
{
    SSL_SESSION *session;
    struct line l;

    SSL_CTX_up_ref(ctx);
    line_open(&l, volo_tls_ref(tls), ctx);
    line_connect(&l, name);
    assert_int_equal(line_shake(&l), 1);
    l.end->answer = "pong";
    client_say(&l, "ping", 4);
    client_hear(&l, "pong", 4);
    session = SSL_get1_session(l.client.ssl);
    line_close(&l);
    return session;
}

static inline int
visit_again(volo_tls *tls, SSL_CTX *ctx, SSL_SESSION *session, const char *name)
{
    struct line l;
    int resumed;

    SSL_CTX_up_ref(ctx);
    line_open(&l, volo_tls_ref(tls), ctx);
    line_connect(&l, name);
    assert_int_equal(SSL_set_session(l.client.ssl, session), 1);
    assert_int_equal(line_shake(&l), 1);
    resumed = volo__stream_tls(&l.end->s)->resumed;
    assert_int_equal(resumed, SSL_session_reused(l.client.ssl));
    line_close(&l);
    return resumed;
}

#endif
