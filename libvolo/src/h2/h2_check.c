/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we demand of a head beyond what nghttp2 does, which is RFC 9113 section
 * 8: a target and an authority that are valid to the octet, an Expect that we
 * know.  Repairs nothing.
 */
#include "base/str.h"
#include "h2/state.h"
#include "http/message.h"
#include "http/uri.h"

static int
check_method(const volo_cx *cx)
{
    if (!volo__is_token(cx->req.method_name))
        return 400;
    return cx->req.method_name.len > VOLO__METHOD_LIMIT ? 501 : 0;
}

/* CONNECT names an authority, unless it says for which protocol; then it has a
 * path as others do (RFC 8441 section 4). */
static int
check_target(const struct volo__h2_stream *stream)
{
    volo_cx *cx = stream->cx;
    int method = cx->req.method;

    if (!volo__authority_valid(cx->req.authority))
        return 400;
    if (method == VOLO_CONNECT && !stream->extended)
        cx->req.target = cx->req.authority;
    else if (method == VOLO_CONNECT)
        method = VOLO_GET;
    return volo__cx_take_target(cx, method, NULL);
}

/* Whether it comes true is seen to by nghttp2. */
static int
check_length(volo_cx *cx, int end_stream)
{
    uint64_t length;

    cx->body.length = end_stream ? 0 : -1;
    if (!volo__fields_has(&cx->req.headers, VOLO_FIELD_CONTENT_LENGTH))
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

int
volo__h2_check_head(struct volo__h2_stream *stream, int end_stream)
{
    int status = check_method(stream->cx);

    if (!status)
        status = check_target(stream);
    if (!status)
        status = check_length(stream->cx, end_stream);
    if (!status)
        status = volo__cx_take_expect(stream->cx, !end_stream);
    return status;
}
