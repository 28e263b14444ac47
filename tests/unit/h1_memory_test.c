/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec when memory runs out, and how little it needs: conversations with
 * each allocation failing in turn, and none at all once it is warm.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <volo/alloc.h>

#include "wire/h1_rig.h"

static size_t taken;      /* allocations since it was reset */
static size_t fail_from;  /* the one that fails, and those behind it... */
static size_t fail_count; /* ...so many */

static void *
counting(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    taken++;
    if (taken >= fail_from && taken - fail_from < fail_count)
        return NULL;
    return realloc(ptr, size);
}

static const char *const scenes[] = {
    "GET /ok HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome-body"
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nA: 1\r\nB: 2\r\n"
    "C: 3\r\nA: 1\r\nB: 2\r\nC: 3\r\nA: 1\r\nB: 2\r\nC: 3\r\nA: 1\r\nB: 2\r\n"
    "C: 3\r\nA: 1\r\nB: 2\r\nC: 3\r\nA: 1\r\nB: 2\r\nC: 3\r\nA: 1\r\nB: 2\r\n"
    "C: 3\r\nA: 1\r\nB: 2\r\nC: 3\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n",
    "GET /open HTTP/1.1\r\nHost: a\r\n\r\nGET /known HTTP/1.1\r\nHost: "
    "a\r\n\r\nGET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
    "Upgrade: echo\r\n\r\nearly",
    "GET nonsense HTTP/1.1\r\nHost: a\r\n\r\n",
};

/* Play ${scene} in pieces of ${step} octets; returns how often memory was
 * asked for. */
static size_t
play(const char *scene, size_t step, size_t from, size_t count)
{
    struct wire w;
    size_t len = strlen(scene), at, asked;

    wire_init(&w);
    w.no_block = 1;
    taken = 0;
    fail_from = from;
    fail_count = count;
    for (at = 0; at < len; at += step)
        wire_feed(&w, scene + at, step < len - at ? step : len - at);
    while (wire_answer(&w) || w.writer)
        wire_end_writer(&w, 1);
    asked = taken;
    fail_count = 0;

    /* What was refused for lack of memory is refused in full. */
    assert_int_equal(w.out.bytes, 0);
    assert_int_equal(wire_close(&w), 0);
    return asked;
}

static void
fail_each(size_t step, size_t count)
{
    size_t i, n, asked;

    volo_set_allocator(counting, NULL);
    for (i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        asked = play(scenes[i], step, 1, 0);
        for (n = 1; n <= asked + 1; n++)
            play(scenes[i], step, n, count);
    }
    volo_set_allocator(NULL, NULL);
}

static void
test_one_failing_allocation_leaves_nothing_behind(void **state)
{
    (void)state;
    fail_each(100000, 1);
    fail_each(1, 1);
    fail_each(7, 1);
}

static void
test_memory_that_stays_out_leaves_nothing_behind(void **state)
{
    (void)state;
    fail_each(100000, SIZE_MAX / 2);
    fail_each(5, SIZE_MAX / 2);
}

static void
test_a_warm_connection_allocates_nothing(void **state)
{
    static const char request[] =
        "GET /ok HTTP/1.1\r\nHost: example.com\r\nUser-Agent: some/1.0\r\n"
        "Accept: */*\r\nX-Other: value\r\n\r\n";
    struct wire w;
    int i;

    (void)state;
    volo_set_allocator(counting, NULL);
    fail_count = 0;
    wire_init(&w);
    for (i = 0; i < 4; i++)
        wire_feed(&w, request, sizeof request - 1);
    taken = 0;
    for (i = 0; i < 100; i++)
        wire_feed(&w, request, sizeof request - 1);
    assert_int_equal(w.served, 104);
    assert_int_equal(taken, 0);
    assert_int_equal(wire_close(&w), 0);
    volo_set_allocator(NULL, NULL);
}

static void
test_an_endless_head_takes_no_more_than_its_limit(void **state)
{
    struct wire w;
    size_t i;

    (void)state;
    wire_init(&w);
    wire_feed(&w, "GET / HTTP/1.1\r\nX: ", 19);
    for (i = 0; i < 100000; i++) {
        wire_feed(&w, "x", 1);
        if (w.h1.parsing)
            assert_in_range(w.h1.parsing->arena.taken, 0, 16384 + 65536);
    }
    assert_int_equal(w.h1.wire.ops->phase(&w.h1.wire), VOLO__WIRE_CLOSING);
    assert_int_equal(w.home.live, 0);
    assert_int_equal(wire_close(&w), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_failing_allocation_leaves_nothing_behind),
        cmocka_unit_test(test_memory_that_stays_out_leaves_nothing_behind),
        cmocka_unit_test(test_a_warm_connection_allocates_nothing),
        cmocka_unit_test(test_an_endless_head_takes_no_more_than_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
