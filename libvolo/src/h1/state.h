/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the codec share; nobody else includes it. */
#ifndef VOLO_H1_STATE_H
#define VOLO_H1_STATE_H

#include "h1/h1.h"
#include "http/codec.h"

enum volo__h1_state {
    VOLO__H1_START = 0, /* before a head, or in empty lines before it */
    VOLO__H1_IN_HEAD,
    VOLO__H1_HELD,    /* a head is complete and waits for its turn */
    VOLO__H1_LENGTH,  /* in a body of known length */
    VOLO__H1_CHUNKED, /* in a chunked body */
    VOLO__H1_TRAILER, /* behind its last chunk */
    VOLO__H1_DONE,    /* what comes is not read any more */
    VOLO__H1_CLOSED,  /* the same, and all has been answered */
    VOLO__H1_UPGRADED
};

/* Bits in cx->codec_bits. */
enum {
    VOLO__H1_READY = 1,      /* answered: to be sent when it is the first */
    VOLO__H1_STREAMING = 2,  /* its head is sent, the rest comes in pieces */
    VOLO__H1_CHUNKS = 4,     /* in chunked coding */
    VOLO__H1_MIDDLE = 8,     /* a chunk was sent, its CRLF is owed */
    VOLO__H1_MOVING = 16,    /* its pieces are being moved, further up */
    VOLO__H1_EXCLUSIVE = 32, /* runs beside no other exchange */
    VOLO__H1_UPGRADE = 64    /* asks for another protocol */
};

enum {
    /* What is read and thrown away for the sake of the connection. */
    VOLO__H1_DRAIN_LIMIT = 65536,
    VOLO__H1_SMALL_BODY = 4096, /* copied behind the head */
    VOLO__H1_BLANK_LIMIT = 8    /* octets: four empty lines */
};

extern const struct volo__codec volo__h1_codec;

/* volo__h1_of(parser): whose it is. */
static inline struct volo__h1 *
volo__h1_of(llhttp_t *parser)
{
    return (struct volo__h1 *)(void *)((char *)parser -
                                       offsetof(struct volo__h1, parser));
}

/* ---- h1.c ---------------------------------------------------------------- */

/* volo__h1_settle(h1): if nothing is in progress and nothing will come, send
 * the refusal that waits, and close. */
void volo__h1_settle(struct volo__h1 *h1);

/* volo__h1_refuse(h1, status): answer the request that is being received with
 * ${status}, behind those that are in progress, and close. */
void volo__h1_refuse(struct volo__h1 *h1, int status);

/* volo__h1_end_input(h1): no request behind those that are served. */
void volo__h1_end_input(struct volo__h1 *h1);

/* volo__h1_unlink(h1, cx): take it out of the list. */
void volo__h1_unlink(struct volo__h1 *h1, volo_cx *cx);

/* volo__h1_cut(h1): a response cannot be completed: cancel all, close. */
void volo__h1_cut(struct volo__h1 *h1);

/* ---- h1_section.c -------------------------------------------------------- */

extern const llhttp_settings_t volo__h1_settings;

/* volo__h1_section_begin(h1): nothing of a head (or of trailers) is there. */
void volo__h1_section_begin(struct volo__h1 *h1);

/* volo__h1_section_add(h1, ptr, len): ${len} octets more.  VOLO_ENOMEM. */
int volo__h1_section_add(struct volo__h1 *h1, const char *ptr, size_t len);

/* volo__h1_section_keep(h1, cap): have it lie in the arena, with room for
 * ${cap} octets, before the octets that were fed go away.  VOLO_ENOMEM. */
int volo__h1_section_keep(struct volo__h1 *h1, size_t cap);

/* volo__h1_section_end(h1): it is complete: as keep, to measure; names become
 * lower case.  VOLO_ENOMEM. */
int volo__h1_section_end(struct volo__h1 *h1);

/* volo__h1_section_dropped(h1): 1 for trailers that nobody wants to know: they
 * are only counted, and the exchange's arena, which may be in use elsewhere,
 * is left alone. */
int volo__h1_section_dropped(const struct volo__h1 *h1);

/* ---- h1_head.c ----------------------------------------------------------- */

/* volo__h1_feed_start(), _head(): the octets that were taken. */
size_t volo__h1_feed_start(struct volo__h1 *h1, const char *ptr, size_t len);
size_t volo__h1_feed_head(struct volo__h1 *h1, const char *ptr, size_t len);

/* volo__h1_may_start(h1): whether the head of a next request is welcome. */
int volo__h1_may_start(const struct volo__h1 *h1);

/* volo__h1_launch(h1, ptr, len): serve the request whose head is complete, if
 * it is its turn; what follows it is the ${len} octets at ${ptr}.  Returns how
 * many of these were its body. */
size_t volo__h1_launch(struct volo__h1 *h1, const char *ptr, size_t len);

/* ---- h1_check.c ---------------------------------------------------------- */

/* volo__h1_check_line(h1, cx, line, len): read the request line, complete,
 * without its LF.  Returns 0 or the status to refuse it with. */
int volo__h1_check_line(struct volo__h1 *h1, volo_cx *cx, const char *line,
                        size_t len);

/* volo__h1_check_part(h1, line, len): the same for the beginning of one:
 * whatever is refused here would be refused, in the same way, if complete. */
int volo__h1_check_part(const struct volo__h1 *h1, const char *line,
                        size_t len);

/* volo__h1_check_head(h1, cx): what the fields together must obey; sets what
 * follows from them.  Returns 0 or a status. */
int volo__h1_check_head(struct volo__h1 *h1, volo_cx *cx);

/* volo__h1_wants_h2c(h1, cx, settings): 1 if the request, whose head is
 * checked, asks for HTTP/2 and can have it; ${settings} is the field's value.
 */
int volo__h1_wants_h2c(const struct volo__h1 *h1, const volo_cx *cx,
                       volo_str *settings);

/* ---- h1_body.c ----------------------------------------------------------- */

size_t volo__h1_feed_length(struct volo__h1 *h1, const char *ptr, size_t len);
size_t volo__h1_feed_chunked(struct volo__h1 *h1, const char *ptr, size_t len);
size_t volo__h1_feed_trailer(struct volo__h1 *h1, const char *ptr, size_t len);

/* volo__h1_body_welcome(h1): whether octets of the body are. */
int volo__h1_body_welcome(const struct volo__h1 *h1);

/* volo__h1_body_broken(h1, err): it will never be complete: tell its reader,
 * close after the answer. */
void volo__h1_body_broken(struct volo__h1 *h1, int err);

/* volo__h1_body_unread(h1): the exchange whose body is being received does
 * not wait for it: decide whether the rest is read for nothing, or the
 * connection closed. */
void volo__h1_body_unread(struct volo__h1 *h1);

/* For the parser. */
int volo__h1_on_body(llhttp_t *parser, const char *at, size_t len);
int volo__h1_on_chunk(llhttp_t *parser);
int volo__h1_on_chunk_ext(llhttp_t *parser, const char *at, size_t len);
int volo__h1_on_end(llhttp_t *parser);

/* ---- h1_respond.c -------------------------------------------------------- */

/* volo__h1_advance(h1): send what is ready, in order. */
void volo__h1_advance(struct volo__h1 *h1);

/* volo__h1_finish(h1, cx): its response is in the queue: let it go. */
void volo__h1_finish(struct volo__h1 *h1, volo_cx *cx);

/* ---- h1_write.c ---------------------------------------------------------- */

enum volo__h1_framing {
    VOLO__H1_NO_LENGTH, /* no content, or up to the end of the connection */
    VOLO__H1_KNOWN_LENGTH,
    VOLO__H1_IN_CHUNKS
};

/*
 * volo__h1_write(h1, cx, framing, length, body):
 * The head of the response, and behind it, in one piece if it is small,
 * ${body}.  VOLO_ENOMEM: the head may have been sent.
 */
int volo__h1_write(struct volo__h1 *h1, volo_cx *cx, int framing,
                   uint64_t length, volo_str body);

/* volo__h1_write_interim(h1, status, fields): a 1xx with these fields (NULL:
 * none).  VOLO_ENOMEM: nothing was sent. */
int volo__h1_write_interim(struct volo__h1 *h1, int status,
                           const struct volo__fields *fields);

/* volo__h1_write_refusal(h1, status, with_body): a whole response that has no
 * exchange.  Out of memory, nothing is sent. */
void volo__h1_write_refusal(struct volo__h1 *h1, int status, int with_body);

/* ---- h1_stream.c --------------------------------------------------------- */

/* volo__h1_stream_begin(h1, cx): the head of a streamed response, and what is
 * there of its body. */
void volo__h1_stream_begin(struct volo__h1 *h1, volo_cx *cx);

/* volo__h1_stream_move(h1, cx): as many pieces as there is room for. */
void volo__h1_stream_move(struct volo__h1 *h1, volo_cx *cx);

#endif
