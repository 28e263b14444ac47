/* SPDX-License-Identifier: Apache-2.0 */
/* One connection's TLS from inside, for net/tls*.c alone. */
#ifndef VOLO_NET_TLS_CONN_H
#define VOLO_NET_TLS_CONN_H

#include "net/tls_state.h"

/* One connection: OpenSSL between two blocks of the home, each held only while
 * there is something in it. */
struct volo__tls_conn {
    SSL *ssl;
    volo_tls *tls;
    struct volo__tls_set *set;
    struct volo__tls_info *info; /* NULL until the handshake is done */
    struct volo__home *home;
    struct volo__block *in; /* encrypted, not looked at yet */
    const char *in_ptr;
    size_t in_len;
    struct volo__block *out; /* encrypted, not sent yet */
    size_t out_off;
    size_t out_len;
    uint64_t sent_at; /* when the last record was made */
    size_t burst;     /* plaintext since the connection last was idle */
    uint8_t no_h2;
    uint8_t no_h1;
    uint8_t no_memory; /* which is why OpenSSL failed */
    uint8_t said_bye;  /* close_notify, or an alert */
};

/* volo__tls_learn(t): the handshake is done: make its info.  VOLO_ENOMEM. */
int volo__tls_learn(struct volo__tls_conn *t);

/* volo__tls_bio(): what connects OpenSSL to those blocks; NULL if out of
 * memory. */
BIO_METHOD *volo__tls_bio(void);

#endif
