/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole server in steps, and what its connections go through before they
 * talk: a proxy's header, TLS, HTTP/2.  Without memory a connection may end
 * without an answer; nothing else is excused.
 */
#include "torture.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "hello, torture"
#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
#define GET_2 "\0\0\x06\1\5\0\0\0\1\x82\x86\x84\x41\1a"

enum { TRIES = 400, STEP_MS = 5 };

struct piece {
    const char *ptr;
    size_t len;
};

#define PIECE(text)            \
    {                          \
        text, sizeof(text) - 1 \
    }

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, HELLO);
}

static int
connect_to(int port)
{
    struct sockaddr_in addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_port = htons((uint16_t)port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (void *)&addr, sizeof addr))
        torture_fail("no connection");
    return fd;
}

static void
step(volo_server *server, int ms)
{
    if (volo_server_step(server, ms) < 0)
        torture_fail("a step that is none");
}

/* An answer that says so, or the stream is reset. */
static int
gave_up(const char *got, size_t len)
{
    return memmem(got, len, "HTTP/1.1 503", 12) ||
           memmem(got, len, "\0\0\4\3\0\0\0\0\1", 9);
}

/* Until the answer has come, or the connection has ended. */
static int
listen_to(volo_server *server, int fd)
{
    char got[4096];
    size_t len = 0;
    ssize_t n;
    int tries;

    for (tries = 0; tries < TRIES; tries++) {
        step(server, STEP_MS);
        n = recv(fd, got + len, sizeof got - len, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0)
            return VOLO_ENOMEM;
        len += (size_t)n;
        if (memmem(got, len, HELLO, sizeof HELLO - 1))
            return 0;
        if (gave_up(got, len))
            return VOLO_ENOMEM;
    }
    torture_fail("neither an answer nor an end");
    return VOLO_EIO;
}

/* Each piece is a read of its own. */
static int
talk(volo_server *server, int fd, const struct piece *pieces)
{
    for (; pieces->ptr; pieces++) {
        if (send(fd, pieces->ptr, pieces->len, MSG_NOSIGNAL) < 0)
            return VOLO_ENOMEM;
        if (pieces[1].ptr)
            step(server, STEP_MS);
    }
    return listen_to(server, fd);
}

static int
new_server(volo_server **out)
{
    volo_service *service;
    int err = volo_service_new(&service, hello, NULL, NULL);

    if (err)
        return err;
    err = volo_server_new(out, service);
    volo_service_unref(service);
    return err;
}

static int
play_pieces(const struct piece *pieces, const char *trusted)
{
    volo_server *server;
    int fd, err = new_server(&server);

    if (err)
        return err;
    err = volo_server_bind(server, "127.0.0.1:0");
    if (!err)
        err = volo_server_trust_proxy(server, 0, trusted);
    if (!err)
        err = volo_server_open(server);
    if (!err) {
        fd = connect_to(volo_server_port(server, 0));
        err = talk(server, fd, pieces);
        close(fd);
    }
    volo_server_free(server);
    return err;
}

static int
play_server(void)
{
    static const struct piece pieces[] = {PIECE(REQUEST), {NULL, 0}};

    return play_pieces(pieces, "");
}

static int
play_proxy(void)
{
    static const struct piece pieces[] = {PIECE("PROXY TCP4 192.0.2.9 "),
                                          PIECE("192.0.2.1 1 2\r\nGE"),
                                          {REQUEST + 2, sizeof REQUEST - 3},
                                          {NULL, 0}};

    return play_pieces(pieces, "10.0.0.0/8,127.0.0.1");
}

static int
play_preface(void)
{
    static const struct piece pieces[] = {
        PIECE("PRI *"),
        {PREFACE GET_2 + 5, sizeof PREFACE GET_2 - 6},
        {NULL, 0}};

    return play_pieces(pieces, "");
}

static int
play_h2c(void)
{
    static const struct piece pieces[] = {
        PIECE("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings"
              "\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"),
        {NULL, 0}};

    return play_pieces(pieces, "");
}

/* ---- TLS ----------------------------------------------------------------- */

/* Certificate and key, in one text. */
static volo_str
make_identity(void)
{
    static char text[8192];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    int n;

    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400L);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"torture", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    PEM_write_bio_X509(bio, cert);
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    n = BIO_read(bio, text, sizeof text);
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(key);
    if (n <= 0)
        torture_fail("no certificate");
    return volo_str_make(text, (size_t)n);
}

/* 1: go on; 0: that was it; VOLO_ENOMEM: the connection has ended. */
static int
waits(SSL *ssl, int rc)
{
    if (rc > 0)
        return 0;
    rc = SSL_get_error(ssl, rc);
    return rc == SSL_ERROR_WANT_READ || rc == SSL_ERROR_WANT_WRITE
               ? 1
               : VOLO_ENOMEM;
}

static int
talk_tls(volo_server *server, SSL *ssl)
{
    char got[4096];
    int tries, rc = 1, asked = 0;

    for (tries = 0; rc == 1 && tries < TRIES; tries++) {
        step(server, STEP_MS);
        if (!asked) {
            rc = waits(ssl, SSL_write(ssl, REQUEST, sizeof REQUEST - 1));
            asked = rc == 0;
            rc = rc ? rc : 1;
        } else {
            rc = waits(ssl, SSL_read(ssl, got, sizeof got));
        }
    }
    if (rc == 1)
        torture_fail("neither an answer nor an end");
    if (!rc && !memmem(got, sizeof got, HELLO, sizeof HELLO - 1))
        rc = VOLO_ENOMEM;
    return rc;
}

static int
visit(volo_server *server)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = connect_to(volo_server_port(server, 0)), err;
    struct timeval moment = {.tv_usec = 1000};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    err = talk_tls(server, ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return err;
}

static int
serve_tls(volo_tls *tls)
{
    volo_server *server;
    int err = new_server(&server);

    if (err)
        return err;
    err = volo_server_bind_tls(server, "127.0.0.1:0", tls);
    if (!err)
        err = volo_server_open(server);
    if (!err)
        err = visit(server);
    volo_server_free(server);
    return err;
}

static int
play_tls(void)
{
    static volo_str identity;
    volo_tls *tls;
    int err = volo_tls_new(&tls);

    if (err)
        return err;
    if (!identity.ptr)
        identity = make_identity();
    err = volo_tls_add_cert_pem(tls, identity, volo_str_of(NULL));
    if (!err)
        err = serve_tls(tls);
    volo_tls_unref(tls);
    return err;
}

const struct torture_scenario torture_servers[] = {
    {"a server", play_server},
    {"a server behind a proxy", play_proxy},
    {"a server, asked in HTTP/2", play_preface},
    {"a server, asked for HTTP/2", play_h2c},
    {"a server with TLS", play_tls},
    {NULL, NULL},
};
