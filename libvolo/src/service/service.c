/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services and the chains of layers around them: built, frozen into an array,
 * run.
 */
#include "service/service.h"

#include <string.h>

#include "base/alloc.h"
#include "http/problem.h"

int
volo__chain_new(struct volo_next **out, const struct volo__layers *const *lists,
                unsigned count, volo_service_fn fn, void *user)
{
    struct volo_next *chain, *link;
    size_t total = 1;
    unsigned i, k;

    for (i = 0; i < count; i++)
        total += lists[i]->count;
    chain = volo__calloc(total * sizeof *chain);
    if (!chain)
        return VOLO_ENOMEM;

    link = chain;
    for (i = 0; i < count; i++) {
        for (k = 0; k < lists[i]->count; k++, link++) {
            link->layer = lists[i]->v[k]->fn;
            link->user = lists[i]->v[k]->user;
        }
    }
    link->service = fn;
    link->user = user;
    *out = chain;
    return 0;
}

static int
push_frame(volo_cx *cx, volo_response_fn fn, void *frame)
{
    struct volo__frame *more;

    if (cx->frame_count == cx->frame_cap) {
        if (cx->frame_cap > UINT16_MAX / 2)
            return VOLO_ENOMEM;
        more = volo__arena_alloc(&cx->arena, 2u * cx->frame_cap * sizeof *more);
        if (!more)
            return VOLO_ENOMEM;
        memcpy(more, cx->frames, cx->frame_count * sizeof *more);
        cx->frames = more;
        cx->frame_cap = (uint16_t)(2 * cx->frame_cap);
    }
    cx->frames[cx->frame_count].fn = fn;
    cx->frames[cx->frame_count].frame = frame;
    cx->frame_count++;
    return 0;
}

void
volo_next_run(volo_next *next, volo_cx *cx, volo_response_fn on_response,
              void *frame)
{
    if (on_response && push_frame(cx, on_response, frame)) {
        volo__next_fail(cx, on_response, frame);
        return;
    }
    volo__chain_run(next, cx);
}

/* The layer that could not go on sees the 503 as any other response. */
void
volo__next_fail(volo_cx *cx, volo_response_fn on_response, void *frame)
{
    if (!volo_cx_is_answered(cx))
        volo__problem_set(cx, 503, NULL, NULL, 0);
    if (on_response)
        on_response(cx, frame);
    volo_cx_answer(cx);
}

void
volo__service_init(volo_service *service, volo_service_fn fn, void *user)
{
    memset(service, 0, sizeof *service);
    atomic_init(&service->refs, 1);
    service->fn = fn;
    service->user = user;
}

void
volo__service_fini(volo_service *service)
{
    if (service->user_free)
        service->user_free(service->user);
    volo__layers_clear(&service->layers);
    volo__free(service->chain);
    service->chain = NULL;
}

int
volo_service_new(volo_service **out, volo_service_fn fn, void *user,
                 volo_free_fn user_free)
{
    volo_service *service = NULL;
    int err = fn ? 0 : VOLO_EINVAL;

    if (!err) {
        service = volo__malloc(sizeof *service);
        if (!service)
            err = VOLO_ENOMEM;
    }
    if (err) {
        if (user_free)
            user_free(user);
        return err;
    }
    volo__service_init(service, fn, user);
    service->user_free = user_free;
    *out = service;
    return 0;
}

volo_service *
volo_service_ref(volo_service *service)
{
    if (service->outer)
        service->outer_ref(service->outer);
    else
        atomic_fetch_add_explicit(&service->refs, 1, memory_order_relaxed);
    return service;
}

void
volo_service_unref(volo_service *service)
{
    if (!service)
        return;
    if (service->outer) {
        service->outer_unref(service->outer);
        return;
    }
    if (atomic_fetch_sub_explicit(&service->refs, 1, memory_order_acq_rel) != 1)
        return;
    volo__service_fini(service);
    volo__free(service);
}

int
volo_service_add_layer(volo_service *service, volo_layer *layer)
{
    if (!service || !layer)
        return VOLO_EINVAL;
    if (service->frozen)
        return VOLO_EBUSY;
    return volo__layers_add(&service->layers, layer);
}

int
volo_service_layer(volo_service *service, volo_layer_fn fn, void *user,
                   volo_free_fn user_free)
{
    volo_layer *layer;
    int err = volo_layer_new(&layer, fn, user, user_free);

    if (err)
        return err;
    err = volo_service_add_layer(service, layer);
    volo_layer_unref(layer);
    return err;
}

int
volo_service_freeze(volo_service *service)
{
    const struct volo__layers *list = &service->layers;
    int err;

    if (service->frozen == 2)
        return 0;
    if (service->frozen == 1)
        return VOLO_ELOOP; /* it is being frozen further up: it holds itself */

    service->frozen = 1;
    err = service->freeze ? service->freeze(service) : 0;
    if (!err)
        err = volo__chain_new(&service->chain, &list, 1, service->fn,
                              service->user);
    service->frozen = err ? 0 : 2;
    return err;
}

void
volo_service_call(volo_service *service, volo_cx *cx)
{
    if (service->frozen != 2 && volo_service_freeze(service) != 0) {
        volo__cx_fail(cx, 503);
        return;
    }
    volo__chain_run(service->chain, cx);
}

int
volo__states_add(struct volo__ext **list, const void *key, void *value,
                 volo_free_fn value_free)
{
    struct volo__ext *state = volo__malloc(sizeof *state);

    if (!state) {
        if (value_free)
            value_free(value);
        return VOLO_ENOMEM;
    }
    state->next = *list;
    state->key = key;
    state->value = value;
    state->value_free = value_free;
    *list = state;
    return 0;
}

void
volo__states_free(struct volo__ext **list)
{
    struct volo__ext *state;

    while ((state = *list) != NULL) {
        *list = state->next;
        if (state->value_free)
            state->value_free(state->value);
        volo__free(state);
    }
}

int
volo__cx_push_scope(volo_cx *cx, const struct volo__ext *states)
{
    struct volo__scope_link *link = volo__arena_alloc(&cx->arena, sizeof *link);

    if (!link)
        return VOLO_ENOMEM;
    link->outer = cx->scopes;
    link->states = states;
    cx->scopes = link;
    return 0;
}
