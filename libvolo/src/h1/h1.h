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

#include "http/wire.h"

struct volo__h1 {
    struct volo__wire wire;
    llhttp_t parser;
    volo_cx *first; /* exchanges in order: the one that may write */
    volo_cx *last;
    volo_cx *parsing; /* whose head or body is being received */
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

/*
 * volo__h1_init(h1, config, host, home, out, peer):
 * For one connection; the rest is in its wire.  What is particular:
 *
 *   feed     is held back by a full output queue, too much parsed ahead, a
 *            body that is not wanted yet, an unsafe request behind another.
 *   eof      cuts off a request that it meets in the middle; without ${half},
 *            exchanges in progress are canceled.
 *   timeout  in a head is 408 (nothing if nothing was sent), in a body the
 *            reader gets VOLO_ETIMEDOUT; then it is closing.
 *   stop     the response under way is the last, and says "Connection: close";
 *            at once CLOSING if there is none, unless a head has begun to
 *            arrive: that one is still answered.
 */
void volo__h1_init(struct volo__h1 *h1, const struct volo__wire_config *config,
                   const struct volo__wire_host *host, struct volo__home *home,
                   struct volo__outq *out, const struct volo__peer *peer);

#endif
