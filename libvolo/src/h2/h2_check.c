/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we demand of a head beyond what nghttp2 does, which is RFC 9113 section
 * 8: a target and an authority that are valid to the octet, an Expect that we
 * know.  Repairs nothing.
 */
#include "base/str.h"
#include "h2/state.h"
#include "http/uri.h"

enum { METHOD_LIMIT = 64 };

static int
has(const volo_cx *cx, int id)
{
    return (cx->req.headers.seen >> id) & 1;
}

static int
check_method(const volo_cx *cx)
{
    if (!volo__is_token(cx->req.method_name))
        return 400;
    return cx->req.method_name.len > METHOD_LIMIT ? 501 : 0;
}

/* CONNECT names an authority, unless it says for which protocol; then it has a
 * path as others do (RFC 8441 section 4). */
static int
check_target(const struct volo__h2_stream *stream)
{
    volo_cx *cx = stream->cx;
    struct volo__target target;
    int method = cx->req.method;

    if (!volo__authority_valid(cx->req.authority))
        return 400;
    if (method == VOLO_CONNECT && !stream->extended)
        cx->req.target = cx->req.authority;
    else if (method == VOLO_CONNECT)
        method = VOLO_GET;
    if (volo__target_parse(&target, method, cx->req.target) < 0)
        return 400;
    cx->req.path = target.path;
    cx->req.original_path = target.path;
    cx->req.query = target.query;
    cx->req.bad_path = target.path.ptr == NULL;
    return 0;
}

/* Whether it comes true is seen to by nghttp2. */
static int
check_length(volo_cx *cx, int end_stream)
{
    uint64_t length;

    cx->body.length = end_stream ? 0 : -1;
    if (!has(cx, VOLO_FIELD_CONTENT_LENGTH))
        return 0;
    if (volo__fields_count_id(&cx->req.headers, VOLO_FIELD_CONTENT_LENGTH) >
            1 ||
        volo__u64_parse(&length, volo__fields_find(&cx->req.headers,
                                                   VOLO_FIELD_CONTENT_LENGTH,
                                                   volo_str_make(NULL, 0))) ||
        length > INT64_MAX)
        return 400;
    if (!end_stream)
        cx->body.length = (int64_t)length;
    return 0;
}

static int
check_expect(volo_cx *cx, int end_stream)
{
    const struct volo__fields *fields = &cx->req.headers;
    uint32_t i;

    if (!has(cx, VOLO_FIELD_EXPECT))
        return 0;
    for (i = 0; i < fields->count; i++)
        if (fields->v[i].id == VOLO_FIELD_EXPECT &&
            !volo__str_ieq(fields->v[i].value, VOLO_STR("100-continue")))
            return 417;
    cx->req.expect = !end_stream;
    return 0;
}

int
volo__h2_check_head(struct volo__h2 *h2, struct volo__h2_stream *stream,
                    int end_stream)
{
    int status = check_method(stream->cx);

    (void)h2;
    if (!status)
        status = check_target(stream);
    if (!status)
        status = check_length(stream->cx, end_stream);
    if (!status)
        status = check_expect(stream->cx, end_stream);
    return status;
}
