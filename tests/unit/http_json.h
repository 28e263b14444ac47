/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of JSON share: a bare cx as their state (NULL in tests that
 * run without one), and an allocator that counts and can be told to fail.
 */
#ifndef VOLO_TESTS_HTTP_JSON_H
#define VOLO_TESTS_HTTP_JSON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>

#include "http/cx.h"

static int allocations;
static int allocations_left = -1;

static inline void *
counting(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    allocations++;
    return realloc(ptr, size);
}

/* The next ${n} allocations succeed, those after them fail. */
static inline void
fail_after(int n)
{
    allocations = 0;
    allocations_left = n;
    volo_set_allocator(counting, NULL);
}

static inline void
fail_never(void)
{
    allocations_left = -1;
    volo_set_allocator(NULL, NULL);
}

enum { CX_ROOM = 4096 };

static inline int
cx_set_up(void **state)
{
    volo_cx *cx = calloc(1, sizeof(*cx) + CX_ROOM);

    volo__arena_init(&cx->arena, cx + 1, CX_ROOM);
    *state = cx;
    return 0;
}

static inline int
cx_tear_down(void **state)
{
    volo_cx *cx = *state;
    struct volo__ext *ext;

    for (ext = cx->exts; ext; ext = ext->next)
        ext->value_free(ext->value);
    volo__arena_clear(&cx->arena);
    free(cx);
    return 0;
}

/* Use up what the arena has, so that the next piece is an allocation. */
static inline void
drain(volo_cx *cx)
{
    if (cx)
        cx->arena.cur = cx->arena.end;
}

static inline void
assert_str(volo_str s, const char *text)
{
    assert_non_null(s.ptr);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.ptr, text, s.len);
}

#endif
