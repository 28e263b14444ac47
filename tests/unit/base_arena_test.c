/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena.c: alignment, growth, and what happens without memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>

#include "base/arena.h"

static int asked, refuse;
static size_t asked_octets;

static void *
count(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (refuse)
        return NULL;
    asked++;
    asked_octets += size;
    return realloc(ptr, size);
}

static int
set_up(void **state)
{
    (void)state;
    asked = refuse = 0;
    asked_octets = 0;
    volo_set_allocator(count, NULL);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    volo_set_allocator(NULL, NULL);
    return 0;
}

static void
test_what_fits_into_the_first_chunk_asks_for_no_memory(void **state)
{
    static char mem[256];
    struct volo__arena a;
    char *one, *two;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    one = volo__arena_bytes(&a, 100);
    two = volo__arena_bytes(&a, 156);
    assert_ptr_equal(one, mem);
    assert_ptr_equal(two, mem + 100);
    assert_int_equal(asked, 0);
    assert_non_null(volo__arena_bytes(&a, 1));
    assert_int_equal(asked, 1);
    volo__arena_clear(&a);
}

static void
test_pieces_are_aligned_for_anything_and_do_not_overlap(void **state)
{
    char *mem = malloc(301), *piece[200];
    struct volo__arena a;
    size_t i, j;

    (void)state;
    volo__arena_init(&a, mem + 1, 300);
    for (i = 0; i < 200; i++) {
        volo__arena_bytes(&a, 1);
        piece[i] = volo__arena_alloc(&a, i);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
        memset(piece[i], (int)i, i);
    }
    for (i = 0; i < 200; i++)
        for (j = 0; j < i; j++)
            assert_int_equal((unsigned char)piece[i][j], i);
    volo__arena_clear(&a);
    free(mem);
}

static void
test_the_newest_piece_grows_in_place(void **state)
{
    static char mem[64];
    struct volo__arena a;
    char *s;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    s = volo__arena_extend(&a, NULL, 0, 3);
    memcpy(s, "abc", 3);
    assert_ptr_equal(volo__arena_extend(&a, s, 3, 64), s);
    assert_int_equal(asked, 0);
    volo__arena_clear(&a);
}

static void
test_a_piece_with_another_behind_it_moves_to_grow(void **state)
{
    static char mem[64];
    struct volo__arena a;
    char *s, *moved;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    s = volo__arena_extend(&a, NULL, 0, 3);
    memcpy(s, "abc", 3);
    volo__arena_bytes(&a, 1)[0] = 'x';
    moved = volo__arena_extend(&a, s, 3, 4);
    assert_ptr_not_equal(moved, s);
    assert_memory_equal(moved, "abc", 3);
    volo__arena_clear(&a);
}

static void
test_growing_by_one_octet_at_a_time_costs_little_memory(void **state)
{
    static char mem[64];
    struct volo__arena a;
    char *s = NULL;
    size_t n;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    for (n = 0; n < 100000; n++) {
        s = volo__arena_extend(&a, s, n, n + 1);
        assert_non_null(s);
        s[n] = (char)(n * 7);
    }
    for (n = 0; n < 100000; n++)
        assert_int_equal(s[n], (char)(n * 7));
    assert_true(asked_octets < 500000);
    assert_int_equal(a.taken, asked_octets);
    volo__arena_clear(&a);
}

static void
test_without_memory_nothing_is_changed(void **state)
{
    static char mem[16];
    struct volo__arena a;
    char *s;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    s = volo__arena_extend(&a, NULL, 0, 10);
    memcpy(s, "0123456789", 10);
    refuse = 1;
    assert_null(volo__arena_alloc(&a, 100));
    assert_null(volo__arena_bytes(&a, 100));
    assert_null(volo__arena_extend(&a, s, 10, 100));
    assert_null(volo__arena_dup(&a, VOLO_STR("a long text indeed")).ptr);
    assert_memory_equal(s, "0123456789", 10);
    assert_ptr_equal(volo__arena_extend(&a, s, 10, 16), s);
    refuse = 0;
    volo__arena_clear(&a);
}

static void
test_sizes_that_would_overflow_are_refused(void **state)
{
    static char mem[16];
    struct volo__arena a;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    assert_null(volo__arena_alloc(&a, SIZE_MAX));
    assert_null(volo__arena_alloc(&a, SIZE_MAX - 20));
    assert_null(volo__arena_bytes(&a, SIZE_MAX - 8));
    assert_null(volo__arena_extend(&a, NULL, 0, SIZE_MAX / 2 + 1));
    assert_null(volo__arena_dup(&a, volo_str_make(mem, SIZE_MAX)).ptr);
    assert_int_equal(asked, 0);
}

static void
test_a_copy_has_a_nul_behind_it_and_is_never_absent(void **state)
{
    static char mem[64];
    struct volo__arena a;
    volo_str copy;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    copy = volo__arena_dup(&a, volo_str_make("abcdef", 3));
    assert_int_equal(copy.len, 3);
    assert_string_equal(copy.ptr, "abc");
    copy = volo__arena_dup(&a, volo_str_make(NULL, 0));
    assert_int_equal(copy.len, 0);
    assert_string_equal(copy.ptr, "");
}

static void
test_a_cleared_arena_leaves_the_first_chunk_alone(void **state)
{
    static char mem[64];
    struct volo__arena a;
    char *s;

    (void)state;
    volo__arena_init(&a, mem, sizeof mem);
    volo__arena_alloc(&a, 5000);
    volo__arena_clear(&a);
    assert_int_equal(a.taken, 0);
    s = volo__arena_bytes(&a, 0);
    assert_non_null(s);
    s = volo__arena_alloc(&a, 8);
    assert_false(s >= mem && s < mem + sizeof mem);
    volo__arena_clear(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_what_fits_into_the_first_chunk_asks_for_no_memory, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_pieces_are_aligned_for_anything_and_do_not_overlap, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_the_newest_piece_grows_in_place,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_piece_with_another_behind_it_moves_to_grow, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_growing_by_one_octet_at_a_time_costs_little_memory, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_without_memory_nothing_is_changed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_sizes_that_would_overflow_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_copy_has_a_nul_behind_it_and_is_never_absent, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_cleared_arena_leaves_the_first_chunk_alone, set_up,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
