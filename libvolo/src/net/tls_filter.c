/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS between a stream's socket and its owner.  What is received is decrypted
 * into the home's read buffer; what is queued is encrypted into one buffer of
 * several records, which is sent with one system call and then given back.
 *
 * Records are small at first, so that a client can use what the first segment
 * of an answer brought without the rest, and full once it flows.
 */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#include <volo/error.h>

#include "net/loop.h"
#include "net/stream_state.h"
#include "net/tls_conn.h"
#include "net/tls_filter.h"

enum {
    SMALL_RECORD = 1360,    /* with its frame, within one TCP segment */
    SMALL_UNTIL = 40 << 10, /* octets of a burst */
    IDLE_MS = 1000,         /* a new burst begins */
    FRAME = 512,            /* more than a record or a message adds */
    LEAST_RECORD = 2048,    /* not worth beginning one for less room */
    PIECES = 64,
    DISCARD_ROUNDS = 8
};

int
volo__tls_hungry(const struct volo__stream *s)
{
    return !s->tls->info;
}

int
volo__tls_ready_to_write(const struct volo__stream *s)
{
    return s->tls->info != NULL;
}

int
volo__tls_held(const struct volo__stream *s)
{
    return s->tls->in != NULL;
}

size_t
volo__tls_waiting(const struct volo__stream *s)
{
    return s->tls->out_len - s->tls->out_off;
}

/* ---- Failing ------------------------------------------------------------- */

/* To whoever does not speak TLS at all, OpenSSL says nothing. */
static void
add_alert(struct volo__tls_conn *t)
{
    static const char alert[] = "\x15\x03\x01\x00\x02\x02\x0a"; /* unexpected
                                                                 * message */

    if (!t->out)
        t->out = volo__home_spare(t->home);
    if (!t->out)
        return;
    t->out_off = 0;
    t->out_len = sizeof alert - 1;
    memcpy(t->out->data, alert, t->out_len);
}

/* The kernel would answer octets that nobody reads with a reset, which could
 * overtake the alert. */
static void
discard_input(struct volo__stream *s)
{
    struct volo__block *block = volo__home_spare(s->home);
    int rounds;

    for (rounds = 0; block && rounds < DISCARD_ROUNDS; rounds++)
        if (recv(s->fd, block->data, block->cap, 0) <= 0)
            break;
    volo__block_unref(block);
}

static void
drop_input(struct volo__tls_conn *t)
{
    volo__block_unref(t->in);
    t->in = NULL;
    t->in_len = 0;
}

/* OpenSSL has given up, and left an alert in the output. */
static void
fail(struct volo__stream *s)
{
    struct volo__tls_conn *t = s->tls;
    const char *ptr;
    size_t len;

    ERR_clear_error();
    t->said_bye = 1;
    drop_input(t);
    if (!t->info && !volo__tls_waiting(s) && !t->no_memory)
        add_alert(t);
    len = volo__tls_waiting(s);
    if (len) {
        ptr = t->out->data + t->out_off;
        s->writes++;
        if (send(s->fd, ptr, len, MSG_NOSIGNAL) > 0)
            volo__tls_sealed_left(s, len); /* or not: it is over anyway */
    }
    shutdown(s->fd, SHUT_WR);
    discard_input(s);
    volo__stream_break(s, t->no_memory ? VOLO_ENOMEM : VOLO_ETLS);
}

/* ---- Reading ------------------------------------------------------------- */

/* 1 when it is done. */
static int
shake_hands(struct volo__stream *s)
{
    struct volo__tls_conn *t = s->tls;
    int result, err;

    ERR_clear_error();
    result = SSL_do_handshake(t->ssl);
    if (result == 1) {
        if (volo__tls_learn(t) < 0) {
            volo__stream_break(s, VOLO_ENOMEM);
            return 0;
        }
        if (s->ops->secured)
            s->ops->secured(s);
        return !s->closing && !s->broken;
    }
    err = SSL_get_error(t->ssl, result);
    if (err == SSL_ERROR_WANT_READ)
        drop_input(t);
    else if (err != SSL_ERROR_WANT_WRITE)
        fail(s);
    return 0;
}

/* Fill ${block} with whole records; returns how much, and in ${err} why there
 * is no more, as OpenSSL puts it. */
static size_t
decrypt(struct volo__tls_conn *t, struct volo__block *block, int *err)
{
    size_t n = 0;
    int got;

    *err = SSL_ERROR_NONE;
    ERR_clear_error();
    while (block->cap - n >= VOLO__TLS_RECORD) {
        got = SSL_read(t->ssl, block->data + n, (int)(block->cap - n));
        if (got <= 0) {
            *err = SSL_get_error(t->ssl, got);
            break;
        }
        n += (size_t)got;
    }
    return n;
}

/* One buffer of plaintext to the owner.  1: there may be more. */
static int
deliver(struct volo__stream *s)
{
    struct volo__tls_conn *t = s->tls;
    struct volo__block *block = volo__home_block(s->home);
    size_t n;
    int err;

    if (!block) {
        volo__stream_break(s, VOLO_ENOMEM);
        return 0;
    }
    n = decrypt(t, block, &err);
    if (err == SSL_ERROR_WANT_READ)
        drop_input(t);
    if (n)
        s->ops->data(s, block->data, n, block);
    if (s->closing || s->broken)
        return 0;
    if (err == SSL_ERROR_NONE)
        return 1;
    if (err == SSL_ERROR_ZERO_RETURN) {
        drop_input(t);
        s->fin = 1;
        volo__stream_end(s);
    } else if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE) {
        fail(s);
    }
    return 0;
}

int
volo__tls_resume(struct volo__stream *s)
{
    struct volo__tls_conn *t = s->tls;

    if (volo__tls_hungry(s) && !shake_hands(s))
        return !t->in && !s->closing && !s->broken;
    while (s->reading && deliver(s))
        continue;
    if (t->in && !t->in_len && !SSL_has_pending(t->ssl))
        drop_input(t);
    return !t->in && !s->closing && !s->broken && !s->fin;
}

static void
at_fin(struct volo__stream *s)
{
    s->fin = 1;
    if (volo__tls_hungry(s)) {
        volo__stream_break(s, VOLO_EIO);
        return;
    }
    s->cut = 1;
    volo__stream_end(s);
}

int
volo__tls_read_once(struct volo__stream *s)
{
    struct volo__tls_conn *t = s->tls;
    ssize_t n;
    int full;

    if (t->in)
        return volo__tls_resume(s);
    t->in = volo__home_spare(s->home);
    if (!t->in) {
        volo__stream_break(s, VOLO_ENOMEM);
        return 0;
    }
    s->reads++;
    n = recv(s->fd, t->in->data, t->in->cap, 0);
    if (n > 0) {
        t->in_ptr = t->in->data;
        t->in_len = (size_t)n;
        full = (size_t)n == t->in->cap;
        return volo__tls_resume(s) && full;
    }
    drop_input(t);
    if (n == 0)
        at_fin(s);
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        volo__stream_break(s, VOLO_EIO);
    return 0;
}

/* ---- Writing ------------------------------------------------------------- */

static size_t
record_size(struct volo__tls_conn *t)
{
    if (t->home->now_ms - t->sent_at >= IDLE_MS)
        t->burst = 0;
    t->sent_at = t->home->now_ms;
    return t->burst < SMALL_UNTIL ? SMALL_RECORD : VOLO__TLS_RECORD;
}

/* ${limit} octets from the front in one piece: where they lie, if they do, or
 * in ${scratch}. */
static size_t
gather(const struct iovec *iov, int count, size_t limit, char *scratch,
       const char **out)
{
    size_t all = 0, n;
    int i;

    if (count == 1 || iov[0].iov_len >= limit || !scratch) {
        *out = iov[0].iov_base;
        return iov[0].iov_len < limit ? iov[0].iov_len : limit;
    }
    for (i = 0; i < count && all < limit; i++) {
        n = iov[i].iov_len < limit - all ? iov[i].iov_len : limit - all;
        memcpy(scratch + all, iov[i].iov_base, n);
        all += n;
    }
    *out = scratch;
    return all;
}

/* One record.  0: there is no room for it, or nothing more to do. */
static int
seal_record(struct volo__stream *s, char **scratch)
{
    struct volo__tls_conn *t = s->tls;
    struct iovec iov[PIECES];
    size_t limit = record_size(t), room, len;
    const char *ptr;
    int count = volo__outq_iov(&s->out, iov, PIECES), n;

    if (!count) {
        volo__stream_taken(s, 0); /* marks alone */
        return 0;
    }
    room = t->out ? t->out->cap - t->out_len : VOLO__READ_SIZE / 2;
    if (room < LEAST_RECORD + FRAME)
        return 0;
    if (limit > room - FRAME)
        limit = room - FRAME;
    if (count > 1 && iov[0].iov_len < limit && !*scratch)
        *scratch = volo__home_out(s->home);
    len = gather(iov, count, limit, *scratch, &ptr);
    n = SSL_write(t->ssl, ptr, (int)len);
    if (n <= 0) {
        fail(s);
        return 0;
    }
    t->burst += (size_t)n;
    volo__stream_taken(s, (size_t)n);
    return 1;
}

static void
fill(struct volo__stream *s)
{
    char *scratch = NULL;

    ERR_clear_error();
    while (s->out.head && !s->closing && !s->broken)
        if (!seal_record(s, &scratch))
            break;
    volo__home_out_free(s->home, scratch);
}

size_t
volo__tls_seal(struct volo__stream *s, const char **out)
{
    struct volo__tls_conn *t = s->tls;

    if (!volo__tls_waiting(s) && t->info && s->out.head && t->said_bye)
        volo__stream_break(s, VOLO_EIO);
    else if (!volo__tls_waiting(s) && t->info)
        fill(s);
    if (s->closing || s->broken || !t->out)
        return 0;
    *out = t->out->data + t->out_off;
    return volo__tls_waiting(s);
}

void
volo__tls_sealed_left(struct volo__stream *s, size_t n)
{
    struct volo__tls_conn *t = s->tls;

    t->out_off += n;
    if (t->out_off < t->out_len)
        return;
    volo__block_unref(t->out);
    t->out = NULL;
    t->out_off = t->out_len = 0;
}

void
volo__tls_bye(struct volo__stream *s)
{
    struct volo__tls_conn *t = s->tls;

    if (t->said_bye || !t->info)
        return;
    t->said_bye = 1;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
}
