/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting connections on one socket of one loop.  Knows no limit of its own
 * but the descriptors of the process; others are for the owner to watch, who
 * pauses it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/loop.h"

enum {
    ACCEPTS = 64, /* per iteration */
    RETRY_MS = 100,
    PAUSED_BY_OWNER = 1,
    PAUSED_BY_WANT = 2
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void
update(struct volo__listener *l)
{
    if (l->closing || l->polling == !l->paused)
        return;
    l->polling = !l->paused;
    volo__loop_of(l->home)->untold = 1;
    if (!l->polling)
        uv_poll_stop(&l->poll);
    else if (uv_poll_start(&l->poll, UV_READABLE, on_poll) < 0)
        l->polling = 0;
}

static void
rest(struct volo__listener *l)
{
    l->pauses++;
    l->paused |= PAUSED_BY_WANT;
    update(l);
    volo__wheel_set(&l->home->wheel, &l->retry, l->home->now_ms + RETRY_MS);
}

/* Descriptors ran out.  With the spare one, tell a peer so, rather than let it
 * wait for what may not come. */
static void
refuse_one(struct volo__listener *l)
{
    volo_loop *loop = volo__loop_of(l->home);
    int fd;

    if (loop->spare_fd >= 0) {
        close(loop->spare_fd);
        fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    rest(l);
}

static void
on_retry(struct volo__alarm *alarm)
{
    struct volo__listener *l =
        (struct volo__listener *)((char *)alarm -
                                  offsetof(struct volo__listener, retry));
    volo_loop *loop = volo__loop_of(l->home);

    /* Another thread may have been quicker to take it. */
    if (loop->spare_fd < 0)
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    l->paused &= (uint8_t)~PAUSED_BY_WANT;
    update(l);
}

/* 1: go on accepting. */
static int
accept_failed(struct volo__listener *l, int err)
{
    switch (err) {
    case EAGAIN:
#if EAGAIN != EWOULDBLOCK
    case EWOULDBLOCK:
#endif
        return 0;
    case EMFILE:
    case ENFILE:
        refuse_one(l);
        return 0;
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case ENOBUFS:
    case ENOMEM:
        /* It would fail again at once, and again. */
        rest(l);
        return 0;
    default:
        return 1; /* the connection's trouble, not ours (accept(2)) */
    }
}

static int
accept_once(struct volo__listener *l)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    int fd;

    fd = accept4(l->fd, (struct sockaddr *)&addr, &len,
                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return accept_failed(l, errno);
    if (len > sizeof addr)
        len = sizeof addr;
    l->accept(l, fd, (struct sockaddr *)&addr, len);
    return 1;
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
    struct volo__listener *l = poll->data;
    struct volo__home *outer = volo__loop_begin(l->home);
    int i;

    (void)events;
    l->wakes++;
    if (status < 0) {
        l->polling = 0; /* libuv has stopped */
        rest(l);
    }
    for (i = 0; i < ACCEPTS && !l->paused && !l->closing; i++)
        if (!accept_once(l))
            break;
    volo__loop_end(outer);
}

static int
open_socket(const struct volo__address *address, int first)
{
    int fd;

    if (!first && !address->shared)
        return volo__address_socket(address);
    fd = fcntl(address->fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int
volo__listener_open(struct volo__listener *l, struct volo__home *home,
                    const struct volo__address *address, int first, int backlog,
                    volo__accept_fn accept)
{
    volo_loop *loop = volo__loop_of(home);
    int fd, err;

    fd = open_socket(address, first);
    if (fd < 0)
        return volo__net_error(-fd);
    *l = (struct volo__listener){.home = home, .accept = accept, .fd = fd};
    if (listen(fd, backlog) < 0) {
        err = -errno;
        goto err0;
    }
    err = uv_poll_init(loop->uv, &l->poll, fd);
    if (err < 0)
        goto err0;
    l->poll.data = l;
    l->retry.fire = on_retry;
    volo__loop_hold(loop);
    update(l);
    return 0;

err0:
    close(fd);
    return volo__net_error(-err);
}

void
volo__listener_pause(struct volo__listener *l, int on)
{
    if (on)
        l->paused |= PAUSED_BY_OWNER;
    else
        l->paused &= (uint8_t)~PAUSED_BY_OWNER;
    update(l);
}

static void
on_closed(uv_handle_t *handle)
{
    struct volo__listener *l = handle->data;
    volo_loop *loop = volo__loop_of(l->home);
    struct volo__home *outer = volo__loop_begin(l->home);

    if (l->closed)
        l->closed(l);
    volo__loop_release(loop);
    volo__loop_end(outer);
}

void
volo__listener_close(struct volo__listener *l,
                     void (*closed)(struct volo__listener *l))
{
    if (l->closing)
        return;
    l->closing = 1;
    l->closed = closed;
    volo__wheel_clear(&l->home->wheel, &l->retry);
    uv_close((uv_handle_t *)&l->poll, on_closed);
    close(l->fd);
    l->fd = -1;
}
