/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request's body between a codec, which gives octets, and a reader, who
 * wants them whole or piece by piece.  A reader is told the end exactly once.
 * Knows no framing.
 */
#include <volo/body.h>

#include <string.h>

#include "http/codec.h"

enum {
    COPY_MAX = 4096, /* shorter bodies are copied: cheaper than a buffer held */
    FIRST_CAP = 4096
};

/* ---- Telling the reader -------------------------------------------------- */

/* The reader of the whole body gets it, or ${err}, and with it the ownership
 * that was held for him. */
static void
tell_whole(volo_cx *cx, int err)
{
    struct volo__body *body = &cx->body;
    volo_body_fn fn = body->whole_fn;
    volo_str data = err ? volo_str_of(NULL) : body->data;

    body->mode = err ? VOLO__BODY_DONE : VOLO__BODY_READ;
    body->err = err;
    body->reading = 0;
    fn(cx, err, data, body->user);
    volo_cx_unref(cx);
}

static void
tell_end(volo_cx *cx, int err)
{
    struct volo__body *body = &cx->body;

    body->mode = VOLO__BODY_DONE;
    body->err = err;
    body->reading = 0;
    body->chunk_fn(cx, err, volo_str_of(NULL), body->user);
    volo_cx_unref(cx);
}

/* One piece to the reader.  While he has it, the end waits. */
static int
tell_chunk(volo_cx *cx, volo_str data)
{
    struct volo__body *body = &cx->body;
    int flow;

    body->in_callback = 1;
    flow = body->chunk_fn(cx, 0, data, body->user);
    body->in_callback = 0;
    if (body->err)
        return body->err; /* it was given up meanwhile */
    body->mode =
        flow == VOLO_FLOW_PAUSE ? VOLO__BODY_PAUSED : VOLO__BODY_STREAM;
    return flow != VOLO_FLOW_PAUSE;
}

/* End the reading, if somebody reads, with ${err}. */
static void
finish(volo_cx *cx, int err)
{
    struct volo__body *body = &cx->body;

    if (!body->reading) {
        if (err && !body->err)
            body->err = err;
        return;
    }
    if (body->in_callback) {
        body->err = err; /* volo__body_give() or pump() goes on from here */
        return;
    }
    if (body->mode == VOLO__BODY_WHOLE)
        tell_whole(cx, err);
    else
        tell_end(cx, err);
}

/* ---- The codec's side ---------------------------------------------------- */

int
volo__body_preload(volo_cx *cx, volo_str data, struct volo__block *block)
{
    struct volo__body *body = &cx->body;

    if (block && data.len > COPY_MAX) {
        body->block = volo__block_ref(block);
        body->data = data;
    } else {
        body->data = volo__arena_dup(&cx->arena, data);
        if (!body->data.ptr)
            return VOLO_ENOMEM;
    }
    body->got = data.len;
    body->complete = 1;
    return 0;
}

/* Room for ${size} octets, grown by doubling: what was announced is not
 * believed before it comes. */
static int
grow(struct volo__body *body, size_t size)
{
    size_t cap = body->cap ? body->cap * 2 : FIRST_CAP;
    char *old = (char *)(uintptr_t)body->data.ptr;
    char *mem;

    if (size <= body->cap)
        return 0;
    if (cap < size)
        cap = size;
    if (body->length > 0 && cap > (uint64_t)body->length &&
        size <= (uint64_t)body->length)
        cap = (size_t)body->length;
    mem = volo__realloc(body->cap ? old : NULL, cap);
    if (!mem)
        return VOLO_ENOMEM;
    body->data.ptr = mem;
    body->cap = cap;
    return 0;
}

static int
collect(struct volo__body *body, volo_str data, struct volo__block *block)
{
    int err;

    /* All of it in one piece: no copy. */
    if (body->data.len == 0 && block && data.len > COPY_MAX &&
        body->length == (int64_t)data.len) {
        body->block = volo__block_ref(block);
        body->data = data;
        return 0;
    }
    err = grow(body, body->data.len + data.len);
    if (err)
        return err;
    memcpy((char *)(uintptr_t)body->data.ptr + body->data.len, data.ptr,
           data.len);
    body->data.len += data.len;
    return 0;
}

/* Nothing more is wanted after an error; who reads is told. */
static int
give_up(volo_cx *cx, int err)
{
    volo_cx_ref(cx); /* the reader's may be the last */
    finish(cx, err);
    cx->body.mode = VOLO__BODY_DISCARD;
    volo_cx_unref(cx);
    return err;
}

int
volo__body_give(volo_cx *cx, volo_str data, struct volo__block *block)
{
    struct volo__body *body = &cx->body;
    int rc;

    body->got += data.len;
    if (body->mode == VOLO__BODY_WHOLE || body->mode == VOLO__BODY_STREAM) {
        if (body->got > body->limit)
            return give_up(cx, VOLO_ETOOBIG);
    }

    switch (body->mode) {
    case VOLO__BODY_WHOLE:
        rc = collect(body, data, block);
        return rc ? give_up(cx, rc) : 1;
    case VOLO__BODY_STREAM:
        rc = tell_chunk(cx, data);
        return rc < 0 ? give_up(cx, rc) : rc;
    default:
        return 1; /* thrown away */
    }
}

void
volo__body_end(volo_cx *cx)
{
    struct volo__body *body = &cx->body;

    body->complete = 1;
    if (body->mode == VOLO__BODY_WHOLE) {
        if (!body->data.ptr)
            body->data = VOLO_STR("");
        finish(cx, 0);
    } else if (body->mode == VOLO__BODY_STREAM) {
        finish(cx, 0);
    }
}

void
volo__body_fail(volo_cx *cx, int err)
{
    if (cx->body.complete && !cx->body.reading)
        return;
    finish(cx, err);
}

void
volo__body_abandon(volo_cx *cx)
{
    finish(cx, VOLO_ECANCELED);
    if (cx->body.mode != VOLO__BODY_READ)
        cx->body.mode = VOLO__BODY_DISCARD;
}

int
volo__body_wanted(const volo_cx *cx)
{
    const struct volo__body *body = &cx->body;

    return body->mode == VOLO__BODY_WHOLE || body->mode == VOLO__BODY_STREAM ||
           body->mode == VOLO__BODY_DISCARD;
}

/* ---- The reader's side --------------------------------------------------- */

/* What can be said at once: too long as announced, or lost already. */
static int
early_error(const struct volo__body *body)
{
    if (body->err)
        return body->err;
    if (body->length > 0 && (uint64_t)body->length > body->limit)
        return VOLO_ETOOBIG;
    if (body->complete && body->got > body->limit)
        return VOLO_ETOOBIG;
    return 0;
}

static void
begin(volo_cx *cx, int mode)
{
    cx->body.mode = (uint8_t)mode;
    cx->body.reading = 1;
    volo_cx_ref(cx);
}

int
volo_cx_read_body(volo_cx *cx, volo_body_fn fn, void *user)
{
    struct volo__body *body = &cx->body;

    if (volo__here != cx->home)
        return VOLO_ETHREAD;
    if (body->mode == VOLO__BODY_READ) {
        fn(cx, 0, body->data, user);
        return 0;
    }
    if (body->mode == VOLO__BODY_DONE && body->whole_fn) {
        fn(cx, body->err, volo_str_of(NULL), user);
        return 0;
    }
    if (body->mode != VOLO__BODY_UNREAD)
        return VOLO_EBUSY;

    body->whole_fn = fn;
    body->user = user;
    begin(cx, VOLO__BODY_WHOLE);
    body->err = early_error(body);
    if (body->err)
        tell_whole(cx, body->err);
    else if (body->complete)
        volo__body_end(cx);
    else if (cx->codec)
        cx->codec->want_body(cx);
    else
        tell_whole(cx, VOLO_ECANCELED);
    return 0;
}

volo_str
volo_cx_body(const volo_cx *cx)
{
    if (cx->body.mode != VOLO__BODY_READ)
        return volo_str_of(NULL);
    return cx->body.data;
}

/* Go on with a streaming reader: what lies here, then the end or the codec. */
static void
pump(volo_cx *cx)
{
    struct volo__body *body = &cx->body;
    volo_str data = body->data;
    int rc;

    if (body->err) {
        tell_end(cx, body->err);
        return;
    }
    body->mode = VOLO__BODY_STREAM;
    if (data.len) {
        body->data.len = 0;
        rc = tell_chunk(cx, data);
        if (rc < 0)
            tell_end(cx, rc);
        if (rc <= 0)
            return;
    }
    if (body->complete)
        tell_end(cx, 0);
    else if (cx->codec)
        cx->codec->want_body(cx);
    else
        tell_end(cx, VOLO_ECANCELED);
}

int
volo_cx_read_stream(volo_cx *cx, volo_chunk_fn fn, void *user)
{
    struct volo__body *body = &cx->body;

    if (volo__here != cx->home)
        return VOLO_ETHREAD;
    if (body->mode != VOLO__BODY_UNREAD)
        return VOLO_EBUSY;

    body->chunk_fn = fn;
    body->user = user;
    begin(cx, VOLO__BODY_STREAM);
    body->err = early_error(body);
    pump(cx);
    return 0;
}

static void
resume_run(struct volo__task *task)
{
    volo_cx *cx = (volo_cx *)((char *)task - offsetof(volo_cx, body.resume));

    atomic_store(&cx->body.resume_posted, 0);
    if (cx->body.reading && cx->body.mode == VOLO__BODY_PAUSED)
        pump(cx);
    volo_cx_unref(cx);
}

/* Always by way of the loop, so that a reader that resumes from inside its own
 * callback is not called again from there. */
void
volo_cx_resume_body(volo_cx *cx)
{
    if (atomic_exchange(&cx->body.resume_posted, 1))
        return;
    volo_cx_ref(cx);
    cx->body.resume.run = resume_run;
    if (volo__here == cx->home)
        volo__home_defer(cx->home, &cx->body.resume);
    else
        volo__home_post(cx->home, &cx->body.resume);
}

int64_t
volo_cx_content_length(const volo_cx *cx)
{
    return cx->body.length;
}

void
volo_cx_set_body_limit(volo_cx *cx, uint64_t limit)
{
    cx->body.limit = limit;
}

uint64_t
volo_cx_body_limit(const volo_cx *cx)
{
    return cx->body.limit;
}
