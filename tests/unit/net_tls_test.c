/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a stream: handshakes, octets both ways, and ends. */
#include "net_tls_support.h"

#include <netinet/in.h>

enum { BIG = 3 << 20 };

static char *
pattern(size_t len)
{
    char *big = malloc(len);
    size_t i;

    for (i = 0; i < len; i++)
        big[i] = (char)(i * 7 + i / 251);
    return big;
}

static void
open_version(struct line *l, int version)
{
    line_open(l, tls_make(), client_context(version));
    line_connect(l, NULL);
    assert_int_equal(line_shake(l), 1);
}

/* ---- Handshakes ---------------------------------------------------------- */

static void
test_a_handshake_secures_and_octets_pass_both_ways(void **state)
{
    const struct volo__tls_info *info;
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        line_connect(&l, "First.test");
        assert_null(volo__stream_tls(&l.end->s));
        assert_null(volo__stream_alpn(&l.end->s).ptr);
        assert_int_equal(line_shake(&l), 1);
        info = volo__stream_tls(&l.end->s);
        assert_int_equal(info->version, 12 + i);
        assert_str(info->server_name, "first.test");
        assert_str(info->cipher, SSL_get_cipher_name(l.client.ssl));
        assert_false(info->resumed);
        assert_false(info->verified);
        assert_null(info->client_subject.ptr);
        l.end->answer = "pong";
        client_say(&l, "ping", 4);
        client_hear(&l, "pong", 4);
        assert_int_equal(l.end->got_len, 4);
        assert_memory_equal(l.end->got, "ping", 4);
        assert_int_equal(l.end->secures, 1);
        assert_int_equal(l.end->errors + l.end->eofs, 0);
        line_close(&l);
    }
}

static void
test_a_handshake_goes_on_while_reading_is_off(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        line_connect(&l, NULL);
        volo__stream_read(&l.end->s, 0);
        assert_int_equal(line_shake(&l), 1);
        client_say(&l, "early", 5);
        rig_turn(&l.rig);
        assert_int_equal(l.end->got_len, 0);
        volo__stream_read(&l.end->s, 1);
        turn_until(&l.rig, l.end->got_len == 5);
        line_close(&l);
    }
}

static void
test_what_is_queued_before_the_handshake_is_sent_after_it(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        line_connect(&l, NULL);
        l.end->s.drain_mark = 0;
        volo__outq_copy(&l.end->s.out, "hello", 5);
        volo__stream_flush(&l.end->s);
        rig_turn(&l.rig);
        assert_int_equal(l.end->s.writes, 0);
        assert_int_equal(l.end->drains, 0);
        assert_int_equal(line_shake(&l), 1);
        client_hear(&l, "hello", 5);
        rig_turn(&l.rig);
        assert_int_equal(l.end->drains, 1);
        line_close(&l);
    }
}

static void
test_octets_that_were_read_before_tls_began_belong_to_it(void **state)
{
    struct volo__block *block;
    struct line l;
    ssize_t n;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    SSL_do_handshake(l.client.ssl);
    block = volo__home_spare(&l.rig.loop->home);
    n = recv(l.end->s.fd, block->data, block->cap, 0);
    assert_true(n > 100);
    volo__stream_put_back(&l.end->s, block->data, (size_t)n, block);
    volo__block_unref(block);
    assert_int_equal(line_shake(&l), 1);
    line_close(&l);
}

static void
test_an_exchange_costs_one_read_and_one_write(void **state)
{
    uint64_t reads, writes;
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        l.end->answer = "pong";
        reads = l.end->s.reads;
        writes = l.end->s.writes;
        client_say(&l, "ping", 4);
        client_hear(&l, "pong", 4);
        assert_int_equal(l.end->s.reads - reads, 1);
        assert_int_equal(l.end->s.writes - writes, 1);
        line_close(&l);
    }
}

static void
test_a_stream_with_tls_is_not_detached(void **state)
{
    struct line l;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    assert_int_equal(volo__stream_detach(&l.end->s), -1);
    assert_false(l.end->s.closing);
    line_close(&l);
}

/* ---- Octets -------------------------------------------------------------- */

static void
narrow(int fd)
{
    int size = 4096;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void
test_much_passes_both_ways_through_narrow_sockets(void **state)
{
    char *big = pattern(BIG);
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        narrow(l.client.fd);
        narrow(l.end->s.fd);
        client_say(&l, big, BIG);
        turn_until(&l.rig, l.end->got_len == BIG);
        assert_memory_equal(l.end->got, big, BIG);
        volo__outq_ref(&l.end->s.out, big, BIG, NULL, NULL);
        volo__stream_flush(&l.end->s);
        assert_true(volo__stream_waiting(&l.end->s) > 0);
        client_hear(&l, big, BIG);
        rig_turn(&l.rig);
        assert_int_equal(l.end->drains, 1);
        assert_int_equal(volo__stream_waiting(&l.end->s), 0);
        assert_null(l.end->s.tls->out);
        line_close(&l);
    }
    free(big);
}

static void
test_both_directions_at_once_do_not_block_each_other(void **state)
{
    char *big = pattern(BIG), *got = malloc(BIG);
    size_t said = 0, heard = 0;
    int turns = 0, n;
    struct line l;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    narrow(l.client.fd);
    narrow(l.end->s.fd);
    volo__outq_ref(&l.end->s.out, big, BIG, NULL, NULL);
    volo__stream_flush(&l.end->s);
    while (said < BIG || heard < BIG || l.end->got_len < BIG) {
        assert_true(turns++ < 1000000);
        ERR_clear_error();
        n = said < BIG
                ? SSL_write(l.client.ssl, big + said,
                            BIG - said < 10000 ? (int)(BIG - said) : 10000)
                : 0;
        said += n > 0 ? (size_t)n : 0;
        n = heard < BIG
                ? SSL_read(l.client.ssl, got + heard, (int)(BIG - heard))
                : 0;
        heard += n > 0 ? (size_t)n : 0;
        volo__loop_step(l.rig.loop, 0);
    }
    assert_memory_equal(got, big, BIG);
    assert_memory_equal(l.end->got, big, BIG);
    free(big);
    free(got);
    line_close(&l);
}

static void
test_data_stops_when_reading_is_turned_off_and_goes_on_later(void **state)
{
    char *big = pattern(400000);
    size_t said = 0, before;
    struct line l;
    int n = 1;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    l.end->pause_after = 1;
    /* As much as the sockets take. */
    while (n > 0 && said < 400000) {
        ERR_clear_error();
        n = SSL_write(l.client.ssl, big + said, (int)(400000 - said));
        said += n > 0 ? (size_t)n : 0;
    }
    rig_turn(&l.rig);
    assert_int_equal(l.end->datas, 1);
    assert_true(l.end->got_len < said);

    /* One buffer each time; what is held needs no event of the socket. */
    while (l.end->got_len < said) {
        before = l.end->got_len;
        volo__stream_read(&l.end->s, 1);
        turn_until(&l.rig, l.end->got_len > before);
    }
    assert_memory_equal(l.end->got, big, said);
    free(big);
    line_close(&l);
}

static void
test_an_idle_connection_holds_no_buffer(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        l.end->answer = "pong";
        client_say(&l, "ping", 4);
        client_hear(&l, "pong", 4);
        rig_turn(&l.rig);
        assert_null(l.end->s.tls->in);
        assert_null(l.end->s.tls->out);
        line_close(&l);
    }
}

/* ---- Records ------------------------------------------------------------- */

static size_t records[4096];
static size_t record_count;

static void
on_record(int writing, int version, int type, const void *buf, size_t len,
          SSL *ssl, void *user)
{
    const unsigned char *head = buf;

    (void)version;
    (void)ssl;
    (void)user;
    if (!writing && type == SSL3_RT_HEADER && len == 5 && record_count < 4096)
        records[record_count++] = (size_t)head[3] << 8 | head[4];
}

static void
watch_records(struct line *l)
{
    record_count = 0;
    SSL_set_msg_callback(l->client.ssl, on_record);
}

static void
test_records_are_small_at_first_and_full_later(void **state)
{
    char *big = pattern(BIG);
    size_t i, n = 0;
    struct line l;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    watch_records(&l);
    volo__outq_ref(&l.end->s.out, big, BIG, NULL, NULL);
    volo__stream_flush(&l.end->s);
    client_hear(&l, big, BIG);
    /* Two of them are tickets, smaller still. */
    for (i = 0; n < 40000; n += records[i++])
        assert_in_range(records[i], 1, 1400);
    for (n = 0; i < record_count; i++)
        n += records[i] > VOLO__TLS_RECORD;
    assert_true(n > 50);

    /* After a rest it begins anew. */
    l.end->s.tls->sent_at -= 2000;
    watch_records(&l);
    volo__outq_ref(&l.end->s.out, big, 10000, NULL, NULL);
    volo__stream_flush(&l.end->s);
    client_hear(&l, big, 10000);
    assert_true(record_count >= 8);
    free(big);
    line_close(&l);
}

static void
test_pieces_share_a_record_and_a_write(void **state)
{
    char *big = pattern(20000);
    struct line l;
    uint64_t writes;
    int i;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    client_say(&l, "x", 1);
    l.end->s.tls->burst = 1 << 20;
    l.end->s.tls->sent_at = l.rig.loop->home.now_ms;
    watch_records(&l);
    writes = l.end->s.writes;
    for (i = 0; i < 40; i++)
        volo__outq_ref(&l.end->s.out, big + i * 500, 500, NULL, NULL);
    volo__stream_flush(&l.end->s);
    assert_int_equal(l.end->s.writes - writes, 1);
    client_hear(&l, big, 20000);
    assert_in_range(record_count, 2, 4); /* tickets may be among them */
    free(big);
    line_close(&l);
}

/* ---- Ends ---------------------------------------------------------------- */

/* Says what is left to hear: SSL_ERROR_ZERO_RETURN after close_notify. */
static int
client_end(struct line *l)
{
    int turns, n = 0, err = SSL_ERROR_WANT_READ;
    char buf[4096];

    for (turns = 0; turns < 100000 && err == SSL_ERROR_WANT_READ; turns++) {
        ERR_clear_error();
        n = SSL_read(l->client.ssl, buf, sizeof buf);
        err = n > 0 ? SSL_ERROR_WANT_READ : SSL_get_error(l->client.ssl, n);
        volo__loop_step(l->rig.loop, 0);
    }
    return err;
}

static void
test_an_announced_end_is_an_end_and_may_be_answered(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        client_say(&l, "last", 4);
        SSL_shutdown(l.client.ssl);
        shutdown(l.client.fd, SHUT_WR);
        turn_until(&l.rig, l.end->eofs);
        rig_turn(&l.rig);
        assert_int_equal(l.end->got_len, 4);
        assert_int_equal(l.end->eofs, 1);
        assert_int_equal(l.end->s.cut, 0);
        volo__outq_copy(&l.end->s.out, "bye", 3);
        volo__stream_shutdown(&l.end->s);
        client_hear(&l, "bye", 3);
        assert_int_equal(client_end(&l), SSL_ERROR_ZERO_RETURN);
        assert_int_equal(l.end->errors, 0);
        line_close(&l);
    }
}

static void
test_an_end_without_announcement_is_told_apart(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        l.end->answer = "heard"; /* and tickets: a Unix socket resets */
        client_say(&l, "last", 4);
        client_hear(&l, "heard", 5);
        line_cut(&l);
        turn_until(&l.rig, l.end->eofs + l.end->errors);
        assert_int_equal(l.end->got_len, 4);
        assert_int_equal(l.end->eofs, 1);
        assert_int_equal(l.end->s.cut, 1);
        line_close(&l);
    }
}

static void
test_shutdown_announces_the_end_after_all_that_is_queued(void **state)
{
    char *big = pattern(BIG), byte;
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        narrow(l.end->s.fd);
        volo__outq_ref(&l.end->s.out, big, BIG, NULL, NULL);
        volo__stream_shutdown(&l.end->s);
        assert_int_equal(l.end->s.shut, 1);
        client_hear(&l, big, BIG);
        assert_int_equal(client_end(&l), SSL_ERROR_ZERO_RETURN);
        rig_turn(&l.rig);
        assert_int_equal(l.end->s.shut, 2);
        assert_int_equal(recv(l.client.fd, &byte, 1, 0), 0);

        /* The other way is still open. */
        client_say(&l, "more", 4);
        turn_until(&l.rig, l.end->got_len == 4);
        assert_int_equal(l.end->errors, 0);
        line_close(&l);
    }
    free(big);
}

static void
test_a_close_announces_the_end_only_if_all_was_sent(void **state)
{
    char *big = pattern(BIG);
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        volo__outq_copy(&l.end->s.out, "all", 3);
        volo__stream_flush(&l.end->s);
        volo__stream_close(&l.end->s);
        client_hear(&l, "all", 3);
        assert_int_equal(client_end(&l), SSL_ERROR_ZERO_RETURN);
        line_close(&l);

        open_version(&l, tls_versions[i]);
        narrow(l.end->s.fd);
        volo__outq_ref(&l.end->s.out, big, BIG, NULL, NULL);
        volo__stream_flush(&l.end->s);
        volo__stream_close(&l.end->s);
        assert_int_not_equal(client_end(&l), SSL_ERROR_ZERO_RETURN);
        line_close(&l);
    }
    free(big);
}

static void
test_a_reset_announces_nothing(void **state)
{
    struct line l;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    volo__stream_reset(&l.end->s);
    assert_int_not_equal(client_end(&l), SSL_ERROR_ZERO_RETURN);
    line_close(&l);
}

static void
on_release(void *user)
{
    end_maybe_close(user, 'f');
}

/* All in one, as far as it gets before the end closes. */
static void
play(struct line *l, char where, char *big)
{
    line_connect(l, NULL);
    l->end->close_in = where;
    l->end->answer = "unsaid";
    l->end->s.drain_mark = 0;
    line_shake(l);
    if (where == 's')
        return;
    SSL_write(l->client.ssl, "x", 1);
    rig_turn(&l->rig);
    if (where == 'f') {
        volo__outq_ref(&l->end->s.out, big, 100, on_release, l->end);
        volo__outq_ref(&l->end->s.out, big, BIG, NULL, NULL);
        volo__stream_flush(&l->end->s);
        assert_true(l->end->s.closing);
    }
    if (where == 'e') {
        SSL_shutdown(l->client.ssl);
        turn_until(&l->rig, l->end->eofs);
    }
    if (where == 'r') {
        send(l->client.fd, "nonsense that is no record at all", 33, 0);
        turn_until(&l->rig, l->end->errors);
    }
    turn_until(&l->rig, l->end->closes);
}

static void
test_every_callback_may_close(void **state)
{
    char *big = pattern(BIG);
    const char *where;
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        for (where = "sderDf"; *where; where++) {
            line_open(&l, tls_make(), client_context(tls_versions[i]));
            play(&l, *where, big);
            rig_turn(&l.rig);
            assert_int_equal(l.end->closes, 1);
            assert_null(l.end->s.tls);
            assert_null(l.end->s.out.head);
            line_close(&l);
        }
    }
    free(big);
}

/* The same over TCP, for what Unix sockets do otherwise. */
static void
connect_tcp(int pair[2])
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&in, &len);
    pair[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(pair[1], (struct sockaddr *)&in, len), 0);
    pair[0] = accept(listener, NULL, NULL);
    close(listener);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
}

static void
test_a_peer_that_resets_in_the_middle_is_an_error(void **state)
{
    struct linger now = {1, 0};
    char *big = pattern(BIG);
    struct line l;
    int pair[2], i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        connect_tcp(pair);
        line_connect_on(&l, pair, NULL);
        assert_int_equal(line_shake(&l), 1);
        client_say(&l, "x", 1);
        volo__outq_ref(&l.end->s.out, big, BIG, NULL, NULL);
        volo__stream_flush(&l.end->s);
        setsockopt(l.client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        line_cut(&l);
        turn_until(&l.rig, l.end->errors);
        rig_turn(&l.rig);
        assert_int_equal(l.end->errors, 1);
        assert_int_equal(l.end->err, VOLO_EIO);
        line_close(&l);
    }
    free(big);
}

static void
test_what_is_queued_after_the_end_breaks_the_stream(void **state)
{
    struct line l;

    (void)state;
    open_version(&l, TLS1_3_VERSION);
    volo__stream_shutdown(&l.end->s);
    rig_turn(&l.rig);
    volo__outq_copy(&l.end->s.out, "late", 4);
    volo__stream_flush(&l.end->s);
    turn_until(&l.rig, l.end->errors);
    assert_int_equal(l.end->err, VOLO_EIO);
    line_close(&l);
}

static void
test_a_broken_record_is_an_error_with_an_alert(void **state)
{
    static const char nonsense[] = "\x17\x03\x03\x00\x20nonsense that nobody "
                                   "could have encrypted so";
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        open_version(&l, tls_versions[i]);
        assert_true(send(l.client.fd, nonsense, 37, 0) == 37);
        turn_until(&l.rig, l.end->errors);
        assert_int_equal(l.end->err, VOLO_ETLS);
        assert_int_equal(line_alert(&l), SSL_AD_BAD_RECORD_MAC);
        line_close(&l);
    }
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_handshake_secures_and_octets_pass_both_ways),
        TEST(a_handshake_goes_on_while_reading_is_off),
        TEST(what_is_queued_before_the_handshake_is_sent_after_it),
        TEST(octets_that_were_read_before_tls_began_belong_to_it),
        TEST(an_exchange_costs_one_read_and_one_write),
        TEST(a_stream_with_tls_is_not_detached),
        TEST(much_passes_both_ways_through_narrow_sockets),
        TEST(both_directions_at_once_do_not_block_each_other),
        TEST(data_stops_when_reading_is_turned_off_and_goes_on_later),
        TEST(an_idle_connection_holds_no_buffer),
        TEST(records_are_small_at_first_and_full_later),
        TEST(pieces_share_a_record_and_a_write),
        TEST(an_announced_end_is_an_end_and_may_be_answered),
        TEST(an_end_without_announcement_is_told_apart),
        TEST(shutdown_announces_the_end_after_all_that_is_queued),
        TEST(a_close_announces_the_end_only_if_all_was_sent),
        TEST(a_reset_announces_nothing),
        TEST(every_callback_may_close),
        TEST(a_peer_that_resets_in_the_middle_is_an_error),
        TEST(what_is_queued_after_the_end_breaks_the_stream),
        TEST(a_broken_record_is_an_error_with_an_alert),
    };

    return cmocka_run_group_tests(tests, tls_net_setup, tls_teardown);
}
