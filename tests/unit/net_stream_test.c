/* SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/stream.h"

enum { BIG = 3 << 20 };

/* A stream, what its callbacks have seen, and the other end of it. */
struct end {
    struct volo__stream s; /* first */
    struct rig rig;
    int peer;
    char got[256];
    size_t got_len;
    int datas, eofs, errors, drains, closes, released;
    int refill;         /* times that drained writes again */
    const char *answer; /* written in data */
    char close_in;      /* the callback that closes: d e r D f */
    int flush_in_release;
};

static void
maybe_close(struct end *e, char where)
{
    if (e->close_in == where) {
        volo__stream_close(&e->s);
        volo__stream_close(&e->s);
    }
}

static void
on_data(struct volo__stream *s, const char *ptr, size_t len,
        struct volo__block *block)
{
    struct end *e = (struct end *)s;
    size_t keep = sizeof e->got - e->got_len;

    assert_ptr_equal(volo__here, s->home);
    assert_true(ptr >= block->data);
    e->datas++;
    if (keep > len)
        keep = len;
    memcpy(e->got + e->got_len, ptr, keep);
    e->got_len += keep;
    if (e->answer)
        volo__outq_copy(&s->out, e->answer, strlen(e->answer));
    maybe_close(e, 'd');
}

static void
on_eof(struct volo__stream *s)
{
    ((struct end *)s)->eofs++;
    maybe_close((struct end *)s, 'e');
}

static void
on_error(struct volo__stream *s, int err)
{
    assert_int_equal(err, VOLO_EIO);
    ((struct end *)s)->errors++;
    maybe_close((struct end *)s, 'r');
}

static void
on_drained(struct volo__stream *s)
{
    struct end *e = (struct end *)s;

    assert_null(s->out.head);
    e->drains++;
    if (e->refill-- > 0)
        volo__outq_copy(&s->out, "again", 5);
    maybe_close(e, 'D');
}

static void
on_closed(struct volo__stream *s)
{
    ((struct end *)s)->closes++;
}

static const struct volo__stream_ops ops = {on_data,    on_eof,    on_error,
                                            on_drained, on_closed, NULL};

static void
release(void *user)
{
    struct end *e = user;

    e->released++;
    if (e->flush_in_release && !e->s.closing) {
        e->flush_in_release = 0;
        volo__outq_copy(&e->s.out, "more", 4);
        volo__stream_flush(&e->s);
    }
    maybe_close(e, 'f');
}

static void
end_open_on(struct end *e, int fd, int peer)
{
    e->peer = peer;
    fcntl(peer, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    assert_int_equal(volo__stream_open(&e->s, &e->rig.loop->home, fd, &ops), 0);
    e->s.drain_mark = SIZE_MAX;
}

static struct end *
end_open(void)
{
    struct end *e = calloc(1, sizeof *e);
    int pair[2];

    rig_open(&e->rig);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    end_open_on(e, pair[0], pair[1]);
    return e;
}

/* The same over TCP, for what Unix sockets do otherwise. */
static struct end *
end_open_tcp(void)
{
    struct end *e = calloc(1, sizeof *e);
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    int listener, fd, peer;

    rig_open(&e->rig);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&in, &len);
    peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&in, len), 0);
    fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    close(listener);
    end_open_on(e, fd, peer);
    return e;
}

static void
end_close(struct end *e)
{
    volo__stream_close(&e->s);
    if (e->peer >= 0)
        close(e->peer);
    rig_close(&e->rig);
    assert_int_equal(e->closes, 1);
    free(e);
}

static void
peer_gone(struct end *e)
{
    close(e->peer);
    e->peer = -1;
}

static void
say(struct end *e, const char *text)
{
    assert_int_equal(send(e->peer, text, strlen(text), 0), strlen(text));
}

static size_t
hear(struct end *e, char *buf, size_t size)
{
    ssize_t n = recv(e->peer, buf, size, 0);

    return n > 0 ? (size_t)n : 0;
}

static char *
pattern(size_t len)
{
    char *big = malloc(len);
    size_t i;

    for (i = 0; i < len; i++)
        big[i] = (char)(i * 7 + i / 251);
    return big;
}

/* Take all that comes until ${len} octets have, and compare. */
static void
hear_all(struct end *e, const char *want, size_t len)
{
    char *got = malloc(len + 1);
    size_t n = 0;
    int turns = 0;

    while (n < len) {
        assert_true(turns++ < 1000000);
        n += hear(e, got + n, len + 1 - n);
        volo__loop_step(e->rig.loop, 0);
    }
    assert_int_equal(n, len);
    assert_memory_equal(got, want, len);
    free(got);
}

static void
small_buffers(struct end *e)
{
    int size = 4096;

    setsockopt(e->s.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* ---- Reading ------------------------------------------------------------- */

static void
test_an_exchange_costs_one_read_and_one_write(void **state)
{
    struct end *e = end_open();
    char buf[16];
    uint8_t events;
    int i;

    (void)state;
    e->answer = "pong";
    volo__stream_read(&e->s, 1);
    rig_turn(&e->rig);
    events = e->s.events;
    for (i = 1; i <= 5; i++) {
        say(e, "ping");
        rig_turn(&e->rig);
        assert_int_equal(hear(e, buf, sizeof buf), 4);
        assert_int_equal(e->s.reads, i);
        assert_int_equal(e->s.writes, i);
        assert_int_equal(e->s.events, events);
    }
    assert_memory_equal(e->got, "pingping", 8);
    assert_int_equal(e->drains, 0);
    end_close(e);
}

static void
test_reading_off_and_on_changes_no_interest_while_nothing_comes(void **state)
{
    struct end *e = end_open();

    (void)state;
    volo__stream_read(&e->s, 1);
    rig_turn(&e->rig);
    volo__stream_read(&e->s, 0);
    rig_turn(&e->rig);
    assert_int_equal(e->s.events, UV_READABLE);
    volo__stream_read(&e->s, 1);
    assert_int_equal(e->s.events, UV_READABLE);
    end_close(e);
}

static void
test_data_waits_unread_while_reading_is_off(void **state)
{
    struct end *e = end_open();
    uint64_t before;

    (void)state;
    rig_turn(&e->rig);
    say(e, "early");
    rig_turn(&e->rig);
    assert_int_equal(e->s.reads, 0);
    assert_int_equal(e->s.events, UV_DISCONNECT);

    /* And does not keep the loop busy. */
    before = e->rig.loop->iterations;
    volo__loop_step(e->rig.loop, 50);
    assert_in_range(e->rig.loop->iterations - before, 1, 3);
    volo__stream_read(&e->s, 1);
    rig_turn(&e->rig);
    assert_int_equal(e->got_len, 5);
    end_close(e);
}

static void
test_more_than_a_buffer_is_read_on_in_the_same_iteration(void **state)
{
    struct end *e = end_open_tcp();
    char *big = pattern(150000);
    size_t n = 0;
    ssize_t sent;

    (void)state;
    while (n < 150000 && (sent = send(e->peer, big + n, 150000 - n, 0)) > 0)
        n += (size_t)sent;
    assert_true(n > 140000);
    usleep(1000);
    volo__stream_read(&e->s, 1);
    volo__loop_step(e->rig.loop, -1);
    assert_in_range(e->datas, 2, 5);
    free(big);
    end_close(e);
}

static void
test_the_end_is_told_once_and_does_not_spin(void **state)
{
    struct end *e = end_open_tcp();
    uint64_t before;

    (void)state;
    volo__stream_read(&e->s, 1);
    say(e, "last");
    shutdown(e->peer, SHUT_WR);
    turn_until(&e->rig, e->eofs);
    rig_turn(&e->rig);
    assert_int_equal(e->got_len, 4);
    assert_int_equal(e->eofs, 1);
    before = e->rig.loop->iterations;
    volo__loop_step(e->rig.loop, 50);
    assert_in_range(e->rig.loop->iterations - before, 1, 3);

    /* It may still be answered. */
    volo__outq_copy(&e->s.out, "bye", 3);
    volo__stream_flush(&e->s);
    hear_all(e, "bye", 3);
    assert_int_equal(e->errors, 0);
    end_close(e);
}

static void
test_the_end_is_told_while_reading_is_off_and_the_rest_read_later(void **state)
{
    struct end *e = end_open_tcp();
    uint64_t before;

    (void)state;
    say(e, "unread");
    shutdown(e->peer, SHUT_WR);
    turn_until(&e->rig, e->eofs);
    assert_int_equal(e->got_len, 0);
    rig_turn(&e->rig);
    before = e->rig.loop->iterations;
    volo__loop_step(e->rig.loop, 50);
    assert_in_range(e->rig.loop->iterations - before, 1, 3);
    volo__stream_read(&e->s, 1);
    turn_until(&e->rig, e->got_len == 6);
    rig_turn(&e->rig);
    assert_int_equal(e->eofs, 1);
    assert_int_equal(e->errors, 0);
    end_close(e);
}

/* ---- Errors -------------------------------------------------------------- */

static void
reset(struct end *e)
{
    struct linger now = {1, 0};

    setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer_gone(e);
}

static void
test_a_reset_is_an_error_with_reading_on(void **state)
{
    struct end *e = end_open_tcp();

    (void)state;
    volo__stream_read(&e->s, 1);
    rig_turn(&e->rig);
    reset(e);
    turn_until(&e->rig, e->errors);
    rig_turn(&e->rig);
    assert_int_equal(e->errors, 1);
    assert_int_equal(e->eofs, 0);
    end_close(e);
}

static void
test_a_reset_is_an_error_with_reading_off(void **state)
{
    struct end *e = end_open_tcp();

    (void)state;
    rig_turn(&e->rig);
    reset(e);
    turn_until(&e->rig, e->errors);
    rig_turn(&e->rig);
    assert_int_equal(e->errors, 1);
    end_close(e);
}

static void
test_a_reset_after_the_end_is_noticed(void **state)
{
    struct end *e = end_open_tcp();

    (void)state;
    volo__stream_read(&e->s, 1);
    shutdown(e->peer, SHUT_WR);
    turn_until(&e->rig, e->eofs);
    rig_turn(&e->rig);
    reset(e);
    turn_until(&e->rig, e->errors);
    assert_int_equal(e->errors, 1);
    end_close(e);
}

static void
test_urgent_data_after_the_end_does_not_spin(void **state)
{
    struct end *e = end_open_tcp();
    uint64_t before;

    (void)state;
    send(e->peer, "!", 1, MSG_OOB);
    shutdown(e->peer, SHUT_WR);
    volo__stream_read(&e->s, 1);
    turn_until(&e->rig, e->eofs);
    rig_turn(&e->rig);
    before = e->rig.loop->iterations;
    volo__loop_step(e->rig.loop, 50);
    assert_in_range(e->rig.loop->iterations - before, 1, 3);
    assert_int_equal(e->errors, 0);
    end_close(e);
}

static void
test_a_unix_peer_that_leaves_is_noticed_with_reading_off(void **state)
{
    struct end *e = end_open();

    (void)state;
    rig_turn(&e->rig);
    peer_gone(e);
    turn_until(&e->rig, e->errors + e->eofs);
    rig_turn(&e->rig);
    assert_int_equal(e->errors + e->eofs, 1);
    end_close(e);
}

static void
test_a_failed_write_is_told_after_the_call_and_without_a_signal(void **state)
{
    struct end *e = end_open();

    (void)state;
    peer_gone(e);
    volo__outq_copy(&e->s.out, "x", 1);
    volo__stream_flush(&e->s);
    assert_int_equal(e->errors, 0);
    volo__stream_flush(&e->s);
    rig_turn(&e->rig);
    assert_int_equal(e->errors, 1);
    assert_int_equal(e->s.writes, 1);
    end_close(e);
}

static void
test_both_sides_shut_down_is_an_end_and_not_an_error(void **state)
{
    struct end *e = end_open_tcp();
    char buf[8];
    uint64_t before;

    (void)state;
    volo__stream_read(&e->s, 1);
    volo__outq_copy(&e->s.out, "end", 3);
    volo__stream_shutdown(&e->s);
    hear_all(e, "end", 3);
    assert_int_equal(recv(e->peer, buf, sizeof buf, 0), 0);
    shutdown(e->peer, SHUT_WR);
    turn_until(&e->rig, e->eofs);
    rig_turn(&e->rig);
    before = e->rig.loop->iterations;
    volo__loop_step(e->rig.loop, 50);
    assert_in_range(e->rig.loop->iterations - before, 1, 3);
    assert_int_equal(e->eofs, 1);
    assert_int_equal(e->errors, 0);
    end_close(e);
}

/* ---- Writing ------------------------------------------------------------- */

static void
test_many_pieces_leave_in_one_write(void **state)
{
    struct end *e = end_open();
    char want[201] = "";
    int i;

    (void)state;
    for (i = 0; i < 20; i++) {
        memcpy(want + i * 10, "head body ", 10);
        volo__outq_copy(&e->s.out, "head ", 5);
        volo__outq_ref(&e->s.out, "body ", 5, release, e);
    }
    volo__stream_flush(&e->s);
    assert_int_equal(e->s.writes, 1);
    assert_int_equal(e->released, 20);
    hear_all(e, want, 200);
    end_close(e);
}

static void
test_a_full_socket_is_waited_for_and_then_drained(void **state)
{
    struct end *e = end_open();
    char *big = pattern(BIG);

    (void)state;
    small_buffers(e);
    volo__outq_ref(&e->s.out, big, BIG, release, e);
    volo__stream_flush(&e->s);
    assert_true(e->s.writable_wait);
    assert_true(e->s.events & UV_WRITABLE);
    assert_int_equal(e->released, 0);

    /* Knowing that it is full, it does not ask again. */
    volo__stream_flush(&e->s);
    assert_int_equal(e->s.writes, 1);
    hear_all(e, big, BIG);
    rig_turn(&e->rig);
    assert_int_equal(e->released, 1);
    assert_int_equal(e->drains, 1);
    assert_false(e->s.events & UV_WRITABLE);
    free(big);
    end_close(e);
}

static void
test_many_blocks_through_a_narrow_socket_arrive_whole(void **state)
{
    struct end *e = end_open();
    char *big = pattern(BIG);
    size_t at;

    (void)state;
    small_buffers(e);
    for (at = 0; at < BIG; at += 4096)
        assert_int_equal(volo__outq_copy(&e->s.out, big + at, 4096), 0);
    volo__stream_flush(&e->s);
    hear_all(e, big, BIG);
    rig_turn(&e->rig);
    assert_int_equal(e->drains, 1);
    assert_int_equal(e->s.out.bytes, 0);
    free(big);
    end_close(e);
}

static void
test_beyond_the_mark_drained_comes_though_all_left_at_once(void **state)
{
    struct end *e = end_open();

    (void)state;
    e->s.drain_mark = 3;
    volo__outq_copy(&e->s.out, "abc", 3);
    volo__stream_flush(&e->s);
    rig_turn(&e->rig);
    assert_int_equal(e->drains, 0);
    volo__outq_copy(&e->s.out, "abcd", 4);
    volo__stream_flush(&e->s);
    assert_int_equal(e->drains, 0);
    rig_turn(&e->rig);
    assert_int_equal(e->drains, 1);
    end_close(e);
}

static void
test_drained_comes_again_as_long_as_it_refills(void **state)
{
    struct end *e = end_open();

    (void)state;
    e->s.drain_mark = 0;
    e->refill = 40; /* more than one iteration's rounds */
    volo__outq_copy(&e->s.out, "x", 1);
    volo__stream_flush(&e->s);
    turn_until(&e->rig, e->drains == 41);
    rig_turn(&e->rig);
    assert_int_equal(e->drains, 41);
    assert_int_equal(e->s.events, UV_READABLE);
    end_close(e);
}

static void
test_a_mark_is_released_without_a_system_call(void **state)
{
    struct end *e = end_open();

    (void)state;
    volo__outq_ref(&e->s.out, NULL, 0, release, e);
    volo__stream_flush(&e->s);
    assert_int_equal(e->released, 1);
    assert_int_equal(e->s.writes, 0);
    end_close(e);
}

static void
test_what_is_flushed_later_leaves_once(void **state)
{
    struct end *e = end_open();

    (void)state;
    volo__outq_copy(&e->s.out, "a", 1);
    volo__stream_flush_later(&e->s);
    volo__outq_copy(&e->s.out, "b", 1);
    volo__stream_flush_later(&e->s);
    assert_int_equal(e->s.writes, 0);
    hear_all(e, "ab", 2);
    assert_int_equal(e->s.writes, 1);
    end_close(e);
}

static void
test_fin_follows_all_that_is_queued(void **state)
{
    struct end *e = end_open();
    char *big = pattern(BIG), byte;

    (void)state;
    small_buffers(e);
    volo__outq_ref(&e->s.out, big, BIG, NULL, NULL);
    volo__stream_shutdown(&e->s);
    assert_int_equal(e->s.shut, 1);
    hear_all(e, big, BIG);
    rig_turn(&e->rig);
    assert_int_equal(e->s.shut, 2);
    assert_int_equal(recv(e->peer, &byte, 1, 0), 0);
    free(big);
    end_close(e);
}

static void
test_a_release_may_queue_and_flush(void **state)
{
    struct end *e = end_open();

    (void)state;
    e->flush_in_release = 1;
    volo__outq_ref(&e->s.out, "first ", 6, release, e);
    volo__stream_flush(&e->s);
    hear_all(e, "first more", 10);
    end_close(e);
}

/* ---- Closing ------------------------------------------------------------- */

static void
test_closing_releases_what_is_queued(void **state)
{
    struct end *e = end_open();

    (void)state;
    volo__outq_ref(&e->s.out, "never", 5, release, e);
    volo__stream_flush_later(&e->s);
    volo__stream_close(&e->s);
    assert_int_equal(e->released, 1);
    rig_turn(&e->rig);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->s.writes, 0);
    end_close(e);
}

static void
close_inside(char where)
{
    struct end *e = end_open();
    char *big = pattern(BIG);

    small_buffers(e);
    e->close_in = where;
    e->answer = "unsaid";
    volo__stream_read(&e->s, 1);
    if (where == 'D' || where == 'f') {
        volo__outq_ref(&e->s.out, big, where == 'f' ? 5 : BIG, release, e);
        if (where == 'f')
            volo__outq_ref(&e->s.out, "behind", 6, NULL, NULL);
        volo__stream_flush(&e->s);
        if (where == 'D')
            hear_all(e, big, BIG);
        else
            assert_true(e->s.closing);
    } else if (where == 'r') {
        peer_gone(e);
        volo__outq_copy(&e->s.out, "x", 1);
        volo__stream_flush(&e->s);
    } else {
        say(e, "x");
        if (where == 'e')
            shutdown(e->peer, SHUT_WR);
    }
    turn_until(&e->rig, e->closes);
    rig_turn(&e->rig);
    assert_null(e->s.out.head);
    assert_int_equal(e->s.out.bytes, 0);
    free(big);
    end_close(e);
}

static void
test_every_callback_may_close(void **state)
{
    const char *where;

    (void)state;
    for (where = "derDf"; *where; where++)
        close_inside(*where);
}

static void
test_nothing_is_called_after_closing_but_closed(void **state)
{
    struct end *e = end_open();

    (void)state;
    volo__stream_read(&e->s, 1);
    rig_turn(&e->rig);
    say(e, "late");
    volo__stream_close(&e->s);
    volo__stream_read(&e->s, 0);
    volo__stream_read(&e->s, 1);
    volo__stream_flush(&e->s);
    volo__stream_flush_later(&e->s);
    volo__stream_shutdown(&e->s);
    assert_int_equal(volo__stream_detach(&e->s), -1);
    rig_turn(&e->rig);
    assert_int_equal(e->datas + e->eofs + e->errors + e->drains, 0);
    end_close(e);
}

static void
test_a_detached_descriptor_lives_on(void **state)
{
    struct end *e = end_open();
    char buf[8];
    int fd;

    (void)state;
    volo__stream_read(&e->s, 1);
    rig_turn(&e->rig);
    fd = volo__stream_detach(&e->s);
    assert_true(fd >= 0);
    say(e, "for you");
    rig_turn(&e->rig);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->datas, 0);
    assert_int_equal(recv(fd, buf, sizeof buf, 0), 7);
    close(fd);
    end_close(e);
}

static void
test_what_is_no_socket_is_refused_and_closed(void **state)
{
    struct rig rig;
    struct end e = {0};
    int fd;

    (void)state;
    rig_open(&rig);
    fd = open("/proc/self/exe", O_RDONLY);
    assert_int_equal(volo__stream_open(&e.s, &rig.loop->home, fd, &ops),
                     VOLO_EIO);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    rig_close(&rig);
}

static void
test_a_stream_lives_and_ends_on_a_hosts_loop(void **state)
{
    struct end *e = calloc(1, sizeof *e);
    uv_loop_t uv;
    int pair[2], descriptors = open_descriptors();

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(volo__loop_new(&e->rig.loop, &uv), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    end_open_on(e, pair[0], pair[1]);
    e->answer = "pong";
    volo__stream_read(&e->s, 1);
    say(e, "ping");
    while (!e->datas)
        assert_true(uv_run(&uv, UV_RUN_ONCE));

    /* Begun before the stream has closed: it waits for it, whatever order
     * libuv closes in. */
    volo__outq_copy(&e->s.out, "x", 1);
    volo__stream_flush_later(&e->s);
    volo__stream_close(&e->s);
    volo__loop_close(e->rig.loop);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(e->closes, 1);
    assert_int_equal(uv_loop_close(&uv), 0);
    close(e->peer);
    free(e);
    assert_int_equal(open_descriptors(), descriptors);
}

static void
test_a_paused_stream_holds_a_hosts_loop(void **state)
{
    struct end *e = calloc(1, sizeof *e);
    uv_loop_t uv;
    int pair[2];

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(volo__loop_new(&e->rig.loop, &uv), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    end_open_on(e, pair[0], pair[1]);
    uv_poll_stop(&e->s.poll);
    assert_true(uv_loop_alive(&uv));
    volo__stream_close(&e->s);
    uv_run(&uv, UV_RUN_NOWAIT);
    assert_false(uv_loop_alive(&uv));
    volo__loop_close(e->rig.loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
    close(e->peer);
    free(e);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_exchange_costs_one_read_and_one_write),
        TEST(reading_off_and_on_changes_no_interest_while_nothing_comes),
        TEST(data_waits_unread_while_reading_is_off),
        TEST(more_than_a_buffer_is_read_on_in_the_same_iteration),
        TEST(the_end_is_told_once_and_does_not_spin),
        TEST(the_end_is_told_while_reading_is_off_and_the_rest_read_later),
        TEST(a_reset_is_an_error_with_reading_on),
        TEST(a_reset_is_an_error_with_reading_off),
        TEST(a_reset_after_the_end_is_noticed),
        TEST(urgent_data_after_the_end_does_not_spin),
        TEST(a_unix_peer_that_leaves_is_noticed_with_reading_off),
        TEST(a_failed_write_is_told_after_the_call_and_without_a_signal),
        TEST(both_sides_shut_down_is_an_end_and_not_an_error),
        TEST(many_pieces_leave_in_one_write),
        TEST(a_full_socket_is_waited_for_and_then_drained),
        TEST(many_blocks_through_a_narrow_socket_arrive_whole),
        TEST(beyond_the_mark_drained_comes_though_all_left_at_once),
        TEST(drained_comes_again_as_long_as_it_refills),
        TEST(a_mark_is_released_without_a_system_call),
        TEST(what_is_flushed_later_leaves_once),
        TEST(fin_follows_all_that_is_queued),
        TEST(a_release_may_queue_and_flush),
        TEST(closing_releases_what_is_queued),
        TEST(every_callback_may_close),
        TEST(nothing_is_called_after_closing_but_closed),
        TEST(a_detached_descriptor_lives_on),
        TEST(what_is_no_socket_is_refused_and_closed),
        TEST(a_stream_lives_and_ends_on_a_hosts_loop),
        TEST(a_paused_stream_holds_a_hosts_loop),
    };

    return cmocka_run_group_tests(tests, net_setup, NULL);
}
