/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Torture for what OpenSSL allocates on behalf of the server: certificates and
 * what is asked of clients, handshakes, tickets, records, a reload.  Played
 * again and again, each time with another allocation failing, alone or with
 * all later ones.  A call fails for lack of memory or says what is wrong, a
 * connection works or ends; nothing crashes, hangs or is lost (the last with
 * LeakSanitizer).
 *
 *     torture_openssl [EVERY]    fail each EVERY-th one; 1: all
 *
 * The client and what makes certificates use OpenSSL too, and always get what
 * they want.  So does all before the first play has passed: what OpenSSL makes
 * once in a process it does not make again if that has failed.
 */
#include <volo.h>

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "hello, torture"
#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

enum { TRIES = 20000, STEP_MS = 1, PLAYS = 80 };

/* ---- Memory -------------------------------------------------------------- */

/* What the server does just now, and in what of it allocations fail. */
enum { NOTHING = 0, SETTINGS = 1, CONNECTIONS = 2 };

static int ours;
static int meant;
static long seen;    /* allocations of that in this play */
static long fail_at; /* the number of the first one that fails; -1: none */
static int fail_on;  /* all later ones fail too */

static int
refused(void)
{
    long number = seen;

    if (ours != meant)
        return 0;
    seen++;
    return fail_at >= 0 && (number == fail_at || (fail_on && number > fail_at));
}

static void *
take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return refused() ? NULL : malloc(size);
}

static void *
retake(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return refused() ? NULL : realloc(ptr, size);
}

static void
give(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    free(ptr);
}

static void
fail(const char *what)
{
    fprintf(stderr, "torture: OpenSSL's allocation %ld%s: %s\n", fail_at,
            fail_on ? " and all later ones" : "", what);
    abort();
}

/* ---- Certificates -------------------------------------------------------- */

static char identity[8192]; /* certificate and key; its own authority */
static char authority_file[] = "/tmp/volo-torture-XXXXXX";

static void
make_identity(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME *name = X509_get_subject_name(cert);
    int fd = mkstemp(authority_file), n;

    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400L);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)"torture", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    PEM_write_bio_X509(bio, cert);
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    n = BIO_read(bio, identity, sizeof identity - 1);
    if (n <= 0 || fd < 0 || write(fd, identity, (size_t)n) != n)
        fail("no certificate");
    close(fd);
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static SSL_CTX *
make_client(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    BIO *bio = BIO_new_mem_buf(identity, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (SSL_CTX_use_certificate(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, key) != 1)
        fail("no client");
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ctx;
}

/* ---- The server ---------------------------------------------------------- */

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, HELLO);
}

static void
step(volo_server *server)
{
    int result;

    ours = CONNECTIONS;
    result = volo_server_step(server, STEP_MS);
    ours = NOTHING;
    if (result < 0)
        fail("a step that is none");
}

/* What a call may say for lack of memory: that, or OpenSSL's own words. */
static int
judge(const volo_tls *tls, int err)
{
    if (err && err != VOLO_ENOMEM && err != VOLO_ETLS)
        fail(volo_error_name(err));
    if (err == VOLO_ETLS && !*volo_tls_error(tls))
        fail("an error without words");
    return err;
}

static int
configure(volo_tls *tls)
{
    int err = volo_tls_add_cert_pem(tls, volo_str_of(identity),
                                    volo_str_make(NULL, 0));

    if (!err)
        err = volo_tls_add_cert(tls, authority_file, NULL);
    if (!err)
        err = volo_tls_set_client_ca(tls, authority_file,
                                     VOLO_TLS_CLIENT_OPTIONAL);
    if (!err)
        err = volo_tls_set_text(tls, VOLO_TLS_GROUPS, "X25519:P-256");
    return judge(tls, err);
}

static volo_server *
make_server(volo_tls *tls)
{
    volo_service *service;
    volo_server *server;
    int err;

    if (volo_service_new(&service, hello, NULL, NULL) ||
        volo_server_new(&server, service))
        fail("no server");
    volo_service_unref(service);
    ours = SETTINGS;
    err = judge(tls, volo_server_bind_tls(server, "127.0.0.1:0", tls));
    if (!err && volo_server_open(server))
        fail(volo_server_error(server));
    ours = NOTHING;
    if (!err)
        return server;
    volo_server_free(server);
    return NULL;
}

/* ---- A visit ------------------------------------------------------------- */

static int
connect_to(int port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval moment = {.tv_usec = 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (void *)&addr, sizeof addr))
        fail("no connection");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    return fd;
}

/* 1: it goes on. */
static int
goes_on(SSL *ssl, int result)
{
    int err = SSL_get_error(ssl, result);

    ERR_clear_error();
    return err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE;
}

/* Until the connection has ended; whether there was an answer. */
static int
talk(volo_server *server, SSL *ssl)
{
    char got[4096];
    size_t len = 0;
    int tries, n, asked = 0;

    for (tries = 0; tries < TRIES; tries++) {
        step(server);
        n = asked ? SSL_read(ssl, got + len, (int)(sizeof got - len))
                  : SSL_write(ssl, REQUEST, sizeof REQUEST - 1);
        if (n > 0 && asked)
            len += (size_t)n;
        else if (n > 0)
            asked = 1;
        else if (!goes_on(ssl, n))
            return memmem(got, len, HELLO, sizeof HELLO - 1) != NULL;
    }
    fail("neither an answer nor an end");
    return 0;
}

/* Whether there was an answer; ${session} is used, and another one left. */
static int
visit(volo_server *server, SSL_CTX *ctx, SSL_SESSION **session)
{
    SSL *ssl = SSL_new(ctx);
    int fd = connect_to(volo_server_port(server, 0)), good;

    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    if (*session)
        SSL_set_session(ssl, *session);
    good = talk(server, ssl);
    SSL_SESSION_free(*session);
    *session = good ? SSL_get1_session(ssl) : NULL;
    SSL_free(ssl);
    close(fd);
    ERR_clear_error();
    return good;
}

/* Two visits with a reload in between; how many were answered. */
static int
visits(volo_server *server, volo_tls *tls, SSL_CTX *ctx)
{
    SSL_SESSION *session = NULL;
    int good = visit(server, ctx, &session);

    ours = SETTINGS;
    judge(tls, volo_tls_reload(tls));
    ours = NOTHING;
    good += visit(server, ctx, &session);
    SSL_SESSION_free(session);
    return good;
}

static void
play(SSL_CTX *ctx)
{
    volo_server *server = NULL;
    volo_tls *tls = NULL;
    int err, good = 0;

    seen = 0;
    ours = SETTINGS;
    err = volo_tls_new(&tls);
    if (err && err != VOLO_ENOMEM)
        fail(volo_error_name(err));
    if (!err)
        err = configure(tls);
    ours = NOTHING;
    if (!err)
        server = make_server(tls);
    if (server)
        good = visits(server, tls, ctx);
    ours = CONNECTIONS;
    volo_server_free(server);
    ours = SETTINGS;
    volo_tls_unref(tls);
    ours = NOTHING;
    if (fail_at < 0 && good != 2)
        fail("no answer with all the memory there is");
    if (fail_at >= 0 && ERR_peek_error())
        fail("errors that nobody has asked for are left behind");
}

/* ---- All of them --------------------------------------------------------- */

static void
play_all(SSL_CTX *ctx, const char *what, long every)
{
    long all, at, plays = 0;

    fail_at = -1;
    fail_on = 0;
    play(ctx);
    play(ctx);
    all = seen;
    if (!every)
        every = all / PLAYS + 1;
    for (fail_on = 0; fail_on < 2; fail_on++)
        for (at = fail_on * (every / 2); at < all; at += every, plays++) {
            fail_at = at;
            play(ctx);
        }
    fail_at = -1;
    play(ctx);
    printf("%-24s %6ld allocations, %ld plays\n", what, all, plays);
    fflush(stdout);
}

static void
play_version(int version, long every)
{
    SSL_CTX *ctx = make_client(version);
    int minor = version == TLS1_2_VERSION ? 2 : 3;
    char what[64];

    meant = CONNECTIONS;
    snprintf(what, sizeof what, "TLS 1.%d, connections", minor);
    play_all(ctx, what, every);
    if (version == TLS1_3_VERSION) { /* they are the same for both */
        meant = SETTINGS;
        play_all(ctx, "settings and reload", every);
    }
    SSL_CTX_free(ctx);
}

int
main(int argc, char **argv)
{
    long every = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

    signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes to what is closed */
    if (CRYPTO_set_mem_functions(take, retake, give) != 1)
        fail("OpenSSL has allocated something already");
    fail_at = -1;
    make_identity();
    play_version(TLS1_2_VERSION, every);
    play_version(TLS1_3_VERSION, every);
    unlink(authority_file);
    return 0;
}
