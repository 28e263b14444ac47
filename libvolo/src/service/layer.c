/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as values, and those made from simpler functions. */
#include "base/alloc.h"
#include "service/service.h"

int
volo__layers_add(struct volo__layers *l, volo_layer *layer)
{
    volo_layer **more;
    unsigned cap;

    if (l->count == l->cap) {
        cap = l->cap ? 2 * l->cap : 4;
        more = volo__realloc(l->v, cap * sizeof(volo_layer *));
        if (!more)
            return VOLO_ENOMEM;
        l->v = more;
        l->cap = cap;
    }
    l->v[l->count++] = volo_layer_ref(layer);
    return 0;
}

void
volo__layers_clear(struct volo__layers *l)
{
    while (l->count > 0)
        volo_layer_unref(l->v[--l->count]);
    volo__free(l->v);
    l->v = NULL;
    l->cap = 0;
}

int
volo_layer_new(volo_layer **out, volo_layer_fn fn, void *user,
               volo_free_fn user_free)
{
    volo_layer *layer = NULL;
    int err = fn ? 0 : VOLO_EINVAL;

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
    layer->fn = fn;
    layer->user = user;
    layer->user_free = user_free;
    *out = layer;
    return 0;
}

volo_layer *
volo_layer_ref(volo_layer *layer)
{
    atomic_fetch_add_explicit(&layer->refs, 1, memory_order_relaxed);
    return layer;
}

void
volo_layer_unref(volo_layer *layer)
{
    if (!layer ||
        atomic_fetch_sub_explicit(&layer->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (layer->user_free)
        layer->user_free(layer->user);
    volo__free(layer);
}

void
volo_layer_run(volo_layer *layer, volo_cx *cx, volo_next *next)
{
    layer->fn(cx, next, layer->user);
}

/* What the three layers below carry. */
struct adapter {
    volo_service_fn request;
    volo_response_fn response;
    volo_guard_fn guard;
    void *user;
    volo_free_fn user_free;
    volo_layer *inner;
};

static void
adapter_free(void *user)
{
    struct adapter *a = user;

    if (a->user_free)
        a->user_free(a->user);
    volo_layer_unref(a->inner);
    volo__free(a);
}

/* ${a} is copied; its user is freed on failure, ${inner} keeps its owner. */
static int
adapter_layer(volo_layer **out, volo_layer_fn fn, const struct adapter *a)
{
    struct adapter *copy = NULL;
    int err = VOLO_EINVAL;

    if (a->request || a->response || (a->guard && a->inner)) {
        copy = volo__malloc(sizeof *copy);
        err = copy ? 0 : VOLO_ENOMEM;
    }
    if (err) {
        if (a->user_free)
            a->user_free(a->user);
        return err;
    }
    *copy = *a;
    if (copy->inner)
        volo_layer_ref(copy->inner);
    return volo_layer_new(out, fn, copy, adapter_free);
}

static void
map_request(volo_cx *cx, volo_next *next, void *user)
{
    struct adapter *a = user;

    a->request(cx, a->user);
    if (!volo_cx_is_answered(cx))
        volo_next_run(next, cx, NULL, NULL);
}

int
volo_layer_map_request(volo_layer **out, volo_service_fn fn, void *user,
                       volo_free_fn user_free)
{
    struct adapter a = {.request = fn, .user = user, .user_free = user_free};

    return adapter_layer(out, map_request, &a);
}

static void
response_back(volo_cx *cx, void *frame)
{
    struct adapter *a = frame;

    a->response(cx, a->user);
}

static void
map_response(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, response_back, user);
}

int
volo_layer_map_response(volo_layer **out, volo_response_fn fn, void *user,
                        volo_free_fn user_free)
{
    struct adapter a = {.response = fn, .user = user, .user_free = user_free};

    return adapter_layer(out, map_response, &a);
}

static void
when(volo_cx *cx, volo_next *next, void *user)
{
    struct adapter *a = user;

    if (a->guard(cx, a->user))
        volo_layer_run(a->inner, cx, next);
    else
        volo_next_run(next, cx, NULL, NULL);
}

int
volo_layer_when(volo_layer **out, volo_guard_fn guard, void *user,
                volo_free_fn user_free, volo_layer *inner)
{
    struct adapter a = {
        .guard = guard, .user = user, .user_free = user_free, .inner = inner};

    return adapter_layer(out, when, &a);
}
