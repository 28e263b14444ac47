/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelined exchanges over a real socket, answered late and out of order. */
#include "server_support.h"

struct held {
    volo_cx *_Atomic cx[4];
    _Atomic int count;
    _Atomic int streamed;
    char big[5000];
};

/* "/held..." waits for the test; "/stream" writes all and lets go at once. */
static void
serve(volo_cx *cx, void *user)
{
    struct held *held = user;
    volo_writer *w;

    if (volo_cx_path(cx).len < 7 || volo_cx_path(cx).ptr[1] == 'h') {
        held->cx[held->count] = volo_cx_ref(cx);
        held->count++;
        return;
    }
    assert_int_equal(volo_cx_answer_stream(&w, cx, -1), 0);
    assert_int_equal(
        volo_writer_write(w, volo_str_make(held->big, sizeof held->big)), 0);
    assert_int_equal(
        volo_writer_write(w, volo_str_make(held->big, sizeof held->big)), 0);
    assert_int_equal(volo_writer_end(w), 0);
    volo_writer_free(w);
    held->streamed++;
}

static volo_server *
start(struct held *held)
{
    volo_server *server = server_of(serve, held, "127.0.0.1:0");

    memset(held->big, 'x', sizeof held->big);
    volo_server_set(server, VOLO_SERVER_HALF_CLOSE, 1);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

static void
answer(volo_cx *cx, const char *text)
{
    volo_cx_set_body(cx, volo_str_of(text));
    assert_int_equal(volo_cx_answer(cx), 0);
    volo_cx_unref(cx);
}

static void
test_late_answers_leave_in_the_order_of_their_requests(void **state)
{
    struct held held = {.count = 0};
    volo_server *server = start(&held);
    char *got, *one, *two, *three;
    int fd;

    (void)state;
    fd = dial(server);
    say(fd, GET("/held1") GET("/held2") GET("/held3"));
    wait_for(&held.count, 3);
    answer(held.cx[2], "<three>");
    answer(held.cx[1], "<two>");
    answer(held.cx[0], "<one>");
    got = hear(fd, "<three>", 1);
    one = strstr(got, "<one>");
    two = strstr(got, "<two>");
    three = strstr(got, "<three>");
    assert_true(one && two && three && one < two && two < three);
    close(fd);
    volo_server_free(server);
}

/* Its writer and its handler have let go long before it may begin. */
static void
test_a_stream_that_is_complete_waits_for_its_turn(void **state)
{
    struct held held = {.count = 0};
    volo_server *server = start(&held);
    char *got;
    int fd, i;

    (void)state;
    fd = dial(server);
    for (i = 0; i < 3; i++) {
        held.count = 0;
        held.streamed = 0;
        say(fd, GET("/held1") GET("/stream") GET("/stream"));
        wait_for(&held.count, 1);
        wait_for(&held.streamed, 2);
        answer(held.cx[0], "<one>");
        got = hear(fd, "\r\n0\r\n\r\n", 2);
        assert_non_null(strstr(got, "<one>"));
        assert_true(strlen(got) > 20000);
    }
    close(fd);
    stop_and_wait(server);
    volo_server_free(server);
}

/* All that was sent before the FIN, also what was held back until then. */
static void
test_who_shuts_down_writing_is_answered_to_the_last_request(void **state)
{
    static const char post[] = "POST /held HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 1\r\n\r\nx";
    struct held held = {.count = 0};
    volo_server *server = start(&held);
    char *got;
    int fd;

    (void)state;
    fd = dial(server);
    say(fd, GET("/held1"));
    wait_for(&held.count, 1);
    say(fd, post);
    say(fd, post);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    usleep(20000);
    answer(held.cx[0], "<one>");
    wait_for(&held.count, 2);
    answer(held.cx[1], "<two>");
    wait_for(&held.count, 3);
    answer(held.cx[2], "<three>");
    got = hear(fd, "<three>", 1);
    assert_non_null(strstr(got, "<one>"));
    assert_non_null(strstr(got, "<two>"));
    assert_non_null(strstr(got, "<three>"));
    close(fd);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_late_answers_leave_in_the_order_of_their_requests),
        cmocka_unit_test(test_a_stream_that_is_complete_waits_for_its_turn),
        cmocka_unit_test(
            test_who_shuts_down_writing_is_answered_to_the_last_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
