/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys read anew, while the server runs. */
#include <signal.h>

#include "server/server.h"

/* One for several listeners is read once. */
static int
seen_before(const volo_server *server, size_t i)
{
    size_t k;

    for (k = 0; k < i; k++)
        if (server->ports[k].tls == server->ports[i].tls)
            return 1;
    return 0;
}

int
volo_server_reload(volo_server *server)
{
    int err = 0, one;
    size_t i;

    for (i = 0; i < server->address_count; i++) {
        if (!server->ports[i].tls || seen_before(server, i))
            continue;
        one = volo_tls_reload(server->ports[i].tls);
        atomic_fetch_add(one ? &server->reloads_failed : &server->reloads, 1);
        if (!err)
            err = one;
    }
    return err;
}

static void
on_signal(void *user)
{
    volo_server_reload(user);
}

int
volo__reload_on_signal(struct volo__worker *w)
{
    static const int hup = SIGHUP;

    return volo__signals_open(&w->reload_signal, w->loop, &hup, 1, on_signal,
                              w->server);
}
