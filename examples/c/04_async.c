/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers from a thread pool: a loop must not block, so work that takes long
 * goes on a queue, from which threads take batches and answer them.
 *
 *     curl localhost:8080/fib/38        some tenths of a second
 *     curl localhost:8080/              meanwhile, at once
 */
#include "serve.h"

#include <pthread.h>

enum { THREADS = 4, BATCH = 16 };

static void
home(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "try /fib/38\n");
}

/* Slow on purpose. */
static uint64_t
fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* The job carries all of the request; its cx is ours until it is answered. */
static void
answer(volo_queue *queue, const volo_job *job)
{
    volo_answer out;
    volo_str n = job->params[0].value;
    char text[32];
    unsigned value = 0;
    size_t i;

    memset(&out, 0, sizeof out);
    out.cx = job->cx;
    for (i = 0; i < n.len && n.ptr[i] >= '0' && n.ptr[i] <= '9' && i < 3; i++)
        value = 10 * value + (unsigned)(n.ptr[i] - '0');
    if (i < n.len || value > 40) {
        out.status = 422;
        out.body = VOLO_STR("a number up to 40, please\n");
    } else {
        snprintf(text, sizeof text, "%llu\n", (unsigned long long)fib(value));
        out.body = volo_str_of(text);
    }
    volo_queue_answer(queue, &out, sizeof out, 1);
}

static void *
work(void *user)
{
    volo_queue *queue = user;
    volo_job jobs[BATCH];
    int i, n;

    while ((n = volo_queue_take(queue, jobs, sizeof *jobs, BATCH, -1)) >= 0)
        for (i = 0; i < n; i++)
            answer(queue, &jobs[i]);
    return NULL;
}

static int
add_routes(volo_router *router, volo_queue *queue)
{
    volo_service *service;
    int err = volo_queue_service(&service, queue, NULL, NULL);

    if (err)
        return err;
    err = volo_router_route(NULL, router, "GET", "/fib/{n}", service);
    volo_service_unref(service);
    if (!err)
        err = volo_router_get(router, "/", home, NULL);
    return err;
}

static int
serve(volo_router *router, volo_queue *queue, int argc, char **argv)
{
    pthread_t threads[THREADS];
    int i, started = 0, code;

    while (started < THREADS &&
           !pthread_create(&threads[started], NULL, work, queue))
        started++;
    code = example_serve(router, argc, argv);

    /* Closing ends volo_queue_take() with an error once all is taken. */
    volo_queue_close(queue);
    for (i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return code;
}

int
main(int argc, char **argv)
{
    volo_router *router = NULL;
    volo_queue *queue = NULL;
    int code, err = volo_queue_new(&queue, 1024);

    if (!err)
        err = volo_router_new(&router);
    if (!err)
        err = add_routes(router, queue);
    code = err ? example_failed(router, err) : serve(router, queue, argc, argv);
    volo_queue_unref(queue);
    return code;
}
