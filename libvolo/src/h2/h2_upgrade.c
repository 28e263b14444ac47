/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upgrade: h2c (RFC 7540 section 3.2): the client's settings come in a field
 * of HTTP/1, in base64url without padding, and the request that asks is stream
 * 1.
 */
#include "h2/state.h"

enum { PAYLOAD_MAX = 6 * 32 };

static int
sextet(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-' || c == '_')
        return c == '-' ? 62 : 63;
    return -1;
}

/* Returns the length, or VOLO_EINVAL. */
static int
decode(uint8_t *out, volo_str text)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t i;
    int n = 0;

    while (text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len > PAYLOAD_MAX / 3 * 4 || text.len % 4 == 1)
        return VOLO_EINVAL;
    for (i = 0; i < text.len; i++) {
        int six = sextet((unsigned char)text.ptr[i]);

        if (six < 0)
            return VOLO_EINVAL;
        bits = bits << 6 | (uint32_t)six;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

static int
error_of(int rc)
{
    return rc == NGHTTP2_ERR_NOMEM ? VOLO_ENOMEM : VOLO_EINVAL;
}

int
volo__h2_adopt(struct volo__wire *wire, volo_cx *cx, volo_str settings)
{
    struct volo__h2 *h2 = (struct volo__h2 *)wire;
    struct volo__h2_stream *stream;
    uint8_t payload[PAYLOAD_MAX];
    int len = decode(payload, settings), rc;

    if (len < 0)
        return len;
    stream = volo__h2_stream_new(h2, 1, cx);
    if (!stream)
        return VOLO_ENOMEM;
    rc = nghttp2_session_upgrade2(h2->session, payload, (size_t)len,
                                  cx->req.method == VOLO_HEAD, stream);
    if (rc) {
        stream->cx = NULL;
        cx->codec = NULL;
        cx->conn = NULL;
        volo__h2_stream_free(stream);
        return error_of(rc);
    }
    stream->ended = 1;
    stream->served = 1;
    wire->count++;
    wire->requests++;
    return 0;
}
