/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The concurrency limit.  A client of the in-memory kind has one request on
 * its way at a time; a slot is kept taken by a handler whose client has left,
 * for the work goes on until the handler lets go.
 */
#include "layers_support.h"

#include <stdatomic.h>

static volo_layer *
limit_of(unsigned limit, unsigned queue)
{
    volo_layer *layer = NULL;

    assert_int_equal(volo_layer_concurrency(&layer, limit, queue), 0);
    return layer;
}

/* Those in "/hold" stay until let go, the rest is answered. */
struct holders {
    volo_cx *v[8];
    unsigned count;
    unsigned answered;
};

static void
hold_or_answer(volo_cx *cx, void *user)
{
    struct holders *holders = user;

    if (volo_str_eq(volo_cx_path(cx), VOLO_STR("/hold"))) {
        holders->v[holders->count++] = volo_cx_ref(cx);
        return;
    }
    holders->answered++;
    volo_reply_text(cx, "hello");
}

static void
let_go(void *user)
{
    struct holders *holders = user;

    volo_cx_unref(holders->v[--holders->count]);
}

/* Whatever was due in the meantime comes in one go, this timer first. */
static void
nap_then_let_go(void *user)
{
    usleep(20000);
    volo_timer_start(NULL, volo_loop_current(), 1, let_go, user, NULL);
}

static void
set_flag(void *user)
{
    atomic_store((atomic_int *)user, 1);
}

static atomic_int in_line;

/* Timers are the loop's thread's, so requests start them. */
static void
schedule(volo_cx *cx, volo_next *next, void *user)
{
    volo_loop *loop = volo_cx_loop(cx);
    volo_str path = volo_cx_path(cx);

    if (volo_str_eq(path, VOLO_STR("/after"))) {
        volo_timer_start(NULL, loop, 5, let_go, user, NULL);
    } else if (volo_str_eq(path, VOLO_STR("/race"))) {
        volo_timer_start(NULL, loop, 1, nap_then_let_go, user, NULL);
    } else if (volo_str_eq(path, VOLO_STR("/signal"))) {
        volo_loop_post(loop, set_flag, &in_line);
    }
    volo_next_run(next, cx, NULL, NULL);
}

static void
open_limited(struct rig *rig, struct holders *holders, unsigned limit,
             unsigned queue)
{
    memset(holders, 0, sizeof *holders);
    rig_service(rig, hold_or_answer, holders);
    volo_service_layer(rig->service, schedule, holders, NULL);
    rig_wrap(rig, limit_of(limit, queue));
    rig_open(rig);
}

static void
test_one_after_the_other_all_are_served(void **state)
{
    struct holders holders;
    struct rig rig;
    int i;

    (void)state;
    open_limited(&rig, &holders, 1, 0);
    for (i = 0; i < 20; i++)
        assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
}

static void
test_beyond_limit_and_queue_the_answer_is_503_with_retry_after(void **state)
{
    volo_test_response *r;
    struct holders holders;
    struct rig rig;

    (void)state;
    open_limited(&rig, &holders, 2, 0);
    rig_leave(&rig, "/hold", 1);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_leave(&rig, "/hold", 1);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 503);
    assert_str(volo_test_header(r, "retry-after"), "1");
    assert_int_equal(holders.answered, 1);

    let_go(&holders);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    let_go(&holders);
    rig_close(&rig);
}

static void
test_who_waits_is_served_when_a_slot_is_free(void **state)
{
    struct holders holders;
    struct rig rig;

    (void)state;
    open_limited(&rig, &holders, 1, 1);
    rig_leave(&rig, "/hold", 1);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/after")), 200);
    assert_int_equal(holders.count, 0);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
}

static void
test_who_leaves_while_waiting_gives_the_place_back(void **state)
{
    struct holders holders;
    struct rig rig;

    (void)state;
    open_limited(&rig, &holders, 1, 1);
    rig_leave(&rig, "/hold", 1);
    rig_leave(&rig, "/", 1);
    rig_leave(&rig, "/", 1);
    assert_int_equal(holders.answered, 0);

    /* The one place in the line is free again, and so is the slot later. */
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/after")), 200);
    assert_int_equal(holders.answered, 1);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
}

/* The nap makes both late, so the slot is given and the client gone before
 * anything else runs (on a machine that is late itself, the client is gone
 * before: nothing else is asserted then). */
static void
test_who_leaves_just_when_a_slot_is_given_passes_it_on(void **state)
{
    struct holders holders;
    struct rig rig;

    (void)state;
    open_limited(&rig, &holders, 1, 1);
    rig_leave(&rig, "/hold", 1);
    rig_leave(&rig, "/race", 10);
    volo_test_run(rig.client, 5);
    assert_int_equal(holders.count, 0);
    assert_int_equal(holders.answered, 0);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
}

static void *
wait_in_line(void *user)
{
    struct rig *rig = user;

    rig_ask(rig, "GET", "/signal");
    return NULL;
}

static void
test_the_line_is_no_longer_than_was_said(void **state)
{
    struct holders holders;
    struct rig rig, other;
    pthread_t thread;

    (void)state;
    open_limited(&rig, &holders, 1, 1);
    other.service = volo_service_ref(rig.service);
    rig_open(&other);
    rig_leave(&rig, "/hold", 1);

    atomic_store(&in_line, 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_in_line, &other), 0);
    while (!atomic_load(&in_line))
        usleep(500);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 503);

    let_go(&holders);
    volo_test_run(rig.client, 1);
    pthread_join(thread, NULL);
    assert_int_equal(holders.answered, 1);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&other);
    rig_close(&rig);
}

static void
test_who_times_out_while_waiting_gives_the_place_back(void **state)
{
    volo_layer *layer = NULL;
    struct holders holders;
    struct rig rig;

    (void)state;
    memset(&holders, 0, sizeof holders);
    rig_service(&rig, hold_or_answer, &holders);
    assert_int_equal(volo_layer_timeout(&layer, 5, 0), 0);
    rig_wrap(&rig, layer);
    rig_wrap(&rig, limit_of(1, 1));
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/hold")), 504);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 504);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 504);
    assert_int_equal(holders.answered, 0);

    /* The slot is held by the work, not by who asked for it. */
    let_go(&holders);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
}

static void
test_outside_a_timeout_the_slot_is_free_when_the_answer_has_passed(void **state)
{
    volo_layer *layer = NULL;
    struct holders holders;
    struct rig rig;

    (void)state;
    memset(&holders, 0, sizeof holders);
    rig_service(&rig, hold_or_answer, &holders);
    rig_wrap(&rig, limit_of(1, 0));
    assert_int_equal(volo_layer_timeout(&layer, 5, 0), 0);
    rig_wrap(&rig, layer);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/hold")), 504);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    let_go(&holders);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
}

static void
test_a_handler_that_says_nothing_frees_its_slot(void **state)
{
    struct rig rig;
    int i;

    (void)state;
    rig_service(&rig, say_nothing, NULL);
    rig_wrap(&rig, limit_of(1, 0));
    rig_open(&rig);
    for (i = 0; i < 3; i++)
        assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 500);
    rig_close(&rig);
}

/* ---- Many loops ---------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 150, LIMIT = 2 };

struct crowd {
    volo_service *service;
    atomic_int inside;
    atomic_int most;
    atomic_int served;
    atomic_int refused;
    atomic_int left;
    atomic_int other;
};

struct visit {
    struct crowd *crowd;
    volo_cx *cx;
};

static void
visit_end(void *user)
{
    struct visit *visit = user;
    volo_cx *cx = visit->cx;

    atomic_fetch_sub(&visit->crowd->inside, 1);
    volo_reply_text(cx, "hello");
    volo_cx_unref(cx);
}

static void
visit_begin(volo_cx *cx, void *user)
{
    struct crowd *crowd = user;
    struct visit *visit = volo_cx_alloc(cx, sizeof *visit);
    int now = atomic_fetch_add(&crowd->inside, 1) + 1;
    int most = atomic_load(&crowd->most);

    while (now > most &&
           !atomic_compare_exchange_weak(&crowd->most, &most, now))
        ;
    visit->crowd = crowd;
    visit->cx = volo_cx_ref(cx);

    /* Some at the end of the iteration, some a little later. */
    if (now & 1)
        volo_timer_start(NULL, volo_cx_loop(cx), 1, visit_end, visit, NULL);
    else
        volo_loop_post(volo_cx_loop(cx), visit_end, visit);
}

static void
count(struct crowd *crowd, int err, const volo_test_response *r)
{
    if (err == VOLO_ECANCELED)
        atomic_fetch_add(&crowd->left, 1);
    else if (!err && volo_test_status(r) == 200)
        atomic_fetch_add(&crowd->served, 1);
    else if (!err && volo_test_status(r) == 503)
        atomic_fetch_add(&crowd->refused, 1);
    else
        atomic_fetch_add(&crowd->other, 1);
}

static void *
visit_often(void *user)
{
    struct crowd *crowd = user;
    volo_test *client = NULL;
    int i, err;

    if (volo_test_new(&client, crowd->service)) {
        atomic_fetch_add(&crowd->other, 1);
        return NULL;
    }
    for (i = 0; i < ROUNDS; i++) {
        volo_test_request *request = NULL;
        volo_test_response *r = NULL;

        volo_test_request_new(&request, client, "GET", "/");
        if (i % 3 == 0)
            volo_test_request_leave(request, 1);
        err = volo_test_send(&r, client, request);
        count(crowd, err, r);
        volo_test_response_free(r);
    }
    volo_test_run(client, 5);
    volo_test_free(client);
    return NULL;
}

static void
crowd_run(struct crowd *crowd, unsigned queue)
{
    pthread_t threads[THREADS];
    volo_layer *layer = limit_of(LIMIT, queue);
    volo_test *client = NULL;
    int i;

    memset(crowd, 0, sizeof *crowd);
    assert_int_equal(
        volo_service_new(&crowd->service, visit_begin, crowd, NULL), 0);
    assert_int_equal(volo_service_add_layer(crowd->service, layer), 0);
    volo_layer_unref(layer);
    assert_int_equal(volo_test_new(&client, crowd->service), 0);

    for (i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit_often, crowd),
                         0);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(crowd->other, 0);
    assert_int_equal(crowd->inside, 0);
    assert_int_equal(crowd->served + crowd->refused + crowd->left,
                     THREADS * ROUNDS);
    assert_true(crowd->most <= LIMIT);

    /* All slots are back: as many as the limit can be inside again. */
    for (i = 0; i < 2 * LIMIT; i++) {
        volo_test_response *r = NULL;

        assert_int_equal(volo_test_get(&r, client, "/"), 0);
        assert_int_equal(volo_test_status(r), 200);
    }
    volo_test_free(client);
    volo_service_unref(crowd->service);
}

static void
test_with_room_in_the_line_nobody_is_refused_on_any_loop(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_run(&crowd, THREADS + 1);
    assert_int_equal(crowd.refused, 0);
    assert_true(crowd.served >= THREADS * ROUNDS * 2 / 3);
}

static void
test_without_room_in_the_line_slots_are_not_lost_on_any_loop(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_run(&crowd, 1);
    assert_true(crowd.served > 0);
}

static void
test_a_limit_of_nothing_is_refused(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    assert_int_equal(volo_layer_concurrency(&layer, 0, 1), VOLO_EINVAL);
    assert_int_equal(volo_layer_concurrency(NULL, 1, 1), VOLO_EINVAL);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other_all_are_served),
        cmocka_unit_test(
            test_beyond_limit_and_queue_the_answer_is_503_with_retry_after),
        cmocka_unit_test(test_who_waits_is_served_when_a_slot_is_free),
        cmocka_unit_test(test_who_leaves_while_waiting_gives_the_place_back),
        cmocka_unit_test(
            test_who_leaves_just_when_a_slot_is_given_passes_it_on),
        cmocka_unit_test(test_the_line_is_no_longer_than_was_said),
        cmocka_unit_test(test_who_times_out_while_waiting_gives_the_place_back),
        cmocka_unit_test(
            test_outside_a_timeout_the_slot_is_free_when_the_answer_has_passed),
        cmocka_unit_test(test_a_handler_that_says_nothing_frees_its_slot),
        cmocka_unit_test(
            test_with_room_in_the_line_nobody_is_refused_on_any_loop),
        cmocka_unit_test(
            test_without_room_in_the_line_slots_are_not_lost_on_any_loop),
        cmocka_unit_test(test_a_limit_of_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
