/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving field blocks: those of a head go to a new exchange, those of
 * trailers to one that is there.  All is copied.  A request is served when
 * what was fed has been read to its end: one that is reset in the same breath
 * is never seen by a handler, and a short body is there with its head.
 */
#include <string.h>

#include "base/str.h"
#include "h2/state.h"

enum { LINE_COST = 32 /* RFC 9113 section 6.5.2 */ };

/* ---- A stream begins ----------------------------------------------------- */

static volo_cx *
exchange_new(struct volo__h2 *h2)
{
    const struct volo__wire_config *config = h2->wire.config;
    volo_cx *cx = volo__cx_new(h2->wire.home);

    if (!cx)
        return NULL;
    cx->peer = h2->wire.peer;
    cx->body.limit = config->body_limit;
    cx->write_limit = config->out_limit;
    cx->req.version = 20;
    return cx;
}

static int
refuse_stream(struct volo__h2 *h2, int32_t id, uint32_t code)
{
    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, code))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
begin_request(struct volo__h2 *h2, int32_t id)
{
    struct volo__h2_stream *stream;
    volo_cx *cx;

    if (volo__h2_streams(h2) >= h2->wire.config->stream_limit)
        return refuse_stream(h2, id, NGHTTP2_REFUSED_STREAM);
    cx = exchange_new(h2);
    if (!cx)
        return refuse_stream(h2, id, NGHTTP2_INTERNAL_ERROR);
    stream = volo__h2_stream_new(h2, id, cx);
    if (!stream) {
        volo__cx_discard(cx);
        return refuse_stream(h2, id, NGHTTP2_INTERNAL_ERROR);
    }
    nghttp2_session_set_stream_user_data(h2->session, id, stream);
    h2->current = stream;
    return 0;
}

int
volo__h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                          void *user)
{
    struct volo__h2 *h2 = user;
    struct volo__h2_stream *stream;

    (void)session;
    h2->current = NULL;
    if (h2->cutting)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        return begin_request(h2, frame->hd.stream_id);
    stream = volo__h2_stream_of(h2, frame->hd.stream_id);
    if (stream) {
        stream->trailing = 1;
        stream->list_size = 0;
        stream->lines = 0;
        h2->current = stream;
    }
    return 0;
}

/* ---- Fields -------------------------------------------------------------- */

static int
add(struct volo__fields *fields, struct volo__arena *a, int id, volo_str name,
    volo_str value)
{
    if (id)
        name = volo__field_str(id);
    else
        name = volo__arena_dup(a, name);
    value = volo__arena_dup(a, value);
    if (!name.ptr || !value.ptr)
        return 503;
    return volo__fields_add(fields, a, id, name, value) ? 503 : 0;
}

/* :authority stands for Host, and comes first. */
static int
take_authority(volo_cx *cx, volo_str value)
{
    int status = add(&cx->req.headers, &cx->arena, VOLO_FIELD_HOST,
                     volo_str_make(NULL, 0), value);

    if (!status)
        cx->req.authority = cx->req.headers.v[cx->req.headers.count - 1].value;
    return status;
}

static int
keep(volo_cx *cx, volo_str *to, volo_str value)
{
    *to = volo__arena_dup(&cx->arena, value);
    return to->ptr ? 0 : 503;
}

static int
take_method(volo_cx *cx, volo_str value)
{
    cx->req.method = (uint8_t)volo_method_of(value.ptr, value.len);
    return keep(cx, &cx->req.method_name, value);
}

/* nghttp2 lets pass but the five that there are. */
static int
take_pseudo(struct volo__h2_stream *stream, volo_str name, volo_str value)
{
    volo_cx *cx = stream->cx;

    switch (name.len) {
    case sizeof ":path" - 1:
        if (value.len > stream->h2->wire.config->target_limit)
            return 414;
        return keep(cx, &cx->req.target, value);
    case sizeof ":protocol" - 1:
        stream->extended = 1;
        return keep(cx, &cx->req.protocol, value);
    case sizeof ":authority" - 1:
        return take_authority(cx, value);
    default: /* ":scheme" is what the connection says */
        return name.ptr[1] == 'm' ? take_method(cx, value) : 0;
    }
}

/* The same as :authority, or else whom is it for? */
static int
take_host(volo_cx *cx, volo_str value)
{
    if (!cx->req.authority.ptr)
        return take_authority(cx, value);
    return volo__str_ieq(cx->req.authority, value) ? 0 : 400;
}

static int
take(struct volo__h2_stream *stream, int id, volo_str name, volo_str value)
{
    volo_cx *cx = stream->cx;

    if (id == VOLO_FIELD_HOST)
        return take_host(cx, value);
    stream->cookies += id == VOLO_FIELD_COOKIE;
    return add(&cx->req.headers, &cx->arena, id, name, value);
}

static int
take_trailer(struct volo__h2_stream *stream, int id, volo_str name,
             volo_str value)
{
    volo_cx *cx = stream->cx;

    if (cx->body.mode == VOLO__BODY_DISCARD || stream->unwanted ||
        !volo__field_may_trail(id))
        return 0;
    return add(&cx->req.trailers, &cx->late, id, name, value);
}

/* Far more than the limit, which the client was told, costs the connection. */
static int
count_line(struct volo__h2_stream *stream, size_t len, int is_line)
{
    const struct volo__wire_config *config = stream->h2->wire.config;
    uint32_t limit =
        stream->trailing ? config->trailer_limit : config->head_limit;

    stream->lines += (uint32_t)is_line;
    stream->list_size += (len > limit ? limit : (uint32_t)len) + LINE_COST;
    if (stream->list_size <= limit && stream->lines <= config->field_limit)
        return 0;
    if (stream->list_size / 8 > limit ||
        stream->lines / 8 > config->field_limit)
        return -1;
    return 431;
}

/* One field.  Crumbs of cookies are one line: clients split what was one. */
static int
take_field(struct volo__h2_stream *stream, volo_str name, volo_str value)
{
    int is_pseudo = name.len && name.ptr[0] == ':';
    int id = is_pseudo ? 0 : volo__field_lookup(name.ptr, name.len);
    int is_crumb = id == VOLO_FIELD_COOKIE && stream->cookies;
    int status =
        count_line(stream, name.len + value.len, !is_pseudo && !is_crumb);

    if (status || stream->refuse || !stream->cx)
        return status;
    if (stream->trailing)
        return take_trailer(stream, id, name, value);
    if (is_pseudo)
        return take_pseudo(stream, name, value);
    return take(stream, id, name, value);
}

int
volo__h2_on_header(nghttp2_session *session, const nghttp2_frame *frame,
                   const uint8_t *name, size_t name_len, const uint8_t *value,
                   size_t value_len, uint8_t flags, void *user)
{
    struct volo__h2 *h2 = user;
    struct volo__h2_stream *stream = h2->current;
    int status;

    (void)session;
    (void)frame;
    (void)flags;
    if (h2->cutting)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!stream)
        return 0;
    status = take_field(stream, volo_str_make((const char *)name, name_len),
                        volo_str_make((const char *)value, value_len));
    if (status < 0) {
        h2->fault = NGHTTP2_ENHANCE_YOUR_CALM;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (status && !stream->refuse)
        stream->refuse = (uint16_t)status;
    return 0;
}

/* nghttp2 would pass over what has no place in a value. */
int
volo__h2_on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                           const uint8_t *name, size_t name_len,
                           const uint8_t *value, size_t value_len,
                           uint8_t flags, void *user)
{
    (void)session;
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    return refuse_stream(user, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
}

/* ---- The end of one ------------------------------------------------------ */

/* RFC 9113 section 8.2.3. */
static int
join_cookies(volo_cx *cx)
{
    struct volo__fields *fields = &cx->req.headers;
    volo_pair *first = NULL;
    size_t size = 0;
    uint32_t i, kept = 0;
    char *to;

    for (i = 0; i < fields->count; i++)
        if (fields->v[i].id == VOLO_FIELD_COOKIE)
            size += fields->v[i].value.len + 2;
    to = volo__arena_bytes(&cx->arena, size);
    if (!to)
        return 503;
    for (i = 0; i < fields->count; i++) {
        volo_str crumb = fields->v[i].value;

        if (fields->v[i].id != VOLO_FIELD_COOKIE) {
            fields->v[kept++] = fields->v[i];
            continue;
        }
        if (!first) {
            first = &fields->v[kept];
            fields->v[kept++] = fields->v[i];
            first->value = volo_str_make(to, 0);
        } else {
            memcpy(to + first->value.len, "; ", 2);
            first->value.len += 2;
        }
        memcpy(to + first->value.len, crumb.ptr, crumb.len);
        first->value.len += crumb.len;
    }
    fields->count = kept;
    return 0;
}

static void
make_ready(struct volo__h2 *h2, struct volo__h2_stream *stream)
{
    stream->waiting = 1;
    stream->ready = NULL;
    if (h2->ready_last)
        h2->ready_last->ready = stream;
    else
        h2->ready_first = stream;
    h2->ready_last = stream;
}

static void
trailers_end(struct volo__h2_stream *stream)
{
    if (stream->refuse && stream->cx) {
        volo__body_fail(stream->cx,
                        stream->refuse == 503 ? VOLO_ENOMEM : VOLO_EHEAD);
        stream->unwanted = 1;
    }
    volo__h2_body_ended(stream);
}

void
volo__h2_head_end(struct volo__h2 *h2, struct volo__h2_stream *stream,
                  int end_stream)
{
    int status = stream->refuse;

    if (!stream->cx)
        return;
    if (stream->trailing) {
        trailers_end(stream);
        return;
    }
    stream->ended = end_stream != 0;
    h2->wire.requests++;
    if (!status && stream->cookies > 1)
        status = join_cookies(stream->cx);
    if (!status)
        status = volo__h2_check_head(stream, end_stream);
    if (status)
        volo__h2_refuse(stream, status);
    else
        make_ready(h2, stream);
    if (h2->wire.requests >= h2->wire.config->request_limit)
        volo__h2_go_away(h2);
}

void
volo__h2_serve_ready(struct volo__h2 *h2)
{
    struct volo__h2_stream *stream;

    while ((stream = h2->ready_first) != NULL && !h2->cutting) {
        h2->ready_first = stream->ready;
        if (!h2->ready_first)
            h2->ready_last = NULL;
        stream->waiting = 0;
        stream->served = 1;
        h2->wire.count++;
        volo__h2_body_ready(stream);
        h2->wire.host->serve(&h2->wire, stream->cx);
    }
}
