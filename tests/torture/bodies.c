/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests and responses, whole and streamed. */
#include "torture.h"

#include <stdio.h>

static int
play_post(volo_service_fn fn, const char *text, size_t chunk, const char *body)
{
    volo_service *service;
    int err = volo_service_new(&service, fn, NULL, NULL);

    if (err)
        return err;
    err = torture_ask(service, "POST", "/", text, chunk, body);
    volo_service_unref(service);
    return err;
}

static void
whole_read(volo_cx *cx, int err, volo_str body, void *user)
{
    (void)user;
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_bytes(cx, "text/plain", body);
}

static void
whole(volo_cx *cx, void *user)
{
    if (volo_cx_read_body(cx, whole_read, user))
        torture_fail("the body cannot be read");
}

static int
play_whole(void)
{
    return play_post(whole, "some text", 0, "some text");
}

static int
play_whole_in_pieces(void)
{
    return play_post(whole, "some more text in pieces", 5,
                     "some more text in pieces");
}

static void
json_read(volo_cx *cx, int err, volo_str body, void *user)
{
    volo_json *doc, *copy;

    (void)user;
    if (!err)
        err = volo_json_parse(&doc, cx, body);
    if (!err)
        err = volo_json_dup(&copy, cx, doc);
    if (!err)
        err = volo_json_set_bool(copy, "seen", 1);
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_json(cx, copy);
}

static void
json(volo_cx *cx, void *user)
{
    if (volo_cx_read_body(cx, json_read, user))
        torture_fail("the body cannot be read");
}

static int
play_json(void)
{
    return play_post(json, "{\"a\":[1,2,{\"b\":null}]}", 0,
                     "{\"a\":[1,2,{\"b\":null}],\"seen\":true}");
}

static int
count_piece(volo_cx *cx, int err, volo_str piece, void *user)
{
    size_t *count = user;
    char text[24];

    if (piece.ptr) {
        *count += piece.len;
        volo_cx_resume_body(cx);
        return VOLO_FLOW_PAUSE;
    }
    snprintf(text, sizeof text, "%zu", *count);
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_text(cx, text);
    return VOLO_FLOW_MORE;
}

static void
counted(volo_cx *cx, void *user)
{
    size_t *count = volo_cx_alloc(cx, sizeof *count);

    (void)user;
    if (!count) {
        volo_reply_error(cx, VOLO_ENOMEM);
        return;
    }
    *count = 0;
    if (volo_cx_read_stream(cx, count_piece, count))
        torture_fail("the body cannot be read");
}

static int
play_streamed(void)
{
    return play_post(counted, "0123456789012345678901234567890123456789", 7,
                     "40");
}

static int
source(volo_writer *w, void *user)
{
    int *n = user;
    int err = volo_writer_write(w, VOLO_STR("piece "));

    if (err)
        return err;
    return --*n > 0;
}

static void
sourced(volo_cx *cx, void *user)
{
    int *n = volo_cx_alloc(cx, sizeof *n);
    int err = VOLO_ENOMEM;

    (void)user;
    if (n) {
        *n = 3;
        err = volo_cx_answer_source(cx, -1, source, n, NULL);
    }
    if (err)
        volo_reply_error(cx, err);
}

static int
play_source(void)
{
    return play_post(sourced, NULL, 0, "piece piece piece ");
}

static void
written(volo_cx *cx, void *user)
{
    volo_writer *w;
    int err = volo_cx_answer_stream(&w, cx, 6);

    (void)user;
    if (err) {
        volo_reply_error(cx, err);
        return;
    }
    if (!volo_writer_write(w, VOLO_STR("abc")) &&
        !volo_writer_write_ref(w, VOLO_STR("def"), NULL, NULL))
        volo_writer_end(w);
    volo_writer_free(w);
}

static int
play_writer(void)
{
    return play_post(written, NULL, 0, "abcdef");
}

const struct torture_scenario torture_bodies[] = {
    {"a body read whole", play_whole},
    {"a body read whole from pieces", play_whole_in_pieces},
    {"json in and out", play_json},
    {"a body read as it comes", play_streamed},
    {"an answer from a source", play_source},
    {"an answer from a writer", play_writer},
    {NULL, NULL},
};
