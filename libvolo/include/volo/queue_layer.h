/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that are run by the threads which take from a queue: for layers in
 * another language that stand outside something that is not in it.  Each costs
 * two ways through the queue; where all that it wraps is in that language too,
 * it is cheaper to call one another there.
 *
 * Each exchange is a job twice.
 *
 * VOLO_JOB_ENTER: it comes in, its body unread.
 *   VOLO_ANSWER_REPLY answers it in the place of what is inside.
 *   VOLO_ANSWER_GO_ON goes on to that; VOLO_JOB_LEAVE follows, also if the
 *   client leaves, with ${user} of the answer as its state.  If that job can't
 *   be, ${release} of the answer is called with ${user} instead, any thread.
 *   Let go of with volo_cx_unref(), it is 500.
 *
 * VOLO_JOB_LEAVE: the response comes back.  VOLO_ANSWER_CHANGE lets it leave,
 *   with the status of the answer if that is not 0, its content if there is a
 *   body (a stream is ended then), its lines in the place of those in the job
 *   unless its headers are NULL; or as the setters of volo/response.h have
 *   made it.  Of an upgrade only lines can be changed.
 *   Let go of, it leaves as it is, once nobody else has the cx.
 *
 * Where a job finds no room in the queue, no memory, or a queue that is closed,
 * the response is 503: nothing passes a layer that has not seen it.
 */
#ifndef VOLO_QUEUE_LAYER_H
#define VOLO_QUEUE_LAYER_H

#include <volo/queue.h>
#include <volo/service.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_queue_layer(out, queue, user, user_free):
 * A layer that is run by who takes from ${queue}, with ${user} as the route of
 * its jobs.  It takes no reference, as with volo_queue_service().
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_queue_layer(volo_layer **out, volo_queue *queue, void *user,
                              volo_free_fn user_free);

#ifdef __cplusplus
}
#endif

#endif
