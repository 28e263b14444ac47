/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-written half of the Go binding: what a request meets on its way
 * between loops and goroutines.  Mechanism only; which handler runs, and where,
 * package volo decides.
 *
 * No function here calls Go, but volo__go_inline's: that one is for handlers
 * that have asked to run on a loop's thread.  Goroutines are told of things
 * through a hub.
 */
#ifndef VOLO_GO_H
#define VOLO_GO_H

#include <stdatomic.h>
#include <volo.h>

/* ---- Memory (memory.c) -----------------------------------------------------
 */

/* As malloc() and so on, and counted, for tests that look for leaks. */
void *volo__go_alloc(size_t size);
void *volo__go_zalloc(size_t size);
void volo__go_free(void *ptr);

/* volo__go_count_memory(): count what libvolo itself takes too, from now on;
 * while nothing of it is alive. */
void volo__go_count_memory(void);

/* volo__go_alive(): how many pieces of memory are in use. */
long volo__go_alive(void);

/* ---- Answers (batch.c) -----------------------------------------------------
 */

enum {
    VOLO__GO_ANSWERS = 64,
    VOLO__GO_PAIRS = 512,
    VOLO__GO_BYTES = 64 * 1024,

    /* What layout.go knows of the descriptors, which may have grown since. */
    VOLO__GO_JOB_SIZE = 168,
    VOLO__GO_ANSWER_SIZE = 64
};

/* Answers on their way to C, written by Go: it fills bytes with what the
 * answers and their pairs point to.  layout.go has the same struct. */
struct volo__go_batch {
    size_t count;
    size_t pair_count;
    size_t byte_count;
    _Alignas(8) char answers[VOLO__GO_ANSWERS * VOLO__GO_ANSWER_SIZE];
    volo_pair pairs[VOLO__GO_PAIRS];
    char bytes[VOLO__GO_BYTES];
};

struct volo__go_batch *volo__go_batch_new(void);
void volo__go_batch_free(struct volo__go_batch *batch);

/* volo__go_answer(batch): send what is in it, and empty it. */
void volo__go_answer(struct volo__go_batch *batch);

/* volo__go_turn(queue, batch, jobs, max, timeout_ms): send, if there is
 * something to send, then take as volo_queue_take() does.  One crossing. */
int volo__go_turn(volo_queue *queue, struct volo__go_batch *batch,
                  volo_job *jobs, size_t max, int64_t timeout_ms);

/* volo__go_head(cx, answer): give the response the status and the fields of
 * ${answer}, whose names have a NUL behind them, in the place of those that
 * outer layers have set. */
int volo__go_head(volo_cx *cx, const volo_answer *answer);

/* volo__go_file(answer, path, type): answer with a file; takes the reference
 * of the cx. */
void volo__go_file(const volo_answer *answer, const char *path,
                   const char *type);

/* volo__go_abort(cx): cut the exchange off; takes the reference. */
void volo__go_abort(volo_cx *cx);

/* volo__go_block(size): memory that volo__go_release, a volo_free_fn, frees. */
void *volo__go_block(size_t size);
extern const volo_free_fn volo__go_release;

/* ---- Services (slot.c) -----------------------------------------------------
 */

/* A service that hands on to another one, which is not known yet when it is
 * registered: queues are made when a program starts, and anew when it starts
 * again. */
struct volo__go_slot;

int volo__go_slot_new(struct volo__go_slot **slot, volo_service **out);

/* volo__go_slot_set(slot, service): hand on to ${service}, whose reference it
 * takes; NULL for 503.  Freezes it.  While nothing runs. */
int volo__go_slot_set(struct volo__go_slot *slot, volo_service *service);

/* volo__go_slot_set_small(slot, service): hand what has a small body or none on
 * to ${service} instead; until the next volo__go_slot_set(). */
int volo__go_slot_set_small(struct volo__go_slot *slot, volo_service *service);

/* The services to hand on to.  ${route} is a number for the jobs. */
int volo__go_queued(volo_service **out, volo_queue *queue, uintptr_t route,
                    int streaming);
int volo__go_inline(volo_service **out, uintptr_t program, uintptr_t route);

/* ---- Routers (routes.c) ----------------------------------------------------
 */

/* volo__go_routes(router): method, pattern and name of each route, each with a
 * NUL behind it; to be freed. */
volo_str volo__go_routes(const volo_router *router);

/* ---- Events (hub.c) --------------------------------------------------------
 */

struct volo__go_hub;

/* Somebody in Go who wants to be told; counted, and kept by who may tell. */
struct volo__go_note;

enum volo__go_event {
    VOLO__GO_GONE = 1,  /* the client has left */
    VOLO__GO_ROOM = 2,  /* there is room to write */
    VOLO__GO_PIECE = 4, /* there is something of the body, or its end */
};

struct volo__go_news {
    uint64_t id;
    uint64_t events; /* of volo__go_event */
};

int volo__go_hub_new(struct volo__go_hub **out);
void volo__go_hub_unref(struct volo__go_hub *hub);

/* volo__go_hub_fd(hub): a descriptor of the caller's own that is readable when
 * there is news. */
int volo__go_hub_fd(const struct volo__go_hub *hub);

/* volo__go_hub_take(hub, news, max): up to ${max} of it.  One thread. */
size_t volo__go_hub_take(struct volo__go_hub *hub, struct volo__go_news *news,
                         size_t max);

struct volo__go_note *volo__go_note_new(struct volo__go_hub *hub, uint64_t id);
struct volo__go_note *volo__go_note_ref(struct volo__go_note *note);
void volo__go_note_unref(void *note);

/* volo__go_tell(note, event): any thread. */
void volo__go_tell(struct volo__go_note *note, unsigned event);

/* volo__go_watch(cx, hub, id): tell ${id} when the client leaves. */
int volo__go_watch(volo_cx *cx, struct volo__go_hub *hub, uint64_t id);

/* ---- Streams (stream.c, body.c) --------------------------------------------
 */

/* volo__go_stream(out, answer, length, hub, id): answer with a stream, and tell
 * ${id} of room and of the client's leaving.  The cx stays the caller's. */
int volo__go_stream(volo_writer **out, const volo_answer *answer,
                    int64_t length, struct volo__go_hub *hub, uint64_t id);

struct volo__go_body;

/* volo__go_body_open(out, cx, hub, id): have the body read; ${id} is told when
 * volo__go_body_read() has more to give. */
int volo__go_body_open(struct volo__go_body **out, volo_cx *cx,
                       struct volo__go_hub *hub, uint64_t id);

/* volo__go_body_read(body, cx, to, size): how much was read; 0 at the end,
 * VOLO_EAGAIN if there is nothing yet, or what is wrong. */
int64_t volo__go_body_read(struct volo__go_body *body, volo_cx *cx, char *to,
                           size_t size);

/* volo__go_body_close(body, cx): the rest is not wanted.  While the cx is the
 * caller's still. */
void volo__go_body_close(struct volo__go_body *body, volo_cx *cx);

#endif
