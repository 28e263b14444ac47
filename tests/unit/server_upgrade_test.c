/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that changes hands, over a real socket. */
#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What the application was given. */
struct taken {
    _Atomic int fd; /* + 1: 0 is nothing yet */
    char early[64];
    size_t early_len;
    _Atomic int refused;
    volo_cx *_Atomic held;
};

static void
take(volo_cx *cx, int fd, volo_str early, void *user)
{
    struct taken *taken = user;

    assert_str(volo_cx_path(cx), "/up");
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    memcpy(taken->early, early.ptr, early.len);
    taken->early_len = early.len;
    taken->fd = fd + 1;
}

static void
upgrade(volo_cx *cx, void *user)
{
    struct taken *taken = user;
    int err;

    if (volo_cx_path(cx).ptr[1] == 'h') {
        taken->held = volo_cx_ref(cx);
        return;
    }
    volo_cx_set_header(cx, "x-a", VOLO_STR("b"));
    err = volo_cx_answer_upgrade(cx, "echo", take, taken);
    if (!err)
        return;
    taken->refused = err;
    volo_reply_error(cx, err);
}

static volo_server *
serve(struct taken *taken)
{
    volo_service *service;
    volo_server *server;

    assert_int_equal(volo_service_new(&service, upgrade, taken, NULL), 0);
    assert_int_equal(volo_server_new(&server, service), 0);
    volo_service_unref(service);
    volo_server_set(server, VOLO_SERVER_WORKERS, 1);
    assert_int_equal(volo_server_bind(server, "127.0.0.1:0"), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

static int
dial(volo_server *server)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port =
                                   htons((uint16_t)volo_server_port(server, 0)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char *
hear(int fd, const char *end)
{
    static char got[4096];
    size_t len = 0;
    ssize_t n;

    got[0] = 0;
    while (!strstr(got, end)) {
        n = read(fd, got + len, sizeof got - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
        got[len] = 0;
    }
    return got;
}

#define ASK                                                  \
    "GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n" \
    "Upgrade: other, echo\r\n\r\n"

static void
test_the_application_gets_the_socket_and_what_came_early(void **state)
{
    struct taken taken = {.fd = 0};
    volo_server *server = serve(&taken);
    int fd = dial(server), theirs;
    const char *head;
    char octet;

    (void)state;
    say(fd, ASK "early");
    head = hear(fd, "\r\n\r\n");
    assert_non_null(strstr(head, "HTTP/1.1 101 Switching Protocols\r\n"));
    assert_non_null(strstr(head, "upgrade: echo\r\n"));
    assert_non_null(strstr(head, "x-a: b\r\n"));
    while (!taken.fd)
        usleep(500);
    assert_int_equal(taken.early_len, 5);
    assert_memory_equal(taken.early, "early", 5);

    /* It outlives the server that has given it away. */
    while (volo_server_stat(server, VOLO_STAT_CONNECTIONS) > 0)
        usleep(500);
    volo_server_free(server);
    theirs = taken.fd - 1;
    say(theirs, "?");
    assert_int_equal(read(fd, &octet, 1), 1);
    assert_int_equal(octet, '?');
    close(theirs);
    assert_int_equal(read(fd, &octet, 1), 0);
    close(fd);
}

static void
test_who_has_not_asked_is_not_upgraded(void **state)
{
    struct taken taken = {.fd = 0};
    volo_server *server = serve(&taken);
    int fd = dial(server);

    (void)state;
    say(fd, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(hear(fd, "\n\r\n"), " 500 "));
    assert_int_equal(taken.refused, VOLO_EINVAL);
    close(fd);

    fd = dial(server);
    say(fd, "POST /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
            "Upgrade: echo\r\nContent-Length: 1\r\n\r\nx");
    assert_non_null(strstr(hear(fd, "\n\r\n"), " 500 "));
    close(fd);

    fd = dial(server);
    say(fd, "GET /up HTTP/1.0\r\nConnection: upgrade\r\n"
            "Upgrade: echo\r\n\r\n");
    assert_non_null(strstr(hear(fd, "\n\r\n"), " 501 "));
    assert_int_equal(taken.refused, VOLO_ENOTIMPL);
    close(fd);
    volo_server_free(server);
    assert_int_equal(taken.fd, 0);
}

/* Its 101 stands behind an answer that the peer has not read yet, and the peer
 * goes on to send. */
static void
test_nothing_is_lost_while_the_101_waits(void **state)
{
    static char big[8 << 20], sink[1 << 16];
    struct taken taken = {.fd = 0};
    volo_server *server = serve(&taken);
    int fd = dial(server);
    size_t left = sizeof big, len;
    ssize_t n;

    (void)state;
    say(fd, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n" ASK);
    while (!taken.held)
        usleep(500);
    volo_cx_set_body_ref(taken.held, volo_str_make(big, sizeof big), NULL,
                         NULL);
    assert_int_equal(volo_cx_answer(taken.held), 0);
    volo_cx_unref(taken.held);
    say(fd, "one");
    usleep(20000);
    say(fd, "two");
    usleep(20000);
    assert_int_equal(taken.fd, 0);

    /* Head and body of the first, then the second's head. */
    len = 0;
    while (!strstr(sink, "\r\n\r\n")) {
        assert_int_equal(read(fd, sink + len, 1), 1);
        sink[++len] = 0;
    }
    for (; left; left -= (size_t)n) {
        n = read(fd, sink, left < sizeof sink ? left : sizeof sink);
        assert_true(n > 0);
    }
    assert_non_null(strstr(hear(fd, "\r\n\r\n"), " 101 "));
    while (!taken.fd)
        usleep(500);
    len = taken.early_len;
    while (len < 6) {
        n = read(taken.fd - 1, taken.early + len, sizeof taken.early - len);
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_memory_equal(taken.early, "onetwo", 6);
    close(taken.fd - 1);
    close(fd);
    volo_server_free(server);
}

static void
test_a_client_that_leaves_before_its_101_is_not_handed_over(void **state)
{
    static char big[8 << 20];
    struct taken taken = {.fd = 0};
    volo_server *server = serve(&taken);
    int fd = dial(server);

    (void)state;
    say(fd, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n" ASK);
    while (!taken.held)
        usleep(500);
    volo_cx_set_body_ref(taken.held, volo_str_make(big, sizeof big), NULL,
                         NULL);
    assert_int_equal(volo_cx_answer(taken.held), 0);
    volo_cx_unref(taken.held);
    close(fd);
    while (volo_server_stat(server, VOLO_STAT_CONNECTIONS) > 0)
        usleep(500);
    volo_server_free(server);
    assert_int_equal(taken.fd, 0);
}

static void
test_an_upgrade_while_the_server_stops(void **state)
{
    struct taken taken = {.fd = 0};
    volo_server *server = serve(&taken);
    int fd = dial(server);

    (void)state;
    say(fd, ASK);
    hear(fd, "\r\n\r\n");
    volo_server_stop(server);
    assert_int_equal(volo_server_wait(server), 0);
    volo_server_free(server);
    assert_true(taken.fd > 0);
    close(taken.fd - 1);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_the_application_gets_the_socket_and_what_came_early),
        cmocka_unit_test(test_who_has_not_asked_is_not_upgraded),
        cmocka_unit_test(test_nothing_is_lost_while_the_101_waits),
        cmocka_unit_test(
            test_a_client_that_leaves_before_its_101_is_not_handed_over),
        cmocka_unit_test(test_an_upgrade_while_the_server_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
