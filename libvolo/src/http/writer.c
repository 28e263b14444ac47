/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a streamed response: pieces from the application, on any
 * thread, to a codec, on the home's.  Bounded: beyond the write limit the
 * application is told to wait.  Knows no framing.
 *
 * What another thread does travels as tasks, and as long as any is under way
 * the home's own thread takes the same road, so that order is kept.
 */
#include <volo/body.h>

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "http/writer.h"

#define OWNER(type, member, task) \
    ((type *)(void *)((char *)(task)-offsetof(type, member)))

/* ---- From the application to the home ------------------------------------ */

/* Run ${task} at home: at once if this is the home and nothing is ahead. */
static void
send_home(volo_writer *w, struct volo__task *task,
          void (*run)(struct volo__task *))
{
    task->run = run;
    if (volo__here == w->cx->home && atomic_load(&w->in_flight) == 0) {
        run(task);
        return;
    }
    atomic_fetch_add(&w->in_flight, 1);
    volo__home_post(w->cx->home, task);
}

/* A task that came by post says so by being counted: run directly, none is. */
static void
arrived(volo_writer *w)
{
    if (atomic_load(&w->in_flight) > 0)
        atomic_fetch_sub(&w->in_flight, 1);
}

static void
poke(volo_writer *w)
{
    volo_cx *cx = w->cx;

    /* A layer may have put something else in its place. */
    if (cx->codec && cx->res.sent && cx->res.streamed)
        cx->codec->stream(cx);
}

/* A chunk holds the exchange, and with it the writer, from its first moment to
 * its last: the application may have let go of both. */
static void
chunk_free(struct volo__chunk *chunk)
{
    volo_cx *cx = chunk->writer->cx;

    if (chunk->release)
        chunk->release(chunk->user);
    volo__free(chunk);
    volo_cx_unref(cx);
}

static void
chunk_arrives(struct volo__task *task)
{
    struct volo__chunk *chunk = OWNER(struct volo__chunk, task, task);
    volo_writer *w = chunk->writer;

    arrived(w);
    chunk->task.next = NULL;
    if (atomic_load(&w->closed)) {
        atomic_fetch_sub(&w->pending, chunk->len);
        chunk_free(chunk);
        return;
    }
    if (w->tail)
        w->tail->task.next = &chunk->task;
    else
        w->head = chunk;
    w->tail = chunk;
    poke(w);
}

/* Whether ${len} octets may be written now. */
static int
may_write(volo_writer *w, size_t len)
{
    if (w->ended)
        return VOLO_ECLOSED;
    if (atomic_load(&w->closed))
        return VOLO_ECANCELED;
    if (w->left >= 0 && len > (uint64_t)w->left)
        return VOLO_ETOOBIG;
    if (atomic_load(&w->pending) < w->cx->write_limit)
        return 0;

    /* Say so first, then look again: the queue may just have drained, and
     * then nobody would come to tell. */
    atomic_store(&w->blocked, 1);
    if (atomic_load(&w->pending) < w->cx->write_limit &&
        atomic_exchange(&w->blocked, 0))
        return 0;
    return VOLO_EAGAIN; /* or it is being told just now */
}

static void
submit(volo_writer *w, struct volo__chunk *chunk)
{
    if (w->left >= 0)
        w->left -= (int64_t)chunk->len;
    w->written += chunk->len;
    chunk->writer = w;
    volo_cx_ref(w->cx);
    atomic_fetch_add(&w->pending, chunk->len);
    send_home(w, &chunk->task, chunk_arrives);
}

int
volo_writer_write(volo_writer *w, volo_str data)
{
    int err = may_write(w, data.len);
    struct volo__chunk *chunk;
    char *copy;

    if (err || data.len == 0)
        return err;
    chunk = volo__malloc(sizeof *chunk + data.len);
    if (!chunk)
        return VOLO_ENOMEM;
    copy = (char *)(chunk + 1);
    memcpy(copy, data.ptr, data.len);
    chunk->ptr = copy;
    chunk->len = data.len;
    chunk->release = NULL;
    chunk->user = NULL;
    submit(w, chunk);
    return 0;
}

int
volo_writer_write_ref(volo_writer *w, volo_str data, volo_free_fn release,
                      void *user)
{
    int err = may_write(w, data.len);
    struct volo__chunk *chunk = NULL;

    if (!err && data.len) {
        chunk = volo__malloc(sizeof *chunk);
        if (!chunk)
            err = VOLO_ENOMEM;
    }
    if (!chunk) {
        if (release)
            release(user);
        return err;
    }
    chunk->ptr = data.ptr;
    chunk->len = data.len;
    chunk->release = release;
    chunk->user = user;
    submit(w, chunk);
    return 0;
}

int
volo_writer_trailer(volo_writer *w, const char *name, volo_str value)
{
    volo_str key = volo_str_of(name), copy;
    int id = volo__field_lookup(key.ptr, key.len);
    char *own;

    if (w->ended)
        return VOLO_ECLOSED;
    if (!volo__is_token(key) || !volo__is_field_value(value) ||
        !volo__field_may_trail(id))
        return VOLO_EINVAL;
    own = volo__arena_bytes(&w->arena, key.len);
    copy = volo__arena_dup(&w->arena, value);
    if (!own || !copy.ptr)
        return VOLO_ENOMEM;
    volo__str_lower(own, key);
    return volo__fields_add(&w->trailers, &w->arena, id,
                            volo_str_make(own, key.len), copy);
}

static void
end_arrives(struct volo__task *task)
{
    volo_writer *w = OWNER(volo_writer, end_task, task);

    arrived(w);
    if (w->status == VOLO__WRITER_OPEN)
        w->status = VOLO__WRITER_ENDED;
    poke(w);
}

int
volo_writer_end(volo_writer *w)
{
    if (w->ended)
        return VOLO_ECLOSED;
    if (w->left > 0)
        return VOLO_EINVAL;
    w->ended = 1;
    if (atomic_load(&w->closed))
        return VOLO_ECANCELED;
    send_home(w, &w->end_task, end_arrives);
    return 0;
}

static void
drop_drain(volo_writer *w)
{
    volo_free_fn drop = w->drain_free;

    w->drain = NULL;
    w->drain_free = NULL;
    if (drop)
        drop(w->drain_user);
}

static void
free_arrives(struct volo__task *task)
{
    volo_writer *w = OWNER(volo_writer, free_task, task);

    arrived(w);
    drop_drain(w);
    if (w->status == VOLO__WRITER_OPEN) {
        w->status = VOLO__WRITER_BROKEN;
        poke(w);
    }
    volo_cx_unref(w->cx);
}

void
volo_writer_free(volo_writer *w)
{
    if (w)
        send_home(w, &w->free_task, free_arrives);
}

size_t
volo_writer_pending(const volo_writer *w)
{
    return atomic_load(&w->pending);
}

int
volo_writer_on_drain(volo_writer *w, volo_drain_fn fn, void *user,
                     volo_free_fn user_free)
{
    if (w->drain) {
        if (user_free)
            user_free(user);
        return VOLO_EEXIST;
    }
    w->drain_user = user;
    w->drain_free = user_free;
    w->drain = fn;
    return 0;
}

/* ---- The codec's side ---------------------------------------------------- */

struct volo__chunk *
volo__writer_front(volo_writer *w)
{
    return w->head;
}

struct volo__chunk *
volo__writer_pop(volo_writer *w)
{
    struct volo__chunk *chunk = w->head;

    w->head = chunk->task.next
                  ? OWNER(struct volo__chunk, task, chunk->task.next)
                  : NULL;
    if (!w->head)
        w->tail = NULL;
    return chunk;
}

static void
drain_run(struct volo__task *task)
{
    volo_writer *w = OWNER(volo_writer, drain_task, task);
    volo_cx *cx = w->cx;
    int gone = atomic_load(&w->closed);

    w->drain_deferred = 0;
    if (w->drain && !w->told) {
        w->told = gone;
        w->drain(w, gone ? VOLO_ECANCELED : 0, w->drain_user);
    }
    volo_cx_unref(cx);
}

/* Told at the end of the iteration, not from inside a flush. */
static void
tell_drained(volo_writer *w)
{
    if (w->drain_deferred || !w->drain || w->told)
        return;
    w->drain_deferred = 1;
    w->drain_task.run = drain_run;
    volo_cx_ref(w->cx);
    volo__home_defer(w->cx->home, &w->drain_task);
}

void
volo__chunk_done(void *user)
{
    struct volo__chunk *chunk = user;
    volo_writer *w = chunk->writer;
    volo_cx *cx = w->cx;
    size_t left = atomic_fetch_sub(&w->pending, chunk->len) - chunk->len;

    cx->sent += chunk->len;
    if (left <= cx->write_limit / 2 && atomic_exchange(&w->blocked, 0))
        tell_drained(w);
    chunk_free(chunk);
}

int
volo__writer_status(const volo_writer *w)
{
    return w->status;
}

const struct volo__fields *
volo__writer_trailers(const volo_writer *w)
{
    return &w->trailers;
}

void
volo__writer_close(volo_writer *w)
{
    struct volo__chunk *chunk;

    if (atomic_exchange(&w->closed, 1))
        return;
    while ((chunk = w->head) != NULL) {
        w->head = chunk->task.next
                      ? OWNER(struct volo__chunk, task, chunk->task.next)
                      : NULL;
        atomic_fetch_sub(&w->pending, chunk->len);
        chunk_free(chunk);
    }
    w->tail = NULL;
    if (w->status == VOLO__WRITER_OPEN)
        tell_drained(w);
}

void
volo__writer_fini(volo_writer *w)
{
    volo__arena_clear(&w->arena);
}

/* ---- Making one ---------------------------------------------------------- */

int
volo_cx_answer_stream(volo_writer **out, volo_cx *cx, int64_t length)
{
    volo_writer *w;
    int err;

    if (atomic_load(&cx->state) != VOLO__OPEN)
        return atomic_load(&cx->canceled) ? VOLO_ECANCELED : VOLO_EALREADY;
    w = volo__arena_alloc(&cx->arena, sizeof *w);
    if (!w)
        return VOLO_ENOMEM;
    memset(w, 0, sizeof *w);
    w->cx = volo_cx_ref(cx);
    w->left = length;
    cx->res.writer = w;
    cx->res.length = length;
    cx->res.streamed = 1;

    err = volo_cx_answer(cx);
    if (err) {
        volo_writer_free(w);
        return err;
    }
    *out = w;
    return 0;
}
