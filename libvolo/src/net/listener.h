/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and listening sockets. */
#ifndef VOLO_NET_LISTENER_H
#define VOLO_NET_LISTENER_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <uv.h>

#include "base/home.h"

/* A listening address as bound; of TCP, each loop opens a socket of its own
 * with SO_REUSEPORT, else all loops share one.  The first socket listens from
 * the beginning: that is what makes a second server fail to bind. */
struct volo__address {
    struct sockaddr_storage addr;
    socklen_t len;
    int fd;         /* the first socket, bound at once to hold the place */
    int shared;     /* Unix, or handed over: one socket for all loops */
    int owned_path; /* a Unix socket to be unlinked at the end, if it is */
    dev_t dev;      /* still this file */
    ino_t ino;
};

/*
 * volo__address_bind(out, text, why, why_size):
 * See volo_server_bind().  ${why} gets words on failure.  "localhost" is
 * 127.0.0.1, or ::1 where there is no IPv4; nothing asks a resolver.
 * VOLO_EINVAL, VOLO_EADDRINUSE, VOLO_EACCES, VOLO_ENOFILES, VOLO_ENOMEM,
 * VOLO_EIO.
 */
int volo__address_bind(struct volo__address *out, const char *text, char *why,
                       size_t why_size);

/* volo__address_port(a): its port, 0 if it has none. */
int volo__address_port(const struct volo__address *a);

/* volo__address_close(a): close its socket, unlink its path. */
void volo__address_close(struct volo__address *a);

struct volo__listener;

/* volo__accept_fn: a connection: ${fd} is non-blocking, close-on-exec, with
 * TCP_NODELAY, and the callee's. */
typedef void (*volo__accept_fn)(struct volo__listener *l, int fd,
                                const struct sockaddr *addr, socklen_t len);

struct volo__listener {
    uv_poll_t poll;
    struct volo__home *home;
    volo__accept_fn accept;
    void *user; /* for the owner to set, once it is open */
    void (*closed)(struct volo__listener *l);
    struct volo__alarm retry; /* after descriptors ran out */
    int fd;
    uint8_t paused; /* bits: by its owner, by want of descriptors */
    uint8_t polling;
    uint8_t closing;
    uint64_t wakes;  /* that it was found readable */
    uint64_t pauses; /* times that descriptors ran out */
};

/*
 * volo__listener_open(l, home, address, first, backlog, accept):
 * Accept on ${address}: on its socket if ${first} or shared (duplicated), else
 * on one more.  At most 64 connections per iteration.  Out of descriptors:
 * the spare one is used to close a waiting connection, and accepting pauses
 * for 100 ms.  VOLO_E...
 */
int volo__listener_open(struct volo__listener *l, struct volo__home *home,
                        const struct volo__address *address, int first,
                        int backlog, volo__accept_fn accept);

/* volo__address_socket(a): one more socket on a TCP address, bound and not
 * listening yet; a negative errno on failure. */
int volo__address_socket(const struct volo__address *a);

/* volo__listener_pause(l, on): stop and start accepting: a limit is reached. */
void volo__listener_pause(struct volo__listener *l, int on);

/* volo__listener_close(l, closed): ${closed} is the last call. */
void volo__listener_close(struct volo__listener *l,
                          void (*closed)(struct volo__listener *l));

#endif
