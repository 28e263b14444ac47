/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.0 and 1.1 of one server connection (RFC 9112), between octets and
 * exchanges.  Sees no socket: octets are fed, octets come out in an outq, and
 * a host is told what happens.  All on the home's thread.
 *
 * Exchanges are kept in order of arrival.  Those with safe methods run beside
 * each other; only the first may write.  Anything ambiguous in framing is
 * refused with 400 and a close.
 */
#ifndef VOLO_H1_H1_H
#define VOLO_H1_H1_H

#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#include "base/home.h"
#include "base/outq.h"
#include "http/cx.h"

struct volo__h1;

/* Limits and settings; one for all connections of a server. */
struct volo__h1_config {
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
};

/* What the codec tells its host (server/conn.c; a test). */
struct volo__h1_host {
    /* A request is complete up to its body: serve it (volo__cx_serve()). */
    void (*serve)(struct volo__h1 *h1, volo_cx *cx);
    /* There is output, or the state has changed, outside of a call of the
     * host's: flush, feed what was kept, look at the timers.  The host may do
     * so at once or later, but must not free ${h1} before it returns. */
    void (*wake)(struct volo__h1 *h1);
    /* The exchange that asked for an upgrade has its 101 in the queue: when it
     * is sent, the connection is cx's.  The codec has let go of ${cx}: the host
     * calls the upgrade function and detaches, or cancels it.  Often called
     * from inside a feed: what that does not take was sent early. */
    void (*upgrade)(struct volo__h1 *h1, volo_cx *cx);
};

/* What the connection waits for: the host's timers go by it. */
enum volo__h1_phase {
    VOLO__H1_IDLE,   /* between requests, nothing of the next seen */
    VOLO__H1_HEAD,   /* in the middle of a head */
    VOLO__H1_BODY,   /* wanting body octets */
    VOLO__H1_BUSY,   /* wanting nothing from the peer: handlers at work */
    VOLO__H1_CLOSING /* no more is read: close when the output has left */
};

struct volo__h1 {
    llhttp_t parser;
    const struct volo__h1_config *config;
    const struct volo__h1_host *host;
    struct volo__home *home;
    struct volo__outq *out;
    const struct volo__peer *peer;
    volo_cx *first; /* exchanges in order: the one that may write */
    volo_cx *last;
    volo_cx *parsing; /* whose head or body is being received */
    uint32_t count;   /* exchanges between first and last */
    uint64_t requests;
    uint64_t malformed; /* 1 once a request was refused by the parser */
    uint8_t cut; /* CLOSING in the middle of a response: a host may reset the
                  * connection, so that the peer can tell */

    /* The rest is the codec's own (h1/state.h). */
    uint8_t state;
    uint8_t final;   /* no request will be taken after those there are */
    uint8_t busy;    /* the host is calling: it need not be woken */
    uint8_t blank;   /* octets of empty lines before a head */
    uint16_t refuse; /* what is answered behind the last exchange */
    uint16_t fault;  /* why a callback has stopped the parser */
    char *text;      /* head or trailers so far: where they were fed, or... */
    uint32_t size;   /* ...in the exchange's arena, */
    uint32_t cap;    /* if this is not 0 */
    uint32_t parsed; /* octets of it that the parser has seen */
    uint32_t lines;
    uint64_t repeated; /* a bit for each well-known field with two lines */
    uint32_t ext_size;
    volo_str name; /* the field line under way */
    volo_str value;
    uint64_t left; /* of a body of known length, or to be thrown away */
    struct volo__block *block; /* what is being fed lies in */
};

/* volo__h1_init(h1, config, host, home, out, peer): for one connection. */
void volo__h1_init(struct volo__h1 *h1, const struct volo__h1_config *config,
                   const struct volo__h1_host *host, struct volo__home *home,
                   struct volo__outq *out, const struct volo__peer *peer);

/*
 * volo__h1_feed(h1, ptr, len, block):
 * Take in octets, which lie in ${block} (may be NULL).  Returns how many were
 * taken: fewer than ${len} when held back (a full output queue, too much
 * parsed ahead, a body that is not wanted yet, an unsafe request behind
 * another): the host keeps the rest, reads no more, and feeds it again after
 * wake() or when output has left.  Errors are answered inside.  In CLOSING,
 * all is taken and thrown away.
 */
size_t volo__h1_feed(struct volo__h1 *h1, const char *ptr, size_t len,
                     struct volo__block *block);

/* volo__h1_wants(h1): 1 if feeding would take something. */
int volo__h1_wants(const struct volo__h1 *h1);

/* volo__h1_phase(h1): a volo__h1_phase. */
int volo__h1_phase(const struct volo__h1 *h1);

/* volo__h1_eof(h1): the peer will send no more.  ${half} says whether it is
 * still answered (half-close), else exchanges in progress are canceled.  In
 * the middle of a request it is cut off. */
void volo__h1_eof(struct volo__h1 *h1, int half);

/* volo__h1_timeout(h1): the peer was too slow: in a head, 408 (nothing if it
 * has sent nothing), in a body the reader gets VOLO_ETIMEDOUT; then closing. */
void volo__h1_timeout(struct volo__h1 *h1);

/* volo__h1_output_left(h1): the queue has drained: writers may go on. */
void volo__h1_output_left(struct volo__h1 *h1);

/* volo__h1_stop(h1): graceful: the response under way is the last, and says
 * "Connection: close"; at once CLOSING if there is none, unless a head has
 * begun to arrive: that one is still answered. */
void volo__h1_stop(struct volo__h1 *h1);

/* volo__h1_close(h1): the connection is gone: cancel all exchanges. */
void volo__h1_close(struct volo__h1 *h1);

#endif
