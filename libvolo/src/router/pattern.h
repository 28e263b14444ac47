/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pattern, taken apart into segments.  Knows nothing of methods, routers
 * and matching; the tree and the URL builder read what is here.
 */
#ifndef VOLO_ROUTER_PATTERN_H
#define VOLO_ROUTER_PATTERN_H

#include <stdint.h>

#include <volo/types.h>

/* In order of priority: a lower one is tried first. */
enum volo__seg_kind {
    VOLO__SEG_STATIC = 0,
    VOLO__SEG_AFFIXED, /* a parameter with text before or behind it */
    VOLO__SEG_PLAIN,   /* a parameter and nothing else */
    VOLO__SEG_REST     /* the catch-all */
};

struct volo__seg {
    volo_str text;   /* what is static, or stands before the parameter */
    volo_str suffix; /* what stands behind it */
    volo_str name;   /* the parameter's; absent for a static segment */
    uint8_t kind;
};

/* What keeps the matcher's stack small. */
enum { VOLO__PATTERN_SEGS = 128, VOLO__PATTERN_PARAMS = 32 };

struct volo__pattern {
    volo_str source; /* as it was written; a NUL is behind it */
    uint64_t hash;   /* equal for patterns that differ in names only */
    unsigned count;
    unsigned params;
    struct volo__seg *segs;
};

/*
 * volo__pattern_new(out, source, why):
 * Parse ${source} into one block of memory, to be given to volo__free().
 * VOLO_EINVAL, then ${why} says what is wrong with it; VOLO_ENOMEM.
 */
int volo__pattern_new(struct volo__pattern **out, volo_str source,
                      const char **why);

/*
 * volo__pattern_prefix(out, source, why):
 * The same for what a router is nested at: "" and "/" have no segments, no
 * other one ends in a slash, and none has a catch-all.
 */
int volo__pattern_prefix(struct volo__pattern **out, volo_str source,
                         const char **why);

/*
 * volo__pattern_extend(out, prefix, kind):
 * ${prefix} with an empty static segment or a nameless catch-all behind it;
 * it borrows the text of ${prefix}.  VOLO_ENOMEM.
 */
int volo__pattern_extend(struct volo__pattern **out,
                         const struct volo__pattern *prefix, int kind);

/*
 * volo__seg_compare(a, b), volo__pattern_compare(a, b): the order of search,
 * names left aside: 0 if both match the same, else below or above 0.
 */
int volo__seg_compare(const struct volo__seg *a, const struct volo__seg *b);
int volo__pattern_compare(const struct volo__pattern *a,
                          const struct volo__pattern *b);

/* volo__pattern_same_names(a, b): of two that compare equal. */
int volo__pattern_same_names(const struct volo__pattern *a,
                             const struct volo__pattern *b);

/* volo__pattern_shares_name(out, a, b): 1 if a parameter of ${a} has the name
 * of one of ${b}; ${out} is that name. */
int volo__pattern_shares_name(volo_str *out, const struct volo__pattern *a,
                              const struct volo__pattern *b);

/* volo__param_name_valid(name): a letter or "_", then those and digits. */
int volo__param_name_valid(volo_str name);

#endif
