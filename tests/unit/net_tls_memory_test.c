/* SPDX-License-Identifier: Apache-2.0 */
/* What an idle connection with TLS keeps, counted through OpenSSL's allocator
 * and libvolo's: the server's part alone, which runs in the loop's steps. */
#include "net_tls_support.h"

#include <volo/alloc.h>

enum { LINES = 32, IDLE_LIMIT = 24 << 10 };

/* In front of each piece: how long it is, and whether it is the server's. */
struct mark {
    size_t size;
    size_t ours;
};

static size_t held;  /* by the server */
static int counting; /* it is running */

static void *
take(size_t size)
{
    struct mark *mark = malloc(sizeof *mark + size);

    if (!mark)
        return NULL;
    mark->size = size;
    mark->ours = counting != 0;
    held += mark->ours ? size : 0;
    return mark + 1;
}

static void
give(void *ptr)
{
    struct mark *mark = ptr;

    if (!mark)
        return;
    mark--;
    held -= mark->ours ? mark->size : 0;
    free(mark);
}

static void *
retake(void *ptr, size_t size)
{
    struct mark *mark = ptr;
    void *to;

    if (!ptr)
        return take(size);
    to = take(size);
    if (to) {
        memcpy(to, ptr, mark[-1].size < size ? mark[-1].size : size);
        give(ptr);
    }
    return to;
}

static void *
ssl_take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return take(size);
}

static void *
ssl_retake(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return retake(ptr, size);
}

static void
ssl_give(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    give(ptr);
}

static void *
volo_take(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size)
        return retake(ptr, size);
    give(ptr);
    return NULL;
}

static int
counted_setup(void **state)
{
    if (CRYPTO_set_mem_functions(ssl_take, ssl_retake, ssl_give) != 1)
        return -1;
    volo_set_allocator(volo_take, NULL);
    return tls_net_setup(state);
}

/* An exchange on one, with the server's part counted. */
static void
use(struct line *l)
{
    int turns, result = 0;
    char buf[8];

    l->end->answer = "pong";
    for (turns = 0; turns < 10000 && result != 4; turns++) {
        ERR_clear_error();
        if (SSL_do_handshake(l->client.ssl) == 1 && turns && !l->end->got_len)
            SSL_write(l->client.ssl, "ping", 4);
        counting = 1;
        volo__loop_step(l->rig.loop, 0);
        counting = 0;
        ERR_clear_error();
        result = SSL_read(l->client.ssl, buf, sizeof buf);
    }
    assert_int_equal(result, 4);
}

static void
connect_counted(struct line *l)
{
    counting = 1;
    line_connect(l, "first.test");
    counting = 0;
    /* Of that, the client's are not the server's. */
    SSL_free(l->client.ssl);
    l->client.ssl = SSL_new(l->ctx);
    SSL_set_fd(l->client.ssl, l->client.fd);
    SSL_set_connect_state(l->client.ssl);
    SSL_set_tlsext_host_name(l->client.ssl, "first.test");
}

static size_t
idle_size(int version, int with_certificate)
{
    static struct end *ends[LINES + 1];
    static struct client clients[LINES + 1];
    size_t before = 0;
    struct line l;
    int i;

    line_open(&l, tls_make(), client_context(version));
    if (with_certificate) {
        volo_tls_set_client_ca(l.tls, authority.chain_file,
                               VOLO_TLS_CLIENT_REQUIRED);
        SSL_CTX_use_certificate(l.ctx, customer.cert);
        SSL_CTX_use_PrivateKey(l.ctx, customer.key);
    }
    /* The first makes what all share. */
    for (i = 0; i <= LINES; i++) {
        connect_counted(&l);
        use(&l);
        ends[i] = l.end;
        clients[i] = l.client;
        if (i == 0)
            before = held;
    }
    before = (held - before) / LINES;
    for (i = 0; i <= LINES; i++) {
        l.end = ends[i];
        l.client = clients[i];
        line_hang_up(&l);
    }
    line_close(&l);
    return before;
}

static void
test_an_idle_connection_keeps_little(void **state)
{
    size_t size;
    int i, with;

    (void)state;
    each_version(i)
    {
        for (with = 0; with < 2; with++) {
            size = idle_size(tls_versions[i], with);
            print_message("TLS 1.%d%s: %zu octets\n", 2 + i,
                          with ? " with a client's certificate" : "", size);
            assert_in_range(size, 1000, IDLE_LIMIT);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_idle_connection_keeps_little),
    };

    return cmocka_run_group_tests(tests, counted_setup, tls_teardown);
}
