/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS from inside, for net/tls*.c alone.  A volo_tls is settings, and the set
 * of contexts that was made of them the last time; connections hold the set
 * they began with.
 */
#ifndef VOLO_NET_TLS_STATE_H
#define VOLO_NET_TLS_STATE_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/tls.h"
#include "net/tls_tickets.h"

/* ---- Settings ------------------------------------------------------------ */

struct volo__tls_bytes {
    char *ptr;
    size_t len;
};

/* One that was added: files, or PEM text. */
struct volo__tls_cert {
    char *chain_file; /* NULL: text */
    char *key_file;
    char *ocsp_file; /* NULL: none */
    struct volo__tls_bytes chain;
    struct volo__tls_bytes key;
};

enum {
    VOLO__TLS_NUMBERS = VOLO_TLS_TICKET_LIFETIME + 1,
    VOLO__TLS_TEXTS = VOLO_TLS_TICKET_KEYS + 1,
    VOLO__TLS_RECORD = 16384, /* the most that one carries */
    VOLO__TLS_WHYS = 4,
    VOLO__TLS_WHY_SIZE = 256
};

/* ---- What is made of them ------------------------------------------------ */

/* The context of one certificate. */
struct volo__tls_ctx {
    SSL_CTX *ssl;
    struct volo__tls_bytes ocsp;
    int64_t ocsp_until; /* seconds since 1970; INT64_MAX: unlimited */
};

/* A name that a certificate is good for, "*." first where any label will do. */
struct volo__tls_name {
    char *text; /* in lower case */
    size_t index;
};

struct volo__tls_names {
    struct volo__tls_name *at; /* sorted once all are there */
    size_t count;
    size_t room;
};

struct volo__tls_set {
    atomic_uint refs;
    struct volo__tls_ctx *ctx;
    size_t count;
    struct volo__tls_names names;
    struct volo__tls_bytes alpn; /* as on the wire */
    int keylog;                  /* a descriptor, or -1 */
};

/* ---- All together -------------------------------------------------------- */

struct volo_tls {
    atomic_uint refs;
    BIO_METHOD *bio;
    struct volo__tls_tickets tickets;

    pthread_mutex_t conf_lock; /* for what follows; held while files are read */
    struct volo__tls_cert *certs;
    size_t cert_count;
    char *client_ca;
    char *client_crl; /* NULL: none */
    int client_mode;
    uint64_t numbers[VOLO__TLS_NUMBERS];
    char *texts[VOLO__TLS_TEXTS];
    char why[VOLO__TLS_WHYS][VOLO__TLS_WHY_SIZE];
    atomic_uint why_turn;

    pthread_mutex_t set_lock; /* for the pointer alone: never held for long */
    struct volo__tls_set *set;
};

/* ---- tls.c --------------------------------------------------------------- */

/* volo__tls_why(tls, what, why): note "${what}: ${why}"; VOLO_ETLS. */
int volo__tls_why(volo_tls *tls, const char *what, const char *why);

/* volo__tls_why_ssl(tls, what): the same from OpenSSL's last error, and
 * VOLO_ENOMEM if it was that. */
int volo__tls_why_ssl(volo_tls *tls, const char *what);

/* volo__tls_set_get(tls): the current set, referenced; NULL if there is none
 * yet.  Any thread. */
struct volo__tls_set *volo__tls_set_get(volo_tls *tls);

/* ---- tls_set.c ----------------------------------------------------------- */

/* volo__tls_set_new(out, tls): build one from the settings; VOLO_EINVAL,
 * VOLO_ETLS, VOLO_ENOMEM.  The lock is held. */
int volo__tls_set_new(struct volo__tls_set **out, volo_tls *tls);

/* volo__tls_set_unref(set): NULL is ignored. */
void volo__tls_set_unref(struct volo__tls_set *set);

/* volo__tls_context(out, tls): a context with all that is the same for each
 * certificate, but for the client's authorities. */
int volo__tls_context(SSL_CTX **out, volo_tls *tls);

/* volo__tls_alpn(out, text): "a,b" as on the wire; VOLO_EINVAL,
 * VOLO_ENOMEM. */
int volo__tls_alpn(struct volo__tls_bytes *out, const char *text);

/* volo__tls_try_clients(tls): whether a set could be made of what is asked of
 * clients.  VOLO_ETLS, VOLO_ENOMEM. */
int volo__tls_try_clients(volo_tls *tls);

/* volo__tls_keylog_open(tls): a descriptor to append to, or VOLO_ETLS. */
int volo__tls_keylog_open(volo_tls *tls);

/* ---- tls_cert.c ---------------------------------------------------------- */

/* volo__tls_read(out, tls, file): all of ${file}, to be freed with
 * volo__tls_wipe(). */
int volo__tls_read(struct volo__tls_bytes *out, volo_tls *tls,
                   const char *file);
void volo__tls_wipe(struct volo__tls_bytes *bytes);

/* volo__tls_cert_load(ctx, tls, cert): have ${ctx} use it, with its key and
 * its OCSP response. */
int volo__tls_cert_load(struct volo__tls_ctx *ctx, volo_tls *tls,
                        const struct volo__tls_cert *cert);

/* volo__tls_cas_load(store, names, bytes): certificates to verify with,
 * and their subjects. */
int volo__tls_cas_load(X509_STORE *store, STACK_OF(X509_NAME) * names,
                       const struct volo__tls_bytes *bytes);

/* volo__tls_crls_load(store, tls, file, bytes): lists of revoked ones to
 * verify with, which are what is in ${file}. */
int volo__tls_crls_load(X509_STORE *store, volo_tls *tls, const char *file,
                        const struct volo__tls_bytes *bytes);

/* ---- tls_names.c --------------------------------------------------------- */

/* volo__tls_names_add(names, cert, index): those that ${cert} says. */
int volo__tls_names_add(struct volo__tls_names *names, X509 *cert,
                        size_t index);
void volo__tls_names_sort(struct volo__tls_names *names);
void volo__tls_names_clear(struct volo__tls_names *names);

/* volo__tls_names_find(names, host): whose it is; 0 if nobody's. */
size_t volo__tls_names_find(const struct volo__tls_names *names,
                            const char *host);

#endif
