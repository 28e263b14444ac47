/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: octets from the stream to the codec and back, and a timer
 * for every state that the peer can hold.  Knows nothing of HTTP but what the
 * codec's phase tells.
 */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "server/conn.h"

struct volo__conn *
volo__conn_next(struct volo__conn *conn)
{
    return conn->next;
}

/* ---- Counting ------------------------------------------------------------ */

void
volo__conn_count(struct volo__conn *c)
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

void
volo__conn_close(struct volo__conn *c)
{
    size_t waiting = volo__stream_waiting(&c->stream);
    int cut;

    if (c->dead)
        return;
    c->dead = 1;
    volo__wheel_clear(&c->stream.home->wheel, &c->alarm);
    if (c->stage == VOLO__CONN_SECURING)
        volo__worker_bump(c->worker, VOLO_STAT_HANDSHAKES_FAILED, 1);
    volo__hand_end(c);
    if (c->upgrade) {
        volo_cx *cx = c->upgrade;

        c->upgrade = NULL;
        volo__cx_detach(cx);
    }
    cut = volo__conn_leave_wire(c);

    /* An answer that was cut off must not look like one that has ended. */
    if (cut || waiting)
        volo__stream_reset(&c->stream);
    else
        volo__stream_close(&c->stream);
}

/* Whether the codec can make something of it, an answer for instance. */
static int
codec_waits(const struct volo__conn *c)
{
    if (c->wire->ops->due)
        return !c->shut && c->wire->ops->due(c->wire) <= c->stream.home->now_ms;
    return !volo__stream_waiting(&c->stream) &&
           (c->phase == VOLO__WIRE_HEAD || c->phase == VOLO__WIRE_BODY ||
            c->phase == VOLO__WIRE_IDLE);
}

static void
count_timeout(struct volo__conn *c, int stopped)
{
    if (!stopped)
        volo__worker_bump(c->worker, VOLO_STAT_TIMEOUTS, 1);
}

static void
time_is_up(struct volo__conn *c)
{
    int stopped = volo__conn_is_stopped(c);

    if (c->stage)
        volo__conn_greet_end(c);
    if (c->stage || !codec_waits(c)) {
        count_timeout(c, stopped);
        volo__conn_close(c);
        return;
    }
    c->wire->ops->timeout(c->wire);

    /* Of several streams, one may have had its time. */
    if (c->wire->ops->phase(c->wire) == VOLO__WIRE_CLOSING ||
        !c->wire->ops->due)
        count_timeout(c, stopped);
    volo__stream_flush(&c->stream);
    volo__conn_settle(c);
}

void
volo__conn_on_alarm(struct volo__alarm *alarm)
{
    struct volo__conn *c =
        (struct volo__conn *)(void *)((char *)alarm -
                                      offsetof(struct volo__conn, alarm));

    if (c->stream.sent != c->sent_seen) {
        c->sent_seen = c->stream.sent;
        c->last_out = c->stream.home->now_ms;
    }
    if (volo__conn_due(c) > c->stream.home->now_ms) {
        if (c->stage == VOLO__CONN_QUEUED)
            volo__hand_look(c->worker);
        if (!c->dead)
            volo__conn_arm(c);
        return;
    }
    time_is_up(c);
}

/* ---- Input --------------------------------------------------------------- */

static void
unkeep(struct volo__conn *c)
{
    volo__free(c->kept);
    c->kept = NULL;
    c->kept_len = c->kept_off = 0;
}

void
volo__conn_unkeep(struct volo__conn *c, size_t n)
{
    c->kept_off += n;
    if (c->kept_off == c->kept_len)
        unkeep(c);
}

int
volo__conn_keep(struct volo__conn *c, const char *ptr, size_t len)
{
    size_t old = c->kept_len - c->kept_off;
    char *kept = volo__malloc(old + len);

    if (!kept)
        return VOLO_ENOMEM;
    if (old)
        memcpy(kept, c->kept + c->kept_off, old);
    memcpy(kept + old, ptr, len);
    unkeep(c);
    c->kept = kept;
    c->kept_len = old + len;
    return 0;
}

/* Feed what was kept, as far as the codec goes now. */
static void
feed_kept(struct volo__conn *c)
{
    size_t n;

    while (c->kept && !c->upgrade && c->wire->ops->wants(c->wire)) {
        n = volo__conn_feed(c, c->kept + c->kept_off, c->kept_len - c->kept_off,
                            NULL);
        volo__conn_unkeep(c, n);
        if (n == 0)
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
    n = c->stage ? volo__conn_greet(c, ptr, len, block) : 0;
    if (n < len && !c->dead)
        n += volo__conn_feed(c, ptr + n, len - n, block);
    c->in_data = 0;
    if (n < len && !c->dead && volo__conn_keep(c, ptr + n, len - n))
        volo__conn_close(c);
    volo__conn_settle(c);
}

static void
on_eof(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    if (c->stage)
        volo__conn_greet_end(c);
    if (c->shut || c->stage) {
        volo__conn_close(c);
        return;
    }
    c->eof_due = 1;
    if (!c->stream.half && !c->upgrade)
        unkeep(c);
    volo__conn_settle(c);
}

static void
on_error(struct volo__stream *s, int err)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    (void)err;
    volo__conn_close(c);
}

/* ---- Output -------------------------------------------------------------- */

static void
on_drained(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    if (!c->stage)
        c->wire->ops->output_left(c->wire);
    volo__conn_settle(c);
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
    volo__conn_leave_wire(c);
}

/* Nothing more is to be said: FIN, then wait for the peer's, so that a RST
 * does not take the last answer from him. */
static void
linger(struct volo__conn *c)
{
    if (c->shut)
        return;
    if (c->stream.eof || c->wire->cut) {
        volo__conn_close(c);
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
    size_t out = volo__stream_waiting(&c->stream);
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
void
volo__conn_settle(struct volo__conn *c)
{
    if (c->dead)
        return;
    if (c->stage) {
        volo__conn_count(c);
        volo__stream_read(&c->stream, c->stage != VOLO__CONN_QUEUED);
        volo__conn_arm(c);
        return;
    }
    feed_kept(c);
    if (c->upgrade) {
        /* What comes from now on is not ours to read. */
        volo__stream_read(&c->stream, 0);
        volo__stream_flush(&c->stream);
        if (volo__stream_waiting(&c->stream) == 0) {
            hand_over(c);
            return;
        }
    }
    look_at_phase(c);
    volo__conn_count(c);
    if (c->phase == VOLO__WIRE_CLOSING) {
        unkeep(c);
        volo__stream_flush(&c->stream);
        if (!c->dead && volo__stream_waiting(&c->stream) == 0)
            linger(c);
    } else if (!c->upgrade) {
        volo__stream_read(&c->stream, !c->kept && c->wire->ops->wants(c->wire));
    }
    if (!c->dead)
        volo__conn_arm(c);
}

/* ---- Life ---------------------------------------------------------------- */

/* A task that is deferred still points here: then it comes last. */
static void
on_closed(struct volo__stream *s)
{
    struct volo__conn *c = (struct volo__conn *)(void *)s;

    c->closed = 1;
    if (!c->settle_deferred)
        volo__conn_free(c);
}

void
volo__conn_on_task(struct volo__task *task)
{
    struct volo__conn *c =
        (struct volo__conn *)(void *)((char *)task -
                                      offsetof(struct volo__conn, settle_task));

    c->settle_deferred = 0;
    if (c->closed) {
        volo__conn_free(c);
        return;
    }
    if (c->dead)
        return;
    if (!c->stage)
        feed_kept(c);
    volo__stream_flush(&c->stream);
    volo__conn_settle(c);
}

const struct volo__stream_ops volo__conn_stream_ops = {
    .data = on_data,
    .eof = on_eof,
    .error = on_error,
    .drained = on_drained,
    .closed = on_closed,
    .secured = volo__conn_secured,
};

/* One that has not asked yet may be about to, and would take the end for a
 * failure: it has a moment, in which its first request is its last. */
static int
is_fresh(const struct volo__conn *c)
{
    return c->stage || (c->wire == &c->h1.wire && !c->wire->requests &&
                        c->wire->ops->phase(c->wire) == VOLO__WIRE_IDLE);
}

void
volo__conn_stop(struct volo__conn *c, int now)
{
    if (now)
        volo__conn_close(c);
    if (c->dead)
        return;
    if (is_fresh(c))
        c->h1.wire.config = volo__conn_wire_config(c);
    else
        c->wire->ops->stop(c->wire);
    volo__conn_settle(c);
}
