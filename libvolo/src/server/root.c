/* SPDX-License-Identifier: Apache-2.0 */
/* The service of a server with all that is around it, as one shared thing. */
#include "server/root.h"

#include "base/alloc.h"

static void
call_service(volo_cx *cx, void *user)
{
    volo_service_call(((struct volo__root *)user)->service, cx);
}

static int
freeze_service(volo_service *around)
{
    return volo_service_freeze(((struct volo__root *)around->user)->service);
}

int
volo__root_new(struct volo__root **out, volo_service *service)
{
    struct volo__root *root = volo__calloc(sizeof *root);

    if (!root)
        return VOLO_ENOMEM;
    atomic_init(&root->refs, 1);
    volo__service_init(&root->around, call_service, root);
    root->around.freeze = freeze_service;
    root->service = volo_service_ref(service);
    *out = root;
    return 0;
}

struct volo__root *
volo__root_ref(struct volo__root *root)
{
    atomic_fetch_add_explicit(&root->refs, 1, memory_order_relaxed);
    return root;
}

void
volo__root_unref(void *user)
{
    struct volo__root *root = user;
    struct volo__ext *state;

    if (atomic_fetch_sub_explicit(&root->refs, 1, memory_order_acq_rel) != 1)
        return;
    while ((state = root->states) != NULL) {
        root->states = state->next;
        if (state->value_free)
            state->value_free(state->value);
        volo__free(state);
    }
    volo__service_fini(&root->around);
    volo_service_unref(root->service);
    volo__free(root);
}

int
volo__root_set_state(struct volo__root *root, const void *key, void *value,
                     volo_free_fn value_free)
{
    struct volo__ext *state = volo__malloc(sizeof *state);

    if (!state) {
        if (value_free)
            value_free(value);
        return VOLO_ENOMEM;
    }
    state->next = root->states;
    state->key = key;
    state->value = value;
    state->value_free = value_free;
    root->states = state;
    return 0;
}
