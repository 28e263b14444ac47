/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests and responses come to in HTTP/2, talked to by nghttp2's client.
 */
#include "h2_support.h"

static void
expect(int32_t id, int status, const char *body)
{
    struct reply *reply = peer_reply(&p, id);

    assert_int_equal(reply->status, status);
    assert_string_equal(reply->body ? reply->body : "", body);
    assert_true(reply->ended);
    assert_true(reply->closed);
    assert_int_equal(reply->code, NGHTTP2_NO_ERROR);
}

static void
test_a_get_is_answered(void **state)
{
    int32_t id = peer_get(&p, "/ok");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "ok\n");
    assert_string_equal(peer_reply(&p, id)->head,
                        "content-type=text/plain;content-length=3;");
}

static void
test_a_post_is_answered_with_what_it_brought(void **state)
{
    int32_t id = peer_post(&p, "/echo", "some body");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "some body");
}

static void
test_many_at_once_are_answered(void **state)
{
    int32_t ids[100];
    size_t i;

    (void)state;
    for (i = 0; i < 100; i++)
        ids[i] = i % 3 ? peer_get(&p, "/ok") : peer_post(&p, "/echo", "x");
    peer_settle(&p);
    for (i = 0; i < 100; i++)
        expect(ids[i], 200, i % 3 ? "ok\n" : "x");
}

static void
test_a_head_has_no_content_but_its_length(void **state)
{
    int32_t id = peer_ask(&p, "HEAD", "/ok", NULL, 0, NULL);

    (void)state;
    peer_settle(&p);
    expect(id, 200, "");
    assert_string_equal(peer_reply(&p, id)->head,
                        "content-type=text/plain;content-length=3;");
}

static void
test_no_content_has_no_length(void **state)
{
    int32_t none = peer_get(&p, "/status/204");
    int32_t same = peer_get(&p, "/status/304");

    (void)state;
    peer_settle(&p);
    expect(none, 204, "");
    assert_string_equal(peer_reply(&p, none)->head, "content-type=text/plain;");
    expect(same, 304, "");
}

static void
test_a_large_body_is_sent_as_it_lies(void **state)
{
    int32_t id = peer_get(&p, "/big");
    struct iovec iov[16];
    size_t longest = 0;
    int n;

    (void)state;
    p.rig.w.stuck = 1;
    p.deaf = 1;
    peer_settle(&p);
    n = volo__outq_iov(&p.rig.w.out, iov, 16);
    while (n-- > 0)
        if (iov[n].iov_len > longest)
            longest = iov[n].iov_len;
    p.rig.w.stuck = 0;
    p.deaf = 0;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->len, 200000);
    assert_true(peer_reply(&p, id)->ended);
    assert_true(longest == 0 || longest >= 16384);
}

static void
test_a_large_head_is_sent(void **state)
{
    int32_t id = peer_get(&p, "/large");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "behind it\n");
}

static void
test_a_streamed_answer_ends_with_its_trailers(void **state)
{
    int32_t id = peer_get(&p, "/pieces");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "onetwotwo");
    assert_string_equal(peer_reply(&p, id)->head, "content-type=text/plain;");
    assert_string_equal(peer_reply(&p, id)->trailers, "x-sum=2;");
}

static void
test_a_streamed_answer_of_known_length_says_it(void **state)
{
    int32_t id = peer_get(&p, "/known");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "onetwo");
    assert_string_equal(peer_reply(&p, id)->head,
                        "content-type=text/plain;content-length=6;");
}

static void
test_one_that_falls_short_is_cut_off(void **state)
{
    int32_t id = peer_get(&p, "/short"), other = peer_get(&p, "/ok");

    (void)state;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->code, NGHTTP2_INTERNAL_ERROR);
    assert_false(peer_reply(&p, id)->ended);
    expect(other, 200, "ok\n");
}

static void
test_a_writer_sends_when_it_writes(void **state)
{
    int32_t id = peer_get(&p, "/open");

    (void)state;
    peer_settle(&p);
    assert_string_equal(peer_reply(&p, id)->body, "one");
    assert_false(peer_reply(&p, id)->ended);
    volo_writer_write(p.rig.w.writer, VOLO_STR("+two"));
    peer_settle(&p);
    assert_string_equal(peer_reply(&p, id)->body, "one+two");
    rig_end_writer(&p.rig, 1);
    peer_settle(&p);
    expect(id, 200, "one+twoend");
}

static void
test_a_writer_that_is_dropped_resets_its_stream(void **state)
{
    int32_t id = peer_get(&p, "/open");

    (void)state;
    peer_settle(&p);
    rig_end_writer(&p.rig, 0);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->code, NGHTTP2_INTERNAL_ERROR);
}

static void
test_what_a_request_says_is_read(void **state)
{
    const nghttp2_nv fields[] = {
        PEER_NV("cookie", "a=1"), PEER_NV("x-one", "1"),
        PEER_NV("cookie", "b=2"), PEER_NV("te", "trailers"),
        PEER_NV("cookie", "c=3")};
    int32_t id = peer_ask(&p, "GET", "/show?q=1", fields, 5, NULL);

    (void)state;
    peer_settle(&p);
    expect(id, 200,
           "GET /show?q=1 20 [a] [/show] [q=1]\n"
           "host=a;\ncookie=a=1; b=2; c=3;\nx-one=1;\nte=trailers;\n");
}

static void
test_trailers_of_a_request_are_read(void **state)
{
    const struct upload body = {"text", 4, 1, 0};
    int32_t id = peer_ask(&p, "POST", "/show", NULL, 0, &body);

    (void)state;
    peer_settle(&p);
    expect(id, 200, "POST /show 20 [a] [/show] []\nhost=a;\n+x-sum=abc;\ntext");
}

static void
test_an_unknown_method_reaches_the_service(void **state)
{
    int32_t id = peer_ask(&p, "BREW", "/pot", NULL, 0, NULL);

    (void)state;
    peer_settle(&p);
    expect(id, 200, "BREW /pot 20 [a] [/pot] []\nhost=a;\n");
}

static void
test_a_client_that_waits_is_told_to_go_on(void **state)
{
    const nghttp2_nv fields[] = {PEER_NV("expect", "100-continue")};
    const struct upload body = {"", 0, 0, 1};
    int32_t id = peer_ask(&p, "POST", "/echo", fields, 1, &body);

    (void)state;
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->interim, 100);
    p.uploads[0] = (struct upload){"now", 3, 0, 0};
    nghttp2_session_resume_data(p.session, id);
    peer_settle(&p);
    expect(id, 200, "now");
}

static void
test_other_expectations_fail(void **state)
{
    const nghttp2_nv fields[] = {PEER_NV("expect", "miracles")};
    int32_t id = peer_ask(&p, "GET", "/ok", fields, 1, NULL);

    (void)state;
    peer_settle(&p);
    expect(id, 417, "Expectation Failed\n");
    assert_int_equal(p.rig.w.served, 0);
}

static void
test_early_hints_come_before_the_answer(void **state)
{
    const volo_pair hint = {.name = VOLO_STR("link"),
                            .value = VOLO_STR("</a.css>; rel=preload")};
    int32_t id = peer_get(&p, "/later");

    (void)state;
    peer_settle(&p);
    assert_int_equal(volo_cx_early_hints(p.rig.w.later[0], &hint, 1), 0);
    peer_settle(&p);
    assert_int_equal(peer_reply(&p, id)->interim, 103);
    assert_string_equal(peer_reply(&p, id)->head,
                        "link=</a.css>; rel=preload;");
    rig_answer(&p.rig);
    peer_settle(&p);
    expect(id, 200, "/later");
}

static void
test_a_connection_cannot_be_given_away(void **state)
{
    int32_t id = peer_get(&p, "/upgrade");

    (void)state;
    peer_settle(&p);
    expect(id, 426, "no\n");
}

static void
test_the_answer_may_come_before_the_body(void **state)
{
    const struct upload body = {"", 0, 0, 1};
    int32_t id = peer_ask(&p, "POST", "/ok", NULL, 0, &body);

    (void)state;
    peer_settle(&p);
    assert_true(peer_reply(&p, id)->ended);
    assert_false(peer_reply(&p, id)->closed);
    rig_wait(&p.rig, 1000);
    peer_settle(&p);
    expect(id, 200, "ok\n"); /* and NO_ERROR says that no more is needed */
}

static void
test_what_comes_behind_the_answer_soon_is_let_come(void **state)
{
    const struct upload body = {"", 0, 0, 1};
    int32_t id = peer_ask(&p, "POST", "/ok", NULL, 0, &body);

    (void)state;
    peer_settle(&p);
    p.uploads[0] = (struct upload){"late", 4, 0, 0};
    nghttp2_session_resume_data(p.session, id);
    peer_settle(&p);
    expect(id, 200, "ok\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_get_is_answered, open_peer,
                                        close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_post_is_answered_with_what_it_brought, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(test_many_at_once_are_answered,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_head_has_no_content_but_its_length, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_no_content_has_no_length,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_large_body_is_sent_as_it_lies,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_large_head_is_sent, open_peer,
                                        close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_streamed_answer_ends_with_its_trailers, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_streamed_answer_of_known_length_says_it, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(test_one_that_falls_short_is_cut_off,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_writer_sends_when_it_writes,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_writer_that_is_dropped_resets_its_stream, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(test_what_a_request_says_is_read,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_trailers_of_a_request_are_read,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_an_unknown_method_reaches_the_service, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_client_that_waits_is_told_to_go_on, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_other_expectations_fail, open_peer,
                                        close_peer),
        cmocka_unit_test_setup_teardown(test_early_hints_come_before_the_answer,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(test_a_connection_cannot_be_given_away,
                                        open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_the_answer_may_come_before_the_body, open_peer, close_peer),
        cmocka_unit_test_setup_teardown(
            test_what_comes_behind_the_answer_soon_is_let_come, open_peer,
            close_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
