/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's contexts, one for each certificate, made of the settings; and what
 * they ask while a handshake goes on.
 */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "net/tls_conn.h"

/* What is good enough and costs least first; clients that would rather have
 * ChaCha20 get it (SSL_OP_PRIORITIZE_CHACHA). */
#define CIPHERS                                                  \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE+AESGCM:ECDHE+CHACHA20"
#define SUITES                                       \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
    "TLS_CHACHA20_POLY1305_SHA256"
/* Not the finite fields: they cost a server far more than a client. */
#define GROUPS "X25519:P-256:P-384:P-521"
#define ALPN "h2,http/1.1"

/* ---- During a handshake -------------------------------------------------- */

static int
on_server_name(SSL *ssl, int *alert, void *user)
{
    struct volo__tls_conn *conn = SSL_get_app_data(ssl);
    const struct volo__tls_set *set = conn->set;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    size_t index;

    (void)user;
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    index = volo__tls_names_find(&set->names, name);
    if (index && !SSL_set_SSL_CTX(ssl, set->ctx[index].ssl)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* The one of ${theirs} that is ${name}, both with their length in front. */
static const unsigned char *
offered(const unsigned char *theirs, unsigned len, const unsigned char *name)
{
    unsigned at;

    for (at = 0; at < len; at += 1u + theirs[at])
        if (theirs[at] == name[0] && at + 1u + name[0] <= len &&
            !memcmp(theirs + at + 1, name + 1, name[0]))
            return theirs + at;
    return NULL;
}

static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
        const unsigned char *theirs, unsigned len, void *user)
{
    struct volo__tls_conn *conn = SSL_get_app_data(ssl);
    const unsigned char *ours = (const unsigned char *)conn->set->alpn.ptr;
    const unsigned char *end = ours + conn->set->alpn.len, *one;

    (void)user;
    for (; ours < end; ours += 1u + ours[0]) {
        if (conn->no_h2 && ours[0] == 2 && !memcmp(ours + 1, "h2", 2))
            continue;
        if (conn->no_h1 && ours[0] == 8 && !memcmp(ours + 1, "http/1.1", 8))
            continue;
        one = offered(theirs, len, ours);
        if (!one)
            continue;
        *out = one + 1;
        *out_len = one[0];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
on_status(SSL *ssl, void *user)
{
    const struct volo__tls_ctx *ctx = user;
    unsigned char *copy;

    if (!ctx->ocsp.ptr || time(NULL) > ctx->ocsp_until)
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(ctx->ocsp.ptr, ctx->ocsp.len);
    if (!copy)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)ctx->ocsp.len);
    return SSL_TLSEXT_ERR_OK;
}

/* One write per line, so that those of several threads do not mix. */
static void
on_keylog(const SSL *ssl, const char *line)
{
    const struct volo__tls_conn *conn = SSL_get_app_data(ssl);
    size_t len = strlen(line);
    char text[512];
    ssize_t written;

    if (len >= sizeof text || conn->set->keylog < 0)
        return;
    memcpy(text, line, len);
    text[len] = '\n';
    written = write(conn->set->keylog, text, len + 1);
    (void)written; /* a full disk stops nobody */
    OPENSSL_cleanse(text, sizeof text);
}

/* ---- What all contexts share --------------------------------------------- */

static int
protocol(uint64_t version)
{
    return version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

static int
set_texts(SSL_CTX *ctx, volo_tls *tls)
{
    char *const *texts = tls->texts;
    const char *text = texts[VOLO_TLS_CIPHERS];

    if (SSL_CTX_set_cipher_list(ctx, text ? text : CIPHERS) != 1)
        return volo__tls_why_ssl(tls, "ciphers");
    text = texts[VOLO_TLS_CIPHERSUITES];
    if (SSL_CTX_set_ciphersuites(ctx, text ? text : SUITES) != 1)
        return volo__tls_why_ssl(tls, "cipher suites");
    text = texts[VOLO_TLS_GROUPS];
    if (SSL_CTX_set1_groups_list(ctx, text ? text : GROUPS) != 1)
        return volo__tls_why_ssl(tls, "groups");
    return 0;
}

static void
set_options(SSL_CTX *ctx, const volo_tls *tls)
{
    uint64_t tickets = tls->numbers[VOLO_TLS_TICKETS];

    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    /* The store is for clients' certificates: no chain of ours is in it. */
    SSL_CTX_set_mode(
        ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx,
                        (long)(tls->numbers[VOLO_TLS_TICKET_LIFETIME] / 1000));
    SSL_CTX_set_num_tickets(ctx, (size_t)tickets);
    if (!tickets)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
}

int
volo__tls_context(SSL_CTX **out, volo_tls *tls)
{
    const uint64_t *numbers = tls->numbers;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int err;

    ERR_clear_error();
    if (!ctx)
        return VOLO_ENOMEM;
    set_options(ctx, tls);
    if (numbers[VOLO_TLS_MIN_VERSION] > numbers[VOLO_TLS_MAX_VERSION])
        err = volo__tls_why(tls, "versions", "the least is above the greatest");
    else if (SSL_CTX_set_min_proto_version(
                 ctx, protocol(numbers[VOLO_TLS_MIN_VERSION])) != 1 ||
             SSL_CTX_set_max_proto_version(
                 ctx, protocol(numbers[VOLO_TLS_MAX_VERSION])) != 1)
        err = volo__tls_why_ssl(tls, "versions");
    else
        err = set_texts(ctx, tls);
    if (err)
        SSL_CTX_free(ctx);
    else
        *out = ctx;
    return err;
}

int
volo__tls_alpn(struct volo__tls_bytes *out, const char *text)
{
    size_t len = strlen(text), n, at = 0;
    char *wire = volo__malloc(len + 1);
    const char *end;

    if (!wire)
        return VOLO_ENOMEM;
    for (;; text = end + 1) {
        end = strchrnul(text, ',');
        n = (size_t)(end - text);
        if (n == 0 || n > 255) {
            volo__free(wire);
            return VOLO_EINVAL;
        }
        wire[at] = (char)n;
        memcpy(wire + at + 1, text, n);
        at += n + 1;
        if (!*end)
            break;
    }
    *out = (struct volo__tls_bytes){wire, at};
    return 0;
}

int
volo__tls_keylog_open(volo_tls *tls)
{
    const char *file = tls->texts[VOLO_TLS_KEYLOG];
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    int fd = open(file, flags | O_NONBLOCK, S_IRUSR | S_IWUSR);
    struct stat st;

    if (fd < 0)
        return volo__tls_why(tls, file, "cannot be written");
    /* A pipe's reader may leave, and that is a signal. */
    if (fstat(fd, &st) < 0 || S_ISFIFO(st.st_mode)) {
        close(fd);
        return volo__tls_why(tls, file, "is a pipe");
    }
    return fd;
}

/* ---- Clients ------------------------------------------------------------- */

/* What a set asks of clients, the same for each of its contexts. */
struct clients {
    X509_STORE *store;
    STACK_OF(X509_NAME) * names;
    unsigned char id[EVP_MAX_MD_SIZE];
    unsigned id_len;
};

/* Sessions are resumed only under what they were begun under: the same
 * authorities and revocations, the same ciphers. */
static int
identify(struct clients *clients, const volo_tls *tls,
         const struct volo__tls_bytes *cas, const struct volo__tls_bytes *crls)
{
    const char *ciphers = tls->texts[VOLO_TLS_CIPHERS];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int good =
        md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(md, &tls->client_mode, sizeof tls->client_mode) == 1 &&
        EVP_DigestUpdate(md, cas->ptr, cas->len) == 1 &&
        EVP_DigestUpdate(md, crls->ptr, crls->len) == 1 &&
        EVP_DigestUpdate(md, ciphers, ciphers ? strlen(ciphers) : 0) == 1 &&
        EVP_DigestFinal_ex(md, clients->id, &clients->id_len) == 1;

    EVP_MD_CTX_free(md);
    return good ? 0 : VOLO_ENOMEM;
}

static int
load_cas(struct clients *clients, volo_tls *tls, struct volo__tls_bytes *bytes)
{
    const char *file = tls->client_ca;
    int err = volo__tls_read(bytes, tls, file);

    if (err)
        return err;
    err = volo__tls_cas_load(clients->store, clients->names, bytes);
    return err == VOLO_ETLS
               ? volo__tls_why(tls, file, "has no certificate in PEM")
               : err;
}

/* For the whole chain, since an authority may be revoked by its own. */
static int
load_crls(struct clients *clients, volo_tls *tls, struct volo__tls_bytes *bytes)
{
    unsigned long flags = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    int err = volo__tls_read(bytes, tls, tls->client_crl);

    if (!err && X509_STORE_set_flags(clients->store, flags) != 1)
        err = VOLO_ENOMEM;
    return err ? err
               : volo__tls_crls_load(clients->store, tls, tls->client_crl,
                                     bytes);
}

static int
load_clients(struct clients *clients, volo_tls *tls)
{
    struct volo__tls_bytes cas = {NULL, 0}, crls = {NULL, 0};
    int err = 0;

    if (tls->client_mode || tls->client_crl) {
        clients->store = X509_STORE_new();
        clients->names = sk_X509_NAME_new_null();
        err = clients->store && clients->names ? 0 : VOLO_ENOMEM;
    }
    if (!err && tls->client_mode)
        err = load_cas(clients, tls, &cas);
    if (!err && tls->client_crl)
        err = load_crls(clients, tls, &crls);
    if (!err)
        err = identify(clients, tls, &cas, &crls);
    volo__tls_wipe(&cas);
    volo__tls_wipe(&crls);
    return err;
}

static void
clear_clients(struct clients *clients)
{
    sk_X509_NAME_pop_free(clients->names, X509_NAME_free);
    X509_STORE_free(clients->store);
    ERR_clear_error();
}

int
volo__tls_try_clients(volo_tls *tls)
{
    struct clients clients = {0};
    int err = load_clients(&clients, tls);

    clear_clients(&clients);
    return err;
}

static int
set_clients(SSL_CTX *ctx, const volo_tls *tls, const struct clients *clients)
{
    STACK_OF(X509_NAME) * names;
    int mode = SSL_VERIFY_PEER;

    if (SSL_CTX_set_session_id_context(ctx, clients->id, clients->id_len) != 1)
        return VOLO_ENOMEM;
    if (!tls->client_mode)
        return 0;
    if (tls->client_mode == VOLO_TLS_CLIENT_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    names = SSL_dup_CA_list(clients->names);
    if (!names)
        return VOLO_ENOMEM;
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set1_cert_store(ctx, clients->store);
    SSL_CTX_set_verify(ctx, mode, NULL);
    return 0;
}

/* ---- The set ------------------------------------------------------------- */

void
volo__tls_set_unref(struct volo__tls_set *set)
{
    size_t i;

    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    for (i = 0; i < set->count; i++) {
        SSL_CTX_free(set->ctx[i].ssl);
        volo__free(set->ctx[i].ocsp.ptr);
    }
    ERR_clear_error(); /* even letting go may need memory */
    volo__free(set->ctx);
    volo__tls_names_clear(&set->names);
    volo__free(set->alpn.ptr);
    if (set->keylog >= 0)
        close(set->keylog);
    volo__free(set);
}

static int
add_context(struct volo__tls_set *set, volo_tls *tls,
            const struct clients *clients)
{
    size_t index = set->count;
    struct volo__tls_ctx *ctx = &set->ctx[index];
    int err = volo__tls_context(&ctx->ssl, tls);

    if (err)
        return err;
    set->count++;
    err = volo__tls_cert_load(ctx, tls, &tls->certs[index]);
    if (!err)
        err = set_clients(ctx->ssl, tls, clients);
    if (!err)
        err = volo__tls_names_add(&set->names,
                                  SSL_CTX_get0_certificate(ctx->ssl), index);
    if (err)
        return err;
    SSL_CTX_set_tlsext_servername_callback(ctx->ssl, on_server_name);
    SSL_CTX_set_alpn_select_cb(ctx->ssl, on_alpn, NULL);
    SSL_CTX_set_tlsext_status_cb(ctx->ssl, on_status);
    SSL_CTX_set_tlsext_status_arg(ctx->ssl, ctx);
    volo__tls_tickets_use(ctx->ssl);
    if (set->keylog >= 0)
        SSL_CTX_set_keylog_callback(ctx->ssl, on_keylog);
    return 0;
}

static int
fill_set(struct volo__tls_set *set, volo_tls *tls,
         const struct clients *clients)
{
    const char *alpn = tls->texts[VOLO_TLS_ALPN];
    int err = volo__tls_alpn(&set->alpn, alpn ? alpn : ALPN);
    size_t i;

    if (!err && tls->texts[VOLO_TLS_KEYLOG]) {
        set->keylog = volo__tls_keylog_open(tls);
        err = set->keylog < 0 ? set->keylog : 0;
    }
    if (!err) {
        set->ctx = volo__calloc(tls->cert_count * sizeof *set->ctx);
        err = set->ctx ? 0 : VOLO_ENOMEM;
    }
    for (i = 0; !err && i < tls->cert_count; i++)
        err = add_context(set, tls, clients);
    volo__tls_names_sort(&set->names);
    return err;
}

int
volo__tls_set_new(struct volo__tls_set **out, volo_tls *tls)
{
    struct volo__tls_set *set = volo__calloc(sizeof *set);
    struct clients clients = {0};
    int err;

    if (!set)
        return VOLO_ENOMEM;
    atomic_init(&set->refs, 1);
    set->keylog = -1;
    err = load_clients(&clients, tls);
    if (!err)
        err = fill_set(set, tls, &clients);
    clear_clients(&clients);
    if (err)
        volo__tls_set_unref(set);
    else
        *out = set;
    return err;
}
