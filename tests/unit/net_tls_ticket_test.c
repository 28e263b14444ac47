/* SPDX-License-Identifier: Apache-2.0 */
/* Session tickets: who may come back, and until when; and several loops and a
 * reload at the same time. */
#include "net_tls_support.h"

#include <pthread.h>

/* As if so much time had passed. */
static void
age(volo_tls *tls, uint64_t ms)
{
    if (tls->tickets.now.born)
        tls->tickets.now.born -= ms;
    if (tls->tickets.last.born)
        tls->tickets.last.born -= ms;
}

static void
test_a_ticket_resumes_on_another_loop(void **state)
{
    SSL_SESSION *session;
    volo_tls *tls;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        tls = tls_make();
        ctx = client_context(tls_versions[i]);
        session = first_visit(tls, ctx, "first.test");
        assert_true(visit_again(tls, ctx, session, "first.test"));
        assert_int_equal(volo_tls_reload(tls), 0);
        SSL_SESSION_free(session);
        session = first_visit(tls, ctx, "first.test");
        assert_int_equal(volo_tls_reload(tls), 0);
        assert_true(visit_again(tls, ctx, session, "first.test"));
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        volo_tls_unref(tls);
    }
}

static void
test_a_ticket_of_the_last_key_resumes_and_an_older_one_does_not(void **state)
{
    SSL_SESSION *session;
    unsigned char name[16];
    uint64_t lifetime;
    volo_tls *tls;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        tls = tls_make();
        ctx = client_context(tls_versions[i]);
        session = first_visit(tls, ctx, NULL);
        lifetime = tls->tickets.lifetime;
        memcpy(name, tls->tickets.now.name, 16);
        age(tls, lifetime);
        SSL_SESSION_up_ref(session);
        assert_true(visit_again(tls, ctx, session, NULL));
        SSL_SESSION_free(session);
        assert_memory_equal(tls->tickets.last.name, name, 16);
        assert_memory_not_equal(tls->tickets.now.name, name, 16);
        SSL_SESSION_free(session);

        session = first_visit(tls, ctx, NULL);
        age(tls, 2 * lifetime);
        assert_false(visit_again(tls, ctx, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        volo_tls_unref(tls);
    }
}

static void
test_another_volo_tls_does_not_know_a_ticket(void **state)
{
    volo_tls *one, *two;
    SSL_SESSION *session;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        one = tls_make();
        two = tls_make();
        ctx = client_context(tls_versions[i]);
        session = first_visit(one, ctx, NULL);
        assert_false(visit_again(two, ctx, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        volo_tls_unref(one);
        volo_tls_unref(two);
    }
}

static void
test_without_tickets_nothing_resumes(void **state)
{
    SSL_SESSION *session;
    volo_tls *tls;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        tls = tls_make();
        volo_tls_set(tls, VOLO_TLS_TICKETS, 0);
        ctx = client_context(tls_versions[i]);
        session = first_visit(tls, ctx, NULL);
        assert_false(SSL_SESSION_has_ticket(session));
        assert_false(visit_again(tls, ctx, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        volo_tls_unref(tls);
    }
}

static void
test_a_resumed_client_is_still_known_and_only_under_the_same_authorities(
    void **state)
{
    SSL_SESSION *session;
    volo_tls *tls;
    struct line l;
    SSL_CTX *ctx;
    int i;

    (void)state;
    each_version(i)
    {
        tls = tls_make();
        assert_int_equal(volo_tls_set_client_ca(tls, authority.chain_file,
                                                VOLO_TLS_CLIENT_REQUIRED),
                         0);
        ctx = client_context(tls_versions[i]);
        SSL_CTX_use_certificate(ctx, customer.cert);
        SSL_CTX_use_PrivateKey(ctx, customer.key);
        session = first_visit(tls, ctx, NULL);
        SSL_CTX_up_ref(ctx);
        line_open(&l, volo_tls_ref(tls), ctx);
        line_connect(&l, NULL);
        SSL_set_session(l.client.ssl, session);
        assert_int_equal(line_shake(&l), 1);
        assert_true(volo__stream_tls(&l.end->s)->resumed);
        assert_true(volo__stream_tls(&l.end->s)->verified);
        assert_str(volo__stream_tls(&l.end->s)->client_subject,
                   "CN=customer,O=Volo\\, Test");
        line_hang_up(&l);

        assert_int_equal(volo_tls_set_client_ca(tls, stranger.chain_file,
                                                VOLO_TLS_CLIENT_REQUIRED),
                         0);
        assert_int_equal(volo_tls_reload(tls), 0);
        line_connect(&l, NULL);
        SSL_set_session(l.client.ssl, session);
        assert_int_equal(line_shake(&l), -1);
        assert_int_equal(line_alert(&l), SSL_AD_UNKNOWN_CA);
        line_close(&l);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        volo_tls_unref(tls);
    }
}

/* ---- Threads ------------------------------------------------------------- */

enum { THREADS = 3, VISITS = 20 };

static volo_tls *shared;
static atomic_int visited, resumed;

static void *
visitor(void *user)
{
    SSL_CTX *ctx = client_context((int)(intptr_t)user);
    SSL_SESSION *session = NULL;
    struct line l;
    int i;

    line_open(&l, volo_tls_ref(shared), ctx);
    for (i = 0; i < VISITS; i++) {
        line_connect(&l, i % 2 ? "second.test" : "first.test");
        if (session)
            SSL_set_session(l.client.ssl, session);
        assert_int_equal(line_shake(&l), 1);
        resumed += volo__stream_tls(&l.end->s)->resumed;
        l.end->answer = "pong";
        client_say(&l, "ping", 4);
        client_hear(&l, "pong", 4);
        SSL_SESSION_free(session);
        session = SSL_get1_session(l.client.ssl);
        line_hang_up(&l);
        visited++;
    }
    SSL_SESSION_free(session);
    volo_tls_unref(l.tls);
    volo__loop_close(l.rig.loop);
    SSL_CTX_free(ctx);
    return NULL;
}

static void
test_loops_share_tickets_while_all_is_reloaded(void **state)
{
    pthread_t threads[THREADS];
    intptr_t i;
    int reloads = 0;

    (void)state;
    visited = resumed = 0;
    shared = tls_make();
    volo_tls_add_cert(shared, second.chain_file, second.key_file);
    assert_int_equal(volo__tls_ready(shared), 0);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, visitor,
                       (void *)(intptr_t)tls_versions[i % 2]);
    while (visited < THREADS * VISITS) {
        assert_int_equal(volo_tls_reload(shared), 0);
        assert_int_equal(volo_tls_add_cert(shared, "/nowhere/at/all.pem", NULL),
                         VOLO_ETLS);
        assert_non_null(strstr(volo_tls_error(shared), "no such file"));
        reloads++;
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(reloads > 0);
    assert_true(resumed > 0);
    volo_tls_unref(shared);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_resumes_on_another_loop),
        TEST(a_ticket_of_the_last_key_resumes_and_an_older_one_does_not),
        TEST(another_volo_tls_does_not_know_a_ticket),
        TEST(without_tickets_nothing_resumes),
        TEST(
            a_resumed_client_is_still_known_and_only_under_the_same_authorities),
        TEST(loops_share_tickets_while_all_is_reloaded),
    };

    return cmocka_run_group_tests(tests, tls_net_setup, tls_teardown);
}
