/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths to numbers: an immutable tree with one level per segment, in four
 * arrays.  Knows nothing of methods, guards and exchanges: who asks is told
 * of each leaf in order of priority and says when to stop.
 *
 * Work is bounded.  A node's depth is the number of its segment in the path,
 * and there is one way from the root to it; so a search, however often it goes
 * back, visits each node at most once: never more than the patterns have
 * segments, whatever the path.
 */
#ifndef VOLO_ROUTER_TREE_H
#define VOLO_ROUTER_TREE_H

#include <stdint.h>

#include "router/pattern.h"

#define VOLO__TREE_NONE UINT32_MAX

struct volo__tree_edge {
    const char *text;
    uint32_t len;
    uint32_t node;
};

struct volo__tree_affix {
    const char *prefix; /* the suffix is right behind it */
    uint32_t prefix_len;
    uint32_t suffix_len;
    uint32_t node;
};

struct volo__tree_node {
    uint32_t edges; /* the first; sorted by length, then text */
    uint32_t edge_count;
    uint32_t affixes; /* the first; in order of priority */
    uint32_t affix_count;
    uint32_t plain; /* a node */
    uint32_t rest;  /* a leaf */
    uint32_t leaf;  /* for a path that ends here */
};

struct volo__tree {
    struct volo__tree_node *nodes; /* the root is the first; one allocation */
    struct volo__tree_edge *edges;
    struct volo__tree_affix *affixes;
    char *text;
    uint32_t leaf_count;
};

/* A pattern to be put in, and the leaf that it was given. */
struct volo__tree_item {
    const struct volo__pattern *pattern;
    uint32_t order; /* of registration */
    uint32_t leaf;
    void *user;
};

/*
 * volo__tree_build(tree, items, count):
 * Make ${tree} of ${items}, which are sorted (those with one leaf stand
 * together, in order of registration) and get their leaves, numbered from 0.
 * It borrows nothing.  VOLO_ENOMEM.
 */
int volo__tree_build(struct volo__tree *tree, struct volo__tree_item *items,
                     uint32_t count);

/* volo__tree_free(tree): what it holds, not itself. */
void volo__tree_free(struct volo__tree *tree);

/* volo__tree_fn: ${leaf} matches with ${values} for its parameters, left to
 * right, valid during the call: 0 to search on, else to stop. */
typedef int (*volo__tree_fn)(void *user, uint32_t leaf, const volo_str *values,
                             unsigned count);

/*
 * volo__tree_match(tree, path, fn, user):
 * Tell ${fn} of the leaves that match ${path}, which starts with "/", until it
 * stops.  Returns what ${fn} did, 0 if it never stopped.  No memory is taken.
 */
int volo__tree_match(const struct volo__tree *tree, volo_str path,
                     volo__tree_fn fn, void *user);

#endif
