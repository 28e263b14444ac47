/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer may do how often.  We look at the heads of frames before nghttp2
 * does, so that it does not matter which flaws of HTTP/2 the one that is
 * linked knows of: a field block has so many octets in so many frames, and all
 * that makes work without being a request is paid from a bucket, which time
 * fills, and the work that is done for the peer.  Resets have one of their own,
 * those that the peer sends and those that it provokes.
 */
#include <string.h>

#include "h2/state.h"

enum {
    PREFACE = 24,
    FRAME_HEAD = 9,
    FIRST = 4,    /* octets of a payload that we look at in some frames */
    RESETS = 400, /* at once */
    RESETS_PER_S = 30,
    FRAMES = 1000,
    FRAMES_PER_S = 100,
    EARNED = 1 << 18,    /* that what was sent entitles to, until it is read */
    CONNECTION_FRAME = 4 /* what SETTINGS and GOAWAY cost */
};

/* ---- Buckets ------------------------------------------------------------- */

static void
fill(struct volo__h2_bucket *bucket, uint64_t now, uint32_t most, uint32_t rate)
{
    uint64_t more = (now - bucket->at) * rate / 1000;

    if (!more)
        return;
    bucket->at = now;
    bucket->left =
        more > most - bucket->left ? most : bucket->left + (uint32_t)more;
}

static int
spend(struct volo__h2 *h2, struct volo__h2_bucket *bucket, uint32_t cost,
      uint32_t most, uint32_t rate)
{
    if (bucket->left < cost)
        fill(bucket, h2->wire.home->now_ms, most, rate);
    if (bucket->left < cost) {
        h2->fault = NGHTTP2_ENHANCE_YOUR_CALM;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    bucket->left -= cost;
    return 0;
}

void
volo__h2_budget_init(struct volo__h2 *h2)
{
    h2->preface = PREFACE;
    h2->resets.left = RESETS;
    h2->frames.left = FRAMES;
    h2->resets.at = h2->frames.at = h2->wire.home->now_ms;
}

int
volo__h2_spend_reset(struct volo__h2 *h2)
{
    return spend(h2, &h2->resets, 1, RESETS, RESETS_PER_S);
}

/* Far more than what time gives: a client that has let us send megabytes
 * opens its windows for them later, in small steps. */
void
volo__h2_earn(struct volo__h2 *h2, uint32_t n)
{
    uint32_t room = EARNED - h2->frames.left;

    h2->frames.left += n < room ? n : room;
}

/* ---- Frames -------------------------------------------------------------- */

static uint32_t
length_of(const uint8_t *head)
{
    return (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
}

/* More octets than any head within the limit can take, or more pieces than
 * anybody needs for it. */
static int
watch_block(struct volo__h2 *h2, uint32_t length, uint8_t flags)
{
    uint64_t most = 2 * (uint64_t)h2->wire.config->head_limit + VOLO__H2_FRAME;

    h2->in_fields = !(flags & NGHTTP2_FLAG_END_HEADERS);
    h2->block_size += length;
    h2->block_frames++;
    if (h2->block_size <= most && h2->block_frames <= VOLO__H2_CONTINUATIONS)
        return 0;
    h2->fault = NGHTTP2_ENHANCE_YOUR_CALM;
    return -1;
}

static uint32_t
word(const uint8_t *at)
{
    return ((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
            (uint32_t)at[2] << 8 | at[3]) &
           INT32_MAX;
}

/* Errors that nghttp2 passes over: in a priority of the old kind, and in the
 * window of a stream that is closed. */
static int
watch_payload(struct volo__h2 *h2)
{
    uint32_t id = word(h2->head + 5), first = word(h2->head + FRAME_HEAD);
    int is_update = h2->head[3] == NGHTTP2_WINDOW_UPDATE;

    if (is_update ? first : id && first != id)
        return 0;
    h2->fault = NGHTTP2_PROTOCOL_ERROR;
    return -1;
}

static int
has_first(const struct volo__h2 *h2)
{
    return (h2->head[3] == NGHTTP2_PRIORITY ||
            h2->head[3] == NGHTTP2_WINDOW_UPDATE) &&
           length_of(h2->head) >= FIRST;
}

/* A frame begins. */
static int
watch_frame(struct volo__h2 *h2)
{
    uint32_t length = length_of(h2->head), cost = 1;
    uint8_t flags = h2->head[4];

    h2->frame_left = length;
    if (has_first(h2)) {
        h2->frame_left -= FIRST;
        if (watch_payload(h2))
            return -1;
    }
    switch (h2->head[3]) {
    case NGHTTP2_HEADERS:
        h2->block_since = h2->wire.home->now_ms;
        h2->block_size = h2->block_frames = 0;
        return watch_block(h2, length, flags);
    case NGHTTP2_CONTINUATION:
        if (watch_block(h2, length, flags))
            return -1;
        break;
    case NGHTTP2_RST_STREAM:
        return volo__h2_spend_reset(h2);
    case NGHTTP2_SETTINGS:
    case NGHTTP2_GOAWAY:
        cost = CONNECTION_FRAME;
        break;
    default:
        break; /* DATA earns it back if there is any in it */
    }
    return spend(h2, &h2->frames, cost, FRAMES, FRAMES_PER_S);
}

/* How much of a frame we want to see. */
static size_t
wanted(const struct volo__h2 *h2)
{
    if (h2->head_len >= FRAME_HEAD && has_first(h2))
        return FRAME_HEAD + FIRST;
    return FRAME_HEAD;
}

/* Octets up to there, or as many as there are. */
static size_t
take_head(struct volo__h2 *h2, const char *ptr, size_t len)
{
    size_t n = 0;

    if (!h2->head_len && !h2->in_fields)
        h2->block_since = h2->wire.home->now_ms;
    if (!h2->head_len && len >= FRAME_HEAD) {
        memcpy(h2->head, ptr, FRAME_HEAD);
        h2->head_len = FRAME_HEAD;
        n = FRAME_HEAD;
    }
    while (n < len && h2->head_len < wanted(h2))
        h2->head[h2->head_len++] = (uint8_t)ptr[n++];
    return n;
}

static int
must_check(struct volo__h2 *h2)
{
    int32_t id = (int32_t)word(h2->head + 5);

    if (h2->head[3] == NGHTTP2_DATA)
        return 1;
    if (h2->head[3] != NGHTTP2_HEADERS)
        return 0;
    if (id <= h2->last_id)
        return 1;
    h2->gaps |= h2->last_id && id > h2->last_id + 2;
    h2->last_id = id;
    return 0;
}

int
volo__h2_watch(struct volo__h2 *h2, const char *ptr, size_t len, size_t *at,
               size_t *mark)
{
    size_t n = len - *at < h2->preface ? len - *at : h2->preface;

    h2->preface = (uint8_t)(h2->preface - n);
    *at += n;
    while (*at < len) {
        n = len - *at < h2->frame_left ? len - *at : h2->frame_left;
        h2->frame_left -= (uint32_t)n;
        *at += n;
        *mark = *at;
        n = take_head(h2, ptr + *at, len - *at);
        *at += n;
        if (h2->head_len < wanted(h2)) {
            if (h2->in_fields)
                return VOLO__H2_WATCH_PART;
            break;
        }
        h2->head_len = 0;
        if (watch_frame(h2))
            return VOLO__H2_WATCH_FAULT;
        if (must_check(h2))
            return VOLO__H2_WATCH_CHECK;
    }
    *mark = len;
    return VOLO__H2_WATCH_END;
}

/* nghttp2 has forgotten streams that are closed.  A peer may not have heard
 * that we have reset one, so that up to the last of those, all is forgiven. */
int
volo__h2_check_open(struct volo__h2 *h2)
{
    int32_t id = (int32_t)word(h2->head + 5);

    if (id <= h2->last_reset || id > h2->last_id || !(id & 1) ||
        nghttp2_session_find_stream(h2->session, id))
        return 0;
    h2->fault = h2->gaps && h2->head[3] == NGHTTP2_HEADERS
                    ? NGHTTP2_PROTOCOL_ERROR
                    : NGHTTP2_STREAM_CLOSED;
    return -1;
}

int
volo__h2_in_block(const struct volo__h2 *h2)
{
    if (h2->in_fields || h2->head_len)
        return 1;
    return h2->frame_left && h2->head[3] != NGHTTP2_DATA;
}
