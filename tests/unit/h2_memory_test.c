/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec when memory runs out, and how little it needs: conversations with
 * each allocation failing in turn, none at all once it is warm, and what an
 * idle connection holds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>

#include <volo/alloc.h>

#include <nghttp2/nghttp2.h>

#include "wire/h2_frames.h"
#include "wire/h2_rig.h"

static size_t taken;      /* allocations since it was reset */
static size_t fail_from;  /* the one that fails, and those behind it... */
static size_t fail_count; /* ...so many */
static size_t held;       /* octets that are not given back */

static size_t
size_of(void *ptr)
{
    return ptr ? malloc_usable_size(ptr) : 0;
}

static void *
counting(void *ptr, size_t size, void *user)
{
    size_t before = size_of(ptr);
    void *moved;

    (void)user;
    if (size == 0) {
        held -= before;
        free(ptr);
        return NULL;
    }
    taken++;
    if (taken >= fail_from && taken - fail_from < fail_count)
        return NULL;
    moved = realloc(ptr, size);
    if (moved)
        held += size_of(moved) - before;
    return moved;
}

/* ---- Failing ------------------------------------------------------------- */

enum { END_STREAM = 1, END_HEADERS = 4, EARLY_ROOM = 256 * 16 };

static struct frames f;

static void
scene_answers(void)
{
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/ok", NULL, 0, END_STREAM);
    frames_ask(&f, 3, 2, "/later", NULL, 0, END_STREAM);
    frames_ask(&f, 5, 2, "/pieces", NULL, 0, END_STREAM);
    frames_ask(&f, 7, 2, "/open", NULL, 0, END_STREAM);
    frames_ask(&f, 9, 2, "/o#k", NULL, 0, END_STREAM);
}

static void
scene_bodies(void)
{
    static char body[9000];

    memset(body, 'b', sizeof body);
    frames_begin(&f);
    frames_ask(&f, 1, 3, "/echo", NULL, 0, 0);
    frames_ask(&f, 3, 3, "/later", NULL, 0, 0);
    frames_ask(&f, 5, 3, "/count", NULL, 0, 0);
    frames_add(&f, 0, 0, 1, body, sizeof body);
    frames_add(&f, 0, 0, 3, body, sizeof body);
    frames_add(&f, 0, 0, 5, body, sizeof body);
    frames_add(&f, 0, END_STREAM, 5, "end", 3);
    frames_add(&f, 1, END_STREAM | END_HEADERS, 1, "\x00\x01x\x01y", 5);
    frames_add(&f, 3, 0, 3, "\0\0\0\x8", 4);
    frames_ask(&f, 7, 2, "/big", NULL, 0, END_STREAM);
    frames_add(&f, 8, 0, 0, "\0\x10\0\0", 4);
    frames_add(&f, 8, 0, 7, "\0\x10\0\0", 4);
}

static void
scene_heads(void)
{
    char more[600];
    size_t i;

    for (i = 0; i < 100; i++)
        memcpy(more + 5 * i,
               i % 10 ? "\x40\x01x\x01y"
                      : "\x60\x03"
                        "a=1",
               5);
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/show", more, 500, END_STREAM);
    frames_ask(&f, 3, 2, "/large", NULL, 0, END_STREAM);
    frames_ask(&f, 5, 2, "/ok", "\x00\x01X\x01y", 5, END_STREAM);
    frames_add(&f, 8, 0, 5, "\0\0\0\0", 4);
}

static void (*const scenes[])(void) = {scene_answers, scene_bodies,
                                       scene_heads};

/* Play what is in f, in pieces of ${step} octets; returns how often memory was
 * asked for. */
static size_t
play(size_t step, size_t from, size_t count)
{
    struct rig r;
    size_t at, n, asked;

    taken = 0;
    fail_count = 0;
    rig_home(&r);
    r.w.no_block = 1;
    fail_from = from;
    fail_count = count;
    taken = 0;
    if (rig_open(&r) == 0) {
        for (at = 0; at < f.len; at += n) {
            n = step < f.len - at ? step : f.len - at;
            rig_feed(&r, f.text + at, n);
        }
        while (rig_answer(&r))
            rig_drain(&r);
        rig_end_writer(&r, 1);
        rig_drain(&r);
    }
    asked = taken;
    fail_count = 0;
    if (rig_close(&r) || held)
        fail_msg("allocation %zu of %zu, in pieces of %zu: %zu octets are left",
                 from, asked, step, held);
    return asked;
}

static void
fail_each(size_t step, size_t count)
{
    size_t i, n, asked;

    volo_set_allocator(counting, NULL);
    held = 0;
    for (i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        scenes[i]();
        asked = play(step, 1, 0);
        for (n = 1; n <= asked + 1; n++)
            play(step, n, count);
    }
    volo_set_allocator(NULL, NULL);
}

static void
test_one_failing_allocation_leaves_nothing_behind(void **state)
{
    (void)state;
    fail_each(100000, 1);
    fail_each(1, 1);
    fail_each(50, 1);
}

static void
test_memory_that_stays_out_leaves_nothing_behind(void **state)
{
    (void)state;
    fail_each(100000, SIZE_MAX / 2);
    fail_each(50, SIZE_MAX / 2);
}

/* ---- Taking little ------------------------------------------------------- */

static void
test_a_warm_connection_allocates_nothing(void **state)
{
    struct rig r;
    uint32_t id;

    (void)state;
    volo_set_allocator(counting, NULL);
    fail_count = 0;
    rig_home(&r);
    assert_int_equal(rig_open(&r), 0);
    frames_begin(&f);
    rig_feed(&r, f.text, f.len);
    for (id = 1; id < 300; id += 4) {
        if (id == 101)
            taken = 0;
        f.len = 0;
        frames_ask(&f, id, 2, "/ok", "\x00\x01x\x01y", 5, END_STREAM);
        frames_ask(&f, id + 2, 3, "/echo", NULL, 0, 0);
        frames_add(&f, 0, END_STREAM, id + 2, "some body", 9);
        rig_feed(&r, f.text, f.len);
    }
    assert_int_equal(r.w.served, 150);
    assert_int_equal(taken, 0);
    assert_int_equal(rig_close(&r), 0);
    volo_set_allocator(NULL, NULL);
}

static void *
see_early_room(size_t count, size_t size, void *user)
{
    if (count * size == EARLY_ROOM)
        *(size_t *)user = EARLY_ROOM;
    return calloc(count, size);
}

static void *
plain_malloc(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void
plain_free(void *ptr, void *user)
{
    (void)user;
    free(ptr);
}

static void *
plain_realloc(void *ptr, size_t size, void *user)
{
    (void)user;
    return realloc(ptr, size);
}

/* Some versions of nghttp2 have room for 256 streams before there is one. */
static size_t
early_room(void)
{
    size_t room = 0;
    nghttp2_mem mem = {&room, plain_malloc, plain_free, see_early_room,
                       plain_realloc};
    nghttp2_session_callbacks *cbs;
    nghttp2_session *session;

    assert_int_equal(nghttp2_session_callbacks_new(&cbs), 0);
    assert_int_equal(
        nghttp2_session_server_new3(&session, cbs, NULL, NULL, &mem), 0);
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(cbs);
    return room;
}

static void
test_an_idle_connection_is_small(void **state)
{
    enum { COUNT = 100 };
    struct volo__wire *wires[COUNT];
    struct rig r;
    size_t before, i;

    (void)state;
    volo_set_allocator(counting, NULL);
    fail_count = 0;
    rig_home(&r);
    for (i = 0; i < COUNT; i++) {
        assert_int_equal(rig_open(&r), 0);
        frames_begin(&f);
        frames_ask(&f, 1, 2, "/ok", "\x00\x01x\x01y", 5, END_STREAM);
        rig_feed(&r, f.text, f.len);
        wires[i] = r.h2;
        if (i == 0)
            before = held;
    }
    before = (held - before) / (COUNT - 1);
    assert_in_range(before - early_room(), 1000, 8192);
    for (i = 0; i + 1 < COUNT; i++)
        wires[i]->ops->close(wires[i]);
    assert_int_equal(rig_close(&r), 0);
    volo_set_allocator(NULL, NULL);
}

static void
test_a_stream_that_stalls_holds_its_window_at_most(void **state)
{
    static char body[16000];
    struct rig r;
    size_t before;
    int i;

    (void)state;
    volo_set_allocator(counting, NULL);
    fail_count = 0;
    rig_home(&r);
    assert_int_equal(rig_open(&r), 0);
    frames_begin(&f);
    frames_ask(&f, 1, 3, "/later", NULL, 0, 0);
    rig_feed(&r, f.text, f.len);
    before = held;
    for (i = 0; i < 20; i++) { /* far beyond */
        f.len = 0;
        frames_add(&f, 0, 0, 1, body, sizeof body);
        rig_feed(&r, f.text, f.len);
        assert_true(held < before + 2 * 65536);
    }
    /* Of the stream or, with some versions of nghttp2, of all. */
    assert_int_equal(rig_code(&r, rig_frames(&r, 3, NULL) ? 3 : 7),
                     NGHTTP2_FLOW_CONTROL_ERROR);
    assert_int_equal(rig_close(&r), 0);
    volo_set_allocator(NULL, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_failing_allocation_leaves_nothing_behind),
        cmocka_unit_test(test_memory_that_stays_out_leaves_nothing_behind),
        cmocka_unit_test(test_a_warm_connection_allocates_nothing),
        cmocka_unit_test(test_an_idle_connection_is_small),
        cmocka_unit_test(test_a_stream_that_stalls_holds_its_window_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
