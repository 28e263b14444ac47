/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server listens, with or without TLS, and whose word it takes for who
 * is there.  All before it runs, but for what reloads. */
#ifndef VOLO_LISTEN_H
#define VOLO_LISTEN_H

#include <volo/tls.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_server_bind(server, address):
 * Listen on "127.0.0.1:8080", "[::1]:8080", ":8080" (every address, IPv6 and
 * IPv4), "localhost:0" (some free port), "unix:/path" (a stale socket there is
 * replaced), "unix:@name" (abstract) or "fd:3" (a listening socket that is
 * there already, and is taken over).  May be called more than once.  The
 * socket is bound now and accepts when the server runs.
 *
 * Errors: VOLO_EINVAL, VOLO_EADDRINUSE, VOLO_EACCES, VOLO_ENOFILES, VOLO_EIO,
 * VOLO_ENOMEM, VOLO_EBUSY (it runs).    @since 0.1
 */
VOLO_API int volo_server_bind(volo_server *server, const char *address);

/**
 * volo_server_bind_tls(server, address, tls):
 * The same with TLS, of which it takes a reference; one may serve several
 * addresses.  ALPN decides between HTTP/2 and HTTP/1.1.  Who speaks HTTP in
 * the clear there gets a 400 that says so.
 *
 * Errors: as volo_server_bind(), and VOLO_ETLS; volo_server_error() has the
 * words.    @since 0.1
 */
VOLO_API int volo_server_bind_tls(volo_server *server, const char *address,
                                  volo_tls *tls);

/**
 * volo_server_trust_proxy(server, i, networks):
 * Connections to listener ${i} that come from one of these ("10.0.0.0/8,::1";
 * "unix" for those of a Unix socket) begin with a header of the PROXY protocol,
 * version 1 or 2, before TLS: volo_cx_peer_ip() and the like are what it says.
 * Without it, or with one that is malformed, they are closed.  Connections from
 * elsewhere must not have one: it is octets of theirs, and no request.  NULL or
 * "", the default, trusts nobody.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOENT (no such listener), VOLO_ENOMEM, VOLO_EBUSY
 * (it runs).    @since 0.1
 */
VOLO_API int volo_server_trust_proxy(volo_server *server, size_t i,
                                     const char *networks);

/**
 * volo_server_reload(server):
 * volo_tls_reload() of every volo_tls it listens with.  Each of them has all of
 * its files read anew or stays as it was; VOLO_STAT_RELOADS counts.  Reads
 * files: not in a handler.  Any thread, while the server is not set up or
 * freed.
 *
 * Errors: VOLO_ETLS, VOLO_ENOMEM (of the first that failed; volo_tls_error()
 * has the words).    @since 0.1
 */
VOLO_API int volo_server_reload(volo_server *server);

/** volo_server_bind_systemd(server): listen on what systemd passed; how many.
 * Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_server_bind_systemd(volo_server *server);

/** volo_server_port(server, i): the port of listener ${i}, 0 if it has none,
 * VOLO_ENOENT for no listener.  Not while it is being stopped.  @since 0.1 */
VOLO_API int volo_server_port(const volo_server *server, size_t i);

/**
 * volo_server_listener_fd(server, i):
 * The listening socket ${i}, borrowed: to hand it to a successor, who binds
 * "fd:N" of a duplicate and runs before this server is stopped, so that no
 * client is refused in between.  Not while the server is being stopped.
 *
 * Errors: VOLO_ENOENT.    @since 0.1
 */
VOLO_API int volo_server_listener_fd(const volo_server *server, size_t i);

#ifdef __cplusplus
}
#endif

#endif
