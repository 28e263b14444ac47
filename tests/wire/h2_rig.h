/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An h2 codec in memory, with a host that does as the server's does.  What is
 * fed is overwritten afterwards, so that nothing can rely on it.  Who talks to
 * it is another matter (h2_peer.h, or a test with octets of its own).
 */
#ifndef VOLO_TESTS_WIRE_H2_RIG_H
#define VOLO_TESTS_WIRE_H2_RIG_H

#include "h2/h2.h"
#include "wire/h1_service.h"

struct rig {
    struct wire w; /* of it, "h1" is not in use */
    struct volo__wire *h2;
    int close_next; /* in the middle of serving */
};

static struct rig *rig_here;

/* ---- The host ------------------------------------------------------------ */

static inline void
rig_finished(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct wire *)user)->finished++;
}

static inline void
rig_on_serve(struct volo__wire *h2, volo_cx *cx)
{
    struct wire *w = wire_here;

    w->served++;
    volo__cx_started(cx);
    if (w->served % 2)
        volo_cx_on_finish(cx, rig_finished, w, NULL);
    else
        w->finished++;
    wire_service(cx);
    if (rig_here->close_next) {
        h2->ops->close(h2);
        rig_here->h2 = NULL;
    }
    volo_cx_unref(cx);
}

static inline void
rig_on_wake(struct volo__wire *h2)
{
    (void)h2;
    wire_here->woken++;
}

static inline void
rig_on_upgrade(struct volo__wire *h2, volo_cx *cx)
{
    (void)h2;
    (void)cx;
    abort();
}

static inline void
rig_on_home(struct volo__home *home)
{
    (void)home;
}

static inline void
rig_config(struct volo__wire_config *config)
{
    *config = (struct volo__wire_config){
        .body_limit = 65536,
        .head_limit = 16384,
        .field_limit = 100,
        .target_limit = 8192,
        .chunk_ext_limit = 16384,
        .trailer_limit = 16384,
        .pipeline_limit = 64,
        .out_limit = 65536,
        .request_limit = UINT64_MAX,
        .stream_limit = 128,
        .head_timeout = 10000,
        .idle_timeout = 60000,
        .body_timeout = 30000,
        .body_rate = 500,
        .write_timeout = 30000,
    };
}

/* Everything but the codec. */
static inline void
rig_home(struct rig *r)
{
    memset(r, 0, sizeof *r);
    rig_here = r;
    wire_here = &r->w;
    rig_config(&r->w.config);
    if (volo__home_init(&r->w.home, rig_on_home, rig_on_home))
        abort();
    volo__here = &r->w.home;
    r->w.home.now_ms = 1000000;
    volo__outq_init(&r->w.out, &r->w.home);
}

static inline int
rig_open(struct rig *r)
{
    static const struct volo__wire_host host = {
        .serve = rig_on_serve, .wake = rig_on_wake, .upgrade = rig_on_upgrade};

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
    struct iovec iov[16];
    size_t all = 0, sent;
    int n, i;

    do {
        n = volo__outq_iov(&r->w.out, iov, 16);
        for (i = 0, sent = 0; i < n; i++) {
            wire_append(&r->w, iov[i].iov_base, iov[i].iov_len);
            sent += iov[i].iov_len;
        }
        volo__outq_sent(&r->w.out, sent);
        r->h2->ops->output_left(r->h2);
        all += sent;
    } while (sent);
    return all;
}

/* Returns how many were taken. */
static inline size_t
rig_give(struct rig *r, const void *ptr, size_t len)
{
    struct volo__block *block =
        r->w.no_block ? NULL : volo__home_block(&r->w.home);
    char *room = block ? block->data : malloc(len ? len : 1);
    size_t n;

    if (!room)
        abort();
    if (block && len > block->cap)
        len = block->cap;
    if (len)
        memcpy(room, ptr, len);
    n = r->h2->ops->feed(r->h2, room, len, block);
    if (!block)
        free(room);
    else if (block->refs == 1)
        memset(room, '!', len);
    return n;
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
    volo_cx *cx;

    if (r->w.later_first == r->w.later_count)
        return 0;
    cx = r->w.later[r->w.later_first++];
    wire_text(cx, 200, volo_cx_target(cx));
    volo_cx_unref(cx);
    rig_run(r);
    return 1;
}

static inline void
rig_end_writer(struct rig *r, int complete)
{
    volo_writer *writer = r->w.writer;

    r->w.writer = NULL;
    if (!writer)
        return;
    if (complete) {
        volo_writer_write(writer, VOLO_STR("end"));
        volo_writer_end(writer);
    }
    volo_writer_free(writer);
    rig_run(r);
}

/* Returns exchanges that are still alive: none. */
static inline size_t
rig_close(struct rig *r)
{
    size_t live;

    if (r->h2)
        r->h2->ops->close(r->h2);
    volo__outq_clear(&r->w.out);
    while (r->w.later_first < r->w.later_count)
        volo_cx_unref(r->w.later[r->w.later_first++]);
    volo_writer_free(r->w.writer);
    r->w.writer = NULL;
    rig_run(r);
    live = r->w.home.live;
    volo__home_retire(&r->w.home);
    volo__here = NULL;
    free(r->w.output);
    return live;
}

#endif
