/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A streamed response that is pulled: a function is asked for more whenever
 * there is room.  Written with the writer's public face but for the question
 * whether somebody must be told of room.
 */
#include "http/writer.h"

struct source {
    volo_writer *w;
    volo_source_fn fn;
    void *user;
    volo_free_fn user_free;
};

static void
source_free(void *user)
{
    struct source *source = user;

    if (source->user_free)
        source->user_free(source->user);
}

/* Ask until the queue is full, the source is dry, or it fails. */
static void
source_pull(volo_writer *w, int err, void *user)
{
    struct source *source = user;
    int rc = err;

    while (!err) {
        uint64_t before = w->written;

        rc = source->fn(w, source->user);
        if (rc != 1 || atomic_load(&w->closed))
            break;
        if (atomic_load(&w->pending) >= w->cx->write_limit) {
            atomic_store(&w->blocked, 1);
            if (atomic_load(&w->pending) >= w->cx->write_limit)
                return;
            atomic_store(&w->blocked, 0);
        } else if (w->written == before) {
            rc = VOLO_EINVAL; /* it promised more and wrote nothing */
            break;
        }
    }
    if (rc == 0 && !err)
        volo_writer_end(w);
    volo_writer_free(w);
}

/* Only from here on is it told of anything: a client that leaves before finds
 * nobody to call. */
static void
source_start(volo_cx *cx, void *user)
{
    struct source *source = user;

    (void)cx;
    volo_writer_on_drain(source->w, source_pull, source, source_free);
    source_pull(source->w, 0, source);
}

int
volo_cx_answer_source(volo_cx *cx, int64_t length, volo_source_fn fn,
                      void *user, volo_free_fn user_free)
{
    struct source *source = volo__arena_alloc(&cx->arena, sizeof *source);
    volo_writer *w;
    int err = source ? 0 : VOLO_ENOMEM;

    if (!err)
        err = volo_cx_answer_stream(&w, cx, length);
    if (err) {
        if (user_free)
            user_free(user);
        return err;
    }
    source->w = w;
    source->fn = fn;
    source->user = user;
    source->user_free = user_free;
    if (volo__here == cx->home) {
        source_start(cx, source);
    } else if (volo_cx_post(cx, source_start, source) != 0) {
        source_free(source);
        volo_writer_free(w);
    }
    return 0;
}
