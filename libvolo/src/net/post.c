/* SPDX-License-Identifier: Apache-2.0 */
/* What a program may ask of a loop from any thread, and of the clock. */
#include "base/alloc.h"
#include "net/loop.h"

struct post {
    struct volo__task task; /* first: a task is its post */
    volo_task_fn fn;
    void *user;
};

static void
run(struct volo__task *task)
{
    struct post post = *(struct post *)task;

    volo__free(task);
    post.fn(post.user);
}

int
volo_loop_post(volo_loop *loop, volo_task_fn fn, void *user)
{
    struct post *post;
    int ended;

    post = volo__malloc(sizeof *post);
    if (!post)
        return VOLO_ENOMEM;
    post->task.run = run;
    post->fn = fn;
    post->user = user;

    /* A home takes what is posted even when its loop has ended, and runs it
     * on whatever thread; a program was promised the loop's. */
    pthread_mutex_lock(&loop->post_lock);
    ended = loop->ended;
    if (!ended)
        volo__home_post(&loop->home, &post->task);
    pthread_mutex_unlock(&loop->post_lock);
    if (!ended)
        return 0;
    volo__free(post);
    return VOLO_ECLOSED;
}

volo_loop *
volo_loop_current(void)
{
    return volo__here ? volo__loop_of(volo__here) : NULL;
}

uint64_t
volo_loop_now_ms(const volo_loop *loop)
{
    return loop->home.now_ms;
}
