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

    if (atomic_fetch_sub_explicit(&root->refs, 1, memory_order_acq_rel) != 1)
        return;
    volo__states_free(&root->states);
    volo__service_fini(&root->around);
    volo_service_unref(root->service);
    volo__free(root);
}
