/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of TLS: certificates by name, clients, files that will not do,
 * reloading. */
#include "net_tls_support.h"

#include <openssl/ocsp.h>

#define assert_why(tls, words)                               \
    do {                                                     \
        if (!strstr(volo_tls_error(tls), words))             \
            print_error("%s\n", volo_tls_error(tls));        \
        assert_non_null(strstr(volo_tls_error(tls), words)); \
    } while (0)

static char *
path_of(const char *name)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn++ % 4];

    snprintf(path, 128, "%s/%s", tls_dir, name);
    return path;
}

static void
copy_file(const char *from, const char *to)
{
    char text[65536];
    FILE *f = fopen(from, "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    write_file(to, text, n);
}

/* ---- Certificates -------------------------------------------------------- */

static void
test_the_server_name_chooses_the_certificate(void **state)
{
    static const char *const cases[][2] = {
        {"first.test", "first"},     {"localhost", "first"},
        {"second.test", "second"},   {"SECOND.TEST", "second"},
        {"any.wild.test", "second"}, {"exact.wild.test", "third"},
        {"a.b.wild.test", "first"},  {"wild.test", "first"},
        {"unknown.test", "first"},   {".wild.test", "first"},
        {"xsecond.test", "first"},   {NULL, "first"},
    };
    struct line l;
    size_t i;
    int v;

    (void)state;
    each_version(v)
    {
        line_open(&l, tls_make(), client_context(tls_versions[v]));
        volo_tls_add_cert(l.tls, second.chain_file, second.key_file);
        volo_tls_add_cert(l.tls, third.chain_file, third.key_file);
        for (i = 0; i < sizeof cases / sizeof *cases; i++) {
            line_connect(&l, cases[i][0]);
            assert_int_equal(line_shake(&l), 1);
            assert_string_equal(client_saw(&l), cases[i][1]);
            line_hang_up(&l);
        }
        line_close(&l);
    }
}

static void
test_a_certificate_and_its_key_may_come_as_text_and_in_one(void **state)
{
    struct line l;
    char text[8192], file[128];
    size_t n;
    volo_tls *tls;
    FILE *f;

    (void)state;
    f = fopen(first.key_file, "r");
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    f = fopen(first.chain_file, "r");
    n += fread(text + n, 1, sizeof text - n, f);
    fclose(f);
    snprintf(file, sizeof file, "%s/both.pem", tls_dir);
    write_file(file, text, n);

    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_add_cert(tls, file, NULL), 0);
    assert_int_equal(volo_tls_add_cert_pem(tls, volo_str_make(text, n),
                                           volo_str_make(NULL, 0)),
                     0);
    assert_int_equal(volo_tls_reload(tls), 0);
    line_open(&l, tls, client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    line_close(&l);
}

static void
test_the_whole_chain_is_sent(void **state)
{
    struct identity middle, leaf;
    char chain[8192];
    struct line l;
    volo_tls *tls;
    size_t n;
    FILE *f;

    (void)state;
    identity_make(&middle, NULL, "middle", NULL, 100);
    identity_make(&leaf, &middle, "leaf", "DNS:leaf.test", 100);
    f = fopen(leaf.chain_file, "r");
    n = fread(chain, 1, sizeof chain, f);
    fclose(f);
    f = fopen(middle.chain_file, "r");
    n += fread(chain + n, 1, sizeof chain - n, f);
    fclose(f);
    write_file(leaf.chain_file, chain, n);
    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_add_cert(tls, leaf.chain_file, leaf.key_file), 0);
    line_open(&l, tls, client_context(TLS1_3_VERSION));
    SSL_CTX_set_verify(l.ctx, SSL_VERIFY_NONE, NULL);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(l.client.ssl)), 2);
    line_close(&l);
    identity_free(&middle);
    identity_free(&leaf);
}

static void
test_an_expired_certificate_is_the_clients_business(void **state)
{
    struct identity old;
    struct line l;
    volo_tls *tls;

    (void)state;
    identity_make(&old, &authority, "old", "DNS:old.test", -1);
    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_add_cert(tls, old.chain_file, old.key_file), 0);
    line_open(&l, tls, client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), -1);
    assert_int_equal(l.client.reason, SSL_R_CERTIFICATE_VERIFY_FAILED);
    turn_until(&l.rig, l.end->errors);
    assert_int_equal(l.end->err, VOLO_ETLS);
    line_close(&l);
    identity_free(&old);
}

static void
write_der(const char *path, X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    write_file(path, (char *)der, (size_t)len);
    OPENSSL_free(der);
}

static void
write_locked_key(const char *path, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");

    assert_int_equal(PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(),
                                          (const unsigned char *)"secret", 6,
                                          NULL, NULL),
                     1);
    fclose(f);
}

static void
test_files_that_will_not_do_are_named_with_what_is_wrong(void **state)
{
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                 "-----END CERTIFICATE-----\n";
    const struct {
        const char *chain, *key, *file, *why;
    } cases[] = {
        {"missing.pem", "first.key", "missing.pem", "no such file"},
        {"first.pem", "missing.key", "missing.key", "no such file"},
        {"", "first.key", "", "is a directory"},
        {"empty.pem", "first.key", "empty.pem", "is empty"},
        {"text.pem", "first.key", "text.pem", "has no CERTIFICATE"},
        {"first.key", "first.key", "first.key", "has no CERTIFICATE"},
        {"first.pem", "first.pem", "first.pem", "has no PRIVATE KEY"},
        {"broken.pem", "first.key", "broken.pem", ": "},
        {"second-broken.pem", "first.key", "second-broken.pem", ": "},
        {"first.der", "first.key", "first.der", "not PEM"},
        {"first.pem", "first.der", "first.der", "not PEM"},
        {"first.pem", "locked.key", "locked.key", "encrypted"},
        {"first.pem", "second.key", "second.key", "does not belong"},
        {"pipe", "first.key", "pipe", "is no plain file"},
    };
    char text[8192], chain[128];
    volo_tls *tls;
    size_t i, n;
    FILE *f;

    (void)state;
    write_file(path_of("empty.pem"), "", 0);
    write_file(path_of("text.pem"), "Dear sir,\n", 10);
    write_file(path_of("broken.pem"), broken, sizeof broken - 1);
    f = fopen(first.chain_file, "r");
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    memcpy(text + n, broken, sizeof broken - 1);
    write_file(path_of("second-broken.pem"), text, n + sizeof broken - 1);
    write_der(path_of("first.der"), first.cert);
    write_locked_key(path_of("locked.key"), first.key);
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);

    assert_int_equal(volo_tls_new(&tls), 0);
    assert_string_equal(volo_tls_error(tls), "");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        strcpy(chain, path_of(cases[i].chain));
        assert_int_equal(volo_tls_add_cert(tls, chain, path_of(cases[i].key)),
                         VOLO_ETLS);
        assert_why(tls, cases[i].file);
        assert_why(tls, cases[i].why);
    }
    assert_int_equal(tls->cert_count, 0);
    assert_int_equal(ERR_peek_error(), 0);
    volo_tls_unref(tls);
}

static void
test_what_makes_no_sense_is_refused(void **state)
{
    volo_tls *tls;

    (void)state;
    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_reload(tls), VOLO_EINVAL);
    assert_why(tls, "no certificate");
    assert_int_equal(volo__tls_ready(tls), VOLO_EINVAL);
    assert_int_equal(volo_tls_reload(NULL), VOLO_EINVAL);
    assert_int_equal(volo_tls_add_cert(tls, NULL, "x"), VOLO_EINVAL);
    assert_int_equal(volo_tls_add_cert(tls, "", NULL), VOLO_EINVAL);
    assert_int_equal(volo_tls_add_cert_pem(tls, volo_str_make(NULL, 0),
                                           volo_str_make(NULL, 0)),
                     VOLO_EINVAL);
    assert_int_equal(
        volo_tls_add_cert_pem(tls, VOLO_STR(""), volo_str_make(NULL, 0)),
        VOLO_ETLS);
    assert_int_equal(volo_tls_set(tls, VOLO_TLS_MIN_VERSION, 11), VOLO_EINVAL);
    assert_int_equal(volo_tls_set(tls, VOLO_TLS_MAX_VERSION, 14), VOLO_EINVAL);
    assert_int_equal(volo_tls_set(tls, VOLO_TLS_TICKETS, 9), VOLO_EINVAL);
    assert_int_equal(volo_tls_set(tls, VOLO_TLS_TICKET_LIFETIME, 999),
                     VOLO_EINVAL);
    assert_int_equal(volo_tls_set(tls, 0, 12), VOLO_EINVAL);
    assert_int_equal(volo_tls_set(tls, 5, 12), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_text(tls, 0, "x"), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_text(tls, 7, "x"), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_ALPN, ""), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_ALPN, "h2,"), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_ALPN, ",h2"), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_CIPHERS, "NONSENSE"),
                     VOLO_ETLS);
    assert_why(tls, "ciphers: ");
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_CIPHERSUITES, "NONSENSE"),
                     VOLO_ETLS);
    assert_why(tls, "cipher suites: ");
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_GROUPS, "P-1"), VOLO_ETLS);
    assert_why(tls, "groups: ");
    assert_int_equal(
        volo_tls_set_text(tls, VOLO_TLS_KEYLOG, "/nowhere/to/be/found"),
        VOLO_ETLS);
    assert_why(tls, "/nowhere/to/be/found: cannot be written");
    assert_null(tls->texts[VOLO_TLS_CIPHERS]);
    assert_int_equal(volo_tls_set_client_ca(tls, NULL, 1), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_client_ca(tls, "x", 0), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_client_ca(tls, "x", 3), VOLO_EINVAL);
    assert_int_equal(
        volo_tls_set_client_ca(tls, first.key_file, VOLO_TLS_CLIENT_REQUIRED),
        VOLO_ETLS);
    assert_why(tls, "has no certificate in PEM");
    assert_int_equal(tls->client_mode, 0);
    assert_int_equal(volo_tls_set_ocsp(tls, 0, "x"), VOLO_ENOENT);
    volo_tls_unref(tls);
    volo_tls_unref(NULL);
}

static void
test_versions_the_wrong_way_round_are_found_at_the_latest_when_used(
    void **state)
{
    volo_tls *tls = tls_make();

    (void)state;
    volo_tls_set(tls, VOLO_TLS_MIN_VERSION, 13);
    volo_tls_set(tls, VOLO_TLS_MAX_VERSION, 12);
    assert_int_equal(volo__tls_ready(tls), VOLO_ETLS);
    assert_why(tls, "the least is above the greatest");
    volo_tls_unref(tls);
}

/* ---- What is agreed on --------------------------------------------------- */

static const unsigned char both[] = "\x08http/1.1\x02h2";
static const unsigned char only_h2[] = "\x02h2";
static const unsigned char other[] = "\x04spdy\x03"
                                     "ftp";

static void
test_alpn_goes_by_the_servers_order(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        SSL_CTX_set_alpn_protos(l.ctx, both, sizeof both - 1);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        assert_str(volo__stream_alpn(&l.end->s), "h2");
        line_hang_up(&l);

        volo_tls_set_text(l.tls, VOLO_TLS_ALPN, "http/1.1,h2");
        assert_int_equal(volo_tls_reload(l.tls), 0);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        assert_str(volo__stream_alpn(&l.end->s), "http/1.1");
        line_close(&l);
    }
}

static void
test_without_alpn_it_is_http_1_1(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_str(volo__stream_alpn(&l.end->s), "http/1.1");
    assert_null(volo__stream_tls(&l.end->s)->alpn.ptr);
    line_close(&l);
}

static void
connect_without_h2(struct line *l)
{
    int pair[2];

    line_connect(l, NULL);
    /* Before TLS: begin again. */
    volo__stream_close(&l->end->s);
    rig_turn(&l->rig);
    close(l->client.fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    l->client.fd = pair[1];
    SSL_set_fd(l->client.ssl, pair[1]);
    l->end->closes = 0;
    volo__stream_open(&l->end->s, &l->rig.loop->home, pair[0], &end_ops);
    l->end->s.no_h2 = 1;
    volo__stream_start_tls(&l->end->s, l->tls);
    volo__stream_read(&l->end->s, 1);
}

static void
test_an_owner_may_do_without_h2(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    SSL_CTX_set_alpn_protos(l.ctx, both, sizeof both - 1);
    connect_without_h2(&l);
    assert_int_equal(line_shake(&l), 1);
    assert_str(volo__stream_alpn(&l.end->s), "http/1.1");
    line_hang_up(&l);
    SSL_CTX_set_alpn_protos(l.ctx, only_h2, sizeof only_h2 - 1);
    connect_without_h2(&l);
    assert_int_equal(line_shake(&l), -1);
    assert_int_equal(line_alert(&l), SSL_AD_NO_APPLICATION_PROTOCOL);
    line_close(&l);
}

static void
test_no_protocol_in_common_is_an_alert(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        SSL_CTX_set_alpn_protos(l.ctx, other, sizeof other - 1);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(line_alert(&l), SSL_AD_NO_APPLICATION_PROTOCOL);
        turn_until(&l.rig, l.end->errors);
        assert_int_equal(l.end->err, VOLO_ETLS);
        line_close(&l);
    }
}

static void
test_versions_are_limited(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_2_VERSION));
    volo_tls_set(l.tls, VOLO_TLS_MIN_VERSION, 13);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), -1);
    assert_int_equal(line_alert(&l), SSL_AD_PROTOCOL_VERSION);
    line_hang_up(&l);
    volo_tls_set(l.tls, VOLO_TLS_MIN_VERSION, 12);
    volo_tls_set(l.tls, VOLO_TLS_MAX_VERSION, 12);
    assert_int_equal(volo_tls_reload(l.tls), 0);
    SSL_CTX_set_max_proto_version(l.ctx, TLS1_3_VERSION);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_int_equal(volo__stream_tls(&l.end->s)->version, 12);
    line_close(&l);
}

static void
test_ciphers_and_groups_are_as_set(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_2_VERSION));
    volo_tls_set_text(l.tls, VOLO_TLS_CIPHERS, "ECDHE+CHACHA20");
    volo_tls_set_text(l.tls, VOLO_TLS_GROUPS, "P-384");
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_str(volo__stream_tls(&l.end->s)->cipher,
               "ECDHE-ECDSA-CHACHA20-POLY1305");
    assert_int_equal(SSL_get_negotiated_group(l.client.ssl), NID_secp384r1);
    line_close(&l);

    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    volo_tls_set_text(l.tls, VOLO_TLS_CIPHERSUITES,
                      "TLS_CHACHA20_POLY1305_SHA256");
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_str(volo__stream_tls(&l.end->s)->cipher,
               "TLS_CHACHA20_POLY1305_SHA256");
    line_close(&l);
}

static void
test_of_good_ciphers_the_cheapest_is_taken_unless_a_client_has_no_aes(
    void **state)
{
    static const char *const want[2][2] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
    };
    struct line l;
    int i, chacha;

    (void)state;
    each_version(i)
    {
        for (chacha = 0; chacha < 2; chacha++) {
            line_open(&l, tls_make(), client_context(tls_versions[i]));
            if (chacha) {
                SSL_CTX_set_cipher_list(l.ctx, "ECDHE+CHACHA20:ECDHE+AESGCM");
                SSL_CTX_set_ciphersuites(l.ctx, "TLS_CHACHA20_POLY1305_SHA256:"
                                                "TLS_AES_128_GCM_SHA256");
            }
            line_connect(&l, NULL);
            assert_int_equal(line_shake(&l), 1);
            assert_str(volo__stream_tls(&l.end->s)->cipher, want[i][chacha]);
            line_close(&l);
        }
    }
}

static void
test_ciphers_without_forward_secrecy_are_refused(void **state)
{
    static const char *const refused[] = {"AES128-GCM-SHA256", "AES256-SHA",
                                          "ECDHE-ECDSA-AES128-SHA"};
    struct line l;
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        line_open(&l, tls_make(), client_context(TLS1_2_VERSION));
        SSL_CTX_set_cipher_list(l.ctx, refused[i]);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(line_alert(&l), SSL_AD_HANDSHAKE_FAILURE);
        line_close(&l);
    }
}

/* ---- Clients ------------------------------------------------------------- */

static void
show(struct line *l, const struct identity *who)
{
    SSL_CTX_use_certificate(l->ctx, who->cert);
    SSL_CTX_use_PrivateKey(l->ctx, who->key);
}

static void
test_a_required_client_certificate_is_required(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        assert_int_equal(volo_tls_set_client_ca(l.tls, authority.chain_file,
                                                VOLO_TLS_CLIENT_REQUIRED),
                         0);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(l.end->secures, 0);
        assert_int_equal(l.end->err, VOLO_ETLS);
        assert_int_equal(line_alert(&l), i ? SSL_AD_CERTIFICATE_REQUIRED
                                           : SSL_AD_HANDSHAKE_FAILURE);
        line_hang_up(&l);

        show(&l, &customer);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        assert_true(volo__stream_tls(&l.end->s)->verified);
        assert_str(volo__stream_tls(&l.end->s)->client_subject,
                   "CN=customer,O=Volo\\, Test");
        line_close(&l);
    }
}

static void
test_an_optional_client_certificate_must_be_good_if_it_comes(void **state)
{
    struct line l;
    int i;

    (void)state;
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        assert_int_equal(volo_tls_set_client_ca(l.tls, authority.chain_file,
                                                VOLO_TLS_CLIENT_OPTIONAL),
                         0);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        assert_false(volo__stream_tls(&l.end->s)->verified);
        line_hang_up(&l);

        show(&l, &impostor);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(l.end->secures, 0);
        assert_int_equal(line_alert(&l), SSL_AD_UNKNOWN_CA);
        line_hang_up(&l);

        show(&l, &customer);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        assert_true(volo__stream_tls(&l.end->s)->verified);
        line_close(&l);
    }
}

static void
test_the_certificate_by_name_asks_clients_too(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    volo_tls_add_cert(l.tls, second.chain_file, second.key_file);
    volo_tls_set_client_ca(l.tls, authority.chain_file,
                           VOLO_TLS_CLIENT_REQUIRED);
    line_connect(&l, "second.test");
    assert_int_equal(line_shake(&l), -1);
    assert_int_equal(line_alert(&l), SSL_AD_CERTIFICATE_REQUIRED);
    line_hang_up(&l);
    show(&l, &customer);
    line_connect(&l, "second.test");
    assert_int_equal(line_shake(&l), 1);
    assert_true(volo__stream_tls(&l.end->s)->verified);
    line_close(&l);
}

static void
test_a_subject_beyond_ascii_stays_readable(void **state)
{
    struct identity id;
    struct line l;

    (void)state;
    identity_make(&id, &authority, "J\xc3\xb6rg", NULL, 10);
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    volo_tls_set_client_ca(l.tls, authority.chain_file,
                           VOLO_TLS_CLIENT_REQUIRED);
    show(&l, &id);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_str(volo__stream_tls(&l.end->s)->client_subject,
               "CN=J\xc3\xb6rg,O=Volo\\, Test");
    line_close(&l);
    identity_free(&id);
}

/* ---- Reloading ----------------------------------------------------------- */

static void
test_a_reload_serves_new_connections_and_leaves_others_alone(void **state)
{
    char chain[128], key[128];
    struct line l;
    struct end *old_end;
    struct client old_client;
    volo_tls *tls;

    (void)state;
    strcpy(chain, path_of("live.pem"));
    strcpy(key, path_of("live.key"));
    copy_file(first.chain_file, chain);
    copy_file(first.key_file, key);
    assert_int_equal(volo_tls_new(&tls), 0);
    assert_int_equal(volo_tls_add_cert(tls, chain, key), 0);
    line_open(&l, tls, client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_string_equal(client_saw(&l), "first");
    old_end = l.end;
    old_client = l.client;

    copy_file(second.chain_file, chain);
    assert_int_equal(volo_tls_reload(tls), VOLO_ETLS);
    assert_why(tls, "does not belong");
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_string_equal(client_saw(&l), "first");
    line_hang_up(&l);

    copy_file(second.key_file, key);
    assert_int_equal(volo_tls_reload(tls), 0);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    assert_string_equal(client_saw(&l), "second");
    line_hang_up(&l);

    l.end = old_end;
    l.client = old_client;
    l.end->answer = "still here";
    client_say(&l, "x", 1);
    client_hear(&l, "still here", 10);
    line_close(&l);
}

static void
test_settings_wait_for_a_reload_once_in_use(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, tls_make(), client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    line_hang_up(&l);
    volo_tls_set(l.tls, VOLO_TLS_MAX_VERSION, 12);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    line_hang_up(&l);
    assert_int_equal(volo_tls_reload(l.tls), 0);
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), -1);
    line_close(&l);
}

/* ---- Stapling, secrets --------------------------------------------------- */

static void
write_ocsp(const char *path, const struct identity *about, int days)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, about->cert, authority.cert);
    ASN1_TIME *from = X509_gmtime_adj(NULL, -86400L * 20);
    ASN1_TIME *until = X509_gmtime_adj(NULL, 86400L * days);
    unsigned char *der = NULL;
    OCSP_RESPONSE *response;
    int len;

    assert_non_null(OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0,
                                           NULL, from, until));
    assert_int_equal(OCSP_basic_sign(basic, authority.cert, authority.key,
                                     EVP_sha256(), NULL, 0),
                     1);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = i2d_OCSP_RESPONSE(response, &der);
    assert_true(len > 0);
    write_file(path, (char *)der, (size_t)len);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
}

/* The length of what is stapled for ${name}. */
static long
stapled(struct line *l, const char *name)
{
    const unsigned char *der;
    long len;

    line_connect(l, name);
    SSL_set_tlsext_status_type(l->client.ssl, TLSEXT_STATUSTYPE_ocsp);
    assert_int_equal(line_shake(l), 1);
    len = SSL_get_tlsext_status_ocsp_resp(l->client.ssl, &der);
    line_hang_up(l);
    return len;
}

static void
test_an_ocsp_response_is_stapled_until_it_is_outdated(void **state)
{
    char file[128];
    struct line l;
    int i;

    (void)state;
    strcpy(file, path_of("second.ocsp"));
    each_version(i)
    {
        write_ocsp(file, &second, 5);
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        volo_tls_add_cert(l.tls, second.chain_file, second.key_file);
        assert_int_equal(volo_tls_set_ocsp(l.tls, 1, file), 0);
        assert_int_equal(stapled(&l, "first.test"), -1);
        assert_true(stapled(&l, "second.test") > 100);
        write_ocsp(file, &second, -1);
        assert_int_equal(volo_tls_reload(l.tls), 0);
        assert_int_equal(stapled(&l, "second.test"), -1);
        write_ocsp(file, &first, 5);
        assert_int_equal(volo_tls_reload(l.tls), VOLO_ETLS);
        assert_why(l.tls, "is about another certificate");
        write_file(file, "nonsense", 8);
        assert_int_equal(volo_tls_reload(l.tls), VOLO_ETLS);
        assert_why(l.tls, "is no OCSP response");
        assert_int_equal(volo_tls_set_ocsp(l.tls, 1, NULL), 0);
        assert_int_equal(volo_tls_reload(l.tls), 0);
        line_close(&l);
    }
}

static void
test_secrets_are_logged_only_where_that_is_asked_for(void **state)
{
    char file[128], text[8192];
    struct line l;
    struct stat st;
    size_t n;
    FILE *f;
    int i;

    (void)state;
    strcpy(file, path_of("keys.log"));
    each_version(i)
    {
        line_open(&l, tls_make(), client_context(tls_versions[i]));
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        line_hang_up(&l);
        assert_int_equal(volo_tls_set_text(l.tls, VOLO_TLS_KEYLOG, file), 0);
        assert_int_equal(volo_tls_reload(l.tls), 0);
        line_connect(&l, NULL);
        assert_int_equal(line_shake(&l), 1);
        line_close(&l);
    }
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    f = fopen(file, "r");
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    assert_memory_equal(text, "CLIENT_RANDOM ", 14); /* the first version */
    assert_non_null(strstr(text, "\nCLIENT_TRAFFIC_SECRET_0 "));
    assert_int_equal(text[n - 1], '\n');
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_server_name_chooses_the_certificate),
        TEST(a_certificate_and_its_key_may_come_as_text_and_in_one),
        TEST(the_whole_chain_is_sent),
        TEST(an_expired_certificate_is_the_clients_business),
        TEST(files_that_will_not_do_are_named_with_what_is_wrong),
        TEST(what_makes_no_sense_is_refused),
        TEST(versions_the_wrong_way_round_are_found_at_the_latest_when_used),
        TEST(alpn_goes_by_the_servers_order),
        TEST(without_alpn_it_is_http_1_1),
        TEST(an_owner_may_do_without_h2),
        TEST(no_protocol_in_common_is_an_alert),
        TEST(versions_are_limited),
        TEST(ciphers_and_groups_are_as_set),
        TEST(of_good_ciphers_the_cheapest_is_taken_unless_a_client_has_no_aes),
        TEST(ciphers_without_forward_secrecy_are_refused),
        TEST(a_required_client_certificate_is_required),
        TEST(an_optional_client_certificate_must_be_good_if_it_comes),
        TEST(the_certificate_by_name_asks_clients_too),
        TEST(a_subject_beyond_ascii_stays_readable),
        TEST(a_reload_serves_new_connections_and_leaves_others_alone),
        TEST(settings_wait_for_a_reload_once_in_use),
        TEST(an_ocsp_response_is_stapled_until_it_is_outdated),
        TEST(secrets_are_logged_only_where_that_is_asked_for),
    };

    return cmocka_run_group_tests(tests, tls_net_setup, tls_teardown);
}
