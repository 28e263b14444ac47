/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What conversations cannot show of the codec: how its output lies, whether
 * bodies are copied, when the host is woken, and how exchanges end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/codec.h"
#include "wire/h1_rig.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct wire w;

static int
open_wire(void **state)
{
    (void)state;
    wire_init(&w);
    return 0;
}

static int
close_wire(void **state)
{
    (void)state;
    assert_int_equal(wire_close(&w), 0);
    assert_int_equal(w.finished, w.served);
    return 0;
}

static void
say(const char *text)
{
    wire_feed(&w, text, strlen(text));
}

static void
test_an_answer_is_one_piece_and_so_are_several(void **state)
{
    struct iovec iov[8];

    (void)state;
    w.stuck = 1;
    w.served = w.finished = 1; /* the next has no hook */
    say(GET("/ok"));
    assert_int_equal(volo__outq_iov(&w.out, iov, 8), 1);
    w.served = w.finished = 1;
    say(GET("/ok"));
    assert_int_equal(volo__outq_iov(&w.out, iov, 8), 1);
    assert_int_equal(iov[0].iov_len, w.out.bytes);
    w.stuck = 0;
    wire_settle(&w);
}

static void
test_a_large_body_is_sent_from_where_it_is(void **state)
{
    struct iovec iov[8];

    (void)state;
    w.stuck = 1;
    say(GET("/big"));
    assert_int_equal(volo__outq_iov(&w.out, iov, 8), 2);
    assert_int_equal(iov[1].iov_len, 200000);
    assert_int_equal(w.home.live, 1); /* until it has left */
    w.stuck = 0;
    wire_settle(&w);
    assert_int_equal(w.home.live, 0);
}

static void
test_hooks_run_when_the_last_octet_has_left(void **state)
{
    (void)state;
    w.stuck = 1;
    say(GET("/ok"));
    assert_int_equal(w.served, 1);
    assert_int_equal(w.finished, 0);
    w.stuck = 0;
    wire_settle(&w);
    assert_int_equal(w.finished, 1);
}

static void
test_hooks_run_when_the_output_is_thrown_away(void **state)
{
    (void)state;
    w.stuck = 1;
    say(GET("/big"));
    assert_int_equal(w.finished, 0);
    w.h1.wire.ops->close(&w.h1.wire);
    volo__outq_clear(&w.out);
    assert_int_equal(w.finished, 1);
}

static void
test_a_body_in_the_read_buffer_is_not_copied(void **state)
{
    static char request[6000];
    struct volo__block *block = volo__home_block(&w.home);
    size_t n;

    (void)state;
    memset(request, 'x', sizeof request);
    n = (size_t)sprintf(request, "POST /later HTTP/1.1\r\nHost: a\r\n"
                                 "Content-Length: 5000\r\n\r\n");
    request[n] = 'x';
    memcpy(block->data, request, n + 5000);
    assert_int_equal(
        w.h1.wire.ops->feed(&w.h1.wire, block->data, n + 5000, block),
        n + 5000);
    assert_int_equal(w.later_count, 1);
    assert_ptr_equal(w.later[0]->body.data.ptr, block->data + n);
    assert_int_equal(block->refs, 2);
    assert_true(wire_answer(&w));
    assert_int_equal(block->refs, 1);
}

static void
test_the_host_is_woken_only_outside_of_its_own_calls(void **state)
{
    (void)state;
    say(GET("/ok") GET("/later"));
    assert_int_equal(w.woken, 0);
    assert_true(wire_answer(&w));
    assert_int_equal(w.woken, 1);
}

static void
test_feeding_from_inside_takes_nothing(void **state)
{
    (void)state;
    w.h1.busy = 1;
    assert_int_equal(w.h1.wire.ops->feed(&w.h1.wire, GET("/ok"), 10, NULL), 0);
    w.h1.busy = 0;
    say(GET("/ok"));
    assert_int_equal(w.served, 1);
}

static void
test_safe_requests_run_beside_each_other(void **state)
{
    (void)state;
    say(GET("/later?1") GET("/later?2") GET("/later?3"));
    assert_int_equal(w.later_count, 3);
    assert_int_equal(w.h1.wire.count, 3);
    assert_int_equal(w.h1.wire.ops->phase(&w.h1.wire), VOLO__WIRE_BUSY);
    assert_true(w.h1.wire.ops->wants(&w.h1.wire));
}

static void
test_an_unsafe_request_runs_alone(void **state)
{
    (void)state;
    say("DELETE /later HTTP/1.1\r\nHost: a\r\n\r\n" GET("/later"));
    assert_int_equal(w.later_count, 1);
    assert_false(w.h1.wire.ops->wants(&w.h1.wire));
    assert_true(wire_answer(&w));
    assert_int_equal(w.later_count, 2);
}

/* The second is answered first; its answer waits, and its cx with it. */
static void
test_an_early_answer_waits_for_its_turn(void **state)
{
    volo_cx *second;

    (void)state;
    say(GET("/later?1") GET("/later?2"));
    second = w.later[--w.later_count];
    wire_text(second, 200, VOLO_STR("second"));
    volo_cx_unref(second);
    wire_settle(&w);
    assert_int_equal(w.output_len, 0);
    assert_int_equal(w.home.live, 2);
    assert_true(wire_answer(&w));
    assert_int_equal(w.home.live, 0);
    assert_memory_equal(w.output + w.output_len - 6, "second", 6);
}

static void
test_closing_cancels_what_is_in_progress(void **state)
{
    (void)state;
    say(GET("/later?1") GET("/later?2"));
    w.h1.wire.ops->close(&w.h1.wire);
    assert_int_equal(w.canceled, 2);
    assert_true(volo_cx_is_canceled(w.later[0]));
    assert_int_equal(volo_cx_answer(w.later[0]), VOLO_ECANCELED);
    assert_int_equal(w.output_len, 0);
}

static void
test_an_heir_takes_the_place_in_the_order(void **state)
{
    volo_cx *elder, *heir;

    (void)state;
    say(GET("/later?1") GET("/later?2") GET("/later?3"));
    elder = w.later[1];
    heir = volo__cx_new(&w.home);
    heir->req = elder->req;
    heir->body.complete = 1;
    heir->elder = elder;
    elder->heirs++;
    elder->codec->replace(elder, heir);
    assert_null(elder->codec);
    assert_ptr_equal(w.h1.first->next, heir);
    assert_ptr_equal(heir->next, w.h1.last);

    /* As a timeout does: the elder's answer is not wanted. */
    atomic_store(&elder->state, VOLO__ANSWERED);
    elder->unwound = 1;
    wire_text(heir, 504, VOLO_STR("late"));
    volo_cx_unref(heir);
    volo__cx_detach(elder);
    w.later[1] = w.later[2];
    w.later_count = 2;
    volo_cx_unref(elder);
    assert_true(wire_answer(&w) && wire_answer(&w));
    assert_memory_equal(w.output + w.output_len - 8, "/later?3", 8);
    assert_int_equal(w.h1.wire.count, 0);
}

/* A stalled stream holds its write limit and no more. */
static void
test_a_peer_that_does_not_read_stops_a_stream(void **state)
{
    static char piece[20000];
    size_t accepted = 0;

    (void)state;
    w.stuck = 1;
    say(GET("/open"));
    while (accepted < 100 &&
           volo_writer_write(w.writer, volo_str_make(piece, sizeof piece)) == 0)
        accepted++;
    assert_in_range(accepted, 1, 5);
    assert_int_equal(volo_writer_write(w.writer, VOLO_STR("x")), VOLO_EAGAIN);
    w.stuck = 0;
    wire_settle(&w);
    assert_int_equal(w.out.bytes, 0);
    assert_int_equal(volo_writer_write(w.writer, VOLO_STR("x")), 0);
    wire_end_writer(&w, 1);
    assert_memory_equal(w.output + w.output_len - 7, "\r\n0\r\n\r\n", 7);
}

static void
test_a_refusal_is_counted_as_malformed(void **state)
{
    (void)state;
    assert_int_equal(w.h1.wire.malformed, 0);
    say("nonsense\r\n\r\n");
    assert_int_equal(w.h1.wire.malformed, 1);
}

static void
test_a_slow_head_is_not_counted_as_malformed(void **state)
{
    (void)state;
    say("GET / HTTP/1.1\r\n");
    w.h1.wire.ops->timeout(&w.h1.wire);
    assert_int_equal(w.h1.wire.malformed, 0);
    assert_int_equal(w.h1.wire.ops->phase(&w.h1.wire), VOLO__WIRE_CLOSING);
}

#define ON_A_WIRE(test) \
    cmocka_unit_test_setup_teardown(test, open_wire, close_wire)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_WIRE(test_an_answer_is_one_piece_and_so_are_several),
        ON_A_WIRE(test_a_large_body_is_sent_from_where_it_is),
        ON_A_WIRE(test_hooks_run_when_the_last_octet_has_left),
        ON_A_WIRE(test_hooks_run_when_the_output_is_thrown_away),
        ON_A_WIRE(test_a_body_in_the_read_buffer_is_not_copied),
        ON_A_WIRE(test_the_host_is_woken_only_outside_of_its_own_calls),
        ON_A_WIRE(test_feeding_from_inside_takes_nothing),
        ON_A_WIRE(test_safe_requests_run_beside_each_other),
        ON_A_WIRE(test_an_unsafe_request_runs_alone),
        ON_A_WIRE(test_an_early_answer_waits_for_its_turn),
        ON_A_WIRE(test_closing_cancels_what_is_in_progress),
        ON_A_WIRE(test_an_heir_takes_the_place_in_the_order),
        ON_A_WIRE(test_a_peer_that_does_not_read_stops_a_stream),
        ON_A_WIRE(test_a_refusal_is_counted_as_malformed),
        ON_A_WIRE(test_a_slow_head_is_not_counted_as_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
