/* SPDX-License-Identifier: Apache-2.0 */
/* A signal to read certificates again, while that takes its time: somebody
 * else holds the lock of the settings, as a slow disk would. */
#include "server_support.h"

#include "net/tls_state.h"
#include "tls_support.h"

static void
serve(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "hello");
}

/* One loop; its listener 0 is in the clear. */
static volo_server *
start(volo_tls *tls)
{
    volo_server *server = server_of(serve, NULL, "127.0.0.1:0");

    assert_int_equal(volo_server_set(server, VOLO_SERVER_WORKERS, 1), 0);
    assert_int_equal(volo_server_set(server, VOLO_SERVER_RELOAD_SIGNAL, 1), 0);
    assert_int_equal(volo_server_bind_tls(server, "127.0.0.1:0", tls), 0);
    return server;
}

static void
ask(volo_server *server)
{
    int fd = dial(server);

    say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(hear(fd, NULL, 0), "hello"));
    close(fd);
}

static uint64_t
reloads(const volo_server *server)
{
    return volo_server_stat(server, VOLO_STAT_RELOADS);
}

static void
wait_for_reloads(const volo_server *server, uint64_t n)
{
    while (reloads(server) < n)
        usleep(500);
}

/* The loop has seen all signals before this one's second answer. */
static void
hang_up_and_ask(volo_server *server, int times)
{
    while (times--)
        assert_int_equal(raise(SIGHUP), 0);
    ask(server);
    ask(server);
}

static void
test_requests_are_answered_meanwhile(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server = start(tls);

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    pthread_mutex_lock(&tls->conf_lock);
    hang_up_and_ask(server, 1);
    assert_int_equal(reloads(server), 0);
    pthread_mutex_unlock(&tls->conf_lock);
    wait_for_reloads(server, 1);
    volo_server_free(server);
    volo_tls_unref(tls);
}

static void
test_signals_meanwhile_are_one_more(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server = start(tls);

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    pthread_mutex_lock(&tls->conf_lock);
    hang_up_and_ask(server, 4);
    pthread_mutex_unlock(&tls->conf_lock);
    wait_for_reloads(server, 2);
    stop_and_wait(server);
    assert_int_equal(reloads(server), 2);

    volo_server_free(server);
    volo_tls_unref(tls);
}

/* And begins no other. */
static void
test_a_stop_waits_for_it(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server = start(tls);
    int fd;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    pthread_mutex_lock(&tls->conf_lock);
    hang_up_and_ask(server, 2);
    volo_server_stop(server);
    /* Its listeners close while it waits. */
    while ((fd = try_dial(volo_server_port(server, 0), 0)) >= 0)
        close(fd);
    pthread_mutex_unlock(&tls->conf_lock);
    assert_int_equal(volo_server_wait(server), 0);
    assert_int_equal(reloads(server), 1);
    volo_server_free(server);
    volo_tls_unref(tls);
}

static void *
free_it(void *user)
{
    volo_server_free(user);
    return NULL;
}

static void
test_a_server_is_freed_while_it_goes_on(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server = start(tls);
    pthread_t thread;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    pthread_mutex_lock(&tls->conf_lock);
    hang_up_and_ask(server, 1);
    assert_int_equal(pthread_create(&thread, NULL, free_it, server), 0);
    usleep(20000); /* so that it waits, mostly */
    pthread_mutex_unlock(&tls->conf_lock);
    pthread_join(thread, NULL);
    volo_tls_unref(tls);
}

/* In steps, the loop is the caller's. */
static void
test_a_server_in_steps_reloads_too(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server = start(tls);

    (void)state;
    assert_int_equal(volo_server_open(server), 0);
    assert_int_equal(raise(SIGHUP), 0);
    while (!reloads(server))
        assert_int_equal(volo_server_step(server, 10), 1);
    assert_int_equal(raise(SIGHUP), 0);
    volo_server_step(server, 10);
    volo_server_free(server);
    volo_tls_unref(tls);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_answered_meanwhile),
        cmocka_unit_test(test_signals_meanwhile_are_one_more),
        cmocka_unit_test(test_a_stop_waits_for_it),
        cmocka_unit_test(test_a_server_is_freed_while_it_goes_on),
        cmocka_unit_test(test_a_server_in_steps_reloads_too),
    };

    return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
