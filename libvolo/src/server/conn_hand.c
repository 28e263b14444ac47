/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many TLS handshakes a loop has under way.  One takes a place only when
 * its first octets have come, so that who connects and is silent takes none;
 * who finds no place waits in order, with what it has said; and the oldest
 * that is being waited for gives up its place if that takes long, so that who
 * begins and goes silent stops nobody either.
 */
#include <string.h>

#include "net/tls.h"
#include "server/conn.h"

enum {
    HELLO_LIMIT = 4096, /* what one that waits may have said */
    PATIENCE_MS = 1000  /* where others wait */
};

static void
append(struct volo__hand_list *list, struct volo__conn *c)
{
    c->hand_list = list;
    c->hand_next = NULL;
    c->hand_prev = list->last;
    if (list->last)
        list->last->hand_next = c;
    else
        list->first = c;
    list->last = c;
    list->count++;
}

static void
take_out(struct volo__conn *c)
{
    struct volo__hand_list *list = c->hand_list;

    if (c->hand_prev)
        c->hand_prev->hand_next = c->hand_next;
    else
        list->first = c->hand_next;
    if (c->hand_next)
        c->hand_next->hand_prev = c->hand_prev;
    else
        list->last = c->hand_prev;
    list->count--;
    c->hand_list = NULL;
}

static int
has_room(const struct volo__worker *w)
{
    return w->hand_begun.count <
           w->server->options[VOLO_SERVER_HANDSHAKE_LIMIT];
}

/* What was read already belongs to it. */
static int
start(struct volo__conn *c, const char *ptr, size_t len,
      struct volo__block *block)
{
    struct volo__block *own = NULL;
    int err;

    if (!block) {
        if (len > HELLO_LIMIT)
            return VOLO_ETOOBIG;
        own = block = volo__home_spare(c->stream.home);
        if (!own)
            return VOLO_ENOMEM;
        memcpy(own->data, ptr, len);
        ptr = own->data;
    }
    err = volo__stream_start_tls(&c->stream, c->port->tls);
    if (!err) {
        c->stage = VOLO__CONN_SECURING;
        c->hand_at = c->stream.home->now_ms;
        append(&c->worker->hand_begun, c);
        volo__stream_put_back(&c->stream, ptr, len, block);
    }
    volo__block_unref(own);
    return err;
}

int
volo__hand_begin(struct volo__conn *c, const char *ptr, size_t len,
                 struct volo__block *block)
{
    struct volo__worker *w = c->worker;
    int err;

    volo__hand_look(w);
    if (has_room(w)) {
        err = start(c, ptr, len, block);
        return err ? err : 1;
    }
    if (len > HELLO_LIMIT)
        return VOLO_ETOOBIG;
    c->stage = VOLO__CONN_QUEUED;
    append(&w->hand_waiting, c);
    return 0;
}

void
volo__hand_end(struct volo__conn *c)
{
    if (!c->hand_list)
        return;
    take_out(c);
    volo__hand_look(c->worker);
}

/* The first of those that wait. */
static void
start_waiting(struct volo__conn *c)
{
    size_t len = c->kept_len - c->kept_off;

    take_out(c);
    if (start(c, c->kept + c->kept_off, len, NULL)) {
        volo__conn_close(c);
        return;
    }
    volo__conn_unkeep(c, len);
    volo__conn_settle(c);
}

static void
free_a_place(struct volo__worker *w)
{
    struct volo__conn *oldest = w->hand_begun.first;

    if (has_room(w) || !oldest ||
        oldest->hand_at + PATIENCE_MS > w->loop->home.now_ms)
        return;
    volo__worker_bump(w, VOLO_STAT_TIMEOUTS, 1);
    volo__conn_close(oldest);
}

void
volo__hand_look(struct volo__worker *w)
{
    if (w->hand_looking)
        return;
    w->hand_looking = 1;
    do
        free_a_place(w);
    while (w->hand_waiting.first && has_room(w) &&
           (start_waiting(w->hand_waiting.first), 1));
    w->hand_looking = 0;
}
