/* SPDX-License-Identifier: Apache-2.0 */
/* Clients whose certificates have been revoked. */
#include "net_tls_support.h"

static char *
path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", tls_dir, name);
    return path;
}

/* Append what ${issuer} has revoked: ${id}, or nothing.  It is good for
 * ${days} from now. */
static void
write_list(const char *path, const struct identity *issuer,
           const struct identity *id, int days, const char *mode)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *then = X509_gmtime_adj(NULL, -86400L * 2);
    FILE *f = fopen(path, mode);

    assert_non_null(f);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
    X509_CRL_set1_lastUpdate(crl, then);
    if (id) {
        X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(id->cert));
        X509_REVOKED_set_revocationDate(revoked, then);
        X509_CRL_add0_revoked(crl, revoked);
    } else {
        X509_REVOKED_free(revoked);
    }
    X509_gmtime_adj(then, 86400L * days);
    X509_CRL_set1_nextUpdate(crl, then);
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
    fclose(f);
    ASN1_TIME_free(then);
    X509_CRL_free(crl);
}

static volo_tls *
tls_with_list(const char *file)
{
    volo_tls *tls = tls_make();

    assert_int_equal(volo_tls_set_client_ca(tls, authority.chain_file,
                                            VOLO_TLS_CLIENT_REQUIRED),
                     0);
    assert_int_equal(volo_tls_set_client_crl(tls, file), 0);
    return tls;
}

static SSL_CTX *
context_of(const struct identity *id, int version)
{
    SSL_CTX *ctx = client_context(version);

    SSL_CTX_use_certificate(ctx, id->cert);
    SSL_CTX_use_PrivateKey(ctx, id->key);
    return ctx;
}

/* The alert that a client gets who shows ${id}; 0: it is let in. */
static int
alert_for(volo_tls *tls, const struct identity *id)
{
    struct line l;
    int i, alert = 0, last = 0;

    each_version(i)
    {
        line_open(&l, volo_tls_ref(tls), context_of(id, tls_versions[i]));
        line_connect(&l, NULL);
        alert = line_shake(&l) == 1 ? 0 : line_alert(&l);
        if (i)
            assert_int_equal(alert, last);
        last = alert;
        line_close(&l);
    }
    return alert;
}

static void
test_who_is_revoked_is_refused_and_others_are_not(void **state)
{
    struct identity other;
    volo_tls *tls;

    (void)state;
    identity_make(&other, &authority, "other", NULL, 365);
    write_list(path_of("list"), &authority, &other, 1, "w");
    tls = tls_with_list(path_of("list"));
    assert_int_equal(alert_for(tls, &other), SSL_AD_CERTIFICATE_REVOKED);
    assert_int_equal(alert_for(tls, &customer), 0);
    assert_int_equal(alert_for(tls, &impostor), SSL_AD_UNKNOWN_CA);

    /* Without the list again. */
    assert_int_equal(volo_tls_set_client_crl(tls, NULL), 0);
    assert_int_equal(volo_tls_reload(tls), 0);
    assert_int_equal(alert_for(tls, &other), 0);
    volo_tls_unref(tls);
    identity_free(&other);
}

static void
test_a_reload_reads_the_list_again_or_changes_nothing(void **state)
{
    volo_tls *tls;

    (void)state;
    write_list(path_of("list"), &authority, NULL, 1, "w");
    tls = tls_with_list(path_of("list"));
    assert_int_equal(alert_for(tls, &customer), 0);
    write_list(path_of("list"), &authority, &customer, 1, "w");
    assert_int_equal(alert_for(tls, &customer), 0);
    assert_int_equal(volo_tls_reload(tls), 0);
    assert_int_equal(alert_for(tls, &customer), SSL_AD_CERTIFICATE_REVOKED);
    write_file(path_of("list"), "nothing", 7);
    assert_int_equal(volo_tls_reload(tls), VOLO_ETLS);
    assert_int_equal(alert_for(tls, &customer), SSL_AD_CERTIFICATE_REVOKED);
    volo_tls_unref(tls);
}

static void
test_who_is_revoked_does_not_come_back_with_a_ticket(void **state)
{
    SSL_SESSION *session;
    struct line l;
    volo_tls *tls;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        write_list(path_of("list"), &authority, NULL, 1, "w");
        tls = tls_with_list(path_of("list"));
        ctx = context_of(&customer, tls_versions[i]);
        session = first_visit(tls, ctx, NULL);
        assert_true(visit_again(tls, ctx, session, NULL));
        SSL_SESSION_free(session);

        session = first_visit(tls, ctx, NULL);
        write_list(path_of("list"), &authority, &customer, 1, "w");
        assert_int_equal(volo_tls_reload(tls), 0);
        line_open(&l, tls, ctx);
        line_connect(&l, NULL);
        SSL_set_session(l.client.ssl, session);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(line_alert(&l), SSL_AD_CERTIFICATE_REVOKED);
        SSL_SESSION_free(session);
        line_close(&l);
    }
}

static void
test_lists_that_are_missing_or_outdated_refuse(void **state)
{
    volo_tls *tls;

    (void)state;
    write_list(path_of("list"), &stranger, NULL, 1, "w");
    tls = tls_with_list(path_of("list"));
    assert_int_equal(alert_for(tls, &customer), SSL_AD_UNKNOWN_CA);
    write_list(path_of("list"), &authority, NULL, 1, "a");
    assert_int_equal(volo_tls_reload(tls), 0);
    assert_int_equal(alert_for(tls, &customer), 0);
    write_list(path_of("list"), &authority, NULL, -1, "w");
    assert_int_equal(volo_tls_reload(tls), 0);
    assert_int_equal(alert_for(tls, &customer), SSL_AD_CERTIFICATE_EXPIRED);
    volo_tls_unref(tls);
}

static void
test_who_shows_no_certificate_may_where_it_is_optional(void **state)
{
    struct line l;
    volo_tls *tls;

    (void)state;
    write_list(path_of("list"), &authority, &customer, 1, "w");
    tls = tls_with_list(path_of("list"));
    volo_tls_set_client_ca(tls, authority.chain_file, VOLO_TLS_CLIENT_OPTIONAL);
    line_open(&l, volo_tls_ref(tls), client_context(TLS1_3_VERSION));
    line_connect(&l, NULL);
    assert_int_equal(line_shake(&l), 1);
    line_close(&l);
    assert_int_equal(alert_for(tls, &customer), SSL_AD_CERTIFICATE_REVOKED);
    volo_tls_unref(tls);
}

#define assert_refused(tls, file, words)                                 \
    do {                                                                 \
        assert_int_equal(volo_tls_set_client_crl(tls, file), VOLO_ETLS); \
        assert_non_null(strstr(volo_tls_error(tls), words));             \
    } while (0)

static void
test_what_is_no_list_is_said(void **state)
{
    volo_tls *tls = tls_make();
    char text[4096], *cut;
    size_t len;
    FILE *f;

    (void)state;
    assert_refused(tls, "/none/list", "/none/list: no such file");
    assert_refused(tls, tls_dir, "is a directory");
    assert_refused(tls, authority.chain_file, "has no X509 CRL in PEM");
    write_file(path_of("der"), "0\202\1", 3);
    assert_refused(tls, path_of("der"), "not PEM");

    write_list(path_of("list"), &authority, NULL, 1, "w");
    f = fopen(path_of("list"), "r");
    len = fread(text, 1, sizeof text, f);
    fclose(f);
    cut = memchr(text + 60, '\n', len - 60);
    cut[-1] = '!';
    write_file(path_of("list"), text, len);
    assert_refused(tls, path_of("list"), "list: ");
    assert_int_equal(volo_tls_set_client_crl(tls, ""), VOLO_EINVAL);
    assert_int_equal(volo_tls_set_client_crl(NULL, "x"), VOLO_EINVAL);
    assert_int_equal(volo_tls_reload(tls), 0);
    volo_tls_unref(tls);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_revoked_is_refused_and_others_are_not),
        TEST(a_reload_reads_the_list_again_or_changes_nothing),
        TEST(who_is_revoked_does_not_come_back_with_a_ticket),
        TEST(lists_that_are_missing_or_outdated_refuse),
        TEST(who_shows_no_certificate_may_where_it_is_optional),
        TEST(what_is_no_list_is_said),
    };

    return cmocka_run_group_tests(tests, tls_net_setup, tls_teardown);
}
