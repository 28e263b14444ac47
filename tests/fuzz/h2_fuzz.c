/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP/2 codec against anything, and HPACK through it: nothing may be left
 * behind, what it keeps must stay within its limits, and there must be an end.
 *
 * The first octet is the seed of the split, the second says what else happens;
 * the rest is what the client sends behind its preface.
 */
#include "h2/state.h"
#include "wire/h2_frames.h"
#include "wire/h2_rig.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STOP = 1, HALF = 2, SMALL = 4, LATER = 8, BARE = 16, SLOW = 32 };

/* Limits that short inputs can reach. */
static void
be_small(struct volo__wire_config *config)
{
    config->head_limit = 120;
    config->field_limit = 5;
    config->target_limit = 20;
    config->trailer_limit = 24;
    config->body_limit = 16;
    config->request_limit = 8;
    config->stream_limit = 3;
    config->out_limit = 100;
}

static void
check_bounds(const struct rig *r)
{
    const struct volo__h2 *h2 = (const struct volo__h2 *)r->h2;
    const struct volo__h2_stream *stream;
    uint32_t n = 0;

    for (stream = h2->first; stream; stream = stream->next, n++)
        CHECK(stream->held_cap <= 2 * 65536);
    CHECK(n == h2->streams);
    CHECK(r->w.home.live <= (size_t)r->w.config.stream_limit + 1 ||
          h2->state == VOLO__H2_CLOSED);
}

static uint32_t
next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void
say(struct rig *r, const char *text, size_t len, uint32_t seed, unsigned what)
{
    size_t at = 0;

    while (at < len) {
        size_t n = seed ? 1 + next(&seed) % (next(&seed) % 3 ? 5 : 200) : len;

        if (n > len - at)
            n = len - at;
        rig_feed(r, text + at, n);
        check_bounds(r);
        if (what & SLOW)
            rig_wait(r, 900);
        at += n;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frames hello;
    unsigned what;
    struct rig r;

    if (size < 2)
        return 0;
    what = data[1];
    rig_home(&r);
    r.w.no_block = data[0] & 1;
    if (what & SMALL)
        be_small(&r.w.config);
    if (rig_open(&r))
        abort();
    frames_begin(&hello);
    if (!(what & BARE))
        say(&r, hello.text, hello.len, 0, 0);
    say(&r, (const char *)data + 2, size - 2, data[0], what);
    if (what & STOP)
        r.h2->ops->stop(r.h2);
    rig_drain(&r);
    if (what & LATER) {
        while (rig_answer(&r))
            rig_drain(&r);
        rig_end_writer(&r, data[0] & 2);
    }
    if (what & HALF)
        r.h2->ops->eof(r.h2, 1);
    rig_drain(&r);
    CHECK(r.w.output_len <= 4000 + 300000 * (size_t)r.w.served + 300 * size);
    if (what & SLOW && !r.h2->count) {
        rig_wait(&r, 200000);
        CHECK(r.h2->ops->phase(r.h2) == VOLO__WIRE_CLOSING);
    }
    CHECK(rig_close(&r) == 0);
    CHECK(r.w.served == r.w.finished);
    return 0;
}
