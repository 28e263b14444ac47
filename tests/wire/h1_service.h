/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection in memory, and a small service to talk to through it: what each
 * path does is in README.md.  Knows no codec's inside.
 */
#ifndef VOLO_TESTS_WIRE_H1_SERVICE_H
#define VOLO_TESTS_WIRE_H1_SERVICE_H

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
    struct volo__wire_config config;
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
    if (!err)
        wire_text(cx, 200, volo_str_make(text, (size_t)n));
    else if (err != VOLO_ECANCELED)
        wire_text(cx, volo_error_status(err), VOLO_STR("failed\n"));
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

/* Before its answer, and twice. */
static inline void
wire_hint(volo_cx *cx)
{
    const volo_pair links[] = {
        {.name = VOLO_STR("Link"), .value = VOLO_STR("</a>; rel=preload")},
        {.name = VOLO_STR("X-Two"), .value = VOLO_STR("2")}};
    int err = volo_cx_early_hints(cx, links, 2);

    if (!err)
        err = volo_cx_early_hints(cx, NULL, 0);
    wire_text(cx, 200, volo_str_of(volo_error_name(err)));
}

static inline void
wire_service(volo_cx *cx)
{
    volo_str path = volo_cx_path(cx);

    if (wire_path_is(cx, "/echo")) {
        volo_cx_read_body(cx, wire_echo, NULL);
    } else if (wire_path_is(cx, "/count")) {
        uint64_t *count = volo_cx_alloc(cx, sizeof *count);

        if (!count) {
            wire_text(cx, 503, VOLO_STR("full\n"));
            return;
        }
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
    } else if (wire_path_is(cx, "/hint")) {
        wire_hint(cx);
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

#endif
