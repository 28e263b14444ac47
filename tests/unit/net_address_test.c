/* SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "net/listener.h"

static char why[256];

static int
try(const char *text)
{
    struct volo__address a;
    int descriptors = open_descriptors();
    int err;

    why[0] = '\0';
    err = volo__address_bind(&a, text, why, sizeof why);
    if (err == 0)
        volo__address_close(&a);
    assert_int_equal(open_descriptors(), descriptors);
    return err;
}

static void
must_bind(struct volo__address *a, const char *text)
{
    int err = volo__address_bind(a, text, why, sizeof why);

    if (err)
        fail_msg("%s", why);
}

static int
has_ipv6(void)
{
    return try("[::1]:0") == 0;
}

static int
client(int family, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    int fd = socket(family, SOCK_STREAM, 0), err;

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in6.sin6_addr = in6addr_loopback;
    in.sin_port = in6.sin6_port = htons((uint16_t)port);
    if (family == AF_INET)
        err = connect(fd, (struct sockaddr *)&in, sizeof in);
    else
        err = connect(fd, (struct sockaddr *)&in6, sizeof in6);
    close(fd);
    return err;
}

static void
test_what_is_no_address_is_refused_with_words(void **state)
{
    static const char *const wrong[] = {
        "",
        "8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 80",
        "127.0.0.1:80 ",
        "127.0.0.1:0x50",
        "127.0.0.1:123456",
        "127.0.0.1:18446744073709551616",
        "127.0.0.256:0",
        "127.1:0",
        " 127.0.0.1:0",
        "::1:0",
        "[::1]",
        "[::1]0",
        "[::1:0",
        "::1]:0",
        "[127.0.0.1]:0",
        "[]:0",
        "[:::1]:0",
        "[::1]]:0",
        "example.com:0",
        "LOCALHOST:0",
        "localhost",
        "http://127.0.0.1:0",
        "*:0",
        "unix:",
        "unix:@",
        "fd:",
        "fd:-1",
        "fd:3x",
        "fd:4294967296",
        "fd:99999999999999999999",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (try(wrong[i]) != VOLO_EINVAL)
            fail_msg("'%s' is taken", wrong[i]);
        assert_int_equal(strncmp(why, wrong[i], strlen(wrong[i])), 0);
        assert_true(strlen(why) > strlen(wrong[i]) + 2);
    }
}

static void
test_words_fit_where_they_go(void **state)
{
    struct volo__address a;
    char tiny[5] = "....";

    (void)state;
    assert_int_equal(volo__address_bind(&a, "nonsense", tiny, sizeof tiny),
                     VOLO_EINVAL);
    assert_string_equal(tiny, "nons");
    assert_int_equal(volo__address_bind(&a, "nonsense", NULL, 0), VOLO_EINVAL);
}

static void
test_port_zero_becomes_a_free_port(void **state)
{
    struct volo__address a;

    (void)state;
    must_bind(&a, "127.0.0.1:0");
    assert_in_range(volo__address_port(&a), 1, 65535);
    assert_int_equal(client(AF_INET, volo__address_port(&a)), 0);
    volo__address_close(&a);
    volo__address_close(&a);
}

static void
test_localhost_is_this_machine_alone(void **state)
{
    struct volo__address a;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a.addr;

    (void)state;
    must_bind(&a, "localhost:0");
    assert_int_equal(in->sin_family, AF_INET);
    assert_int_equal(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    volo__address_close(&a);
}

static void
test_ipv6_in_brackets(void **state)
{
    struct volo__address a;

    (void)state;
    if (!has_ipv6())
        skip();
    must_bind(&a, "[::1]:0");
    assert_int_equal(client(AF_INET6, volo__address_port(&a)), 0);
    volo__address_close(&a);
}

static void
test_an_address_that_is_taken_is_in_use(void **state)
{
    struct volo__address a;
    char text[64];
    int more;

    (void)state;
    must_bind(&a, "127.0.0.1:0");
    snprintf(text, sizeof text, "127.0.0.1:%d", volo__address_port(&a));

    /* Though both would share the port between their own loops. */
    assert_int_equal(try(text), VOLO_EADDRINUSE);
    assert_non_null(strstr(why, "in use"));
    more = volo__address_socket(&a);
    assert_true(more >= 0);
    assert_int_equal(listen(more, 1), 0);
    assert_int_equal(try(text), VOLO_EADDRINUSE);
    close(more);
    volo__address_close(&a);
    assert_int_equal(try(text), 0);
}

static void
test_an_address_of_another_machine_is_refused(void **state)
{
    (void)state;
    assert_int_equal(try("192.0.2.1:0"), VOLO_EIO);
    assert_true(strlen(why) > 20);
}

static void
test_sockets_are_non_blocking_and_close_on_exec(void **state)
{
    static const char *const texts[] = {"127.0.0.1:0", "unix:@volo-net-test"};
    struct volo__address a;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        must_bind(&a, texts[i]);
        assert_true(fcntl(a.fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
        volo__address_close(&a);
    }
}

/* ---- Unix sockets -------------------------------------------------------- */

static char dir[64], path[128], text[160];

static int
make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/volo-net-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/sock", dir);
    snprintf(text, sizeof text, "unix:%s", path);
    return 0;
}

static int
drop_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void
test_a_unix_socket_goes_with_its_server(void **state)
{
    struct volo__address a;
    struct stat st;

    (void)state;
    must_bind(&a, text);
    assert_int_equal(volo__address_port(&a), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    volo__address_close(&a);
    assert_int_equal(lstat(path, &st), -1);
}

static void
test_a_live_unix_socket_is_in_use(void **state)
{
    struct volo__address a;

    (void)state;
    must_bind(&a, text);
    assert_int_equal(try(text), VOLO_EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    volo__address_close(&a);
}

static void
test_a_stale_unix_socket_is_replaced(void **state)
{
    struct volo__address a;

    (void)state;
    must_bind(&a, text);
    close(a.fd); /* as if its process had died */
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(try(text), 0);
}

static void
test_a_file_is_never_unlinked(void **state)
{
    char target[sizeof path + 8];
    struct stat st;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    (void)state;
    assert_int_equal(write(fd, "keep", 4), 4);
    close(fd);
    assert_int_equal(try(text), VOLO_EADDRINUSE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);

    /* Nor a link, nor what it points to. */
    snprintf(target, sizeof target, "%s.file", path);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(try(text), VOLO_EADDRINUSE);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(stat(target, &st), 0);
    unlink(target);
}

static void
test_the_socket_of_a_successor_is_left_alone(void **state)
{
    struct volo__address a, b;

    (void)state;
    must_bind(&a, text);
    unlink(path);
    must_bind(&b, text);
    volo__address_close(&a);
    assert_int_equal(access(path, F_OK), 0);
    volo__address_close(&b);
    assert_int_equal(access(path, F_OK), -1);
}

static void
test_a_unix_path_is_measured(void **state)
{
    char longest[256] = "unix:";
    size_t room = sizeof((struct sockaddr_un *)0)->sun_path;

    (void)state;
    memset(longest + 5, 'a', room);
    longest[5] = '@';
    assert_int_equal(try(longest), VOLO_EINVAL);
    longest[5 + room - 1] = '\0';
    assert_int_equal(try(longest), 0);
    assert_int_equal(try("unix:/nowhere/at/all/sock"), VOLO_EIO);
}

static void
test_an_abstract_name_is_taken_once(void **state)
{
    struct volo__address a;

    (void)state;
    must_bind(&a, "unix:@volo-net-test");
    assert_int_equal(try("unix:@volo-net-test"), VOLO_EADDRINUSE);
    volo__address_close(&a);
    assert_int_equal(try("unix:@volo-net-test"), 0);
}

/* ---- Handed over --------------------------------------------------------- */

static int
try_fd(int fd)
{
    char name[32];
    struct volo__address a;
    int err;

    snprintf(name, sizeof name, "fd:%d", fd);
    err = volo__address_bind(&a, name, why, sizeof why);
    if (err == 0)
        volo__address_close(&a);
    return err;
}

static void
test_only_a_listening_socket_is_taken_over(void **state)
{
    int pair[2], fd;

    (void)state;
    assert_int_equal(try_fd(1000000), VOLO_EINVAL);
    fd = open("/dev/null", O_RDONLY);
    assert_int_equal(try_fd(fd), VOLO_EINVAL);
    assert_int_not_equal(fcntl(fd, F_GETFD), -1);
    close(fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(try_fd(pair[0]), VOLO_EINVAL);
    close(pair[0]);
    close(pair[1]);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(try_fd(fd), VOLO_EINVAL);
    close(fd);
}

static void
test_a_listening_socket_is_taken_over(void **state)
{
    struct volo__address given, a;
    char name[32];
    int port;

    (void)state;
    must_bind(&given, "127.0.0.1:0");
    port = volo__address_port(&given);
    fcntl(given.fd, F_SETFL, 0);
    fcntl(given.fd, F_SETFD, 0);
    snprintf(name, sizeof name, "fd:%d", given.fd);
    must_bind(&a, name);
    assert_int_equal(a.fd, given.fd);
    assert_true(a.shared);
    assert_int_equal(volo__address_port(&a), port);
    assert_true(fcntl(a.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
    volo__address_close(&a);
    assert_int_equal(fcntl(given.fd, F_GETFD), -1);
}

static void
test_a_port_alone_is_every_address_of_both_families(void **state)
{
    struct volo__address a;
    int port;

    (void)state;
    must_bind(&a, ":0");
    port = volo__address_port(&a);
    assert_int_equal(client(AF_INET, port), 0);
    if (has_ipv6())
        assert_int_equal(client(AF_INET6, port), 0);
    volo__address_close(&a);
}

#define TEST(name) cmocka_unit_test(test_##name)
#define TEST_IN_DIR(name) \
    cmocka_unit_test_setup_teardown(test_##name, make_dir, drop_dir)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_address_is_refused_with_words),
        TEST(words_fit_where_they_go),
        TEST(port_zero_becomes_a_free_port),
        TEST(localhost_is_this_machine_alone),
        TEST(ipv6_in_brackets),
        TEST(an_address_that_is_taken_is_in_use),
        TEST(an_address_of_another_machine_is_refused),
        TEST(sockets_are_non_blocking_and_close_on_exec),
        TEST_IN_DIR(a_unix_socket_goes_with_its_server),
        TEST_IN_DIR(a_live_unix_socket_is_in_use),
        TEST_IN_DIR(a_stale_unix_socket_is_replaced),
        TEST_IN_DIR(a_file_is_never_unlinked),
        TEST_IN_DIR(the_socket_of_a_successor_is_left_alone),
        TEST(a_unix_path_is_measured),
        TEST(an_abstract_name_is_taken_once),
        TEST(only_a_listening_socket_is_taken_over),
        TEST(a_listening_socket_is_taken_over),
        TEST(a_port_alone_is_every_address_of_both_families),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
