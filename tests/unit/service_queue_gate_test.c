/* SPDX-License-Identifier: Apache-2.0 */
/* service/queue_gate.c, queue_service.c, queue_answer.c: batches.  Exchanges
 * are made by hand, on a home that counts how often it is woken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>

#include "http/codec.h"
#include "service/queue.h"

struct place {
    struct volo__home home; /* first: a home is its place */
    int eager; /* a wake runs the inbox: a loop as fast as can be */
    int wakes;
    int responses;
    int last_status;
};

static int places_gone;

static void
wake(struct volo__home *home)
{
    struct place *place = (struct place *)home;

    place->wakes++;
    if (!place->eager)
        return;
    volo__here = home;
    volo__home_run_inbox(home);
    volo__here = NULL;
}

static void
destroy(struct volo__home *home)
{
    places_gone++;
    free(home);
}

static struct place *
place_new(void)
{
    struct place *place = calloc(1, sizeof *place);

    volo__home_init(&place->home, wake, destroy);
    return place;
}

static void
respond(volo_cx *cx)
{
    struct place *place = (struct place *)cx->home;

    place->responses++;
    place->last_status = cx->res.status;
    volo__cx_detach(cx);
}

static void
ignore(volo_cx *cx)
{
    (void)cx;
}

static const struct volo__codec codec = {
    .respond = respond, .stream = ignore, .want_body = ignore};

/* Exchange ${i} comes in: "GET /<i>" without a body. */
static volo_cx *
arrive(struct place *place, volo_service *service, int i)
{
    static const char paths[] = "/0/1/2/3/4/5/6/7/8/9";
    volo_cx *cx;

    volo__here = &place->home;
    cx = volo__cx_new(&place->home);
    if (!cx)
        return NULL;
    cx->codec = &codec;
    cx->req.version = 11;
    cx->req.path = cx->req.target = volo_str_make(paths + 2 * (i % 10), 2);
    volo__body_end(cx);
    volo__cx_serve(cx, service);
    return cx;
}

static volo_queue *queue;
static volo_service *front;

static void
queue_open(size_t capacity)
{
    places_gone = 0;
    assert_int_equal(volo_queue_new(&queue, capacity), 0);
    assert_int_equal(volo_queue_service(&front, queue, NULL, NULL), 0);
    assert_int_equal(volo_service_freeze(front), 0);
}

static void
queue_shut(void)
{
    volo_service_unref(front);
    volo_queue_unref(queue);
}

static void
test_an_iteration_hands_over_once_and_in_order(void **state)
{
    struct place *place = place_new();
    volo_job jobs[10];
    int i;

    (void)state;
    queue_open(0);
    volo__bed_enter(&queue->bed);
    for (i = 0; i < 5; i++)
        arrive(place, front, i);
    assert_int_equal(volo_queue_len(queue), 0);
    assert_int_equal(volo_queue_wakes(queue), 0);
    volo__home_run_deferred(&place->home);
    assert_int_equal(volo_queue_len(queue), 5);
    assert_int_equal(volo_queue_wakes(queue), 1);
    volo__bed_leave(&queue->bed);

    assert_int_equal(volo_queue_take(queue, jobs, sizeof *jobs, 10, -1), 5);
    for (i = 0; i < 5; i++) {
        assert_int_equal(jobs[i].path.ptr[1], '0' + i);
        volo_cx_unref(jobs[i].cx);
    }
    assert_int_equal(place->responses, 5);
    assert_int_equal(place->last_status, 500);
    volo__home_retire(&place->home);
    queue_shut();
    assert_int_equal(places_gone, 1);
}

/* One taker takes one, and leaves the rest to the next who sleeps. */
static void
test_who_leaves_something_behind_wakes_the_next(void **state)
{
    struct place *place = place_new();
    volo_job job;
    int i;

    (void)state;
    queue_open(0);
    for (i = 0; i < 3; i++)
        arrive(place, front, i);
    volo__home_run_deferred(&place->home);
    volo__bed_enter(&queue->bed);
    for (i = 0; i < 3; i++) {
        assert_int_equal(volo_queue_take(queue, &job, sizeof job, 1, 0), 1);
        assert_int_equal(volo_queue_wakes(queue), 1);
        volo_cx_unref(job.cx);
    }
    volo__bed_leave(&queue->bed);
    volo__home_retire(&place->home);
    queue_shut();
}

static void
take_all(volo_answer *answers, int n)
{
    volo_job jobs[64];
    int i;

    assert_int_equal(volo_queue_take(queue, jobs, sizeof *jobs, 64, 0), n);
    memset(answers, 0, (size_t)n * sizeof *answers);
    for (i = 0; i < n; i++)
        answers[i].cx = jobs[i].cx;
}

/* More loops than are remembered at a time. */
static void
test_each_loop_is_woken_once_for_a_batch_of_answers(void **state)
{
    enum { LOOPS = 20, EACH = 3 };
    struct place *places[LOOPS];
    volo_answer answers[LOOPS * EACH];
    int i;

    (void)state;
    queue_open(0);
    for (i = 0; i < LOOPS; i++)
        places[i] = place_new();
    for (i = 0; i < LOOPS * EACH; i++)
        arrive(places[i / EACH], front, i);
    for (i = 0; i < LOOPS; i++) {
        volo__here = &places[i]->home;
        volo__home_run_deferred(&places[i]->home);
    }
    volo__here = NULL;
    take_all(answers, LOOPS * EACH);
    assert_int_equal(
        volo_queue_answer(queue, answers, sizeof *answers, LOOPS * EACH),
        LOOPS * EACH);
    for (i = 0; i < LOOPS; i++) {
        assert_int_equal(places[i]->wakes, 1);
        assert_int_equal(places[i]->responses, 0);
        volo__here = &places[i]->home;
        /* Answered and let go is one message, not two. */
        assert_int_equal(volo__home_run_inbox(&places[i]->home), EACH);
        assert_int_equal(places[i]->responses, EACH);
        assert_int_equal(places[i]->home.live, 0);
        volo__home_retire(&places[i]->home);
    }
    queue_shut();
    assert_int_equal(places_gone, LOOPS);
}

static void
test_a_loop_that_is_quick_is_woken_no_more_often(void **state)
{
    struct place *places[2] = {place_new(), place_new()};
    volo_answer answers[12];
    int i;

    (void)state;
    queue_open(0);
    for (i = 0; i < 12; i++) {
        arrive(places[i % 2], front, i);
        volo__home_run_deferred(&places[i % 2]->home);
    }
    volo__here = NULL;
    places[0]->eager = places[1]->eager = 1;
    take_all(answers, 12);
    assert_int_equal(volo_queue_answer(queue, answers, sizeof *answers, 12),
                     12);
    for (i = 0; i < 2; i++) {
        assert_int_equal(places[i]->wakes, 1);
        assert_int_equal(places[i]->responses, 6);
        volo__home_retire(&places[i]->home);
    }
    queue_shut();
}

static void
test_what_does_not_fit_is_503_and_the_rest_is_served(void **state)
{
    struct place *place = place_new();
    volo_answer answers[4];
    int i;

    (void)state;
    queue_open(4);
    for (i = 0; i < 7; i++)
        arrive(place, front, i);
    volo__home_run_deferred(&place->home);
    assert_int_equal(place->responses, 3);
    assert_int_equal(place->last_status, 503);
    take_all(answers, 4);
    assert_int_equal(volo_queue_answer(queue, answers, sizeof *answers, 4), 4);
    assert_int_equal(place->responses, 7);
    assert_int_equal(place->last_status, 200);
    assert_int_equal(place->wakes, 0); /* this is its thread */
    volo__home_retire(&place->home);
    queue_shut();
}

static void
test_what_is_left_in_a_queue_that_goes_is_503(void **state)
{
    struct place *place = place_new();
    int i;

    (void)state;
    queue_open(0);
    for (i = 0; i < 3; i++)
        arrive(place, front, i);
    volo__home_run_deferred(&place->home);
    for (i = 0; i < 2; i++)
        arrive(place, front, i);
    queue_shut();
    assert_int_equal(place->responses, 3);
    volo__home_run_deferred(&place->home);
    assert_int_equal(place->responses, 5);
    assert_int_equal(place->last_status, 503);
    volo__home_retire(&place->home);
    assert_int_equal(places_gone, 1);
}

/* ---- Batch functions ----------------------------------------------------- */

static int batches, batch_size;
static char batch_route;
static struct place *batch_place;
static int again;

static void
on_batch(const volo_job *jobs, size_t count, void *user)
{
    volo_answer answers[200];
    volo_service *service = *(volo_service **)user;
    size_t i;

    batches++;
    batch_size = (int)count;
    memset(answers, 0, sizeof answers);
    for (i = 0; i < count; i++) {
        assert_ptr_equal(jobs[i].route, &batch_route);
        assert_int_equal(jobs[i].path.ptr[1], '0' + (int)(i % 10));
        assert_non_null(jobs[i].body.ptr);
        answers[i].cx = jobs[i].cx;
        answers[i].status = 204;
    }
    if (again-- > 0)
        arrive(batch_place, service, 0);
    assert_int_equal(volo_queue_answer(NULL, answers, sizeof *answers, count),
                     (int)count);
}

static int freed;

static void
note_freed(void *user)
{
    (void)user;
    freed++;
}

static void
test_a_batch_function_gets_an_iteration_at_once(void **state)
{
    struct place *place = place_new();
    volo_service *service;
    int i;

    (void)state;
    batches = freed = 0;
    batch_place = place;
    again = 0;
    assert_int_equal(volo_batch_service(&service, on_batch, &service,
                                        note_freed, &batch_route),
                     0);
    volo_service_freeze(service);
    for (i = 0; i < 150; i++)
        arrive(place, service, i);
    assert_int_equal(batches, 0);
    volo__home_run_deferred(&place->home);
    assert_int_equal(batches, 1);
    assert_int_equal(batch_size, 150);
    assert_int_equal(place->responses, 150);
    assert_int_equal(place->last_status, 204);

    /* What comes while a batch is at work is the next one. */
    again = 1;
    arrive(place, service, 0);
    arrive(place, service, 1);
    volo__home_run_deferred(&place->home);
    assert_int_equal(batches, 3);
    assert_int_equal(batch_size, 1);
    assert_int_equal(place->responses, 153);
    volo_service_unref(service);
    assert_int_equal(freed, 1);
    volo__home_retire(&place->home);
}

static void
test_a_batch_leaves_out_what_nobody_waits_for(void **state)
{
    struct place *place = place_new();
    volo_service *service;
    volo_cx *cx;

    (void)state;
    batches = freed = again = 0;
    volo_batch_service(&service, on_batch, &service, note_freed, &batch_route);
    volo_service_freeze(service);
    cx = arrive(place, service, 7);
    arrive(place, service, 0);
    volo__cx_cancel(cx, VOLO_ECANCELED);
    cx = arrive(place, service, 8);
    volo__cx_cancel(cx, VOLO_ECANCELED);
    volo__home_run_deferred(&place->home);
    assert_int_equal(batches, 1);
    assert_int_equal(batch_size, 1);
    assert_int_equal(place->home.live, 0);

    /* And none at all if nobody waits. */
    cx = arrive(place, service, 3);
    volo__cx_cancel(cx, VOLO_ECANCELED);
    volo__home_run_deferred(&place->home);
    assert_int_equal(batches, 1);
    assert_int_equal(place->home.live, 0);

    /* The service may go before its exchanges do. */
    arrive(place, service, 0);
    volo_service_unref(service);
    assert_int_equal(freed, 0);
    volo__home_run_deferred(&place->home);
    assert_int_equal(batches, 2);
    assert_int_equal(freed, 1);
    volo__home_retire(&place->home);
}

/* ---- Out of memory ------------------------------------------------------- */

static int until_failure = -1, alive;

static void *
allocate(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        alive--;
        free(ptr);
        return NULL;
    }
    if (until_failure >= 0 && until_failure-- == 0)
        return NULL;
    alive += !ptr;
    return realloc(ptr, size);
}

/* Returns 1 if all of it worked. */
static int
whole_life(void)
{
    struct place *place = place_new();
    volo_service *batch = NULL;
    int good = 0;

    freed = again = 0;
    if (volo_queue_new(&queue, 4))
        goto out;
    if (volo_queue_service(&front, queue, NULL, note_freed))
        goto drop_queue;
    if (volo_batch_service(&batch, on_batch, &batch, note_freed, &batch_route))
        goto drop_front;
    if (volo_service_freeze(front) || volo_service_freeze(batch))
        goto drop_batch;
    good = arrive(place, front, 0) && arrive(place, batch, 0);
    volo__home_run_deferred(&place->home);
    good &= volo_queue_len(queue) == 1 && place->responses == 1 &&
            place->last_status == 204;

drop_batch:
    volo_service_unref(batch);
drop_front:
    volo_service_unref(front);
drop_queue:
    volo_queue_unref(queue);
out:
    volo__home_retire(&place->home);
    return good;
}

static void
test_each_allocation_may_fail_without_leak_or_loss(void **state)
{
    int n, good = 0;

    (void)state;
    volo_set_allocator(allocate, NULL);
    for (n = 0; n < 100 && !good; n++) {
        places_gone = alive = 0;
        until_failure = n;
        good = whole_life();
        assert_int_equal(alive, 0);
        assert_int_equal(places_gone, 1);
    }
    until_failure = -1;
    volo_set_allocator(NULL, NULL);
    assert_true(n > 8);
    assert_true(good);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_iteration_hands_over_once_and_in_order),
        cmocka_unit_test(test_who_leaves_something_behind_wakes_the_next),
        cmocka_unit_test(test_each_loop_is_woken_once_for_a_batch_of_answers),
        cmocka_unit_test(test_a_loop_that_is_quick_is_woken_no_more_often),
        cmocka_unit_test(test_what_does_not_fit_is_503_and_the_rest_is_served),
        cmocka_unit_test(test_what_is_left_in_a_queue_that_goes_is_503),
        cmocka_unit_test(test_a_batch_function_gets_an_iteration_at_once),
        cmocka_unit_test(test_a_batch_leaves_out_what_nobody_waits_for),
        cmocka_unit_test(test_each_allocation_may_fail_without_leak_or_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
