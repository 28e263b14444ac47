/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection without a socket: the h1 codec, fed from memory, in front of a
 * service.  The host does what the server's does for a peer that takes all at
 * once, and nothing more, so that what is measured is the path of a request.
 */
#ifndef VOLO_TESTS_BENCH_MEMORY_SERVER_H
#define VOLO_TESTS_BENCH_MEMORY_SERVER_H

#include <stdlib.h>
#include <string.h>

#include <volo.h>

#include "h1/h1.h"
#include "service/service.h"

struct memory_server {
    struct volo__home home;
    struct volo__outq out;
    struct volo__wire_config config;
    struct volo__h1 h1;
    struct volo__peer peer;
    volo_service *service;
    size_t left; /* octets that have left */
    char tail[16];
};

static struct memory_server *memory_here;

static inline void
memory_serve(struct volo__wire *wire, volo_cx *cx)
{
    (void)wire;
    volo__cx_serve(cx, memory_here->service);
}

static inline void
memory_wake(struct volo__wire *wire)
{
    (void)wire;
}

static inline void
memory_upgrade(struct volo__wire *wire, volo_cx *cx)
{
    (void)wire;
    (void)cx;
}

static inline void
memory_home(struct volo__home *home)
{
    (void)home;
}

/* 0, or what has failed. */
static inline int
memory_open(struct memory_server *m, volo_service *service)
{
    static const struct volo__wire_host host = {
        .serve = memory_serve,
        .wake = memory_wake,
        .upgrade = memory_upgrade,
    };
    int err;

    memset(m, 0, sizeof *m);
    m->config = (struct volo__wire_config){
        .body_limit = 2 << 20,
        .head_limit = 16384,
        .field_limit = 100,
        .target_limit = 8192,
        .chunk_ext_limit = 16384,
        .trailer_limit = 16384,
        .pipeline_limit = 64,
        .out_limit = 65536,
        .request_limit = UINT64_MAX,
    };
    err = volo_service_freeze(service);
    if (!err)
        err = volo__home_init(&m->home, memory_home, memory_home);
    if (err)
        return err;
    m->service = service;
    volo__here = &m->home;
    memory_here = m;
    volo__outq_init(&m->out, &m->home);
    volo__h1_init(&m->h1, &m->config, &host, &m->home, &m->out, &m->peer);
    return 0;
}

static inline void
memory_drain(struct memory_server *m)
{
    struct iovec iov[16];
    size_t sent;
    int i, n;

    while ((n = volo__outq_iov(&m->out, iov, 16)) > 0) {
        for (i = 0, sent = 0; i < n; i++)
            sent += iov[i].iov_len;
        volo__outq_sent(&m->out, sent);
        m->left += sent;
    }
    m->h1.wire.ops->output_left(&m->h1.wire);
}

/* One read of the server: from the home's block, as from a socket. */
static inline void
memory_ask(struct memory_server *m, const char *text, size_t len)
{
    struct volo__block *block = volo__home_block(&m->home);

    if (!block || len > block->cap)
        return;
    memcpy(block->data, text, len);
    m->h1.wire.ops->feed(&m->h1.wire, block->data, len, block);
    volo__home_run_deferred(&m->home);
    memory_drain(m);
}

static inline void
memory_close(struct memory_server *m)
{
    m->h1.wire.ops->close(&m->h1.wire);
    volo__home_run_inbox(&m->home);
    volo__home_run_deferred(&m->home);
    volo__outq_clear(&m->out);
    volo__home_retire(&m->home);
    volo__here = NULL;
}

#endif
