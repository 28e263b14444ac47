/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: an access log and a request id around everything, a clock of our
 * own, and a group of routes behind a key and a timeout.
 *
 *     curl -i localhost:8080/
 *     curl -i localhost:8080/admin/             403
 *     curl -i -H 'X-Key: sesame' localhost:8080/admin/
 *     curl -i -H 'X-Key: sesame' localhost:8080/admin/never   504
 */
#include "serve.h"

static void
home(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "everybody may see this\n");
}

static void
admin(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "only who has the key sees this\n");
}

/* Told that nobody waits any more: whoever is at work can stop. */
static void
give_up(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_unref(cx);
}

/* Keeps the exchange and never answers: the timeout layer does. */
static void
never(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_ref(cx);
    if (volo_cx_on_cancel(cx, give_up, NULL, NULL))
        volo_cx_unref(cx);
}

/* The way out of clock(): the response can still be changed. */
static void
clock_stop(volo_cx *cx, void *frame)
{
    char text[64];
    uint64_t us = volo_cx_elapsed_us(cx);

    (void)frame;
    snprintf(text, sizeof text, "total;dur=%llu.%03llu",
             (unsigned long long)us / 1000, (unsigned long long)us % 1000);
    volo_cx_set_header(cx, "Server-Timing", volo_str_of(text));
}

/* A layer of our own: on with the request, and back with the response. */
static void
clock_start(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, clock_stop, user);
}

static int
has_key(volo_cx *cx, void *user)
{
    return volo_str_eq(volo_cx_header(cx, "X-Key"), volo_str_of(user));
}

/* Add a layer that was just made, and give up our own reference. */
static int
add(volo_router *router, int err, volo_layer *layer)
{
    if (!err) {
        err = volo_router_add_layer(router, layer);
        volo_layer_unref(layer);
    }
    return err;
}

static int
add_admin(volo_router *router)
{
    volo_router *group;
    volo_layer *layer = NULL;
    int err = volo_router_group(&group, router, "/admin");

    if (err)
        return err;
    err = volo_layer_filter(&layer, has_key, "sesame", NULL, 403);
    err = add(group, err, layer);
    if (!err)
        err = volo_layer_timeout(&layer, 200, 504);
    err = add(group, err, layer);
    if (!err)
        err = volo_router_get(group, "/", admin, NULL);
    if (!err)
        err = volo_router_get(group, "/never", never, NULL);
    return err;
}

/* The first layer added is the outermost, and all of them wrap every route,
 * also those that are added later. */
static int
add_layers(volo_router *router)
{
    volo_layer *layer = NULL;
    int err = volo_layer_access_log_fd(&layer, VOLO_LOG_COMMON, 1);

    err = add(router, err, layer);
    if (!err)
        err = volo_layer_request_id(&layer, NULL, 0);
    err = add(router, err, layer);
    if (!err)
        err = volo_router_layer(router, clock_start, NULL, NULL);
    return err;
}

int
main(int argc, char **argv)
{
    volo_router *router = NULL;
    int err = volo_router_new(&router);

    if (!err)
        err = add_layers(router);
    if (!err)
        err = volo_router_get(router, "/", home, NULL);
    if (!err)
        err = add_admin(router);
    if (err)
        return example_failed(router, err);
    return example_serve(router, argc, argv);
}
