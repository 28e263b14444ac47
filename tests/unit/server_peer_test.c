/* SPDX-License-Identifier: Apache-2.0 */
/* Who the other end is, over each kind of socket, and while the connection is
 * there as well as after. */
#include "server_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

struct seen {
    char ip[64];
    char client[64];
    int port;
    volo_cx *_Atomic cx;
};

static void
copy(char *to, volo_str s)
{
    assert_true(s.ptr && s.len < 64);
    memcpy(to, s.ptr, s.len);
    to[s.len] = 0;
}

static void
look(volo_cx *cx, void *user)
{
    struct seen *seen = user;

    copy(seen->ip, volo_cx_peer_ip(cx));
    seen->port = volo_cx_peer_port(cx);
    assert_str(volo_cx_client_ip(cx), seen->ip);
    assert_int_equal(volo_cx_set_client_ip(cx, VOLO_STR("192.0.2.9")), 0);
    copy(seen->client, volo_cx_client_ip(cx));
    assert_str(volo_cx_peer_ip(cx), seen->ip);
    volo_reply_text(cx, "ok");
}

static void
ask(volo_service_fn fn, const char *address, const struct sockaddr *to,
    socklen_t len, struct seen *seen, struct sockaddr_storage *own)
{
    volo_server *server = server_of(fn, seen, address);
    struct sockaddr_storage addr;
    socklen_t own_len = sizeof *own;
    int fd = socket(to->sa_family, SOCK_STREAM, 0);
    uint16_t port = htons((uint16_t)volo_server_port(server, 0));

    memcpy(&addr, to, len);
    if (to->sa_family == AF_INET)
        ((struct sockaddr_in *)&addr)->sin_port = port;
    if (to->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)&addr)->sin6_port = port;
    assert_int_equal(volo_server_start(server), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)own, &own_len), 0);
    say(fd, GET("/"));
    assert_non_null(strstr(hear(fd, "\r\n\r\nok", 1), " 200 "));
    close(fd);
    volo_server_free(server);
}

static void
test_an_ipv4_peer_has_its_address_and_port(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_storage own;
    struct seen seen = {.port = -1};

    (void)state;
    ask(look, "127.0.0.1:0", (struct sockaddr *)&to, sizeof to, &seen, &own);
    assert_string_equal(seen.ip, "127.0.0.1");
    assert_string_equal(seen.client, "192.0.2.9");
    assert_int_equal(seen.port, ntohs(((struct sockaddr_in *)&own)->sin_port));
}

static int
has_ipv6(void)
{
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    int ok = fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

static void
test_an_ipv6_peer_has_its_address_and_port(void **state)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_storage own;
    struct seen seen = {.port = -1};

    (void)state;
    if (!has_ipv6())
        skip();
    ask(look, "[::1]:0", (struct sockaddr *)&to, sizeof to, &seen, &own);
    assert_string_equal(seen.ip, "::1");
    assert_int_equal(seen.port,
                     ntohs(((struct sockaddr_in6 *)&own)->sin6_port));
}

static void
test_an_ipv4_peer_of_an_ipv6_listener_is_an_ipv4_one(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    struct sockaddr_storage own;
    struct seen seen = {.port = -1};
    socklen_t len = sizeof any;
    char address[32];
    int off = 0, fd;

    (void)state;
    if (!has_ipv6())
        skip();
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    any.sin6_addr = (struct in6_addr){
        .s6_addr = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1}};
    assert_int_equal(bind(fd, (struct sockaddr *)&any, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    snprintf(address, sizeof address, "fd:%d", fd);
    ask(look, address, (struct sockaddr *)&to, sizeof to, &seen, &own);
    assert_string_equal(seen.ip, "127.0.0.1");
}

static void
test_a_unix_peer_has_neither(void **state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/volo-peer-XXXXXX", address[64];
    struct sockaddr_storage own;
    struct seen seen = {.port = -1};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(to.sun_path, sizeof to.sun_path, "%s/s", dir);
    snprintf(address, sizeof address, "unix:%s/s", dir);
    ask(look, address, (struct sockaddr *)&to, sizeof to, &seen, &own);
    rmdir(dir);
    assert_string_equal(seen.ip, "unix");
    assert_int_equal(seen.port, 0);
}

static void
keep(volo_cx *cx, void *user)
{
    ((struct seen *)user)->cx = volo_cx_ref(cx);
}

static void
test_an_owner_may_ask_when_the_peer_has_left(void **state)
{
    struct seen seen = {.cx = NULL};
    volo_server *server = server_of(keep, &seen, "127.0.0.1:0");
    int fd;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    fd = dial(server);
    say(fd, GET("/"));
    while (!seen.cx)
        usleep(200);
    close(fd);
    while (volo_server_stat(server, VOLO_STAT_CONNECTIONS) > 0)
        usleep(200);
    assert_int_equal(volo_cx_is_canceled(seen.cx), 1);
    assert_str(volo_cx_peer_ip(seen.cx), "127.0.0.1");
    assert_true(volo_cx_peer_port(seen.cx) > 0);
    assert_str(volo_cx_path(seen.cx), "/");
    volo_cx_unref(seen.cx);
    volo_server_free(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_ipv4_peer_has_its_address_and_port),
        cmocka_unit_test(test_an_ipv6_peer_has_its_address_and_port),
        cmocka_unit_test(test_an_ipv4_peer_of_an_ipv6_listener_is_an_ipv4_one),
        cmocka_unit_test(test_a_unix_peer_has_neither),
        cmocka_unit_test(test_an_owner_may_ask_when_the_peer_has_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
