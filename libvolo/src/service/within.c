/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up on an answer.  The owner of an exchange may be at work on any
 * thread, so nobody can take it from him: instead a second exchange, the heir,
 * takes its place before the codec and the outer layers.  It reads the
 * request of the first, its elder, which lives on until both are done.
 */
#include <string.h>

#include "http/codec.h"
#include "service/service.h"

struct within {
    struct volo__alarm alarm;
    volo_cx *cx;
    uint16_t depth; /* frames outside this one */
    volo_service_fn on_expire;
    void *user;
    volo_response_fn on_response;
    void *frame;
    uint64_t outer_deadline;

    /* What the outer layers had made of the exchange by then. */
    struct volo__ext *exts;
    struct volo__scope_link *scopes;
    struct volo__hook *cancels;
    struct volo__hook *finishes;
    volo_str client_ip;
    uint16_t status;
    uint32_t header_count;
    volo_pair *headers;
};

static void on_answer(volo_cx *cx, void *frame);

/* The request is the elder's, and stays where it is: a field added later goes
 * to memory of the heir. */
static void
inherit_request(volo_cx *heir, volo_cx *elder)
{
    heir->req = elder->req;
    heir->req.headers.cap = heir->req.headers.count;
    heir->req.trailers.cap = heir->req.trailers.count;
    heir->req.params.cap = heir->req.params.count;
    heir->start_ns = elder->start_ns;
    heir->peer = elder->peer;
    heir->write_limit = elder->write_limit;
    heir->body.mode = VOLO__BODY_DISCARD;
    heir->body.length = elder->body.length;
    heir->body.limit = elder->body.limit;
    heir->body.complete = elder->body.complete;
}

/* Outer frames go to the heir. */
static int
inherit_frames(volo_cx *heir, const volo_cx *elder, const struct within *w)
{
    if (w->depth + 1u > heir->frame_cap) {
        heir->frames = volo__arena_alloc(
            &heir->arena, (w->depth + 8u) * sizeof *heir->frames);
        if (!heir->frames)
            return VOLO_ENOMEM;
        heir->frame_cap = (uint16_t)(w->depth + 8u);
    }
    memcpy(heir->frames, elder->frames, w->depth * sizeof *heir->frames);
    heir->frame_count = w->depth;
    return 0;
}

/* Timeouts among them watch the heir from now on. */
static void
move_timeouts(volo_cx *heir)
{
    uint16_t i;

    for (i = 0; i < heir->frame_count; i++)
        if (heir->frames[i].fn == on_answer)
            ((struct within *)heir->frames[i].frame)->cx = heir;
}

static int
inherit_response(volo_cx *heir, const struct within *w)
{
    uint32_t i;
    int err = 0;

    heir->res.status = w->status;
    for (i = 0; i < w->header_count && !err; i++)
        err = volo__fields_add(&heir->res.headers, &heir->arena,
                               (int)w->headers[i].id, w->headers[i].name,
                               w->headers[i].value);
    return err;
}

/* Lists only grow in front, so what was there then is a tail of them: the
 * hooks change hands, the extensions stay the elder's. */
static void
inherit_lists(volo_cx *heir, volo_cx *elder, struct within *w)
{
    struct volo__hook **end;

    heir->exts = heir->ext_base = w->exts;
    heir->scopes = w->scopes;
    heir->client_ip = w->client_ip;
    for (end = &elder->finishes; *end != w->finishes; end = &(*end)->next)
        ;
    *end = NULL;
    heir->finishes = w->finishes;
    for (end = &elder->cancels; *end != w->cancels; end = &(*end)->next)
        ;
    *end = NULL;
    heir->cancels = w->cancels;
}

/* Made without touching the elder, whose owner may still be in time. */
static volo_cx *
heir_new(const volo_cx *elder, const struct within *w)
{
    volo_cx *heir = volo__cx_new(elder->home);

    if (!heir)
        return NULL;
    if (inherit_frames(heir, elder, w) || inherit_response(heir, w)) {
        volo__cx_discard(heir);
        return NULL;
    }
    return heir;
}

static void
succeed(volo_cx *heir, volo_cx *elder, struct within *w)
{
    inherit_request(heir, elder);
    inherit_lists(heir, elder, w);
    move_timeouts(heir);
    heir->deadline_ms = w->outer_deadline;
    heir->elder = elder;
    elder->heirs++;
    elder->codec->replace(elder, heir);
    elder->codec = NULL;
}

/* The elder is nobody's answer any more: tell its owner, end its reading. */
static void
disown(volo_cx *elder, struct within *w)
{
    elder->frame_floor = (uint16_t)(w->depth + 1);
    elder->given_up = !elder->suspended; /* who holds it lets it go on */
    volo__cx_tell_canceled(elder);
    volo__body_fail(elder, VOLO_ECANCELED);
    volo__cx_detach(elder);
}

static void
expire(struct volo__alarm *alarm)
{
    struct within *w = (struct within *)(void *)alarm;
    volo_cx *elder = w->cx, *heir;
    int open = VOLO__OPEN;

    /* An answer that a layer in here holds on its way out is none yet. */
    if (elder->detached ||
        (atomic_load(&elder->state) != VOLO__OPEN && !elder->suspended))
        return;
    heir = heir_new(elder, w);
    if (!heir) {
        volo__wheel_set(&elder->home->wheel, alarm, elder->home->now_ms + 100);
        return;
    }

    /* From here on the owner's answer comes too late; if it has come in this
     * very moment, it is in the inbox, and the heir is not needed. */
    if (!elder->suspended &&
        !atomic_compare_exchange_strong(&elder->state, &open, VOLO__ANSWERED)) {
        volo__cx_discard(heir);
        return;
    }
    atomic_store(&elder->canceled, 1);
    succeed(heir, elder, w);
    disown(elder, w);

    volo_next_run(&(struct volo_next){NULL, w->on_expire, w->user}, heir,
                  w->on_response, w->frame);
    volo_cx_unref(heir);
}

/* The answer came in time, or nobody waits for it any more. */
static void
on_answer(volo_cx *cx, void *frame)
{
    struct within *w = frame;

    volo__wheel_clear(&cx->home->wheel, &w->alarm);
    cx->deadline_ms = w->outer_deadline;
    if (w->on_response)
        w->on_response(cx, w->frame);
}

static int
snapshot(struct within *w, volo_cx *cx)
{
    uint32_t n = cx->res.headers.count;

    w->cx = cx;
    w->depth = cx->frame_count;
    w->exts = cx->exts;
    w->scopes = cx->scopes;
    w->cancels = cx->cancels;
    w->finishes = cx->finishes;
    w->client_ip = cx->client_ip;
    w->status = cx->res.status;
    w->outer_deadline = cx->deadline_ms;
    w->header_count = n;
    if (n == 0)
        return 0;
    w->headers = volo__arena_alloc(&cx->arena, n * sizeof *w->headers);
    if (!w->headers)
        return VOLO_ENOMEM;
    memcpy(w->headers, cx->res.headers.v, n * sizeof *w->headers);
    return 0;
}

void
volo_next_run_within(volo_next *next, volo_cx *cx, uint64_t ms,
                     volo_service_fn on_expire, void *user,
                     volo_response_fn on_response, void *frame)
{
    struct within *w = volo__arena_alloc(&cx->arena, sizeof *w);
    uint64_t at = cx->home->now_ms + ms;

    if (w)
        memset(w, 0, sizeof *w);
    if (!w || snapshot(w, cx)) {
        volo__next_fail(cx, on_response, frame);
        return;
    }
    w->alarm.fire = expire;
    w->on_expire = on_expire;
    w->user = user;
    w->on_response = on_response;
    w->frame = frame;
    if (!cx->deadline_ms || at < cx->deadline_ms)
        cx->deadline_ms = at;
    volo__wheel_set(&cx->home->wheel, &w->alarm, at);
    volo_next_run(next, cx, on_answer, w);
}
