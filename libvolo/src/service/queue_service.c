/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services in front of a queue and of a batch function.  Each exchange
 * holds its route until it dies, so that what a job points to outlives it,
 * whatever becomes of service and server.
 */
#include "service/queue_layer.h"

#include "base/alloc.h"

/* What exchanges of one service have in common. */
struct route {
    atomic_int refs; /* the service, and each of its exchanges */
    int streaming;
    volo_queue *queue; /* NULL: a batch function's */
    volo_batch_fn fn;
    void *user;
    volo_free_fn user_free;
    void *job_route;
    _Atomic(struct volo__gate *) gates; /* of a batch function */
};

/* Where an exchange keeps its route alive. */
static const char route_key;

static void
route_keep(void *user)
{
    struct route *route = user;

    atomic_fetch_add_explicit(&route->refs, 1, memory_order_relaxed);
}

static void
route_drop(void *user)
{
    struct route *route = user;

    if (atomic_fetch_sub_explicit(&route->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (route->user_free)
        route->user_free(route->user);
    if (route->queue)
        volo__queue_drop(route->queue);
    volo__gates_free(&route->gates);
    volo__free(route);
}

/* ---- Passing on ---------------------------------------------------------- */

static void
queue_keep(void *owner)
{
    volo__queue_keep(owner);
}

static void
queue_drop(void *owner)
{
    volo__queue_drop(owner);
}

static void
pass_to_queue(struct volo__gate *gate, struct volo__waiting *list)
{
    volo__queue_put(gate->owner, list);
}

/* Room for one descriptor more. */
static int
grow(struct volo__gate *gate, size_t n)
{
    size_t cap = gate->job_cap ? 2 * gate->job_cap : 64;
    volo_job *jobs;

    if (n < gate->job_cap)
        return 1;
    jobs = volo__realloc(gate->jobs, cap * sizeof *jobs);
    if (!jobs)
        return 0;
    gate->jobs = jobs;
    gate->job_cap = cap;
    return 1;
}

static void
pass_to_function(struct volo__gate *gate, struct volo__waiting *list)
{
    struct route *route = gate->owner;
    struct volo__waiting *next;
    size_t n = 0;

    for (; list; list = next) {
        next = list->next;
        if (volo_cx_is_canceled(list->cx))
            volo_cx_unref(list->cx);
        else if (!grow(gate, n))
            volo__waiting_fail(list);
        else
            volo__job_fill(&gate->jobs[n++], list);
    }
    if (n)
        route->fn(gate->jobs, n, route->user);
}

/* Whose it is, if it is new; NULL stays NULL. */
static struct volo__gate *
made(struct volo__gate *gate, void *owner, void (*keep)(void *owner),
     void (*drop)(void *owner),
     void (*pass)(struct volo__gate *gate, struct volo__waiting *list))
{
    if (!gate || gate->owner)
        return gate;
    gate->owner = owner;
    gate->keep = keep;
    gate->drop = drop;
    gate->pass = pass;
    return gate;
}

struct volo__gate *
volo__queue_gate(volo_queue *queue, struct volo__home *home)
{
    return made(volo__gate_of(&queue->gates, home), queue, queue_keep,
                queue_drop, pass_to_queue);
}

static struct volo__gate *
gate_for(struct route *route, struct volo__home *home)
{
    if (route->queue)
        return volo__queue_gate(route->queue, home);
    return made(volo__gate_of(&route->gates, home), route, route_keep,
                route_drop, pass_to_function);
}

/* ---- Serving ------------------------------------------------------------- */

static void
put_aside(volo_cx *cx, struct route *route, volo_str body)
{
    struct volo__gate *gate = gate_for(route, cx->home);
    struct volo__waiting *waiting;

    waiting = gate ? volo__waiting_new(cx, route->job_route, body) : NULL;
    if (waiting)
        volo__gate_add(gate, waiting);
    else
        volo__cx_fail(cx, 503);
}

static void
on_body(volo_cx *cx, int err, volo_str body, void *user)
{
    if (err)
        volo__cx_fail(cx, volo_error_status(err));
    else
        put_aside(cx, user, body);
}

static void
serve(volo_cx *cx, void *user)
{
    struct route *route = user;
    int err;

    if (route->queue && atomic_load(&route->queue->closed)) {
        volo__cx_fail(cx, 503);
        return;
    }
    route_keep(route);
    err = volo_cx_set_ext(cx, &route_key, route, route_drop);
    if (!err && route->streaming)
        put_aside(cx, route, volo_str_of(NULL));
    else if (!err)
        err = volo_cx_read_body(cx, on_body, route);
    if (err)
        volo__cx_fail(cx, volo_error_status(err));
}

/* ${user} is released on failure, and ${queue} is not held then. */
static int
service_new(volo_service **out, const struct route *like)
{
    struct route *route = NULL;
    int err = out && (like->queue || like->fn) ? 0 : VOLO_EINVAL;

    if (!err) {
        route = volo__malloc(sizeof *route);
        if (!route)
            err = VOLO_ENOMEM;
    }
    if (err) {
        if (like->user_free)
            like->user_free(like->user);
        return err;
    }
    *route = *like;
    atomic_init(&route->refs, 1);
    atomic_init(&route->gates, NULL);
    if (route->queue)
        volo__queue_keep(route->queue);
    return volo_service_new(out, serve, route, route_drop);
}

int
volo_queue_service(volo_service **out, volo_queue *queue, void *user,
                   volo_free_fn user_free)
{
    struct route like = {.queue = queue,
                         .user = user,
                         .user_free = user_free,
                         .job_route = user};

    return service_new(out, &like);
}

int
volo_queue_service_streaming(volo_service **out, volo_queue *queue, void *user,
                             volo_free_fn user_free)
{
    struct route like = {.queue = queue,
                         .streaming = 1,
                         .user = user,
                         .user_free = user_free,
                         .job_route = user};

    return service_new(out, &like);
}

int
volo_batch_service(volo_service **out, volo_batch_fn fn, void *user,
                   volo_free_fn user_free, void *job_route)
{
    struct route like = {
        .fn = fn, .user = user, .user_free = user_free, .job_route = job_route};

    return service_new(out, &like);
}
