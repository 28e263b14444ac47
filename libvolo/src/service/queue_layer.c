/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that takers of a queue run.  An exchange that comes to one waits
 * until its taker says how to go on; the response then is held on its way out,
 * as volo_cx_suspend() does, until he has changed it.  What he did not ask for
 * he need not see: who answers, and when, is nothing of this file's.
 */
#include "service/queue_layer.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "http/codec.h"
#include "http/problem.h"

/* What exchanges of one layer have in common. */
struct layer {
    atomic_int refs; /* the layer, and each of its exchanges */
    volo_queue *queue;
    void *user;
    volo_free_fn user_free;
};

/* Where an exchange keeps it alive. */
static const char layer_key;

static void
layer_drop(void *user)
{
    struct layer *layer = user;

    if (atomic_fetch_sub_explicit(&layer->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (layer->user_free)
        layer->user_free(layer->user);
    volo__queue_drop(layer->queue);
    volo__free(layer);
}

/* ---- The response -------------------------------------------------------- */

/* The stream it has, if any, is closed on the home's thread. */
static void
refuse(volo_cx *cx, int status)
{
    cx->res.streamed = 0;
    cx->res.upgrade_fn = NULL;
    volo__problem_set(cx, status, NULL, NULL, 0);
}

static void
keep_outer_lines(volo_cx *cx, const struct volo__passage *passage)
{
    struct volo__fields *fields = &cx->res.headers;
    uint32_t i;

    /* There is room: they were among those that go. */
    fields->count = 0;
    fields->seen = 0;
    for (i = 0; i < passage->outer_count; i++)
        volo__fields_add(fields, &cx->arena, (int)passage->outer[i].id,
                         passage->outer[i].name, passage->outer[i].value);
}

static int
change_lines(volo_cx *cx, const struct volo__passage *passage,
             const volo_answer *answer)
{
    int err;

    keep_outer_lines(cx, passage);
    err = volo__cx_put_lines(cx, answer);
    if (err)
        keep_outer_lines(cx, passage);
    return err;
}

static int
change_body(volo_cx *cx, const volo_answer *answer)
{
    cx->res.streamed = 0;
    if (answer->release)
        return volo_cx_set_body_ref(cx, answer->body, answer->release,
                                    answer->user);
    return volo_cx_set_body(cx, answer->body);
}

static void
change(volo_cx *cx, const struct volo__passage *passage,
       const volo_answer *answer)
{
    int fixed = cx->res.upgrade_fn != NULL, err = 0;

    if (answer->headers)
        err = change_lines(cx, passage, answer);
    if (!err && answer->status && !fixed)
        err = volo_cx_set_status(cx, answer->status);
    if (!err && !fixed && (answer->release || answer->body.ptr))
        err = change_body(cx, answer);
    else if (answer->release)
        answer->release(answer->user);
    if (err)
        refuse(cx, err == VOLO_ENOMEM ? 503 : 500);
}

/* ---- On the way ---------------------------------------------------------- */

static volo_pair *
pairs_new(volo_cx *cx, uint32_t count)
{
    return volo__arena_alloc(&cx->arena, count * sizeof(volo_pair));
}

/* What is set by now is not to be seen, and not to be lost, by this layer. */
static int
remember_outer_lines(volo_cx *cx, struct volo__passage *passage)
{
    const struct volo__fields *fields = &cx->res.headers;

    if (fields->count == 0)
        return 0;
    passage->outer = pairs_new(cx, fields->count);
    if (!passage->outer)
        return VOLO_ENOMEM;
    memcpy(passage->outer, fields->v, fields->count * sizeof *fields->v);
    passage->outer_count = fields->count;
    return 0;
}

static int
is_outer(const struct volo__passage *passage, const volo_pair *pair)
{
    uint32_t i;

    for (i = 0; i < passage->outer_count; i++)
        if (passage->outer[i].value.ptr == pair->value.ptr &&
            passage->outer[i].name.ptr == pair->name.ptr)
            return 1;
    return 0;
}

/* Lines that are there still as they were set outside are the outer ones: what
 * has another value has been set anew. */
static int
sort_lines(volo_cx *cx, struct volo__passage *passage)
{
    const struct volo__fields *fields = &cx->res.headers;
    volo_pair *outer = NULL, *lines = NULL;
    uint32_t i, n = 0, m = 0;

    if (fields->count) {
        outer = pairs_new(cx, fields->count);
        lines = pairs_new(cx, fields->count);
        if (!outer || !lines)
            return VOLO_ENOMEM;
    }
    for (i = 0; i < fields->count; i++) {
        if (is_outer(passage, &fields->v[i]))
            outer[n++] = fields->v[i];
        else
            lines[m++] = fields->v[i];
    }
    passage->outer = outer;
    passage->outer_count = n;
    passage->lines = lines;
    passage->line_count = m;
    return 0;
}

static void
put_aside(volo_cx *cx, struct volo__passage *passage, struct volo__gate *gate)
{
    passage->waiting.next = NULL;
    passage->waiting.cx = volo_cx_ref(cx);
    cx->passage = passage;
    volo__gate_add(gate, &passage->waiting);
}

/* Nobody can be asked what becomes of the response. */
static void
lose(volo_cx *cx, struct volo__passage *passage)
{
    if (passage->state_free)
        passage->state_free(passage->state);
    refuse(cx, 503);
}

static void
close_replaced_stream(volo_cx *cx)
{
    if (cx->res.writer && !cx->res.streamed)
        volo__writer_close(cx->res.writer);
}

static void
come_back(volo_cx *cx, void *frame)
{
    struct volo__passage *passage = frame;
    struct volo__gate *gate = NULL;

    /* Not unwinding: going on has failed, and this is the 503 of that. */
    if (cx->unwinding && !atomic_load(&passage->queue->closed))
        gate = volo__queue_gate(passage->queue, cx->home);
    if (!gate || sort_lines(cx, passage)) {
        lose(cx, passage);
        close_replaced_stream(cx);
        return;
    }
    passage->leaving = 1;
    passage->waiting.body = cx->res.streamed ? volo_str_of(NULL) : cx->res.body;
    cx->suspended = 1; /* the job's reference is what holds it */
    put_aside(cx, passage, gate);
}

static struct volo__passage *
passage_new(volo_cx *cx, volo_next *next, struct layer *layer)
{
    struct volo__passage *passage;

    atomic_fetch_add_explicit(&layer->refs, 1, memory_order_relaxed);
    if (volo_cx_set_ext(cx, &layer_key, layer, layer_drop))
        return NULL;
    passage = volo__arena_alloc(&cx->arena, sizeof *passage);
    if (!passage)
        return NULL;
    memset(passage, 0, sizeof *passage);
    passage->waiting.route = layer->user;
    passage->waiting.body = volo_cx_body(cx);
    passage->waiting.passage = passage;
    passage->queue = layer->queue;
    passage->next = next;
    return remember_outer_lines(cx, passage) ? NULL : passage;
}

static void
come_in(volo_cx *cx, volo_next *next, void *user)
{
    struct layer *layer = user;
    struct volo__passage *passage = NULL;
    struct volo__gate *gate = NULL;

    if (!atomic_load(&layer->queue->closed)) {
        gate = volo__queue_gate(layer->queue, cx->home);
        passage = gate ? passage_new(cx, next, layer) : NULL;
    }
    if (passage)
        put_aside(cx, passage, gate);
    else
        volo__cx_fail(cx, 503);
}

/* ---- What the queue asks ------------------------------------------------- */

void
volo__passage_describe(volo_job *job, const struct volo__passage *passage)
{
    job->kind = VOLO_JOB_ENTER;
    if (!passage->leaving)
        return;
    job->kind = VOLO_JOB_LEAVE;
    job->status = job->cx->res.status;
    job->headers = passage->lines;
    job->header_count = passage->line_count;
    job->state = passage->state;
}

int
volo__passage_takes(const struct volo__passage *passage,
                    const volo_answer *answer)
{
    if (!passage)
        return 0;
    return answer->kind ==
           (passage->leaving ? VOLO_ANSWER_CHANGE : VOLO_ANSWER_GO_ON);
}

void
volo__passage_answer(volo_cx *cx, const volo_answer *answer)
{
    struct volo__passage *passage = cx->passage;

    if (passage->leaving) {
        change(cx, passage, answer);
    } else {
        passage->state = answer->user;
        passage->state_free = answer->release;
    }
}

void
volo__passage_arrives(struct volo__task *task)
{
    volo__passage_go(
        (volo_cx *)(void *)((char *)task - offsetof(volo_cx, resume_task)));
}

void
volo__passage_fail(struct volo__passage *passage)
{
    volo_cx *cx = passage->waiting.cx;

    lose(cx, passage);
    cx->resume_task.run = volo__passage_arrives;
    if (volo__here == cx->home)
        volo__passage_go(cx);
    else
        volo__home_post(cx->home, &cx->resume_task);
}

static void
nobody_waits(volo_cx *cx, void *user)
{
    (void)user;
    volo__cx_fail(cx, 503);
}

/* What is inside may have gone with the server, where nobody waits any more;
 * the layer sees all the same that it is over. */
static void
go_in(volo_cx *cx, struct volo__passage *passage)
{
    struct volo_next nowhere = {NULL, nobody_waits, NULL};

    if (cx->detached)
        volo_next_run(&nowhere, cx, come_back, passage);
    else
        volo_next_run(passage->next, cx, come_back, passage);
}

void
volo__passage_go(volo_cx *cx)
{
    struct volo__passage *passage = cx->passage;

    cx->passage = NULL;
    if (passage->leaving) {
        cx->suspended = 0;
        close_replaced_stream(cx);
        volo__cx_answered(cx);
    } else {
        go_in(cx, passage);
    }
    volo_cx_unref(cx);
}

/* ---- Making one ---------------------------------------------------------- */

int
volo_queue_layer(volo_layer **out, volo_queue *queue, void *user,
                 volo_free_fn user_free)
{
    struct layer *layer = NULL;
    int err = out && queue ? 0 : VOLO_EINVAL;

    if (!err) {
        layer = volo__malloc(sizeof *layer);
        if (!layer)
            err = VOLO_ENOMEM;
    }
    if (err) {
        if (user_free)
            user_free(user);
        return err;
    }
    atomic_init(&layer->refs, 1);
    layer->queue = queue;
    layer->user = user;
    layer->user_free = user_free;
    volo__queue_keep(queue);
    return volo_layer_new(out, come_in, layer, layer_drop);
}
