/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges for threads that are not loops: a service that puts each exchange
 * on a queue, from which any number of threads take batches and answer them.
 * A loop hands over one batch per iteration and wakes a taker only if one
 * sleeps.
 *
 * The descriptors are plain memory, readable without a call.  They only grow
 * at their end: the caller says how large its own are.
 */
#ifndef VOLO_QUEUE_H
#define VOLO_QUEUE_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_job_kind: what is to be done with an exchange. */
enum volo_job_kind {
    VOLO_JOB_SERVE = 0, /* answer it: of a service */
    VOLO_JOB_ENTER = 1, /* it comes to a layer: answer it, or let it go on */
    VOLO_JOB_LEAVE = 2  /* its response comes to that layer on its way out */
};

/** volo_job: one exchange to be answered.  All it points to lives until the
 * cx is answered with volo_queue_answer() or let go with volo_cx_unref().
 * In VOLO_JOB_LEAVE ${headers} and ${body} are the response's: without the
 * lines that layers outside had set, the body absent if it is streamed. */
typedef struct volo_job {
    volo_cx *cx; /* the taker's reference */
    void *route; /* user pointer of the queue's service */
    uint32_t method;
    uint32_t version;
    volo_str method_name;
    volo_str target;
    volo_str path;
    volo_str query;
    volo_str pattern;
    volo_str body; /* whole; absent in a streaming queue */
    const volo_pair *headers;
    size_t header_count;
    const volo_pair *params;
    size_t param_count;
    uint32_t kind;   /* a volo_job_kind */
    uint32_t status; /* of the response, in VOLO_JOB_LEAVE */
    void *state;     /* in VOLO_JOB_LEAVE: user of the answer that went on */
} volo_job;

/** volo_answer_kind: what becomes of a job. */
enum volo_answer_kind {
    VOLO_ANSWER_REPLY = 0, /* this is the response */
    VOLO_ANSWER_GO_ON = 1, /* of VOLO_JOB_ENTER: on to what the layer wraps */
    VOLO_ANSWER_CHANGE = 2 /* of VOLO_JOB_LEAVE: on to what is outside */
};

/** volo_answer: what to answer one of them with.  Headers and body are copied
 * unless ${release} is set: then the body is sent from where it is, and
 * release(user) is called when it is not needed any more, on any thread. */
typedef struct volo_answer {
    volo_cx *cx;
    int32_t status; /* 0: 200 */
    uint32_t kind;  /* a volo_answer_kind */
    const volo_pair *headers;
    size_t header_count;
    volo_str body;
    volo_free_fn release;
    void *user;
} volo_answer;

/**
 * volo_queue_new(out, capacity):
 * A queue for at most ${capacity} waiting exchanges (0: 8192; rounded up to a
 * power of two, at least 2); those beyond get 503.  Shared.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM, VOLO_ENOFILES.    @since 0.1
 */
VOLO_API int volo_queue_new(volo_queue **out, size_t capacity);

/** volo_queue_ref(queue): take a reference; returns ${queue}.  Thread-safe.
 * @since 0.1 */
VOLO_API volo_queue *volo_queue_ref(volo_queue *queue);

/** volo_queue_unref(queue): give one back; NULL is ignored.  With the last the
 * queue closes, and what nobody has taken gets 503.  Thread-safe.
 * @since 0.1 */
VOLO_API void volo_queue_unref(volo_queue *queue);

/**
 * volo_queue_service(out, queue, user, user_free):
 * A service that puts its exchanges on ${queue}, with ${user} as the route of
 * the job, once the body has been read.  It takes no reference: who takes from
 * the queue has one.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_queue_service(volo_service **out, volo_queue *queue,
                                void *user, volo_free_fn user_free);

/** volo_queue_service_streaming(out, queue, user, user_free): the same, but
 * at once, with the body unread: the taker reads it through volo_cx_post().
 * Errors: as that.    @since 0.1 */
VOLO_API int volo_queue_service_streaming(volo_service **out, volo_queue *queue,
                                          void *user, volo_free_fn user_free);

/**
 * volo_queue_take(queue, jobs, job_size, max, timeout_ms):
 * Take up to ${max} exchanges into the array ${jobs} of elements of
 * ${job_size} octets (sizeof(volo_job)).  Waits up to ${timeout_ms}
 * milliseconds (-1: for ever; 0: not at all) for the first.  Returns how
 * many; 0 when the time is up; VOLO_ECLOSED after volo_queue_close(), once it
 * is empty.  Exchanges whose client has left are skipped, but for those of
 * VOLO_JOB_LEAVE.  Thread-safe.
 *
 * Errors: VOLO_EINVAL, VOLO_ECLOSED.    @since 0.1
 */
VOLO_API int volo_queue_take(volo_queue *queue, volo_job *jobs, size_t job_size,
                             size_t max, int64_t timeout_ms);

/**
 * volo_queue_answer(queue, answers, answer_size, count):
 * Answer ${count} exchanges and give their references back; each loop is
 * woken at most once, and only if it sleeps.  Returns how many of them had
 * somebody waiting still.  A bad header or status makes a 500 of its answer.
 * ${queue} may be NULL, as for the jobs of a volo_batch_fn.  For the jobs of a
 * layer see volo/queue_layer.h.  Thread-safe.
 *
 * Errors: VOLO_EINVAL.    @since 0.1
 */
VOLO_API int volo_queue_answer(volo_queue *queue, const volo_answer *answers,
                               size_t answer_size, size_t count);

/** volo_queue_fd(queue): a descriptor that is readable while takers should
 * call volo_queue_take(): until that returns 0, and for ever once the queue is
 * closed.  Made at the first call, which also turns on its upkeep.  Borrowed:
 * not to be read or closed.  Errors: VOLO_ENOFILES.    @since 0.1 */
VOLO_API int volo_queue_fd(volo_queue *queue);

/** volo_queue_len(queue): exchanges waiting now.  Thread-safe.    @since 0.1 */
VOLO_API size_t volo_queue_len(const volo_queue *queue);

/** volo_queue_oldest_us(queue): how long the oldest has waited, in
 * microseconds; 0 if none.  Thread-safe.    @since 0.1 */
VOLO_API uint64_t volo_queue_oldest_us(const volo_queue *queue);

/** volo_queue_wakes(queue): how often a sleeping taker had to be woken: a
 * figure for tests and metrics.  Thread-safe.    @since 0.1 */
VOLO_API uint64_t volo_queue_wakes(const volo_queue *queue);

/** volo_queue_close(queue): take no more: new exchanges get 503, takers get
 * what is left and then VOLO_ECLOSED.  Thread-safe.    @since 0.1 */
VOLO_API void volo_queue_close(volo_queue *queue);

/** volo_batch_fn: the exchanges of one iteration, on the loop's thread, at
 * its end; must not block.  Each cx is a reference, as with take. */
typedef void (*volo_batch_fn)(const volo_job *jobs, size_t count, void *user);

/**
 * volo_batch_service(out, fn, user, user_free, route):
 * A service whose exchanges are given to ${fn} as one batch at the end of the
 * loop's iteration: for handlers in another language that never block.
 * ${route} goes to the jobs.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_batch_service(volo_service **out, volo_batch_fn fn,
                                void *user, volo_free_fn user_free,
                                void *route);

#ifdef __cplusplus
}
#endif

#endif
