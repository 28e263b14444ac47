/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>
#include <volo/error.h>
#include <volo/http.h>

#include "base/arena.h"
#include "http/fields.h"

struct room {
    struct volo__arena arena;
    struct volo__fields fields;
    volo_pair pairs[2];
    char mem[256];
};

static int
set_up(void **state)
{
    struct room *r = calloc(1, sizeof(*r));

    volo__arena_init(&r->arena, r->mem, sizeof(r->mem));
    volo__fields_init(&r->fields, r->pairs, 2);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct room *r = *state;

    volo__arena_clear(&r->arena);
    free(r);
    return 0;
}

static void
add(struct room *r, const char *name, const char *value)
{
    int id = volo__field_lookup(name, strlen(name));

    assert_int_equal(volo__fields_add(&r->fields, &r->arena, id,
                                      volo_str_of(name), volo_str_of(value)),
                     0);
}

static void
assert_str(volo_str s, const char *text)
{
    assert_non_null(s.ptr);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.ptr, text, s.len);
}

static void
test_the_first_of_a_name_is_found(void **state)
{
    struct room *r = *state;

    add(r, "x-a", "1");
    add(r, "host", "h");
    add(r, "x-a", "2");
    add(r, "accept", "");
    assert_str(volo__fields_find(&r->fields, 0, VOLO_STR("X-A")), "1");
    assert_str(
        volo__fields_find(&r->fields, VOLO_FIELD_HOST, volo_str_make(NULL, 0)),
        "h");
    assert_str(volo__fields_find(&r->fields, 0, VOLO_STR("Host")), "h");
    assert_str(volo__fields_find(&r->fields, VOLO_FIELD_ACCEPT,
                                 volo_str_make(NULL, 0)),
               "");
    assert_null(
        volo__fields_find(&r->fields, VOLO_FIELD_COOKIE, volo_str_make(NULL, 0))
            .ptr);
    assert_null(volo__fields_find(&r->fields, 0, VOLO_STR("x-b")).ptr);
}

static void
test_growth_keeps_order_and_content(void **state)
{
    struct room *r = *state;
    char names[300][16];
    int i;

    for (i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "x-%d", i);
        add(r, names[i], names[i] + 2);
    }
    assert_int_equal(r->fields.count, 300);
    for (i = 0; i < 300; i++) {
        assert_str(r->fields.v[i].name, names[i]);
        assert_str(volo__fields_find(&r->fields, 0, volo_str_of(names[i])),
                   names[i] + 2);
    }
}

static void
test_removal_takes_all_lines_of_the_name_and_nothing_else(void **state)
{
    struct room *r = *state;

    add(r, "vary", "a");
    add(r, "x-a", "1");
    add(r, "vary", "b");
    add(r, "x-b", "2");
    assert_int_equal(volo__fields_count_id(&r->fields, VOLO_FIELD_VARY), 2);
    assert_int_equal(volo__fields_remove(&r->fields, VOLO_FIELD_VARY,
                                         volo_str_make(NULL, 0)),
                     2);
    assert_int_equal(volo__fields_count_id(&r->fields, VOLO_FIELD_VARY), 0);
    assert_int_equal(r->fields.count, 2);
    assert_str(r->fields.v[0].name, "x-a");
    assert_str(r->fields.v[1].name, "x-b");
    assert_int_equal(volo__fields_remove(&r->fields, 0, VOLO_STR("X-B")), 1);
    assert_int_equal(volo__fields_remove(&r->fields, 0, VOLO_STR("x-b")), 0);
    assert_int_equal(r->fields.count, 1);
}

static void
test_removal_by_name_keeps_the_bits_right(void **state)
{
    struct room *r = *state;

    add(r, "vary", "a");
    add(r, "host", "h");
    assert_int_equal(volo__fields_remove(&r->fields, 0, VOLO_STR("Vary")), 1);
    assert_int_equal(r->fields.seen, (uint64_t)1 << VOLO_FIELD_HOST);
    add(r, "vary", "b");
    assert_str(
        volo__fields_find(&r->fields, VOLO_FIELD_VARY, volo_str_make(NULL, 0)),
        "b");
}

/* Path parameters live in the same shape and have no numbers. */
static void
test_a_pair_without_a_number_is_found_by_a_well_known_name(void **state)
{
    struct room *r = *state;

    assert_int_equal(volo__fields_add(&r->fields, &r->arena, 0,
                                      VOLO_STR("Date"), VOLO_STR("today")),
                     0);
    assert_str(volo__fields_find(&r->fields, 0, VOLO_STR("Date")), "today");
    assert_int_equal(r->fields.seen, 0);
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
test_out_of_memory_leaves_the_fields_as_they_were(void **state)
{
    struct room *r = *state;
    struct volo__arena none;
    int err;

    volo__arena_init(&none, r->mem, 0);
    add(r, "x-a", "1");
    add(r, "x-b", "2");
    volo_set_allocator(no_memory, NULL);
    err =
        volo__fields_add(&r->fields, &none, 0, VOLO_STR("x-c"), VOLO_STR("3"));
    volo_set_allocator(NULL, NULL);
    assert_int_equal(err, VOLO_ENOMEM);
    assert_int_equal(r->fields.count, 2);
    assert_str(volo__fields_find(&r->fields, 0, VOLO_STR("x-b")), "2");
}

static void
test_fields_without_room_of_the_caller_can_grow(void **state)
{
    struct room *r = *state;

    volo__fields_init(&r->fields, NULL, 0);
    add(r, "te", "trailers");
    assert_str(volo__fields_find(&r->fields, VOLO_FIELD_TE, VOLO_STR("te")),
               "trailers");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_of_a_name_is_found),
        TEST(test_growth_keeps_order_and_content),
        TEST(test_removal_takes_all_lines_of_the_name_and_nothing_else),
        TEST(test_removal_by_name_keeps_the_bits_right),
        TEST(test_a_pair_without_a_number_is_found_by_a_well_known_name),
        TEST(test_out_of_memory_leaves_the_fields_as_they_were),
        TEST(test_fields_without_room_of_the_caller_can_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
