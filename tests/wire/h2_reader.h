/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rig has said, sorted by stream: two connections that were told the
 * same in other pieces may order their frames in another way, but say the same
 * on each stream.
 */
#ifndef VOLO_TESTS_WIRE_H2_READER_H
#define VOLO_TESTS_WIRE_H2_READER_H

#include <nghttp2/nghttp2.h>

#include "wire/h2_rig.h"

enum { HEARD_STREAMS = 16, HEARD_TEXT = 4096 };

struct heard {
    char text[HEARD_STREAMS][HEARD_TEXT]; /* by (id - 1) / 2 */
    size_t octets[HEARD_STREAMS];         /* of DATA */
    int end;                              /* the code of GOAWAY, or -1 */
};

static inline void
heard_add(struct heard *h, uint32_t id, const void *ptr, size_t len)
{
    char *text = h->text[(id - 1) / 2 % HEARD_STREAMS];
    size_t at = strlen(text);

    if (len > HEARD_TEXT - 1 - at)
        len = HEARD_TEXT - 1 - at;
    memcpy(text + at, ptr, len);
    text[at + len] = 0;
}

static inline void
heard_fields(struct heard *h, nghttp2_hd_inflater *inflater, uint32_t id,
             const uint8_t *block, size_t len)
{
    nghttp2_nv nv;
    ssize_t n;
    int flags;

    do {
        flags = 0;
        n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block, len, 1);
        if (n < 0)
            abort();
        block += n;
        len -= (size_t)n;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
            continue;
        heard_add(h, id, nv.name, nv.namelen);
        heard_add(h, id, "=", 1);
        if (nv.namelen != 4 || memcmp(nv.name, "date", 4))
            heard_add(h, id, nv.value, nv.valuelen);
        heard_add(h, id, "\n", 1);
    } while (!(flags & NGHTTP2_HD_INFLATE_FINAL) &&
             (len || (flags & NGHTTP2_HD_INFLATE_EMIT)));
    nghttp2_hd_inflate_end_headers(inflater);
}

static inline void
heard_frame(struct heard *h, nghttp2_hd_inflater *inflater, const uint8_t *at,
            size_t len)
{
    uint32_t id = ((uint32_t)at[5] << 24 | (uint32_t)at[6] << 16 |
                   (uint32_t)at[7] << 8 | at[8]) &
                  INT32_MAX;
    char text[32];

    switch (at[3]) {
    case NGHTTP2_DATA:
        h->octets[(id - 1) / 2 % HEARD_STREAMS] += len;
        heard_add(h, id, at + 9, len);
        break;
    case NGHTTP2_HEADERS:
        heard_fields(h, inflater, id, at + 9, len);
        break;
    case NGHTTP2_RST_STREAM:
        snprintf(text, sizeof text, "(reset %d)", at[12]);
        heard_add(h, id, text, strlen(text));
        break;
    case NGHTTP2_GOAWAY:
        h->end = at[16];
        break;
    default:
        break;
    }
    if (at[3] <= NGHTTP2_HEADERS && (at[4] & NGHTTP2_FLAG_END_STREAM))
        heard_add(h, id, "(end)", 5);
}

static inline void
heard_all(struct heard *h, const struct rig *r)
{
    const uint8_t *at = (const uint8_t *)r->w.output;
    size_t left = r->w.output_len, len;
    nghttp2_hd_inflater *inflater;

    memset(h, 0, sizeof *h);
    h->end = -1;
    if (nghttp2_hd_inflate_new(&inflater))
        abort();
    while (left >= 9) {
        len = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
        if (len > left - 9)
            break;
        heard_frame(h, inflater, at, len);
        at += 9 + len;
        left -= 9 + len;
    }
    nghttp2_hd_inflate_del(inflater);
}

#endif
