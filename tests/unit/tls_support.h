/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of TLS: certificates made on the spot, a volo_tls with one of
 * them, and what an OpenSSL client needs to believe it. */
#ifndef VOLO_TESTS_UNIT_TLS_SUPPORT_H
#define VOLO_TESTS_UNIT_TLS_SUPPORT_H

#include "asserts.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <volo/tls.h>

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
    (void)state;
    return 0;
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

static const int tls_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define each_version(i) for ((i) = 0; (i) < 2; (i)++)

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

#endif
