/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that do not speak TLS, or not long enough, or not well. */
#include "net_tls_support.h"

#include <volo/alloc.h>

/* ---- Not TLS at all ------------------------------------------------------ */

/* What the raw peer of ${l} hears until the end. */
static size_t
hear_raw(struct line *l, unsigned char *buf, size_t size)
{
    size_t n = 0;
    ssize_t part = -1;
    int turns;

    for (turns = 0; turns < 1000 && part != 0; turns++) {
        volo__loop_step(l->rig.loop, 0);
        part = recv(l->client.fd, buf + n, size - n, 0);
        n += part > 0 ? (size_t)part : 0;
        if (part < 0 && errno == ECONNRESET)
            break;
    }
    return n;
}

static void
test_whoever_does_not_speak_tls_gets_an_alert(void **state)
{
    static const volo_str said[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
        {"POST / HTTP/1.0\r\n\r\n", 19},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24},
        {"CONNECT a:1 HTTP/1.1\r\n\r\n", 24},
        {"SSH-2.0-OpenSSH_9.0\r\n", 21},
        {"\x80\x2e\x01\x00\x02 an SSL 2.0 hello of long ago, with nothing good",
         50},
        {"\x16\x03\x01\xff\xff a record that is too long", 31},
        {"\x17\x03\x03\x00\x05hello", 10},
        {"\x16\x03\x01\x00\x05hello", 10},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12},
    };
    unsigned char buf[256];
    struct line l;
    size_t i, n;

    (void)state;
    for (i = 0; i < sizeof said / sizeof *said; i++) {
        line_open(&l, tls_make(), NULL);
        line_connect(&l, NULL);
        assert_int_equal(send(l.client.fd, said[i].ptr, said[i].len, 0),
                         said[i].len);
        n = hear_raw(&l, buf, sizeof buf);
        assert_int_equal(l.end->errors, 1);
        assert_int_equal(l.end->err, VOLO_ETLS);
        assert_int_equal(l.end->datas + l.end->eofs + l.end->secures, 0);
        assert_int_equal(n, 7);
        assert_int_equal(buf[0], 21); /* alert */
        assert_int_equal(buf[5], 2);  /* fatal */
        line_close(&l);
    }
}

static void
test_much_nonsense_still_gets_its_alert(void **state)
{
    unsigned char buf[256];
    char nonsense[150000];
    struct line l;
    size_t n = 0;
    ssize_t part;

    (void)state;
    memset(nonsense, 'x', sizeof nonsense);
    line_open(&l, tls_make(), NULL);
    line_connect(&l, NULL);
    while (n < sizeof nonsense &&
           (part = send(l.client.fd, nonsense + n, sizeof nonsense - n, 0)) > 0)
        n += (size_t)part;
    n = hear_raw(&l, buf, sizeof buf);
    assert_int_equal(l.end->errors, 1);
    assert_int_equal(n, 7);
    assert_int_equal(buf[0], 21);
    line_close(&l);
}

/* ---- Not long enough ----------------------------------------------------- */

/* A client in memory, of whose octets the first ${budget} reach the server,
 * in pieces of ${step}.  Returns how many it would have liked to send. */
static size_t
shake_partly(struct line *l, size_t budget, size_t step, SSL *ssl)
{
    BIO *to_client = BIO_new(BIO_s_mem()), *from_client = BIO_new(BIO_s_mem());
    size_t sent = 0, wanted = 0, n;
    int turns, done = 0;
    char buf[65536];
    ssize_t got;

    SSL_set_bio(ssl, to_client, from_client);
    SSL_set_connect_state(ssl);
    for (turns = 0; turns < 12 && !done; turns++) {
        ERR_clear_error();
        SSL_do_handshake(ssl);
        while ((got = BIO_read(from_client, buf, (int)step)) > 0) {
            wanted += (size_t)got;
            n = budget - sent < (size_t)got ? budget - sent : (size_t)got;
            if (n)
                assert_int_equal(send(l->client.fd, buf, n, 0), n);
            sent += n;
            volo__loop_step(l->rig.loop, 0);
        }
        volo__loop_step(l->rig.loop, 0);
        got = recv(l->client.fd, buf, sizeof buf, 0);
        if (got > 0)
            BIO_write(to_client, buf, (int)got);
        done = sent == budget && turns > 8;
    }
    return wanted;
}

static void
test_a_handshake_cut_off_anywhere_is_an_error(void **state)
{
    size_t budget, wanted;
    struct line l;
    SSL_CTX *ctx;
    SSL *ssl;
    int i;

    (void)state;
    each_version(i)
    {
        ctx = client_context(tls_versions[i]);
        wanted = 1;
        for (budget = 0; budget < wanted; budget++) {
            ssl = SSL_new(ctx);
            SSL_set_tlsext_host_name(ssl, "first.test");
            line_open(&l, tls_make(), NULL);
            line_connect(&l, NULL);
            wanted = shake_partly(&l, budget, 65536, ssl);
            if (budget < 100) /* the second flight is not known yet */
                wanted = SIZE_MAX;
            if (l.end->secures) {
                wanted = 0; /* all that a handshake takes */
            } else {
                line_cut(&l);
                turn_until(&l.rig, l.end->errors);
                assert_int_equal(l.end->err, VOLO_EIO);
                assert_int_equal(l.end->eofs + l.end->datas, 0);
            }
            line_close(&l);
            SSL_free(ssl);
            ERR_clear_error();
        }
        assert_in_range(budget, 150, 1000);
        SSL_CTX_free(ctx);
    }
}

static void
test_a_handshake_may_come_octet_by_octet(void **state)
{
    struct line l;
    SSL_CTX *ctx;
    SSL *ssl;
    int i;

    (void)state;
    each_version(i)
    {
        ctx = client_context(tls_versions[i]);
        ssl = SSL_new(ctx);
        line_open(&l, tls_make(), NULL);
        line_connect(&l, NULL);
        shake_partly(&l, SIZE_MAX, 1, ssl);
        assert_int_equal(l.end->secures, 1);
        line_close(&l);
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
}

static void
test_a_silent_peer_costs_no_iterations(void **state)
{
    struct line l;
    uint64_t before;

    (void)state;
    line_open(&l, tls_make(), NULL);
    line_connect(&l, NULL);
    rig_turn(&l.rig);
    before = l.rig.loop->iterations;
    volo__loop_step(l.rig.loop, 50);
    assert_in_range(l.rig.loop->iterations - before, 1, 3);
    assert_int_equal(send(l.client.fd, "\x16\x03\x01", 3, 0), 3);
    rig_turn(&l.rig);
    before = l.rig.loop->iterations;
    volo__loop_step(l.rig.loop, 50);
    assert_in_range(l.rig.loop->iterations - before, 1, 3);
    line_close(&l);
}

/* ---- Not well ------------------------------------------------------------ */

static void
test_versions_before_1_2_get_their_alert(void **state)
{
    static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};
    struct line l;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        ctx = client_context(old[i]);
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
        line_open(&l, tls_make(), ctx);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(line_alert(&l), SSL_AD_PROTOCOL_VERSION);
        turn_until(&l.rig, l.end->errors);
        assert_int_equal(l.end->err, VOLO_ETLS);
        line_close(&l);
    }
}

static void
test_a_client_cannot_renegotiate(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_2_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_int_equal(SSL_renegotiate(l.client.ssl), 1);
    assert_int_equal(line_shake(&l), -1);
    assert_int_equal(l.client.reason, SSL_R_NO_RENEGOTIATION);
    assert_int_equal(l.end->secures, 1);
    line_close(&l);
}

static void
test_compression_is_not_agreed_on(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_2_VERSION));
    SSL_CTX_clear_options(l.ctx, SSL_OP_NO_COMPRESSION);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_null(SSL_get_current_compression(l.client.ssl));
    line_close(&l);
}

/* Ask ${times} for new keys, reading the answers or not; returns how often the
 * socket took it. */
static int
ask_for_keys(struct line *l, int times, int reading)
{
    int i, said = 0;
    char byte;

    for (i = 0; i < times; i++) {
        ERR_clear_error();
        if (SSL_key_update(l->client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
            SSL_do_handshake(l->client.ssl) == 1)
            said++;
        if (i % 100 == 0 || reading)
            volo__loop_step(l->rig.loop, 0);
        if (reading)
            SSL_read(l->client.ssl, &byte, 1);
        assert_true(volo__stream_waiting(&l->end->s) <= VOLO__READ_SIZE);
    }
    return said;
}

static void
test_asking_for_new_keys_again_and_again_has_a_bound(void **state)
{
    struct line l;
    uint64_t before;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_int_equal(ask_for_keys(&l, 500, 1), 500);
    l.end->answer = "still here";
    client_say(&l, "x", 1);
    client_hear(&l, "still here", 10);

    /* Now nothing is read: it all stands still, in bounds. */
    assert_in_range(ask_for_keys(&l, 30000, 0), 1000, 29000);
    rig_turn(&l.rig);
    before = l.rig.loop->iterations;
    volo__loop_step(l.rig.loop, 50);
    assert_in_range(l.rig.loop->iterations - before, 1, 3);
    assert_int_equal(l.end->errors, 0);
    line_cut(&l);
    turn_until(&l.rig, l.end->errors + l.end->eofs);
    line_close(&l);
}

/* ---- Without memory ------------------------------------------------------ */

static size_t taken, fail_at;
static long alive;

static void *
failing(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        alive -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (++taken == fail_at)
        return NULL;
    alive += ptr == NULL;
    return realloc(ptr, size);
}

/* All that ours allocates for, ending early where something fails. */
static int
play(SSL_CTX *ctx)
{
    struct line l = {.ctx = ctx};
    int pair[2], turns, result = 0, err;
    char buf[64];
    volo_tls *tls;

    if (volo_tls_new(&tls) < 0)
        return -1;
    err = volo_tls_add_cert(tls, first.chain_file, first.key_file);
    err =
        err ? err : volo_tls_add_cert(tls, second.chain_file, second.key_file);
    err = err ? err
              : volo_tls_set_client_ca(tls, authority.chain_file,
                                       VOLO_TLS_CLIENT_OPTIONAL);
    err = err ? err : volo_tls_set_text(tls, VOLO_TLS_ALPN, "http/1.1");
    err = err ? err : volo__tls_ready(tls);
    err = err ? err : volo_tls_reload(tls);
    volo__here = NULL;
    if (err || volo__loop_new(&l.rig.loop, NULL) < 0) {
        if (err)
            assert_int_equal(err, VOLO_ENOMEM);
        volo_tls_unref(tls);
        return -1;
    }
    volo__loop_enter(l.rig.loop);
    l.end = calloc(1, sizeof *l.end);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    l.client.fd = pair[1];
    l.client.ssl = SSL_new(ctx);
    SSL_set_fd(l.client.ssl, pair[1]);
    SSL_set_connect_state(l.client.ssl);
    assert_int_equal(
        volo__stream_open(&l.end->s, &l.rig.loop->home, pair[0], &end_ops), 0);
    if (volo__stream_start_tls(&l.end->s, tls) < 0) {
        volo__stream_close(&l.end->s);
        result = -1;
    }
    volo__stream_read(&l.end->s, 1);
    l.end->answer = "pong";
    for (turns = 0; turns < 50 && !l.end->errors && !l.end->got_len; turns++) {
        ERR_clear_error();
        if (SSL_do_handshake(l.client.ssl) == 1 && l.end->secures)
            SSL_write(l.client.ssl, "ping", 4);
        volo__loop_step(l.rig.loop, 0);
        SSL_read(l.client.ssl, buf, sizeof buf);
    }
    if (l.end->errors)
        assert_int_equal(l.end->err, VOLO_ENOMEM);
    result = result || !l.end->got_len ? -1 : 0;
    volo__stream_close(&l.end->s);
    rig_turn(&l.rig);
    assert_int_equal(l.end->closes, 1);
    free(l.end->got);
    free(l.end);
    SSL_free(l.client.ssl);
    close(l.client.fd);
    volo__loop_close(l.rig.loop);
    volo_tls_unref(tls);
    return result;
}

static void
test_each_allocation_may_fail_without_a_crash_or_a_leak(void **state)
{
    int i, descriptors = open_descriptors(), ends;
    SSL_CTX *ctx;
    size_t all;

    (void)state;
    volo_set_allocator(failing, NULL);
    each_version(i)
    {
        ctx = client_context(tls_versions[i]);
        SSL_CTX_use_certificate(ctx, customer.cert);
        SSL_CTX_use_PrivateKey(ctx, customer.key);
        taken = fail_at = 0;
        alive = 0;
        assert_int_equal(play(ctx), 0);
        assert_int_equal(alive, 0);
        all = taken;
        assert_true(all > 30);
        ends = 0;
        for (fail_at = 1; fail_at <= all; fail_at++) {
            taken = 0;
            ends += play(ctx) < 0;
            assert_int_equal(alive, 0);
            assert_int_equal(open_descriptors(), descriptors);
        }
        assert_true(ends > 25);
        SSL_CTX_free(ctx);
    }
    volo_set_allocator(NULL, NULL);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_does_not_speak_tls_gets_an_alert),
        TEST(much_nonsense_still_gets_its_alert),
        TEST(a_handshake_cut_off_anywhere_is_an_error),
        TEST(a_handshake_may_come_octet_by_octet),
        TEST(a_silent_peer_costs_no_iterations),
        TEST(versions_before_1_2_get_their_alert),
        TEST(a_client_cannot_renegotiate),
        TEST(compression_is_not_agreed_on),
        TEST(asking_for_new_keys_again_and_again_has_a_bound),
        TEST(each_allocation_may_fail_without_a_crash_or_a_leak),
    };

    return cmocka_run_group_tests(tests, tls_net_setup, tls_teardown);
}
