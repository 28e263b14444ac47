/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An h1 codec in memory, with a host that does as the server's does.  For wire
 * tests, unit tests and fuzzing.
 *
 * What was fed is overwritten afterwards, so that nothing can rely on it.
 */
#ifndef VOLO_TESTS_WIRE_H1_RIG_H
#define VOLO_TESTS_WIRE_H1_RIG_H

#include "wire/host.h"

/* ---- The host ------------------------------------------------------------ */

static inline void
wire_on_serve(struct volo__wire *wire, volo_cx *cx)
{
    (void)wire;
    wire_serve(wire_here, cx);
    volo_cx_unref(cx);
}

static inline void
wire_on_upgrade(struct volo__wire *wire, volo_cx *cx)
{
    (void)wire;
    wire_here->upgraded = cx;
}

static inline void
wire_init(struct wire *w)
{
    static const struct volo__wire_host host = {
        .serve = wire_on_serve,
        .wake = wire_on_wake,
        .upgrade = wire_on_upgrade,
    };

    memset(w, 0, sizeof *w);
    wire_open_home(w);
    volo__h1_init(&w->h1, &w->config, &host, &w->home, &w->out, &w->peer);
}

/* The peer takes what there is, until there is nothing. */
static inline void
wire_drain(struct wire *w)
{
    while (!w->stuck)
        if (!wire_take(w, &w->h1.wire) && !w->out.bytes)
            break;
}

static inline size_t
wire_give(struct wire *w, const char *ptr, size_t len)
{
    return wire_lend(w, &w->h1.wire, ptr, len);
}

/* As long as anything moves: feed what was kept, run what was put off. */
static inline void
wire_settle(struct wire *w)
{
    size_t n = 1;
    unsigned woken;

    do {
        woken = w->woken;
        volo__home_run_inbox(&w->home);
        volo__home_run_deferred(&w->home);
        wire_drain(w);
        n = 0;
        if (w->kept_len && w->h1.wire.ops->wants(&w->h1.wire)) {
            n = wire_give(w, w->kept, w->kept_len);
            w->kept_len -= n;
            memmove(w->kept, w->kept + n, w->kept_len);
        }
        wire_drain(w);
    } while (n || woken != w->woken || w->home.deferred);
}

static inline void
wire_feed(struct wire *w, const char *ptr, size_t len)
{
    w->kept = realloc(w->kept, w->kept_len + len + 1);
    if (!w->kept)
        abort();
    memcpy(w->kept + w->kept_len, ptr, len);
    w->kept_len += len;
    wire_settle(w);
}

/* Answer the exchange that has waited longest: 0 if there is none. */
static inline int
wire_answer(struct wire *w)
{
    if (!wire_answer_next(w))
        return 0;
    wire_settle(w);
    return 1;
}

static inline void
wire_end_writer(struct wire *w, int complete)
{
    if (wire_finish_writer(w, complete))
        wire_settle(w);
}

/* The connection goes; returns exchanges that are still alive: none. */
static inline size_t
wire_close(struct wire *w)
{
    w->h1.wire.ops->close(&w->h1.wire);
    if (w->upgraded)
        volo__cx_detach(w->upgraded);
    w->upgraded = NULL;
    free(w->kept);
    return wire_close_home(w);
}

/* Without what differs from second to second: Date lines. */
static inline size_t
wire_mask(char *text, size_t len)
{
    size_t from, to = 0;

    for (from = 0; from < len;) {
        if (len - from >= 37 && !memcmp(text + from, "date: ", 6) &&
            text[from + 36] == '\n')
            from += 37;
        else
            text[to++] = text[from++];
    }
    return to;
}

#endif
