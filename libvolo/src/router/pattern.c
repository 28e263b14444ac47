/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of a pattern to its segments.  Knows nothing of methods,
 * routers and matching.
 */
#include "router/pattern.h"

#include <volo/error.h>

#include "base/alloc.h"

/* One parser run: segments and unescaped text go to the pattern's own block. */
struct parser {
    struct volo__pattern *pattern;
    const char *p; /* what is to be read next */
    const char *end;
    char *text; /* where the next unescaped octet goes */
    const char *why;
};

static int
is_name_octet(unsigned char c, int first)
{
    return (unsigned)((c | 0x20) - 'a') < 26u || c == '_' ||
           (!first && (unsigned)(c - '0') < 10u);
}

int
volo__param_name_valid(volo_str name)
{
    size_t i;

    for (i = 0; i < name.len; i++)
        if (!is_name_octet((unsigned char)name.ptr[i], i == 0))
            return 0;
    return name.len > 0;
}

static int
wrong(struct parser *in, const char *why)
{
    in->why = why;
    return VOLO_EINVAL;
}

/* "{name}" or "{*name}"; ${in} is behind the brace that opens it. */
static int
parse_param(struct parser *in, struct volo__seg *seg)
{
    const char *close = memchr(in->p, '}', (size_t)(in->end - in->p));

    if (seg->name.ptr)
        return wrong(in, "has two parameters in one segment");
    if (!close)
        return wrong(in, "has a brace that is not closed");
    seg->kind = VOLO__SEG_PLAIN;
    if (*in->p == '*') {
        seg->kind = VOLO__SEG_REST;
        in->p++;
    }
    seg->name = volo_str_make(in->p, (size_t)(close - in->p));
    if (!volo__param_name_valid(seg->name))
        return wrong(in, "has a malformed parameter name");
    in->p = close + 1;
    seg->suffix = volo_str_make(in->text, 0);
    return 0;
}

/* One octet of text, an escaped brace, or a parameter. */
static int
parse_step(struct parser *in, struct volo__seg *seg)
{
    unsigned char c = (unsigned char)*in->p;
    int twice = in->end - in->p > 1 && in->p[1] == (char)c;

    if (c == '?' || c == '#')
        return wrong(in, "has a query or a fragment");
    if (c < 0x20 || c == 0x7f)
        return wrong(in, "has a control character");
    if (c == '{' && !twice) {
        in->p++;
        return parse_param(in, seg);
    }
    if (c == '}' && !twice)
        return wrong(in, "has a brace that is not opened");
    in->p += c == '{' || c == '}' ? 2 : 1;
    *in->text++ = (char)c;
    if (seg->name.ptr)
        seg->suffix.len++;
    else
        seg->text.len++;
    return 0;
}

/* The segment behind a slash, to the next slash or the end. */
static int
parse_segment(struct parser *in, struct volo__seg *seg)
{
    int err;

    memset(seg, 0, sizeof *seg);
    seg->text = volo_str_make(in->text, 0);
    while (in->p < in->end && *in->p != '/') {
        err = parse_step(in, seg);
        if (err)
            return err;
    }
    if (seg->kind == VOLO__SEG_REST &&
        (seg->text.len > 0 || seg->suffix.len > 0 || in->p < in->end))
        return wrong(in, "has a catch-all that is not the whole end");
    if (seg->kind == VOLO__SEG_PLAIN &&
        (seg->text.len > 0 || seg->suffix.len > 0))
        seg->kind = VOLO__SEG_AFFIXED;
    return 0;
}

/* ${seg} is the newest: has one before it the same parameter? */
static int
is_repeated(const struct volo__pattern *pattern, const struct volo__seg *seg)
{
    const struct volo__seg *other;

    for (other = pattern->segs; seg->name.ptr && other < seg; other++)
        if (other->name.ptr && volo_str_eq(other->name, seg->name))
            return 1;
    return 0;
}

static int
parse(struct parser *in)
{
    struct volo__pattern *pattern = in->pattern;
    struct volo__seg *seg;
    int err;

    while (in->p < in->end) {
        if (*in->p++ != '/')
            return wrong(in, "does not start with \"/\"");
        if (pattern->count == VOLO__PATTERN_SEGS)
            return wrong(in, "has more than 128 segments");
        seg = &pattern->segs[pattern->count++];
        err = parse_segment(in, seg);
        if (err)
            return err;
        pattern->params += seg->name.ptr != NULL;
        if (is_repeated(pattern, seg))
            return wrong(in, "has one parameter name twice");
    }
    if (pattern->params > VOLO__PATTERN_PARAMS)
        return wrong(in, "has more than 32 parameters");
    return 0;
}

static uint64_t
hash_str(uint64_t h, volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
    return (h ^ 0x1ff) * 0x100000001b3u;
}

static uint64_t
hash_segments(const struct volo__pattern *pattern)
{
    uint64_t h = 0xcbf29ce484222325u;
    unsigned i;

    for (i = 0; i < pattern->count; i++) {
        h = (h ^ pattern->segs[i].kind) * 0x100000001b3u;
        h = hash_str(h, pattern->segs[i].text);
        h = hash_str(h, pattern->segs[i].suffix);
    }
    return h;
}

/* Room for ${segs} segments and ${octets} of text, in one block. */
static struct volo__pattern *
block_new(unsigned segs, size_t octets)
{
    struct volo__pattern *pattern;
    size_t head = sizeof *pattern + segs * sizeof(struct volo__seg);

    pattern = volo__calloc(head + octets);
    if (pattern)
        pattern->segs = (struct volo__seg *)(void *)(pattern + 1);
    return pattern;
}

int
volo__pattern_new(struct volo__pattern **out, volo_str source, const char **why)
{
    struct parser in = {0};
    unsigned slashes = 0;
    char *copy;
    size_t i;
    int err;

    for (i = 0; i < source.len && slashes < VOLO__PATTERN_SEGS; i++)
        slashes += source.ptr[i] == '/';
    in.pattern = block_new(slashes, 2 * source.len + 1);
    if (!in.pattern)
        return VOLO_ENOMEM;

    copy = (char *)(in.pattern->segs + slashes);
    if (source.len > 0)
        memcpy(copy, source.ptr, source.len);
    in.pattern->source = volo_str_make(copy, source.len);
    in.p = copy;
    in.end = copy + source.len;
    in.text = copy + source.len + 1;
    err = source.len > 0 ? parse(&in) : wrong(&in, "is empty");
    if (err) {
        *why = in.why;
        volo__free(in.pattern);
        return err;
    }
    in.pattern->hash = hash_segments(in.pattern);
    *out = in.pattern;
    return 0;
}

int
volo__pattern_prefix(struct volo__pattern **out, volo_str source,
                     const char **why)
{
    struct volo__pattern *pattern;
    const struct volo__seg *last;
    int err;

    if (source.len == 0 || volo_str_eq(source, VOLO_STR("/"))) {
        pattern = block_new(0, 1);
        if (!pattern)
            return VOLO_ENOMEM;
        pattern->source = volo_str_make((char *)pattern->segs, 0);
        pattern->hash = hash_segments(pattern);
        *out = pattern;
        return 0;
    }
    err = volo__pattern_new(&pattern, source, why);
    if (err)
        return err;
    last = &pattern->segs[pattern->count - 1];
    if (last->kind == VOLO__SEG_REST)
        *why = "is a prefix and has a catch-all";
    else if (last->kind == VOLO__SEG_STATIC && last->text.len == 0)
        *why = "is a prefix and ends in a slash";
    else {
        *out = pattern;
        return 0;
    }
    volo__free(pattern);
    return VOLO_EINVAL;
}

int
volo__pattern_extend(struct volo__pattern **out,
                     const struct volo__pattern *prefix, int kind)
{
    struct volo__pattern *pattern = block_new(prefix->count + 1, 0);
    struct volo__seg *last;

    if (!pattern)
        return VOLO_ENOMEM;
    if (prefix->count > 0)
        memcpy(pattern->segs, prefix->segs,
               prefix->count * sizeof *prefix->segs);
    last = &pattern->segs[prefix->count];
    last->kind = (uint8_t)kind;
    last->text = last->suffix = volo_str_make("", 0);
    pattern->source = prefix->source;
    pattern->count = prefix->count + 1;
    pattern->params = prefix->params;
    pattern->hash = hash_segments(pattern);
    *out = pattern;
    return 0;
}

static int
order(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int
octets_compare(volo_str a, volo_str b)
{
    return a.len > 0 ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

/*
 * Static segments: any order will do, and length first is the fastest.
 * Affixed ones: the longer text before the parameter says more, then the
 * longer one behind it.
 */
int
volo__seg_compare(const struct volo__seg *a, const struct volo__seg *b)
{
    int sign = a->kind == VOLO__SEG_STATIC ? 1 : -1;
    int c = order(a->kind, b->kind);

    if (!c)
        c = sign * order(a->text.len, b->text.len);
    if (!c)
        c = sign * order(a->suffix.len, b->suffix.len);
    if (!c)
        c = octets_compare(a->text, b->text);
    if (!c)
        c = octets_compare(a->suffix, b->suffix);
    return c;
}

int
volo__pattern_compare(const struct volo__pattern *a,
                      const struct volo__pattern *b)
{
    unsigned i;
    int c;

    for (i = 0; i < a->count && i < b->count; i++) {
        c = volo__seg_compare(&a->segs[i], &b->segs[i]);
        if (c)
            return c;
    }
    return order(a->count, b->count);
}

int
volo__pattern_same_names(const struct volo__pattern *a,
                         const struct volo__pattern *b)
{
    unsigned i;

    for (i = 0; i < a->count; i++)
        if (!volo_str_eq(a->segs[i].name, b->segs[i].name))
            return 0;
    return 1;
}

int
volo__pattern_shares_name(volo_str *out, const struct volo__pattern *a,
                          const struct volo__pattern *b)
{
    unsigned i, k;

    for (i = 0; i < a->count; i++) {
        for (k = 0; a->segs[i].name.ptr && k < b->count; k++) {
            if (b->segs[k].name.ptr &&
                volo_str_eq(a->segs[i].name, b->segs[k].name)) {
                *out = a->segs[i].name;
                return 1;
            }
        }
    }
    return 0;
}
