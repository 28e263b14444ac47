/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns and paths: the tree finds what the plain search finds, with the
 * same parameters, and visits no leaf twice.  Lines of the input up to an
 * empty one are patterns, the others are paths.
 */
#include <string.h>

#include "base/alloc.h"
#include "fuzz/router_naive.h"
#include "router/tree.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

enum { PATTERNS = 64 };

struct forest {
    struct volo__pattern *patterns[PATTERNS];
    struct volo__tree_item items[PATTERNS];
    unsigned count;
    struct volo__tree tree;
};

/* What the tree told of one path. */
struct told {
    struct forest *forest;
    int first; /* the number of the pattern told first; -1 */
    unsigned leaves;
    struct naive_match match;
    uint8_t seen[PATTERNS];
};

static volo_str
take_line(volo_str *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    volo_str line = volo_str_make(rest->ptr, len);

    len += end != NULL;
    *rest = volo_str_make(rest->ptr + len, rest->len - len);
    return line;
}

static int
is_new(const struct forest *f, const struct volo__pattern *pattern)
{
    unsigned i;

    for (i = 0; i < f->count; i++) {
        if (volo__pattern_compare(pattern, f->patterns[i]) != 0)
            continue;
        CHECK(pattern->hash == f->patterns[i]->hash);
        return 0;
    }
    return 1;
}

static void
plant(struct forest *f, volo_str *input)
{
    struct volo__pattern *pattern;
    const char *why;
    volo_str line;

    while (input->len > 0 && f->count < PATTERNS) {
        line = take_line(input);
        if (line.len == 0)
            break;
        if (volo__pattern_new(&pattern, line, &why) != 0)
            continue;
        if (!is_new(f, pattern)) {
            volo__free(pattern);
            continue;
        }
        f->items[f->count].pattern = pattern;
        f->items[f->count].order = f->count;
        f->items[f->count].user = &f->patterns[f->count];
        f->patterns[f->count++] = pattern;
    }
    CHECK(volo__tree_build(&f->tree, f->items, f->count) == 0);
    CHECK(f->tree.leaf_count == f->count);
}

static unsigned
pattern_of_leaf(const struct forest *f, uint32_t leaf)
{
    unsigned i;

    for (i = 0; i < f->count && f->items[i].leaf != leaf; i++)
        continue;
    CHECK(i < f->count);
    return (unsigned)((struct volo__pattern *const *)f->items[i].user -
                      f->patterns);
}

/* Says no each time, so that the whole search is seen. */
static int
hear(void *user, uint32_t leaf, const volo_str *values, unsigned count)
{
    struct told *told = user;

    CHECK(!told->seen[leaf]);
    told->seen[leaf] = 1;
    if (told->leaves++ > 0)
        return 0;
    told->first = (int)pattern_of_leaf(told->forest, leaf);
    told->match.count = count;
    memcpy(told->match.values, values, count * sizeof *values);
    return 0;
}

static void
check_path(struct forest *f, volo_str path)
{
    struct told told = {.forest = f, .first = -1};
    struct naive_match match;
    unsigned i, all = 0;
    int found;

    CHECK(volo__tree_match(&f->tree, path, hear, &told) == 0);
    found = naive_find(f->patterns, f->count, path, &match);
    CHECK(found == told.first);
    for (i = 0; found >= 0 && i < match.count; i++)
        CHECK(match.values[i].ptr == told.match.values[i].ptr &&
              match.values[i].len == told.match.values[i].len);
    CHECK(found < 0 || match.count == told.match.count);
    for (i = 0; i < f->count; i++)
        all += naive_matches(f->patterns[i], path, &match) != 0;
    CHECK(all == told.leaves);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volo_str input = volo_str_make((const char *)data, size), path;
    struct forest f = {.count = 0};
    unsigned i;

    plant(&f, &input);
    while (input.len > 0) {
        path = take_line(&input);
        if (path.len > 0 && path.ptr[0] == '/')
            check_path(&f, path);
    }
    volo__tree_free(&f.tree);
    for (i = 0; i < f.count; i++)
        volo__free(f.patterns[i]);
    return 0;
}
