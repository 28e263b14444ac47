/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server from inside: settings, workers, connections.  It drives one
 * service and knows no router, no layer and no extractor.
 */
#ifndef VOLO_SERVER_SERVER_H
#define VOLO_SERVER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include <volo/server.h>
#include <volo/tls.h>

#include "h1/h1.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/stream.h"
#include "server/addresses.h"
#include "server/networks.h"
#include "server/reload.h"
#include "server/root.h"

enum { VOLO__SERVER_OPTIONS = 29, VOLO__STATS = 16 };

struct volo__worker;
struct volo__conn;

/* What is particular to one listener. */
struct volo__port {
    volo_tls *tls;                 /* NULL: in the clear */
    struct volo__networks trusted; /* who begins with a PROXY header */
};

/* Connections in a handshake, or waiting for it (conn_hand.c). */
struct volo__hand_list {
    struct volo__conn *first;
    struct volo__conn *last;
    uint64_t count;
};

/* Called when a stop begins, in order. */
struct volo__stop_hook {
    struct volo__stop_hook *next;
    volo_task_fn fn;
    void *user;
    volo_free_fn user_free;
};

enum volo__server_mode {
    VOLO__SERVER_NEW = 0,
    VOLO__SERVER_THREADS, /* run or start */
    VOLO__SERVER_STEPPED, /* open and step */
    VOLO__SERVER_HOSTED,  /* on a loop of the host's */
    VOLO__SERVER_STOPPED
};

struct volo_server {
    struct volo__root *root; /* what it serves */
    uint64_t options[VOLO__SERVER_OPTIONS];
    char *name;
    struct volo__wire_config wire;
    struct volo__wire_config wire_last; /* one request, and no more */

    struct volo__address *addresses;
    struct volo__port *ports; /* as many */
    size_t address_count;

    struct volo__worker *workers;
    unsigned worker_count;
    atomic_int mode;
    atomic_int stops;    /* how often it was told to */
    atomic_uint posted;  /* tasks of its workers that have not run yet */
    int first_on_caller; /* worker 0 is the thread in volo_server_run() */
    int joined;
    int freed; /* while a host's loop still had to close things */

    /* Connections over all workers, and who waits for there to be fewer. */
    uint64_t max_connections;
    atomic_ullong connections;
    atomic_uint paused;
    struct volo__addresses per_address;
    atomic_ullong reloads; /* of one volo_tls each */
    atomic_ullong reloads_failed;

    volo_task_fn thread_start;
    volo_task_fn thread_stop;
    void *thread_user;
    volo_free_fn thread_free;
    struct volo__stop_hook *stop_hooks;
    char error[256];
};

/* One loop with its listeners and connections. */
struct volo__worker {
    volo_server *server;
    volo_loop *loop;         /* NULL once closed */
    struct volo__home *home; /* kept until the server is freed: who stops it
                              * once more may be late */
    struct volo__task home_task;
    unsigned index;
    pthread_t thread;
    struct volo__listener *listeners;
    size_t listeners_open;
    size_t listener_count;
    struct volo__conn *conns; /* newest first */
    struct volo__hand_list hand_begun;
    struct volo__hand_list hand_waiting;
    int hand_looking;
    struct volo__signals signals;
    struct volo__reload reload;
    int stopping;         /* 0, 1 gracefully, 2 at once */
    uint64_t fresh_until; /* for those that have not asked yet */
    int finished;
    atomic_int paused;
    struct volo__task pause_task;
    atomic_int pause_posted;
    struct volo__task resume_task;
    atomic_int resume_posted;
    struct volo__task stop_task;
    struct volo__task stop_now_task;
    struct volo__alarm stop_alarm;
    atomic_ullong stats[VOLO__STATS]; /* written by this worker alone */
};

/* volo__worker_bump(w, stat, n): add to a counter of this worker. */
static inline void
volo__worker_bump(struct volo__worker *w, int stat, uint64_t n)
{
    uint64_t old = atomic_load_explicit(&w->stats[stat], memory_order_relaxed);

    atomic_store_explicit(&w->stats[stat], old + n, memory_order_relaxed);
}

/* volo__server_is_new(server): 1 while it may be set up. */
static inline int
volo__server_is_new(const volo_server *server)
{
    return atomic_load(&server->mode) == VOLO__SERVER_NEW;
}

/* volo__worker_open(w, uv): its loop (on ${uv} if not NULL), its listeners.
 * VOLO_E...; then nothing is left open. */
int volo__worker_open(struct volo__worker *w, uv_loop_t *uv);

/* volo__worker_close(w): let its loop go, once it has finished or was never
 * run. */
void volo__worker_close(struct volo__worker *w);

/* volo__worker_forget(w): let its home go too: the server is being freed. */
void volo__worker_forget(struct volo__worker *w);

/* volo__worker_post(w, task): run one of its tasks on its thread, or, if that
 * has ended, here or wherever else. */
void volo__worker_post(struct volo__worker *w, struct volo__task *task);

/* volo__server_task_done(server): the end of each of them. */
void volo__server_task_done(volo_server *server);

/* volo__server_forget_workers(server): free them and let their homes go. */
void volo__server_forget_workers(volo_server *server);

/* volo__server_destroy(server): free it once its tasks have run. */
void volo__server_destroy(volo_server *server);

/* volo__worker_stop(w, now): on its thread. */
void volo__worker_stop(struct volo__worker *w, int now);

/* volo__worker_check(w): finished, if it stops and has nothing left. */
void volo__worker_check(struct volo__worker *w);

/* volo__worker_finished(w): the server's: a worker has nothing left. */
void volo__worker_finished(struct volo__worker *w);

/* volo__worker_accept(w): a connection more, or one less: see the limits. */
void volo__worker_conn_gone(struct volo__worker *w);

/* volo__server_begin_stop(server): on worker 0's thread: hooks, then all. */
void volo__server_begin_stop(volo_server *server);

/* volo__conn_open(w, port, fd, addr): serve a connection; closes ${fd} on
 * failure. */
void volo__conn_open(struct volo__worker *w, const struct volo__port *port,
                     int fd, const struct sockaddr *addr);

/* volo__conn_stop(conn, now): gracefully, or at once. */
void volo__conn_stop(struct volo__conn *conn, int now);

struct volo__conn *volo__conn_next(struct volo__conn *conn);

#endif
