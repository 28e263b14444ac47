/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TLS handshake has found out, for whoever asks later: the connection
 * holds one reference, each exchange that may outlive it another.  Knows no
 * TLS library.
 */
#ifndef VOLO_BASE_TLS_INFO_H
#define VOLO_BASE_TLS_INFO_H

#include <stdatomic.h>
#include <stdint.h>

#include <volo/types.h>

struct volo__tls_info {
    atomic_uint refs;
    uint8_t version;         /* 12 or 13 */
    uint8_t verified;        /* a client's certificate, and it is good */
    uint8_t resumed;         /* from a ticket */
    volo_str cipher;         /* "TLS_AES_128_GCM_SHA256" */
    volo_str server_name;    /* as asked for, in lower case; absent */
    volo_str alpn;           /* what was agreed on; absent */
    volo_str client_subject; /* RFC 2253, in UTF-8; absent */
    char text[];
};

/*
 * volo__tls_info_new(facts):
 * A copy of ${facts} with its texts in it and one reference; NULL if out of
 * memory.
 */
struct volo__tls_info *volo__tls_info_new(const struct volo__tls_info *facts);

/* volo__tls_info_ref(info): returns ${info}; NULL stays NULL.  Any thread. */
struct volo__tls_info *volo__tls_info_ref(struct volo__tls_info *info);

/* volo__tls_info_unref(info): NULL is ignored.  Any thread. */
void volo__tls_info_unref(struct volo__tls_info *info);

#endif
