/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys read anew, while the server runs.  What a signal asks
 * for is done on a thread that lives as long, and that worker 0 waits for, in
 * its loop, before it ends.
 */
#include <signal.h>
#include <stddef.h>

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

/* ---- On a signal --------------------------------------------------------- */

static void *
reload_main(void *arg)
{
    struct volo__worker *w = arg;

    volo_server_reload(w->server);
    volo__worker_post(w, &w->reload.over);
    return NULL;
}

static int
spawn(struct volo__worker *w)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&w->reload.thread, NULL, reload_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static void
begin(struct volo__worker *w)
{
    w->reload.again = 0;
    if (spawn(w)) {
        volo_server_reload(w->server); /* late is better than not at all */
        return;
    }
    w->reload.runs = 1;
    volo__loop_hold(w->loop);
}

static void
over(struct volo__task *task)
{
    struct volo__worker *w =
        (struct volo__worker *)(void *)((char *)task -
                                        offsetof(struct volo__worker,
                                                 reload.over));

    pthread_join(w->reload.thread, NULL);
    w->reload.runs = 0;
    volo__loop_release(w->loop);
    if (w->reload.again && !w->stopping)
        begin(w);
    volo__worker_check(w);
    volo__server_task_done(w->server);
}

/* However often while one is under way: what is there after the last is read
 * once. */
static void
on_signal(void *user)
{
    struct volo__worker *w = user;

    if (w->reload.runs)
        w->reload.again = 1;
    else if (!w->stopping)
        begin(w);
}

int
volo__reload_on_signal(struct volo__worker *w)
{
    static const int hup = SIGHUP;

    w->reload.over.run = over;
    return volo__signals_open(&w->reload.signal, w->loop, &hup, 1, on_signal,
                              w);
}
