/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer that gives each exchange an id.  Ids are unique, not secret: who
 * sees some can work out the others, so they prove nothing about who knows
 * them.
 */
#include <volo.h>

#include <sys/random.h>
#include <time.h>

VOLO_KEY(request_id, volo_str);

enum { UUID_LEN = 36, TRUSTED_MAX = 128 };

struct request_id {
    int trust;
    char header[]; /* lower case */
};

/* ---- Random numbers ------------------------------------------------------ */

/* xoshiro256** of Blackman and Vigna (public domain): one a thread, so that
 * no id costs a lock or a system call. */
static _Thread_local struct {
    uint64_t s[4];
    unsigned left; /* numbers until it is seeded afresh */
} rng;

enum { RESEED_AFTER = 65536 };

static uint64_t
rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t
clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
rng_seed(void)
{
    uint64_t fresh[4];
    unsigned i;

    /* Without the system's generator (an old kernel, a sandbox) the clock and
     * the thread's own address still tell threads and runs apart. */
    if (getrandom(fresh, sizeof fresh, GRND_NONBLOCK) != sizeof fresh) {
        fresh[0] = clock_ns();
        fresh[1] = (uint64_t)(uintptr_t)&rng;
        fresh[2] = (uint64_t)time(NULL);
        fresh[3] = 0x9e3779b97f4a7c15u;
    }
    for (i = 0; i < 4; i++)
        rng.s[i] ^= fresh[i];
    if (!(rng.s[0] | rng.s[1] | rng.s[2] | rng.s[3]))
        rng.s[0] = 1; /* all zero would stay so */
    rng.left = RESEED_AFTER;
}

static uint64_t
rng_next(void)
{
    uint64_t *s = rng.s;
    uint64_t result;
    uint64_t t;

    if (!rng.left--)
        rng_seed();

    result = rotate(s[1] * 5, 7) * 9;
    t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* ---- Ids ----------------------------------------------------------------- */

static void
put_hex(char *out, uint64_t x, unsigned digits)
{
    while (digits--) {
        out[digits] = "0123456789abcdef"[x & 15];
        x >>= 4;
    }
}

/* RFC 9562 section 5.4.  The clock goes in because a process that forks takes
 * the generator's state with it, and parent and child must differ. */
static void
uuid_write(char *out)
{
    uint64_t hi = rng_next() ^ clock_ns() * 0x9e3779b97f4a7c15u;
    uint64_t lo = rng_next();

    hi = (hi & ~0xf000ull) | 0x4000;
    lo = (lo & ~(3ull << 62)) | 2ull << 62;
    put_hex(out, hi >> 32, 8);
    put_hex(out + 9, hi >> 16, 4);
    put_hex(out + 14, hi, 4);
    put_hex(out + 19, lo >> 48, 4);
    put_hex(out + 24, lo, 12);
    out[8] = out[13] = out[18] = out[23] = '-';
}

static int
is_acceptable(volo_str id)
{
    size_t i;

    if (id.len < 1 || id.len > TRUSTED_MAX)
        return 0;
    for (i = 0; i < id.len; i++)
        if (id.ptr[i] < 0x21 || id.ptr[i] > 0x7e)
            return 0;
    return 1;
}

/* The exchange's id in memory of its own; NULL if there is none left. */
static volo_str *
make_id(volo_cx *cx, const struct request_id *layer)
{
    volo_str *id = volo_cx_alloc(cx, sizeof *id + UUID_LEN);
    volo_str given = {NULL, 0};

    if (!id)
        return NULL;
    if (layer->trust)
        given = volo_cx_header(cx, layer->header);
    if (is_acceptable(given)) {
        *id = given;
        return id;
    }
    uuid_write((char *)(id + 1));
    *id = volo_str_make((char *)(id + 1), UUID_LEN);
    return id;
}

volo_str
volo_request_id(const volo_cx *cx)
{
    const volo_str *id = request_id_get(cx);

    return id ? *id : volo_str_make(NULL, 0);
}

/* ---- The layer ----------------------------------------------------------- */

struct frame {
    const struct request_id *layer;
    const volo_str *id;
};

/* On the way out, so that answers which replace all fields have it too.  Out
 * of memory, the answer goes without: it is worth more than its label. */
static void
request_id_response(volo_cx *cx, void *user)
{
    const struct frame *frame = user;

    volo_cx_set_header(cx, frame->layer->header, *frame->id);
}

static void
request_id_run(volo_cx *cx, volo_next *next, void *user)
{
    struct frame *frame = volo_cx_alloc(cx, sizeof *frame);
    volo_str *id = make_id(cx, user);

    if (!frame || !id || request_id_set(cx, id, NULL) < 0) {
        volo_reply_error(cx, VOLO_ENOMEM);
        return;
    }
    frame->layer = user;
    frame->id = id;
    volo_next_run(next, cx, request_id_response, frame);
}

static int
is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    char c;

    if (!*name)
        return 0;
    for (; (c = *name) != '\0'; name++)
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || strchr(marks, c)))
            return 0;
    return 1;
}

int
volo_layer_request_id(volo_layer **out, const char *header, int trust)
{
    struct request_id *layer;
    size_t len;
    size_t i;

    if (!header)
        header = "x-request-id";
    if (!out || !is_token(header))
        return VOLO_EINVAL;

    len = strlen(header);
    layer = volo_alloc(sizeof *layer + len + 1);
    if (!layer)
        return VOLO_ENOMEM;
    layer->trust = trust;
    for (i = 0; i < len; i++)
        layer->header[i] = header[i] >= 'A' && header[i] <= 'Z'
                               ? (char)(header[i] | 0x20)
                               : header[i];
    return volo_layer_new(out, request_id_run, layer, volo_free);
}
