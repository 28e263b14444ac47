/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing one connected socket.  Knows readiness and errors, not
 * what the octets mean, and holds no timers: those who wait for a peer set
 * their own.  Where there is TLS, tls_filter.c stands between it and them.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/stream_state.h"
#include "net/tls_filter.h"

enum {
    READ_ROUNDS = 5,  /* of a full buffer each, before others have a turn */
    DRAIN_ROUNDS = 16 /* likewise */
};

static void on_poll(uv_poll_t *poll, int status, int events);

static int
wanted(const struct volo__stream *s)
{
    int events = 0;

    if (s->broken || s->closing)
        return 0;
    if (s->armed && !s->fin)
        events |= UV_READABLE;
    else if (!s->eof && !s->half)
        events |= UV_DISCONNECT;
    if (s->writable_wait)
        events |= UV_WRITABLE;
    /* The kernel reports a reset to whoever waits for anything at all, so wait
     * for what a peer hardly sends. */
    if (!events && !s->deaf)
        events = UV_PRIORITIZED;
    return events;
}

/* A change costs libuv two system calls: make it only where it is one. */
static void
update(struct volo__stream *s)
{
    int events = wanted(s);

    if (events == s->events || s->closing)
        return;
    s->events = (uint8_t)events;
    volo__loop_of(s->home)->untold = 1;
    if (!events)
        uv_poll_stop(&s->poll);
    else if (uv_poll_start(&s->poll, events, on_poll) < 0)
        s->events = 0;
}

static void
tell_error(struct volo__stream *s)
{
    int err = s->err;

    if (s->closing || !err)
        return;
    s->err = 0;
    s->ops->error(s, err);
}

void
volo__stream_break(struct volo__stream *s, int err)
{
    if (s->broken || s->closing)
        return;
    s->broken = 1;
    s->err = err;
    update(s);
}

void
volo__stream_watch(struct volo__stream *s)
{
    s->armed = 1;
    update(s);
}

/* Somebody wants to have octets now. */
static int
wants_input(const struct volo__stream *s)
{
    return s->reading || (s->tls && volo__tls_hungry(s));
}

/* TLS has kept octets while nobody wanted them, or while there was no room for
 * an answer to them, and could go on. */
static int
is_held_up(const struct volo__stream *s)
{
    return s->tls && !s->closing && !s->broken && !s->writable_wait &&
           volo__tls_held(s) && wants_input(s);
}

/* The stream's own flush, at the end of each of its callbacks, from where the
 * owner may be told what comes of it. */
static void
settle(struct volo__stream *s)
{
    int rounds;

    for (rounds = 0; !s->writable_wait && !s->closing; rounds++) {
        volo__stream_push(s);
        if (s->writable_wait || s->closing || s->broken || !s->want_drained ||
            s->out.head)
            break;
        if (rounds == DRAIN_ROUNDS) {
            s->writable_wait = 1; /* go on in the next iteration */
            break;
        }
        s->want_drained = 0;
        if (s->ops->drained)
            s->ops->drained(s);
        if (!s->closing && s->out.head)
            s->want_drained = 1;
    }
    if (s->broken)
        tell_error(s);
    else
        update(s);
    if (is_held_up(s))
        volo__stream_flush_later(s);
}

void
volo__stream_end(struct volo__stream *s)
{
    if (s->eof || s->closing)
        return;
    s->eof = 1;
    s->ops->eof(s);
}

/* One system call.  1: it filled the buffer. */
static int
read_once(struct volo__stream *s)
{
    struct volo__block *block;
    ssize_t n;

    if (s->tls)
        return volo__tls_read_once(s);
    block = volo__home_block(s->home);
    if (!block) {
        volo__stream_break(s, VOLO_ENOMEM);
        return 0;
    }
    s->reads++;
    n = recv(s->fd, block->data, block->cap, 0);
    if (n > 0) {
        s->ops->data(s, block->data, (size_t)n, block);
        return (size_t)n == block->cap;
    }
    if (n == 0) {
        s->fin = 1;
        volo__stream_end(s);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        volo__stream_break(s, VOLO_EIO);
    }
    return 0;
}

static void
on_readable(struct volo__stream *s)
{
    int rounds;

    if (!wants_input(s)) {
        s->armed = 0; /* there is data, and nobody wants it: now it matters */
        update(s);
        return;
    }
    for (rounds = 0; rounds < READ_ROUNDS; rounds++)
        if (!read_once(s) || !wants_input(s) || s->closing || s->broken)
            break;
    if (!s->closing)
        settle(s);
}

/* The peer shut down its side, or is gone, or (if that is all there is to wait
 * for) sent urgent data: libuv does not tell these apart. */
static void
on_disconnect(struct volo__stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLRDHUP};

    if (poll(&p, 1, 0) < 0)
        return;
    /* Both sides shut down look like a hangup as well. */
    if ((p.revents & POLLERR) || ((p.revents & POLLHUP) && s->shut != 2))
        volo__stream_break(s, VOLO_EIO);
    else if (s->eof)
        s->deaf = 1;
    else if (p.revents & (POLLRDHUP | POLLHUP))
        volo__stream_end(s);
    if (!s->closing)
        settle(s);
}

static void
on_poll_error(struct volo__stream *s)
{
    s->events = 0; /* libuv has stopped */
    /* What came before the reset may be all that was wanted. */
    if (wants_input(s) && !s->fin)
        on_readable(s);
    if (s->closing)
        return;
    volo__stream_break(s, VOLO_EIO);
    tell_error(s);
}

static void
on_poll(uv_poll_t *poll_handle, int status, int events)
{
    struct volo__stream *s = poll_handle->data;
    struct volo__home *outer = volo__loop_begin(s->home);

    if (status < 0)
        on_poll_error(s);
    if ((events & UV_READABLE) && !s->closing)
        on_readable(s);
    if ((events & UV_WRITABLE) && !s->closing && !s->broken) {
        s->writable_wait = 0;
        settle(s);
    }
    if ((events & (UV_DISCONNECT | UV_PRIORITIZED)) && !s->closing &&
        !s->broken)
        on_disconnect(s);
    volo__loop_end(outer);
}

/* Neither libuv nor the home has it any more. */
static void
finish(struct volo__stream *s)
{
    volo_loop *loop = volo__loop_of(s->home);

    if (s->tls)
        volo__tls_free(s);
    s->ops->closed(s);
    volo__loop_release(loop);
}

static void
on_closed(uv_handle_t *handle)
{
    struct volo__stream *s = handle->data;
    struct volo__home *outer = volo__loop_begin(s->home);

    s->closed = 1;
    /* A host's callbacks may defer in between: then the task comes last. */
    if (!s->flush_deferred)
        finish(s);
    volo__loop_end(outer);
}

static void
on_flush_task(struct volo__task *task)
{
    struct volo__stream *s =
        (struct volo__stream *)((char *)task -
                                offsetof(struct volo__stream, flush_task));

    s->flush_deferred = 0;
    if (s->closed) {
        finish(s);
        return;
    }
    if (is_held_up(s))
        volo__tls_resume(s);
    if (!s->closing)
        settle(s);
}

int
volo__stream_open(struct volo__stream *s, struct volo__home *home, int fd,
                  const struct volo__stream_ops *ops)
{
    volo_loop *loop = volo__loop_of(home);
    int err;

    *s = (struct volo__stream){.ops = ops, .home = home, .fd = fd};
    err = uv_poll_init(loop->uv, &s->poll, fd);
    if (err < 0) {
        close(fd);
        return volo__net_error(-err) == VOLO_ENOMEM ? VOLO_ENOMEM : VOLO_EIO;
    }
    s->poll.data = s;
    s->flush_task.run = on_flush_task;
    volo__outq_init(&s->out, home);
    volo__loop_hold(loop);
    /* As if reading had been on: most turn it on at once. */
    volo__stream_watch(s);
    return 0;
}

void
volo__stream_read(struct volo__stream *s, int on)
{
    s->reading = on != 0;
    if (on && s->tls && volo__tls_held(s))
        volo__stream_flush_later(s);
    if (on && !s->armed)
        volo__stream_watch(s);
}

void
volo__stream_flush(struct volo__stream *s)
{
    if (s->closing || s->broken || s->flushing || s->writable_wait)
        return;
    volo__stream_push(s);
    if (s->closing)
        return;
    if (s->broken || (s->want_drained && !s->writable_wait))
        volo__stream_flush_later(s);
    update(s);
}

void
volo__stream_flush_later(struct volo__stream *s)
{
    if (s->flush_deferred || s->closing)
        return;
    s->flush_deferred = 1;
    volo__home_defer(s->home, &s->flush_task);
}

size_t
volo__stream_waiting(const struct volo__stream *s)
{
    return s->out.bytes + (s->tls ? volo__tls_waiting(s) : 0);
}

void
volo__stream_shutdown(struct volo__stream *s)
{
    if (s->closing || s->shut)
        return;
    s->shut = 1;
    volo__stream_flush(s);
}

static void
let_go(struct volo__stream *s)
{
    s->closing = 1;
    if (!s->flushing)
        volo__outq_clear(&s->out);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}

/* If all has left, the peer may know that it was all; else it may not. */
static void
farewell(struct volo__stream *s)
{
    const char *ptr;
    size_t len;

    if (s->broken || s->flushing || volo__stream_waiting(s))
        return;
    volo__tls_bye(s);
    len = volo__tls_seal(s, &ptr);
    if (len && send(s->fd, ptr, len, MSG_NOSIGNAL) >= 0)
        s->writes++;
}

void
volo__stream_close(struct volo__stream *s)
{
    if (s->closing)
        return;
    if (s->tls)
        farewell(s);
    let_go(s);
    close(s->fd);
    s->fd = -1;
}

void
volo__stream_reset(struct volo__stream *s)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (s->closing)
        return;
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    s->broken = 1; /* no farewell */
    volo__stream_close(s);
}

int
volo__stream_detach(struct volo__stream *s)
{
    int fd = s->fd;

    if (s->closing || s->tls)
        return -1;
    let_go(s);
    s->fd = -1;
    return fd;
}
