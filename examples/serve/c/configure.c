/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What configures the behaviour server: its environment.
 *
 *   PORT, WORKERS     the port on 127.0.0.1 (8080) and how many loops (1)
 *   HTTP1             0: HTTP/2 alone
 *   TRUST_PROXY       networks whose connections there begin with a header of
 *                     the PROXY protocol
 *   TLS_PORT          another port, for TLS, with
 *   TLS_CERT, TLS_KEY   the chain and the key, and where they are set,
 *   TLS_CERT2, TLS_KEY2 others, which the server name chooses,
 *   TLS_CLIENT_CA       who signs clients' certificates, which are
 *   TLS_CLIENT          "required", else optional
 *
 * SIGINT and SIGTERM stop it gracefully, a second one at once; SIGHUP reads the
 * certificates again.
 */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* NULL also for an empty one. */
static const char *
text(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int
set_options(volo_server *server)
{
    const struct {
        int option;
        uint64_t value;
    } options[] = {
        {VOLO_SERVER_WORKERS, number("WORKERS", 1)},
        {VOLO_SERVER_BODY_LIMIT, 16 * 1024 * 1024},
        {VOLO_SERVER_HEAD_TIMEOUT, 10 * 1000},
        {VOLO_SERVER_BODY_TIMEOUT, 10 * 1000},
        {VOLO_SERVER_WRITE_TIMEOUT, 10 * 1000},
        {VOLO_SERVER_IDLE_TIMEOUT, 15 * 1000},
        {VOLO_SERVER_SIGNALS, 1},
        {VOLO_SERVER_RELOAD_SIGNAL, 1},
        {VOLO_SERVER_HTTP1, number("HTTP1", 1)},
    };
    size_t i;
    int err = 0;

    for (i = 0; !err && i < sizeof options / sizeof *options; i++)
        err = volo_server_set(server, options[i].option, options[i].value);
    return err;
}

static int
bind_clear(volo_server *server)
{
    char address[64];
    int err;

    snprintf(address, sizeof address, "127.0.0.1:%u",
             (unsigned)number("PORT", 8080));
    err = volo_server_bind(server, address);
    if (!err)
        err = volo_server_trust_proxy(server, 0, text("TRUST_PROXY"));
    if (!err)
        fprintf(stderr, "volo-serve: http://127.0.0.1:%d/\n",
                volo_server_port(server, 0));
    return err;
}

static int
set_tls(volo_tls *tls)
{
    const char *mode = text("TLS_CLIENT");
    int err = volo_tls_add_cert(tls, text("TLS_CERT"), text("TLS_KEY"));

    if (!err && text("TLS_CERT2"))
        err = volo_tls_add_cert(tls, text("TLS_CERT2"), text("TLS_KEY2"));
    if (!err && text("TLS_CLIENT_CA"))
        err = volo_tls_set_client_ca(tls, text("TLS_CLIENT_CA"),
                                     mode && !strcmp(mode, "required")
                                         ? VOLO_TLS_CLIENT_REQUIRED
                                         : VOLO_TLS_CLIENT_OPTIONAL);
    if (err)
        fprintf(stderr, "volo-serve: %s\n", volo_tls_error(tls));
    return err;
}

static int
bind_tls(volo_server *server)
{
    char address[64];
    volo_tls *tls;
    int err = volo_tls_new(&tls);

    if (err)
        return err;
    err = set_tls(tls);
    snprintf(address, sizeof address, "127.0.0.1:%u",
             (unsigned)number("TLS_PORT", 8443));
    if (!err)
        err = volo_server_bind_tls(server, address, tls);
    volo_tls_unref(tls);
    if (!err)
        fprintf(stderr, "volo-serve: https://127.0.0.1:%d/\n",
                volo_server_port(server, 1));
    return err;
}

int
serve_configure(volo_server *server)
{
    int err = set_options(server);

    if (!err)
        err = bind_clear(server);
    if (!err && text("TLS_PORT"))
        err = bind_tls(server);
    return err;
}
