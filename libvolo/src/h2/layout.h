/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection and its streams are made of, for the codec's own files. */
#ifndef VOLO_H2_LAYOUT_H
#define VOLO_H2_LAYOUT_H

#include <nghttp2/nghttp2.h>

#include "h2/h2.h"
#include "http/codec.h"

/* RFC 9218 came with 1.50. */
#define VOLO__H2_HAS_EXTPRI (NGHTTP2_VERSION_NUM >= 0x013200)

enum {
    VOLO__H2_WINDOW = 65535,            /* of a stream */
    VOLO__H2_CONN_WINDOW = 1024 * 1024, /* of all together */
    VOLO__H2_SMALL = 4096,              /* pieces up to this are copied */
    VOLO__H2_FRAME = 16384,
    VOLO__H2_CONTINUATIONS = 32,
    VOLO__H2_LINGER = 65535,   /* octets of a body that nobody wants... */
    VOLO__H2_LINGER_MS = 1000, /* ...are waited for, for so long */
    VOLO__H2_DRAIN_MS = 1000   /* from the first GOAWAY to the last */
};

struct volo__h2_share; /* h2_memory.c */

/* What a peer may do so often, on top of what its requests entitle it to. */
struct volo__h2_bucket {
    uint64_t at; /* when it was filled last */
    uint32_t left;
};

/* Exchanges whose stream is gone and whose handlers go on; it outlives the
 * connection if they do. */
struct volo__h2_ghosts {
    uint32_t count;
    uint8_t orphaned; /* the connection has gone: the last one frees this */
};

struct volo__h2_stream {
    struct volo__h2 *h2;
    struct volo__h2_stream *next;
    struct volo__h2_stream *prev;
    struct volo__h2_stream *ready; /* the next that is to be served */
    volo_cx *cx;                   /* NULL once it was let go */
    volo_cx *lost; /* the queue has its body, and could not be told to tell */
    int32_t id;

    uint16_t refuse;  /* its head was refused with this status */
    uint8_t served;   /* its cx was given to the host */
    uint8_t waiting;  /* in the list of those to be served */
    uint8_t ended;    /* the request is complete */
    uint8_t unwanted; /* the rest of the body is thrown away */
    uint8_t giving;   /* a reader has octets of it, further up */
    uint8_t started;  /* the response's head was submitted */
    uint8_t deferred; /* nothing to send: nghttp2 waits to be told */
    uint8_t lent;     /* the queue has octets of the whole body */
    uint8_t trailing; /* in its trailers */
    uint8_t extended; /* CONNECT with a protocol */
    uint8_t overrun;  /* more came than was announced */

    uint32_t cookies;   /* crumbs to be joined */
    uint32_t list_size; /* of the head or the trailers, as RFC 9113 counts */
    uint32_t lines;

    /* Octets that came and were not given yet. */
    volo_str fresh; /* in what is being fed */
    char *held;     /* copied; no more than the window */
    uint32_t held_len;
    uint32_t held_off;
    uint32_t held_cap;

    /* The response. */
    volo_str body;             /* the whole one, what is left of it */
    struct volo__chunk *chunk; /* of a streamed one, taken and not done */
    size_t chunk_off;
    uint64_t left;  /* of an announced length */
    char status[4]; /* as text */
    char length[20];

    /* On the home's clock. */
    uint64_t body_since; /* when octets were wanted first */
    uint64_t body_last;  /* when some came, or were wanted again */
    uint64_t body_got;
    uint64_t linger_until; /* the request may still be completed; 0 no */
    uint64_t out_last;     /* when the response moved */
};

enum volo__h2_state {
    VOLO__H2_OPEN = 0,
    VOLO__H2_NOTICED, /* the first GOAWAY of two is out */
    VOLO__H2_FINAL,   /* the last one: streams end, none begin */
    VOLO__H2_CLOSED   /* nothing is read any more */
};

struct volo__h2 {
    struct volo__wire wire;
    nghttp2_session *session;
    struct volo__h2_share *share;
    struct volo__h2_ghosts *ghosts;
    struct volo__h2_stream *first;
    struct volo__h2_stream *last;
    struct volo__h2_stream *ready_first;
    struct volo__h2_stream *ready_last;
    struct volo__h2_stream *lost;    /* gone but for what the queue has */
    struct volo__h2_stream *current; /* whose field block is coming */
    volo_str no_copy; /* what the DATA frame at hand is made of */
    struct volo__chunk *no_copy_done; /* the chunk that ends with it */
    struct volo__block *block;        /* what is being fed lies in */
    uint32_t streams;                 /* all that nghttp2 has open */
    uint8_t state;
    uint8_t busy;    /* in nghttp2, or the host is calling */
    uint8_t dead;    /* closed by the host: freed as soon as nobody is in it */
    uint8_t greeted; /* the preface and SETTINGS of the client have come */
    uint8_t acked;   /* and the ack of ours */
    uint8_t patched; /* our SETTINGS have been written */
    uint8_t eof;     /* nothing comes any more */
    uint8_t full;    /* the queue was: nothing was read meanwhile */
    uint8_t cutting; /* see volo__h2_cut() */
    struct volo__outq nowhere; /* where it writes to when it is dead */
    uint32_t fault;            /* why a callback has stopped nghttp2 */

    /* Where the octets that were fed have come to. */
    uint8_t preface;     /* octets of it still to come */
    uint8_t head_len;    /* octets of a frame's head that are there */
    uint8_t head[13];    /* and the first of its payload, of some */
    uint8_t unfed;       /* octets of it that nghttp2 has not got */
    uint8_t in_fields;   /* END_HEADERS has not come */
    uint32_t frame_left; /* octets of its payload still to come */
    uint32_t block_size; /* octets of the field block */
    uint32_t block_frames;
    int32_t last_id;    /* the highest stream that was begun */
    int32_t last_reset; /* the highest that we have reset */
    uint8_t gaps;       /* streams were left out */
    struct volo__h2_bucket resets;
    struct volo__h2_bucket frames;

    uint64_t due; /* nothing is due before */
    uint64_t start;
    uint64_t block_since;
    uint64_t idle_since;
    uint64_t stop_at;
    uint64_t out_last; /* when DATA was sent */
};

#endif
