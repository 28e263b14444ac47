/* SPDX-License-Identifier: Apache-2.0 */
/* The pattern tree: how it is built and searched.  Knows no methods. */
#include "router/tree.h"

#include <stdlib.h>

#include <volo/error.h>

#include "base/alloc.h"

/* ---- Building ------------------------------------------------------------ */

struct builder {
    struct volo__tree *tree;
    struct volo__tree_item *items;
    uint32_t nodes;
    uint32_t edges;
    uint32_t affixes;
    size_t text;
};

static int
item_compare(const void *a, const void *b)
{
    const struct volo__tree_item *x = a, *y = b;
    int c = volo__pattern_compare(x->pattern, y->pattern);

    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static const struct volo__seg *
seg_at(const struct builder *b, uint32_t item, unsigned depth)
{
    return &b->items[item].pattern->segs[depth];
}

/* Items from ${lo} on that have the segment of ${lo} at ${depth}: their end. */
static uint32_t
run_end(const struct builder *b, uint32_t lo, uint32_t hi, unsigned depth)
{
    const struct volo__seg *seg = seg_at(b, lo, depth);

    while (++lo < hi && volo__seg_compare(seg, seg_at(b, lo, depth)) == 0)
        continue;
    return lo;
}

static const char *
keep_text(struct builder *b, volo_str s)
{
    char *at = b->tree->text + b->text;

    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    b->text += s.len;
    return at;
}

/* A node's edges and affixes stand together: their places are taken before
 * its children take theirs. */
static void
reserve(struct builder *b, struct volo__tree_node *node, uint32_t lo,
        uint32_t hi, unsigned depth)
{
    node->edges = b->edges;
    node->affixes = b->affixes;
    for (; lo < hi; lo = run_end(b, lo, hi, depth)) {
        node->edge_count += seg_at(b, lo, depth)->kind == VOLO__SEG_STATIC;
        node->affix_count += seg_at(b, lo, depth)->kind == VOLO__SEG_AFFIXED;
    }
    b->edges += node->edge_count;
    b->affixes += node->affix_count;
}

static uint32_t
take_leaf(struct builder *b, uint32_t lo, uint32_t hi)
{
    for (; lo < hi; lo++)
        b->items[lo].leaf = b->tree->leaf_count;
    return b->tree->leaf_count++;
}

static uint32_t node_build(struct builder *b, uint32_t lo, uint32_t hi,
                           unsigned depth);

/* Fill edge or affix ${nth} of node ${at} from the segment that the items from
 * ${lo} to ${hi} share, or its plain child or catch-all. */
static void
child_build(struct builder *b, uint32_t at, uint32_t nth, uint32_t lo,
            uint32_t hi, unsigned depth)
{
    const struct volo__seg *seg = seg_at(b, lo, depth);
    struct volo__tree_node *node = &b->tree->nodes[at];
    struct volo__tree_affix *affix;
    struct volo__tree_edge *edge;

    switch (seg->kind) {
    case VOLO__SEG_STATIC:
        edge = &b->tree->edges[node->edges + nth];
        edge->text = keep_text(b, seg->text);
        edge->len = (uint32_t)seg->text.len;
        edge->node = node_build(b, lo, hi, depth + 1);
        break;
    case VOLO__SEG_AFFIXED:
        affix = &b->tree->affixes[node->affixes + nth - node->edge_count];
        affix->prefix = keep_text(b, seg->text);
        keep_text(b, seg->suffix);
        affix->prefix_len = (uint32_t)seg->text.len;
        affix->suffix_len = (uint32_t)seg->suffix.len;
        affix->node = node_build(b, lo, hi, depth + 1);
        break;
    case VOLO__SEG_PLAIN:
        node->plain = node_build(b, lo, hi, depth + 1);
        break;
    default:
        node->rest = take_leaf(b, lo, hi);
    }
}

/* The items share their first ${depth} segments. */
static uint32_t
node_build(struct builder *b, uint32_t lo, uint32_t hi, unsigned depth)
{
    uint32_t at = b->nodes++, nth = 0, end = lo;
    struct volo__tree_node *node = &b->tree->nodes[at];

    node->plain = node->rest = node->leaf = VOLO__TREE_NONE;
    while (end < hi && b->items[end].pattern->count == depth)
        end++;
    if (end > lo)
        node->leaf = take_leaf(b, lo, end);
    reserve(b, node, end, hi, depth);
    for (lo = end; lo < hi; lo = end) {
        end = run_end(b, lo, hi, depth);
        child_build(b, at, nth++, lo, end, depth);
    }
    return at;
}

int
volo__tree_build(struct volo__tree *tree, struct volo__tree_item *items,
                 uint32_t count)
{
    struct builder b = {.tree = tree, .items = items};
    size_t segs = 0, text = 0, size;
    uint32_t i;

    for (i = 0; i < count; i++) {
        segs += items[i].pattern->count;
        text += 2 * items[i].pattern->source.len;
    }
    size = (segs + 1) * sizeof *tree->nodes + segs * sizeof *tree->edges +
           segs * sizeof *tree->affixes + text;
    memset(tree, 0, sizeof *tree);
    tree->edges = volo__calloc(size);
    if (!tree->edges)
        return VOLO_ENOMEM;
    tree->affixes = (struct volo__tree_affix *)(void *)(tree->edges + segs);
    tree->nodes = (struct volo__tree_node *)(void *)(tree->affixes + segs);
    tree->text = (char *)(tree->nodes + segs + 1);
    if (count > 0)
        qsort(items, count, sizeof *items, item_compare);
    node_build(&b, 0, count, 0);
    return 0;
}

void
volo__tree_free(struct volo__tree *tree)
{
    volo__free(tree->edges);
    memset(tree, 0, sizeof *tree);
}

/* ---- Searching ----------------------------------------------------------- */

struct search {
    const struct volo__tree *tree;
    const char *end;
    volo__tree_fn fn;
    void *user;
    volo_str values[VOLO__PATTERN_PARAMS + 1];
};

static uint32_t
edge_find(const struct search *s, const struct volo__tree_node *node,
          const char *p, size_t len)
{
    const struct volo__tree_edge *edges = s->tree->edges + node->edges;
    uint32_t lo = 0, hi = node->edge_count, mid;
    int c;

    while (lo < hi) {
        mid = (lo + hi) / 2;
        c = len < edges[mid].len ? -1 : len > edges[mid].len;
        if (!c)
            c = memcmp(p, edges[mid].text, len);
        if (!c)
            return edges[mid].node;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return VOLO__TREE_NONE;
}

/* The parameter in the segment, if the texts around it are there. */
static int
affix_fits(const struct volo__tree_affix *affix, volo_str seg, volo_str *value)
{
    size_t around = (size_t)affix->prefix_len + affix->suffix_len;

    if (seg.len <= around ||
        memcmp(seg.ptr, affix->prefix, affix->prefix_len) != 0 ||
        memcmp(seg.ptr + seg.len - affix->suffix_len,
               affix->prefix + affix->prefix_len, affix->suffix_len) != 0)
        return 0;
    *value = volo_str_make(seg.ptr + affix->prefix_len, seg.len - around);
    return 1;
}

static int walk(struct search *s, uint32_t at, const char *p, unsigned n);

static int
walk_affixes(struct search *s, const struct volo__tree_node *node, volo_str seg,
             const char *next, unsigned n)
{
    const struct volo__tree_affix *affix = s->tree->affixes + node->affixes;
    uint32_t i;
    int stop;

    for (i = 0; i < node->affix_count; i++, affix++) {
        if (!affix_fits(affix, seg, &s->values[n]))
            continue;
        stop = walk(s, affix->node, next, n + 1);
        if (stop)
            return stop;
    }
    return 0;
}

/*
 * ${p} is the first octet of the segment that the children of node ${at} stand
 * for, NULL behind the last one; ${n} values are known.  The segment's end is
 * looked for once per node.
 */
static int
walk(struct search *s, uint32_t at, const char *p, unsigned n)
{
    const struct volo__tree_node *node = s->tree->nodes + at;
    const char *slash, *next;
    uint32_t child;
    size_t len;
    int stop;

    if (!p)
        return node->leaf == VOLO__TREE_NONE
                   ? 0
                   : s->fn(s->user, node->leaf, s->values, n);
    slash = memchr(p, '/', (size_t)(s->end - p));
    len = (size_t)((slash ? slash : s->end) - p);
    next = slash ? slash + 1 : NULL;

    child = edge_find(s, node, p, len);
    if (child != VOLO__TREE_NONE && (stop = walk(s, child, next, n)) != 0)
        return stop;
    if (node->affix_count > 0 &&
        (stop = walk_affixes(s, node, volo_str_make(p, len), next, n)) != 0)
        return stop;
    if (node->plain != VOLO__TREE_NONE && len > 0) {
        s->values[n] = volo_str_make(p, len);
        stop = walk(s, node->plain, next, n + 1);
        if (stop)
            return stop;
    }
    if (node->rest == VOLO__TREE_NONE || p == s->end)
        return 0;
    s->values[n] = volo_str_make(p, (size_t)(s->end - p));
    return s->fn(s->user, node->rest, s->values, n + 1);
}

int
volo__tree_match(const struct volo__tree *tree, volo_str path, volo__tree_fn fn,
                 void *user)
{
    struct search s;

    s.tree = tree;
    s.end = path.ptr + path.len;
    s.fn = fn;
    s.user = user;
    return walk(&s, 0, path.ptr + 1, 0);
}
