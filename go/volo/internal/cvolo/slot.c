/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services that stand in C routers for handlers of Go.
 */
#include "go.h"

#include <pthread.h>

#include "_cgo_export.h"

/* What is no longer is read before the handler is called, where it may be. */
enum { SMALL_BODY = 16 * 1024 };

struct volo__go_slot {
    volo_service *inner;
    volo_service *small; /* NULL: inner, whatever the body */
};

/* Not where the client waits to be told that its body is wanted: the handler
 * decides that. */
static int
is_small(const volo_cx *cx)
{
    int64_t length = volo_cx_content_length(cx);

    return length >= 0 && length <= SMALL_BODY &&
           !volo_cx_field(cx, VOLO_FIELD_EXPECT).ptr;
}

static void
slot_serves(volo_cx *cx, void *user)
{
    struct volo__go_slot *slot = user;

    if (!slot->inner)
        volo_reply_status(cx, 503);
    else if (slot->small && is_small(cx))
        volo_service_call(slot->small, cx);
    else
        volo_service_call(slot->inner, cx);
}

static void
slot_free(void *user)
{
    struct volo__go_slot *slot = user;

    volo_service_unref(slot->inner);
    volo__go_free(slot);
}

int
volo__go_slot_new(struct volo__go_slot **out, volo_service **service)
{
    struct volo__go_slot *slot = volo__go_zalloc(sizeof *slot);
    int err;

    if (!slot)
        return VOLO_ENOMEM;
    err = volo_service_new(service, slot_serves, slot, slot_free);
    if (!err)
        *out = slot;
    return err;
}

int
volo__go_slot_set(struct volo__go_slot *slot, volo_service *service)
{
    volo_service_unref(slot->inner);
    volo_service_unref(slot->small);
    slot->inner = service;
    slot->small = NULL;
    return service ? volo_service_freeze(service) : 0;
}

int
volo__go_slot_set_small(struct volo__go_slot *slot, volo_service *service)
{
    volo_service_unref(slot->small);
    slot->small = service;
    return volo_service_freeze(service);
}

int
volo__go_queued(volo_service **out, volo_queue *queue, uintptr_t route,
                int streaming)
{
    return streaming
               ? volo_queue_service_streaming(out, queue, (void *)route, NULL)
               : volo_queue_service(out, queue, (void *)route, NULL);
}

/* ---- Handlers on a loop's thread -------------------------------------------
 */

/* Each loop's thread has a batch, made when it first needs one. */
static pthread_key_t batch_key;
static pthread_once_t batch_once = PTHREAD_ONCE_INIT;

static void
make_key(void)
{
    pthread_key_create(&batch_key, volo__go_free);
}

static struct volo__go_batch *
own_batch(void)
{
    struct volo__go_batch *batch;

    pthread_once(&batch_once, make_key);
    batch = pthread_getspecific(batch_key);
    if (!batch) {
        batch = volo__go_batch_new();
        pthread_setspecific(batch_key, batch);
    }
    return batch;
}

static void
refuse(const volo_job *job)
{
    volo_reply_error(job->cx, VOLO_ENOMEM);
    volo_cx_unref(job->cx);
}

/* Go answers them in the order in which they came; it sends what it has
 * written when there is no more room, and leaves the rest. */
static void
jobs_come(const volo_job *jobs, size_t count, void *user)
{
    struct volo__go_batch *batch = own_batch();

    for (; !batch && count; count--)
        refuse(jobs++);
    if (!count)
        return;
    goVoloInline((uintptr_t)user, (void *)jobs, sizeof *jobs, count, batch);
    if (batch->count)
        volo__go_answer(batch);
}

int
volo__go_inline(volo_service **out, uintptr_t program, uintptr_t route)
{
    return volo_batch_service(out, jobs_come, (void *)program, NULL,
                              (void *)route);
}
