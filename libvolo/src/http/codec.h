/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between an exchange and the codec that carries it: what the exchange asks
 * for, how the codec gives it a body and takes a streamed response from it.
 * Neither side knows what the other does with it.  All on the home's thread.
 */
#ifndef VOLO_HTTP_CODEC_H
#define VOLO_HTTP_CODEC_H

#include "http/cx.h"

/*
 * What an exchange asks of its codec; all on the home's thread.  A codec sets
 * cx->codec and cx->conn, and volo__cx_detach() clears them.
 */
struct volo__codec {
    /* The response (head, body or writer) is final: send it. */
    void (*respond)(volo_cx *cx);
    /* The writer has more, or has ended, or was dropped. */
    void (*stream)(volo_cx *cx);
    /* The application wants body octets: begin, or go on. */
    void (*want_body)(volo_cx *cx);
    /* ${heir} takes the place of ${cx}, which will never answer. */
    void (*replace)(volo_cx *cx, volo_cx *heir);
    /* Whether volo_cx_answer_upgrade() is possible: 0 or an error. */
    int (*can_upgrade)(volo_cx *cx, volo_str protocol);
    /* An interim response (103) with these fields (NULL: none), unless it
     * cannot be sent at once: then it is left out.  VOLO_ENOTIMPL,
     * VOLO_ENOMEM. */
    int (*inform)(volo_cx *cx, int status, const struct volo__fields *fields);
};

/* ---- For codecs: giving the body (http/body.c) -------------------------- */

/*
 * volo__body_preload(cx, data, block): the whole body is there before the
 * service is called; it lies in ${block} (a reference is taken if it is worth
 * one, else it is copied).  VOLO_ENOMEM.
 */
int volo__body_preload(volo_cx *cx, volo_str data, struct volo__block *block);

/*
 * volo__body_give(cx, data, block): the next octets.  Returns 1 if more is
 * welcome, 0 if the application has paused (give nothing until want_body),
 * or a negative error: the rest is not wanted (the limit, no memory): the
 * reader has been told; discard or close.
 */
int volo__body_give(volo_cx *cx, volo_str data, struct volo__block *block);

/* volo__body_end(cx): that was all. */
void volo__body_end(volo_cx *cx);

/* volo__body_fail(cx, err): it will never be complete. */
void volo__body_fail(volo_cx *cx, int err);

/* volo__body_abandon(cx): the response is complete: nobody reads any more; a
 * reader that was not done gets VOLO_ECANCELED. */
void volo__body_abandon(volo_cx *cx);

/* volo__body_wanted(cx): 1 if the application wants octets now. */
int volo__body_wanted(const volo_cx *cx);

/* ---- For codecs: taking a streamed response (http/writer.c) ------------- */

struct volo__chunk {
    struct volo__task
        task; /* posted from other threads; next links the queue */
    volo_writer *writer;
    const char *ptr;
    size_t len;
    volo_free_fn release; /* NULL: ptr is behind this struct */
    void *user;
};

/* volo__writer_front(w): the next piece to send; NULL if none waits. */
struct volo__chunk *volo__writer_front(volo_writer *w);

/* volo__writer_pop(w): take it from the queue: the codec has it now, and calls
 * volo__chunk_done() when it has left (a volo_free_fn in shape). */
struct volo__chunk *volo__writer_pop(volo_writer *w);
void volo__chunk_done(void *chunk);

enum volo__writer_state {
    VOLO__WRITER_OPEN = 0,
    VOLO__WRITER_ENDED = 1, /* complete once its queue is empty */
    VOLO__WRITER_BROKEN = 2 /* dropped, or short of its length: cut it off */
};

/* volo__writer_status(w): a volo__writer_state. */
int volo__writer_status(const volo_writer *w);

/* volo__writer_trailers(w): the trailer fields; they live as long as ${w}. */
const struct volo__fields *volo__writer_trailers(const volo_writer *w);

/* volo__writer_close(w): the codec is done with it (sent, or cut off): tells
 * the application if it was not ended. */
void volo__writer_close(volo_writer *w);

/* volo__writer_fini(w): its exchange is being freed. */
void volo__writer_fini(volo_writer *w);

#endif
