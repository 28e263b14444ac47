/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that are read as they come: the loop copies pieces to a list, and
 * holds the client back when that is long; a goroutine takes from it.
 */
#include "go.h"

#include <pthread.h>

enum { ENOUGH = 64 * 1024 };

struct piece {
    struct piece *next;
    size_t at;
    size_t len;
    char bytes[];
};

struct volo__go_body {
    pthread_mutex_t lock;
    struct piece *first;
    struct piece **last;
    size_t waiting;
    int ended;
    int err;
    int paused;
    int closed; /* nobody reads any more */
    struct volo__go_note *note;
    atomic_uint refs;
};

static void
body_unref(struct volo__go_body *body)
{
    struct piece *next;

    if (atomic_fetch_sub(&body->refs, 1) != 1)
        return;
    for (; body->first; body->first = next) {
        next = body->first->next;
        volo__go_free(body->first);
    }
    volo__go_note_unref(body->note);
    pthread_mutex_destroy(&body->lock);
    volo__go_free(body);
}

/* ---- The loop's side -------------------------------------------------------
 */

static void
body_ends(struct volo__go_body *body, int err)
{
    pthread_mutex_lock(&body->lock);
    body->ended = 1;
    body->err = err;
    pthread_mutex_unlock(&body->lock);
    volo__go_tell(body->note, VOLO__GO_PIECE);
    body_unref(body);
}

/* Whether there is enough now.  Out of memory, the rest is dropped, and the
 * reader told. */
static int
keep(struct volo__go_body *body, volo_str octets)
{
    struct piece *piece = volo__go_alloc(sizeof *piece + octets.len);
    int enough = 0;

    pthread_mutex_lock(&body->lock);
    if (piece && !body->closed && !body->err) {
        piece->next = NULL;
        piece->at = 0;
        piece->len = octets.len;
        memcpy(piece->bytes, octets.ptr, octets.len);
        *body->last = piece;
        body->last = &piece->next;
        body->waiting += octets.len;
        enough = body->paused = body->waiting >= ENOUGH;
        piece = NULL;
    } else if (!piece) {
        body->err = VOLO_ENOMEM;
    }
    pthread_mutex_unlock(&body->lock);
    volo__go_free(piece);
    return enough;
}

static int
piece_comes(volo_cx *cx, int err, volo_str octets, void *user)
{
    struct volo__go_body *body = user;
    int enough;

    (void)cx;
    if (!octets.ptr) {
        body_ends(body, err);
        return VOLO_FLOW_MORE;
    }
    enough = keep(body, octets);
    volo__go_tell(body->note, VOLO__GO_PIECE);
    return enough ? VOLO_FLOW_PAUSE : VOLO_FLOW_MORE;
}

static void
reading_begins(volo_cx *cx, void *user)
{
    int err = volo_cx_read_stream(cx, piece_comes, user);

    if (err)
        body_ends(user, err);
}

/* ---- The goroutine's side --------------------------------------------------
 */

int
volo__go_body_open(struct volo__go_body **out, volo_cx *cx,
                   struct volo__go_hub *hub, uint64_t id)
{
    struct volo__go_body *body = volo__go_zalloc(sizeof *body);
    int err;

    if (!body)
        return VOLO_ENOMEM;
    body->note = volo__go_note_new(hub, id);
    if (!body->note) {
        volo__go_free(body);
        return VOLO_ENOMEM;
    }
    pthread_mutex_init(&body->lock, NULL);
    body->last = &body->first;
    atomic_init(&body->refs, 2);
    err = volo_cx_post(cx, reading_begins, body);
    if (err) {
        body_unref(body);
        body_unref(body);
        return err;
    }
    *out = body;
    return 0;
}

/* As much as fits of what is there. */
static size_t
take(struct volo__go_body *body, char *to, size_t size)
{
    size_t done = 0, n;
    struct piece *piece;

    while ((piece = body->first) != NULL && done < size) {
        n = piece->len - piece->at;
        if (n > size - done)
            n = size - done;
        memcpy(to + done, piece->bytes + piece->at, n);
        done += n;
        piece->at += n;
        if (piece->at < piece->len)
            break;
        body->first = piece->next;
        if (!body->first)
            body->last = &body->first;
        volo__go_free(piece);
    }
    body->waiting -= done;
    return done;
}

int64_t
volo__go_body_read(struct volo__go_body *body, volo_cx *cx, char *to,
                   size_t size)
{
    int64_t n;
    int resume = 0;

    pthread_mutex_lock(&body->lock);
    n = (int64_t)take(body, to, size);
    if (n == 0)
        n = body->err ? body->err : body->ended ? 0 : VOLO_EAGAIN;
    if (body->paused && body->waiting < ENOUGH / 2) {
        body->paused = 0;
        resume = 1;
    }
    pthread_mutex_unlock(&body->lock);
    if (resume)
        volo_cx_resume_body(cx);
    return n;
}

void
volo__go_body_close(struct volo__go_body *body, volo_cx *cx)
{
    int resume;

    pthread_mutex_lock(&body->lock);
    body->closed = 1;
    resume = body->paused;
    body->paused = 0;
    pthread_mutex_unlock(&body->lock);
    if (resume)
        volo_cx_resume_body(cx);
    body_unref(body);
}
