/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priorities (RFC 9218): what the client asks for, in a field or a frame, is
 * nghttp2's to see to; here is what the response says of itself, which has the
 * last word for what it says.
 */
#include "base/str.h"
#include "h2/state.h"

#if VOLO__H2_HAS_EXTPRI

static int
key_is(volo_str item, char key)
{
    return item.len && item.ptr[0] == key &&
           (item.len == 1 || item.ptr[1] == '=' || item.ptr[1] == ';');
}

/* Of the members of the dictionary two are known; what is not understood is
 * not said. */
static int
parse(nghttp2_extpri *pri, volo_str value)
{
    volo_str item;
    int said = 0;

    while (volo__list_next(&value, &item)) {
        if (key_is(item, 'u') && item.len >= 3 && item.ptr[2] >= '0' &&
            item.ptr[2] <= '7') {
            pri->urgency = (uint32_t)(item.ptr[2] - '0');
            said = 1;
        } else if (key_is(item, 'i')) {
            pri->inc =
                !(item.len >= 4 && item.ptr[2] == '?' && item.ptr[3] == '0');
            said = 1;
        }
    }
    return said;
}

void
volo__h2_prioritize(struct volo__h2_stream *stream, volo_str value)
{
    struct volo__h2 *h2 = stream->h2;
    nghttp2_extpri pri = {NGHTTP2_EXTPRI_DEFAULT_URGENCY, 0};
    volo_str asked =
        volo__fields_find(&stream->cx->req.headers, 0, VOLO_STR("priority"));

    if (asked.ptr)
        parse(&pri, asked);
    if (parse(&pri, value) &&
        nghttp2_session_change_extpri_stream_priority(
            h2->session, stream->id, &pri, 1) == NGHTTP2_ERR_NOMEM)
        volo__h2_cut(h2);
}

#else

void
volo__h2_prioritize(struct volo__h2_stream *stream, volo_str value)
{
    (void)stream;
    (void)value;
}

#endif
