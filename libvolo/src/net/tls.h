/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS as the server room sees it.  What is OpenSSL's is in tls_state.h, for
 * net alone.
 */
#ifndef VOLO_NET_TLS_H
#define VOLO_NET_TLS_H

#include <volo/tls.h>

#include "base/tls_info.h"
#include "net/stream.h"

/* volo__tls_ready(tls): make it fit for use, at the latest now.  VOLO_EINVAL
 * (no certificate), VOLO_ETLS, VOLO_ENOMEM; volo_tls_error() has the words.
 * Any thread. */
int volo__tls_ready(volo_tls *tls);

/*
 * volo__stream_start_tls(s, tls):
 * From now on ${s} carries TLS, as the server, and everything about it is
 * plaintext: data, and its queue, which may be filled at once and is sent
 * after the handshake.  That begins by itself, whether reading is on or not,
 * and takes as long as the peer likes; ops->secured is called when it is done.
 * What breaks it, or any record later, is VOLO_ETLS: an alert was sent.
 * ${tls} is ready.  Once, with nothing sent; also from inside data.
 * VOLO_ENOMEM: nothing has changed.
 */
int volo__stream_start_tls(struct volo__stream *s, volo_tls *tls);

/* volo__stream_put_back(s, ptr, len, block): these octets, which lie in
 * ${block}, were read before TLS began and belong to it.  Straight after
 * volo__stream_start_tls(), once. */
void volo__stream_put_back(struct volo__stream *s, const char *ptr, size_t len,
                           struct volo__block *block);

/* volo__stream_tls(s): what the handshake has found out, borrowed; NULL
 * before, and without TLS. */
struct volo__tls_info *volo__stream_tls(const struct volo__stream *s);

/* volo__stream_alpn(s): "h2" or whatever was agreed on; "http/1.1" if the peer
 * said nothing; absent as above. */
volo_str volo__stream_alpn(const struct volo__stream *s);

#endif
