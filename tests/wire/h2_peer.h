/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client for the codec in h2_rig.h: nghttp2's, which writes down what it is
 * told.  What it sends is fed whole, or in pieces of some size.
 */
#ifndef VOLO_TESTS_WIRE_H2_PEER_H
#define VOLO_TESTS_WIRE_H2_PEER_H

#include <nghttp2/nghttp2.h>

#include "wire/h2_rig.h"

enum { PEER_STREAMS = 600, PEER_TEXT = 8192 };

struct reply {
    int status;
    char head[PEER_TEXT]; /* "name=value;" without the date */
    char trailers[256];
    char *body;
    size_t len;
    int interim; /* the last 1xx */
    int ended;
    int closed;
    uint32_t code;
};

struct upload {
    const char *ptr;
    size_t left;
    int trailers; /* follow */
    int held;     /* no more for now */
};

struct peer {
    struct rig rig;
    nghttp2_session *session;
    struct reply replies[PEER_STREAMS]; /* by (id - 1) / 2 */
    struct upload uploads[PEER_STREAMS];
    size_t step; /* feed so many octets at once; 0 all */
    size_t read; /* of the rig's output */
    int goaways;
    int32_t goaway_last;
    uint32_t goaway_code;
    int deaf; /* what the server says is left unread */
};

static inline struct reply *
peer_reply(struct peer *p, int32_t id)
{
    return &p->replies[(id - 1) / 2];
}

static inline void
peer_add(char *text, const uint8_t *name, size_t name_len, const uint8_t *value,
         size_t value_len, size_t size)
{
    size_t at = strlen(text);

    if (at + name_len + value_len + 3 < size)
        snprintf(text + at, size - at, "%.*s=%.*s;", (int)name_len, name,
                 (int)value_len, value);
}

static inline int
peer_on_header(nghttp2_session *session, const nghttp2_frame *frame,
               const uint8_t *name, size_t name_len, const uint8_t *value,
               size_t value_len, uint8_t flags, void *user)
{
    struct reply *reply = peer_reply(user, frame->hd.stream_id);

    (void)session;
    (void)flags;
    if (name_len == 7 && !memcmp(name, ":status", 7)) {
        int status = atoi((const char *)value);

        if (status < 200)
            reply->interim = status;
        else
            reply->status = status;
    } else if (name_len == 4 && !memcmp(name, "date", 4)) {
        return value_len == 29 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    } else if (reply->status && frame->headers.cat == NGHTTP2_HCAT_HEADERS &&
               !reply->interim) {
        peer_add(reply->trailers, name, name_len, value, value_len,
                 sizeof reply->trailers);
    } else {
        peer_add(reply->head, name, name_len, value, value_len,
                 sizeof reply->head);
    }
    return 0;
}

static inline int
peer_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
             const uint8_t *data, size_t len, void *user)
{
    struct reply *reply = peer_reply(user, id);

    (void)session;
    (void)flags;
    reply->body = realloc(reply->body, reply->len + len + 1);
    if (!reply->body)
        abort();
    if (len)
        memcpy(reply->body + reply->len, data, len);
    reply->len += len;
    reply->body[reply->len] = 0;
    return 0;
}

static inline int
peer_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct peer *p = user;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        p->goaways++;
        p->goaway_last = frame->goaway.last_stream_id;
        p->goaway_code = frame->goaway.error_code;
    }
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        peer_reply(p, frame->hd.stream_id)->ended = 1;
    return 0;
}

static inline int
peer_on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    peer_reply(user, id)->closed = 1;
    peer_reply(user, id)->code = code;
    return 0;
}

static inline int
peer_init(struct peer *p)
{
    nghttp2_session_callbacks *cbs;
    int err;

    memset(p, 0, sizeof *p);
    rig_home(&p->rig);
    err = rig_open(&p->rig);
    if (err)
        return err;
    if (nghttp2_session_callbacks_new(&cbs))
        abort();
    nghttp2_session_callbacks_set_on_header_callback(cbs, peer_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cbs,
                                                              peer_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cbs, peer_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(cbs, peer_on_close);
    if (nghttp2_session_client_new(&p->session, cbs, p))
        abort();
    nghttp2_session_callbacks_del(cbs);
    nghttp2_submit_settings(p->session, NGHTTP2_FLAG_NONE, NULL, 0);
    return 0;
}

/* ---- Talking ------------------------------------------------------------- */

static inline void
peer_say(struct peer *p, const uint8_t *ptr, size_t len)
{
    size_t at = 0, n;

    while (at < len) {
        n = p->step && p->step < len - at ? p->step : len - at;
        rig_feed(&p->rig, ptr + at, n);
        at += n;
    }
}

static inline size_t
peer_hear(struct peer *p)
{
    struct wire *w = &p->rig.w;
    size_t n = w->output_len - p->read;

    if (!n || p->deaf)
        return 0;
    if (nghttp2_session_mem_recv(
            p->session, (const uint8_t *)w->output + p->read, n) != (ssize_t)n)
        abort();
    p->read += n;
    return n;
}

/* Until neither has anything to say. */
static inline void
peer_settle(struct peer *p)
{
    const uint8_t *ptr;
    ssize_t n;
    size_t said;

    do {
        said = 0;
        while ((n = nghttp2_session_mem_send(p->session, &ptr)) > 0) {
            peer_say(p, ptr, (size_t)n);
            said += (size_t)n;
        }
        rig_run(&p->rig);
        if (!p->rig.w.stuck)
            rig_drain(&p->rig);
        said += peer_hear(p);
    } while (said);
}

/* ---- Asking -------------------------------------------------------------- */

#define PEER_NV(name, value)                                         \
    {                                                                \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), \
            strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE        \
    }

static inline ssize_t
peer_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
          uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct upload *upload = &((struct peer *)user)->uploads[(id - 1) / 2];
    size_t n = upload->left < len ? upload->left : len;

    (void)source;
    if (upload->held && !n)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(buf, upload->ptr, n);
    upload->ptr += n;
    upload->left -= n;
    if (upload->left || upload->held)
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (upload->trailers) {
        nghttp2_nv nv[] = {PEER_NV("x-sum", "abc"), PEER_NV("cookie", "no")};

        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, nv, 2);
    }
    return (ssize_t)n;
}

/* Pseudo-headers and ${count} fields more; ${body} NULL: none. */
static inline int32_t
peer_ask(struct peer *p, const char *method, const char *path,
         const nghttp2_nv *fields, size_t count, const struct upload *body)
{
    nghttp2_nv nv[120] = {PEER_NV(":method", method), PEER_NV(":path", path),
                          PEER_NV(":scheme", "http"),
                          PEER_NV(":authority", "a")};
    nghttp2_data_provider from = {{0}, peer_read};
    int32_t id;

    if (count)
        memcpy(nv + 4, fields, count * sizeof nv[0]);
    if (body)
        p->uploads[(nghttp2_session_get_next_stream_id(p->session) - 1) / 2] =
            *body;
    id = nghttp2_submit_request(p->session, NULL, nv, 4 + count,
                                body ? &from : NULL, NULL);
    if (id < 0)
        abort();
    return id;
}

static inline int32_t
peer_get(struct peer *p, const char *path)
{
    return peer_ask(p, "GET", path, NULL, 0, NULL);
}

static inline int32_t
peer_post(struct peer *p, const char *path, const char *body)
{
    struct upload upload = {body, strlen(body), 0, 0};

    return peer_ask(p, "POST", path, NULL, 0, &upload);
}

static inline size_t
peer_close(struct peer *p)
{
    size_t i;

    nghttp2_session_del(p->session);
    for (i = 0; i < PEER_STREAMS; i++)
        free(p->replies[i].body);
    return rig_close(&p->rig);
}

#endif
