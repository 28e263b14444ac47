/* SPDX-License-Identifier: Apache-2.0 */
/* Keys for session tickets, for net/tls*.c alone: those that a volo_tls makes,
 * and those that it was given. */
#ifndef VOLO_NET_TLS_TICKETS_H
#define VOLO_NET_TLS_TICKETS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>

#include <volo/tls.h>

struct volo__tls_key {
    unsigned char name[16];
    unsigned char aes[32];
    unsigned char mac[32];
    unsigned size; /* of the two, in octets: 32, or 16 */
    uint64_t born; /* milliseconds, monotonic; 0: there is none */
};

/* Those that were given; none: the volo_tls has its own. */
struct volo__tls_keys {
    struct volo__tls_key *at;
    size_t count;
};

struct volo__tls_tickets {
    pthread_mutex_t lock;
    uint64_t lifetime;
    struct volo__tls_key now;
    struct volo__tls_key last; /* known for one lifetime more */
    struct volo__tls_keys given;
    int from_files; /* those are */
};

/* volo__tls_tickets_use(ctx): have ${ctx} ask the connection's volo_tls. */
void volo__tls_tickets_use(SSL_CTX *ctx);

/* volo__tls_keys_load(out, tls): what VOLO_TLS_TICKET_KEYS names, none if it
 * names nothing.  The lock of the settings is held.  VOLO_ETLS, VOLO_ENOMEM. */
int volo__tls_keys_load(struct volo__tls_keys *out, volo_tls *tls);
void volo__tls_keys_wipe(struct volo__tls_keys *keys);

/* volo__tls_tickets_set(tls, keys): use what volo__tls_keys_load() gave,
 * which is taken.  Those that were not from files stay unless there are. */
void volo__tls_tickets_set(volo_tls *tls, struct volo__tls_keys *keys);

#endif
