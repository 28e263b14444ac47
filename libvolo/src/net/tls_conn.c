/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's view of one connection: a BIO that reads what was received and
 * writes to what will be sent, both in blocks of the home; and what is learnt
 * from a handshake.  Makes no system call.
 */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "base/str.h"
#include "net/loop.h"
#include "net/stream_state.h"
#include "net/tls_conn.h"
#include "net/tls_filter.h"

enum { NAME_SIZE = 256 };

/* ---- The BIO ------------------------------------------------------------- */

static int
bio_read(BIO *bio, char *to, int len)
{
    struct volo__tls_conn *t = BIO_get_data(bio);
    size_t n = (size_t)len;

    BIO_clear_retry_flags(bio);
    if (n > t->in_len)
        n = t->in_len;
    if (len <= 0 || n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, t->in_ptr, n);
    t->in_ptr += n;
    t->in_len -= n;
    return (int)n;
}

static int
bio_write(BIO *bio, const char *from, int len)
{
    struct volo__tls_conn *t = BIO_get_data(bio);
    size_t room, n = (size_t)len;

    BIO_clear_retry_flags(bio);
    if (!t->out) {
        t->out = volo__home_spare(t->home);
        t->out_off = t->out_len = 0;
    }
    if (!t->out) {
        t->no_memory = 1;
        return -1;
    }
    room = t->out->cap - t->out_len;
    if (n > room)
        n = room;
    if (len <= 0 || n == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    memcpy(t->out->data + t->out_len, from, n);
    t->out_len += n;
    return (int)n;
}

static long
bio_ctrl(BIO *bio, int what, long number, void *ptr)
{
    (void)bio;
    (void)number;
    (void)ptr;
    return what == BIO_CTRL_FLUSH;
}

static int
bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* A type without a number of its own: there are few of those in a process. */
BIO_METHOD *
volo__tls_bio(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "libvolo");

    if (!method || BIO_meth_set_read(method, bio_read) != 1 ||
        BIO_meth_set_write(method, bio_write) != 1 ||
        BIO_meth_set_ctrl(method, bio_ctrl) != 1 ||
        BIO_meth_set_create(method, bio_create) != 1) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

/* ---- Its beginning and end ----------------------------------------------- */

static void
conn_free(struct volo__tls_conn *t)
{
    SSL_free(t->ssl);
    ERR_clear_error();
    volo__block_unref(t->in);
    volo__block_unref(t->out);
    volo__tls_info_unref(t->info);
    volo__tls_set_unref(t->set);
    volo_tls_unref(t->tls);
    volo__free(t);
}

static int
conn_open(struct volo__tls_conn *t)
{
    BIO *bio;

    ERR_clear_error();
    t->set = volo__tls_set_get(t->tls);
    if (!t->set)
        return VOLO_EINVAL;
    t->ssl = SSL_new(t->set->ctx[0].ssl);
    bio = BIO_new(t->tls->bio);
    if (!t->ssl || !bio) {
        BIO_free(bio);
        return VOLO_ENOMEM;
    }
    BIO_set_data(bio, t);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_accept_state(t->ssl);
    if (SSL_set_app_data(t->ssl, t) != 1)
        return VOLO_ENOMEM; /* callbacks would miss it */
    return 0;
}

int
volo__stream_start_tls(struct volo__stream *s, volo_tls *tls)
{
    struct volo__tls_conn *t = volo__calloc(sizeof *t);
    int err;

    if (!t)
        return VOLO_ENOMEM;
    t->home = s->home;
    t->tls = volo_tls_ref(tls);
    t->no_h2 = s->no_h2;
    t->no_h1 = s->no_h1;
    err = conn_open(t);
    if (err) {
        conn_free(t);
        return err;
    }
    s->tls = t;
    volo__stream_watch(s);
    return 0;
}

void
volo__stream_put_back(struct volo__stream *s, const char *ptr, size_t len,
                      struct volo__block *block)
{
    struct volo__tls_conn *t = s->tls;

    if (!len)
        return;
    t->in = volo__block_ref(block);
    t->in_ptr = ptr;
    t->in_len = len;
    volo__stream_flush_later(s);
}

void
volo__tls_free(struct volo__stream *s)
{
    conn_free(s->tls);
    s->tls = NULL;
}

/* ---- What was learnt ----------------------------------------------------- */

/* The subject of the client's certificate into ${mem}, as RFC 2253 says but
 * for letters beyond ASCII, which stay readable. */
static void
find_client(struct volo__tls_info *facts, SSL *ssl, BIO *mem)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    char *text;
    long len;

    if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
        return;
    facts->verified = 1;
    if (X509_NAME_print_ex(mem, X509_get_subject_name(cert), 0,
                           XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return;
    len = BIO_get_mem_data(mem, &text);
    facts->client_subject = volo_str_make(len > 0 ? text : "", (size_t)len);
}

static void
find_name(struct volo__tls_info *facts, const SSL *ssl, char *room)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    size_t len = name ? strlen(name) : 0;

    if (!len || len > NAME_SIZE)
        return;
    volo__str_lower(room, volo_str_make(name, len));
    facts->server_name = volo_str_make(room, len);
}

int
volo__tls_learn(struct volo__tls_conn *t)
{
    struct volo__tls_info facts = {0};
    BIO *mem = BIO_new(BIO_s_mem());
    char name[NAME_SIZE];
    const unsigned char *alpn;
    unsigned alpn_len;

    if (!mem)
        return VOLO_ENOMEM;
    facts.version = SSL_version(t->ssl) == TLS1_3_VERSION ? 13 : 12;
    facts.resumed = SSL_session_reused(t->ssl) != 0;
    facts.cipher = volo_str_of(SSL_get_cipher_name(t->ssl));
    SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
    if (alpn_len)
        facts.alpn = volo_str_make((const char *)alpn, alpn_len);
    find_name(&facts, t->ssl, name);
    find_client(&facts, t->ssl, mem);
    t->info = volo__tls_info_new(&facts);
    BIO_free(mem);
    return t->info ? 0 : VOLO_ENOMEM;
}

struct volo__tls_info *
volo__stream_tls(const struct volo__stream *s)
{
    return s->tls ? s->tls->info : NULL;
}

volo_str
volo__stream_alpn(const struct volo__stream *s)
{
    const struct volo__tls_info *info = volo__stream_tls(s);

    if (!info)
        return volo_str_make(NULL, 0);
    return info->alpn.ptr ? info->alpn : VOLO_STR("http/1.1");
}
