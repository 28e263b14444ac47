/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of TLS: certificates made on the spot, a stream with TLS on a
 * loop, and an OpenSSL client at the other end of its socket, both driven by
 * this thread.
 */
#ifndef VOLO_TESTS_UNIT_NET_TLS_SUPPORT_H
#define VOLO_TESTS_UNIT_NET_TLS_SUPPORT_H

#include "net_support.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "net/tls_conn.h"

/* ---- Certificates -------------------------------------------------------- */

/* Who is signed by whom; NULL: by itself, and an authority. */
struct identity {
    X509 *cert;
    EVP_PKEY *key;
    char chain_file[128];
    char key_file[128];
};

static char tls_dir[64];

static inline void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static inline void
write_pem(const char *path, const struct identity *id, int cert)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    if (cert)
        assert_int_equal(PEM_write_X509(f, id->cert), 1);
    else
        assert_int_equal(
            PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

/* ${names}: subjectAltNames as OpenSSL takes them, or NULL.  ${days} from now,
 * which may be past. */
static inline void
identity_make(struct identity *id, const struct identity *issuer,
              const char *common, const char *names, int days)
{
    static long serial = 1000;
    X509_NAME *subject = X509_NAME_new();

    id->key = EVP_EC_gen("P-256");
    id->cert = X509_new();
    assert_non_null(id->key);
    X509_set_version(id->cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(id->cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(id->cert), -86400L * 30);
    X509_gmtime_adj(X509_getm_notAfter(id->cert), 86400L * days);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                               (const unsigned char *)"Volo, Test", -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               (const unsigned char *)common, -1, -1, 0);
    X509_set_subject_name(id->cert, subject);
    X509_set_issuer_name(id->cert, issuer ? X509_get_subject_name(issuer->cert)
                                          : subject);
    X509_NAME_free(subject);
    X509_set_pubkey(id->cert, id->key);
    if (!issuer)
        add_extension(id->cert, id->cert, NID_basic_constraints,
                      "critical,CA:TRUE");
    if (names)
        add_extension(id->cert, issuer ? issuer->cert : id->cert,
                      NID_subject_alt_name, names);
    assert_true(
        X509_sign(id->cert, issuer ? issuer->key : id->key, EVP_sha256()) > 0);
    snprintf(id->chain_file, sizeof id->chain_file, "%s/%s.pem", tls_dir,
             common);
    snprintf(id->key_file, sizeof id->key_file, "%s/%s.key", tls_dir, common);
    write_pem(id->chain_file, id, 1);
    write_pem(id->key_file, id, 0);
}

static inline void
identity_free(struct identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
}

static inline void
write_file(const char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static struct identity authority, stranger; /* who signs; nobody trusts him */
static struct identity first, second, third, customer, impostor;

static inline int
tls_setup(void **state)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes to what is closed */
    strcpy(tls_dir, "/tmp/volo-tls-XXXXXX");
    if (!mkdtemp(tls_dir))
        return -1;
    identity_make(&authority, NULL, "authority", NULL, 365);
    identity_make(&stranger, NULL, "stranger", NULL, 365);
    identity_make(&first, &authority, "first",
                  "DNS:first.test,DNS:localhost,IP:127.0.0.1", 365);
    identity_make(&second, &authority, "second",
                  "DNS:second.test,DNS:*.wild.test", 365);
    identity_make(&third, &authority, "third", "DNS:Exact.Wild.test", 365);
    identity_make(&customer, &authority, "customer", NULL, 365);
    identity_make(&impostor, &stranger, "impostor", NULL, 365);
    return net_setup(state);
}

static inline int
tls_teardown(void **state)
{
    struct identity *const all[] = {&authority, &stranger, &first,   &second,
                                    &third,     &customer, &impostor};
    char command[128];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof all / sizeof *all; i++)
        identity_free(all[i]);
    snprintf(command, sizeof command, "rm -r '%s'", tls_dir);
    return system(command);
}

/* One with the first certificate. */
static inline volo_tls *
tls_make(void)
{
    volo_tls *tls;

    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_add_cert(tls, first.chain_file, first.key_file),
                     0);
    return tls;
}

#define assert_text(got, want)                         \
    do {                                               \
        volo_str got_ = (got);                         \
        assert_non_null(got_.ptr);                     \
        assert_int_equal(got_.len, strlen(want));      \
        assert_memory_equal(got_.ptr, want, got_.len); \
    } while (0)

static const int tls_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define each_version(i) for ((i) = 0; (i) < 2; (i)++)

/* ---- The server's end ---------------------------------------------------- */

struct end {
    struct volo__stream s; /* first */
    volo_loop *loop;
    char *got;
    size_t got_len, got_room;
    int datas, eofs, errors, drains, closes, secures;
    int err;
    int pause_after; /* turn reading off once so much has come; 0: never */
    const char *answer;
};

static inline void
end_data(struct volo__stream *s, const char *ptr, size_t len,
         struct volo__block *block)
{
    struct end *e = (struct end *)s;

    assert_ptr_equal(volo__here, s->home);
    assert_true(ptr >= block->data && ptr + len <= block->data + block->cap);
    assert_int_equal(e->secures, s->ops->secured ? 1 : 0);
    e->datas++;
    if (e->got_len + len > e->got_room) {
        e->got_room = (e->got_len + len) * 2;
        e->got = realloc(e->got, e->got_room);
    }
    memcpy(e->got + e->got_len, ptr, len);
    e->got_len += len;
    if (e->answer)
        volo__outq_copy(&s->out, e->answer, strlen(e->answer));
    if (e->pause_after && e->got_len >= (size_t)e->pause_after)
        volo__stream_read(s, 0);
}

static inline void
end_eof(struct volo__stream *s)
{
    ((struct end *)s)->eofs++;
}

static inline void
end_error(struct volo__stream *s, int err)
{
    struct end *e = (struct end *)s;

    e->errors++;
    e->err = err;
    volo__stream_close(s);
}

static inline void
end_drained(struct volo__stream *s)
{
    assert_null(s->out.head);
    assert_int_equal(volo__stream_waiting(s), 0);
    ((struct end *)s)->drains++;
}

static inline void
end_closed(struct volo__stream *s)
{
    ((struct end *)s)->closes++;
}

static inline void
end_secured(struct volo__stream *s)
{
    struct end *e = (struct end *)s;

    assert_non_null(volo__stream_tls(s));
    e->secures++;
}

static const struct volo__stream_ops end_ops = {
    .data = end_data,
    .eof = end_eof,
    .error = end_error,
    .drained = end_drained,
    .closed = end_closed,
    .secured = end_secured,
};

/* ---- The client's end ---------------------------------------------------- */

struct client {
    SSL *ssl;
    int fd;
    int alert;  /* that it has got */
    int reason; /* why it has failed, as OpenSSL counts */
};

/* A context that trusts the authority; TLS 1.3 at most ${max}. */
static inline SSL_CTX *
client_context(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority.cert);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    return ctx;
}

/* ---- Both ---------------------------------------------------------------- */

struct line {
    struct rig rig;
    struct end *end;
    struct client client;
    SSL_CTX *ctx;
    volo_tls *tls;
};

/* A socket pair, the server's end with TLS and reading on, the client ready to
 * begin. */
static inline void
line_connect(struct line *l, const char *name)
{
    int pair[2];

    l->end = calloc(1, sizeof *l->end);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    l->client = (struct client){.fd = pair[1]};
    l->client.ssl = l->ctx ? SSL_new(l->ctx) : NULL;
    if (l->ctx) {
        SSL_set_fd(l->client.ssl, pair[1]);
        SSL_set_connect_state(l->client.ssl);
        if (name)
            SSL_set_tlsext_host_name(l->client.ssl, name);
    }
    assert_int_equal(
        volo__stream_open(&l->end->s, &l->rig.loop->home, pair[0], &end_ops),
        0);
    l->end->s.drain_mark = SIZE_MAX;
    assert_int_equal(volo__tls_ready(l->tls), 0);
    assert_int_equal(volo__stream_start_tls(&l->end->s, l->tls), 0);
    volo__stream_read(&l->end->s, 1);
}

/* The client leaves without a word. */
static inline void
line_cut(struct line *l)
{
    close(l->client.fd);
    l->client.fd = -1;
}

static inline void
line_hang_up(struct line *l)
{
    volo__stream_close(&l->end->s);
    rig_turn(&l->rig);
    assert_int_equal(l->end->closes, 1);
    /* Else its session would not do any more. */
    if (l->client.ssl)
        SSL_set_shutdown(l->client.ssl, SSL_SENT_SHUTDOWN);
    SSL_free(l->client.ssl);
    l->client.ssl = NULL;
    if (l->client.fd >= 0)
        close(l->client.fd);
    free(l->end->got);
    free(l->end);
    l->end = NULL;
    ERR_clear_error();
}

/* Opens the loop; takes ${tls} and ${ctx} (NULL: the client is for raw use). */
static inline void
line_open(struct line *l, volo_tls *tls, SSL_CTX *ctx)
{
    memset(l, 0, sizeof *l);
    rig_open(&l->rig);
    l->tls = tls;
    l->ctx = ctx;
}

static inline void
line_close(struct line *l)
{
    if (l->end)
        line_hang_up(l);
    volo_tls_unref(l->tls);
    rig_close(&l->rig);
    SSL_CTX_free(l->ctx);
}

/* What the client's last call came to: 1 well, 0 it waits, -1 it has failed;
 * then notes the alert that came, if one did.  At once, since the server's end
 * clears this thread's errors. */
static inline int
client_result(struct client *c, int result)
{
    int err = SSL_get_error(c->ssl, result), reason;

    if (result > 0)
        return 1;
    if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
        return 0;
    reason = ERR_GET_REASON(ERR_peek_last_error());
    if (err == SSL_ERROR_SSL)
        c->reason = reason;
    if (err == SSL_ERROR_SSL && reason > SSL_AD_REASON_OFFSET)
        c->alert = reason - SSL_AD_REASON_OFFSET;
    return -1;
}

/* One step of the client's handshake and an iteration of the loop. */
static inline int
line_step(struct line *l)
{
    int result;

    ERR_clear_error();
    result = client_result(&l->client, SSL_do_handshake(l->client.ssl));
    volo__loop_step(l->rig.loop, 0);
    return result;
}

/* Until both are done, or one has failed: 1, -1. */
static inline int
line_shake(struct line *l)
{
    int turns, result = 0;

    for (turns = 0; turns < 100000 && result >= 0; turns++) {
        result = line_step(l);
        if (l->end->errors)
            return -1;
        if (result == 1 && l->end->secures)
            return 1;
    }
    rig_turn(&l->rig);
    return -1;
}

/* Let the client find out what has become of its connection: the alert. */
static inline int
line_alert(struct line *l)
{
    int turns, result = 0;
    char byte;

    for (turns = 0; turns < 100000 && result >= 0; turns++) {
        ERR_clear_error();
        result = client_result(&l->client, SSL_read(l->client.ssl, &byte, 1));
        volo__loop_step(l->rig.loop, 0);
    }
    assert_int_equal(result, -1);
    return l->client.alert;
}

static inline void
client_say(struct line *l, const char *ptr, size_t len)
{
    int turns = 0, n;

    while (len) {
        assert_true(turns++ < 1000000);
        ERR_clear_error();
        n = SSL_write(l->client.ssl, ptr, (int)len);
        if (n > 0) {
            ptr += n;
            len -= (size_t)n;
        }
        volo__loop_step(l->rig.loop, 0);
    }
}

/* The common name of the certificate that the client was shown. */
static inline const char *
client_saw(const struct line *l)
{
    static char name[64];

    X509_NAME_get_text_by_NID(
        X509_get_subject_name(SSL_get0_peer_certificate(l->client.ssl)),
        NID_commonName, name, sizeof name);
    return name;
}

/* Take ${len} octets and compare. */
static inline void
client_hear(struct line *l, const char *want, size_t len)
{
    char *got = malloc(len + 1);
    size_t n = 0;
    int turns = 0, part;

    while (n < len) {
        assert_true(turns++ < 1000000);
        ERR_clear_error();
        part = SSL_read(l->client.ssl, got + n, (int)(len + 1 - n));
        if (part > 0)
            n += (size_t)part;
        else
            volo__loop_step(l->rig.loop, 0);
    }
    assert_int_equal(n, len);
    assert_memory_equal(got, want, len);
    free(got);
}

#endif
