/* SPDX-License-Identifier: Apache-2.0 */
/* Which HTTP a connection speaks, by its first octets or by request, and that
 * a server counts and stops both alike. */
#include "server_support.h"

#include <netinet/tcp.h>
#include <stdio.h>

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* SETTINGS with nothing in it, and "GET /": HPACK's static table has all. */
static const char settings[] = "\0\0\0\4\0\0\0\0\0";
static const char request[] = "\0\0\x06\1\5\0\0\0\1\x82\x86\x84\x41\1a";

static _Atomic int served;
static volo_cx *_Atomic held;

static void
serve(volo_cx *cx, void *user)
{
    char text[32];

    (void)user;
    served++;
    if (volo_str_eq(volo_cx_path(cx), VOLO_STR("/held"))) {
        held = volo_cx_ref(cx);
        return;
    }
    snprintf(text, sizeof text, "<version %d>", volo_cx_version(cx));
    volo_cx_set_body(cx, volo_str_of(text));
    volo_cx_answer(cx);
}

static volo_server *
started(int option, uint64_t value)
{
    volo_server *server = server_of(serve, NULL, "127.0.0.1:0");

    served = 0;
    held = NULL;
    if (option)
        assert_int_equal(volo_server_set(server, option, value), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

static void
put(int fd, const char *ptr, size_t len)
{
    assert_int_equal(send(fd, ptr, len, MSG_NOSIGNAL), len);
}

static char got[65536];
static size_t got_len;

static int
came(const char *text)
{
    return memmem(got, got_len, text, strlen(text)) != NULL;
}

/* Until ${text} has come, whatever is around it; 0 if it does not. */
static int
comes(int fd, const char *text)
{
    ssize_t n;

    got_len = 0;
    while (!came(text)) {
        n = read(fd, got + got_len, sizeof got - got_len);
        if (n <= 0)
            return 0;
        got_len += (size_t)n;
    }
    return 1;
}

static void
ask_h2(int fd)
{
    put(fd, PREFACE, sizeof PREFACE - 1);
    put(fd, settings, sizeof settings - 1);
    put(fd, request, sizeof request - 1);
}

/* ---- By the first octets ------------------------------------------------- */

static void
test_the_preface_brings_http_2(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    ask_h2(fd);
    assert_true(comes(fd, "<version 20>"));
    close(fd);
    volo_server_free(server);
}

static void
test_the_preface_may_come_octet_by_octet(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server), yes = 1;
    size_t i;

    (void)state;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    for (i = 0; i < sizeof PREFACE - 1; i++) {
        put(fd, PREFACE + i, 1);
        usleep(500);
    }
    put(fd, settings, sizeof settings - 1);
    put(fd, request, sizeof request - 1);
    assert_true(comes(fd, "<version 20>"));
    close(fd);
    volo_server_free(server);
}

/* As far as each octet, it could have become the preface. */
static void
test_what_only_begins_like_the_preface_is_http_1(void **state)
{
    static const char *const texts[] = {
        "P", "PR", "PRI", "PRI ", "PRI *", "PRI * HTTP/", "PRI * HTTP/2.0"};
    volo_server *server = started(0, 0);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        int fd = dial(server);

        say(fd, texts[i]);
        usleep(2000);
        say(fd, "X / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_true(comes(fd, "HTTP/1.1 "));
        close(fd);
    }
    volo_server_free(server);
}

static void
test_a_client_that_stops_in_the_middle_of_the_preface_is_told(void **state)
{
    volo_server *server = started(VOLO_SERVER_HEAD_TIMEOUT, 50);
    int fd = dial(server);

    (void)state;
    say(fd, "PRI *");
    assert_true(comes(fd, "HTTP/1.1 408 "));
    assert_int_equal(end_of(fd), 0);
    close(fd);
    volo_server_free(server);
}

static void
test_where_http_2_is_off_its_preface_is_refused(void **state)
{
    volo_server *server = started(VOLO_SERVER_HTTP2, 0);
    int fd = dial(server);

    (void)state;
    ask_h2(fd);
    assert_true(comes(fd, "HTTP/1.1 505 "));
    assert_int_equal(served, 0);
    close(fd);
    volo_server_free(server);
}

static void
test_where_http_1_is_off_whatever_comes_is_http_2(void **state)
{
    volo_server *server = started(VOLO_SERVER_HTTP1, 0);
    int fd = dial(server);

    (void)state;
    ask_h2(fd);
    assert_true(comes(fd, "<version 20>"));
    close(fd);
    fd = dial(server);
    put(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
    assert_false(comes(fd, "HTTP/1.1"));
    assert_int_equal(served, 1);
    close(fd);
    volo_server_free(server);
}

static void
test_a_server_speaks_one_of_the_two_at_least(void **state)
{
    volo_server *server = server_of(serve, NULL, "127.0.0.1:0");

    (void)state;
    assert_int_equal(volo_server_set(server, VOLO_SERVER_HTTP1, 0), 0);
    assert_int_equal(volo_server_set(server, VOLO_SERVER_HTTP2, 0), 0);
    assert_int_equal(volo_server_start(server), VOLO_EINVAL);
    volo_server_free(server);
}

/* ---- By request ---------------------------------------------------------- */

#define UPGRADE(path, settings)                                          \
    "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, "          \
    "HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: " settings "\r\n" \
    "\r\n"

static void
test_an_upgrade_to_h2c_answers_the_request_in_http_2(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    say(fd, UPGRADE("/", "AAMAAABkAAQAAP__"));
    assert_true(comes(fd, "<version 11>"));
    assert_true(came("HTTP/1.1 101 Switching Protocols\r\n"
                     "connection: upgrade\r\nupgrade: h2c\r\n\r\n"));
    put(fd, PREFACE, sizeof PREFACE - 1);
    put(fd, settings, sizeof settings - 1);
    put(fd, "\0\0\x06\1\5\0\0\0\3\x82\x86\x84\x41\1a", 15);
    assert_true(comes(fd, "<version 20>"));
    assert_int_equal(served, 2);
    close(fd);
    volo_server_free(server);
}

static void
test_an_upgrade_with_bad_settings_stays_in_http_1(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    say(fd, UPGRADE("/", "*"));
    assert_true(comes(fd, "<version 11>"));
    say(fd, GET("/"));
    assert_true(comes(fd, "<version 11>"));
    close(fd);
    volo_server_free(server);
}

static void
test_a_second_request_does_not_upgrade(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);
    char *text;

    (void)state;
    say(fd, GET("/") UPGRADE("/", "AAMAAABkAAQAAP__"));
    text = hear(fd, "<version 11>", 2);
    assert_null(strstr(text, " 101 "));
    close(fd);
    volo_server_free(server);
}

static void
test_a_client_that_leaves_behind_an_upgrade_cancels_it(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    say(fd, UPGRADE("/held", "AAMAAABkAAQAAP__"));
    wait_for(&served, 1);
    while (!held)
        usleep(200);
    close(fd);
    while (!volo_cx_is_canceled(held))
        usleep(200);
    volo_cx_unref(held);
    volo_server_free(server);
}

/* ---- Counting and stopping ----------------------------------------------- */

static void
test_requests_of_http_2_are_counted(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    ask_h2(fd);
    assert_true(comes(fd, "<version 20>"));
    close(fd);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_REQUESTS), 1);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_ACTIVE), 0);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_CONNECTIONS), 0);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_MALFORMED), 0);
    volo_server_free(server);
}

static void
test_an_upgraded_request_is_counted_once(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    say(fd, UPGRADE("/", "AAMAAABkAAQAAP__"));
    put(fd, PREFACE, sizeof PREFACE - 1);
    put(fd, settings, sizeof settings - 1);
    assert_true(comes(fd, "<version 11>"));
    close(fd);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_REQUESTS), 1);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_ACTIVE), 0);
    volo_server_free(server);
}

static void
test_nonsense_behind_the_preface_is_malformed(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    put(fd, PREFACE "GET / HTTP/1.1\r\n\r\n", sizeof PREFACE + 17);
    end_of(fd);
    close(fd);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_MALFORMED), 1);
    volo_server_free(server);
}

/* A GOAWAY first, and then what was under way. */
static void
test_a_graceful_stop_answers_the_streams_there_are(void **state)
{
    static const char path[] = "\0\0\x0c\1\5\0\0\0\1\x82\x86\x04\5/held\x41\1a";
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    put(fd, PREFACE, sizeof PREFACE - 1);
    put(fd, settings, sizeof settings - 1);
    put(fd, path, sizeof path - 1);
    while (!held)
        usleep(200);
    volo_server_stop(server);
    volo_cx_set_body(held, VOLO_STR("<late>"));
    volo_cx_answer(held);
    volo_cx_unref(held);
    assert_true(comes(fd, "<late>"));
    assert_int_equal(end_of(fd), 0);
    close(fd);
    assert_int_equal(volo_server_wait(server), 0);
    volo_server_free(server);
}

/* It would be in doubt whether what it sends now is answered. */
static void
test_a_connection_that_has_not_asked_may_still_ask_when_a_stop_begins(
    void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);
    char *text;

    (void)state;
    while (volo_server_stat(server, VOLO_STAT_ACCEPTED) < 1)
        usleep(200);
    volo_server_stop(server);
    while (try_dial(volo_server_port(server, 0), 0) >= 0)
        usleep(200);
    say(fd, GET("/"));
    text = hear(fd, NULL, 0);
    assert_non_null(strstr(text, "connection: close\r\n"));
    assert_non_null(strstr(text, "<version 11>"));
    close(fd);
    assert_int_equal(volo_server_wait(server), 0);
    volo_server_free(server);
}

static void
test_a_connection_that_never_asks_does_not_hold_up_a_stop(void **state)
{
    volo_server *server = started(VOLO_SERVER_STOP_TIMEOUT, UINT64_MAX);
    int fd = dial(server);

    (void)state;
    while (volo_server_stat(server, VOLO_STAT_ACCEPTED) < 1)
        usleep(200);
    volo_server_stop(server);
    assert_int_equal(end_of(fd), 0);
    close(fd);
    assert_int_equal(volo_server_wait(server), 0);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_preface_brings_http_2),
        cmocka_unit_test(test_the_preface_may_come_octet_by_octet),
        cmocka_unit_test(test_what_only_begins_like_the_preface_is_http_1),
        cmocka_unit_test(
            test_a_client_that_stops_in_the_middle_of_the_preface_is_told),
        cmocka_unit_test(test_where_http_2_is_off_its_preface_is_refused),
        cmocka_unit_test(test_where_http_1_is_off_whatever_comes_is_http_2),
        cmocka_unit_test(test_a_server_speaks_one_of_the_two_at_least),
        cmocka_unit_test(test_an_upgrade_to_h2c_answers_the_request_in_http_2),
        cmocka_unit_test(test_an_upgrade_with_bad_settings_stays_in_http_1),
        cmocka_unit_test(test_a_second_request_does_not_upgrade),
        cmocka_unit_test(
            test_a_client_that_leaves_behind_an_upgrade_cancels_it),
        cmocka_unit_test(test_requests_of_http_2_are_counted),
        cmocka_unit_test(test_an_upgraded_request_is_counted_once),
        cmocka_unit_test(test_nonsense_behind_the_preface_is_malformed),
        cmocka_unit_test(test_a_graceful_stop_answers_the_streams_there_are),
        cmocka_unit_test(
            test_a_connection_that_has_not_asked_may_still_ask_when_a_stop_begins),
        cmocka_unit_test(
            test_a_connection_that_never_asks_does_not_hold_up_a_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
