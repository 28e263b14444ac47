/* SPDX-License-Identifier: Apache-2.0 */
/* A connection from inside, for conn.c and conn_timer.c alone. */
#ifndef VOLO_SERVER_CONN_H
#define VOLO_SERVER_CONN_H

#include "server/server.h"

struct volo__conn {
    struct volo__stream stream; /* first: a stream is its connection */
    struct volo__wire *wire;    /* h1, or another codec */
    struct volo__h1 h1;
    struct volo__worker *worker;
    struct volo__conn *next;
    struct volo__conn *prev;
    struct volo__alarm alarm;
    struct volo__task settle_task;
    struct volo__peer peer;
    uint8_t phase; /* as of the last look */
    uint8_t settle_deferred;
    uint8_t in_data;
    uint8_t eof_due;   /* behind what is kept */
    uint8_t shut;      /* our side is closed: lingering */
    uint8_t counted;   /* by its address */
    uint8_t dead;      /* closing */
    uint8_t closed;    /* the stream is done with it */
    uint64_t since;    /* when the phase began */
    uint64_t last_in;  /* when octets came */
    uint64_t last_out; /* when output moved, or began to wait */
    uint64_t phase_in; /* octets that came since the phase began */
    uint64_t sent_seen;
    size_t out_seen; /* output waiting at the last look */
    char *kept;      /* input that the codec did not take yet */
    size_t kept_len;
    size_t kept_off;
    volo_cx *upgrade; /* who gets the connection */
    uint64_t reads_seen;
    uint64_t writes_seen;
    uint64_t requests_seen;
    uint32_t active_seen;
};

/* volo__conn_option(c, which): a number of its server. */
static inline uint64_t
volo__conn_option(const struct volo__conn *c, int which)
{
    return c->worker->server->options[which];
}

/* volo__conn_due(c): when it has had its time, as things stand; UINT64_MAX if
 * nothing limits it. */
uint64_t volo__conn_due(const struct volo__conn *c);

/* volo__conn_arm(c): have its alarm fire by then.  It may fire too early,
 * never too late: being put off costs nothing. */
void volo__conn_arm(struct volo__conn *c);

#endif
