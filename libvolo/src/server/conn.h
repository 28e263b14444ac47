/* SPDX-License-Identifier: Apache-2.0 */
/* A connection from inside, for conn*.c alone. */
#ifndef VOLO_SERVER_CONN_H
#define VOLO_SERVER_CONN_H

#include "server/server.h"

/* What comes before requests do. */
enum volo__stage {
    VOLO__CONN_TALKS = 0, /* nothing any more: the codec has it */
    VOLO__CONN_PROXY,     /* waits for a proxy's header */
    VOLO__CONN_HELLO,     /* waits for a TLS handshake to begin */
    VOLO__CONN_QUEUED,    /* has begun one, and others are before it */
    VOLO__CONN_SECURING,  /* is in it */
    VOLO__CONN_SNIFFS     /* waits for octets that tell the codec */
};

struct volo__conn {
    struct volo__stream stream; /* first: a stream is its connection */
    struct volo__wire *wire;    /* h1, or another codec */
    struct volo__h1 h1;
    struct volo__worker *worker;
    struct volo__conn *next;
    struct volo__conn *prev;
    struct volo__hand_list *hand_list; /* of handshakes, and its place there */
    struct volo__conn *hand_next;
    struct volo__conn *hand_prev;
    uint64_t hand_at; /* when its handshake began */
    const struct volo__port *port;
    struct volo__alarm alarm;
    struct volo__task settle_task;
    struct volo__peer peer;
    uint8_t stage; /* a volo__stage */
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
    volo_cx *adopted; /* taken from h1 by h2, to be served */
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

/* volo__conn_wire_config(c): a server that stops has one that lets a
 * connection's first request be its last. */
static inline const struct volo__wire_config *
volo__conn_wire_config(const struct volo__conn *c)
{
    const volo_server *server = c->worker->server;

    return c->worker->stopping ? &server->wire_last : &server->wire;
}

/* ---- conn.c -------------------------------------------------------------- */

/* volo__conn_close(c): now; by a reset if that is in the middle of something
 * that the peer may take for complete. */
void volo__conn_close(struct volo__conn *c);

/* volo__conn_settle(c): anything has happened: go on where that is possible
 * now. */
void volo__conn_settle(struct volo__conn *c);

/* volo__conn_keep(c, ptr, len): octets that cannot be looked at yet, behind
 * those that are kept.  VOLO_ENOMEM. */
int volo__conn_keep(struct volo__conn *c, const char *ptr, size_t len);

/* volo__conn_unkeep(c, n): the first ${n} of them are done with. */
void volo__conn_unkeep(struct volo__conn *c, size_t n);

/* volo__conn_count(c): tell the worker's counters what has happened. */
void volo__conn_count(struct volo__conn *c);

/* volo__conn_on_alarm(alarm), volo__conn_on_task(task): for its opening. */
void volo__conn_on_alarm(struct volo__alarm *alarm);
void volo__conn_on_task(struct volo__task *task);

extern const struct volo__stream_ops volo__conn_stream_ops;

/* ---- conn_open.c --------------------------------------------------------- */

/* volo__conn_free(c): its stream is closed. */
void volo__conn_free(struct volo__conn *c);

/* volo__conn_next_stage(c): what comes behind a proxy's header, or first. */
int volo__conn_next_stage(const struct volo__conn *c);

/* volo__conn_enter_address(c): it comes from where its peer says; counts it if
 * that is wanted.  VOLO_EBUSY: there are as many as there may be; VOLO_ENOMEM.
 */
int volo__conn_enter_address(struct volo__conn *c);

/* ---- conn_wire.c --------------------------------------------------------- */

extern const struct volo__wire_host volo__conn_host;

/* volo__conn_start_h2(c): from now on it speaks HTTP/2; our SETTINGS are in
 * the queue.  VOLO_ENOMEM, VOLO_ENOTIMPL: nothing has changed. */
int volo__conn_start_h2(struct volo__conn *c);

/* volo__conn_leave_wire(c): the codec goes, with what it has in progress.
 * Returns 1 if that was in the middle of a response. */
int volo__conn_leave_wire(struct volo__conn *c);

/* volo__conn_feed(c, ptr, len, block): to the codec; how much it took. */
size_t volo__conn_feed(struct volo__conn *c, const char *ptr, size_t len,
                       struct volo__block *block);

/* ---- conn_greet.c -------------------------------------------------------- */

/* volo__conn_greet(c, ptr, len, block): octets came, and its stage is not
 * TALKS.  Returns how many were taken; what is left is the codec's. */
size_t volo__conn_greet(struct volo__conn *c, const char *ptr, size_t len,
                        struct volo__block *block);

/* volo__conn_greet_end(c): no more octets will come that could help, or there
 * was no time: if it can be, it is HTTP/1 that was begun. */
void volo__conn_greet_end(struct volo__conn *c);

/* volo__conn_secured(s): the handshake is done. */
void volo__conn_secured(struct volo__stream *s);

/* ---- conn_hand.c --------------------------------------------------------- */

/* volo__hand_begin(c, ptr, len, block): these octets, in ${block} unless that
 * is NULL, begin a handshake.  1: it is under way; 0: QUEUED, keep them;
 * VOLO_E...: it cannot be. */
int volo__hand_begin(struct volo__conn *c, const char *ptr, size_t len,
                     struct volo__block *block);

/* volo__hand_end(c): it is in no list of handshakes any more, if it was: the
 * next may begin. */
void volo__hand_end(struct volo__conn *c);

/* volo__hand_look(w): who waits may go on if there is room. */
void volo__hand_look(struct volo__worker *w);

/* ---- conn_timer.c -------------------------------------------------------- */

/* volo__conn_due(c): when it has had its time, as things stand; UINT64_MAX if
 * nothing limits it. */
uint64_t volo__conn_due(const struct volo__conn *c);

/* volo__conn_is_stopped(c): it had not asked when a stop began, nor until now,
 * which is as long as it may. */
int volo__conn_is_stopped(const struct volo__conn *c);

/* volo__conn_arm(c): have its alarm fire by then.  It may fire too early,
 * never too late: being put off costs nothing. */
void volo__conn_arm(struct volo__conn *c);

#endif
