/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a response as octets, in one piece whose size is known before.
 * Knows no order of responses, and does not decide what their framing is.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "h1/state.h"

enum {
    /* Status line, Date, framing and Connection at their longest. */
    FIXED_ROOM = 256,
    DATE_LEN = 29
};

#define PUT(p, literal) \
    (memcpy((p), "" literal, sizeof(literal) - 1), (p) + sizeof(literal) - 1)

static inline char *
put(char *p, const void *data, size_t len)
{
    memcpy(p, data, len);
    return p + len;
}

static char *
put_status(char *p, int status)
{
    const char *reason;
    size_t len;

    if (status == 200)
        return PUT(p, "HTTP/1.1 200 OK\r\n");
    reason = volo_status_reason(status);
    len = strlen(reason);
    p = PUT(p, "HTTP/1.1 ");
    *p++ = (char)('0' + status / 100);
    *p++ = (char)('0' + status / 10 % 10);
    *p++ = (char)('0' + status % 10);
    *p++ = ' ';
    p = put(p, reason, len);
    return PUT(p, "\r\n");
}

static char *
put_date(char *p, struct volo__home *home)
{
    p = PUT(p, "date: ");
    p = put(p, volo__home_date(home), DATE_LEN);
    return PUT(p, "\r\n");
}

static char *
put_length(char *p, uint64_t length)
{
    p = PUT(p, "content-length: ");
    p += volo__u64_format(p, length);
    return PUT(p, "\r\n");
}

static inline char *
put_fields(char *p, const struct volo__fields *fields)
{
    uint32_t i;

    for (i = 0; i < fields->count; i++) {
        const volo_pair *field = &fields->v[i];

        p = put(p, field->name.ptr, field->name.len);
        *p++ = ':';
        *p++ = ' ';
        p = put(p, field->value.ptr, field->value.len);
        *p++ = '\r';
        *p++ = '\n';
    }
    return p;
}

static size_t
room_for_fields(const struct volo__fields *fields)
{
    size_t size = 0;
    uint32_t i;

    for (i = 0; i < fields->count; i++)
        size += fields->v[i].name.len + fields->v[i].value.len + 4;
    return size;
}

static size_t
room_for(const struct volo__h1 *h1, const volo_cx *cx)
{
    size_t size = FIXED_ROOM + cx->res.upgrade.len;

    if (h1->wire.config->server_name)
        size += strlen(h1->wire.config->server_name);
    return size + room_for_fields(&cx->res.headers);
}

/* Whether to close is said by the last response, and only by that. */
static int
is_last(const struct volo__h1 *h1, const volo_cx *cx)
{
    return h1->final && !h1->refuse && cx == h1->last &&
           h1->state != VOLO__H1_HELD && h1->state != VOLO__H1_IN_HEAD;
}

static char *
put_connection(char *p, const struct volo__h1 *h1, const volo_cx *cx)
{
    if (cx->res.upgrade_fn) {
        if (cx->res.status != 101)
            return p;
        p = PUT(p, "connection: upgrade\r\nupgrade: ");
        p = put(p, cx->res.upgrade.ptr, cx->res.upgrade.len);
        return PUT(p, "\r\n");
    }
    if (is_last(h1, cx))
        return PUT(p, "connection: close\r\n");
    if (cx->req.version == 10)
        return PUT(p, "connection: keep-alive\r\n");
    return p;
}

static char *
put_head(char *p, const struct volo__h1 *h1, const volo_cx *cx, int framing,
         uint64_t length)
{
    const char *server = h1->wire.config->server_name;

    p = put_status(p, cx->res.status);
    if (!volo__fields_has(&cx->res.headers, VOLO_FIELD_DATE))
        p = put_date(p, h1->wire.home);
    if (server && !volo__fields_has(&cx->res.headers, VOLO_FIELD_SERVER)) {
        p = PUT(p, "server: ");
        p = put(p, server, strlen(server));
        p = PUT(p, "\r\n");
    }
    p = put_fields(p, &cx->res.headers);
    if (framing == VOLO__H1_KNOWN_LENGTH)
        p = put_length(p, length);
    else if (framing == VOLO__H1_IN_CHUNKS)
        p = PUT(p, "transfer-encoding: chunked\r\n");
    p = put_connection(p, h1, cx);
    return PUT(p, "\r\n");
}

/* A head beyond what the queue reserves in one piece. */
static int
write_large(struct volo__h1 *h1, volo_cx *cx, int framing, uint64_t length,
            size_t room)
{
    char *head = volo__malloc(room);
    int err;

    if (!head)
        return VOLO_ENOMEM;
    err = volo__outq_copy(
        h1->wire.out, head,
        (size_t)(put_head(head, h1, cx, framing, length) - head));
    volo__free(head);
    return err;
}

int
volo__h1_write(struct volo__h1 *h1, volo_cx *cx, int framing, uint64_t length,
               volo_str body)
{
    size_t room = room_for(h1, cx), small = 0;
    char *head, *p;
    int err;

    if (body.len <= VOLO__H1_SMALL_BODY &&
        room + body.len <= VOLO__OUT_SIZE / 2)
        small = body.len;
    if (room > VOLO__OUT_SIZE / 2) {
        err = write_large(h1, cx, framing, length, room);
        if (err)
            return err;
    } else {
        head = volo__outq_reserve(h1->wire.out, room + small);
        if (!head)
            return VOLO_ENOMEM;
        p = put_head(head, h1, cx, framing, length);
        if (small)
            p = put(p, body.ptr, small);
        volo__outq_commit(h1->wire.out, (size_t)(p - head));
    }
    if (body.len == small || body.len > VOLO__H1_SMALL_BODY)
        return 0;
    return volo__outq_copy(h1->wire.out, body.ptr, body.len);
}

int
volo__h1_write_interim(struct volo__h1 *h1, int status,
                       const struct volo__fields *fields)
{
    size_t room = FIXED_ROOM + (fields ? room_for_fields(fields) : 0);
    char *head = volo__malloc(room), *p;
    int err;

    if (!head)
        return VOLO_ENOMEM;
    p = put_status(head, status);
    if (fields)
        p = put_fields(p, fields);
    p = PUT(p, "\r\n");
    err = volo__outq_copy(h1->wire.out, head, (size_t)(p - head));
    volo__free(head);
    return err;
}

void
volo__h1_write_refusal(struct volo__h1 *h1, int status, int with_body)
{
    const char *reason = volo_status_reason(status);
    size_t len = strlen(reason);
    char *head = volo__outq_reserve(h1->wire.out, FIXED_ROOM + len), *p = head;

    if (!head)
        return;
    p = put_status(p, status);
    p = put_date(p, h1->wire.home);
    p = PUT(p, "content-type: text/plain; charset=utf-8\r\n");
    p = put_length(p, len + 1);
    p = PUT(p, "connection: close\r\n\r\n");
    if (with_body) {
        p = put(p, reason, len);
        *p++ = '\n';
    }
    volo__outq_commit(h1->wire.out, (size_t)(p - head));
}
