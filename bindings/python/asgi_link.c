/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What loop threads of libvolo have to say to a cycle on the event loop: the
 * client has left, there is room to write, a piece of the body is there.
 *
 * It knows no message of ASGI, and no Python object but as one to let go of.
 */
#include "asgi_cycle.h"

#include <stdlib.h>
#include <string.h>

/* Octets of a body that wait for the application; beyond, the client does. */
enum { MOST_WAITING = 64 * 1024 };

/* ---- Links --------------------------------------------------------------- */

static void
run(struct volo__py_event *event)
{
    struct volo__py_link *link = (struct volo__py_link *)event;
    unsigned said = atomic_exchange(&link->said, 0);

    volo__py_cycle_hear((struct volo__py_cycle *)link->cycle, said);
    volo__py_link_unref(link);
}

static void
drop(struct volo__py_event *event)
{
    volo__py_link_unref(event);
}

static void
say(struct volo__py_link *link, unsigned what)
{
    atomic_fetch_or(&link->said, what);
    volo__py_link_ref(link);
    if (!volo__py_hub_post(link->hub, &link->event))
        volo__py_link_unref(link);
}

struct volo__py_link *
volo__py_link_new(struct volo__py_hub *hub, PyObject *cycle)
{
    struct volo__py_link *link = calloc(1, sizeof *link);

    if (!link)
        return NULL;
    if (pthread_mutex_init(&link->lock, NULL)) {
        free(link);
        return NULL;
    }
    link->event.run = run;
    link->event.drop = drop;
    link->hub = volo__py_hub_ref(hub);
    link->cycle = Py_NewRef(cycle);
    atomic_init(&link->refs, 1);
    return link;
}

struct volo__py_link *
volo__py_link_ref(struct volo__py_link *link)
{
    atomic_fetch_add_explicit(&link->refs, 1, memory_order_relaxed);
    return link;
}

void
volo__py_link_unref(void *user)
{
    struct volo__py_link *link = user;
    struct volo__py_piece *piece;

    if (!link || atomic_fetch_sub(&link->refs, 1) != 1)
        return;
    while ((piece = link->head) != NULL) {
        link->head = piece->next;
        free(piece);
    }
    pthread_mutex_destroy(&link->lock);
    volo__py_hub_unref(link->hub);
    volo__py_drop(link->cycle);
    free(link);
}

/* Have ${fn} run on the exchange's thread, with a reference of its own. */
static int
send_to(struct volo__py_link *link, volo_cx *cx, volo_cx_fn fn)
{
    int err = volo_cx_post(cx, fn, volo__py_link_ref(link));

    if (err)
        volo__py_link_unref(link);
    return err;
}

/* ---- Has the client left? ------------------------------------------------ */

static void
on_cancel(volo_cx *cx, void *user)
{
    (void)cx;
    say(user, VOLO__PY_GONE);
}

static void
watch(volo_cx *cx, void *user)
{
    struct volo__py_link *link = user;

    /* It has its own reference, because the call below may give one back. */
    volo__py_link_ref(link);
    if (volo_cx_on_cancel(cx, on_cancel, link, volo__py_link_unref) ==
        VOLO_ECANCELED)
        say(link, VOLO__PY_GONE);
    volo__py_link_unref(link);
}

int
volo__py_link_watch(struct volo__py_link *link, volo_cx *cx)
{
    return send_to(link, cx, watch);
}

/* ---- Room to write ------------------------------------------------------- */

static void
on_drain(volo_writer *writer, int err, void *user)
{
    (void)writer;
    say(user, err ? VOLO__PY_GONE : VOLO__PY_ROOM);
}

/* On the loop's thread, since there the writer may be told of before it is
 * known here that it is.  It stands in the same row as what is written later,
 * so it comes before the first time that there is no room. */
static void
set_drain(volo_cx *cx, void *user)
{
    struct volo__py_link *link = user;

    volo__py_link_ref(link);
    volo_writer_on_drain(link->writer, on_drain, link, volo__py_link_unref);
    if (volo_cx_is_canceled(cx))
        say(link, VOLO__PY_GONE);
    volo__py_link_unref(link);
}

int
volo__py_link_drain(struct volo__py_link *link, volo_cx *cx,
                    volo_writer *writer)
{
    link->writer = writer;
    return send_to(link, cx, set_drain);
}

/* ---- The body ------------------------------------------------------------ */

static void
end_body(struct volo__py_link *link, int err)
{
    pthread_mutex_lock(&link->lock);
    link->ended = 1;
    if (!link->err)
        link->err = err;
    pthread_mutex_unlock(&link->lock);
    say(link, VOLO__PY_BODY);
    volo__py_link_unref(link);
}

static int
append(struct volo__py_link *link, struct volo__py_piece *piece)
{
    int flow;

    pthread_mutex_lock(&link->lock);
    if (link->tail)
        link->tail->next = piece;
    else
        link->head = piece;
    link->tail = piece;
    link->waiting += piece->len;
    link->paused = link->waiting >= MOST_WAITING;
    flow = link->paused ? VOLO_FLOW_PAUSE : VOLO_FLOW_MORE;
    pthread_mutex_unlock(&link->lock);
    return flow;
}

/* Its end will be told as an error. */
static void
lose(struct volo__py_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->err = VOLO_ENOMEM;
    pthread_mutex_unlock(&link->lock);
}

static int
on_chunk(volo_cx *cx, int err, volo_str chunk, void *user)
{
    struct volo__py_link *link = user;
    struct volo__py_piece *piece;
    int flow;

    (void)cx;
    if (err || !chunk.ptr) {
        end_body(link, err);
        return VOLO_FLOW_MORE;
    }
    piece = malloc(sizeof *piece + chunk.len);
    if (!piece) {
        lose(link);
        return VOLO_FLOW_MORE;
    }
    piece->next = NULL;
    piece->len = chunk.len;
    memcpy(piece->data, chunk.ptr, chunk.len);
    flow = append(link, piece);
    say(link, VOLO__PY_BODY);
    return flow;
}

static void
start_reading(volo_cx *cx, void *user)
{
    int err = volo_cx_read_stream(cx, on_chunk, user);

    if (err)
        end_body(user, err);
}

int
volo__py_link_read(struct volo__py_link *link, volo_cx *cx)
{
    return send_to(link, cx, start_reading);
}

int
volo__py_link_take(struct volo__py_link *link, volo_cx *cx,
                   struct volo__py_piece **out)
{
    struct volo__py_piece *piece;
    int resume = 0, rc = 1;

    pthread_mutex_lock(&link->lock);
    piece = link->head;
    if (piece) {
        link->head = piece->next;
        if (!link->head)
            link->tail = NULL;
        link->waiting -= piece->len;
        resume = link->paused && link->waiting <= MOST_WAITING / 2;
        if (resume)
            link->paused = 0;
        *out = piece;
    } else {
        rc = !link->ended ? 0 : link->err ? link->err : VOLO_ECLOSED;
    }
    pthread_mutex_unlock(&link->lock);
    if (resume)
        volo_cx_resume_body(cx);
    return rc;
}
