/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop of a server: its listeners and its connections, from opening to
 * the last one gone.  All but opening and closing is on the loop's thread.
 */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "server/server.h"

#define WORKER_OF(ptr, member)                               \
    ((struct volo__worker *)(void *)((char *)(ptr)-offsetof( \
        struct volo__worker, member)))

enum { FRESH_MS = 1000 }; /* for a connection that is about to ask */

/* ---- Accepting ----------------------------------------------------------- */

static void
pause_listeners(struct volo__worker *w, int on)
{
    size_t i;

    for (i = 0; i < w->listeners_open; i++)
        volo__listener_pause(&w->listeners[i], on);
}

static void
post_once(struct volo__worker *w, struct volo__task *task, atomic_int *posted)
{
    if (!atomic_exchange(posted, 1))
        volo__worker_post(w, task);
}

static int
at_limit(const volo_server *server)
{
    return atomic_load(&server->connections) >= server->max_connections;
}

/* As many as there may be: those that wait stay in the backlog. */
static void
pause_at_limit(struct volo__worker *w)
{
    volo_server *server = w->server;

    if (!at_limit(server) || atomic_exchange(&w->paused, 1))
        return;
    pause_listeners(w, 1);
    atomic_fetch_add(&server->paused, 1);

    /* One may have gone before it could know that we wait. */
    if (!at_limit(server))
        post_once(w, &w->resume_task, &w->resume_posted);
}

static void
pause_run(struct volo__task *task)
{
    struct volo__worker *w = WORKER_OF(task, pause_task);

    atomic_store(&w->pause_posted, 0);
    if (!w->stopping)
        pause_at_limit(w);
    volo__server_task_done(w->server);
}

static void
resume_run(struct volo__task *task)
{
    struct volo__worker *w = WORKER_OF(task, resume_task);

    atomic_store(&w->resume_posted, 0);
    if (!w->stopping && atomic_exchange(&w->paused, 0)) {
        atomic_fetch_sub(&w->server->paused, 1);
        pause_listeners(w, 0);
        pause_at_limit(w);
    }
    volo__server_task_done(w->server);
}

/* A connection that another loop lets in at the same moment is served too: the
 * limit may be passed by one per loop, for that moment. */
static void
on_accept(struct volo__listener *l, int fd, const struct sockaddr *addr,
          socklen_t len)
{
    struct volo__worker *w = l->user;
    volo_server *server = w->server;
    unsigned i;

    (void)len;
    volo__conn_open(w, &server->ports[l - w->listeners], fd, addr);
    if (!at_limit(server))
        return;
    pause_at_limit(w);
    for (i = 0; i < server->worker_count; i++)
        if (!atomic_load(&server->workers[i].paused))
            post_once(&server->workers[i], &server->workers[i].pause_task,
                      &server->workers[i].pause_posted);
}

void
volo__worker_conn_gone(struct volo__worker *w)
{
    volo_server *server = w->server;
    unsigned i;

    volo__worker_bump(w, VOLO_STAT_CONNECTIONS, (uint64_t)-1);
    atomic_fetch_sub(&server->connections, 1);
    for (i = 0; atomic_load(&server->paused) && i < server->worker_count; i++) {
        struct volo__worker *other = &server->workers[i];

        if (atomic_load(&other->paused))
            post_once(other, &other->resume_task, &other->resume_posted);
    }
    volo__worker_check(w);
}

/* ---- Stopping ------------------------------------------------------------ */

static void
listener_closed(struct volo__listener *l)
{
    struct volo__worker *w = l->user;

    w->listeners_open--;
    volo__worker_check(w);
}

/* The sockets that held the places listen too: open, they would let clients
 * wait for an answer that nobody gives. */
static void
close_listeners(struct volo__worker *w)
{
    volo_server *server = w->server;
    size_t i, n = w->listeners_open;

    for (i = 0; i < n; i++)
        volo__listener_close(&w->listeners[i], listener_closed);
    for (i = 0; w->index == 0 && i < server->address_count; i++)
        volo__address_close(&server->addresses[i]);
}

static void
stop_conns(struct volo__worker *w, int now)
{
    struct volo__conn *c = w->conns, *next;

    /* Closing is finished later, so that the list holds still. */
    for (; c; c = next) {
        next = volo__conn_next(c);
        volo__conn_stop(c, now);
    }
}

static void
stop_late(struct volo__alarm *alarm)
{
    struct volo__worker *w = WORKER_OF(alarm, stop_alarm);

    volo__worker_stop(w, 1);
}

void
volo__worker_stop(struct volo__worker *w, int now)
{
    uint64_t wait = w->server->options[VOLO_SERVER_STOP_TIMEOUT];
    int first = !w->stopping;

    if (w->finished || (w->stopping && !now))
        return;
    w->stopping = now ? 2 : 1;
    if (first) {
        w->fresh_until = w->loop->home.now_ms + FRESH_MS;
        close_listeners(w);
    }
    stop_conns(w, now);
    if (!now && wait != UINT64_MAX)
        volo__wheel_set(&w->loop->home.wheel, &w->stop_alarm,
                        w->loop->home.now_ms + wait);
    volo__worker_check(w);
}

void
volo__worker_check(struct volo__worker *w)
{
    if (!w->stopping || w->finished || w->conns || w->listeners_open ||
        w->reload.runs)
        return;
    w->finished = 1;
    volo__signals_close(&w->signals); /* a second one was still ours */
    volo__signals_close(&w->reload.signal);
    volo__wheel_clear(&w->loop->home.wheel, &w->stop_alarm);
    volo__worker_finished(w);
}

static void
stop_run(struct volo__task *task)
{
    struct volo__worker *w = WORKER_OF(task, stop_task);

    if (w->index == 0)
        volo__server_begin_stop(w->server);
    volo__worker_stop(w, 0);
    volo__server_task_done(w->server);
}

static void
stop_now_run(struct volo__task *task)
{
    struct volo__worker *w = WORKER_OF(task, stop_now_task);

    volo__worker_stop(w, 1);
    volo__server_task_done(w->server);
}

void
volo__worker_post(struct volo__worker *w, struct volo__task *task)
{
    atomic_fetch_add(&w->server->posted, 1);
    volo__home_post(w->home, task);
}

/* ---- Opening ------------------------------------------------------------- */

static int
open_listeners(struct volo__worker *w)
{
    volo_server *server = w->server;
    size_t i;
    int err;

    w->listeners =
        volo__calloc((server->address_count + 1) * sizeof *w->listeners);
    if (!w->listeners)
        return VOLO_ENOMEM;
    for (i = 0; i < server->address_count; i++) {
        err = volo__listener_open(&w->listeners[i], &w->loop->home,
                                  &server->addresses[i], w->index == 0,
                                  (int)server->options[VOLO_SERVER_BACKLOG],
                                  on_accept);
        if (err)
            return err;
        w->listeners[i].user = w;
        w->listeners_open = w->listener_count = i + 1;
    }
    return 0;
}

int
volo__worker_open(struct volo__worker *w, uv_loop_t *uv)
{
    int err = volo__loop_new(&w->loop, uv);

    if (err)
        return err;
    w->home = &w->loop->home;
    volo__home_keep(w->home, volo__root_ref(w->server->root), volo__root_unref);
    w->home->live++;
    w->fresh_until = UINT64_MAX;
    w->pause_task.run = pause_run;
    w->resume_task.run = resume_run;
    w->stop_task.run = stop_run;
    w->stop_now_task.run = stop_now_run;
    w->stop_alarm.fire = stop_late;
    volo__loop_enter(w->loop);
    err = open_listeners(w);
    volo__loop_leave();
    return err;
}

static void
forget_listener(struct volo__listener *l)
{
    (void)l;
}

void
volo__worker_close(struct volo__worker *w)
{
    size_t i;

    if (!w->loop)
        return;
    volo__loop_enter(w->loop);
    if (!w->finished) {
        for (i = 0; i < w->listeners_open; i++)
            volo__listener_close(&w->listeners[i], forget_listener);
        volo__signals_close(&w->signals);
        volo__signals_close(&w->reload.signal);
    }
    volo__loop_leave();
    volo__loop_close(w->loop);
    w->loop = NULL;
}

static void
home_gone(struct volo__task *task)
{
    struct volo__worker *w = WORKER_OF(task, home_task);

    volo__home_exchange_gone(w->home);
    volo__server_task_done(w->server);
}

void
volo__worker_forget(struct volo__worker *w)
{
    volo__free(w->listeners);
    w->listeners = NULL;
    if (!w->home)
        return;
    if (volo__here == w->home) {
        volo__home_exchange_gone(w->home);
    } else {
        w->home_task.run = home_gone;
        volo__worker_post(w, &w->home_task);
    }
}
