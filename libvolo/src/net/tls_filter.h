/* SPDX-License-Identifier: Apache-2.0 */
/* TLS as the rest of a stream sees it; all for streams that have it. */
#ifndef VOLO_NET_TLS_FILTER_H
#define VOLO_NET_TLS_FILTER_H

#include "net/stream.h"

/* volo__tls_hungry(s): the handshake needs octets, wanted or not. */
int volo__tls_hungry(const struct volo__stream *s);

/* volo__tls_ready_to_write(s): what is in the queue can be encrypted. */
int volo__tls_ready_to_write(const struct volo__stream *s);

/* volo__tls_held(s): there are octets that were read and not decrypted, since
 * reading was off. */
int volo__tls_held(const struct volo__stream *s);

/* volo__tls_resume(s): decrypt these and tell of them.  1: all were. */
int volo__tls_resume(struct volo__stream *s);

/* volo__tls_read_once(s): one system call; 1: it filled the buffer. */
int volo__tls_read_once(struct volo__stream *s);

/* volo__tls_waiting(s): octets that were encrypted and have not left. */
size_t volo__tls_waiting(const struct volo__stream *s);

/* volo__tls_seal(s): encrypt as much of the queue as one buffer takes, if that
 * is empty; point ${out} to what is to be sent.  0 if that is nothing. */
size_t volo__tls_seal(struct volo__stream *s, const char **out);

/* volo__tls_sealed_left(s, n): so much of that has left. */
void volo__tls_sealed_left(struct volo__stream *s, size_t n);

/* volo__tls_bye(s): tell the peer that all was sent, if it does not know. */
void volo__tls_bye(struct volo__stream *s);

/* volo__tls_free(s): the last. */
void volo__tls_free(struct volo__stream *s);

#endif
