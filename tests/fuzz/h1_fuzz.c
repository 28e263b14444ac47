/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP/1 codec against anything: what it says must not depend on how the
 * octets are split, what it keeps must stay within its limits, and nothing may
 * be left behind.
 *
 * The first octet is the seed of the split, the second says what else happens;
 * the rest is what the client sends.
 */
#include "base/str.h"
#include "wire/h1_rig.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STOP = 1, HALF = 2, SMALL = 4, LATER = 8 };

struct outcome {
    char *text;
    size_t len;
    int phase;
    unsigned served;
};

/* Limits that short inputs can reach. */
static void
be_small(struct volo__wire_config *config)
{
    config->head_limit = 120;
    config->field_limit = 5;
    config->target_limit = 20;
    config->chunk_ext_limit = 8;
    config->trailer_limit = 24;
    config->body_limit = 16;
    config->pipeline_limit = 3;
    config->request_limit = 8;
}

static void
check_bounds(const struct wire *w)
{
    CHECK(w->h1.size <= w->config.head_limit ||
          w->h1.size <= w->config.trailer_limit);
    CHECK(w->h1.cap <= 2 * (size_t)w->config.head_limit + 512);
    CHECK(w->h1.wire.count <= w->config.pipeline_limit);
    CHECK(w->home.live <= (size_t)w->config.pipeline_limit + 1);
}

/* "100 Continue" is sent if the body is not there yet: it depends on the
 * split by its nature.  Such input is only run, and not compared. */
static int
is_timing(const char *text, size_t len)
{
    static const char word[] = "100-continue";
    size_t i, n;

    for (i = 0; i + sizeof word - 1 <= len; i++) {
        for (n = 0; n < sizeof word - 1; n++)
            if (volo__lower((unsigned char)text[i + n]) !=
                (unsigned char)word[n])
                break;
        if (n == sizeof word - 1)
            return 1;
    }
    return 0;
}

static uint32_t
next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static struct outcome
talk(const char *text, size_t len, uint32_t seed, unsigned what)
{
    struct outcome outcome;
    struct wire w;
    size_t at = 0;

    wire_init(&w);
    w.no_block = seed & 1;
    if (what & SMALL)
        be_small(&w.config);
    while (at < len) {
        size_t n = seed ? 1 + next(&seed) % (next(&seed) % 3 ? 5 : 200) : len;

        if (n > len - at)
            n = len - at;
        wire_feed(&w, text + at, n);
        check_bounds(&w);
        at += n;
    }
    if (what & STOP)
        w.h1.wire.ops->stop(&w.h1.wire);
    wire_settle(&w);
    if (what & (LATER | HALF))
        while (wire_answer(&w) || w.writer)
            wire_end_writer(&w, 1);
    if (what & HALF && !w.kept_len) /* else it is not seen yet */
        w.h1.wire.ops->eof(&w.h1.wire, 1);
    wire_settle(&w);
    outcome.len = wire_mask(w.output, w.output_len);
    outcome.text = malloc(outcome.len + 1);
    if (!outcome.text)
        abort();
    if (outcome.len)
        memcpy(outcome.text, w.output, outcome.len);
    outcome.phase = w.h1.wire.ops->phase(&w.h1.wire);
    outcome.served = w.served;
    CHECK(outcome.len <= 1000 + w.served * 300000 + len);
    CHECK(wire_close(&w) == 0);
    CHECK(w.served == w.finished);
    return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 2;
    struct outcome whole, parts;

    if (size < 2)
        return 0;
    size -= 2;
    whole = talk(text, size, 0, data[1]);
    parts = talk(text, size, data[0] * 2654435761u | 1u, data[1]);
    if (!is_timing(text, size)) {
        CHECK(whole.served == parts.served);
        CHECK(whole.phase == parts.phase);
        CHECK(whole.len == parts.len);
        CHECK(!memcmp(whole.text, parts.text, whole.len));
    }
    free(whole.text);
    free(parts.text);
    return 0;
}
