/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow control in both directions: a reader that does not read, a client that
 * does not, and the others beside them.
 */
#include "h2_support.h"

static char megabyte[1024 * 1024];

static int
open_with_much(void **state)
{
    memset(megabyte, 'm', sizeof megabyte);
    return open_peer(state);
}

static struct volo__h2_stream *
stream_of(int32_t id)
{
    return volo__h2_stream_of((struct volo__h2 *)p.rig.h2, id);
}

static int32_t
post(const char *path, size_t size)
{
    const struct upload body = {megabyte, size, 0, 0};

    return peer_ask(&p, "POST", path, NULL, 0, &body);
}

static int
on_chunk(volo_cx *cx, int err, volo_str chunk, void *user)
{
    (void)cx;
    (void)err;
    *(size_t *)user += chunk.len;
    return VOLO_FLOW_MORE;
}

static void
test_a_body_that_nobody_reads_fills_its_window_and_no_more(void **state)
{
    int32_t id = post("/later", 500000), other;

    (void)state;
    peer_settle(&p);
    assert_int_equal(p.uploads[0].left, 500000 - 65535);
    assert_int_equal(stream_of(id)->held_len, 65535);
    other = peer_get(&p, "/ok");
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, other)->status, 200);
}

static void
test_many_of_them_do_not_stop_one_that_is_read(void **state)
{
    int32_t id;
    size_t i;

    (void)state;
    for (i = 0; i < 40; i++) /* more than the connection's window */
        post("/later", 100000);
    p.rig.w.config.body_limit = sizeof megabyte;
    id = post("/count", sizeof megabyte);
    peer_settle(&p);
    assert_string_equal(peer_reply(&p, id)->body, "1048576\n");
}

static void
test_reading_opens_the_window_again(void **state)
{
    size_t got = 0;

    (void)state;
    p.rig.w.config.body_limit = sizeof megabyte;
    post("/later", 500000);
    peer_settle(&p);
    assert_int_equal(volo_cx_read_stream(p.rig.w.later[0], on_chunk, &got), 0);
    peer_settle(&p);
    assert_int_equal(got, 500000);
}

static void
test_a_reader_that_pauses_gets_all_of_it(void **state)
{
    int32_t id;

    (void)state;
    p.rig.w.config.body_limit = sizeof megabyte;
    p.step = 1000;
    id = post("/count", 300000);
    peer_settle(&p);
    assert_string_equal(peer_reply(&p, id)->body, "300000\n");
}

static void
test_a_body_beyond_the_limit_is_refused(void **state)
{
    int32_t id = post("/echo", 200000);

    (void)state;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 413);
    assert_true(peer_reply(&p, id)->closed);
    assert_int_equal(peer_reply(&p, id)->code, NGHTTP2_NO_ERROR);
}

static void
test_a_body_of_several_frames_is_collected(void **state)
{
    int32_t id = post("/echo", 60000);

    (void)state;
    p.step = 777;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->len, 60000);
}

/* ---- The other way ------------------------------------------------------- */

static void
test_a_response_waits_for_the_client(void **state)
{
    int32_t id, other;

    (void)state;
    set_windows(1000);
    peer_settle(&p);
    p.deaf = 1;
    id = peer_get(&p, "/big");
    other = peer_get(&p, "/ok");
    peer_settle(&p);
    assert_int_equal(stream_of(id)->body.len, 199000);
    assert_null(stream_of(other)); /* it was small enough */
    p.deaf = 0;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->len, 200000);
}

static void
test_no_more_is_queued_than_the_limit_says(void **state)
{
    int32_t id;

    (void)state;
    set_windows(1 << 24);
    nghttp2_submit_window_update(p.session, NGHTTP2_FLAG_NONE, 0, 1 << 24);
    peer_settle(&p);
    p.rig.w.config.out_limit = 20000;
    p.rig.w.stuck = 1;
    rig_run(&p.rig);
    id = peer_get(&p, "/big");
    {
        const uint8_t *ptr;
        ssize_t n = nghttp2_session_mem_send(p.session, &ptr);

        assert_int_equal(rig_give(&p.rig, ptr, (size_t)n), n);
    }
    assert_in_range(p.rig.w.out.bytes, 20000, 20000 + 2 * 16393);
    assert_false(p.rig.h2->ops->wants(p.rig.h2));
    assert_int_equal(rig_give(&p.rig, "", 0), 0);
    p.rig.w.stuck = 0;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->len, 200000);
}

static void
test_a_writer_is_told_to_wait_and_then_to_go_on(void **state)
{
    int32_t id = peer_get(&p, "/open");
    unsigned n = 0;

    (void)state;
    peer_settle(&p);
    p.deaf = 1;
    while (volo_writer_write(p.rig.w.writer, volo_str_make(megabyte, 5000)) ==
           0)
        n++;
    peer_settle(&p);
    assert_in_range(n * 5000, 65536, 65535 + 65536 + 5000);
    p.deaf = 0;
    peer_settle(&p);
    assert_int_equal(
        volo_writer_write(p.rig.w.writer, volo_str_make(megabyte, 5000)), 0);
    rig_end_writer(&p.rig, 1);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->len, 3 + (n + 1) * 5000 + 3);
    assert_true(peer_reply(&p, id)->ended);
}

/* ---- Letting go in the middle -------------------------------------------- */

static void
test_a_body_that_is_being_sent_outlives_its_stream(void **state)
{
    int32_t id = peer_get(&p, "/big");

    (void)state;
    p.deaf = 1;
    peer_settle(&p);
    assert_true(stream_of(id)->lent);
    p.deaf = 0;
    nghttp2_submit_rst_stream(p.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    peer_settle(&p);
    assert_null(stream_of(id));
}

static void
test_a_reset_while_output_waits_frees_nothing_that_waits(void **state)
{
    const uint8_t *ptr;
    ssize_t n;
    int32_t id;
    size_t live;

    (void)state;
    p.rig.w.config.out_limit = 1 << 20;
    peer_settle(&p);
    id = peer_get(&p, "/big");
    n = nghttp2_session_mem_send(p.session, &ptr);
    rig_give(&p.rig, ptr, (size_t)n);
    assert_true(p.rig.w.out.bytes > 60000);
    live = p.rig.w.home.live;
    nghttp2_submit_rst_stream(p.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    n = nghttp2_session_mem_send(p.session, &ptr);
    rig_give(&p.rig, ptr, (size_t)n);
    assert_int_equal(p.rig.w.home.live, live);
    rig_drain(&p.rig);
    assert_int_equal(p.rig.w.home.live, live - 1);
    peer_settle(&p);
}

static void
test_a_chunk_in_the_middle_of_leaving_outlives_its_stream(void **state)
{
    int32_t id = peer_get(&p, "/open");

    (void)state;
    peer_settle(&p);
    p.deaf = 1;
    volo_writer_write(p.rig.w.writer, volo_str_make(megabyte, 200000));
    assert_non_null(stream_of(id)->chunk);
    nghttp2_submit_rst_stream(p.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    peer_settle(&p);
    assert_null(stream_of(id));
    assert_int_equal(volo_writer_write(p.rig.w.writer, VOLO_STR("more")),
                     VOLO_ECANCELED);
    rig_end_writer(&p.rig, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_body_that_nobody_reads_fills_its_window_and_no_more,
            open_with_much, close_peer),
        cmocka_unit_test_setup_teardown(
            test_many_of_them_do_not_stop_one_that_is_read, open_with_much,
            close_peer),
        cmocka_unit_test_setup_teardown(test_reading_opens_the_window_again,
                                        open_with_much, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_reader_that_pauses_gets_all_of_it, open_with_much,
            close_peer),
        cmocka_unit_test_setup_teardown(test_a_body_beyond_the_limit_is_refused,
                                        open_with_much, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_body_of_several_frames_is_collected, open_with_much,
            close_peer),
        cmocka_unit_test_setup_teardown(test_a_response_waits_for_the_client,
                                        open_with_much, close_peer),
        cmocka_unit_test_setup_teardown(
            test_no_more_is_queued_than_the_limit_says, open_with_much,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_writer_is_told_to_wait_and_then_to_go_on, open_with_much,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_body_that_is_being_sent_outlives_its_stream, open_with_much,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_reset_while_output_waits_frees_nothing_that_waits,
            open_with_much, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_chunk_in_the_middle_of_leaving_outlives_its_stream,
            open_with_much, close_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
