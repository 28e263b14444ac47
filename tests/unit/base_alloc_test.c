/* SPDX-License-Identifier: Apache-2.0 */
/* base/alloc.c: one door, and a program may stand in it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>

#include "base/alloc.h"

struct books {
    int alive;
    int zero_sizes; /* 0 without a pointer: nobody asks for that */
    int refuse;
};

static void *
count(void *ptr, size_t size, void *user)
{
    struct books *books = user;

    if (size == 0) {
        books->zero_sizes += !ptr;
        books->alive--;
        free(ptr);
        return NULL;
    }
    if (books->refuse)
        return NULL;
    if (!ptr)
        books->alive++;
    ptr = realloc(ptr, size);
    if (books->alive && ptr)
        memset(ptr, 0xa5, size < 8 ? size : 0);
    return ptr;
}

static void
test_all_memory_comes_from_the_custom_allocator(void **state)
{
    struct books books = {0};
    void *a, *b, *c;
    char *d;

    (void)state;
    volo_set_allocator(count, &books);
    a = volo__malloc(10);
    b = volo__calloc(10);
    c = volo__realloc(NULL, 10);
    d = volo__strndup("abc", 2);
    assert_int_equal(books.alive, 4);
    c = volo__realloc(c, 1000);
    assert_int_equal(books.alive, 4);
    assert_string_equal(d, "ab");
    volo__free(a);
    volo__free(b);
    volo__free(c);
    volo__free(d);
    volo__free(NULL);
    assert_int_equal(books.alive, 0);
    assert_int_equal(books.zero_sizes, 0);
    volo_set_allocator(NULL, NULL);
}

static void
test_a_size_of_nothing_is_no_failure_and_no_free(void **state)
{
    struct books books = {0};
    void *ptr[3];
    int i, custom;

    (void)state;
    for (custom = 0; custom < 2; custom++) {
        volo_set_allocator(custom ? count : NULL, &books);
        ptr[0] = volo__malloc(0);
        ptr[1] = volo__calloc(0);
        ptr[2] = volo__realloc(volo__malloc(5), 0);
        for (i = 0; i < 3; i++) {
            assert_non_null(ptr[i]);
            volo__free(ptr[i]);
        }
    }
    assert_int_equal(books.alive, 0);
    volo_set_allocator(NULL, NULL);
}

static void
test_zeroed_memory_is_zero_with_a_custom_allocator_too(void **state)
{
    static const char zero[6];
    struct books books = {0};
    void *ptr;

    (void)state;
    volo_set_allocator(count, &books);
    ptr = volo_alloc(6);
    assert_memory_equal(ptr, zero, 6);
    volo_free(ptr);
    volo_set_allocator(NULL, NULL);
    ptr = volo_alloc(6);
    assert_memory_equal(ptr, zero, 6);
    volo_free(ptr);
    volo_free(NULL);
}

static void
test_no_memory_is_null_everywhere(void **state)
{
    struct books books = {0};
    void *ptr;

    (void)state;
    volo_set_allocator(count, &books);
    ptr = volo__malloc(1);
    books.refuse = 1;
    assert_null(volo__malloc(1));
    assert_null(volo__calloc(1));
    assert_null(volo__strndup("a", 1));
    assert_null(volo__realloc(ptr, 100));
    assert_null(volo_alloc(1));
    volo__free(ptr);
    volo_set_allocator(NULL, NULL);
    assert_int_equal(books.alive, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_memory_comes_from_the_custom_allocator),
        cmocka_unit_test(test_a_size_of_nothing_is_no_failure_and_no_free),
        cmocka_unit_test(
            test_zeroed_memory_is_zero_with_a_custom_allocator_too),
        cmocka_unit_test(test_no_memory_is_null_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
