/* SPDX-License-Identifier: Apache-2.0 */
/* Setting up: sockets that systemd hands over, and hooks that are called and
 * freed exactly once however the server ends. */
#include "server_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <uv.h>

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "hello");
}

static volo_server *
bare(void)
{
    volo_service *service;
    volo_server *server;

    assert_int_equal(volo_service_new(&service, hello, NULL, NULL), 0);
    assert_int_equal(volo_server_new(&server, service), 0);
    volo_service_unref(service);
    return server;
}

/* ---- systemd ---------------------------------------------------------------
 */

static int
listening(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 8) ||
        getsockname(fd, (struct sockaddr *)&addr, &len))
        return -1;
    *port = ntohs(addr.sin_port);
    return fd;
}

/* In a child of its own, since descriptors from 3 on are meant.  Its exit
 * status says where it failed; asserts would unwind into the parent's run. */
static int
child(const char *pid, const char *fds, int sockets, int want)
{
    int from[2], ports[2] = {0, 0}, i, rc;
    volo_server *server;
    char own[32];

    for (i = 0; i < sockets; i++) {
        int fd = listening(&ports[i]);

        from[i] = fcntl(fd, F_DUPFD, 20);
        if (fd < 0 || from[i] < 0)
            return 2;
    }
    for (i = 3; i < 8; i++)
        close(i);
    for (i = 0; i < sockets; i++)
        if (dup2(from[i], 3 + i) < 0)
            return 3;
    snprintf(own, sizeof own, "%d", (int)getpid());
    setenv("LISTEN_PID", pid ? pid : own, 1);
    setenv("LISTEN_FDS", fds, 1);
    server = bare();
    rc = volo_server_bind_systemd(server);
    if (rc != want)
        return 4;
    for (i = 0; i < sockets && want > 0; i++)
        if (volo_server_port(server, (size_t)i) != ports[i] ||
            volo_server_listener_fd(server, (size_t)i) != 3 + i)
            return 5;
    if (want <= 0 && volo_server_port(server, 0) != VOLO_ENOENT)
        return 6;
    volo_server_free(server);
    return 0;
}

static void
bind_as(const char *pid, const char *fds, int sockets, int want)
{
    pid_t id = fork();
    int status;

    if (id == 0)
        _exit(child(pid, fds, sockets, want));
    assert_int_equal(waitpid(id, &status, 0), id);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_sockets_of_systemd_are_served_in_their_order(void **state)
{
    (void)state;
    bind_as(NULL, "1", 1, 1);
    bind_as(NULL, "2", 2, 2);
    bind_as(NULL, "0", 0, 0);
}

static void
test_sockets_meant_for_another_process_are_left_alone(void **state)
{
    (void)state;
    bind_as("1", "1", 1, 0);
    bind_as("x", "1", 1, 0);
    bind_as("", "1", 1, 0);
    bind_as(NULL, "", 1, 0);
    bind_as(NULL, "-1", 1, 0);
    bind_as(NULL, "100000", 1, VOLO_EINVAL);
}

/* ---- Hooks -----------------------------------------------------------------
 */

static void
bump(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_SEQ_CST);
}

static void
test_what_threads_are_told_with_is_freed_once(void **state)
{
    volo_server *server = bare();
    int first = 0, second = 0;

    (void)state;
    assert_int_equal(volo_server_on_thread(server, NULL, NULL, &first, bump),
                     0);
    assert_int_equal(volo_server_on_thread(server, bump, NULL, &second, bump),
                     VOLO_EEXIST);
    assert_int_equal(second, 1);
    volo_server_free(server);
    assert_int_equal(first, 1);
    assert_int_equal(second, 1);
}

static void
test_a_free_is_a_stop_to_its_hooks_in_every_mode(void **state)
{
    int stops = 0, freed = 0, mode;
    volo_server *server;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    for (mode = 0; mode < 3; mode++) {
        server = server_of(hello, NULL, "127.0.0.1:0");
        assert_int_equal(volo_server_on_stop(server, bump, &stops, NULL), 0);
        assert_int_equal(volo_server_on_stop(server, bump, &stops, NULL), 0);
        if (mode == 0)
            assert_int_equal(volo_server_start(server), 0);
        else if (mode == 1)
            assert_int_equal(volo_server_open(server), 0);
        else
            assert_int_equal(volo_server_attach(server, &loop), 0);
        volo_server_free(server);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(stops, 2 * (mode + 1));
    }
    assert_int_equal(uv_loop_close(&loop), 0);

    /* One that has never run has nothing to stop. */
    server = bare();
    assert_int_equal(volo_server_on_stop(server, bump, &stops, NULL), 0);
    assert_int_equal(volo_server_on_stop(server, NULL, &freed, bump),
                     VOLO_EINVAL);
    volo_server_free(server);
    assert_int_equal(stops, 6);
    assert_int_equal(freed, 1);
}

static void
test_a_stop_and_then_a_free_call_the_hooks_once(void **state)
{
    volo_server *server = server_of(hello, NULL, "127.0.0.1:0");
    int stops = 0;

    (void)state;
    assert_int_equal(volo_server_on_stop(server, bump, &stops, NULL), 0);
    assert_int_equal(volo_server_open(server), 0);
    volo_server_stop(server);
    volo_server_free(server);
    assert_int_equal(stops, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sockets_of_systemd_are_served_in_their_order),
        cmocka_unit_test(test_sockets_meant_for_another_process_are_left_alone),
        cmocka_unit_test(test_what_threads_are_told_with_is_freed_once),
        cmocka_unit_test(test_a_free_is_a_stop_to_its_hooks_in_every_mode),
        cmocka_unit_test(test_a_stop_and_then_a_free_call_the_hooks_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
