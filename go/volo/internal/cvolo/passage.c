/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Middleware of Go around something of libvolo: a layer in a C router, whose
 * exchanges a goroutine has on their way in and out.
 */
#include "passage.h"

struct volo__go_layer {
    volo_layer *inner; /* NULL: straight on */
};

static void
layer_runs(volo_cx *cx, volo_next *next, void *user)
{
    struct volo__go_layer *layer = user;

    if (layer->inner)
        volo_layer_run(layer->inner, cx, next);
    else
        volo_next_run(next, cx, NULL, NULL);
}

static void
layer_free(void *user)
{
    struct volo__go_layer *layer = user;

    volo_layer_unref(layer->inner);
    volo__go_free(layer);
}

int
volo__go_layer_new(struct volo__go_layer **out, volo_layer **as)
{
    struct volo__go_layer *layer = volo__go_zalloc(sizeof *layer);
    int err;

    if (!layer)
        return VOLO_ENOMEM;
    err = volo_layer_new(as, layer_runs, layer, layer_free);
    if (!err)
        *out = layer;
    return err;
}

int
volo__go_layer_set(struct volo__go_layer *layer, volo_queue *queue,
                   uintptr_t route)
{
    volo_layer_unref(layer->inner);
    layer->inner = NULL;
    if (!queue)
        return 0;
    return volo_queue_layer(&layer->inner, queue, (void *)route, NULL);
}

/* ---- Going on ------------------------------------------------------------ */

static const char around_key;

static void
never_comes_back(void *note)
{
    volo__go_tell(note, VOLO__GO_GONE);
    volo__go_note_unref(note);
}

int
volo__go_go_on(volo_cx *cx, struct volo__go_note *note)
{
    volo_answer answer = {.cx = cx,
                          .kind = VOLO_ANSWER_GO_ON,
                          .release = never_comes_back,
                          .user = note};
    int err = volo_cx_set_ext(cx, &around_key, volo__go_note_ref(note),
                              volo__go_note_unref);

    if (!err)
        volo_queue_answer(NULL, &answer, sizeof answer, 1);
    return err;
}

struct volo__go_note *
volo__go_around(const volo_cx *cx)
{
    return volo_cx_ext(cx, &around_key);
}
