/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around a codec in memory, as the server does around its own:
 * home, queue, limits, who serves.  What was fed is overwritten afterwards, so
 * that nothing can rely on it.  Which codec it is, h1_rig.h and h2_rig.h know.
 */
#ifndef VOLO_TESTS_WIRE_HOST_H
#define VOLO_TESTS_WIRE_HOST_H

#include "wire/h1_service.h"

/* ---- What a codec asks --------------------------------------------------- */

static inline void
wire_finished(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct wire *)user)->finished++;
}

/* All of serving but to let go of it. */
static inline void
wire_serve(struct wire *w, volo_cx *cx)
{
    w->served++;
    volo__cx_started(cx);
    if (w->served % 2)
        volo_cx_on_finish(cx, wire_finished, w, NULL);
    else
        w->finished++;
    wire_service(cx);
}

static inline void
wire_on_wake(struct volo__wire *wire)
{
    (void)wire;
    wire_here->woken++;
}

static inline void
wire_on_home(struct volo__home *home)
{
    (void)home;
}

/* ---- The beginning ------------------------------------------------------- */

static inline void
wire_config(struct volo__wire_config *config)
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
wire_open_home(struct wire *w)
{
    wire_here = w;
    wire_config(&w->config);
    if (volo__home_init(&w->home, wire_on_home, wire_on_home))
        abort();
    volo__here = &w->home;
    volo__outq_init(&w->out, &w->home);
}

/* ---- Octets -------------------------------------------------------------- */

/* The front of the queue leaves, to w->output; returns how much. */
static inline size_t
wire_take(struct wire *w, struct volo__wire *codec)
{
    struct iovec iov[16];
    int n = volo__outq_iov(&w->out, iov, 16), i;
    size_t sent = 0;

    for (i = 0; i < n; i++) {
        wire_append(w, iov[i].iov_base, iov[i].iov_len);
        sent += iov[i].iov_len;
    }
    volo__outq_sent(&w->out, sent);
    codec->ops->output_left(codec);
    return sent;
}

/* Returns how many were taken. */
static inline size_t
wire_lend(struct wire *w, struct volo__wire *codec, const void *ptr, size_t len)
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
    n = codec->ops->feed(codec, room, len, block);
    if (!block)
        free(room);
    else if (block->refs == 1)
        memset(room, '!', len);
    return n;
}

/* ---- What handlers do later ---------------------------------------------- */

/* Answer the exchange that has waited longest: 0 if there is none. */
static inline int
wire_answer_next(struct wire *w)
{
    volo_cx *cx;

    if (w->later_first == w->later_count)
        return 0;
    cx = w->later[w->later_first++];
    wire_text(cx, 200, volo_cx_target(cx));
    volo_cx_unref(cx);
    return 1;
}

/* 0 if nothing is being streamed. */
static inline int
wire_finish_writer(struct wire *w, int complete)
{
    volo_writer *writer = w->writer;

    w->writer = NULL;
    if (!writer)
        return 0;
    if (complete) {
        volo_writer_write(writer, VOLO_STR("end"));
        volo_writer_end(writer);
    }
    volo_writer_free(writer);
    return 1;
}

/* ---- The end ------------------------------------------------------------- */

/* The codec has been closed; returns exchanges that are still alive: none. */
static inline size_t
wire_close_home(struct wire *w)
{
    size_t live;

    volo__outq_clear(&w->out);
    while (w->later_first < w->later_count)
        volo_cx_unref(w->later[w->later_first++]);
    wire_finish_writer(w, 0);
    do {
        volo__home_run_inbox(&w->home);
        volo__home_run_deferred(&w->home);
    } while (w->home.deferred);
    live = w->home.live;
    volo__home_retire(&w->home);
    volo__here = NULL;
    free(w->output);
    return live;
}

#endif
