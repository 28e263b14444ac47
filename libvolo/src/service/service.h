/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services and chains from inside.  A chain is an array of links that ends in
 * a link without a layer; a volo_next is a pointer into it, so that going on
 * costs no memory and may happen later.
 */
#ifndef VOLO_SERVICE_SERVICE_H
#define VOLO_SERVICE_SERVICE_H

#include <stdatomic.h>

#include <volo/service.h>

#include "http/cx.h"

struct volo_layer {
    atomic_int refs;
    volo_layer_fn fn;
    void *user;
    volo_free_fn user_free;
};

/* One step: a layer, or, at the end, a service. */
struct volo_next {
    volo_layer_fn layer; /* NULL at the end */
    volo_service_fn service;
    void *user;
};

/* Layers in order, while they are being added. */
struct volo__layers {
    volo_layer **v;
    unsigned count;
    unsigned cap;
};

struct volo_service {
    atomic_int refs;
    volo_service_fn fn;
    void *user;
    volo_free_fn user_free;
    struct volo__layers layers;
    struct volo_next *chain; /* made when frozen */
    int frozen;              /* 0, 1 while freezing, 2 */
    /* A service that contains others freezes them here; may be NULL. */
    int (*freeze)(volo_service *service);
    /* What refs are really held on, if embedded; else NULL. */
    void *outer;
    void (*outer_ref)(void *outer);
    void (*outer_unref)(void *outer);
};

/* volo__layers_add(l, layer): append, taking a reference.  VOLO_ENOMEM. */
int volo__layers_add(struct volo__layers *l, volo_layer *layer);

/* volo__layers_clear(l): drop them all. */
void volo__layers_clear(struct volo__layers *l);

/*
 * volo__chain_new(out, lists, count, fn, user):
 * One array from the ${count} lists of layers, outermost first, ending in
 * ${fn} with ${user}.  It borrows the layers.  Free with volo__free().
 * VOLO_ENOMEM.
 */
int volo__chain_new(struct volo_next **out,
                    const struct volo__layers *const *lists, unsigned count,
                    volo_service_fn fn, void *user);

/* volo__chain_run(chain, cx): from its first link. */
static inline void
volo__chain_run(const struct volo_next *chain, volo_cx *cx)
{
    if (chain->layer)
        chain->layer(cx, (volo_next *)(uintptr_t)(chain + 1), chain->user);
    else
        chain->service(cx, chain->user);
}

/* volo__service_init(s, fn, user): one that is embedded in something else. */
void volo__service_init(volo_service *service, volo_service_fn fn, void *user);

/* volo__service_fini(s): free what it holds, not itself. */
void volo__service_fini(volo_service *service);

/*
 * volo__cx_serve(cx, service): the door from server and test client: call
 * ${service} (frozen) with a fresh ${cx} and then give up the chain's
 * reference: unanswered and unowned, it is answered with 500.
 */
void volo__cx_serve(volo_cx *cx, volo_service *service);

/* volo__cx_fail(cx, status): answer with ${status}, an empty body, in place of
 * whatever was being made.  For errors below the reply room. */
void volo__cx_fail(volo_cx *cx, int status);

/* volo__cx_answered(cx): the second half of volo_cx_answer(), on the home's
 * thread, for who has set the state to VOLO__ANSWERED himself: the response
 * passes the layers and leaves. */
void volo__cx_answered(volo_cx *cx);

/* volo__next_fail(cx, on_response, frame): going on failed for lack of memory:
 * answer 503, seen by ${on_response} as any response. */
void volo__next_fail(volo_cx *cx, volo_response_fn on_response, void *frame);

/* volo__states_add(list, key, value, value_free): a state, for
 * volo__cx_push_scope(); ${value} is released also on failure.  VOLO_ENOMEM. */
int volo__states_add(struct volo__ext **list, const void *key, void *value,
                     volo_free_fn value_free);

/* volo__states_free(list): all of them; it is empty then. */
void volo__states_free(struct volo__ext **list);

/* volo__cx_push_scope(cx, states): states found by volo_cx_ext() from now on,
 * before those of outer scopes.  VOLO_ENOMEM. */
int volo__cx_push_scope(volo_cx *cx, const struct volo__ext *states);

#endif
