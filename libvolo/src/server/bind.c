/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server listens, and what is particular to each place. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"
#include "net/tls.h"
#include "server/server.h"

/* One more place in both arrays; a larger one alone does no harm. */
static int
grow(volo_server *server)
{
    size_t count = server->address_count + 1;
    struct volo__address *addresses =
        volo__realloc(server->addresses, count * sizeof *addresses);
    struct volo__port *ports;

    if (!addresses)
        return VOLO_ENOMEM;
    server->addresses = addresses;
    ports = volo__realloc(server->ports, count * sizeof *ports);
    if (!ports)
        return VOLO_ENOMEM;
    server->ports = ports;
    return 0;
}

static int
bind_to(volo_server *server, const char *text, volo_tls *tls)
{
    struct volo__address address;
    int err;

    if (!text)
        return VOLO_EINVAL;
    err = grow(server);
    if (err)
        return err;
    err =
        volo__address_bind(&address, text, server->error, sizeof server->error);
    if (err)
        return err;
    server->addresses[server->address_count] = address;
    server->ports[server->address_count] =
        (struct volo__port){.tls = tls ? volo_tls_ref(tls) : NULL};
    server->address_count++;
    return 0;
}

int
volo_server_bind(volo_server *server, const char *text)
{
    server->error[0] = 0;
    if (!volo__server_is_new(server))
        return VOLO_EBUSY;
    return bind_to(server, text, NULL);
}

int
volo_server_bind_tls(volo_server *server, const char *text, volo_tls *tls)
{
    int err;

    server->error[0] = 0;
    if (!volo__server_is_new(server))
        return VOLO_EBUSY;
    if (!tls)
        return VOLO_EINVAL;
    err = volo__tls_ready(tls);
    if (err) {
        snprintf(server->error, sizeof server->error, "%s",
                 volo_tls_error(tls));
        return err;
    }
    return bind_to(server, text, tls);
}

int
volo_server_trust_proxy(volo_server *server, size_t i, const char *networks)
{
    struct volo__networks trusted;
    int err;

    if (!volo__server_is_new(server))
        return VOLO_EBUSY;
    if (i >= server->address_count)
        return VOLO_ENOENT;
    err = volo__networks_parse(&trusted, networks ? networks : "");
    if (err)
        return err;
    volo__networks_fini(&server->ports[i].trusted);
    server->ports[i].trusted = trusted;
    return 0;
}

/* sd_listen_fds(3): descriptors from 3 on, if they are meant for us. */
int
volo_server_bind_systemd(volo_server *server)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    uint64_t n, p;
    char text[32] = "fd:";
    uint64_t i;
    int err;

    if (!pid || !fds || volo__u64_parse(&p, volo_str_of(pid)) ||
        volo__u64_parse(&n, volo_str_of(fds)) || p != (uint64_t)getpid())
        return 0;
    if (n > 1024)
        return VOLO_EINVAL;
    for (i = 0; i < n; i++) {
        text[3 + volo__u64_format(text + 3, 3 + i)] = 0;
        err = volo_server_bind(server, text);
        if (err)
            return err;
    }
    return (int)n;
}

int
volo_server_port(const volo_server *server, size_t i)
{
    if (i >= server->address_count)
        return VOLO_ENOENT;
    return volo__address_port(&server->addresses[i]);
}

int
volo_server_listener_fd(const volo_server *server, size_t i)
{
    if (i >= server->address_count)
        return VOLO_ENOENT;
    return server->addresses[i].fd;
}
