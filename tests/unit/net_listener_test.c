/* SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "net/listener.h"

enum { MANY = 200 };

struct hall {
    struct volo__listener l; /* first */
    struct rig rig;
    struct volo__address address;
    int fds[MANY];
    int accepted, closes, last_turn, most_in_a_turn, in_turn;
    int pause_at, close_at;
};

static void
on_closed(struct volo__listener *l)
{
    ((struct hall *)l->user)->closes++;
}

static void
on_accept(struct volo__listener *l, int fd, const struct sockaddr *addr,
          socklen_t len)
{
    struct hall *h = l->user;
    int turn = (int)h->rig.loop->iterations;

    assert_ptr_equal(volo__here, l->home);
    assert_true(len >= sizeof(sa_family_t));
    assert_true(addr->sa_family == AF_INET || addr->sa_family == AF_UNIX);
    h->in_turn = turn == h->last_turn ? h->in_turn + 1 : 1;
    h->last_turn = turn;
    if (h->in_turn > h->most_in_a_turn)
        h->most_in_a_turn = h->in_turn;
    h->fds[h->accepted++] = fd;
    if (h->accepted == h->pause_at)
        volo__listener_pause(l, 1);
    if (h->accepted == h->close_at)
        volo__listener_close(l, on_closed);
}

static struct hall *
hall_open(const char *text)
{
    struct hall *h = calloc(1, sizeof *h);
    char why[256];

    rig_open(&h->rig);
    assert_int_equal(volo__address_bind(&h->address, text, why, sizeof why), 0);
    assert_int_equal(volo__listener_open(&h->l, &h->rig.loop->home, &h->address,
                                         1, 512, on_accept),
                     0);
    h->l.user = h;
    return h;
}

static void
hall_close(struct hall *h)
{
    int i;

    volo__listener_close(&h->l, on_closed);
    volo__address_close(&h->address);
    for (i = 0; i < h->accepted; i++)
        close(h->fds[i]);
    rig_close(&h->rig);
    assert_int_equal(h->closes, 1);
    free(h);
}

static int
knock(const struct hall *h)
{
    int fd = socket(h->address.addr.ss_family, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(
        connect(fd, (const struct sockaddr *)&h->address.addr, h->address.len),
        0);
    return fd;
}

static void
test_connections_are_accepted_ready_for_use(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    int fd = knock(h), on = 0;
    socklen_t len = sizeof on;

    (void)state;
    turn_until(&h->rig, h->accepted);
    assert_true(fcntl(h->fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(h->fds[0], F_GETFD) & FD_CLOEXEC);
    getsockopt(h->fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &len);
    assert_int_not_equal(on, 0);
    close(fd);
    hall_close(h);
}

static void
test_unix_connections_are_accepted(void **state)
{
    struct hall *h = hall_open("unix:@volo-listener-test");
    int fd = knock(h);

    (void)state;
    turn_until(&h->rig, h->accepted);
    close(fd);
    hall_close(h);
}

static void
test_a_crowd_is_let_in_by_64(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    int fds[150], i;

    (void)state;
    for (i = 0; i < 150; i++)
        fds[i] = knock(h);
    turn_until(&h->rig, h->accepted == 150);
    assert_int_equal(h->most_in_a_turn, 64);
    for (i = 0; i < 150; i++)
        close(fds[i]);
    hall_close(h);
}

static void
test_a_paused_listener_accepts_nothing_until_it_goes_on(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    int a = knock(h), b = knock(h);
    uint64_t before;

    (void)state;
    h->pause_at = 1;
    turn_until(&h->rig, h->accepted);
    rig_turn(&h->rig);
    assert_int_equal(h->accepted, 1);
    before = h->rig.loop->iterations;
    volo__loop_step(h->rig.loop, 50);
    assert_in_range(h->rig.loop->iterations - before, 1, 3);
    volo__listener_pause(&h->l, 0);
    turn_until(&h->rig, h->accepted == 2);
    close(a);
    close(b);
    hall_close(h);
}

static void
test_a_listener_may_be_closed_by_what_it_accepts(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    int a = knock(h), b = knock(h);

    (void)state;
    h->close_at = 1;
    turn_until(&h->rig, h->closes);
    assert_int_equal(h->accepted, 1);
    close(a);
    close(b);
    hall_close(h);
}

/* Use up all descriptors below a lower limit. */
static int
use_up(int *fds, int most)
{
    struct rlimit limit;
    int n = 0;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (n < most && (fds[n] = dup(0)) >= 0)
        n++;
    assert_int_equal(errno, EMFILE);
    return n;
}

static void
give_back(int *fds, int n, const struct rlimit *limit)
{
    while (n > 0)
        close(fds[--n]);
    setrlimit(RLIMIT_NOFILE, limit);
}

static void
test_out_of_descriptors_one_is_refused_and_it_pauses(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    struct rlimit limit;
    int fds[64], n, first, second;
    char byte;
    uint64_t due;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    first = knock(h);
    second = knock(h);
    rig_turn(&h->rig);
    assert_int_equal(h->accepted, 2);
    close(first);
    close(second);
    first = knock(h);
    second = knock(h);
    n = use_up(fds, 64);

    /* One of those who wait is told at once; the other may stay. */
    turn_until(&h->rig, h->l.pauses);
    due = h->rig.loop->home.now_ms + 100;
    assert_int_equal(recv(first, &byte, 1, 0), 0);
    assert_int_equal(h->accepted, 2);
    assert_true(h->rig.loop->spare_fd >= 0);

    /* It does not spin: once in a hundred milliseconds. */
    while (h->rig.loop->home.now_ms < due - 1)
        volo__loop_step(h->rig.loop, 10);
    assert_true(h->l.wakes <= 3);
    give_back(fds, n, &limit);
    turn_until(&h->rig, h->accepted == 3);
    assert_in_range(h->l.pauses, 1, 2);
    close(first);
    close(second);
    hall_close(h);
}

static void
test_closing_a_listener_that_pauses_stops_its_timer(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    struct rlimit limit;
    int fds[64], n, fd = knock(h);

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    n = use_up(fds, 64);
    turn_until(&h->rig, h->l.pauses);
    assert_int_equal(h->rig.loop->home.wheel.count, 1);
    volo__listener_close(&h->l, on_closed);
    assert_int_equal(h->rig.loop->home.wheel.count, 0);
    give_back(fds, n, &limit);
    close(fd);
    hall_close(h);
}

static void
test_each_loop_has_a_socket_of_its_own_on_a_tcp_address(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");
    struct hall *other = calloc(1, sizeof *other);
    int fds[64], i;

    (void)state;
    other->rig.descriptors = open_descriptors();
    assert_int_equal(volo__loop_new(&other->rig.loop, NULL), 0);
    assert_int_equal(volo__listener_open(&other->l, &other->rig.loop->home,
                                         &h->address, 0, 512, on_accept),
                     0);
    other->l.user = other;
    for (i = 0; i < 64; i++)
        fds[i] = knock(h);
    rig_turn(&h->rig);
    rig_turn(&other->rig);
    assert_int_equal(h->accepted + other->accepted, 64);
    assert_true(h->accepted > 0);
    assert_true(other->accepted > 0);
    for (i = 0; i < 64; i++)
        close(fds[i]);
    for (i = 0; i < other->accepted; i++)
        close(other->fds[i]);
    volo__listener_close(&other->l, on_closed);
    assert_int_equal(volo__loop_close(other->rig.loop), 0);
    assert_int_equal(other->closes, 1);
    free(other);
    hall_close(h);
}

static void
test_two_loops_share_a_unix_socket(void **state)
{
    struct hall *h = hall_open("unix:@volo-listener-test");
    struct volo__listener l;
    struct hall second = {.rig = h->rig};
    int a, b;

    (void)state;
    assert_int_equal(volo__listener_open(&l, &h->rig.loop->home, &h->address, 0,
                                         512, on_accept),
                     0);
    l.user = &second;
    a = knock(h);
    b = knock(h);
    turn_until(&h->rig, h->accepted + second.accepted == 2);
    close(a);
    close(b);
    while (second.accepted > 0)
        close(second.fds[--second.accepted]);
    volo__listener_close(&l, on_closed);
    hall_close(h);
    assert_int_equal(second.closes, 1);
}

static void
test_a_paused_listener_holds_its_loop(void **state)
{
    struct hall *h = hall_open("127.0.0.1:0");

    (void)state;
    volo__listener_pause(&h->l, 1);
    assert_true(uv_loop_alive(h->rig.loop->uv));
    volo__listener_close(&h->l, on_closed);
    volo__loop_run(h->rig.loop);
    assert_int_equal(h->closes, 1);
    hall_close(h);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connections_are_accepted_ready_for_use),
        TEST(unix_connections_are_accepted),
        TEST(a_crowd_is_let_in_by_64),
        TEST(a_paused_listener_accepts_nothing_until_it_goes_on),
        TEST(a_listener_may_be_closed_by_what_it_accepts),
        TEST(out_of_descriptors_one_is_refused_and_it_pauses),
        TEST(closing_a_listener_that_pauses_stops_its_timer),
        TEST(each_loop_has_a_socket_of_its_own_on_a_tcp_address),
        TEST(two_loops_share_a_unix_socket),
        TEST(a_paused_listener_holds_its_loop),
    };

    return cmocka_run_group_tests(tests, net_setup, NULL);
}
