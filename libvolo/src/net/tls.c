/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of TLS.  What is set here is tried out at once where that can
 * be done alone, but used only by the next set of contexts that is made.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "net/tls_conn.h"

/* ---- Errors -------------------------------------------------------------- */

/* The next of a few places in turn, so that a reader on another thread is not
 * overtaken at once. */
int
volo__tls_why(volo_tls *tls, const char *what, const char *why)
{
    unsigned turn = atomic_load(&tls->why_turn) + 1;

    snprintf(tls->why[turn % VOLO__TLS_WHYS], VOLO__TLS_WHY_SIZE, "%s: %s",
             what, why);
    atomic_store(&tls->why_turn, turn);
    return VOLO_ETLS;
}

int
volo__tls_why_ssl(volo_tls *tls, const char *what)
{
    unsigned long err = ERR_peek_last_error();
    const char *why = ERR_reason_error_string(err);
    int no_memory = ERR_GET_REASON(err) == ERR_R_MALLOC_FAILURE;

    ERR_clear_error();
    if (no_memory)
        return VOLO_ENOMEM;
    return volo__tls_why(tls, what, why ? why : "OpenSSL does not accept it");
}

const char *
volo_tls_error(const volo_tls *tls)
{
    return tls->why[atomic_load(&tls->why_turn) % VOLO__TLS_WHYS];
}

/* ---- Life ---------------------------------------------------------------- */

static void
cert_clear(struct volo__tls_cert *cert)
{
    volo__free(cert->chain_file);
    volo__free(cert->key_file);
    volo__free(cert->ocsp_file);
    volo__tls_wipe(&cert->chain);
    volo__tls_wipe(&cert->key);
}

static void
tls_free(volo_tls *tls)
{
    size_t i;

    volo__tls_set_unref(tls->set);
    for (i = 0; i < tls->cert_count; i++)
        cert_clear(&tls->certs[i]);
    volo__free(tls->certs);
    volo__free(tls->client_ca);
    volo__free(tls->client_crl);
    for (i = 0; i < VOLO__TLS_TEXTS; i++)
        volo__free(tls->texts[i]);
    BIO_meth_free(tls->bio);
    OPENSSL_cleanse(&tls->tickets.now, sizeof tls->tickets.now);
    OPENSSL_cleanse(&tls->tickets.last, sizeof tls->tickets.last);
    volo__tls_keys_wipe(&tls->tickets.given);
    pthread_mutex_destroy(&tls->tickets.lock);
    pthread_mutex_destroy(&tls->conf_lock);
    pthread_mutex_destroy(&tls->set_lock);
    volo__free(tls);
}

int
volo_tls_new(volo_tls **out)
{
    volo_tls *tls = volo__calloc(sizeof *tls);

    if (!tls)
        return VOLO_ENOMEM;
    ERR_clear_error();
    tls->bio = volo__tls_bio();
    if (!tls->bio) {
        ERR_clear_error();
        volo__free(tls);
        return VOLO_ENOMEM;
    }
    atomic_init(&tls->refs, 1);
    pthread_mutex_init(&tls->conf_lock, NULL);
    pthread_mutex_init(&tls->set_lock, NULL);
    pthread_mutex_init(&tls->tickets.lock, NULL);
    tls->numbers[VOLO_TLS_MIN_VERSION] = 12;
    tls->numbers[VOLO_TLS_MAX_VERSION] = 13;
    tls->numbers[VOLO_TLS_TICKETS] = 2;
    tls->numbers[VOLO_TLS_TICKET_LIFETIME] = 12 * 3600 * 1000;
    tls->tickets.lifetime = tls->numbers[VOLO_TLS_TICKET_LIFETIME];
    *out = tls;
    return 0;
}

volo_tls *
volo_tls_ref(volo_tls *tls)
{
    atomic_fetch_add(&tls->refs, 1);
    return tls;
}

void
volo_tls_unref(volo_tls *tls)
{
    if (tls && atomic_fetch_sub(&tls->refs, 1) == 1)
        tls_free(tls);
}

/* ---- Certificates -------------------------------------------------------- */

static int
copy_text(char **out, const char *text)
{
    *out = text ? volo__strndup(text, strlen(text)) : NULL;
    return text && !*out ? VOLO_ENOMEM : 0;
}

static int
copy_bytes(struct volo__tls_bytes *out, volo_str s)
{
    out->ptr = s.ptr ? volo__strndup(s.ptr, s.len) : NULL;
    out->len = s.len;
    return s.ptr && !out->ptr ? VOLO_ENOMEM : 0;
}

/* Whether a context would have it. */
static int
try_cert(volo_tls *tls, const struct volo__tls_cert *cert)
{
    struct volo__tls_ctx ctx = {NULL, {NULL, 0}, 0};
    int err = volo__tls_context(&ctx.ssl, tls);

    if (!err)
        err = volo__tls_cert_load(&ctx, tls, cert);
    volo__tls_wipe(&ctx.ocsp);
    SSL_CTX_free(ctx.ssl);
    ERR_clear_error();
    return err;
}

/* Takes what is in ${cert}, also on failure. */
static int
add_cert(volo_tls *tls, struct volo__tls_cert *cert, int err)
{
    struct volo__tls_cert *certs;

    pthread_mutex_lock(&tls->conf_lock);
    if (!err)
        err = try_cert(tls, cert);
    if (!err) {
        certs =
            volo__realloc(tls->certs, (tls->cert_count + 1) * sizeof *certs);
        if (certs) {
            tls->certs = certs;
            certs[tls->cert_count++] = *cert;
        } else {
            err = VOLO_ENOMEM;
        }
    }
    pthread_mutex_unlock(&tls->conf_lock);
    if (err)
        cert_clear(cert);
    return err;
}

int
volo_tls_add_cert(volo_tls *tls, const char *chain_file, const char *key_file)
{
    struct volo__tls_cert cert = {0};
    int err;

    if (!tls || !chain_file || !*chain_file)
        return VOLO_EINVAL;
    err = copy_text(&cert.chain_file, chain_file);
    if (!err)
        err = copy_text(&cert.key_file, key_file ? key_file : chain_file);
    return add_cert(tls, &cert, err);
}

int
volo_tls_add_cert_pem(volo_tls *tls, volo_str chain, volo_str key)
{
    struct volo__tls_cert cert = {0};
    int err;

    if (!tls || !chain.ptr)
        return VOLO_EINVAL;
    err = copy_bytes(&cert.chain, chain);
    if (!err)
        err = copy_bytes(&cert.key, key.ptr ? key : chain);
    return add_cert(tls, &cert, err);
}

int
volo_tls_set_ocsp(volo_tls *tls, size_t i, const char *file)
{
    struct volo__tls_cert cert;
    char *copy;
    int err;

    if (!tls || (file && !*file))
        return VOLO_EINVAL;
    if (copy_text(&copy, file) < 0)
        return VOLO_ENOMEM;
    pthread_mutex_lock(&tls->conf_lock);
    err = i < tls->cert_count ? 0 : VOLO_ENOENT;
    if (!err) {
        cert = tls->certs[i];
        cert.ocsp_file = copy;
        err = try_cert(tls, &cert);
    }
    if (!err) {
        copy = tls->certs[i].ocsp_file;
        tls->certs[i].ocsp_file = cert.ocsp_file;
    }
    pthread_mutex_unlock(&tls->conf_lock);
    volo__free(copy);
    return err;
}

/* ---- Clients ------------------------------------------------------------- */

int
volo_tls_set_client_ca(volo_tls *tls, const char *file, int mode)
{
    char *before, *copy;
    int mode_before, err;

    if (!tls || mode < VOLO_TLS_CLIENT_NONE || mode > VOLO_TLS_CLIENT_REQUIRED)
        return VOLO_EINVAL;
    if (mode == VOLO_TLS_CLIENT_NONE ? !!file : !file || !*file)
        return VOLO_EINVAL;
    if (copy_text(&copy, file) < 0)
        return VOLO_ENOMEM;
    pthread_mutex_lock(&tls->conf_lock);
    before = tls->client_ca;
    mode_before = tls->client_mode;
    tls->client_ca = copy;
    tls->client_mode = mode;
    err = volo__tls_try_clients(tls);
    if (err) {
        tls->client_ca = before;
        tls->client_mode = mode_before;
        before = copy;
    }
    pthread_mutex_unlock(&tls->conf_lock);
    volo__free(before);
    return err;
}

int
volo_tls_set_client_crl(volo_tls *tls, const char *file)
{
    char *before, *copy;
    int err;

    if (!tls || (file && !*file))
        return VOLO_EINVAL;
    if (copy_text(&copy, file) < 0)
        return VOLO_ENOMEM;
    pthread_mutex_lock(&tls->conf_lock);
    before = tls->client_crl;
    tls->client_crl = copy;
    err = volo__tls_try_clients(tls);
    if (err) {
        tls->client_crl = before;
        before = copy;
    }
    pthread_mutex_unlock(&tls->conf_lock);
    volo__free(before);
    return err;
}

/* ---- Numbers and texts --------------------------------------------------- */

static int
number_is_good(int option, uint64_t value)
{
    switch (option) {
    case VOLO_TLS_MIN_VERSION:
    case VOLO_TLS_MAX_VERSION:
        return value == 12 || value == 13;
    case VOLO_TLS_TICKETS:
        return value <= 8;
    case VOLO_TLS_TICKET_LIFETIME:
        return value >= 1000 && value <= UINT64_C(7) * 24 * 3600 * 1000;
    default:
        return 0;
    }
}

int
volo_tls_set(volo_tls *tls, int option, uint64_t value)
{
    if (!tls || !number_is_good(option, value))
        return VOLO_EINVAL;
    pthread_mutex_lock(&tls->conf_lock);
    tls->numbers[option] = value;
    pthread_mutex_unlock(&tls->conf_lock);
    return 0;
}

/* With the new text in place: would it do? */
static int
try_text(volo_tls *tls, int option)
{
    struct volo__tls_bytes alpn = {NULL, 0};
    struct volo__tls_keys keys = {NULL, 0};
    SSL_CTX *ctx = NULL;
    int err = 0, fd;

    if (option == VOLO_TLS_ALPN) {
        err = volo__tls_alpn(&alpn, tls->texts[option]);
        volo__free(alpn.ptr);
    } else if (option == VOLO_TLS_KEYLOG) {
        fd = volo__tls_keylog_open(tls);
        err = fd < 0 ? fd : (close(fd), 0);
    } else if (option == VOLO_TLS_TICKET_KEYS) {
        err = volo__tls_keys_load(&keys, tls);
        volo__tls_keys_wipe(&keys);
    } else {
        err = volo__tls_context(&ctx, tls);
        SSL_CTX_free(ctx);
        ERR_clear_error();
    }
    return err;
}

int
volo_tls_set_text(volo_tls *tls, int option, const char *text)
{
    char *before, *copy;
    int err;

    if (!tls || option < 1 || option >= VOLO__TLS_TEXTS || (text && !*text))
        return VOLO_EINVAL;
    if (copy_text(&copy, text) < 0)
        return VOLO_ENOMEM;
    pthread_mutex_lock(&tls->conf_lock);
    before = tls->texts[option];
    tls->texts[option] = copy;
    err = copy ? try_text(tls, option) : 0;
    if (err) {
        tls->texts[option] = before;
        before = copy;
    }
    pthread_mutex_unlock(&tls->conf_lock);
    volo__free(before);
    return err;
}

/* ---- Sets ---------------------------------------------------------------- */

struct volo__tls_set *
volo__tls_set_get(volo_tls *tls)
{
    struct volo__tls_set *set;

    pthread_mutex_lock(&tls->set_lock);
    set = tls->set;
    if (set)
        atomic_fetch_add(&set->refs, 1);
    pthread_mutex_unlock(&tls->set_lock);
    return set;
}

/* The lock of the settings is held. */
static int
renew(volo_tls *tls)
{
    struct volo__tls_keys keys = {NULL, 0};
    struct volo__tls_set *set, *before;
    int err;

    if (!tls->cert_count)
        return volo__tls_why(tls, "TLS", "no certificate was added"),
               VOLO_EINVAL;
    ERR_clear_error();
    err = volo__tls_keys_load(&keys, tls);
    if (!err)
        err = volo__tls_set_new(&set, tls);
    ERR_clear_error();
    if (err) {
        volo__tls_keys_wipe(&keys);
        return err;
    }
    volo__tls_tickets_set(tls, &keys);
    pthread_mutex_lock(&tls->set_lock);
    before = tls->set;
    tls->set = set;
    pthread_mutex_unlock(&tls->set_lock);
    volo__tls_set_unref(before);
    return 0;
}

int
volo_tls_reload(volo_tls *tls)
{
    int err;

    if (!tls)
        return VOLO_EINVAL;
    pthread_mutex_lock(&tls->conf_lock);
    err = renew(tls);
    pthread_mutex_unlock(&tls->conf_lock);
    return err;
}

int
volo__tls_ready(volo_tls *tls)
{
    int err;

    pthread_mutex_lock(&tls->conf_lock);
    err = tls->set ? 0 : renew(tls);
    pthread_mutex_unlock(&tls->conf_lock);
    return err;
}
