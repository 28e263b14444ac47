/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How streams and connections end: by the client, by the server, by the clock;
 * and how some begin in other ways.
 */
#include "h2_support.h"

static int
phase(void)
{
    return p.rig.h2->ops->phase(p.rig.h2);
}

static void
wait(uint64_t ms)
{
    rig_wait(&p.rig, ms);
    peer_settle(&p);
}

static void
reset(int32_t id)
{
    nghttp2_submit_rst_stream(p.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    peer_settle(&p);
}

/* ---- By the client ------------------------------------------------------- */

static void
test_a_reset_cancels_its_exchange(void **state)
{
    int32_t id = peer_get(&p, "/later"), other = peer_get(&p, "/later");

    (void)state;
    peer_settle(&p);
    assert_int_equal(p.rig.h2->count, 2);
    reset(id);
    assert_int_equal(p.rig.w.canceled, 1);
    assert_int_equal(p.rig.h2->count, 1);
    rig_answer(&p.rig);
    rig_answer(&p.rig);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, other)->status, 200);
    assert_int_equal(peer_reply(&p, id)->status, 0);
}

static void
test_one_that_is_reset_at_once_is_never_served(void **state)
{
    static const char both[] = "\0\0\6\1\5\0\0\0\1\x82\x84\x86\x41\1a"
                               "\0\0\4\3\0\0\0\0\1\0\0\0\x8";

    (void)state;
    peer_settle(&p);
    rig_feed(&p.rig, both, sizeof both - 1);
    assert_int_equal(p.rig.h2->requests, 1);
    assert_int_equal(p.rig.w.served, 0);
}

static void
test_handlers_at_work_count_when_their_streams_are_gone(void **state)
{
    int32_t ids[5], refused;
    int i;

    (void)state;
    p.rig.w.config.stream_limit = 5;
    for (i = 0; i < 5; i++)
        ids[i] = peer_get(&p, "/later");
    peer_settle(&p);
    for (i = 0; i < 5; i++)
        reset(ids[i]);
    refused = peer_get(&p, "/ok");
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, refused)->code, NGHTTP2_REFUSED_STREAM);
    rig_answer(&p.rig);
    refused = peer_get(&p, "/ok");
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, refused)->status, 200);
}

static void
test_a_handler_may_outlive_the_connection(void **state)
{
    volo_cx *cx;

    (void)state;
    peer_get(&p, "/later");
    peer_settle(&p);
    cx = volo_cx_ref(p.rig.w.later[0]);
    p.rig.h2->ops->close(p.rig.h2);
    p.rig.h2 = NULL;
    assert_true(volo_cx_is_canceled(cx));
    wire_text(cx, 200, VOLO_STR("for nobody"));
    volo_cx_unref(cx);
}

static void
test_a_handler_may_see_the_connection_closed(void **state)
{
    static const char two[] = "\0\0\6\1\5\0\0\0\1\x82\x84\x86\x41\1a"
                              "\0\0\4\1\5\0\0\0\3\x82\x84\x86\xbe";

    (void)state;
    peer_settle(&p);
    p.rig.close_next = 1;
    assert_int_equal(rig_give(&p.rig, two, sizeof two - 1), sizeof two - 1);
    assert_null(p.rig.h2);
    assert_int_equal(p.rig.w.served, 1);
}

static void
test_streams_beyond_the_limit_are_refused(void **state)
{
    int32_t id = 0;
    int i;

    (void)state;
    for (i = 0; i < 128; i++)
        peer_get(&p, "/later");
    peer_settle(&p);
    assert_int_equal(nghttp2_session_get_remote_settings(
                         p.session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS),
                     128);
    p.rig.w.config.stream_limit = 128;
    id = peer_get(&p, "/ok"); /* it waits in the client */
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 0);
    assert_int_equal(p.rig.h2->count, 128);
    rig_answer(&p.rig);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 200);
}

static void
test_the_end_of_the_connection_cancels_all(void **state)
{
    (void)state;
    peer_get(&p, "/later");
    peer_get(&p, "/later");
    peer_settle(&p);
    p.rig.h2->ops->eof(p.rig.h2, 0);
    assert_int_equal(p.rig.w.canceled, 2);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

static void
test_a_half_closed_connection_is_answered(void **state)
{
    const struct upload body = {"", 0, 0, 1};
    int32_t id = peer_get(&p, "/later");
    int32_t part = peer_ask(&p, "POST", "/echo", NULL, 0, &body);

    (void)state;
    peer_settle(&p);
    p.rig.h2->ops->eof(p.rig.h2, 1);
    peer_settle(&p);
    assert_true(peer_reply(&p, part)->closed);
    assert_int_equal(phase(), VOLO__WIRE_BUSY);
    rig_answer(&p.rig);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 200);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

/* ---- By the server ------------------------------------------------------- */

static void
test_stopping_says_so_twice_and_answers_what_there_is(void **state)
{
    int32_t id = peer_get(&p, "/later");

    (void)state;
    peer_settle(&p);
    p.rig.h2->ops->stop(p.rig.h2);
    rig_drain(&p.rig);
    peer_hear(&p);
    assert_int_equal(p.goaways, 1);
    assert_int_equal(p.goaway_last, INT32_MAX);
    peer_settle(&p); /* the ack of the PING */
    assert_int_equal(p.goaways, 2);
    assert_int_equal(p.goaway_last, id);
    assert_int_equal(phase(), VOLO__WIRE_BUSY);
    rig_answer(&p.rig);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 200);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

static void
test_stopping_does_not_wait_for_a_client_that_says_nothing(void **state)
{
    (void)state;
    peer_settle(&p);
    p.rig.h2->ops->stop(p.rig.h2);
    rig_drain(&p.rig);
    assert_int_equal(phase(), VOLO__WIRE_IDLE);
    rig_wait(&p.rig, 1000);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

static void
test_so_many_requests_and_no_more(void **state)
{
    int32_t id;

    (void)state;
    p.rig.w.config.request_limit = 3;
    peer_get(&p, "/ok");
    peer_get(&p, "/ok");
    id = peer_get(&p, "/ok");
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 200);
    assert_int_equal(p.goaways, 1);
    wait(1000);
    assert_int_equal(rig_frames(&p.rig, NGHTTP2_GOAWAY, NULL), 2);
    assert_int_equal(rig_code(&p.rig, NGHTTP2_GOAWAY), NGHTTP2_NO_ERROR);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

/* ---- By the clock -------------------------------------------------------- */

static void
test_a_silent_client_is_not_waited_for(void **state)
{
    (void)state;
    rig_wait(&p.rig, 9999);
    assert_int_equal(phase(), VOLO__WIRE_IDLE);
    rig_wait(&p.rig, 1);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

static void
test_nothing_to_do_for_long_is_the_end(void **state)
{
    peer_settle(&p);
    wait(40000);
    peer_get(&p, "/ok");
    peer_settle(&p);
    wait(59999);
    assert_int_equal(phase(), VOLO__WIRE_IDLE);
    wait(1);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
    assert_int_equal(p.goaway_code, NGHTTP2_NO_ERROR);
    (void)state;
}

static void
test_a_field_block_must_end(void **state)
{
    static const char begun[] = "\0\0\1\1\0\0\0\0\1\x82";

    (void)state;
    peer_settle(&p);
    rig_feed(&p.rig, begun, sizeof begun - 1);
    rig_wait(&p.rig, 9999);
    assert_int_equal(phase(), VOLO__WIRE_BUSY);
    rig_wait(&p.rig, 1);
    assert_int_equal(phase(), VOLO__WIRE_CLOSING);
}

static void
test_a_body_that_does_not_come_is_given_up(void **state)
{
    const struct upload body = {"part", 4, 0, 1};
    int32_t id = peer_ask(&p, "POST", "/echo", NULL, 0, &body), other;

    (void)state;
    peer_settle(&p);
    wait(30000);
    assert_int_equal(peer_reply(&p, id)->status, 408);
    assert_true(peer_reply(&p, id)->closed);
    other = peer_get(&p, "/ok");
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, other)->status, 200);
}

static void
test_what_is_not_read_is_not_missed(void **state)
{
    const struct upload body = {"part", 4, 0, 1};
    int32_t id = peer_ask(&p, "POST", "/echo", NULL, 0, &body);

    (void)state;
    peer_settle(&p);
    rig_feed(&p.rig, "\0\0\x8\6", 4); /* of a PING */
    p.rig.w.config.out_limit = 0;
    volo__outq_copy(&p.rig.w.out, "", 1);
    p.rig.h2->ops->wants(p.rig.h2);
    ((struct volo__h2 *)p.rig.h2)->full = 1;
    p.rig.w.home.now_ms += 100000;
    assert_true(p.rig.h2->ops->due(p.rig.h2) > p.rig.w.home.now_ms);
    volo__outq_sent(&p.rig.w.out, 1);
    p.rig.h2->ops->output_left(p.rig.h2);
    assert_int_equal(p.rig.h2->ops->due(p.rig.h2), p.rig.w.home.now_ms + 10000);
    assert_int_equal(peer_reply(&p, id)->status, 0);
}

static void
test_a_body_that_trickles_is_given_up(void **state)
{
    const struct upload body = {"x", 1, 0, 1};
    int32_t id = peer_ask(&p, "POST", "/echo", NULL, 0, &body);
    int i;

    (void)state;
    peer_settle(&p);
    for (i = 0; i < 12 && !peer_reply(&p, id)->status; i++) {
        wait(1000);
        p.uploads[0].ptr = "y";
        p.uploads[0].left = 1;
        nghttp2_session_resume_data(p.session, id);
        peer_settle(&p);
    }
    assert_int_equal(peer_reply(&p, id)->status, 408);
}

static void
test_a_window_that_stays_shut_costs_its_stream(void **state)
{
    int32_t id, other;

    (void)state;
    set_windows(0);
    id = peer_get(&p, "/big");
    peer_settle(&p);
    wait(29999);
    assert_false(peer_reply(&p, id)->closed);
    wait(1);
    assert_true(peer_reply(&p, id)->closed);
    assert_int_equal(peer_reply(&p, id)->code, NGHTTP2_CANCEL);
    other = peer_ask(&p, "HEAD", "/ok", NULL, 0, NULL);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, other)->status, 200);
}

static void
test_a_handler_may_take_its_time(void **state)
{
    int32_t id = peer_get(&p, "/later");

    (void)state;
    peer_settle(&p);
    wait(3600 * 1000);
    rig_answer(&p.rig);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 200);
}

/* ---- Other beginnings ---------------------------------------------------- */

static volo_cx *
request_of_http1(void)
{
    volo_cx *cx = volo__cx_new(&p.rig.w.home);

    assert_non_null(cx);
    cx->req.version = 11;
    cx->req.method = VOLO_GET;
    cx->req.method_name = VOLO_STR("GET");
    cx->req.target = cx->req.path = VOLO_STR("/ok");
    cx->body.complete = 1;
    return cx;
}

static void
test_a_request_of_http1_becomes_stream_1(void **state)
{
    volo_cx *cx = request_of_http1();
    struct reply *reply = peer_reply(&p, 1);

    (void)state;
    assert_int_equal(nghttp2_session_upgrade2(p.session, NULL, 0, 0, NULL), 0);
    assert_int_equal(volo__h2_adopt(p.rig.h2, cx, VOLO_STR("AAMAAABkAAQAAP__")),
                     0);
    p.rig.h2->host->serve(p.rig.h2, cx);
    peer_settle(&p);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "ok\n");
    assert_int_equal(peer_get(&p, "/ok"), 3);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, 3)->status, 200);
}

static void
test_settings_that_are_none_adopt_nothing(void **state)
{
    static const char *const bad[] = {"A", "AAMAAA", "A!MAAABk", "AAMAAABkAA"};
    volo_cx *cx = request_of_http1();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(volo__h2_adopt(p.rig.h2, cx, volo_str_of(bad[i])),
                         VOLO_EINVAL);
        assert_null(cx->codec);
        assert_int_equal(p.rig.h2->count, 0);
    }
    volo__cx_discard(cx);
}

static void
test_connect_may_name_a_protocol(void **state)
{
    const nghttp2_nv nv[] = {
        PEER_NV(":method", "CONNECT"), PEER_NV(":protocol", "websocket"),
        PEER_NV(":scheme", "http"), PEER_NV(":path", "/open?x"),
        PEER_NV(":authority", "a")};
    const struct upload body = {"", 0, 0, 1};
    nghttp2_data_provider from = {{0}, peer_read};
    int32_t id;
    volo_cx *cx;

    (void)state;
    peer_settle(&p);
    assert_int_equal(nghttp2_session_get_remote_settings(
                         p.session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL),
                     1);
    p.uploads[0] = body;
    id = nghttp2_submit_request(p.session, NULL, nv, 5, &from, NULL);
    peer_settle(&p);
    assert_int_equal(id, 1);
    assert_int_equal(peer_reply(&p, id)->status, 200);
    assert_string_equal(peer_reply(&p, id)->head, "content-type=text/plain;");
    assert_string_equal(peer_reply(&p, id)->body, "one");
    cx = volo__h2_stream_of((struct volo__h2 *)p.rig.h2, id)->cx;
    assert_true(volo_str_eq(volo_cx_protocol(cx), VOLO_STR("websocket")));
    assert_true(volo_str_eq(cx->req.path, VOLO_STR("/open")));
    rig_end_writer(&p.rig, 1);
    peer_settle(&p);
    assert_true(peer_reply(&p, id)->ended);
}

static void
test_a_tunnel_that_nobody_makes_is_refused(void **state)
{
    const nghttp2_nv nv[] = {PEER_NV(":method", "CONNECT"),
                             PEER_NV(":authority", "a:1")};
    int32_t id = nghttp2_submit_request(p.session, NULL, nv, 2, NULL, NULL);

    (void)state;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->status, 501);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_reset_cancels_its_exchange,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_one_that_is_reset_at_once_is_never_served, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_handlers_at_work_count_when_their_streams_are_gone, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_handler_may_outlive_the_connection, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_streams_beyond_the_limit_are_refused, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_the_end_of_the_connection_cancels_all, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_half_closed_connection_is_answered, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_stopping_says_so_twice_and_answers_what_there_is, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_stopping_does_not_wait_for_a_client_that_says_nothing,
            open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_so_many_requests_and_no_more,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_silent_client_is_not_waited_for,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_nothing_to_do_for_long_is_the_end,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_field_block_must_end, open_peer,
                                        close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_body_that_does_not_come_is_given_up, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_body_that_trickles_is_given_up,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_window_that_stays_shut_costs_its_stream, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(test_a_handler_may_take_its_time,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_request_of_http1_becomes_stream_1, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_settings_that_are_none_adopt_nothing, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_connect_may_name_a_protocol,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_tunnel_that_nobody_makes_is_refused, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_handler_may_see_the_connection_closed, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(test_what_is_not_read_is_not_missed,
                                        open_peer, close_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
