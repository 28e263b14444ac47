/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners with TLS: what a handler learns, what a client is told, and that
 * handshakes stop nobody. */
#include "server_support.h"

#include "tls_support.h"

/* ---- A server and a client of it ----------------------------------------- */

static volo_cx *_Atomic held;
static _Atomic int upgrade_err;

static void
nobody(volo_cx *cx, int fd, volo_str early, void *user)
{
    (void)cx;
    (void)fd;
    (void)early;
    (void)user;
}

/* "<https 13 first.test CN=...>" */
static void
tell(volo_cx *cx)
{
    volo_str scheme = volo_cx_scheme(cx), name = volo_cx_tls_server_name(cx);
    volo_str who = volo_cx_tls_client_subject(cx), ip = volo_cx_peer_ip(cx);
    char text[512];

    snprintf(text, sizeof text, "<%.*s %d %d %.*s [%.*s] %s %.*s>",
             (int)scheme.len, scheme.ptr, volo_cx_version(cx),
             volo_cx_tls_version(cx), (int)name.len, name.ptr, (int)who.len,
             who.ptr, volo_cx_tls_cipher(cx).ptr ? "cipher" : "-", (int)ip.len,
             ip.ptr);
    volo_cx_set_body(cx, volo_str_of(text));
    volo_cx_answer(cx);
}

static void
serve(volo_cx *cx, void *user)
{
    (void)user;
    switch (volo_cx_path(cx).ptr[1]) {
    case 'h': /* held */
        held = volo_cx_ref(cx);
        break;
    case 'u': /* upgrade */
        upgrade_err = volo_cx_answer_upgrade(cx, "echo", nobody, NULL);
        tell(cx);
        break;
    default:
        tell(cx);
    }
}

/* Its listener 0 is in the clear, 1 has TLS.  Not started yet. */
static volo_server *
server_with(volo_tls *tls)
{
    volo_server *server = server_of(serve, NULL, "127.0.0.1:0");

    held = NULL;
    assert_int_equal(volo_server_bind_tls(server, "127.0.0.1:0", tls), 0);
    return server;
}

static int
dial_tls(volo_server *server)
{
    return dial_port(volo_server_port(server, 1));
}

static volo_server *
started(int option, uint64_t value)
{
    volo_tls *tls = tls_make();
    volo_server *server = server_with(tls);

    volo_tls_unref(tls);
    if (option)
        assert_int_equal(volo_server_set(server, option, value), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

struct guest {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

/* Connects when it is handed a descriptor, which may have been used. */
static int
enter(struct guest *g, int fd, int version, const char *alpn,
      const struct identity *as)
{
    g->ctx = client_context(version);
    if (alpn)
        SSL_CTX_set_alpn_protos(g->ctx, (const unsigned char *)alpn,
                                (unsigned)strlen(alpn));
    if (as) {
        SSL_CTX_use_certificate(g->ctx, as->cert);
        SSL_CTX_use_PrivateKey(g->ctx, as->key);
    }
    g->fd = fd;
    g->ssl = SSL_new(g->ctx);
    SSL_set_fd(g->ssl, fd);
    SSL_set_tlsext_host_name(g->ssl, "First.test");
    return SSL_connect(g->ssl);
}

static void
leave(struct guest *g)
{
    SSL_free(g->ssl);
    SSL_CTX_free(g->ctx);
    close(g->fd);
}

static void
ask(struct guest *g, const char *text)
{
    assert_int_equal(SSL_write(g->ssl, text, (int)strlen(text)), strlen(text));
}

/* Until ${end} has come, or all. */
static char *
answer(struct guest *g, const char *end)
{
    static char got[65536];
    size_t len = 0;
    int n;

    got[0] = 0;
    while (!end || !strstr(got, end)) {
        n = SSL_read(g->ssl, got + len, (int)(sizeof got - 1 - len));
        if (n <= 0)
            break;
        len += (size_t)n;
        got[len] = 0;
    }
    return got;
}

static int
agreed_on_h2(const struct guest *g)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(g->ssl, &name, &len);
    return len == 2 && !memcmp(name, "h2", 2);
}

/* ---- What a handler learns ----------------------------------------------- */

static void
test_a_handler_learns_about_the_connection(void **state)
{
    volo_server *server = started(0, 0);
    struct guest g;
    int i;

    (void)state;
    each_version(i)
    {
        char want[128];

        assert_int_equal(
            enter(&g, dial_tls(server), tls_versions[i], "\x08http/1.1", NULL),
            1);
        ask(&g, GET("/"));
        snprintf(want, sizeof want, "<https 11 %d first.test [] cipher 127.",
                 12 + i);
        assert_non_null(strstr(answer(&g, ">"), want));
        leave(&g);
    }
    volo_server_free(server);
}

static void
test_in_the_clear_there_is_nothing_to_learn(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial(server);

    (void)state;
    say(fd, GET("/"));
    assert_non_null(strstr(hear(fd, ">", 1), "<http 11 0  [] - 127."));
    close(fd);
    volo_server_free(server);
}

static void
test_a_handler_learns_who_the_client_is(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server;
    struct guest g;

    (void)state;
    assert_int_equal(volo_tls_set_client_ca(tls, authority.chain_file,
                                            VOLO_TLS_CLIENT_OPTIONAL),
                     0);
    server = server_with(tls);
    volo_tls_unref(tls);
    assert_int_equal(volo_server_start(server), 0);
    assert_int_equal(
        enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, &customer), 1);
    ask(&g, GET("/"));
    assert_non_null(
        strstr(answer(&g, ">"), "[CN=customer,O=Volo\\, Test] cipher"));
    leave(&g);
    volo_server_free(server);
}

/* The facts are the exchange's, and it has left. */
static void
test_what_was_learnt_outlives_the_connection(void **state)
{
    volo_server *server = started(0, 0);
    struct guest g;

    (void)state;
    assert_int_equal(enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, NULL),
                     1);
    ask(&g, GET("/held"));
    while (!held)
        usleep(200);
    leave(&g);
    volo_server_free(server);
    assert_int_equal(volo_cx_tls_version(held), 13);
    assert_str(volo_cx_tls_server_name(held), "first.test");
    volo_cx_unref(held);
}

/* ---- Which HTTP ---------------------------------------------------------- */

static void
test_alpn_decides_which_http_it_is(void **state)
{
    static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                "\0\0\0\4\0\0\0\0\0"
                                "\0\0\x06\1\5\0\0\0\1\x82\x87\x84\x41\1a";
    volo_server *server = started(0, 0);
    char got[4096];
    size_t len = 0;
    struct guest g;
    int n;

    (void)state;
    assert_int_equal(
        enter(&g, dial_tls(server), TLS1_3_VERSION, "\2h2\x08http/1.1", NULL),
        1);
    assert_true(agreed_on_h2(&g));
    assert_int_equal(SSL_write(g.ssl, hello, sizeof hello - 1),
                     sizeof hello - 1);
    while (!memmem(got, len, "<https 20 13 ", 13)) {
        n = SSL_read(g.ssl, got + len, (int)(sizeof got - len));
        assert_true(n > 0);
        len += (size_t)n;
    }
    leave(&g);
    volo_server_free(server);
}

static void
test_where_http_2_is_off_nobody_is_offered_it(void **state)
{
    volo_server *server = started(VOLO_SERVER_HTTP2, 0);
    struct guest g;

    (void)state;
    assert_int_equal(
        enter(&g, dial_tls(server), TLS1_3_VERSION, "\2h2\x08http/1.1", NULL),
        1);
    assert_false(agreed_on_h2(&g));
    ask(&g, GET("/"));
    assert_non_null(strstr(answer(&g, ">"), "<https 11 13 "));
    leave(&g);
    volo_server_free(server);
}

static void
test_who_speaks_http_to_a_port_of_tls_is_told_so(void **state)
{
    volo_server *server = started(0, 0);
    int fd = dial_tls(server);
    char *got;

    (void)state;
    say(fd, GET("/"));
    got = hear(fd, NULL, 0);
    assert_ptr_equal(strstr(got, "HTTP/1.1 400 "), got);
    assert_non_null(strstr(got, "\r\n\r\nthis port speaks TLS\n"));
    close(fd);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_MALFORMED), 1);
    volo_server_free(server);
}

static void
test_a_connection_with_tls_is_not_given_away(void **state)
{
    volo_server *server = started(0, 0);
    struct guest g;

    (void)state;
    assert_int_equal(enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, NULL),
                     1);
    ask(&g, "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
            "Upgrade: echo\r\n\r\n");
    assert_non_null(strstr(answer(&g, ">"), "<https 11 13 "));
    assert_int_equal(upgrade_err, VOLO_ENOTIMPL);
    leave(&g);
    volo_server_free(server);
}

static void
test_the_end_of_a_connection_is_announced(void **state)
{
    volo_server *server = started(0, 0);
    struct guest g;

    (void)state;
    assert_int_equal(enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, NULL),
                     1);
    ask(&g, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer(&g, NULL), "<https 11 13 "));
    assert_int_equal(SSL_get_shutdown(g.ssl) & SSL_RECEIVED_SHUTDOWN,
                     SSL_RECEIVED_SHUTDOWN);
    leave(&g);
    volo_server_free(server);
}

static void
test_a_proxy_s_header_comes_before_the_handshake(void **state)
{
    volo_tls *tls = tls_make();
    volo_server *server = server_with(tls);
    struct guest g;
    int fd;

    (void)state;
    volo_tls_unref(tls);
    assert_int_equal(volo_server_trust_proxy(server, 1, "127.0.0.1"), 0);
    assert_int_equal(volo_server_start(server), 0);
    fd = dial_tls(server);
    say(fd, "PROXY TCP4 192.0.2.9 192.0.2.1 4321 443\r\n");
    assert_int_equal(enter(&g, fd, TLS1_3_VERSION, NULL, NULL), 1);
    ask(&g, GET("/"));
    assert_non_null(strstr(answer(&g, ">"), " cipher 192.0.2.9>"));
    leave(&g);
    volo_server_free(server);
}

/* ---- Handshakes ---------------------------------------------------------- */

static void
test_a_silent_client_is_given_up(void **state)
{
    volo_server *server = started(VOLO_SERVER_HANDSHAKE_TIMEOUT, 50);
    int fd = dial_tls(server), begun = dial_tls(server);

    (void)state;
    assert_int_equal(write(begun, "\x16\3\1\2\0\1", 6), 6);
    assert_int_equal(end_of(fd), 0);
    end_of(begun);
    close(fd);
    close(begun);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_TIMEOUTS), 2);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_HANDSHAKES), 0);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_HANDSHAKES_FAILED), 1);
    volo_server_free(server);
}

static void
test_silent_clients_take_no_place_for_handshakes(void **state)
{
    volo_server *server = started(VOLO_SERVER_HANDSHAKE_LIMIT, 1);
    int silent[20], i;
    struct guest g;

    (void)state;
    for (i = 0; i < 20; i++)
        silent[i] = dial_tls(server);
    assert_int_equal(enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, NULL),
                     1);
    ask(&g, GET("/"));
    assert_non_null(strstr(answer(&g, ">"), "<https"));
    leave(&g);
    for (i = 0; i < 20; i++)
        close(silent[i]);
    volo_server_free(server);
}

/* They hold the one place as long as patience lasts, one after the other. */
static void
test_clients_that_begin_and_go_silent_give_way(void **state)
{
    volo_server *server = started(VOLO_SERVER_HANDSHAKE_LIMIT, 1);
    int silent[2], i;
    struct guest g;

    (void)state;
    for (i = 0; i < 2; i++) {
        silent[i] = dial_tls(server);
        assert_int_equal(write(silent[i], "\x16\3\1\2\0\1", 6), 6);
    }
    assert_int_equal(enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, NULL),
                     1);
    ask(&g, GET("/"));
    assert_non_null(strstr(answer(&g, ">"), "<https"));
    leave(&g);
    for (i = 0; i < 2; i++)
        close(silent[i]);
    volo_server_free(server);
}

enum { CROWD = 24 };

static void *
visit(void *user)
{
    struct guest g;
    char octet;

    /* Asserts would unwind into another thread: the server counts. */
    if (enter(&g, dial_tls(user), TLS1_3_VERSION, NULL, NULL) == 1)
        SSL_write(g.ssl, GET("/"), sizeof GET("/") - 1);
    while (SSL_read(g.ssl, &octet, 1) > 0)
        ;
    leave(&g);
    return NULL;
}

static void
test_handshakes_that_find_no_place_wait_for_one(void **state)
{
    volo_server *server = started(VOLO_SERVER_HANDSHAKE_LIMIT, 2);
    pthread_t threads[CROWD];
    int i;

    (void)state;
    for (i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, server), 0);
    while (volo_server_stat(server, VOLO_STAT_REQUESTS) < CROWD)
        usleep(500);
    volo_server_stop(server);
    for (i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(volo_server_wait(server), 0);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_HANDSHAKES), CROWD);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_HANDSHAKES_FAILED), 0);
    volo_server_free(server);
}

static void
test_a_stop_at_once_meets_handshakes_that_wait(void **state)
{
    volo_server *server = started(VOLO_SERVER_HANDSHAKE_LIMIT, 1);
    int fds[6], i;

    (void)state;
    for (i = 0; i < 6; i++) {
        fds[i] = dial_tls(server);
        assert_int_equal(write(fds[i], "\x16\3\1\2\0\1", 6), 6);
    }
    while (volo_server_stat(server, VOLO_STAT_READS) < 6)
        usleep(200);
    volo_server_free(server);
    for (i = 0; i < 6; i++) {
        end_of(fds[i]);
        close(fds[i]);
    }
}

/* ---- Reading anew -------------------------------------------------------- */

static void
copy_file(const char *from, const char *to)
{
    static char text[16384];
    FILE *f = fopen(from, "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    write_file(to, text, n);
}

/* A server whose certificate is in files of its own. */
static volo_server *
with_files(char chain[96], char key[96], int option)
{
    volo_server *server;
    volo_tls *tls;

    snprintf(chain, 96, "%s/now.pem", tls_dir);
    snprintf(key, 96, "%s/now.key", tls_dir);
    copy_file(first.chain_file, chain);
    copy_file(first.key_file, key);
    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_add_cert(tls, chain, key), 0);
    server = server_with(tls);
    volo_tls_unref(tls);
    if (option)
        assert_int_equal(volo_server_set(server, option, 1), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

/* Whose certificate a new connection is shown. */
static int
shows(volo_server *server, const struct identity *who)
{
    struct guest g;
    X509 *cert;
    int same;

    assert_int_equal(enter(&g, dial_tls(server), TLS1_3_VERSION, NULL, NULL),
                     1);
    cert = SSL_get0_peer_certificate(g.ssl);
    same = !X509_cmp(cert, who->cert);
    leave(&g);
    return same;
}

static void
test_a_reload_is_for_connections_that_come_then(void **state)
{
    char chain[96], key[96];
    volo_server *server = with_files(chain, key, 0);
    struct guest before;

    (void)state;
    assert_int_equal(
        enter(&before, dial_tls(server), TLS1_3_VERSION, NULL, NULL), 1);
    copy_file(second.chain_file, chain);
    copy_file(second.key_file, key);
    assert_true(shows(server, &first));
    assert_int_equal(volo_server_reload(server), 0);
    assert_true(shows(server, &second));
    ask(&before, GET("/"));
    assert_non_null(strstr(answer(&before, ">"), "<https"));
    leave(&before);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_RELOADS), 1);
    volo_server_free(server);
}

static void
test_a_reload_that_fails_changes_nothing(void **state)
{
    char chain[96], key[96];
    volo_server *server = with_files(chain, key, 0);

    (void)state;
    write_file(chain, "nonsense", 8);
    assert_int_equal(volo_server_reload(server), VOLO_ETLS);
    assert_true(shows(server, &first));
    assert_int_equal(volo_server_stat(server, VOLO_STAT_RELOADS), 0);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_RELOADS_FAILED), 1);
    volo_server_free(server);
}

static void
test_a_signal_reloads_where_that_was_asked_for(void **state)
{
    char chain[96], key[96];
    volo_server *server = with_files(chain, key, VOLO_SERVER_RELOAD_SIGNAL);
    struct sigaction now;

    (void)state;
    copy_file(second.chain_file, chain);
    copy_file(second.key_file, key);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    while (!volo_server_stat(server, VOLO_STAT_RELOADS))
        usleep(500);
    assert_true(shows(server, &second));
    volo_server_free(server);
    assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
    assert_ptr_equal(now.sa_handler, SIG_DFL);
}

/* ---- Setting up ---------------------------------------------------------- */

static void
test_what_cannot_serve_is_refused_at_once(void **state)
{
    volo_server *server = server_of(serve, NULL, "127.0.0.1:0");
    volo_tls *empty;

    (void)state;
    assert_int_equal(volo_tls_new(&empty), 0);
    assert_int_equal(volo_server_bind_tls(server, "127.0.0.1:0", NULL),
                     VOLO_EINVAL);
    assert_true(volo_server_bind_tls(server, "127.0.0.1:0", empty) < 0);
    assert_true(*volo_server_error(server));
    assert_int_equal(volo_server_port(server, 1), VOLO_ENOENT);
    volo_tls_unref(empty);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handler_learns_about_the_connection),
        cmocka_unit_test(test_in_the_clear_there_is_nothing_to_learn),
        cmocka_unit_test(test_a_handler_learns_who_the_client_is),
        cmocka_unit_test(test_what_was_learnt_outlives_the_connection),
        cmocka_unit_test(test_alpn_decides_which_http_it_is),
        cmocka_unit_test(test_where_http_2_is_off_nobody_is_offered_it),
        cmocka_unit_test(test_who_speaks_http_to_a_port_of_tls_is_told_so),
        cmocka_unit_test(test_a_connection_with_tls_is_not_given_away),
        cmocka_unit_test(test_the_end_of_a_connection_is_announced),
        cmocka_unit_test(test_a_proxy_s_header_comes_before_the_handshake),
        cmocka_unit_test(test_a_silent_client_is_given_up),
        cmocka_unit_test(test_silent_clients_take_no_place_for_handshakes),
        cmocka_unit_test(test_clients_that_begin_and_go_silent_give_way),
        cmocka_unit_test(test_handshakes_that_find_no_place_wait_for_one),
        cmocka_unit_test(test_a_stop_at_once_meets_handshakes_that_wait),
        cmocka_unit_test(test_a_reload_is_for_connections_that_come_then),
        cmocka_unit_test(test_a_reload_that_fails_changes_nothing),
        cmocka_unit_test(test_a_signal_reloads_where_that_was_asked_for),
        cmocka_unit_test(test_what_cannot_serve_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
