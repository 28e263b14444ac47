/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session tickets.  Their keys belong to the volo_tls, so that what one loop
 * gave out another takes back, and outlive a reload.  A key makes tickets for
 * one lifetime and is known for one more: a ticket is good for at least its
 * lifetime, and whoever steals the keys reads at most two lifetimes of what
 * was resumed without a fresh exchange of keys.
 *
 * Keys that were given, since other processes have them too, take the place of
 * these, and their age is the giver's business.  What such a key looks like is
 * what nginx made usual.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "net/tls_conn.h"

enum { KEY = 80, KEY_128 = 48, GIVEN_MOST = 16 };

/* ---- Those of its own ---------------------------------------------------- */

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
    key->size = sizeof key->aes;
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
own_key_to_make(struct volo__tls_tickets *t, struct volo__tls_key *out)
{
    uint64_t now = now_ms();
    int err = 0;

    expire(t, now);
    if (!t->now.born)
        err = fill(&t->now, now);
    *out = t->now;
    return err;
}

static int
is_named(const struct volo__tls_key *key, const unsigned char *name)
{
    return !memcmp(key->name, name, sizeof key->name);
}

/* 1: the key of now, 2: the last one, 0: neither. */
static int
own_key_to_read(struct volo__tls_tickets *t, const unsigned char *name,
                struct volo__tls_key *out)
{
    expire(t, now_ms());
    if (t->now.born && is_named(&t->now, name)) {
        *out = t->now;
        return 1;
    }
    if (t->last.born && is_named(&t->last, name)) {
        *out = t->last;
        return 2;
    }
    return 0;
}

/* ---- Those that were given ----------------------------------------------- */

static void
read_key(struct volo__tls_key *key, const char *ptr, size_t len)
{
    const char *mac = ptr + sizeof key->name, *aes;

    key->size = len == KEY ? 32 : 16;
    key->born = 1;
    memcpy(key->name, ptr, sizeof key->name);
    aes = mac + key->size;
    if (len == KEY_128) { /* the other way round */
        aes = mac;
        mac = aes + key->size;
    }
    memcpy(key->aes, aes, key->size);
    memcpy(key->mac, mac, key->size);
}

void
volo__tls_keys_wipe(struct volo__tls_keys *keys)
{
    if (keys->at)
        OPENSSL_cleanse(keys->at, keys->count * sizeof *keys->at);
    volo__free(keys->at);
    *keys = (struct volo__tls_keys){NULL, 0};
}

/* Room for ${count} of them. */
static int
keys_make(struct volo__tls_keys *keys, size_t count)
{
    keys->at = volo__calloc(count * sizeof *keys->at);
    keys->count = keys->at ? count : 0;
    return keys->at ? 0 : VOLO_ENOMEM;
}

static int
load_key(struct volo__tls_key *key, volo_tls *tls, const char *file)
{
    struct volo__tls_bytes bytes = {NULL, 0};
    int err = volo__tls_read(&bytes, tls, file);

    if (!err && bytes.len != KEY && bytes.len != KEY_128)
        err = volo__tls_why(tls, file,
                            "is no key for tickets: has not 80 octets, or 48");
    if (!err)
        read_key(key, bytes.ptr, bytes.len);
    volo__tls_wipe(&bytes);
    return err;
}

static size_t
count_files(const char *files)
{
    size_t count = 1;

    for (; *files; files++)
        count += *files == ':';
    return count;
}

/* One after the other, of a text that this may cut up. */
static int
load_files(struct volo__tls_keys *keys, volo_tls *tls, char *files)
{
    size_t i, count = count_files(files);
    char *colon;
    int err;

    if (count > GIVEN_MOST)
        return volo__tls_why(tls, "ticket keys", "are more than 16");
    err = keys_make(keys, count);
    for (i = 0; !err && i < count; i++) {
        colon = strchrnul(files, ':');
        *colon = 0;
        err = load_key(&keys->at[i], tls, files);
        files = colon + 1;
    }
    return err;
}

int
volo__tls_keys_load(struct volo__tls_keys *out, volo_tls *tls)
{
    struct volo__tls_keys keys = {NULL, 0};
    const char *text = tls->texts[VOLO_TLS_TICKET_KEYS];
    char *files;
    int err;

    if (!text) {
        *out = keys;
        return 0;
    }
    files = volo__strndup(text, strlen(text));
    if (!files)
        return VOLO_ENOMEM;
    err = load_files(&keys, tls, files);
    volo__free(files);
    if (err)
        volo__tls_keys_wipe(&keys);
    else
        *out = keys;
    return err;
}

/* Takes ${keys}. */
static void
give(struct volo__tls_tickets *t, struct volo__tls_keys *keys, int from_files)
{
    struct volo__tls_keys before;

    pthread_mutex_lock(&t->lock);
    before = t->given;
    t->given = *keys;
    t->from_files = from_files;
    pthread_mutex_unlock(&t->lock);
    volo__tls_keys_wipe(&before);
}

void
volo__tls_tickets_set(volo_tls *tls, struct volo__tls_keys *keys)
{
    struct volo__tls_tickets *t = &tls->tickets;

    pthread_mutex_lock(&t->lock);
    t->lifetime = tls->numbers[VOLO_TLS_TICKET_LIFETIME];
    pthread_mutex_unlock(&t->lock);
    if (keys->count || t->from_files)
        give(t, keys, keys->count != 0);
}

int
volo_tls_set_ticket_keys(volo_tls *tls, volo_str octets)
{
    struct volo__tls_keys keys = {NULL, 0};
    size_t i, count = octets.ptr ? octets.len / KEY : 0;

    if (!tls || count > GIVEN_MOST || (octets.ptr && octets.len % KEY))
        return VOLO_EINVAL;
    if (count && keys_make(&keys, count) < 0)
        return VOLO_ENOMEM;
    for (i = 0; i < count; i++)
        read_key(&keys.at[i], octets.ptr + i * KEY, KEY);
    pthread_mutex_lock(&tls->conf_lock);
    volo__free(tls->texts[VOLO_TLS_TICKET_KEYS]);
    tls->texts[VOLO_TLS_TICKET_KEYS] = NULL;
    give(&tls->tickets, &keys, 0);
    pthread_mutex_unlock(&tls->conf_lock);
    return 0;
}

/* ---- Which one ----------------------------------------------------------- */

static int
key_to_make(struct volo__tls_tickets *t, struct volo__tls_key *out)
{
    int err = 0;

    pthread_mutex_lock(&t->lock);
    if (t->given.count)
        *out = t->given.at[0];
    else
        err = own_key_to_make(t, out);
    pthread_mutex_unlock(&t->lock);
    return err;
}

/* 1: the one that makes them, 2: another, so that there should be a new
 * ticket; 0: none. */
static int
key_to_read(struct volo__tls_tickets *t, const unsigned char *name,
            struct volo__tls_key *out)
{
    int which = 0;
    size_t i;

    pthread_mutex_lock(&t->lock);
    for (i = 0; i < t->given.count && !which; i++)
        if (is_named(&t->given.at[i], name)) {
            *out = t->given.at[i];
            which = i ? 2 : 1;
        }
    if (!t->given.count)
        which = own_key_to_read(t, name, out);
    pthread_mutex_unlock(&t->lock);
    return which;
}

static const EVP_CIPHER *
cipher_of(const struct volo__tls_key *key)
{
    return key->size == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
}

static int
set_mac(EVP_MAC_CTX *mac, struct volo__tls_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac,
                                          key->size),
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
        EVP_EncryptInit_ex(cipher, cipher_of(&key), NULL, key.aes, iv) == 1 &&
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
    if (which &&
        (EVP_DecryptInit_ex(cipher, cipher_of(&key), NULL, key.aes, iv) != 1 ||
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
