/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A codec as the one who drives it sees it: octets are fed, octets come out in
 * an outq, exchanges are given to a host.  HTTP/1 and HTTP/2 are each one of
 * these, and a connection does not know which it has.  Neither knows a socket;
 * what time it is they read off their home.  All on the home's thread.
 */
#ifndef VOLO_HTTP_WIRE_H
#define VOLO_HTTP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/home.h"
#include "base/outq.h"
#include "http/cx.h"

struct volo__wire;

/* Limits and settings; one for all connections of a server.  Sizes are octets,
 * times are milliseconds; UINT64_MAX is "no limit". */
struct volo__wire_config {
    uint64_t body_limit;
    uint32_t head_limit;
    uint32_t field_limit; /* lines of a head, and of trailers */
    uint32_t target_limit;
    uint32_t chunk_ext_limit;
    uint32_t trailer_limit;
    uint32_t pipeline_limit;
    uint32_t out_limit;      /* octets waiting beyond which nothing is taken in,
                              * and writers are told to wait */
    uint64_t request_limit;  /* requests per connection; UINT64_MAX none */
    const char *server_name; /* NULL: no Server field */

    /* Of HTTP/2, which has several things to wait for at once. */
    uint32_t stream_limit;  /* streams at once */
    uint64_t head_timeout;  /* for a field block, and the SETTINGS' ack */
    uint64_t idle_timeout;  /* without a stream */
    uint64_t body_timeout;  /* between octets of a body */
    uint64_t body_rate;     /* octets a second after the first ten; 0 off */
    uint64_t write_timeout; /* of a stream whose window stays shut */
};

/* What the codec tells its host (server/conn.c; a test). */
struct volo__wire_host {
    /* A request is complete up to its body: serve it (volo__cx_serve()). */
    void (*serve)(struct volo__wire *wire, volo_cx *cx);
    /* There is output, or the state has changed, outside of a call of the
     * host's: flush, feed what was kept, look at the timers.  The host may do
     * so at once or later, but must not free ${wire} before it returns. */
    void (*wake)(struct volo__wire *wire);
    /* The exchange that asked for an upgrade has its 101 in the queue: when it
     * is sent, the connection is cx's.  The codec has let go of ${cx}: the host
     * calls the upgrade function and detaches, or cancels it.  Often called
     * from inside a feed: what that does not take was sent early. */
    void (*upgrade)(struct volo__wire *wire, volo_cx *cx);
    /* HTTP/1 alone: its first request, which is complete, without content and
     * not served yet, asks for h2c with these ${settings} (the field's value).
     * 1: the host has another codec take over connection and exchange, and
     * serves that when the feed has returned; 0: it goes on in HTTP/1.  NULL:
     * never. */
    int (*h2c)(struct volo__wire *wire, volo_cx *cx, volo_str settings);
};

/* What the connection waits for: the host's timers go by it. */
enum volo__wire_phase {
    VOLO__WIRE_IDLE,   /* between requests, nothing of the next seen */
    VOLO__WIRE_HEAD,   /* in the middle of a head */
    VOLO__WIRE_BODY,   /* wanting body octets */
    VOLO__WIRE_BUSY,   /* wanting nothing from the peer: handlers at work */
    VOLO__WIRE_CLOSING /* no more is read: close when the output has left */
};

struct volo__wire_ops {
    /*
     * Take in octets, which lie in ${block} (may be NULL).  Returns how many
     * were taken: fewer than ${len} when held back (a full output queue, a
     * body that is not wanted yet): the host keeps the rest, reads no more,
     * and feeds it again after wake() or when output has left.  Errors are
     * answered inside.  In CLOSING, all is taken and thrown away.
     */
    size_t (*feed)(struct volo__wire *wire, const char *ptr, size_t len,
                   struct volo__block *block);
    /* 1 if feeding would take something. */
    int (*wants)(const struct volo__wire *wire);
    /* A volo__wire_phase. */
    int (*phase)(const struct volo__wire *wire);
    /* When timeout() is due, on the home's clock; UINT64_MAX never.  NULL: the
     * host times the phases.  Otherwise it times but the lingering close and
     * output that does not move. */
    uint64_t (*due)(const struct volo__wire *wire);
    /* The peer was too slow: in whatever the phase says, or what was due. */
    void (*timeout)(struct volo__wire *wire);
    /* The peer will send no more.  ${half}: it is still answered. */
    void (*eof)(struct volo__wire *wire, int half);
    /* The output queue has drained: there is room again. */
    void (*output_left)(struct volo__wire *wire);
    /* Graceful: what is in progress is answered, then CLOSING. */
    void (*stop)(struct volo__wire *wire);
    /* The connection is gone: cancel all exchanges, and free what is not part
     * of ${wire} itself.  The last call. */
    void (*close)(struct volo__wire *wire);
};

/* What all codecs begin with. */
struct volo__wire {
    const struct volo__wire_ops *ops;
    const struct volo__wire_config *config;
    const struct volo__wire_host *host;
    struct volo__home *home;
    struct volo__outq *out;
    const struct volo__peer *peer;
    uint64_t requests;  /* heads received */
    uint64_t malformed; /* 1 once something was refused by the parser */
    uint32_t count;     /* exchanges in progress */
    uint8_t cut;        /* CLOSING in the middle of a response: the host resets
                         * the connection, so that the peer can tell */
};

/* volo__wire_body_due(config, since, last, got): when a body that is waited for
 * has had its time: ${got} octets of it since ${since}, the last at ${last}.
 * It has a longest gap and, after ten seconds, a least rate. */
static inline uint64_t
volo__wire_body_due(const struct volo__wire_config *config, uint64_t since,
                    uint64_t last, uint64_t got)
{
    uint64_t due = volo__later(last, config->body_timeout);
    uint64_t rate = config->body_rate;

    if (rate == 0 || rate == UINT64_MAX)
        return due;
    return volo__earliest(due, volo__later(since + 10000, got * 1000 / rate));
}

#endif
