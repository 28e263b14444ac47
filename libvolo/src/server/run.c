/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to run a server, and to stop it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "server/cpus.h"
#include "server/server.h"

/* ---- Opening ------------------------------------------------------------- */

/* Descriptors that connections cannot have. */
enum { RESERVED_FDS = 64, RESERVED_FDS_PER_WORKER = 16 };

static void
set_max_connections(volo_server *server)
{
    uint64_t most = server->options[VOLO_SERVER_MAX_CONNECTIONS], own;
    struct rlimit limit;

    own =
        RESERVED_FDS + (uint64_t)RESERVED_FDS_PER_WORKER * server->worker_count;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY) {
        uint64_t room = limit.rlim_cur > 2 * own ? limit.rlim_cur - own
                                                 : limit.rlim_cur / 2 + 1;

        if (most > room)
            most = room;
    }
    server->max_connections = most;
}

static void
set_codec(volo_server *server)
{
    const uint64_t *o = server->options;

    server->wire = (struct volo__wire_config){
        .body_limit = o[VOLO_SERVER_BODY_LIMIT],
        .head_limit = (uint32_t)o[VOLO_SERVER_HEAD_LIMIT],
        .field_limit = (uint32_t)o[VOLO_SERVER_FIELD_LIMIT],
        .target_limit = (uint32_t)o[VOLO_SERVER_TARGET_LIMIT],
        .chunk_ext_limit = (uint32_t)o[VOLO_SERVER_CHUNK_EXT_LIMIT],
        .trailer_limit = (uint32_t)o[VOLO_SERVER_TRAILER_LIMIT],
        .pipeline_limit = (uint32_t)o[VOLO_SERVER_PIPELINE_LIMIT],
        .out_limit = (uint32_t)o[VOLO_SERVER_WRITE_BUFFER],
        .request_limit = o[VOLO_SERVER_REQUESTS_PER_CONNECTION],
        .server_name = server->name,
        .stream_limit = (uint32_t)o[VOLO_SERVER_STREAM_LIMIT],
        .head_timeout = o[VOLO_SERVER_HEAD_TIMEOUT],
        .idle_timeout = o[VOLO_SERVER_IDLE_TIMEOUT],
        .body_timeout = o[VOLO_SERVER_BODY_TIMEOUT],
        .body_rate = o[VOLO_SERVER_BODY_RATE],
        .write_timeout = o[VOLO_SERVER_WRITE_TIMEOUT],
    };
    server->wire_last = server->wire;
    server->wire_last.request_limit = 1;
}

static void
close_workers(volo_server *server)
{
    unsigned i;

    for (i = 0; i < server->worker_count; i++)
        volo__worker_close(&server->workers[i]);
}

static void
on_signal(void *user)
{
    volo_server_stop(user);
}

static int
open_signals(struct volo__worker *w)
{
    static const int ends[2] = {SIGINT, SIGTERM};
    const uint64_t *o = w->server->options;
    int err = 0;

    if (o[VOLO_SERVER_SIGNALS])
        err = volo__signals_open(&w->signals, w->loop, ends, 2, on_signal,
                                 w->server);
    if (!err && o[VOLO_SERVER_RELOAD_SIGNAL])
        err = volo__reload_on_signal(w);
    return err;
}

/* All that can fail, before the first thread. */
static int
open_all(volo_server *server, unsigned count, uv_loop_t *uv)
{
    unsigned i;
    int err;

    server->workers = volo__calloc(count * sizeof *server->workers);
    if (!server->workers)
        return VOLO_ENOMEM;
    server->worker_count = count;
    set_max_connections(server);
    set_codec(server);
    volo__addresses_init(&server->per_address,
                         server->options[VOLO_SERVER_MAX_PER_ADDRESS]);
    for (i = 0; i < count; i++) {
        server->workers[i].server = server;
        server->workers[i].index = i;
        err = volo__worker_open(&server->workers[i], uv);
        if (!err && i == 0)
            err = open_signals(&server->workers[0]);
        if (err)
            return err;
    }
    return 0;
}

static int
fail(volo_server *server, int err, const char *why)
{
    snprintf(server->error, sizeof server->error, "%s", why);
    return err;
}

/* Freeze, then open; on failure the server can be tried again. */
static int
prepare(volo_server *server, int mode, unsigned count, uv_loop_t *uv)
{
    int err;

    server->error[0] = 0;
    if (atomic_load(&server->mode) != VOLO__SERVER_NEW)
        return fail(server, VOLO_EBUSY, "it runs or has run already");
    if (server->address_count == 0)
        return fail(server, VOLO_EINVAL, "nothing is bound");
    if (!server->options[VOLO_SERVER_HTTP1] &&
        !server->options[VOLO_SERVER_HTTP2])
        return fail(server, VOLO_EINVAL, "neither HTTP/1 nor HTTP/2 is on");
    err = volo_service_freeze(&server->root->around);
    if (err)
        return fail(server, err, volo_strerror(err));
    err = open_all(server, count, uv);
    if (!err) {
        atomic_store(&server->mode, mode);
        return 0;
    }
    close_workers(server);
    volo__server_forget_workers(server);
    server->workers = NULL;
    server->worker_count = 0;
    return fail(server, err, volo_strerror(err));
}

static unsigned
worker_count(const volo_server *server)
{
    uint64_t n = server->options[VOLO_SERVER_WORKERS];

    return n ? (unsigned)n : volo__cpu_count();
}

/* ---- Threads ------------------------------------------------------------- */

static void
worker_loop(struct volo__worker *w)
{
    volo_server *server = w->server;

    if (server->thread_start)
        server->thread_start(server->thread_user);
    volo__loop_run(w->loop);
    if (server->thread_stop)
        server->thread_stop(server->thread_user);
    volo__worker_close(w);
}

/* Signals are the program's business, on threads of its own. */
static void *
worker_main(void *arg)
{
    worker_loop(arg);
    return NULL;
}

static int
spawn(struct volo__worker *w)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err ? VOLO_ENOMEM : 0;
}

static void
join_from(volo_server *server, unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i++)
        pthread_join(server->workers[i].thread, NULL);
}

/* Those that could not be given a thread are closed without one. */
static int
spawn_from(volo_server *server, unsigned from)
{
    unsigned i, k;
    int err = 0;

    for (i = from; i < server->worker_count && !err; i++)
        err = spawn(&server->workers[i]);
    if (!err)
        return 0;
    i--;
    for (k = i; k < server->worker_count; k++)
        volo__worker_close(&server->workers[k]);
    if (from == 1)
        volo__worker_close(&server->workers[0]);
    for (k = from; k < i; k++)
        volo__worker_post(&server->workers[k],
                          &server->workers[k].stop_now_task);
    join_from(server, from, i);
    atomic_store(&server->mode, VOLO__SERVER_STOPPED);
    return fail(server, err, "a thread could not be started");
}

int
volo_server_run(volo_server *server)
{
    int err = prepare(server, VOLO__SERVER_THREADS, worker_count(server), NULL);

    if (!err)
        err = spawn_from(server, 1);
    if (err)
        return err;
    server->first_on_caller = 1;
    worker_loop(&server->workers[0]);
    join_from(server, 1, server->worker_count);
    server->joined = 1;
    atomic_store(&server->mode, VOLO__SERVER_STOPPED);
    return 0;
}

int
volo_server_start(volo_server *server)
{
    int err = prepare(server, VOLO__SERVER_THREADS, worker_count(server), NULL);

    return err ? err : spawn_from(server, 0);
}

int
volo_server_wait(volo_server *server)
{
    int mode = atomic_load(&server->mode);

    if (server->first_on_caller || mode == VOLO__SERVER_NEW ||
        mode == VOLO__SERVER_STEPPED || mode == VOLO__SERVER_HOSTED)
        return VOLO_EINVAL;
    if (!server->joined && mode == VOLO__SERVER_THREADS) {
        join_from(server, 0, server->worker_count);
        server->joined = 1;
        atomic_store(&server->mode, VOLO__SERVER_STOPPED);
    }
    return 0;
}

/* ---- On a loop of the caller's or the host's ------------------------------
 */

int
volo_server_attach(volo_server *server, void *uv_loop)
{
    if (!uv_loop)
        return VOLO_EINVAL;
    return prepare(server, VOLO__SERVER_HOSTED, 1, uv_loop);
}

int
volo_server_open(volo_server *server)
{
    return prepare(server, VOLO__SERVER_STEPPED, 1, NULL);
}

static volo_loop *
stepped_loop(const volo_server *server)
{
    if (atomic_load(&server->mode) != VOLO__SERVER_STEPPED)
        return NULL;
    return server->workers[0].loop;
}

int
volo_server_fd(const volo_server *server)
{
    volo_loop *loop = stepped_loop(server);

    return loop ? volo__loop_fd(loop) : VOLO_EINVAL;
}

int64_t
volo_server_next_ms(const volo_server *server)
{
    volo_loop *loop = stepped_loop(server);

    return loop ? volo__loop_next_ms(loop) : -1;
}

int
volo_server_step(volo_server *server, int64_t timeout_ms)
{
    volo_loop *loop = stepped_loop(server);

    if (!loop)
        return atomic_load(&server->mode) == VOLO__SERVER_STOPPED ? 0
                                                                  : VOLO_EINVAL;
    volo__loop_step(loop, timeout_ms);
    if (!server->workers[0].finished)
        return 1;
    volo__worker_close(&server->workers[0]);
    atomic_store(&server->mode, VOLO__SERVER_STOPPED);
    return 0;
}

/* ---- Stopping ------------------------------------------------------------ */

void
volo__server_begin_stop(volo_server *server)
{
    struct volo__stop_hook *hook;
    unsigned i;

    for (hook = server->stop_hooks; hook; hook = hook->next)
        hook->fn(hook->user);
    for (i = 1; i < server->worker_count; i++)
        volo__worker_post(&server->workers[i], &server->workers[i].stop_task);
}

void
volo__worker_finished(struct volo__worker *w)
{
    volo_server *server = w->server;

    if (atomic_load(&server->mode) != VOLO__SERVER_HOSTED) {
        volo__loop_break(w->loop);
        return;
    }
    volo__worker_close(w);
    atomic_store(&server->mode, VOLO__SERVER_STOPPED);
    if (server->freed && atomic_load(&server->posted) == 0)
        volo__server_destroy(server);
}

void
volo__server_task_done(volo_server *server)
{
    /* Tasks of a server that was freed on a host's loop come last. */
    int last = server->freed && server->workers[0].finished;

    if (atomic_fetch_sub(&server->posted, 1) == 1 && last)
        volo__server_destroy(server);
}

/*
 * Only atomics and one wake-up per worker, so that a signal handler may call
 * it.  The home of a worker that has finished is still there, dead, and runs
 * what is posted at once: that makes the second call safe.
 */
void
volo_server_stop(volo_server *server)
{
    int mode = atomic_load(&server->mode), nth;
    unsigned i;

    if (mode == VOLO__SERVER_NEW || mode == VOLO__SERVER_STOPPED)
        return;
    nth = atomic_fetch_add(&server->stops, 1);
    if (nth == 0)
        volo__worker_post(&server->workers[0], &server->workers[0].stop_task);
    if (nth != 1)
        return;
    for (i = 0; i < server->worker_count; i++)
        volo__worker_post(&server->workers[i],
                          &server->workers[i].stop_now_task);
}

static void
stop_here(volo_server *server)
{
    volo_loop *loop = server->workers[0].loop;

    volo__loop_enter(loop);
    if (atomic_fetch_add(&server->stops, 1) == 0)
        volo__server_begin_stop(server);
    volo__worker_stop(&server->workers[0], 1);
    volo__loop_leave();
}

void
volo_server_free(volo_server *server)
{
    if (!server)
        return;
    switch (atomic_load(&server->mode)) {
    case VOLO__SERVER_THREADS:
        volo_server_stop(server);
        volo_server_stop(server);
        volo_server_wait(server);
        break;
    case VOLO__SERVER_STEPPED:
        stop_here(server);
        while (volo_server_step(server, 100) > 0)
            ;
        break;
    case VOLO__SERVER_HOSTED:
        server->freed = 1;
        stop_here(server);
        return;
    default:
        break;
    }
    volo__server_destroy(server);
}
