/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/json_doc.h"
#include "http_json.h"

static void
test_the_newest_piece_grows_in_place(void **state)
{
    volo_cx *cx = *state;
    struct volo__json_mem mem;
    yyjson_alc alc = volo__json_alc(&mem, &cx->arena, SIZE_MAX);
    char *p = alc.malloc(alc.ctx, 10), *q;

    fail_after(0);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    memset(p, 'a', 10);
    q = alc.realloc(alc.ctx, p, 10, 1000);
    fail_never();
    assert_ptr_equal(q, p);
    assert_ptr_equal(cx->arena.cur, p + 1008);
    assert_memory_equal(q, "aaaaaaaaaa", 10);
}

static void
test_an_older_piece_is_moved(void **state)
{
    volo_cx *cx = *state;
    struct volo__json_mem mem;
    yyjson_alc alc = volo__json_alc(&mem, &cx->arena, SIZE_MAX);
    char *p = alc.malloc(alc.ctx, 10), *q;

    memset(p, 'a', 10);
    assert_non_null(volo__arena_alloc(&cx->arena, 16));
    q = alc.realloc(alc.ctx, p, 10, 20);
    assert_non_null(q);
    assert_ptr_not_equal(q, p);
    assert_memory_equal(q, "aaaaaaaaaa", 10);
}

static void
test_what_was_not_needed_goes_back(void **state)
{
    volo_cx *cx = *state;
    struct volo__json_mem mem;
    yyjson_alc alc = volo__json_alc(&mem, &cx->arena, SIZE_MAX);
    char *p = alc.malloc(alc.ctx, 500);

    volo__json_trim(&mem, 17);
    assert_ptr_equal(cx->arena.cur, p + 32);
    volo__json_trim(&mem, 100);
    assert_ptr_equal(cx->arena.cur, p + 32);
    alc.free(alc.ctx, p);
    assert_ptr_equal(cx->arena.cur, p);
    volo__json_trim(&mem, 0);
    alc.free(alc.ctx, NULL);
    assert_ptr_equal(cx->arena.cur, p);
}

static void
test_a_large_piece_leaves_the_arena(void **state)
{
    volo_cx *cx = *state;
    struct volo__json_mem mem;
    yyjson_alc alc = volo__json_alc(&mem, &cx->arena, 64);
    char *p = alc.malloc(alc.ctx, 64), *q;

    memset(p, 'a', 64);
    q = alc.realloc(alc.ctx, p, 64, 100);
    assert_non_null(q);
    assert_int_equal(mem.heap, 1);
    assert_ptr_equal(cx->arena.cur, p);
    assert_int_equal(q[63], 'a');
    q = alc.realloc(alc.ctx, q, 100, 100000);
    assert_int_equal(q[63], 'a');
    volo__json_trim(&mem, 1);
    alc.free(alc.ctx, q);
}

static void
test_a_failed_move_leaves_the_old_piece(void **state)
{
    volo_cx *cx = *state;
    struct volo__json_mem mem;
    yyjson_alc alc = volo__json_alc(&mem, &cx->arena, 64);
    char *p = alc.malloc(alc.ctx, 64), *q;

    fail_after(0);
    q = alc.realloc(alc.ctx, p, 64, 100);
    fail_never();
    assert_null(q);
    assert_int_equal(mem.heap, 0);
    alc.free(alc.ctx, p);
    assert_ptr_equal(cx->arena.cur, p);
    assert_null(alc.malloc(alc.ctx, SIZE_MAX));
}

static void
test_without_an_arena_all_is_on_the_heap(void **state)
{
    struct volo__json_mem mem;
    yyjson_alc alc = volo__json_alc(&mem, NULL, SIZE_MAX);
    char *p = alc.malloc(alc.ctx, 8), *q;

    (void)state;
    memset(p, 'a', 8);
    q = alc.malloc(alc.ctx, 8);
    p = alc.realloc(alc.ctx, p, 8, 5000);
    assert_int_equal(p[7], 'a');
    alc.free(alc.ctx, q);
    alc.free(alc.ctx, p);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, cx_set_up, cx_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_newest_piece_grows_in_place),
        TEST(test_an_older_piece_is_moved),
        TEST(test_what_was_not_needed_goes_back),
        TEST(test_a_large_piece_leaves_the_arena),
        TEST(test_a_failed_move_leaves_the_old_piece),
        cmocka_unit_test(test_without_an_arena_all_is_on_the_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
