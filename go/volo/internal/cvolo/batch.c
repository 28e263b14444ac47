/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that Go has written, on their way to their exchanges.  Knows no
 * handler and no goroutine.
 */
#include "go.h"

#include <stddef.h>

_Static_assert(offsetof(volo_job, state) + sizeof(void *) ==
                       VOLO__GO_JOB_SIZE &&
                   offsetof(volo_answer, user) + sizeof(void *) ==
                       VOLO__GO_ANSWER_SIZE &&
                   sizeof(volo_pair) == 40,
               "layout.go has other descriptors");

struct volo__go_batch *
volo__go_batch_new(void)
{
    struct volo__go_batch *batch = volo__go_alloc(sizeof *batch);

    if (batch)
        batch->count = batch->pair_count = batch->byte_count = 0;
    return batch;
}

void
volo__go_batch_free(struct volo__go_batch *batch)
{
    volo__go_free(batch);
}

void
volo__go_answer(struct volo__go_batch *batch)
{
    volo_queue_answer(NULL, (const volo_answer *)(void *)batch->answers,
                      VOLO__GO_ANSWER_SIZE, batch->count);
    batch->count = batch->pair_count = batch->byte_count = 0;
}

int
volo__go_turn(volo_queue *queue, struct volo__go_batch *batch, volo_job *jobs,
              size_t max, int64_t timeout_ms)
{
    if (batch && batch->count)
        volo__go_answer(batch);
    return volo_queue_take(queue, jobs, VOLO__GO_JOB_SIZE, max, timeout_ms);
}

/* ---- One at a time ---------------------------------------------------------
 */

/* Whether the line is the first of its name. */
static int
is_first(const volo_answer *answer, size_t i)
{
    size_t j;

    for (j = 0; j < i; j++)
        if (volo_str_eq(answer->headers[j].name, answer->headers[i].name))
            return 0;
    return answer->headers[i].id != VOLO_FIELD_SET_COOKIE;
}

int
volo__go_head(volo_cx *cx, const volo_answer *answer)
{
    int err = answer->status ? volo_cx_set_status(cx, answer->status) : 0;
    size_t i;

    for (i = 0; i < answer->header_count && !err; i++) {
        const volo_pair *pair = &answer->headers[i];
        const char *name =
            pair->id ? volo_field_name((int)pair->id) : pair->name.ptr;

        err = is_first(answer, i) ? volo_cx_set_header(cx, name, pair->value)
                                  : volo_cx_add_header(cx, name, pair->value);
    }
    return err;
}

/* ---- Files -----------------------------------------------------------------
 */

struct file {
    const char *path;
    const char *type;
};

static void
file_opens(volo_cx *cx, void *user)
{
    const struct file *file = user;

    volo_reply_file(cx, file->path, file->type);
    volo_cx_unref(cx);
}

/* Files are opened on the loop's thread. */
static int
file_later(volo_cx *cx, const char *path, const char *type)
{
    struct file *file = volo_cx_alloc(cx, sizeof *file);

    if (!file)
        return VOLO_ENOMEM;
    file->path = volo_cx_strdup(cx, volo_str_of(path)).ptr;
    file->type = type ? volo_cx_strdup(cx, volo_str_of(type)).ptr : NULL;
    if (!file->path || (type && !file->type))
        return VOLO_ENOMEM;
    return volo_cx_post(cx, file_opens, file);
}

void
volo__go_file(const volo_answer *answer, const char *path, const char *type)
{
    volo_cx *cx = answer->cx;
    int err = volo__go_head(cx, answer);

    if (!err)
        err = file_later(cx, path, type);
    if (err) {
        volo_reply_error(cx, err);
        volo_cx_unref(cx);
    }
}

void
volo__go_abort(volo_cx *cx)
{
    volo_writer *writer;

    if (volo_cx_answer_stream(&writer, cx, -1) == 0)
        volo_writer_free(writer);
    volo_cx_unref(cx);
}

/* ---- Large content ---------------------------------------------------------
 */

const volo_free_fn volo__go_release = volo__go_free;

void *
volo__go_block(size_t size)
{
    return volo__go_alloc(size);
}
