/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connected socket with an output queue.  It reads into the home's buffer,
 * and writes what the queue holds with one system call per flush.  Embedded
 * in what it is for.
 */
#ifndef VOLO_NET_STREAM_H
#define VOLO_NET_STREAM_H

#include <uv.h>

#include "base/home.h"
#include "base/outq.h"

struct volo__stream;
struct volo__tls_conn;

/*
 * All on the loop's thread, and none from inside a call of the functions
 * below: what a flush finds out is told at the end of the iteration.  Each may
 * close the stream.  The stream flushes after data, eof and drained return.
 */
struct volo__stream_ops {
    /* ${len} octets have come; they lie in ${block}. */
    void (*data)(struct volo__stream *s, const char *ptr, size_t len,
                 struct volo__block *block);
    /* The peer will send no more, or, while reading is off, has sent its last
     * octet, read or not.  Once. */
    void (*eof)(struct volo__stream *s);
    /* The connection is broken: VOLO_EIO, VOLO_ENOMEM, VOLO_ETLS.  Once, then
     * only closed comes. */
    void (*error)(struct volo__stream *s, int err);
    /* The queue, which had more than drain_mark or than one flush could take,
     * is empty.  Comes again if it was filled in here and is empty again.
     * May be NULL. */
    void (*drained)(struct volo__stream *s);
    /* The last call: the memory may go. */
    void (*closed)(struct volo__stream *s);
    /* The TLS handshake is done, before any data: see net/tls.h.  May be NULL.
     */
    void (*secured)(struct volo__stream *s);
};

struct volo__stream {
    uv_poll_t poll;
    const struct volo__stream_ops *ops;
    struct volo__home *home;
    struct volo__outq out;
    struct volo__task flush_task; /* deferred to the end of the iteration */
    int fd;
    size_t drain_mark; /* for the owner to set; 0: drained() at each emptying */
    int err;           /* what broke it, until it is told */
    uint8_t events;    /* what poll waits for */
    uint8_t reading;   /* data is wanted */
    uint8_t armed;     /* READABLE is waited for, also if not wanted any more */
    uint8_t fin;       /* everything was read */
    uint8_t eof;       /* was told */
    uint8_t half;      /* for the owner to set: eof only once all is read */
    uint8_t deaf;      /* nothing more can be learnt by waiting */
    uint8_t writable_wait;
    uint8_t want_drained; /* drained() is due when it is empty */
    uint8_t flush_deferred;
    uint8_t flushing; /* releasing what has left: do not touch the queue */
    uint8_t closing;
    uint8_t closed; /* by libuv */
    uint8_t broken;
    uint8_t shut;   /* 1: shutdown(SHUT_WR) once it is empty; 2: done */
    uint8_t cut;    /* TLS: the end came without being announced */
    uint8_t no_h2;  /* for the owner to set before TLS: do not agree on it, */
    uint8_t no_h1;  /* or not on that */
    uint64_t reads; /* system calls */
    uint64_t writes;
    uint64_t sent;              /* octets that have left */
    struct volo__tls_conn *tls; /* NULL: none */
};

/* volo__stream_open(s, home, fd, ops): take over ${fd}, a non-blocking
 * socket; nothing is read yet.  VOLO_ENOMEM, VOLO_EIO; then fd is closed and
 * closed() is not called. */
int volo__stream_open(struct volo__stream *s, struct volo__home *home, int fd,
                      const struct volo__stream_ops *ops);

/* volo__stream_read(s, on): whether data is wanted.  Without, only the
 * peer's leaving is watched for (eof, error).  Off and on again costs nothing
 * if no data came meanwhile. */
void volo__stream_read(struct volo__stream *s, int on);

/* volo__stream_flush(s): write now what the queue holds. */
void volo__stream_flush(struct volo__stream *s);

/* volo__stream_flush_later(s): the same at the end of the iteration. */
void volo__stream_flush_later(struct volo__stream *s);

/* volo__stream_waiting(s): octets that have not left yet: those in the queue,
 * and with TLS also what was encrypted of them already. */
size_t volo__stream_waiting(const struct volo__stream *s);

/* volo__stream_shutdown(s): send FIN after what is queued. */
void volo__stream_shutdown(struct volo__stream *s);

/* volo__stream_close(s): now, throwing away what is queued. */
void volo__stream_close(struct volo__stream *s);

/* volo__stream_reset(s): the same with a RST, so that the peer can tell that
 * this is not the end it was promised; what the kernel has not sent is lost. */
void volo__stream_reset(struct volo__stream *s);

/* volo__stream_detach(s): give up the descriptor, which is returned and left
 * open; closed() comes as with close.  The queue must be empty.  -1 if the
 * stream is closing already, or has TLS. */
int volo__stream_detach(struct volo__stream *s);

#endif
