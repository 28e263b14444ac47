/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An h2 codec in memory, with a host that does as the server's does.  What is
 * fed is overwritten afterwards, so that nothing can rely on it.  Who talks to
 * it is another matter (h2_peer.h, or a test with octets of its own).
 */
#ifndef VOLO_TESTS_WIRE_H2_RIG_H
#define VOLO_TESTS_WIRE_H2_RIG_H

#include "h2/h2.h"
#include "wire/host.h"

struct rig {
    struct wire w; /* of it, "h1" is not in use */
    struct volo__wire *h2;
    int close_next; /* in the middle of serving */
};

static struct rig *rig_here;

/* ---- The host ------------------------------------------------------------ */

static inline void
rig_on_serve(struct volo__wire *h2, volo_cx *cx)
{
    wire_serve(wire_here, cx);
    if (rig_here->close_next) {
        h2->ops->close(h2);
        rig_here->h2 = NULL;
    }
    volo_cx_unref(cx);
}

static inline void
rig_on_upgrade(struct volo__wire *h2, volo_cx *cx)
{
    (void)h2;
    (void)cx;
    abort();
}

/* Everything but the codec. */
static inline void
rig_home(struct rig *r)
{
    memset(r, 0, sizeof *r);
    rig_here = r;
    wire_open_home(&r->w);
    r->w.home.now_ms = 1000000;
}

static inline int
rig_open(struct rig *r)
{
    static const struct volo__wire_host host = {
        .serve = rig_on_serve, .wake = wire_on_wake, .upgrade = rig_on_upgrade};

    return volo__h2_new(&r->h2, &r->w.config, &host, &r->w.home, &r->w.out,
                        &r->w.peer);
}

/* ---- Octets -------------------------------------------------------------- */

static inline void
rig_run(struct rig *r)
{
    do {
        volo__home_run_inbox(&r->w.home);
        volo__home_run_deferred(&r->w.home);
    } while (r->w.home.deferred);
}

/* What there is, to w.output. */
static inline size_t
rig_drain(struct rig *r)
{
    size_t all = 0, sent;

    do {
        sent = wire_take(&r->w, r->h2);
        all += sent;
    } while (sent);
    return all;
}

/* Returns how many were taken. */
static inline size_t
rig_give(struct rig *r, const void *ptr, size_t len)
{
    return wire_lend(&r->w, r->h2, ptr, len);
}

/* All of it, whatever must leave in between. */
static inline void
rig_feed(struct rig *r, const void *ptr, size_t len)
{
    size_t at = 0;

    while (at < len) {
        at += rig_give(r, (const char *)ptr + at, len - at);
        rig_run(r);
        rig_drain(r);
    }
}

/* How many frames of ${type} have left; ${last}: where the last one is. */
static inline unsigned
rig_frames(const struct rig *r, int type, const uint8_t **last)
{
    const uint8_t *at = (const uint8_t *)r->w.output;
    size_t left = r->w.output_len, size;
    unsigned n = 0;

    while (left >= 9) {
        size = 9 + ((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]);
        if (size > left)
            break;
        if (at[3] == type) {
            n++;
            if (last)
                *last = at;
        }
        at += size;
        left -= size;
    }
    return n;
}

/* The code in the last GOAWAY or RST_STREAM; -1 if there is none. */
static inline int
rig_code(const struct rig *r, int type)
{
    const uint8_t *at = NULL;
    int skip = type == 7 ? 13 : 9; /* behind the last stream's id */

    if (!rig_frames(r, type, &at))
        return -1;
    return at[skip] << 24 | at[skip + 1] << 16 | at[skip + 2] << 8 |
           at[skip + 3];
}

/* Time goes by, and the host's alarm goes off when it has to. */
static inline void
rig_wait(struct rig *r, uint64_t ms)
{
    uint64_t until = r->w.home.now_ms + ms, due;

    while ((due = r->h2->ops->due(r->h2)) <= until) {
        if (due > r->w.home.now_ms)
            r->w.home.now_ms = due;
        if (r->h2->ops->due(r->h2) > r->w.home.now_ms)
            continue;
        r->h2->ops->timeout(r->h2);
        rig_run(r);
        rig_drain(r);
    }
    r->w.home.now_ms = until;
}

/* ---- The end ------------------------------------------------------------- */

static inline int
rig_answer(struct rig *r)
{
    if (!wire_answer_next(&r->w))
        return 0;
    rig_run(r);
    return 1;
}

static inline void
rig_end_writer(struct rig *r, int complete)
{
    if (wire_finish_writer(&r->w, complete))
        rig_run(r);
}

/* Returns exchanges that are still alive: none. */
static inline size_t
rig_close(struct rig *r)
{
    if (r->h2)
        r->h2->ops->close(r->h2);
    return wire_close_home(&r->w);
}

#endif
