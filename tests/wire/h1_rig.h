/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection in memory: an h1 codec, a host that does as the server's does,
 * and a small service to talk to.  For wire tests, unit tests and fuzzing.
 *
 * What was fed is overwritten afterwards, so that nothing can rely on it.
 */
#ifndef VOLO_TESTS_WIRE_H1_RIG_H
#define VOLO_TESTS_WIRE_H1_RIG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <volo/body.h>
#include <volo/cx.h>
#include <volo/error.h>

#include "h1/h1.h"

enum { WIRE_LATER = 128 };

struct wire {
    struct volo__home home;
    struct volo__outq out;
    struct volo__h1_config config;
    struct volo__h1 h1;
    struct volo__peer peer;
    char *output; /* what has left */
    size_t output_len;
    size_t output_cap;
    char *kept; /* what the codec did not take */
    size_t kept_len;
    volo_cx *later[WIRE_LATER]; /* exchanges that wait for their answer */
    unsigned later_first;
    unsigned later_count;
    volo_writer *writer; /* of a response that is being streamed */
    volo_cx *upgraded;
    unsigned served;
    unsigned finished;
    unsigned canceled;
    unsigned woken;
    int stuck;    /* the peer reads nothing */
    int no_block; /* feed from exact pieces, for sanitizers */
};

static struct wire *wire_here;

static inline void
wire_append(struct wire *w, const void *data, size_t len)
{
    if (w->output_len + len > w->output_cap) {
        w->output_cap = (w->output_len + len) * 2 + 1024;
        w->output = realloc(w->output, w->output_cap);
        if (!w->output)
            abort();
    }
    if (len)
        memcpy(w->output + w->output_len, data, len);
    w->output_len += len;
}

/* ---- The service --------------------------------------------------------- */

static inline int
wire_path_is(const volo_cx *cx, const char *path)
{
    return volo_str_eq(volo_cx_path(cx), volo_str_of(path));
}

static inline void
wire_text(volo_cx *cx, int status, volo_str body)
{
    volo_cx_set_status(cx, status);
    volo_cx_set_header(cx, "content-type", VOLO_STR("text/plain"));
    volo_cx_set_body(cx, body);
    volo_cx_answer(cx);
}

static inline void
wire_echo(volo_cx *cx, int err, volo_str body, void *user)
{
    (void)user;
    if (err)
        wire_text(cx, volo_error_status(err), VOLO_STR("failed\n"));
    else
        wire_text(cx, 200, body);
}

struct wire_show {
    char *p;
    size_t left;
};

static inline void
wire_say(struct wire_show *show, volo_str s)
{
    size_t n = s.len < show->left ? s.len : show->left;

    if (n)
        memcpy(show->p, s.ptr, n);
    show->p += n;
    show->left -= n;
}

/* Everything that was read of the request. */
static inline void
wire_show(volo_cx *cx, int err, volo_str body, void *user)
{
    static char text[65536];
    struct wire_show show = {text, sizeof text};
    char version[8];
    uint32_t i;

    (void)user;
    snprintf(version, sizeof version, "%d", volo_cx_version(cx));
    wire_say(&show, volo_cx_method_name(cx));
    wire_say(&show, VOLO_STR(" "));
    wire_say(&show, volo_cx_target(cx));
    wire_say(&show, VOLO_STR(" "));
    wire_say(&show, volo_str_of(version));
    wire_say(&show, VOLO_STR(" ["));
    wire_say(&show, volo_cx_authority(cx));
    wire_say(&show, VOLO_STR("] ["));
    wire_say(&show, volo_cx_path(cx));
    wire_say(&show, VOLO_STR("] ["));
    wire_say(&show, volo_cx_query(cx));
    wire_say(&show, VOLO_STR("]\n"));
    for (i = 0; i < cx->req.headers.count + cx->req.trailers.count; i++) {
        int late = i >= cx->req.headers.count;
        const volo_pair *line =
            late ? &cx->req.trailers.v[i - cx->req.headers.count]
                 : &cx->req.headers.v[i];

        wire_say(&show, late ? VOLO_STR("+") : VOLO_STR(""));
        wire_say(&show, line->name);
        wire_say(&show, VOLO_STR("="));
        wire_say(&show, line->value);
        wire_say(&show, VOLO_STR(";\n"));
    }
    wire_say(&show, err ? volo_str_of(volo_error_name(err)) : body);
    wire_text(cx, err ? volo_error_status(err) : 200,
              volo_str_make(text, sizeof text - show.left));
}

/* Counts octets and pauses after each piece. */
static inline int
wire_count(volo_cx *cx, int err, volo_str chunk, void *user)
{
    uint64_t *count = user;
    char text[32];
    int n;

    if (chunk.ptr) {
        *count += chunk.len;
        volo_cx_resume_body(cx);
        return VOLO_FLOW_PAUSE;
    }
    n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)*count);
    if (err != VOLO_ECANCELED)
        wire_text(cx, err ? volo_error_status(err) : 200,
                  volo_str_make(text, (size_t)n));
    return VOLO_FLOW_MORE;
}

static inline void
wire_count_canceled(volo_cx *cx, void *user)
{
    (void)cx;
    (*(unsigned *)user)++;
}

static inline void
wire_keep(volo_cx *cx)
{
    struct wire *w = wire_here;

    if (w->later_count == WIRE_LATER) {
        wire_text(cx, 503, VOLO_STR("full\n"));
        return;
    }
    volo_cx_on_cancel(cx, wire_count_canceled, &w->canceled, NULL);
    w->later[w->later_count++] = volo_cx_ref(cx);
}

/* "/pieces" and "/open": length not announced; "/known", "/short": six. */
static inline void
wire_stream(volo_cx *cx, int64_t length, const char *one, const char *two)
{
    volo_writer *writer;

    volo_cx_set_header(cx, "content-type", VOLO_STR("text/plain"));
    if (volo_cx_answer_stream(&writer, cx, length))
        return;
    volo_writer_write(writer, volo_str_of(one));
    if (two) {
        volo_writer_write(writer, volo_str_of(two));
        if (length < 0)
            volo_writer_trailer(writer, "x-sum", VOLO_STR("2"));
        volo_writer_end(writer);
    }
    volo_writer_free(writer);
}

static inline void
wire_open(volo_cx *cx)
{
    struct wire *w = wire_here;

    volo_cx_set_header(cx, "content-type", VOLO_STR("text/plain"));
    if (w->writer || volo_cx_answer_stream(&w->writer, cx, -1))
        wire_text(cx, 503, VOLO_STR("full\n"));
    else
        volo_writer_write(w->writer, VOLO_STR("one"));
}

static inline void
wire_upgrade(volo_cx *cx, int fd, volo_str early, void *user)
{
    (void)cx;
    (void)fd;
    (void)early;
    (void)user;
}

static inline void
wire_big(volo_cx *cx)
{
    static char big[200000];

    memset(big, 'b', sizeof big);
    volo_cx_set_body_ref(cx, volo_str_make(big, sizeof big), NULL, NULL);
    volo_cx_answer(cx);
}

/* A head beyond what is written in one piece. */
static inline void
wire_large(volo_cx *cx)
{
    static char large[9000];

    memset(large, 'l', sizeof large);
    volo_cx_set_header(cx, "x-large", volo_str_make(large, sizeof large));
    volo_cx_set_body(cx, VOLO_STR("behind it\n"));
    volo_cx_answer(cx);
}

static inline void
wire_service(volo_cx *cx)
{
    volo_str path = volo_cx_path(cx);

    if (wire_path_is(cx, "/echo")) {
        volo_cx_read_body(cx, wire_echo, NULL);
    } else if (wire_path_is(cx, "/count")) {
        uint64_t *count = volo_cx_alloc(cx, sizeof *count);

        *count = 0;
        volo_cx_read_stream(cx, wire_count, count);
    } else if (wire_path_is(cx, "/later")) {
        wire_keep(cx);
    } else if (wire_path_is(cx, "/ok")) {
        wire_text(cx, 200, VOLO_STR("ok\n"));
    } else if (wire_path_is(cx, "/pieces")) {
        wire_stream(cx, -1, "one", "twotwo");
    } else if (wire_path_is(cx, "/known")) {
        wire_stream(cx, 6, "one", "two");
    } else if (wire_path_is(cx, "/short")) {
        wire_stream(cx, 6, "one", NULL);
    } else if (wire_path_is(cx, "/open")) {
        wire_open(cx);
    } else if (wire_path_is(cx, "/large")) {
        wire_large(cx);
    } else if (wire_path_is(cx, "/big")) {
        wire_big(cx);
    } else if (wire_path_is(cx, "/upgrade")) {
        if (volo_cx_answer_upgrade(cx, "echo", wire_upgrade, NULL))
            wire_text(cx, 426, VOLO_STR("no\n"));
    } else if (path.len == 11 && !memcmp(path.ptr, "/status/", 8)) {
        wire_text(cx, atoi(path.ptr + 8), VOLO_STR("status\n"));
    } else {
        volo_cx_read_body(cx, wire_show, NULL);
    }
}

/* ---- The host ------------------------------------------------------------ */

static inline void
wire_finished(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct wire *)user)->finished++;
}

static inline void
wire_on_serve(struct volo__h1 *h1, volo_cx *cx)
{
    struct wire *w = wire_here;

    (void)h1;
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
wire_on_wake(struct volo__h1 *h1)
{
    (void)h1;
    wire_here->woken++;
}

static inline void
wire_on_upgrade(struct volo__h1 *h1, volo_cx *cx)
{
    (void)h1;
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
    static const struct volo__h1_host host = {wire_on_serve, wire_on_wake,
                                              wire_on_upgrade};

    memset(w, 0, sizeof *w);
    w->config = (struct volo__h1_config){
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
        volo__h1_output_left(&w->h1);
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
    n = volo__h1_feed(&w->h1, room, len, block);
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
        if (w->kept_len && volo__h1_wants(&w->h1)) {
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

    volo__h1_close(&w->h1);
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
        if (len - from >= 37 && !memcmp(text + from, "Date: ", 6) &&
            text[from + 36] == '\n')
            from += 37;
        else
            text[to++] = text[from++];
    }
    return to;
}

#endif
