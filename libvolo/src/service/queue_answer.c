/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers in batches.  Each is put into its exchange on the answering thread;
 * the exchanges of one loop then go home as one chain, with one wake, and what
 * was two messages (answered, let go) is one.
 */
#include "service/queue_layer.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "http/problem.h"

/* Those that go to one loop. */
struct group {
    struct volo__home *home;
    struct volo__task *first;
    struct volo__task *last;
};

enum { GROUPS = 16 };

struct groups {
    struct group v[GROUPS];
    unsigned count;
};

/* ---- Going home ---------------------------------------------------------- */

static void
answer_arrives(struct volo__task *task)
{
    volo_cx *cx =
        (volo_cx *)(void *)((char *)task - offsetof(volo_cx, answer_task));

    volo__cx_answered(cx);
    volo_cx_unref(cx);
}

static void
send_all(struct groups *groups)
{
    unsigned i;

    for (i = 0; i < groups->count; i++)
        volo__home_post_chain(groups->v[i].home, groups->v[i].first,
                              groups->v[i].last);
    groups->count = 0;
}

static void
send_with(struct groups *groups, volo_cx *cx, struct volo__task *task)
{
    struct group *group = groups->v;
    unsigned i;

    if (volo__here == cx->home) {
        task->run(task);
        return;
    }
    for (i = 0; i < groups->count; i++, group++) {
        if (group->home == cx->home) {
            group->last->next = task;
            group->last = task;
            return;
        }
    }
    if (groups->count == GROUPS)
        send_all(groups);
    group = &groups->v[groups->count++];
    group->home = cx->home;
    group->first = group->last = task;
}

/* ---- Into the exchange --------------------------------------------------- */

/* The setters want a NUL behind a name: well-known ones have it. */
static const char *
name_of(volo_cx *cx, const volo_pair *pair)
{
    const char *name = volo_field_name((int)pair->id);

    if (*name)
        return name;
    if (!pair->name.ptr || memchr(pair->name.ptr, 0, pair->name.len))
        return NULL;
    return volo_cx_strdup(cx, pair->name).ptr;
}

/* A line takes the place of what outer layers have set by that name, and
 * stands beside others of the answer. */
int
volo__cx_put_lines(volo_cx *cx, const volo_answer *answer)
{
    struct volo__fields *fields = &cx->res.headers;
    uint32_t outer = fields->count;
    size_t i;
    int err = 0;

    for (i = 0; i < answer->header_count && !err; i++) {
        const volo_pair *pair = &answer->headers[i];
        const char *name = name_of(cx, pair);
        struct volo__fields before = *fields;

        if (!name)
            return VOLO_EINVAL;
        before.count = outer;
        if (outer && pair->id != VOLO_FIELD_SET_COOKIE &&
            volo__fields_find(&before, 0, volo_str_of(name)).ptr) {
            outer -= volo__fields_count_named(&before, volo_str_of(name));
            err = volo_cx_set_header(cx, name, pair->value);
        } else {
            err = volo_cx_add_header(cx, name, pair->value);
        }
    }
    return err;
}

static int
put_head(volo_cx *cx, const volo_answer *answer)
{
    struct volo__fields *fields = &cx->res.headers, before = *fields;
    size_t size = before.count * sizeof *before.v;
    volo_pair *copy = NULL;
    int err = volo_cx_set_status(cx, answer->status ? answer->status : 200);

    if (err || answer->header_count == 0)
        return err;
    if (size) {
        copy = volo_cx_alloc(cx, size);
        if (!copy)
            return VOLO_ENOMEM;
        memcpy(copy, before.v, size);
    }
    err = volo__cx_put_lines(cx, answer);
    if (err) {
        if (size)
            memcpy(fields->v, copy, size);
        fields->count = before.count;
        fields->seen = before.seen;
    }
    return err;
}

/* All of it, or an error in its place.  The body is released in any case. */
static void
put_answer(volo_cx *cx, const volo_answer *answer)
{
    int err = put_head(cx, answer);

    if (err) {
        if (answer->release)
            answer->release(answer->user);
    } else if (answer->release) {
        err = volo_cx_set_body_ref(cx, answer->body, answer->release,
                                   answer->user);
    } else if (answer->body.ptr) {
        err = volo_cx_set_body(cx, answer->body);
    }
    if (err)
        volo__problem_set(cx, err == VOLO_ENOMEM ? 503 : 500, NULL, NULL, 0);
}

/* A layer's: it goes further in, or out.  That has a task of its own: the one
 * with which the exchange was answered may be under way still. */
static int
pass_one(struct groups *groups, const volo_answer *answer)
{
    volo_cx *cx = answer->cx;
    int gone = volo_cx_is_canceled(cx);

    volo__passage_answer(cx, answer);
    cx->resume_task.run = volo__passage_arrives;
    send_with(groups, cx, &cx->resume_task);
    return !gone;
}

static int
drop_one(const volo_answer *answer)
{
    if (answer->release)
        answer->release(answer->user);
    volo_cx_unref(answer->cx);
    return 0;
}

/* Returns 1 if somebody waits for it. */
static int
answer_one(struct groups *groups, const volo_answer *answer)
{
    volo_cx *cx = answer->cx;
    int open = VOLO__OPEN, gone;

    if (cx && answer->kind != VOLO_ANSWER_REPLY &&
        volo__passage_takes(cx->passage, answer))
        return pass_one(groups, answer);
    if (!cx || answer->kind != VOLO_ANSWER_REPLY || volo_cx_is_answered(cx))
        return drop_one(answer);
    put_answer(cx, answer);
    if (!atomic_compare_exchange_strong(&cx->state, &open, VOLO__ANSWERED)) {
        volo_cx_unref(cx);
        return 0;
    }
    gone = volo_cx_is_canceled(cx);
    cx->answer_task.run = answer_arrives;
    send_with(groups, cx, &cx->answer_task);
    return !gone;
}

int
volo_queue_answer(volo_queue *queue, const volo_answer *answers,
                  size_t answer_size, size_t count)
{
    const char *from = (const char *)answers;
    struct groups groups;
    volo_answer answer;
    int waited = 0;
    size_t i;

    (void)queue;
    if ((!answers && count) || answer_size < sizeof(volo_cx *) ||
        count > INT_MAX)
        return VOLO_EINVAL;

    groups.count = 0;
    for (i = 0; i < count; i++, from += answer_size) {
        memset(&answer, 0, sizeof answer);
        memcpy(&answer, from,
               answer_size < sizeof answer ? answer_size : sizeof answer);
        waited += answer_one(&groups, &answer);
    }
    send_all(&groups);
    return waited;
}
