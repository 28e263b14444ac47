/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets: each way to run a server, and to stop it. */
#include "server_support.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

VOLO_KEY(greeting, char);

static void
hello(volo_cx *cx, void *user)
{
    char *text = greeting_get(cx);

    (void)user;
    volo_cx_set_body(cx, text ? volo_str_of(text) : VOLO_STR("hello"));
    volo_cx_answer(cx);
}

static volo_server *
new_server(volo_service_fn fn, void *user, uint64_t workers)
{
    volo_server *server = server_of(fn, user, "127.0.0.1:0");

    assert_int_equal(volo_server_set(server, VOLO_SERVER_WORKERS, workers), 0);
    return server;
}

/* Send ${text}, read until ${end} is in it or the peer closes. */
static char *
talk(int fd, const char *text, const char *end)
{
    say(fd, text);
    return hear(fd, end, 1);
}

static void
test_started_on_threads_of_its_own(void **state)
{
    volo_server *server = new_server(hello, NULL, 3);
    int i, fd, port = volo_server_port(server, 0);

    (void)state;
    assert_true(port > 0);
    assert_int_equal(volo_server_start(server), 0);
    assert_int_equal(volo_server_start(server), VOLO_EBUSY);
    assert_int_equal(volo_server_set(server, VOLO_SERVER_WORKERS, 1),
                     VOLO_EBUSY);
    for (i = 0; i < 20; i++) {
        fd = dial_port(port);
        assert_non_null(strstr(talk(fd, GET("/"), "hello"), "200 OK\r\n"));
        assert_non_null(strstr(talk(fd, GET("/"), "hello"), "200 OK\r\n"));
        close(fd);
    }
    assert_int_equal(volo_server_stat(server, VOLO_STAT_ACCEPTED), 20);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_REQUESTS), 40);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_CONNECTIONS), 0);
    volo_server_stop(server); /* late, harmless */
    volo_server_free(server);
}

static void *
run_main(void *server)
{
    assert_int_equal(volo_server_run(server), 0);
    return NULL;
}

static void
test_run_blocks_until_stopped(void **state)
{
    volo_server *server = new_server(hello, NULL, 2);
    pthread_t thread;
    int fd;

    (void)state;
    pthread_create(&thread, NULL, run_main, server);
    while ((fd = try_dial(volo_server_port(server, 0), 0)) < 0)
        usleep(1000);
    assert_non_null(strstr(talk(fd, GET("/"), "hello"), "hello"));
    close(fd);
    volo_server_stop(server);
    pthread_join(thread, NULL);
    volo_server_free(server);
}

static void
test_stepped_by_the_caller(void **state)
{
    volo_server *server = new_server(hello, NULL, 1);
    struct pollfd ready = {.events = POLLIN};
    char got[512] = "";
    ssize_t n = -1;
    int fd;

    (void)state;
    assert_int_equal(volo_server_step(server, 0), VOLO_EINVAL);
    assert_int_equal(volo_server_open(server), 0);
    fd = dial(server);
    say(fd, GET("/"));
    ready.fd = volo_server_fd(server);
    while (n < 0) {
        poll(&ready, 1, 10);
        assert_int_equal(volo_server_step(server, 0), 1);
        n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
    }
    assert_non_null(strstr(got, "hello"));
    close(fd);
    volo_server_stop(server);
    while (volo_server_step(server, 100) > 0)
        ;
    assert_int_equal(volo_server_step(server, 0), 0);
    volo_server_free(server);
}

static void
on_host_timer(uv_timer_t *timer)
{
    volo_server *server = timer->data;

    volo_server_stop(server);
    uv_close((uv_handle_t *)timer, NULL);
}

static void *
client_main(void *arg)
{
    int fd = dial_port(*(int *)arg);

    assert_non_null(strstr(talk(fd, GET("/"), "hello"), "hello"));
    close(fd);
    return NULL;
}

static void
test_attached_to_the_hosts_loop(void **state)
{
    volo_server *server = new_server(hello, NULL, 1);
    int port = volo_server_port(server, 0);
    pthread_t client;
    uv_timer_t timer;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(volo_server_attach(server, &loop), 0);
    uv_timer_init(&loop, &timer);
    timer.data = server;
    uv_timer_start(&timer, on_host_timer, 100, 0);
    pthread_create(&client, NULL, client_main, &port);
    uv_run(&loop, UV_RUN_DEFAULT);
    pthread_join(client, NULL);
    volo_server_free(server);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void
test_freed_while_the_hosts_loop_still_has_it(void **state)
{
    volo_server *server = new_server(hello, NULL, 1);
    uv_loop_t loop;
    int fd;

    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(volo_server_attach(server, &loop), 0);
    fd = dial(server);
    uv_run(&loop, UV_RUN_NOWAIT);
    volo_server_free(server);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(fd);
}

/* ---- Stopping --------------------------------------------------------------
 */

struct slow {
    volo_cx *_Atomic cx;
};

static void
keep(volo_cx *cx, void *user)
{
    struct slow *slow = user;

    slow->cx = volo_cx_ref(cx);
}

static void
test_a_stop_lets_the_exchange_in_progress_finish(void **state)
{
    struct slow slow = {.cx = NULL};
    volo_server *server = new_server(keep, &slow, 1);
    int busy, idle, port = volo_server_port(server, 0);
    char *got;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    idle = dial_port(port);
    busy = dial_port(port);
    say(busy, GET("/"));
    while (!slow.cx)
        usleep(500);
    volo_server_stop(server);
    assert_string_equal(talk(idle, "", NULL), ""); /* closed at once */
    volo_cx_set_body(slow.cx, VOLO_STR("done"));
    assert_int_equal(volo_cx_answer(slow.cx), 0);
    volo_cx_unref(slow.cx);
    got = talk(busy, "", NULL);
    assert_non_null(strcasestr(got, "connection: close\r\n"));
    assert_non_null(strstr(got, "done"));
    close(busy);
    close(idle);
    assert_int_equal(volo_server_wait(server), 0);
    volo_server_free(server);
}

static void
test_the_deadline_of_a_stop_cuts_what_is_left(void **state)
{
    struct slow slow = {.cx = NULL};
    volo_server *server = new_server(keep, &slow, 1);
    int fd;

    (void)state;
    volo_server_set(server, VOLO_SERVER_STOP_TIMEOUT, 20);
    assert_int_equal(volo_server_start(server), 0);
    fd = dial(server);
    say(fd, GET("/"));
    while (!slow.cx)
        usleep(500);
    volo_server_stop(server);
    assert_string_equal(talk(fd, "", NULL), "");
    assert_int_equal(volo_server_wait(server), 0);
    assert_int_equal(volo_cx_is_canceled(slow.cx), 1);
    assert_int_equal(volo_cx_answer(slow.cx), VOLO_ECANCELED);
    volo_server_free(server);
    assert_str(volo_cx_path(slow.cx), "/"); /* it outlives its server */
    volo_cx_unref(slow.cx);
    close(fd);
}

static void
bump(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_SEQ_CST);
}

static void
test_hooks_of_threads_and_of_the_stop(void **state)
{
    volo_server *server = new_server(hello, NULL, 4);
    int threads = 0, stops = 0, freed = 0;

    (void)state;
    assert_int_equal(volo_server_on_thread(server, bump, bump, &threads, NULL),
                     0);
    assert_int_equal(volo_server_on_thread(server, bump, NULL, &freed, bump),
                     VOLO_EEXIST);
    assert_int_equal(volo_server_on_stop(server, bump, &stops, NULL), 0);
    assert_int_equal(volo_server_on_stop(server, bump, &stops, NULL), 0);
    assert_int_equal(volo_server_start(server), 0);
    assert_int_equal(volo_server_on_stop(server, bump, &freed, bump),
                     VOLO_EBUSY);
    volo_server_stop(server);
    volo_server_wait(server);
    assert_int_equal(threads, 8);
    assert_int_equal(stops, 2);
    assert_int_equal(freed, 2);
    volo_server_free(server);
}

static void
test_signals_stop_it_where_that_was_asked_for(void **state)
{
    volo_server *server = new_server(hello, NULL, 1);

    (void)state;
    volo_server_set(server, VOLO_SERVER_SIGNALS, 1);
    assert_int_equal(volo_server_start(server), 0);
    raise(SIGTERM);
    assert_int_equal(volo_server_wait(server), 0);
    volo_server_free(server);
}

static void
break_off(volo_cx *cx, void *user)
{
    volo_writer *w;

    (void)user;
    assert_int_equal(volo_cx_answer_stream(&w, cx, -1), 0);
    volo_writer_write(w, VOLO_STR("half"));
    volo_writer_free(w);
}

static void
test_an_answer_that_is_cut_off_does_not_look_complete(void **state)
{
    volo_server *server = new_server(break_off, NULL, 1);
    char got[512];
    ssize_t n;
    int fd;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);

    /* Here the end of the connection is that of the body: only a reset can
     * say that it was not meant to be. */
    fd = dial(server);
    assert_int_equal(write(fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    do
        n = read(fd, got, sizeof got);
    while (n > 0);
    assert_int_equal(n, -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    volo_server_free(server);
}

/* ---- Binding and limits -----------------------------------------------------
 */

static void
test_state_of_the_server_is_found_in_every_exchange(void **state)
{
    volo_server *server = new_server(hello, NULL, 1);
    char text[] = "from state";
    int fd;

    (void)state;
    assert_int_equal(volo_server_set_state(server, greeting_key(), text, NULL),
                     0);
    assert_int_equal(volo_server_start(server), 0);
    fd = dial(server);
    assert_non_null(strstr(talk(fd, GET("/"), "state"), "from state"));
    close(fd);
    volo_server_free(server);
}

static void
test_numbers_out_of_range_are_refused(void **state)
{
    volo_server *server = new_server(hello, NULL, 1);
    uint64_t value = 0;

    (void)state;
    assert_int_equal(volo_server_set(server, 0, 1), VOLO_EINVAL);
    assert_int_equal(volo_server_set(server, 1000, 1), VOLO_EINVAL);
    assert_int_equal(volo_server_set(server, VOLO_SERVER_HALF_CLOSE, 2),
                     VOLO_EINVAL);
    assert_int_equal(volo_server_get(&value, server, VOLO_SERVER_BODY_LIMIT),
                     0);
    assert_int_equal(value, 2 << 20);
    assert_int_equal(volo_server_set_name(server, "a\r\nb"), VOLO_EINVAL);
    assert_int_equal(volo_server_set_name(server, "volo"), 0);
    volo_server_free(server);
    volo_server_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_started_on_threads_of_its_own),
        cmocka_unit_test(test_run_blocks_until_stopped),
        cmocka_unit_test(test_stepped_by_the_caller),
        cmocka_unit_test(test_attached_to_the_hosts_loop),
        cmocka_unit_test(test_freed_while_the_hosts_loop_still_has_it),
        cmocka_unit_test(test_a_stop_lets_the_exchange_in_progress_finish),
        cmocka_unit_test(test_the_deadline_of_a_stop_cuts_what_is_left),
        cmocka_unit_test(test_hooks_of_threads_and_of_the_stop),
        cmocka_unit_test(test_signals_stop_it_where_that_was_asked_for),
        cmocka_unit_test(test_an_answer_that_is_cut_off_does_not_look_complete),
        cmocka_unit_test(test_state_of_the_server_is_found_in_every_exchange),
        cmocka_unit_test(test_numbers_out_of_range_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
