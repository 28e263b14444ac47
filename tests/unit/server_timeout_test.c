/* SPDX-License-Identifier: Apache-2.0 */
/* Each state that a peer can hold comes to an end.  Only what happens is
 * asserted, not when. */
#include "server_support.h"

struct app {
    volo_cx *_Atomic cx;
    _Atomic int calls;
    _Atomic int body_err;
    _Atomic int upgraded;
    _Atomic int finished;
};

static void
body_there(volo_cx *cx, int err, volo_str body, void *user)
{
    struct app *app = user;

    (void)body;
    app->body_err = err;
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_text(cx, "whole");
}

static void
finished(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct app *)user)->finished++;
}

static void
taken(volo_cx *cx, int fd, volo_str early, void *user)
{
    (void)cx;
    (void)early;
    ((struct app *)user)->upgraded++;
    close(fd);
}

static int
endless(volo_writer *w, void *user)
{
    static const char zeros[8192];
    int err = volo_writer_write(w, volo_str_make(zeros, sizeof zeros));

    (void)user;
    return err && err != VOLO_EAGAIN ? err : 1;
}

static void
serve(volo_cx *cx, void *user)
{
    struct app *app = user;
    char what = volo_cx_path(cx).ptr[1];

    app->calls++;
    switch (what) {
    case 'b': /* body */
        volo_cx_read_body(cx, body_there, app);
        break;
    case 'e': /* endless */
        volo_cx_on_finish(cx, finished, app, NULL);
        volo_cx_answer_source(cx, -1, endless, NULL, NULL);
        break;
    case 'h': /* held */
        app->cx = volo_cx_ref(cx);
        break;
    case 'u': /* upgrade */
        volo_cx_on_finish(cx, finished, app, NULL);
        volo_cx_answer_upgrade(cx, "echo", taken, app);
        break;
    default:
        volo_reply_text(cx, "hello");
    }
}

static volo_server *
start(struct app *app, int option, uint64_t value)
{
    volo_server *server = server_of(serve, app, "127.0.0.1:0");

    assert_int_equal(volo_server_set(server, option, value), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

static void
test_half_a_head_is_answered_with_408(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_HEAD_TIMEOUT, 20);
    int fd = dial(server);
    char *got;

    (void)state;
    say(fd, "GET / HTTP/1.1\r\nHo");
    got = hear(fd, NULL, 0);
    assert_ptr_equal(strstr(got, "HTTP/1.1 408 "), got);
    close(fd);
    assert_int_equal(app.calls, 0);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_TIMEOUTS) > 0, 1);
    volo_server_free(server);
}

/* Whether it has been sniffed at, too. */
static void
test_what_a_stop_ends_has_not_timed_out(void **state)
{
    struct app app = {.calls = 0};
    volo_server *servers[2];
    int fds[2], i;

    (void)state;
    for (i = 0; i < 2; i++) {
        servers[i] = start(&app, VOLO_SERVER_HTTP2, (uint64_t)i);
        fds[i] = dial(servers[i]);
        while (volo_server_stat(servers[i], VOLO_STAT_CONNECTIONS) < 1)
            usleep(500);
        volo_server_stop(servers[i]);
    }
    for (i = 0; i < 2; i++) {
        assert_string_equal(hear(fds[i], NULL, 0), "");
        close(fds[i]);
        assert_int_equal(volo_server_wait(servers[i]), 0);
        assert_int_equal(volo_server_stat(servers[i], VOLO_STAT_TIMEOUTS), 0);
        volo_server_free(servers[i]);
    }
}

static void
test_who_says_nothing_is_closed_without_a_word(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_HEAD_TIMEOUT, 20);
    int fd = dial(server);

    (void)state;
    assert_string_equal(hear(fd, NULL, 0), "");
    close(fd);
    volo_server_free(server);
}

static void
test_an_idle_connection_is_closed_in_good_order(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_IDLE_TIMEOUT, 20);
    int fd = dial(server);
    char *got;

    (void)state;
    say(fd, GET("/"));
    got = hear(fd, "hello", 1);
    assert_non_null(strstr(got, " 200 "));
    assert_int_equal(end_of(fd), 0);
    close(fd);
    volo_server_free(server);
}

static void
test_a_body_that_stops_coming_is_answered_with_408(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_BODY_TIMEOUT, 20);
    int fd = dial(server);
    char *got;

    (void)state;
    say(fd, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    got = hear(fd, NULL, 0);
    assert_ptr_equal(strstr(got, "HTTP/1.1 408 "), got);
    assert_int_equal(app.body_err, VOLO_ETIMEDOUT);
    close(fd);
    volo_server_free(server);
}

static void
test_who_reads_nothing_is_reset(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_WRITE_TIMEOUT, 30);
    int fd = dial_with(server, 4096);

    (void)state;
    say(fd, GET("/endless"));
    wait_for(&app.finished, 1);
    assert_int_equal(end_of(fd), ECONNRESET);
    close(fd);
    volo_server_free(server);
}

/* HTTP/1.0 has no other way to tell that this was not all. */
static void
test_a_stop_in_the_middle_of_an_answer_resets(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_STOP_TIMEOUT, 0);
    int fd = dial(server);
    char some[1000];

    (void)state;
    say(fd, "GET /endless HTTP/1.0\r\n\r\n");
    assert_true(read(fd, some, sizeof some) > 0);
    stop_and_wait(server);
    assert_int_equal(end_of(fd), ECONNRESET);
    close(fd);
    assert_int_equal(app.finished, 1);
    volo_server_free(server);
}

/* We have said all; a peer that does not close holds nothing for long. */
static void
test_who_does_not_close_is_not_waited_for(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_LINGER_TIMEOUT, 20);
    int fd = dial(server);

    (void)state;
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(hear(fd, NULL, 0), "hello"));
    while (volo_server_stat(server, VOLO_STAT_CONNECTIONS) > 0)
        usleep(500);
    close(fd);
    volo_server_free(server);
}

/* The 101 stands behind an answer that the peer does not read. */
static void
test_an_upgrade_that_cannot_leave_has_a_timer_too(void **state)
{
    static char big[8 << 20];
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_WRITE_TIMEOUT, 100);
    int fd = dial_with(server, 4096);

    (void)state;
    say(fd, GET("/held") "GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade"
                         "\r\nUpgrade: echo\r\n\r\nearly");
    while (!app.cx)
        usleep(200);
    volo_cx_set_body_ref(app.cx, volo_str_make(big, sizeof big), NULL, NULL);
    volo_cx_answer(app.cx);
    volo_cx_unref(app.cx);
    say(fd, "more");
    wait_for(&app.finished, 1);
    assert_int_equal(end_of(fd), ECONNRESET);
    close(fd);
    assert_int_equal(app.upgraded, 0);
    volo_server_free(server);
}

static void
test_a_connection_has_its_number_of_requests(void **state)
{
    struct app app = {.calls = 0};
    volo_server *server = start(&app, VOLO_SERVER_REQUESTS_PER_CONNECTION, 2);
    int fd = dial(server);
    char *got;

    (void)state;
    say(fd, GET("/") GET("/") GET("/"));
    got = hear(fd, NULL, 0);
    assert_non_null(strstr(got, "hello"));
    assert_non_null(strcasestr(got, "connection: close\r\n"));
    assert_int_equal(app.calls, 2);
    close(fd);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_a_head_is_answered_with_408),
        cmocka_unit_test(test_what_a_stop_ends_has_not_timed_out),
        cmocka_unit_test(test_who_says_nothing_is_closed_without_a_word),
        cmocka_unit_test(test_an_idle_connection_is_closed_in_good_order),
        cmocka_unit_test(test_a_body_that_stops_coming_is_answered_with_408),
        cmocka_unit_test(test_who_reads_nothing_is_reset),
        cmocka_unit_test(test_a_stop_in_the_middle_of_an_answer_resets),
        cmocka_unit_test(test_who_does_not_close_is_not_waited_for),
        cmocka_unit_test(test_an_upgrade_that_cannot_leave_has_a_timer_too),
        cmocka_unit_test(test_a_connection_has_its_number_of_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
