/* SPDX-License-Identifier: Apache-2.0 */
/* Building services, and asking them for things without a body. */
#include "torture.h"

#include <pthread.h>

static void
hello(volo_cx *cx, void *user)
{
    volo_reply_text(cx, user);
}

static void
pass_out(volo_cx *cx, void *frame)
{
    (void)frame;
    volo_cx_set_header(cx, "X-Passed", VOLO_STR("yes"));
}

static void
pass(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, pass_out, user);
}

/* ---- Building ------------------------------------------------------------ */

static int freed;
static int passing; /* in a layer, and gone on */

static void
count_free(void *user)
{
    (void)user;
    freed++;
}

static int
add_nested(volo_router *router)
{
    volo_router *inner;
    int err = volo_router_new(&inner);

    if (err)
        return err;
    err = volo_router_layer(inner, pass, NULL, NULL);
    if (!err)
        err = volo_router_get(inner, "/{name}", hello, "nested");
    if (!err)
        err = volo_router_nest(router, "/in/{where}", inner);
    volo_router_unref(inner);
    return err;
}

static int
fill(volo_router *router)
{
    volo_route *route;
    volo_service *service;
    volo_router *group;
    int err = volo_router_get(router, "/hello", hello, "hello");

    if (!err)
        err = volo_router_get(router, "/files/{*rest}", hello, "file");
    if (!err)
        err = volo_router_layer(router, pass, NULL, NULL);
    if (!err)
        err = volo_router_group(&group, router, "/group");
    if (!err)
        err = volo_router_post(group, "/img-{id}.png", hello, "image");
    if (!err)
        err = add_nested(router);
    if (!err)
        err = volo_service_new(&service, hello, "named", NULL);
    if (err)
        return err;
    err = volo_router_route(&route, router, "PURGE", "/cache/{key}", service);
    if (!err)
        err = volo_route_name(route, "purge");
    volo_service_unref(service);
    return err;
}

static int
with_router(const char *path, const char *body)
{
    volo_router *router;
    int err = volo_router_new(&router);

    if (err)
        return err;
    err = fill(router);
    if (!err)
        err = volo_service_freeze(volo_router_service(router));
    if (!err && path)
        err = torture_get(volo_router_service(router), path, body);
    volo_router_unref(router);
    return err;
}

static int
play_build(void)
{
    return with_router(NULL, NULL);
}

static int
play_hello(void)
{
    return with_router("/hello", "hello");
}

static int
play_nested(void)
{
    return with_router("/in/a%20b/c", "nested");
}

/* user_free is called exactly once, whatever fails. */
static int
play_user_free(void)
{
    volo_router *router;
    int err = volo_router_new(&router);

    if (err)
        return err;
    freed = 0;
    err = volo_router_handle(router, VOLO_GET, "/a", hello, "a", count_free);
    if (freed != (err ? 1 : 0))
        torture_fail("user_free of a route");
    freed = 0;
    if (!err) {
        err = volo_router_layer(router, pass, NULL, count_free);
        if (freed != (err ? 1 : 0))
            torture_fail("user_free of a layer");
    }
    volo_router_unref(router);
    return err;
}

/* ---- JSON ---------------------------------------------------------------- */

static void
json(volo_cx *cx, void *user)
{
    volo_json *doc, *list;
    int err = volo_json_object(&doc, cx);

    (void)user;
    if (!err)
        err = volo_json_set_str(doc, "message", VOLO_STR("hello"));
    if (!err)
        err = volo_json_set_array(&list, doc, "list");
    if (!err)
        err = volo_json_set_i64(list, NULL, 1);
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_json(cx, doc);
}

static int
with_service(volo_service_fn fn, void *user, const char *path, const char *body)
{
    volo_service *service;
    int err = volo_service_new(&service, fn, user, NULL);

    if (err)
        return err;
    err = torture_get(service, path, body);
    volo_service_unref(service);
    return err;
}

static int
play_json(void)
{
    return with_service(json, NULL, "/",
                        "{\"message\":\"hello\",\"list\":[1]}");
}

/* ---- Answers that come later --------------------------------------------- */

static void
answer_later(volo_cx *cx, void *user)
{
    volo_reply_text(cx, user);
    volo_cx_unref(cx);
}

static void
posted(volo_cx *cx, void *user)
{
    volo_cx_ref(cx);
    if (volo_cx_post(cx, answer_later, user))
        volo_cx_unref(cx);
}

static int
play_posted(void)
{
    return with_service(posted, "posted", "/", "posted");
}

static void
fire(void *user)
{
    volo_reply_text(user, "timer");
}

static void
unref_cx(void *user)
{
    volo_cx_unref(user);
}

static void
timed(volo_cx *cx, void *user)
{
    (void)user;
    if (volo_timer_start(NULL, volo_cx_loop(cx), 1, fire, volo_cx_ref(cx),
                         unref_cx))
        volo_reply_error(cx, VOLO_ENOMEM);
}

static int
play_timer(void)
{
    return with_service(timed, NULL, "/", "timer");
}

/* ---- The queue ----------------------------------------------------------- */

static void *
take(void *user)
{
    volo_queue *queue = user;
    volo_job jobs[4];
    volo_answer answer;
    int i, n;

    while ((n = volo_queue_take(queue, jobs, sizeof *jobs, 4, -1)) >= 0) {
        for (i = 0; i < n; i++) {
            memset(&answer, 0, sizeof answer);
            answer.cx = jobs[i].cx;
            answer.body = VOLO_STR("queued");
            volo_queue_answer(queue, &answer, sizeof answer, 1);
        }
    }
    return NULL;
}

static int
with_queue(volo_queue *queue)
{
    volo_service *service;
    pthread_t thread;
    int err = volo_queue_service(&service, queue, NULL, NULL);

    if (err)
        return err;
    if (pthread_create(&thread, NULL, take, queue))
        torture_fail("no thread");
    err = torture_get(service, "/", "queued");
    volo_queue_close(queue);
    pthread_join(thread, NULL);
    volo_service_unref(service);
    return err;
}

static int
play_queue(void)
{
    volo_queue *queue;
    int err = volo_queue_new(&queue, 4);

    if (err)
        return err;
    err = with_queue(queue);
    volo_queue_unref(queue);
    return err;
}

/* In, with something to be released if it does not come back, and out. */
static void
pass_through(const volo_job *job, volo_answer *answer)
{
    static const volo_pair line = {{"x-out", 5}, {"yes", 3}, 0, 0};

    if (job->kind == VOLO_JOB_ENTER) {
        answer->kind = VOLO_ANSWER_GO_ON;
        answer->user = (void *)(uintptr_t)job;
        answer->release = count_free;
        passing++;
        return;
    }
    if (!job->state)
        torture_fail("the state of a layer");
    passing--;
    answer->kind = VOLO_ANSWER_CHANGE;
    answer->headers = &line;
    answer->header_count = 1;
    answer->body = job->status == 200 ? VOLO_STR("changed") : job->body;
}

static void *
pass_all(void *user)
{
    volo_queue *queue = user;
    volo_answer answer;
    volo_job job;

    while (volo_queue_take(queue, &job, sizeof job, 1, -1) >= 0) {
        memset(&answer, 0, sizeof answer);
        answer.cx = job.cx;
        pass_through(&job, &answer);
        volo_queue_answer(queue, &answer, sizeof answer, 1);
    }
    return NULL;
}

static int
ask_through(volo_service *service, volo_queue *queue)
{
    pthread_t thread;
    int err;

    if (pthread_create(&thread, NULL, pass_all, queue))
        torture_fail("no thread");
    err = torture_get(service, "/", "changed");
    volo_queue_close(queue);
    pthread_join(thread, NULL);
    return err;
}

static int
in_queue_layers(volo_service *service, volo_queue *queue)
{
    volo_layer *layer;
    int err = volo_service_layer(service, pass, NULL, NULL);

    if (!err)
        err = volo_queue_layer(&layer, queue, NULL, NULL);
    if (err)
        return err;
    err = volo_service_add_layer(service, layer);
    if (!err)
        err = volo_service_add_layer(service, layer);
    if (!err)
        err = ask_through(service, queue);
    volo_layer_unref(layer);
    return err;
}

static int
play_queue_layer(void)
{
    volo_service *service;
    volo_queue *queue;
    int err = volo_queue_new(&queue, 4);

    if (err)
        return err;
    freed = passing = 0;
    err = volo_service_new(&service, hello, "hello", NULL);
    if (!err) {
        err = in_queue_layers(service, queue);
        volo_service_unref(service);
    }
    volo_queue_unref(queue);
    if (passing != freed)
        torture_fail("a layer that went on has not come back");
    return err;
}

/* ---- Stock layers -------------------------------------------------------- */

static void
log_line(volo_str line, void *user)
{
    (void)line;
    (void)user;
}

static int
make_cors(volo_layer **out)
{
    volo_cors *cors;
    int err = volo_cors_new(&cors);

    if (err)
        return err;
    err = volo_cors_origin(cors, "https://example.com");
    if (!err)
        err = volo_layer_cors(out, cors);
    volo_cors_free(cors);
    return err;
}

static int
make_layer(volo_layer **out, int which)
{
    switch (which) {
    case 0:
        return volo_layer_access_log(out, VOLO_LOG_JSON, log_line, NULL, NULL);
    case 1:
        return volo_layer_request_id(out, NULL, 1);
    case 2:
        return volo_layer_timeout(out, 5000, 0);
    case 3:
        return volo_layer_etag(out, 0);
    case 4:
        return volo_layer_secure_headers(out, 60, "default-src 'self'");
    case 5:
        return volo_layer_client_ip(out, "127.0.0.1", NULL);
    case 6:
        return volo_layer_concurrency(out, 2, 2);
    case 7:
        return volo_layer_body_limit(out, 100);
    default:
        return make_cors(out);
    }
}

static int
play_layers(void)
{
    volo_service *service;
    volo_layer *layer;
    int i, err = volo_service_new(&service, hello, "layered", NULL);

    if (err)
        return err;
    for (i = 0; !err && i < 9; i++) {
        err = make_layer(&layer, i);
        if (!err) {
            err = volo_service_add_layer(service, layer);
            volo_layer_unref(layer);
        }
    }
    if (!err)
        err = torture_get(service, "/", "layered");
    volo_service_unref(service);
    return err;
}

const struct torture_scenario torture_services[] = {
    {"a router is built", play_build},
    {"user_free is called once", play_user_free},
    {"hello", play_hello},
    {"a nested route with parameters", play_nested},
    {"json", play_json},
    {"an answer that was posted", play_posted},
    {"an answer from a timer", play_timer},
    {"an answer from a queue", play_queue},
    {"layers of a queue", play_queue_layer},
    {"every stock layer", play_layers},
    {NULL, NULL},
};
