/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exchange asks of the codec, and the head of its response.  Where the
 * body comes from is said in h2_data.c.
 */
#include <string.h>

#include "base/str.h"
#include "h2/state.h"
#include "http/message.h"

enum { OWN_FIELDS = 4 /* :status, date, server, content-length */ };

/* ---- The head ------------------------------------------------------------ */

static volo_str
status_text(char text[3], int status)
{
    text[0] = (char)('0' + status / 100 % 10);
    text[1] = (char)('0' + status / 10 % 10);
    text[2] = (char)('0' + status % 10);
    return volo_str_make(text, 3);
}

/* Absent if none is said. */
static volo_str
length_text(struct volo__h2_stream *stream)
{
    const volo_cx *cx = stream->cx;
    uint64_t length = cx->res.body.len;

    if (!volo__cx_has_length(cx))
        return volo_str_make(NULL, 0);
    if (cx->res.streamed) {
        if (cx->res.length < 0)
            return volo_str_make(NULL, 0);
        length = (uint64_t)cx->res.length;
    }
    return volo_str_make(stream->length,
                         volo__u64_format(stream->length, length));
}

static void
put_head(struct volo__h2_nva *nva, struct volo__h2_stream *stream)
{
    const struct volo__h2 *h2 = stream->h2;
    const char *server = h2->wire.config->server_name;
    volo_cx *cx = stream->cx;
    volo_str length = length_text(stream);

    volo__h2_nva_put(nva, VOLO_STR(":status"),
                     status_text(stream->status, cx->res.status));
    if (!volo__fields_has(&cx->res.headers, VOLO_FIELD_DATE))
        volo__h2_nva_put(nva, VOLO_STR("date"),
                         volo_str_make(volo__home_date(h2->wire.home), 29));
    if (server && !volo__fields_has(&cx->res.headers, VOLO_FIELD_SERVER))
        volo__h2_nva_put(nva, VOLO_STR("server"), volo_str_of(server));
    volo__h2_nva_fields(nva, &cx->res.headers);
    if (length.ptr)
        volo__h2_nva_put(nva, VOLO_STR("content-length"), length);
}

static void
look_for_priority(struct volo__h2_stream *stream)
{
    const struct volo__fields *fields = &stream->cx->res.headers;
    uint32_t i;

    for (i = 0; i < fields->count; i++)
        if (!fields->v[i].id &&
            volo_str_eq(fields->v[i].name, VOLO_STR("priority")))
            volo__h2_prioritize(stream, fields->v[i].value);
}

static void
submit(struct volo__h2_stream *stream)
{
    volo_cx *cx = stream->cx;
    nghttp2_data_provider from = {{.ptr = stream}, volo__h2_read_data};
    struct volo__h2_nva nva;
    int bare =
        volo__cx_has_no_content(cx) || (!cx->res.streamed && !cx->res.body.len);
    int rc;

    if (volo__h2_nva_begin(&nva, cx->res.headers.count + OWN_FIELDS)) {
        volo__h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    put_head(&nva, stream);
    stream->started = 1;
    if (!cx->res.streamed)
        stream->body = cx->res.body;
    stream->left = (uint64_t)cx->res.length;
    stream->out_last = stream->h2->wire.home->now_ms;
    if (!bare)
        volo__h2_sooner(stream->h2, stream->out_last,
                        stream->h2->wire.config->write_timeout);
    rc = nghttp2_submit_response(stream->h2->session, stream->id, nva.v,
                                 nva.count, bare ? NULL : &from);
    volo__h2_nva_end(&nva);
    if (rc)
        volo__h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    else if (!bare)
        look_for_priority(stream);
}

void
volo__h2_refuse(struct volo__h2_stream *stream, int status)
{
    volo_cx *cx = stream->cx;
    const char *reason = volo_status_reason(status);
    size_t len = strlen(reason);
    char *text = volo__arena_bytes(&cx->arena, len + 1);

    if (status != 503)
        stream->h2->wire.malformed = 1;
    stream->refuse = (uint16_t)status;
    cx->res.status = (uint16_t)status;
    if (!text ||
        volo__fields_add(&cx->res.headers, &cx->arena, VOLO_FIELD_CONTENT_TYPE,
                         VOLO_STR("content-type"),
                         VOLO_STR("text/plain; charset=utf-8"))) {
        volo__h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    memcpy(text, reason, len);
    text[len] = '\n';
    cx->res.body = volo_str_make(text, len + 1);
    submit(stream);
}

int
volo__h2_interim(struct volo__h2_stream *stream, int status,
                 const struct volo__fields *fields)
{
    struct volo__h2_nva nva;
    char text[3];
    size_t i;
    int rc;

    if (volo__h2_nva_begin(&nva, 1 + (fields ? fields->count : 0)))
        return VOLO_ENOMEM;
    volo__h2_nva_put(&nva, VOLO_STR(":status"), status_text(text, status));
    if (fields)
        volo__h2_nva_fields(&nva, fields);

    /* The fields may be gone before this is sent: copied, all of it. */
    for (i = 0; i < nva.count; i++)
        nva.v[i].flags = NGHTTP2_NV_FLAG_NONE;
    rc = nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE,
                                stream->id, NULL, nva.v, nva.count, NULL);
    volo__h2_nva_end(&nva);
    return rc < 0 ? VOLO_ENOMEM : 0;
}

/* ---- What the exchange calls --------------------------------------------- */

static void
respond(volo_cx *cx)
{
    struct volo__h2_stream *stream = cx->conn;
    struct volo__h2 *h2 = stream->h2;
    uint8_t before = volo__h2_enter(h2);

    /* A tunnel is a stream in both directions. */
    if (volo__cx_is_tunnel(cx) && !cx->res.streamed)
        cx->res.status = 501;
    submit(stream);
    volo__h2_leave(h2, before, 1);
}

static void
stream_more(volo_cx *cx)
{
    struct volo__h2_stream *stream = cx->conn;
    struct volo__h2 *h2 = stream->h2;
    uint8_t before;

    if (!stream->deferred)
        return;
    before = volo__h2_enter(h2);
    stream->deferred = 0;
    stream->out_last = h2->wire.home->now_ms;
    volo__h2_sooner(h2, stream->out_last, h2->wire.config->write_timeout);
    if (nghttp2_session_resume_data(h2->session, stream->id) ==
        NGHTTP2_ERR_NOMEM)
        volo__h2_cut(h2);
    volo__h2_leave(h2, before, 1);
}

/* The first that reads says so to a client that waits for it, unless the
 * response has begun (RFC 9110 section 10.1.1). */
static void
want_body(volo_cx *cx)
{
    struct volo__h2_stream *stream = cx->conn;
    struct volo__h2 *h2 = stream->h2;
    uint8_t before = volo__h2_enter(h2);

    if (cx->req.expect && !stream->started && !stream->ended) {
        cx->req.expect = 0;
        if (volo__h2_interim(stream, 100, NULL))
            volo__h2_cut(h2);
    }
    stream->body_last = h2->wire.home->now_ms;
    if (!stream->body_got)
        stream->body_since = stream->body_last;
    volo__h2_sooner(h2, stream->body_last, h2->wire.config->body_timeout);
    volo__h2_body_go_on(stream);
    volo__h2_leave(h2, before, 1);
}

static void
replace(volo_cx *cx, volo_cx *heir)
{
    struct volo__h2_stream *stream = cx->conn;

    stream->cx = heir;
    heir->codec = cx->codec;
    heir->conn = stream;
    cx->codec = NULL;
    cx->conn = NULL;
}

static int
inform(volo_cx *cx, int status, const struct volo__fields *fields)
{
    struct volo__h2_stream *stream = cx->conn;
    struct volo__h2 *h2 = stream->h2;
    uint8_t before;
    int err;

    if (stream->started)
        return 0; /* too late to be of use */
    before = volo__h2_enter(h2);
    err = volo__h2_interim(stream, status, fields);
    volo__h2_leave(h2, before, 1);
    return err;
}

/* A stream is no connection to be given away. */
static int
can_upgrade(volo_cx *cx, volo_str protocol)
{
    (void)cx;
    (void)protocol;
    return VOLO_ENOTIMPL;
}

const struct volo__codec volo__h2_codec = {
    .respond = respond,
    .stream = stream_more,
    .want_body = want_body,
    .replace = replace,
    .can_upgrade = can_upgrade,
    .inform = inform,
};
