/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An h1 codec in memory, with a host that does as the server's does.  For wire
 * tests, unit tests and fuzzing.
 *
 * What was fed is overwritten afterwards, so that nothing can rely on it.
 */
#ifndef VOLO_TESTS_WIRE_H1_RIG_H
#define VOLO_TESTS_WIRE_H1_RIG_H

#include "wire/h1_service.h"

/* ---- The host ------------------------------------------------------------ */

static inline void
wire_finished(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct wire *)user)->finished++;
}

static inline void
wire_on_serve(struct volo__wire *wire, volo_cx *cx)
{
    struct wire *w = wire_here;

    (void)wire;
    w->served++;
    volo__cx_started(cx);
    if (w->served % 2)
        volo_cx_on_finish(cx, wire_finished, w, NULL);
    else
        w->finished++;
    wire_service(cx);
    volo_cx_unref(cx);
}

static inline void
wire_on_wake(struct volo__wire *wire)
{
    (void)wire;
    wire_here->woken++;
}

static inline void
wire_on_upgrade(struct volo__wire *wire, volo_cx *cx)
{
    (void)wire;
    wire_here->upgraded = cx;
}

static inline void
wire_on_home(struct volo__home *home)
{
    (void)home;
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
    w->config = (struct volo__wire_config){
        .body_limit = 65536,
        .head_limit = 16384,
        .field_limit = 100,
        .target_limit = 8192,
        .chunk_ext_limit = 16384,
        .trailer_limit = 16384,
        .pipeline_limit = 64,
        .out_limit = 65536,
        .request_limit = UINT64_MAX,
    };
    if (volo__home_init(&w->home, wire_on_home, wire_on_home))
        abort();
    volo__here = &w->home;
    wire_here = w;
    volo__outq_init(&w->out, &w->home);
    volo__h1_init(&w->h1, &w->config, &host, &w->home, &w->out, &w->peer);
}

/* The peer takes what there is, until there is nothing. */
static inline void
wire_drain(struct wire *w)
{
    struct iovec iov[16];

    while (!w->stuck) {
        int n = volo__outq_iov(&w->out, iov, 16), i;
        size_t sent = 0;

        for (i = 0; i < n; i++) {
            wire_append(w, iov[i].iov_base, iov[i].iov_len);
            sent += iov[i].iov_len;
        }
        volo__outq_sent(&w->out, sent);
        w->h1.wire.ops->output_left(&w->h1.wire);
        if (!sent && !w->out.bytes)
            break;
    }
}

static inline size_t
wire_give(struct wire *w, const char *ptr, size_t len)
{
    struct volo__block *block = w->no_block ? NULL : volo__home_block(&w->home);
    char *room = block ? block->data : malloc(len ? len : 1);
    size_t n;

    if (!room)
        abort();
    if (block && len > block->cap)
        len = block->cap;
    if (len)
        memcpy(room, ptr, len);
    n = w->h1.wire.ops->feed(&w->h1.wire, room, len, block);
    if (!block)
        free(room);
    else if (block->refs == 1)
        memset(room, '!', len);
    return n;
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
    volo_cx *cx;

    if (w->later_first == w->later_count)
        return 0;
    cx = w->later[w->later_first++];
    wire_text(cx, 200, volo_cx_target(cx));
    volo_cx_unref(cx);
    wire_settle(w);
    return 1;
}

static inline void
wire_end_writer(struct wire *w, int complete)
{
    if (!w->writer)
        return;
    if (complete) {
        volo_writer_write(w->writer, VOLO_STR("end"));
        volo_writer_end(w->writer);
    }
    volo_writer_free(w->writer);
    w->writer = NULL;
    wire_settle(w);
}

/* The connection goes; returns exchanges that are still alive: none. */
static inline size_t
wire_close(struct wire *w)
{
    size_t live;

    w->h1.wire.ops->close(&w->h1.wire);
    if (w->upgraded)
        volo__cx_detach(w->upgraded);
    w->upgraded = NULL;
    volo__outq_clear(&w->out);
    while (w->later_first < w->later_count)
        volo_cx_unref(w->later[w->later_first++]);
    volo_writer_free(w->writer);
    w->writer = NULL;
    volo__home_run_inbox(&w->home);
    volo__home_run_deferred(&w->home);
    live = w->home.live;
    volo__home_retire(&w->home);
    volo__here = NULL;
    free(w->kept);
    free(w->output);
    return live;
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
