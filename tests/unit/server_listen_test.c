/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets: what a server listens on, and how many it lets in. */
#include "server_support.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_body(cx, VOLO_STR("hello"));
    volo_cx_answer(cx);
}

static volo_server *
new_server(uint64_t workers)
{
    volo_server *server = server_of(hello, NULL, "127.0.0.1:0");

    assert_int_equal(volo_server_set(server, VOLO_SERVER_WORKERS, workers), 0);
    return server;
}

/* Asks, and is greeted. */
static void
greeted(int fd)
{
    say(fd, GET("/"));
    assert_non_null(strstr(hear(fd, "hello", 1), "hello"));
}

static void
test_several_listeners_at_once_unix_ones_too(void **state)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    volo_server *server = new_server(2);
    char path[] = "/tmp/volo-test-XXXXXX", text[64];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/s", path);
    snprintf(text, sizeof text, "unix:%s/s", path);
    assert_int_equal(volo_server_bind(server, text), 0);
    assert_int_equal(volo_server_bind(server, "127.0.0.1:0"), 0);
    assert_int_equal(volo_server_port(server, 1), 0);
    assert_int_equal(volo_server_port(server, 3), VOLO_ENOENT);
    assert_int_equal(volo_server_start(server), 0);
    fd = dial_port(volo_server_port(server, 2));
    greeted(fd);
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    greeted(fd);
    close(fd);
    volo_server_free(server);
    assert_int_equal(access(addr.sun_path, F_OK), -1);
    rmdir(path);
}

static void
test_a_successor_takes_the_listener_over(void **state)
{
    volo_server *old = new_server(2), *successor;
    int port = volo_server_port(old, 0), fd, i;
    volo_service *service;
    char text[32];

    (void)state;
    assert_int_equal(volo_server_start(old), 0);
    assert_int_equal(volo_server_listener_fd(old, 1), VOLO_ENOENT);
    volo_service_new(&service, hello, NULL, NULL);
    assert_int_equal(volo_server_new(&successor, service), 0);
    volo_service_unref(service);
    snprintf(text, sizeof text, "fd:%d", dup(volo_server_listener_fd(old, 0)));
    assert_int_equal(volo_server_bind(successor, text), 0);
    assert_int_equal(volo_server_port(successor, 0), port);
    volo_server_set(successor, VOLO_SERVER_WORKERS, 2);
    assert_int_equal(volo_server_start(successor), 0);
    stop_and_wait(old);
    volo_server_free(old);
    for (i = 0; i < 10; i++) {
        fd = dial_port(port);
        assert_true(fd >= 0);
        greeted(fd);
        close(fd);
    }
    volo_server_free(successor);
}

static void
test_what_cannot_be_bound_is_said(void **state)
{
    volo_server *server = new_server(1), *other;
    volo_service *service;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    volo_service_new(&service, hello, NULL, NULL);
    assert_int_equal(volo_server_new(&other, service), 0);
    volo_service_unref(service);
    assert_int_equal(volo_server_bind(other, "nonsense"), VOLO_EINVAL);
    assert_true(strlen(volo_server_error(other)) > 0);
    assert_int_equal(volo_server_run(other), VOLO_EINVAL);
    assert_int_equal(volo_server_wait(other), VOLO_EINVAL);
    volo_server_free(other);
    volo_server_free(server);
}

static void
test_beyond_the_limit_connections_wait_in_the_backlog(void **state)
{
    volo_server *server = new_server(2);
    int fds[3], port = volo_server_port(server, 0), i;
    struct pollfd third;

    (void)state;
    volo_server_set(server, VOLO_SERVER_MAX_CONNECTIONS, 2);
    assert_int_equal(volo_server_start(server), 0);
    for (i = 0; i < 2; i++) {
        fds[i] = dial_port(port);
        greeted(fds[i]);
    }
    fds[2] = dial_port(port);
    assert_int_equal(write(fds[2], GET("/"), strlen(GET("/"))),
                     strlen(GET("/")));
    third = (struct pollfd){.fd = fds[2], .events = POLLIN};
    assert_int_equal(poll(&third, 1, 50), 0);
    close(fds[0]);
    assert_non_null(strstr(hear(fds[2], "hello", 1), "hello"));
    close(fds[1]);
    close(fds[2]);
    volo_server_free(server);
}

static void
test_an_address_has_its_share_of_connections(void **state)
{
    volo_server *server = new_server(1);
    int fds[3], port = volo_server_port(server, 0), i;
    char nothing;

    (void)state;
    volo_server_set(server, VOLO_SERVER_MAX_PER_ADDRESS, 2);
    assert_int_equal(volo_server_start(server), 0);
    for (i = 0; i < 2; i++) {
        fds[i] = dial_port(port);
        greeted(fds[i]);
    }
    fds[2] = dial_port(port);
    assert_int_equal(read(fds[2], &nothing, 1) <= 0, 1);
    close(fds[2]);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_REFUSED), 1);
    close(fds[0]);
    while (volo_server_stat(server, VOLO_STAT_CONNECTIONS) > 1)
        usleep(500);
    fds[0] = dial_port(port);
    greeted(fds[0]);
    close(fds[0]);
    close(fds[1]);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_listeners_at_once_unix_ones_too),
        cmocka_unit_test(test_a_successor_takes_the_listener_over),
        cmocka_unit_test(test_what_cannot_be_bound_is_said),
        cmocka_unit_test(test_beyond_the_limit_connections_wait_in_the_backlog),
        cmocka_unit_test(test_an_address_has_its_share_of_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
