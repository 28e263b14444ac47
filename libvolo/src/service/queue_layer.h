/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers behind a queue from inside: what an exchange carries with it while
 * one of their jobs is out, and what an answer does with it then.
 */
#ifndef VOLO_SERVICE_QUEUE_LAYER_H
#define VOLO_SERVICE_QUEUE_LAYER_H

#include <volo/queue_layer.h>

#include "service/queue.h"

/*
 * The way of one exchange through one layer.  While its cx points to it, a
 * job of that layer is with a taker, or on its way there or back.
 */
struct volo__passage {
    struct volo__waiting waiting;
    volo_queue *queue;
    volo_next *next;
    int leaving;
    void *state; /* what the taker wants back */
    volo_free_fn state_free;
    volo_pair *outer; /* what layers outside had set when it came */
    uint32_t outer_count;
    volo_pair *lines; /* the other ones, when it leaves */
    uint32_t line_count;
};

/* volo__passage_describe(job, passage): what of a job is a layer's own. */
void volo__passage_describe(volo_job *job, const struct volo__passage *passage);

/* volo__passage_fail(passage): it could not be given to anybody. */
void volo__passage_fail(struct volo__passage *passage);

/* volo__passage_takes(passage, answer): whether it waits for one of that kind;
 * not if it is NULL. */
int volo__passage_takes(const struct volo__passage *passage,
                        const volo_answer *answer);

/* volo__passage_answer(cx, answer): on the taker's thread: keep what is to be
 * done, or change the response that is leaving. */
void volo__passage_answer(volo_cx *cx, const volo_answer *answer);

/* volo__passage_go(cx): after that, on its home, with the taker's reference,
 * which it gives back: further in, or further out. */
void volo__passage_go(volo_cx *cx);

/* volo__passage_arrives(task): the same as what the resume_task does. */
void volo__passage_arrives(struct volo__task *task);

/* volo__waiting_is_void(waiting): nobody has to see it any more. */
int volo__waiting_is_void(const struct volo__waiting *waiting);

/* volo__queue_gate(queue, home): the gate of ${home} to ${queue}; NULL if out
 * of memory (queue_service.c). */
struct volo__gate *volo__queue_gate(volo_queue *queue, struct volo__home *home);

/* volo__cx_put_lines(cx, answer): its field lines into ${cx}, beside what outer
 * layers have set there or in its place; half of them if that fails
 * (queue_answer.c). */
int volo__cx_put_lines(volo_cx *cx, const volo_answer *answer);

#endif
