/* SPDX-License-Identifier: Apache-2.0 */
/* A server drives one service.  Set it up, then run, start or attach it. */
#ifndef VOLO_SERVER_H
#define VOLO_SERVER_H

#include <volo/listen.h>
#include <volo/service.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_server_new(out, service): a server for ${service}, of which it takes
 * a reference.  Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_server_new(volo_server **out, volo_service *service);

/** volo_server_free(server): stop it at once if it runs, and free it; NULL is
 * ignored.  Not from one of its own threads.  The service, the layers and the
 * states live until the last exchange that is still out has ended, on whatever
 * thread that is.    @since 0.1 */
VOLO_API void volo_server_free(volo_server *server);

/** volo_server_layer(server, fn, user, user_free): wrap everything.
 * Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_EBUSY (it runs).  @since 0.1 */
VOLO_API int volo_server_layer(volo_server *server, volo_layer_fn fn,
                               void *user, volo_free_fn user_free);

/** volo_server_add_layer(server, layer): the same with a layer made before.
 * Errors: as that.    @since 0.1 */
VOLO_API int volo_server_add_layer(volo_server *server, volo_layer *layer);

/** volo_server_set_state(server, key, value, value_free): what volo_cx_ext()
 * finds under ${key} in every exchange.  Errors: VOLO_ENOMEM, VOLO_EBUSY.
 * @since 0.1 */
VOLO_API int volo_server_set_state(volo_server *server, const void *key,
                                   void *value, volo_free_fn value_free);

/** Numbers that volo_server_set() sets.  Times are milliseconds, sizes are
 * octets; UINT64_MAX is "no limit" where one can do without. */
enum volo_server_option {
    VOLO_SERVER_WORKERS = 1,         /* loops; 0: by processors and cgroup */
    VOLO_SERVER_MAX_CONNECTIONS = 2, /* 65536; below RLIMIT_NOFILE anyway */
    VOLO_SERVER_MAX_PER_ADDRESS = 3, /* no limit */
    VOLO_SERVER_BODY_LIMIT = 4,      /* 2 MiB */
    VOLO_SERVER_HEAD_LIMIT = 5,      /* 16 KiB */
    VOLO_SERVER_FIELD_LIMIT = 6,     /* 100 field lines */
    VOLO_SERVER_TARGET_LIMIT = 7,    /* 8 KiB */
    VOLO_SERVER_HEAD_TIMEOUT = 8,    /* 10 s, total */
    VOLO_SERVER_IDLE_TIMEOUT = 9,    /* 60 s between requests */
    VOLO_SERVER_BODY_TIMEOUT = 10,   /* 30 s between octets of a body */
    VOLO_SERVER_BODY_RATE = 11,      /* 500 octets/s after 10 s; 0: off */
    VOLO_SERVER_WRITE_TIMEOUT = 12,  /* 30 s without progress */
    VOLO_SERVER_STOP_TIMEOUT = 13,   /* 30 s, then close */
    VOLO_SERVER_PIPELINE_LIMIT = 14, /* 64 requests parsed ahead */
    VOLO_SERVER_WRITE_BUFFER = 15,   /* 64 KiB: beyond, writers get EAGAIN */
    VOLO_SERVER_LINGER_TIMEOUT = 16, /* 5 s of reading before a close */
    VOLO_SERVER_BACKLOG = 17,        /* 4096 */
    VOLO_SERVER_HALF_CLOSE = 18, /* 0; 1: answer who has shut down writing */
    VOLO_SERVER_SIGNALS = 19,    /* 0; 1: SIGINT and SIGTERM stop it */
    VOLO_SERVER_REQUESTS_PER_CONNECTION = 20, /* no limit */
    VOLO_SERVER_TRAILER_LIMIT = 21,   /* 16 KiB; as many lines as FIELD_LIMIT */
    VOLO_SERVER_CHUNK_EXT_LIMIT = 22, /* 16 KiB a body */
    VOLO_SERVER_HTTP2 = 23, /* 1; 0: HTTP/1 alone.  In the clear, a connection
                             * may begin with it or ask for an upgrade */
    VOLO_SERVER_STREAM_LIMIT = 24,      /* 128 streams of HTTP/2 at once */
    VOLO_SERVER_HANDSHAKE_TIMEOUT = 25, /* 10 s for a PROXY header and TLS */
    VOLO_SERVER_HANDSHAKE_LIMIT = 26,   /* 1024 at once and loop: more wait in
                                         * order; one that takes more than a
                                         * second then gives way */
    VOLO_SERVER_RELOAD_SIGNAL = 27, /* 0; 1: SIGHUP is volo_server_reload(), on
                                     * a thread that a stop waits for */
    VOLO_SERVER_HTTP1 = 28 /* 1; 0: HTTP/2 alone, which a client has to know
                            * in the clear; not with HTTP2 0, too */
};

/** volo_server_set(server, option, value): see volo_server_option.
 * Errors: VOLO_EINVAL, VOLO_EBUSY (it runs).    @since 0.1 */
VOLO_API int volo_server_set(volo_server *server, int option, uint64_t value);

/** volo_server_get(out, server, option): what is set.  Errors: VOLO_EINVAL.
 * @since 0.1 */
VOLO_API int volo_server_get(uint64_t *out, const volo_server *server,
                             int option);

/** volo_server_set_name(server, name): the Server field of each response;
 * NULL (the default) for none.  Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_EBUSY.
 * @since 0.1 */
VOLO_API int volo_server_set_name(volo_server *server, const char *name);

/** volo_server_on_thread(server, start, stop, user, user_free): call these
 * (each may be NULL) on every worker thread as it begins and ends.  Errors:
 * VOLO_EBUSY, VOLO_EEXIST.    @since 0.1 */
VOLO_API int volo_server_on_thread(volo_server *server, volo_task_fn start,
                                   volo_task_fn stop, void *user,
                                   volo_free_fn user_free);

/** volo_server_on_stop(server, fn, user, user_free): call ${fn} when a stop
 * begins, in order of registration, before connections are drained.
 * Errors: VOLO_ENOMEM, VOLO_EBUSY.    @since 0.1 */
VOLO_API int volo_server_on_stop(volo_server *server, volo_task_fn fn,
                                 void *user, volo_free_fn user_free);

/**
 * volo_server_run(server):
 * Serve until stopped.  The calling thread is one of the workers.
 *
 * Errors: VOLO_EINVAL (nothing is bound), VOLO_ENOMEM, VOLO_ENOFILES, VOLO_EIO,
 * VOLO_EBUSY, VOLO_ELOOP, VOLO_EEXIST (as freezing says).    @since 0.1
 */
VOLO_API int volo_server_run(volo_server *server);

/** volo_server_start(server): the same on threads of its own; returns when
 * all of them accept.  Errors: as volo_server_run().    @since 0.1 */
VOLO_API int volo_server_start(volo_server *server);

/** volo_server_wait(server): until it has stopped.  Errors: VOLO_EINVAL (not
 * started).    @since 0.1 */
VOLO_API int volo_server_wait(volo_server *server);

/**
 * volo_server_stop(server):
 * Begin a graceful stop: accept no more, close idle connections, let
 * exchanges in progress finish, for at most the stop timeout.  A second call
 * closes everything at once.  Thread-safe, async-signal-safe.  @since 0.1
 */
VOLO_API void volo_server_stop(volo_server *server);

/**
 * volo_server_attach(server, uv_loop):
 * Serve from the host's own loop, a uv_loop_t: one worker, no thread.
 * volo_server_stop() detaches it in the course of the loop's run.
 *
 * Errors: as volo_server_run().    @since 0.1
 */
VOLO_API int volo_server_attach(volo_server *server, void *uv_loop);

/** volo_server_open(server): serve from steps of the caller, without a
 * thread.  Errors: as volo_server_run().    @since 0.1 */
VOLO_API int volo_server_open(volo_server *server);

/** volo_server_fd(server): readable when a step has something to do; with
 * volo_server_open().  Errors: VOLO_EINVAL.    @since 0.1 */
VOLO_API int volo_server_fd(const volo_server *server);

/** volo_server_next_ms(server): milliseconds until a step is due though the
 * descriptor is silent; -1: never.    @since 0.1 */
VOLO_API int64_t volo_server_next_ms(const volo_server *server);

/** volo_server_step(server, timeout_ms): do what there is to do, waiting up
 * to ${timeout_ms} (-1: for ever) for something.  Returns 1 while it serves,
 * 0 once it has stopped.  Errors: VOLO_EINVAL.    @since 0.1 */
VOLO_API int volo_server_step(volo_server *server, int64_t timeout_ms);

/** Counters that volo_server_stat() reads. */
enum volo_server_stat_id {
    VOLO_STAT_CONNECTIONS = 1,        /* open now */
    VOLO_STAT_ACCEPTED = 2,           /* ever */
    VOLO_STAT_REQUESTS = 3,           /* heads received, ever */
    VOLO_STAT_ACTIVE = 4,             /* exchanges in progress */
    VOLO_STAT_REFUSED = 5,            /* connections closed for a limit */
    VOLO_STAT_TIMEOUTS = 6,           /* connections closed by a timer, but
                                       * for the one of a stop */
    VOLO_STAT_MALFORMED = 7,          /* requests refused by the parser */
    VOLO_STAT_READS = 8,              /* read system calls on connections */
    VOLO_STAT_WRITES = 9,             /* write system calls on connections */
    VOLO_STAT_ACCEPT_PAUSES = 10,     /* times that descriptors ran out */
    VOLO_STAT_HANDSHAKES = 11,        /* of TLS, done */
    VOLO_STAT_HANDSHAKES_FAILED = 12, /* begun and not finished */
    VOLO_STAT_PROXY_REFUSED = 13,     /* connections without a PROXY header
                                       * where one had to be */
    VOLO_STAT_RELOADS = 14,           /* of a volo_tls, done */
    VOLO_STAT_RELOADS_FAILED = 15     /* nothing has changed then */
};

/** volo_server_stat(server, id): the sum over all loops; 0 for an unknown
 * one.  Thread-safe.    @since 0.1 */
VOLO_API uint64_t volo_server_stat(const volo_server *server, int id);

/** volo_server_error(server): what was wrong with the last call that failed;
 * "" if nothing.    @since 0.1 */
VOLO_API const char *volo_server_error(const volo_server *server);

#ifdef __cplusplus
}
#endif

#endif
