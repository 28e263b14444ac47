/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a stream: handshakes, octets both ways, and ends. */
#include "net_tls_support.h"

#define assert_text(got, want)                         \
    do {                                               \
        volo_str got_ = (got);                         \
        assert_non_null(got_.ptr);                     \
        assert_int_equal(got_.len, strlen(want));      \
        assert_memory_equal(got_.ptr, want, got_.len); \
    } while (0)

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define each_version(i) for ((i) = 0; (i) < 2; (i)++)

static char *
pattern(size_t len)
{
    char *big = malloc(len);
    size_t i;

    for (i = 0; i < len; i++)
        big[i] = (char)(i * 7 + i / 251);
    return big;
}

/* ---- Handshakes ---------------------------------------------------------- */

static void
test_a_handshake_secures_and_octets_pass_both_ways(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(versions[i]));
        line_connect(&l, "first.test");
        assert_int_equal(line_shake(&l), 1);
        assert_int_equal(volo__stream_tls(&l.end->s)->version, 12 + i);
        assert_text(volo__stream_tls(&l.end->s)->server_name, "first.test");
        assert_false(volo__stream_tls(&l.end->s)->resumed);
        assert_false(volo__stream_tls(&l.end->s)->verified);
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
test_alpn_goes_by_the_servers_order(void **state)
{
    static const unsigned char offer[] = "\x08http/1.1\x02h2";
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(versions[i]));
        SSL_CTX_set_alpn_protos(l.ctx, offer, sizeof offer - 1);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        assert_text(volo__stream_alpn(&l.end->s), "h2");
        line_close(&l);
    }
}

/* ---- Octets -------------------------------------------------------------- */

enum { BIG = 3 << 20 };

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
        line_open(&l, tls_make(), client_context(versions[i]));
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
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
        line_close(&l);
    }
    free(big);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_handshake_secures_and_octets_pass_both_ways),
        TEST(alpn_goes_by_the_servers_order),
        TEST(much_passes_both_ways_through_narrow_sockets),
    };

    return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
