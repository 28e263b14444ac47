/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tree must find, in the plainest way: every pattern is tried, and
 * of those that match the one that comes first by the rules is taken.  It
 * shares nothing with the tree but the parsed pattern.
 */
#ifndef VOLO_TESTS_FUZZ_ROUTER_NAIVE_H
#define VOLO_TESTS_FUZZ_ROUTER_NAIVE_H

#include "router/pattern.h"

struct naive_match {
    volo_str values[VOLO__PATTERN_PARAMS + 1];
    unsigned count;
};

/* The segment of ${path} at ${*at}, which moves behind the next slash; ${*at}
 * is beyond the length where there is none. */
static inline volo_str
naive_segment(volo_str path, size_t *at)
{
    size_t from = *at;

    while (*at < path.len && path.ptr[*at] != '/')
        ++*at;
    ++*at;
    return volo_str_make(path.ptr + from, *at - 1 - from);
}

static inline int
naive_starts(volo_str s, volo_str with)
{
    size_t i;

    for (i = 0; i < with.len; i++)
        if (i >= s.len || s.ptr[i] != with.ptr[i])
            return 0;
    return 1;
}

static inline int
naive_ends(volo_str s, volo_str with)
{
    return s.len >= with.len &&
           naive_starts(volo_str_make(s.ptr + s.len - with.len, with.len),
                        with);
}

static inline int
naive_seg_matches(const struct volo__seg *seg, volo_str s, volo_str *value)
{
    if (seg->kind == VOLO__SEG_STATIC)
        return s.len == seg->text.len && naive_starts(s, seg->text);
    if (s.len <= seg->text.len + seg->suffix.len ||
        !naive_starts(s, seg->text) || !naive_ends(s, seg->suffix))
        return 0;
    *value = volo_str_make(s.ptr + seg->text.len,
                           s.len - seg->text.len - seg->suffix.len);
    return 1;
}

/* Does ${pattern} match ${path}, which starts with "/"? */
static inline int
naive_matches(const struct volo__pattern *pattern, volo_str path,
              struct naive_match *match)
{
    const struct volo__seg *seg = pattern->segs;
    const struct volo__seg *end = seg + pattern->count;
    size_t at = 1;
    volo_str s;

    match->count = 0;
    for (; seg < end; seg++) {
        if (at > path.len)
            return 0;
        if (seg->kind == VOLO__SEG_REST) {
            match->values[match->count++] =
                volo_str_make(path.ptr + at, path.len - at);
            return at < path.len;
        }
        s = naive_segment(path, &at);
        if (!naive_seg_matches(seg, s, &match->values[match->count]))
            return 0;
        match->count += seg->kind != VOLO__SEG_STATIC;
    }
    return at > path.len;
}

/* Which of two that match the same path comes first?  Below 0: ${a}. */
static inline int
naive_order(const struct volo__pattern *a, const struct volo__pattern *b)
{
    const struct volo__seg *x, *y;
    unsigned i;

    for (i = 0; i < a->count && i < b->count; i++) {
        x = &a->segs[i];
        y = &b->segs[i];
        if (x->kind != y->kind)
            return (int)x->kind - (int)y->kind;
        if (x->kind == VOLO__SEG_AFFIXED && x->text.len != y->text.len)
            return x->text.len > y->text.len ? -1 : 1;
        if (x->kind == VOLO__SEG_AFFIXED && x->suffix.len != y->suffix.len)
            return x->suffix.len > y->suffix.len ? -1 : 1;
    }
    return 0;
}

/* The number of the pattern for ${path}; -1 if there is none. */
static inline int
naive_find(struct volo__pattern *const *patterns, unsigned count, volo_str path,
           struct naive_match *match)
{
    struct naive_match other;
    int found = -1;
    unsigned i;

    for (i = 0; i < count; i++) {
        if (!naive_matches(patterns[i], path, &other))
            continue;
        if (found < 0 || naive_order(patterns[i], patterns[found]) < 0) {
            found = (int)i;
            *match = other;
        }
    }
    return found;
}

#endif
