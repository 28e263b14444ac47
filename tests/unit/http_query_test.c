/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>
#include <volo/error.h>

#include "base/arena.h"
#include "http/query.h"

static struct volo__arena arena;
static char mem[512];

static int
set_up(void **state)
{
    (void)state;
    volo__arena_init(&arena, mem, sizeof(mem));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    volo__arena_clear(&arena);
    return 0;
}

static void
assert_str(volo_str s, const char *text)
{
    assert_non_null(s.ptr);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.ptr, text, s.len);
}

static void
assert_next(volo_str *rest, const char *name, const char *value)
{
    volo_str n, v;

    assert_int_equal(volo__query_next(rest, &n, &v), 1);
    assert_str(n, name);
    assert_str(v, value);
}

static void
assert_found(const char *query, const char *name, unsigned nth,
             const char *value)
{
    volo_str out;

    assert_int_equal(volo__query_find(&out, &arena, volo_str_of(query),
                                      volo_str_of(name), nth),
                     0);
    assert_str(out, value);
}

static int
find(const char *query, const char *name, unsigned nth)
{
    volo_str out = VOLO_STR("untouched");
    int err = volo__query_find(&out, &arena, volo_str_of(query),
                               volo_str_of(name), nth);

    if (err < 0)
        assert_str(out, "untouched");
    return err;
}

static void
test_pairs_come_in_order_and_still_encoded(void **state)
{
    volo_str rest = VOLO_STR("&a=1&&b&=c&d=&e=f=g&%41=%42+&"), n, v;

    (void)state;
    assert_next(&rest, "a", "1");
    assert_next(&rest, "b", "");
    assert_next(&rest, "", "c");
    assert_next(&rest, "d", "");
    assert_next(&rest, "e", "f=g");
    assert_next(&rest, "%41", "%42+");
    assert_int_equal(volo__query_next(&rest, &n, &v), 0);
    assert_int_equal(volo__query_next(&rest, &n, &v), 0);
    rest = volo_str_make(NULL, 0);
    assert_int_equal(volo__query_next(&rest, &n, &v), 0);
}

static void
test_values_are_decoded(void **state)
{
    (void)state;
    assert_found("a=x%20y", "a", 0, "x y");
    assert_found("a=x+y", "a", 0, "x y");
    assert_found("a=x%2By", "a", 0, "x+y");
    assert_found("a=%e2%82%ac", "a", 0, "\xe2\x82\xac");
    assert_found("a=%26%3d", "a", 0, "&=");
    assert_found("a", "a", 0, "");
    assert_found("a=", "a", 0, "");
    assert_found("x=1&a=2", "a", 0, "2");
}

static void
test_repeated_keys_are_counted(void **state)
{
    (void)state;
    assert_found("a=1&b=2&a=3&%61=4", "a", 0, "1");
    assert_found("a=1&b=2&a=3&%61=4", "a", 1, "3");
    assert_found("a=1&b=2&a=3&%61=4", "a", 2, "4");
    assert_int_equal(find("a=1&b=2&a=3&%61=4", "a", 3), VOLO_ENOENT);
}

static void
test_names_are_compared_decoded(void **state)
{
    (void)state;
    assert_found("%6e%61me=1", "name", 0, "1");
    assert_found("first+name=1", "first name", 0, "1");
    assert_found("a%5B%5D=1", "a[]", 0, "1");
    assert_found("=1", "", 0, "1");
    assert_int_equal(find("name=1", "nam", 0), VOLO_ENOENT);
    assert_int_equal(find("nam=1", "name", 0), VOLO_ENOENT);
    assert_int_equal(find("Name=1", "name", 0), VOLO_ENOENT);
    assert_int_equal(find("na%6=1", "na", 0), VOLO_ENOENT);
    assert_int_equal(find("%=1", "%", 0), VOLO_ENOENT);
    assert_int_equal(find("%zz=1&a=2", "%zz", 0), VOLO_ENOENT);
    assert_int_equal(find(NULL, "a", 0), VOLO_ENOENT);
    assert_int_equal(find("", "a", 0), VOLO_ENOENT);
}

static void
test_broken_escapes_hurt_only_their_own_pair(void **state)
{
    (void)state;
    assert_found("x=%zz&%=1&a=2", "a", 0, "2");
    assert_int_equal(find("a=%", "a", 0), VOLO_EFORMAT);
    assert_int_equal(find("a=%4", "a", 0), VOLO_EFORMAT);
    assert_int_equal(find("a=%4x", "a", 0), VOLO_EFORMAT);
    assert_int_equal(find("a=x%2&b=0", "a", 0), VOLO_EFORMAT);
}

static void
test_plain_values_are_borrowed(void **state)
{
    volo_str query = VOLO_STR("a=1&b=plain"), out;
    struct volo__arena before = arena;

    (void)state;
    assert_int_equal(volo__query_find(&out, &arena, query, VOLO_STR("b"), 0),
                     0);
    assert_ptr_equal(out.ptr, query.ptr + 6);
    assert_memory_equal(&before, &arena, sizeof(before));
}

static void *
no_memory(void *ptr, size_t size, void *user)
{
    (void)ptr;
    (void)size;
    (void)user;
    return NULL;
}

static void
test_out_of_memory_is_an_error(void **state)
{
    int err;

    (void)state;
    volo__arena_init(&arena, mem, 0);
    volo_set_allocator(no_memory, NULL);
    err = find("a=%41", "a", 0);
    volo_set_allocator(NULL, NULL);
    assert_int_equal(err, VOLO_ENOMEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pairs_come_in_order_and_still_encoded),
        TEST(test_values_are_decoded),
        TEST(test_repeated_keys_are_counted),
        TEST(test_names_are_compared_decoded),
        TEST(test_broken_escapes_hurt_only_their_own_pair),
        TEST(test_plain_values_are_borrowed),
        TEST(test_out_of_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
