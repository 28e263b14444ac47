/* SPDX-License-Identifier: Apache-2.0 */
/* Middleware of Go around something of libvolo (passage.c). */
#ifndef VOLO_GO_PASSAGE_H
#define VOLO_GO_PASSAGE_H

#include "go.h"

/* A layer that hands on to one whose jobs Go answers, or straight on: that is
 * known when a program starts, and anew when it starts again. */
struct volo__go_layer;

int volo__go_layer_new(struct volo__go_layer **layer, volo_layer **out);

/* volo__go_layer_set(layer, queue, route): put what comes on ${queue}, with a
 * number; NULL: let it pass.  While nothing runs. */
int volo__go_layer_set(struct volo__go_layer *layer, volo_queue *queue,
                       uintptr_t route);

/* volo__go_go_on(cx, note): from such a layer to what is inside, which finds
 * ${note} with volo__go_around().  VOLO_JOB_LEAVE has it as its state; where
 * that can't come, it is told VOLO__GO_GONE.  Takes over the references of
 * ${cx} and, then, of ${note}; not if it fails. */
int volo__go_go_on(volo_cx *cx, struct volo__go_note *note);

/* volo__go_around(cx): of the nearest such layer around; NULL if none. */
struct volo__go_note *volo__go_around(const volo_cx *cx);

#endif
