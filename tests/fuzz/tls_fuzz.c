/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS from both of its doors.  An even first octet: certificates, keys and
 * names of protocols as text, of which whatever is taken must also make a
 * context.  An odd one: what a stranger sends to a port with TLS, in pieces of
 * the second octet's length; it must end, and never be secured.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <volo.h>

#include "net/loop.h"
#include "net/tls.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

/* ---- Settings ------------------------------------------------------------ */

static void
configure(const char *text, size_t len)
{
    const char *end = memchr(text, 0, len);
    volo_str chain = volo_str_make(text, end ? (size_t)(end - text) : len);
    volo_str key = {NULL, 0};
    volo_tls *tls;

    if (end)
        key = volo_str_make(end + 1, len - chain.len - 1);
    CHECK(volo_tls_new(&tls) == 0);
    if (end)
        volo_tls_set_text(tls, VOLO_TLS_ALPN, text);
    if (volo_tls_add_cert_pem(tls, chain, key) == 0)
        CHECK(volo_tls_reload(tls) == 0);
    else
        CHECK(volo__tls_ready(tls) == VOLO_EINVAL);
    volo_tls_unref(tls);
}

/* ---- Strangers ----------------------------------------------------------- */

static volo_loop *loop;
static volo_tls *port;
static int closes;

static void
on_data(struct volo__stream *s, const char *ptr, size_t len,
        struct volo__block *block)
{
    (void)s;
    (void)ptr;
    (void)len;
    (void)block;
    __builtin_trap();
}

static void
on_end(struct volo__stream *s)
{
    (void)s;
    __builtin_trap();
}

static void
on_error(struct volo__stream *s, int err)
{
    CHECK(err == VOLO_ETLS || err == VOLO_EIO);
    volo__stream_close(s);
}

static void
on_closed(struct volo__stream *s)
{
    (void)s;
    closes++;
}

static const struct volo__stream_ops ops = {
    .data = on_data,
    .eof = on_end,
    .error = on_error,
    .closed = on_closed,
    .secured = on_end,
};

/* A port with a certificate of its own, once. */
static void
open_port(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *mem = BIO_new(BIO_s_mem());
    char *text;
    long len;

    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    CHECK(PEM_write_bio_X509(mem, cert) == 1);
    CHECK(PEM_write_bio_PrivateKey(mem, key, NULL, NULL, 0, NULL, NULL) == 1);
    len = BIO_get_mem_data(mem, &text);
    CHECK(volo_tls_new(&port) == 0);
    CHECK(volo_tls_add_cert_pem(port, volo_str_make(text, (size_t)len),
                                volo_str_make(NULL, 0)) == 0);
    CHECK(volo__tls_ready(port) == 0);
    BIO_free(mem);
    X509_free(cert);
    EVP_PKEY_free(key);
    CHECK(volo__loop_new(&loop, NULL) == 0);
    volo__loop_enter(loop);
}

static void
visit(const char *text, size_t len, size_t step)
{
    struct volo__stream s;
    size_t at, n;
    int pair[2], turns;

    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    CHECK(volo__stream_open(&s, &loop->home, pair[0], &ops) == 0);
    CHECK(volo__stream_start_tls(&s, port) == 0);
    volo__stream_read(&s, 1);
    closes = 0;
    for (at = 0; at < len && !closes; at += n) {
        n = len - at < step ? len - at : step;
        if (send(pair[1], text + at, n, MSG_NOSIGNAL) < 0)
            break;
        volo__loop_step(loop, 0);
    }
    close(pair[1]);
    for (turns = 0; !closes; turns++) {
        CHECK(turns < 100);
        volo__loop_step(loop, 0);
    }
}

/* The loop lives on, and with it what its home has for use again: that is
 * poisoned, and strung on pointers in it, which have to count. */
const char *__lsan_default_options(void);

const char *
__lsan_default_options(void)
{
    return "use_poisoned=1";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size < 3)
        return 0;
    if (!port)
        open_port();
    /* Exactly as long, so that a read beyond the end is seen. */
    text = malloc(size - 2);
    memcpy(text, data + 2, size - 2);
    if (data[0] & 1)
        visit(text, size - 2, data[1] + 1u);
    else
        configure(text, size - 2);
    free(text);
    return 0;
}
