/* SPDX-License-Identifier: Apache-2.0 */
/* The tree: a table of paths, chance against a plain search, hostile sets. */
#include "router/tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "fuzz/router_naive.h"
#include "support.h"

enum { MOST = 2048 };

struct wood {
    struct volo__pattern *patterns[MOST];
    struct volo__tree_item items[MOST];
    unsigned count;
    struct volo__tree tree;
};

static struct wood wood;

static int
plant(const char *source)
{
    struct volo__pattern *pattern = NULL;
    const char *why;
    unsigned i;

    if (volo__pattern_new(&pattern, volo_str_of(source), &why) != 0)
        return 0;
    for (i = 0; i < wood.count; i++) {
        if (volo__pattern_compare(pattern, wood.patterns[i]) == 0) {
            volo__free(pattern);
            return 0;
        }
    }
    wood.patterns[wood.count] = pattern;
    wood.items[wood.count].pattern = pattern;
    wood.items[wood.count].order = wood.count;
    wood.count++;
    return 1;
}

static void
grow(void)
{
    assert_int_equal(volo__tree_build(&wood.tree, wood.items, wood.count), 0);
    assert_int_equal(wood.tree.leaf_count, wood.count);
}

static void
fell(void)
{
    while (wood.count > 0)
        volo__free(wood.patterns[--wood.count]);
    volo__tree_free(&wood.tree);
}

/* What is told of a path: pattern and values as one text, the first only or,
 * if ${all}, how many leaves. */
struct told {
    int all;
    unsigned leaves;
    char text[256];
};

static const struct volo__pattern *
pattern_of(uint32_t leaf)
{
    unsigned i;

    for (i = 0; i < wood.count; i++)
        if (wood.items[i].leaf == leaf)
            return wood.items[i].pattern;
    fail();
    return NULL;
}

static int
hear(void *user, uint32_t leaf, const volo_str *values, unsigned count)
{
    const struct volo__pattern *pattern = pattern_of(leaf);
    struct told *told = user;
    unsigned i;
    size_t n;

    told->leaves++;
    if (told->all)
        return 0;
    n = (size_t)snprintf(told->text, sizeof told->text, "%.*s",
                         (int)pattern->source.len, pattern->source.ptr);
    for (i = 0; i < count; i++)
        n += (size_t)snprintf(told->text + n, sizeof told->text - n, " %.*s",
                              (int)values[i].len, values[i].ptr);
    return 1;
}

static const char *
match(const char *path)
{
    static struct told told;

    memset(&told, 0, sizeof told);
    volo__tree_match(&wood.tree, volo_str_of(path), hear, &told);
    return told.text;
}

static void
test_a_table_of_paths(void **state)
{
    static const char *const patterns[] = {
        "/",
        "/users",
        "/users/",
        "/users/{id}",
        "/users/me",
        "/users/{id}/posts",
        "/users/{id}/posts/{post}",
        "/users/me/{what}/x",
        "/img-{id}.png",
        "/img-{id}",
        "/{name}.png",
        "/files/{*rest}",
        "/files/{a}/edit",
        "/{{x}}",
        "/a//b",
    };
    static const char *const table[][2] = {
        {"/", "/"},
        {"/users", "/users"},
        {"/users/", "/users/"},
        {"/users//", ""},
        {"/user", ""},
        {"/userss", ""},
        {"/users/7", "/users/{id} 7"},
        {"/users/me", "/users/me"},
        {"/users/mee", "/users/{id} mee"},
        {"/users/m", "/users/{id} m"},
        {"/users/7/", ""},
        {"/users/7/posts", "/users/{id}/posts 7"},
        {"/users/me/posts", "/users/{id}/posts me"},
        {"/users/me/posts/x", "/users/me/{what}/x posts"},
        {"/users/me/posts/y", "/users/{id}/posts/{post} me y"},
        {"/users//posts", ""},
        {"/users/7/posts/", ""},
        {"/img-1.png", "/img-{id}.png 1"},
        {"/img-1.gif", "/img-{id} 1.gif"},
        {"/img-.png", "/img-{id} .png"},
        {"/img-", ""},
        {"/img.png", "/{name}.png img"},
        {"/.png", ""},
        {"/files/", ""},
        {"/files", ""},
        {"/files/a", "/files/{*rest} a"},
        {"/files/a/", "/files/{*rest} a/"},
        {"/files//", "/files/{*rest} /"},
        {"/files/a/edit", "/files/{a}/edit a"},
        {"/files/a/edit/", "/files/{*rest} a/edit/"},
        {"/files//edit", "/files/{*rest} /edit"},
        {"/{x}", "/{{x}}"},
        {"/a//b", "/a//b"},
        {"/a/b", ""},
        {"//", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof patterns / sizeof *patterns; i++)
        assert_true(plant(patterns[i]));
    grow();
    for (i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(match(table[i][0]), table[i][1]);
    fell();
}

static void
test_an_empty_tree_matches_nothing(void **state)
{
    (void)state;
    grow();
    assert_string_equal(match("/"), "");
    assert_string_equal(match("/a/b"), "");
    fell();
}

static void
test_a_catch_all_at_the_root_takes_all_but_the_root(void **state)
{
    (void)state;
    plant("/{*all}");
    grow();
    assert_string_equal(match("/"), "");
    assert_string_equal(match("/a"), "/{*all} a");
    assert_string_equal(match("//"), "/{*all} /");
    fell();
}

static void
test_a_thousand_siblings_are_told_apart(void **state)
{
    char text[32];
    int i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "/s%d/x", i * 7);
        assert_true(plant(text));
    }
    grow();
    for (i = 0; i < 7000; i++) {
        snprintf(text, sizeof text, "/s%d/x", i);
        assert_string_equal(match(text), i % 7 == 0 ? text : "");
    }
    fell();
}

/* ---- Chance -------------------------------------------------------------- */

static uint32_t seed;

static unsigned
dice(unsigned sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % sides;
}

/* Few words, so that patterns overlap and paths hit them. */
static void
chance_pattern(char *out, size_t size)
{
    static const char *const segs[] = {"a",      "b",    "ab",    "",
                                       "{%c}",   "{%c}", "a{%c}", "{%c}b",
                                       "a{%c}b", "{*%c}"};
    unsigned i, kind, count = 1 + dice(4);
    size_t n = 0;
    char seg[16];

    for (i = 0; i < count; i++) {
        kind = dice(i + 1 == count ? 10 : 9);
        snprintf(seg, sizeof seg, segs[kind], (int)('p' + i));
        n += (size_t)snprintf(out + n, size - n, "/%s", seg);
    }
}

static void
chance_path(char *out, size_t size)
{
    static const char *const segs[] = {"a", "b", "ab", "", "aab", "c", "abb"};
    unsigned i, count = 1 + dice(5);
    size_t n = 0;

    for (i = 0; i < count; i++)
        n += (size_t)snprintf(out + n, size - n, "/%s", segs[dice(7)]);
}

static void
check_path(const char *path)
{
    struct told told = {.all = 1};
    struct naive_match naive;
    char text[256];
    unsigned i, all = 0;
    size_t n;
    int found;

    found = naive_find(wood.patterns, wood.count, volo_str_of(path), &naive);
    text[0] = 0;
    if (found >= 0) {
        n = (size_t)snprintf(text, sizeof text, "%s",
                             wood.patterns[found]->source.ptr);
        for (i = 0; i < naive.count; i++)
            n +=
                (size_t)snprintf(text + n, sizeof text - n, " %.*s",
                                 (int)naive.values[i].len, naive.values[i].ptr);
    }
    assert_string_equal(match(path), text);
    volo__tree_match(&wood.tree, volo_str_of(path), hear, &told);
    for (i = 0; i < wood.count; i++)
        all += naive_matches(wood.patterns[i], volo_str_of(path), &naive) != 0;
    assert_int_equal(told.leaves, all);
}

static void
test_it_finds_what_a_plain_search_finds(void **state)
{
    char text[128];
    int round, i;

    (void)state;
    for (round = 0; round < 150; round++) {
        seed = (uint32_t)round * 2654435761u;
        for (i = 0; i < 30; i++) {
            chance_pattern(text, sizeof text);
            plant(text);
        }
        grow();
        for (i = 0; i < 200; i++) {
            chance_path(text, sizeof text);
            check_path(text);
        }
        fell();
    }
}

/* ---- Hostile sets -------------------------------------------------------- */

/*
 * Every way through ten levels of "a" or a parameter, 1024 patterns, and a
 * path that all of them match: each leaf is told once, no more.  Where none
 * fits at the end, none is told.
 */
static void
test_going_back_visits_no_leaf_twice(void **state)
{
    struct told told = {.all = 1};
    char text[128];
    unsigned ways, i;
    size_t n;

    (void)state;
    for (ways = 0; ways < 1024; ways++) {
        for (i = 0, n = 0; i < 10; i++)
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  ways >> i & 1 ? "/{p%u}" : "/a", i);
        snprintf(text + n, sizeof text - n, "/end");
        assert_true(plant(text));
    }
    grow();
    volo__tree_match(&wood.tree, VOLO_STR("/a/a/a/a/a/a/a/a/a/a/end"), hear,
                     &told);
    assert_int_equal(told.leaves, 1024);
    told.leaves = 0;
    volo__tree_match(&wood.tree, VOLO_STR("/a/a/a/a/a/a/a/a/a/a/enD"), hear,
                     &told);
    assert_int_equal(told.leaves, 0);
    fell();
}

static void
test_a_long_path_is_no_deeper_than_the_patterns(void **state)
{
    size_t len = 1 << 20;
    char *path = malloc(len);
    struct told told = {.all = 1};

    (void)state;
    memset(path, '/', len);
    plant("/{*all}");
    plant("//{*all}");
    plant("/{a}x/{b}");
    grow();
    volo__tree_match(&wood.tree, volo_str_make(path, len), hear, &told);
    assert_int_equal(told.leaves, 2);
    free(path);
    fell();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_of_paths),
        cmocka_unit_test(test_an_empty_tree_matches_nothing),
        cmocka_unit_test(test_a_catch_all_at_the_root_takes_all_but_the_root),
        cmocka_unit_test(test_a_thousand_siblings_are_told_apart),
        cmocka_unit_test(test_it_finds_what_a_plain_search_finds),
        cmocka_unit_test(test_going_back_visits_no_leaf_twice),
        cmocka_unit_test(test_a_long_path_is_no_deeper_than_the_patterns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
