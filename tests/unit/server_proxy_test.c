/* SPDX-License-Identifier: Apache-2.0 */
/* The PROXY protocol: what a header says, however it comes, and who may say
 * it. */
#include "server_support.h"

#include <netinet/tcp.h>
#include <stdio.h>

#include "http/cx.h"
#include "server/networks.h"
#include "server/proxy.h"

#define V1 "PROXY TCP4 192.0.2.9 198.51.100.1 4321 443\r\n"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD(command, kind, size) SIGNATURE command kind "\0" size
#define V2                          \
    V2_HEAD("\x21", "\x11", "\x0c") \
    "\xc0\0\2\x09\xc6\x33\x64\1\x10\xe1\1\xbb"
#define LEN(text) (sizeof(text) - 1)

static struct volo__peer peer;

static int
parse(const char *ptr, size_t len)
{
    peer = (struct volo__peer){.family = 4, .port = 1, .addr = {127, 0, 0, 1}};
    return volo__proxy_parse(&peer, ptr, len);
}

static int
is_peer(int family, const char *addr, int port)
{
    uint8_t want[16] = {0};

    inet_pton(family == 4 ? AF_INET : AF_INET6, addr, want);
    return peer.family == family && !memcmp(peer.addr, want, 16) &&
           peer.port == port;
}

/* ---- What it says -------------------------------------------------------- */

static void
test_version_1_names_a_client(void **state)
{
    static const char six[] = "PROXY TCP6 2001:db8::9 2001:db8::1 4321 443\r\n";
    static const char mapped[] = "PROXY TCP6 ::ffff:192.0.2.9 ::1 4321 443\r\n";

    (void)state;
    assert_int_equal(parse(V1 "GET", LEN(V1) + 3), LEN(V1));
    assert_true(is_peer(4, "192.0.2.9", 4321));
    assert_int_equal(parse(six, LEN(six)), LEN(six));
    assert_true(is_peer(6, "2001:db8::9", 4321));
    assert_int_equal(parse(mapped, LEN(mapped)), LEN(mapped));
    assert_true(is_peer(4, "192.0.2.9", 4321));
}

static void
test_version_2_names_a_client(void **state)
{
    static const char six[] =
        V2_HEAD("\x21", "\x21",
                "\x24") "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
                        "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x10\xe1\1\xbb";

    (void)state;
    assert_int_equal(parse(V2 "GET", LEN(V2) + 3), LEN(V2));
    assert_true(is_peer(4, "192.0.2.9", 4321));
    assert_int_equal(parse(six, LEN(six)), LEN(six));
    assert_true(is_peer(6, "2001:db8::9", 4321));
}

static void
test_what_follows_the_addresses_is_passed_over(void **state)
{
    static const char more[] =
        V2_HEAD("\x21", "\x11",
                "\x13") "\xc0\0\2\x09\xc6\x33\x64\1\x10\xe1\1\xbb\1\0\4h2ab";

    (void)state;
    assert_int_equal(parse(more, LEN(more)), LEN(more));
    assert_true(is_peer(4, "192.0.2.9", 4321));
}

static void
test_a_header_may_name_nobody(void **state)
{
    static const char unknown[] = "PROXY UNKNOWN\r\n";
    static const char chatty[] = "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n";
    static const char local[] = V2_HEAD("\x20", "\x11", "\x0c") "123456789012";
    static const char unspec[] = V2_HEAD("\x21", "\0", "\0");

    (void)state;
    assert_int_equal(parse(unknown, LEN(unknown)), LEN(unknown));
    assert_true(is_peer(4, "127.0.0.1", 1));
    assert_int_equal(parse(chatty, LEN(chatty)), LEN(chatty));
    assert_true(is_peer(4, "127.0.0.1", 1));
    assert_int_equal(parse(local, LEN(local)), LEN(local));
    assert_true(is_peer(4, "127.0.0.1", 1));
    assert_int_equal(parse(unspec, LEN(unspec)), LEN(unspec));
    assert_true(is_peer(4, "127.0.0.1", 1));
}

static void
test_a_client_may_have_come_over_a_unix_socket(void **state)
{
    char text[16 + 216] = V2_HEAD("\x21", "\x31", "\xd8");

    (void)state;
    assert_int_equal(parse(text, sizeof text), sizeof text);
    assert_int_equal(peer.family, 1);
    assert_int_equal(peer.port, 0);
}

/* Every beginning of a header wants more; none is refused too early. */
static void
test_a_beginning_is_no_header_yet(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LEN(V1); i++)
        assert_int_equal(parse(V1, i), 0);
    for (i = 0; i < LEN(V2); i++)
        assert_int_equal(parse(V2, i), 0);
}

static void
test_what_is_no_header_is_refused(void **state)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP5 192.0.2.9 192.0.2.1 1 2\r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 1\r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 1 2 3\r\n",
        "PROXY TCP4  192.0.2.9 192.0.2.1 1 2\r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 1 2 \r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 01 2\r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 1 65536\r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 -1 2\r\n",
        "PROXY TCP4 192.0.2 192.0.2.1 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.9 192.0.2.1 1 2\r\n",
        "PROXY TCP4 192.0.2.9 192.0.2.1 1 2\n",
        "PROXY UNKNOWNS\r\n",
        "proxy TCP4 192.0.2.9 192.0.2.1 1 2\r\n",
    };
    char endless[VOLO__PROXY_V1_LIMIT + 1];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(parse(texts[i], strlen(texts[i])), VOLO_EPROTO);
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(endless, VOLO__PROXY_V1_LIMIT - 1), 0);
    assert_int_equal(parse(endless, VOLO__PROXY_V1_LIMIT), VOLO_EPROTO);
}

static void
test_what_is_no_header_of_version_2_is_refused(void **state)
{
    static const char version[] = SIGNATURE "\x11";
    static const char command[] = SIGNATURE "\x22";
    static const char datagram[] =
        V2_HEAD("\x21", "\x12", "\x0c") "123456789012";
    static const char small[] = V2_HEAD("\x21", "\x11", "\x0b") "12345678901";
    static const char family[] = V2_HEAD("\x21", "\x41", "\0");
    static const char large[] = SIGNATURE "\x21\x11\x08\1";
    static const char wrong[] = "\r\n\r\n\0\r\nQUIX";

    (void)state;
    assert_int_equal(parse(version, LEN(version)), VOLO_EPROTO);
    assert_int_equal(parse(command, LEN(command)), VOLO_EPROTO);
    assert_int_equal(parse(datagram, LEN(datagram)), VOLO_EPROTO);
    assert_int_equal(parse(small, LEN(small)), VOLO_EPROTO);
    assert_int_equal(parse(family, LEN(family)), VOLO_EPROTO);
    assert_int_equal(parse(large, LEN(large)), VOLO_EPROTO);
    assert_int_equal(parse(wrong, LEN(wrong)), VOLO_EPROTO);
}

/* ---- Who may say it ------------------------------------------------------ */

static int
trusted(const char *networks, int family, const char *addr)
{
    struct volo__networks list;
    int rc;

    peer = (struct volo__peer){.family = (uint8_t)family};
    if (addr)
        inet_pton(family == 4 ? AF_INET : AF_INET6, addr, peer.addr);
    assert_int_equal(volo__networks_parse(&list, networks), 0);
    rc = volo__networks_have(&list, &peer);
    volo__networks_fini(&list);
    return rc;
}

static void
test_networks_have_those_that_are_in_them(void **state)
{
    (void)state;
    assert_true(trusted("10.0.0.0/8", 4, "10.255.0.1"));
    assert_false(trusted("10.0.0.0/8", 4, "11.0.0.1"));
    assert_true(trusted("::1, 192.0.2.128/25", 4, "192.0.2.255"));
    assert_false(trusted("::1, 192.0.2.128/25", 4, "192.0.2.127"));
    assert_true(trusted("2001:db8::/33", 6, "2001:db8:7fff::1"));
    assert_false(trusted("2001:db8::/33", 6, "2001:db8:8000::1"));
    assert_true(trusted("0.0.0.0/0", 4, "203.0.113.7"));
    assert_false(trusted("0.0.0.0/0", 6, "::1"));
    assert_true(trusted("unix", 1, NULL));
    assert_false(trusted("127.0.0.1", 1, NULL));
    assert_false(trusted("", 4, "127.0.0.1"));
}

static void
test_networks_that_make_no_sense_are_refused(void **state)
{
    static const char *const texts[] = {"10.0.0.0/33", "10.0.0/8",  "::1/129",
                                        "10.0.0.1,",   ",10.0.0.1", "host",
                                        "10.0.0.0/",   "10.0.0.0/x"};
    struct volo__networks list;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(volo__networks_parse(&list, texts[i]), VOLO_EINVAL);
}

/* ---- A server ------------------------------------------------------------ */

static void
say_peer(volo_cx *cx, void *user)
{
    char text[128];
    volo_str ip = volo_cx_peer_ip(cx);

    (void)user;
    snprintf(text, sizeof text, "<%.*s %d>", (int)ip.len, ip.ptr,
             volo_cx_peer_port(cx));
    volo_cx_set_body(cx, volo_str_of(text));
    volo_cx_answer(cx);
}

static volo_server *
behind(const char *networks)
{
    volo_server *server = server_of(say_peer, NULL, "127.0.0.1:0");

    assert_int_equal(volo_server_trust_proxy(server, 0, networks), 0);
    assert_int_equal(
        volo_server_set(server, VOLO_SERVER_HANDSHAKE_TIMEOUT, 200), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

static void
test_a_request_comes_from_whom_the_header_names(void **state)
{
    volo_server *server = behind("127.0.0.0/8");
    int fd = dial(server);

    (void)state;
    say(fd, V1 GET("/") GET("/"));
    assert_non_null(strstr(hear(fd, ">", 2), "<192.0.2.9 4321>"));
    close(fd);
    fd = dial(server);
    assert_int_equal(write(fd, V2 GET("/"), LEN(V2 GET("/"))),
                     LEN(V2 GET("/")));
    assert_non_null(strstr(hear(fd, ">", 1), "<192.0.2.9 4321>"));
    close(fd);
    volo_server_free(server);
}

static void
test_a_header_may_come_octet_by_octet(void **state)
{
    static const char text[] = V1 GET("/");
    volo_server *server = behind("127.0.0.1");
    int fd = dial(server), yes = 1;
    size_t i;

    (void)state;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    for (i = 0; i < LEN(text); i++) {
        assert_int_equal(write(fd, text + i, 1), 1);
        if (i % 8 == 0)
            usleep(300);
    }
    assert_non_null(strstr(hear(fd, ">", 1), "<192.0.2.9 4321>"));
    close(fd);
    volo_server_free(server);
}

static void
test_a_proxy_that_does_not_say_for_whom_is_not_served(void **state)
{
    volo_server *server = behind("127.0.0.1");
    int fd = dial(server);

    (void)state;
    say(fd, GET("/"));
    end_of(fd);
    close(fd);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_PROXY_REFUSED), 1);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_REQUESTS), 0);
    volo_server_free(server);
}

static void
test_a_proxy_that_says_nothing_is_given_up(void **state)
{
    volo_server *server = behind("127.0.0.1");
    int fd = dial(server);

    (void)state;
    say(fd, "PROXY TCP4 ");
    assert_int_equal(end_of(fd), 0);
    close(fd);
    stop_and_wait(server);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_TIMEOUTS), 1);
    volo_server_free(server);
}

static void
test_a_header_from_who_is_not_trusted_is_a_bad_request(void **state)
{
    volo_server *server = behind("192.0.2.0/24");
    int fd = dial(server);

    (void)state;
    say(fd, GET("/"));
    assert_non_null(strstr(hear(fd, ">", 1), "<127.0.0.1 "));
    close(fd);
    fd = dial(server);
    say(fd, V1 GET("/"));
    assert_non_null(strstr(hear(fd, "\r\n\r\n", 1), "HTTP/1.1 400 "));
    close(fd);
    volo_server_free(server);
}

/* Each client has its own count, and the proxy none. */
static void
test_clients_behind_a_proxy_are_counted_by_their_addresses(void **state)
{
    volo_server *server = server_of(say_peer, NULL, "127.0.0.1:0");
    int one, two, three;

    (void)state;
    assert_int_equal(volo_server_trust_proxy(server, 0, "127.0.0.1"), 0);
    assert_int_equal(volo_server_set(server, VOLO_SERVER_MAX_PER_ADDRESS, 1),
                     0);
    assert_int_equal(volo_server_start(server), 0);
    one = dial(server);
    say(one, V1 GET("/"));
    assert_non_null(strstr(hear(one, ">", 1), "<192.0.2.9 4321>"));
    two = dial(server);
    say(two, "PROXY TCP4 192.0.2.8 192.0.2.1 1 2\r\n" GET("/"));
    assert_non_null(strstr(hear(two, ">", 1), "<192.0.2.8 1>"));
    three = dial(server);
    say(three, V1 GET("/"));
    end_of(three);
    assert_int_equal(volo_server_stat(server, VOLO_STAT_REFUSED), 1);
    close(one);
    close(two);
    close(three);
    volo_server_free(server);
}

static void
test_trust_is_set_up_before_a_server_runs(void **state)
{
    volo_server *server = server_of(say_peer, NULL, "127.0.0.1:0");

    (void)state;
    assert_int_equal(volo_server_trust_proxy(server, 1, "::1"), VOLO_ENOENT);
    assert_int_equal(volo_server_trust_proxy(server, 0, "no"), VOLO_EINVAL);
    assert_int_equal(volo_server_trust_proxy(server, 0, "::1"), 0);
    assert_int_equal(volo_server_trust_proxy(server, 0, NULL), 0);
    assert_int_equal(volo_server_start(server), 0);
    assert_int_equal(volo_server_trust_proxy(server, 0, "::1"), VOLO_EBUSY);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_1_names_a_client),
        cmocka_unit_test(test_version_2_names_a_client),
        cmocka_unit_test(test_what_follows_the_addresses_is_passed_over),
        cmocka_unit_test(test_a_header_may_name_nobody),
        cmocka_unit_test(test_a_client_may_have_come_over_a_unix_socket),
        cmocka_unit_test(test_a_beginning_is_no_header_yet),
        cmocka_unit_test(test_what_is_no_header_is_refused),
        cmocka_unit_test(test_what_is_no_header_of_version_2_is_refused),
        cmocka_unit_test(test_networks_have_those_that_are_in_them),
        cmocka_unit_test(test_networks_that_make_no_sense_are_refused),
        cmocka_unit_test(test_a_request_comes_from_whom_the_header_names),
        cmocka_unit_test(test_a_header_may_come_octet_by_octet),
        cmocka_unit_test(test_a_proxy_that_does_not_say_for_whom_is_not_served),
        cmocka_unit_test(test_a_proxy_that_says_nothing_is_given_up),
        cmocka_unit_test(
            test_a_header_from_who_is_not_trusted_is_a_bad_request),
        cmocka_unit_test(
            test_clients_behind_a_proxy_are_counted_by_their_addresses),
        cmocka_unit_test(test_trust_is_set_up_before_a_server_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
