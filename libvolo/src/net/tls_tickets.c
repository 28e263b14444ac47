/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session tickets.  Their keys belong to the volo_tls, so that what one loop
 * gave out another takes back, and outlive a reload.  A key makes tickets for
 * one lifetime and is known for one more: a ticket is good for at least its
 * lifetime, and whoever steals the keys reads at most two lifetimes of what
 * was resumed without a fresh exchange of keys.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "net/tls_conn.h"

static uint64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

static int
fill(struct volo__tls_key *key, uint64_t born)
{
    if (RAND_bytes(key->name, sizeof key->name) != 1 ||
        RAND_priv_bytes(key->aes, sizeof key->aes) != 1 ||
        RAND_priv_bytes(key->mac, sizeof key->mac) != 1)
        return -1;
    key->born = born;
    return 0;
}

static void
forget(struct volo__tls_key *key)
{
    OPENSSL_cleanse(key, sizeof *key);
    key->born = 0;
}

/* Throw away what is too old; the lock is held. */
static void
expire(struct volo__tls_tickets *t, uint64_t now)
{
    if (t->now.born && now - t->now.born >= t->lifetime) {
        t->last = t->now;
        forget(&t->now);
    }
    if (t->last.born && now - t->last.born >= 2 * t->lifetime)
        forget(&t->last);
}

static int
key_to_make(struct volo__tls_tickets *t, struct volo__tls_key *out)
{
    uint64_t now = now_ms();
    int err = 0;

    pthread_mutex_lock(&t->lock);
    expire(t, now);
    if (!t->now.born)
        err = fill(&t->now, now);
    *out = t->now;
    pthread_mutex_unlock(&t->lock);
    return err;
}

/* 1: the key of now, 2: the last one, 0: neither. */
static int
key_to_read(struct volo__tls_tickets *t, const unsigned char *name,
            struct volo__tls_key *out)
{
    int which = 0;

    pthread_mutex_lock(&t->lock);
    expire(t, now_ms());
    if (t->now.born && !memcmp(t->now.name, name, sizeof t->now.name)) {
        *out = t->now;
        which = 1;
    } else if (t->last.born &&
               !memcmp(t->last.name, name, sizeof t->now.name)) {
        *out = t->last;
        which = 2;
    }
    pthread_mutex_unlock(&t->lock);
    return which;
}

static int
set_mac(EVP_MAC_CTX *mac, struct volo__tls_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac,
                                          sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params);
}

static int
make(struct volo__tls_tickets *t, unsigned char *name, unsigned char *iv,
     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct volo__tls_key key;
    int good =
        key_to_make(t, &key) == 0 && RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1 &&
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 &&
        set_mac(mac, &key) == 1;

    memcpy(name, key.name, sizeof key.name);
    OPENSSL_cleanse(&key, sizeof key);
    return good ? 1 : -1;
}

static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
          EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    struct volo__tls_conn *conn = SSL_get_app_data(ssl);
    struct volo__tls_tickets *t = &conn->tls->tickets;
    struct volo__tls_key key;
    int which;

    if (making)
        return make(t, name, iv, cipher, mac);
    which = key_to_read(t, name, &key);
    if (which && (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes,
                                     iv) != 1 ||
                  set_mac(mac, &key) != 1))
        which = -1;
    OPENSSL_cleanse(&key, sizeof key);
    return which;
}

void
volo__tls_tickets_use(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}
