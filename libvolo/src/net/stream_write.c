/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream's queue to its socket, through TLS if there is any.  Waits for
 * nothing and tells nobody: it notes what is to be waited for, and what is to
 * be told.
 */
#include <errno.h>
#include <sys/socket.h>

#include <volo/error.h>

#include "net/stream_state.h"
#include "net/tls_filter.h"

enum {
    WRITE_ROUNDS = 16, /* of a full buffer each, before others have a turn */
    PIECES = 64
};

static ssize_t
send_some(struct volo__stream *s, struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)count};

    s->writes++;
    if (count == 1)
        return send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
    return sendmsg(s->fd, &msg, MSG_NOSIGNAL);
}

/* What held them is released, and whoever learns of that may fill the queue,
 * flush or close. */
void
volo__stream_taken(struct volo__stream *s, size_t n)
{
    s->flushing = 1;
    volo__outq_sent(&s->out, n);
    s->flushing = 0;
    if (s->closing)
        volo__outq_clear(&s->out);
}

/* Point ${iov} to what is to be sent next; returns how much, and in ${count} in
 * how many pieces. */
static size_t
front(struct volo__stream *s, struct iovec *iov, int *count)
{
    const char *sealed = NULL;
    size_t all = 0;
    int i;

    if (s->tls) {
        all = volo__tls_seal(s, &sealed);
        iov[0].iov_base = (void *)(uintptr_t)sealed;
        iov[0].iov_len = all;
        *count = all != 0;
        return all;
    }
    *count = volo__outq_iov(&s->out, iov, PIECES);
    for (i = 0; i < *count; i++)
        all += iov[i].iov_len;
    return all;
}

static void
left(struct volo__stream *s, size_t n)
{
    s->sent += n;
    if (!s->tls)
        volo__stream_taken(s, n);
    else if (n)
        volo__tls_sealed_left(s, n);
}

/* One system call.  1: there is more to do, and room for it. */
static int
push_once(struct volo__stream *s)
{
    struct iovec iov[PIECES];
    int count;
    size_t all = front(s, iov, &count);
    ssize_t n;

    if (s->closing || s->broken)
        return 0;
    n = count ? send_some(s, iov, count) : 0; /* marks alone */
    if (n < 0 && errno == EINTR)
        return 1;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        volo__stream_break(s, VOLO_EIO);
        return 0;
    }
    if (n >= 0)
        left(s, (size_t)n);
    /* Taken in part: the socket is full, no need to hear it say so. */
    return n == (ssize_t)all && !s->closing;
}

/* There is something that could be sent now. */
static int
has_output(const struct volo__stream *s)
{
    if (!s->tls)
        return s->out.head != NULL;
    return volo__tls_waiting(s) || (s->out.head && volo__tls_ready_to_write(s));
}

/* All has left, and none of it waits for a handshake: say that it was all. */
static void
end_output(struct volo__stream *s)
{
    if (s->tls)
        volo__tls_bye(s);
    if (has_output(s) && !push_once(s) && has_output(s) && !s->broken) {
        s->writable_wait = 1;
        return;
    }
    s->shut = 2;
    shutdown(s->fd, SHUT_WR);
}

void
volo__stream_push(struct volo__stream *s)
{
    int rounds;

    if (s->broken)
        return;
    /* Whoever fills the queue stopped at the mark, and waits to be told. */
    if (s->out.bytes > s->drain_mark)
        s->want_drained = 1;
    for (rounds = 0; has_output(s) && rounds < WRITE_ROUNDS; rounds++)
        if (!push_once(s))
            break;
    if (s->closing || s->broken)
        return;
    if (has_output(s))
        s->writable_wait = s->want_drained = 1;
    else if (s->shut == 1 && !s->out.head)
        end_output(s);
}
