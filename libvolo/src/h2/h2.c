/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection as the codec sees it: feeding, and the ways it
 * ends.  Knows no frames.
 */
#include "h2/h2.h"

#include <string.h>

#include "base/alloc.h"
#include "h2/state.h"

static struct volo__h2 *
h2_of(struct volo__wire *wire)
{
    return (struct volo__h2 *)wire;
}

/* ---- In and out ---------------------------------------------------------- */

uint8_t
volo__h2_enter(struct volo__h2 *h2)
{
    uint8_t before = h2->busy;

    h2->busy = 1;
    return before;
}

static void
drop_all(struct volo__h2 *h2, int err)
{
    struct volo__h2_stream *stream;

    /* Who is told may do things to other streams, but frees none. */
    for (stream = h2->first; stream; stream = stream->next)
        volo__h2_stream_drop(stream, err);
}

static void
free_all(struct volo__h2 *h2)
{
    while (h2->first)
        volo__h2_stream_free(h2->first);
    volo__outq_clear(&h2->nowhere);
    volo__h2_stream_free_lost(h2);
    nghttp2_session_del(h2->session);
    if (h2->ghosts && h2->ghosts->count)
        h2->ghosts->orphaned = 1;
    else
        volo__free(h2->ghosts);
    volo__h2_free(h2->share, h2);
}

/* Whether there is nothing more to be said or heard. */
static void
look_for_end(struct volo__h2 *h2)
{
    if (h2->eof && !h2->streams && h2->state != VOLO__H2_CLOSED) {
        volo__h2_fail(h2, NGHTTP2_NO_ERROR);
        volo__h2_pump(h2);
    }
    if (h2->cutting) {
        h2->wire.cut = 1;
        h2->state = VOLO__H2_CLOSED;
    } else if (!nghttp2_session_want_read(h2->session) &&
               !nghttp2_session_want_write(h2->session)) {
        h2->state = VOLO__H2_CLOSED;
    }
    if (h2->state == VOLO__H2_CLOSED)
        drop_all(h2, VOLO_ECANCELED);
}

void
volo__h2_leave(struct volo__h2 *h2, uint8_t before, int wake)
{
    if (before)
        return;
    if (!h2->dead)
        volo__h2_pump(h2);
    if (!h2->dead)
        look_for_end(h2);
    h2->busy = 0;
    if (h2->dead)
        free_all(h2);
    else if (wake)
        h2->wire.host->wake(&h2->wire);
}

/* ---- Feeding ------------------------------------------------------------- */

static uint32_t
code_of(const struct volo__h2 *h2, ssize_t err)
{
    if (h2->fault)
        return h2->fault;
    switch (err) {
    case NGHTTP2_ERR_NOMEM:
        return NGHTTP2_INTERNAL_ERROR;
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
    case NGHTTP2_ERR_PROTO:
        return NGHTTP2_PROTOCOL_ERROR;
    default: /* of the floods that it knows itself */
        return NGHTTP2_ENHANCE_YOUR_CALM;
    }
}

static void
keep_fresh(struct volo__h2 *h2)
{
    struct volo__h2_stream *stream;

    /* Of heads that came with an unfinished body: all have been served. */
    for (stream = h2->ready_first; stream; stream = stream->ready)
        volo__h2_body_keep_fresh(stream);
}

/* Some of nghttp2 count the parts in which the head of a CONTINUATION comes as
 * if each were one: it gets such a head whole.  Returns how many octets of
 * ${ptr} it has got with that. */
static size_t
complete_head(struct volo__h2 *h2, const char *ptr, size_t len)
{
    enum { FRAME_HEAD = 9 };
    uint8_t head[FRAME_HEAD];
    size_t need = FRAME_HEAD - h2->unfed;

    if (!h2->unfed)
        return 0;
    if (len < need) {
        h2->unfed = (uint8_t)(h2->unfed + len);
        return len;
    }
    memcpy(head, h2->head, h2->unfed);
    memcpy(head + h2->unfed, ptr, need);
    h2->unfed = 0;
    if (nghttp2_session_mem_recv(h2->session, head, sizeof head) < 0 &&
        !h2->fault)
        h2->fault = NGHTTP2_ENHANCE_YOUR_CALM;
    return need;
}

/* Returns what nghttp2 says: below 0, that was it. */
static ssize_t
hand_over(struct volo__h2 *h2, const char *ptr, size_t len)
{
    size_t at = 0, fed = complete_head(h2, ptr, len), mark = 0;
    ssize_t n = 0;
    int what;

    do {
        what = volo__h2_watch(h2, ptr, len, &at, &mark);
        if (mark > fed) {
            n = nghttp2_session_mem_recv(
                h2->session, (const uint8_t *)ptr + fed, mark - fed);
            fed = mark;
        }
        if (n < 0 || h2->fault || h2->dead)
            return n;
    } while (what == VOLO__H2_WATCH_CHECK && !volo__h2_check_open(h2));
    if (what == VOLO__H2_WATCH_PART)
        h2->unfed = h2->head_len;
    return n;
}

static void
receive(struct volo__h2 *h2, const char *ptr, size_t len)
{
    ssize_t n = hand_over(h2, ptr, len);

    if (h2->dead)
        return;
    if (n < 0 || h2->fault)
        volo__h2_fail(h2, code_of(h2, n));
    else
        volo__h2_serve_ready(h2);
    if (!h2->dead)
        keep_fresh(h2);
}

static size_t
feed(struct volo__wire *wire, const char *ptr, size_t len,
     struct volo__block *block)
{
    struct volo__h2 *h2 = h2_of(wire);
    uint8_t before;

    if (h2->busy)
        return 0; /* called from inside itself: the outer call goes on */
    if (h2->state == VOLO__H2_CLOSED)
        return len;
    if (wire->out->bytes > wire->config->out_limit)
        return 0;
    before = volo__h2_enter(h2);
    h2->block = block;
    receive(h2, ptr, len);
    h2->block = NULL;
    volo__h2_leave(h2, before, 0);
    return len;
}

static int
wants(const struct volo__wire *wire)
{
    const struct volo__h2 *h2 = (const struct volo__h2 *)wire;

    return h2->state == VOLO__H2_CLOSED ||
           wire->out->bytes <= wire->config->out_limit;
}

static int
phase(const struct volo__wire *wire)
{
    const struct volo__h2 *h2 = (const struct volo__h2 *)wire;

    if (h2->state == VOLO__H2_CLOSED)
        return VOLO__WIRE_CLOSING;
    if (h2->streams)
        return VOLO__WIRE_BUSY;
    return volo__h2_in_block(h2) ? VOLO__WIRE_HEAD : VOLO__WIRE_IDLE;
}

static void
output_left(struct volo__wire *wire)
{
    struct volo__h2 *h2 = h2_of(wire);
    uint8_t before;

    if (h2->busy || h2->state == VOLO__H2_CLOSED)
        return;
    volo__h2_hear_again(h2);
    before = volo__h2_enter(h2);
    volo__h2_leave(h2, before, 0);
}

/* ---- Endings ------------------------------------------------------------- */

void
volo__h2_fail(struct volo__h2 *h2, uint32_t code)
{
    if (h2->state == VOLO__H2_CLOSED)
        return;
    if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_SETTINGS_TIMEOUT &&
        code != NGHTTP2_INTERNAL_ERROR)
        h2->wire.malformed = 1;
    h2->state = VOLO__H2_CLOSED;
    if (nghttp2_session_terminate_session(h2->session, code))
        volo__h2_cut(h2);
}

void
volo__h2_cut(struct volo__h2 *h2)
{
    h2->cutting = 1;
}

void
volo__h2_go_away(struct volo__h2 *h2)
{
    static const uint8_t opaque[8] = "volo bye";

    if (h2->state != VOLO__H2_OPEN)
        return;
    h2->state = VOLO__H2_NOTICED;
    h2->stop_at = h2->wire.home->now_ms + VOLO__H2_DRAIN_MS;
    volo__h2_sooner(h2, h2->stop_at, 0);
    if (nghttp2_submit_shutdown_notice(h2->session) ||
        nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, opaque))
        volo__h2_cut(h2);
}

void
volo__h2_go_away_last(struct volo__h2 *h2)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);

    h2->state = VOLO__H2_FINAL;
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last,
                              NGHTTP2_NO_ERROR, NULL, 0))
        volo__h2_cut(h2);
}

static void
stop(struct volo__wire *wire)
{
    struct volo__h2 *h2 = h2_of(wire);
    uint8_t before = volo__h2_enter(h2);

    volo__h2_go_away(h2);
    volo__h2_leave(h2, before, 0);
}

/* What is not complete will never be. */
static void
drop_incomplete(struct volo__h2 *h2)
{
    struct volo__h2_stream *stream;

    for (stream = h2->first; stream; stream = stream->next)
        if (!stream->ended) {
            volo__h2_stream_reset(stream, NGHTTP2_CANCEL);
            volo__h2_stream_drop(stream, VOLO_ECANCELED);
        }
}

static void
eof(struct volo__wire *wire, int half)
{
    struct volo__h2 *h2 = h2_of(wire);
    uint8_t before;

    if (h2->state == VOLO__H2_CLOSED)
        return;
    before = volo__h2_enter(h2);
    h2->eof = 1;
    if (half) {
        drop_incomplete(h2);
    } else {
        h2->state = VOLO__H2_CLOSED;
        drop_all(h2, VOLO_ECANCELED);
    }
    volo__h2_leave(h2, before, 0);
}

static void
close_wire(struct volo__wire *wire)
{
    struct volo__h2 *h2 = h2_of(wire);
    uint8_t before = volo__h2_enter(h2);

    h2->state = VOLO__H2_CLOSED;
    drop_all(h2, VOLO_ECANCELED);

    /* Who calls may be inside of a call of ours; his queue may go first. */
    h2->dead = 1;
    wire->out = &h2->nowhere;
    volo__h2_leave(h2, before, 0);
}

static const struct volo__wire_ops ops = {
    .feed = feed,
    .wants = wants,
    .phase = phase,
    .due = volo__h2_due,
    .timeout = volo__h2_timeout,
    .eof = eof,
    .output_left = output_left,
    .stop = stop,
    .close = close_wire,
};

/* ---- The beginning ------------------------------------------------------- */

static void
init(struct volo__h2 *h2, struct volo__home *home)
{
    uint64_t now = home->now_ms;

    volo__outq_init(&h2->nowhere, home);
    volo__h2_budget_init(h2);
    h2->start = h2->idle_since = h2->out_last = now;
    h2->due = UINT64_MAX;
    volo__h2_sooner(h2, now, h2->wire.config->head_timeout);
    volo__h2_sooner(h2, now, h2->wire.config->idle_timeout);
}

int
volo__h2_new(struct volo__wire **out, const struct volo__wire_config *config,
             const struct volo__wire_host *host, struct volo__home *home,
             struct volo__outq *outq, const struct volo__peer *peer)
{
    struct volo__h2_share *share = volo__h2_share_get(home);
    struct volo__h2 *h2 = share ? volo__h2_alloc(share, sizeof *h2) : NULL;
    int err;

    if (!h2)
        return VOLO_ENOMEM;
    memset(h2, 0, sizeof *h2);
    h2->share = share;
    h2->wire = (struct volo__wire){.ops = &ops,
                                   .config = config,
                                   .host = host,
                                   .home = home,
                                   .out = outq,
                                   .peer = peer};
    init(h2, home);
    err = volo__h2_session_new(h2);
    if (!err)
        volo__h2_pump(h2);
    if (err || h2->cutting) {
        nghttp2_session_del(h2->session);
        volo__h2_free(share, h2);
        return err ? err : VOLO_ENOMEM;
    }
    *out = &h2->wire;
    return 0;
}
