/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling and taking of reader_body.h.  The loop copies each piece once; it is
 * told to pause at 64 KiB and to go on at half of that.  Who wants all of it
 * has it kept up to the body's limit, which the loop sees to.
 */
#include "reader_body.h"

enum { MOST_WAITING = 65536, LEAST_ROOM = 2048 };

struct volo__py_chunk {
    struct volo__py_chunk *next;
    size_t len;
    size_t at; /* taken before that */
    size_t room;
    char octets[];
};

/* ---- The loop's side
 * ---------------------------------------------------------- */

static void
append(struct volo__py_body *body, struct volo__py_chunk *chunk, volo_str data)
{
    memcpy(chunk->octets + chunk->len, data.ptr, data.len);
    chunk->len += data.len;
    body->waiting += data.len;
}

/* Small pieces share a chunk: a peer that sends single octets must not cost a
 * multiple of them. */
static void
add(struct volo__py_body *body, volo_str data)
{
    struct volo__py_chunk *chunk = NULL;
    size_t room = data.len < LEAST_ROOM ? LEAST_ROOM : data.len;

    if (body->first)
        chunk = (struct volo__py_chunk *)(void *)body->last; /* its next */
    if (chunk && chunk->room - chunk->len >= data.len) {
        append(body, chunk, data);
        return;
    }
    chunk = volo_alloc(sizeof *chunk + room);
    if (!chunk) {
        body->err = VOLO_ENOMEM;
        return;
    }
    chunk->next = NULL;
    chunk->len = chunk->at = 0;
    chunk->room = room;
    append(body, chunk, data);
    *body->last = chunk;
    body->last = &chunk->next;
}

static int
is_ready(struct volo__py_bell *bell)
{
    const struct volo__py_body *body = (struct volo__py_body *)(void *)bell;

    return body->ended || (body->first && !body->whole);
}

/* What comes after a piece was lost is of no use. */
static int
on_chunk(volo_cx *cx, int err, volo_str chunk, void *user)
{
    struct volo__py_body *body = user;
    int over = err || !chunk.ptr, flow;

    (void)cx;
    pthread_mutex_lock(&body->bell.lock);
    if (!over && chunk.len && !body->err)
        add(body, chunk);
    if (err && !body->err)
        body->err = err;
    body->ended |= over || body->err;
    body->paused =
        !body->ended && !body->whole && body->waiting >= MOST_WAITING;
    flow = body->paused ? VOLO_FLOW_PAUSE : VOLO_FLOW_MORE;
    if (is_ready(&body->bell))
        volo__py_bell_ring(&body->bell);
    else
        pthread_mutex_unlock(&body->bell.lock);
    if (over)
        volo__py_bell_unref(&body->bell);
    return flow;
}

static void
begin(volo_cx *cx, void *user)
{
    struct volo__py_body *body = user;
    int err = volo_cx_read_stream(cx, on_chunk, body);

    if (err)
        on_chunk(cx, err, volo_str_make(NULL, 0), body);
}

/* ---- Its life
 * -------------------------------------------------------------------- */

static void
free_chunks(struct volo__py_chunk *chunk)
{
    struct volo__py_chunk *next;

    for (; chunk; chunk = next) {
        next = chunk->next;
        volo_free(chunk);
    }
}

static void
fini(struct volo__py_bell *bell)
{
    free_chunks(((struct volo__py_body *)(void *)bell)->first);
}

static int
settle(struct volo__py_bell *bell)
{
    struct volo__py_body *body = (struct volo__py_body *)(void *)bell;
    PyObject *piece = volo__py_body_take(body, body->most);

    if (!piece && !PyErr_Occurred())
        return 0;
    if (piece && body->iterating && PyBytes_Size(piece) == 0) {
        Py_DECREF(piece);
        volo__py_future_fail(bell,
                             PyObject_CallNoArgs(PyExc_StopAsyncIteration));
    } else {
        volo__py_future_set(bell, piece);
    }
    return 1;
}

struct volo__py_body *
volo__py_body_new(volo_cx *cx)
{
    struct volo__py_body *body = volo_alloc(sizeof *body);

    if (!body)
        return NULL;
    memset(body, 0, sizeof *body);
    if (volo__py_bell_init(&body->bell, cx) < 0) {
        volo_free(body);
        return NULL;
    }
    body->bell.ready = is_ready;
    body->bell.settle = settle;
    body->bell.fini = fini;
    body->last = &body->first;
    return body;
}

/* ---- The reader's side
 * ------------------------------------------------------------ */

int
volo__py_body_begin(struct volo__py_body *body)
{
    int begun, err;

    pthread_mutex_lock(&body->bell.lock);
    begun = body->begun;
    body->begun = 1;
    pthread_mutex_unlock(&body->bell.lock);
    if (begun)
        return 0;
    volo__py_bell_ref(&body->bell);
    err = volo_cx_post(body->bell.cx, begin, body);
    if (err)
        on_chunk(body->bell.cx, err, volo_str_make(NULL, 0), body);
    return err;
}

/* Whether the loop is to go on; with the lock. */
static int
may_resume(struct volo__py_body *body)
{
    if (!body->paused || (!body->whole && body->waiting > MOST_WAITING / 2))
        return 0;
    body->paused = 0;
    return 1;
}

void
volo__py_body_want(struct volo__py_body *body, int whole)
{
    int resume;

    pthread_mutex_lock(&body->bell.lock);
    body->whole = whole;
    resume = may_resume(body);
    pthread_mutex_unlock(&body->bell.lock);
    if (resume)
        volo_cx_resume_body(body->bell.cx);
}

/* The first piece, which is the caller's then; or all of them. */
static struct volo__py_chunk *
detach(struct volo__py_body *body, int all, int *ended)
{
    struct volo__py_chunk *chunk;
    int resume = 0;

    pthread_mutex_lock(&body->bell.lock);
    *ended = body->ended;
    chunk = all && !body->ended ? NULL : body->first;
    if (chunk && all) {
        body->first = NULL;
        body->last = &body->first;
        body->waiting = 0;
    } else if (chunk) {
        body->first = chunk->next;
        if (!body->first)
            body->last = &body->first;
        body->waiting -= chunk->len - chunk->at;
        resume = may_resume(body);
    }
    pthread_mutex_unlock(&body->bell.lock);
    if (resume)
        volo_cx_resume_body(body->bell.cx);
    return chunk;
}

/* What of it was not wanted. */
static void
put_back(struct volo__py_body *body, struct volo__py_chunk *chunk)
{
    pthread_mutex_lock(&body->bell.lock);
    chunk->next = body->first;
    body->first = chunk;
    if (!chunk->next)
        body->last = &chunk->next;
    body->waiting += chunk->len - chunk->at;
    pthread_mutex_unlock(&body->bell.lock);
}

static PyObject *
take_some(struct volo__py_body *body, struct volo__py_chunk *chunk, size_t most)
{
    size_t n = chunk->len - chunk->at;
    PyObject *bytes;

    if (n > most)
        n = most;
    bytes = PyBytes_FromStringAndSize(chunk->octets + chunk->at, (Py_ssize_t)n);
    if (bytes)
        chunk->at += n;
    if (chunk->at < chunk->len)
        put_back(body, chunk);
    else
        volo_free(chunk);
    return bytes;
}

static PyObject *
join(const struct volo__py_chunk *first)
{
    const struct volo__py_chunk *chunk;
    PyObject *bytes;
    size_t total = 0;
    char *to;

    for (chunk = first; chunk; chunk = chunk->next)
        total += chunk->len - chunk->at;
    bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)total);
    if (!bytes)
        return NULL;
    to = PyBytes_AsString(bytes);
    for (chunk = first; chunk; chunk = chunk->next) {
        memcpy(to, chunk->octets + chunk->at, chunk->len - chunk->at);
        to += chunk->len - chunk->at;
    }
    return bytes;
}

PyObject *
volo__py_body_take(struct volo__py_body *body, Py_ssize_t most)
{
    struct volo__py_chunk *chunk;
    PyObject *bytes;
    int ended;

    chunk = detach(body, most < 0, &ended);
    if (ended && body->err && (most < 0 || !chunk)) {
        free_chunks(chunk);
        return volo__py_raise(body->err, NULL);
    }
    if (!chunk)
        return ended ? PyBytes_FromStringAndSize(NULL, 0) : NULL;
    if (most >= 0)
        return take_some(body, chunk, (size_t)most);
    bytes = join(chunk);
    free_chunks(chunk);
    return bytes;
}
