/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that takers run, when clients leave, time runs out, and all of it
 * happens at once. */
#include "service_queue.h"

struct site {
    struct desk desk;
    volo_job held;
    int state; /* released so often */
};

static volo_cx *kept;

static void
keep(volo_cx *cx, void *user)
{
    (void)user;
    kept = volo_cx_ref(cx);
}

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "hello");
}

static void
wrap(struct site *s)
{
    volo_layer *layer;

    assert_int_equal(
        volo_queue_layer(&layer, s->desk.queue, &s->desk.freed, count_up), 0);
    assert_int_equal(volo_service_add_layer(s->desk.rig.service, layer), 0);
    volo_layer_unref(layer);
}

static void
limit(struct site *s, uint64_t ms)
{
    volo_layer *layer;

    assert_int_equal(volo_layer_timeout(&layer, ms, 504), 0);
    assert_int_equal(volo_service_add_layer(s->desk.rig.service, layer), 0);
    volo_layer_unref(layer);
}

static void
prepare(struct site *s, volo_service_fn fn)
{
    memset(s, 0, sizeof *s);
    kept = NULL;
    assert_int_equal(volo_queue_new(&s->desk.queue, 0), 0);
    rig_service(&s->desk.rig, fn, NULL);
}

static void
site_open(struct site *s, volo_service_fn fn)
{
    prepare(s, fn);
    wrap(s);
    rig_open(&s->desk.rig);
}

static void
take(void *user)
{
    struct site *s = user;

    assert_int_equal(
        volo_queue_take(s->desk.queue, &s->held, sizeof s->held, 1, 0), 1);
}

static void
count_int(void *user)
{
    ++*(int *)user;
}

static int
answer(struct site *s, uint32_t kind, int status)
{
    volo_answer a = {.cx = s->held.cx, .kind = kind, .status = status};

    if (kind == VOLO_ANSWER_GO_ON) {
        a.user = &s->state;
        a.release = count_int;
    }
    return volo_queue_answer(s->desk.queue, &a, sizeof a, 1);
}

static void
go_on(void *user)
{
    take(user);
    answer(user, VOLO_ANSWER_GO_ON, 0);
}

/* ---- Clients that leave -------------------------------------------------- */

static void
test_a_client_that_leaves_before_the_layer_has_gone_on(void **state)
{
    struct site s;

    (void)state;
    site_open(&s, hello);
    later(&s.desk, 1, take, &s);
    rig_leave(&s.desk.rig, "/", 40);

    /* It goes nowhere, and the layer is told of the end. */
    assert_int_equal(answer(&s, VOLO_ANSWER_GO_ON, 0), 0);
    volo_test_run(s.desk.rig.client, 1);
    take(&s);
    assert_int_equal(s.held.kind, VOLO_JOB_LEAVE);
    assert_ptr_equal(s.held.state, &s.state);
    assert_int_equal(s.held.status, 503);
    assert_int_equal(answer(&s, VOLO_ANSWER_CHANGE, 299), 0);
    volo_test_run(s.desk.rig.client, 1);
    assert_int_equal(s.state, 0);
    desk_close(&s.desk);
}

static void
test_a_client_that_leaves_while_what_is_inside_works(void **state)
{
    struct site s;

    (void)state;
    site_open(&s, keep);
    later(&s.desk, 1, go_on, &s);
    rig_leave(&s.desk.rig, "/", 40);
    assert_non_null(kept);
    assert_int_equal(volo_queue_len(s.desk.queue), 0);
    volo_cx_unref(kept);
    volo_test_run(s.desk.rig.client, 1);
    take(&s);
    assert_int_equal(s.held.kind, VOLO_JOB_LEAVE);
    assert_int_equal(s.held.status, 500);
    volo_cx_unref(s.held.cx);
    volo_test_run(s.desk.rig.client, 1);
    desk_close(&s.desk);
}

static void
test_a_client_that_leaves_before_the_response_does(void **state)
{
    struct site s;

    (void)state;
    site_open(&s, hello);
    later(&s.desk, 1, go_on, &s);
    rig_leave(&s.desk.rig, "/", 40);
    take(&s);
    assert_int_equal(s.held.kind, VOLO_JOB_LEAVE);
    assert_int_equal(s.held.status, 200);
    assert_int_equal(answer(&s, VOLO_ANSWER_CHANGE, 299), 0);
    volo_test_run(s.desk.rig.client, 1);
    desk_close(&s.desk);
}

static void
test_a_response_may_outlive_client_service_and_loop(void **state)
{
    struct site s;

    (void)state;
    site_open(&s, hello);
    later(&s.desk, 1, go_on, &s);
    rig_leave(&s.desk.rig, "/", 40);
    take(&s);
    rig_close(&s.desk.rig);
    assert_int_equal(atomic_load(&s.desk.freed), 0);
    assert_str(s.held.body, "hello");
    answer(&s, VOLO_ANSWER_CHANGE, 299);
    assert_int_equal(atomic_load(&s.desk.freed), 1);
    volo_queue_unref(s.desk.queue);
}

static void
test_going_on_when_the_service_is_gone_goes_nowhere(void **state)
{
    struct site s;

    (void)state;
    site_open(&s, keep);
    later(&s.desk, 1, take, &s);
    rig_leave(&s.desk.rig, "/", 40);
    rig_close(&s.desk.rig);
    answer(&s, VOLO_ANSWER_GO_ON, 0);
    assert_null(kept);
    take(&s);
    assert_int_equal(s.held.kind, VOLO_JOB_LEAVE);
    volo_cx_unref(s.held.cx);
    assert_int_equal(atomic_load(&s.desk.freed), 1);
    volo_queue_unref(s.desk.queue);
}

/* ---- Time that runs out -------------------------------------------------- */

/* Of a layer with a time limit around it; ${step} is what becomes of its job,
 * and not in time. */
static void
ask_in_vain(struct site *s, volo_service_fn fn, void (*step)(void *user))
{
    prepare(s, fn);
    limit(s, 40);
    wrap(s);
    rig_open(&s->desk.rig);
    later(&s->desk, 1, step, s);
    assert_int_equal(volo_test_status(rig_ask(&s->desk.rig, "GET", "/")), 504);
}

static void
test_time_runs_out_around_a_layer_that_has_not_gone_on(void **state)
{
    struct site s;

    (void)state;
    ask_in_vain(&s, keep, take);
    assert_int_equal(answer(&s, VOLO_ANSWER_GO_ON, 0), 0);
    volo_test_run(s.desk.rig.client, 1);
    assert_null(kept);
    take(&s);
    assert_int_equal(s.held.kind, VOLO_JOB_LEAVE);
    answer(&s, VOLO_ANSWER_CHANGE, 0);
    volo_test_run(s.desk.rig.client, 1);
    desk_close(&s.desk);
}

static void
test_time_runs_out_around_a_layer_that_holds_the_response(void **state)
{
    struct site s;

    (void)state;
    ask_in_vain(&s, hello, go_on);
    take(&s);
    assert_int_equal(s.held.kind, VOLO_JOB_LEAVE);
    assert_true(volo_cx_is_canceled(s.held.cx));
    assert_int_equal(answer(&s, VOLO_ANSWER_CHANGE, 299), 0);
    volo_test_run(s.desk.rig.client, 1);
    desk_close(&s.desk);
}

static void
test_time_runs_out_around_a_response_that_is_let_go_of_then(void **state)
{
    struct site s;

    (void)state;
    ask_in_vain(&s, hello, go_on);
    take(&s);
    volo_cx_unref(s.held.cx);
    volo_test_run(s.desk.rig.client, 1);
    desk_close(&s.desk);
}

static void
give_back(void *user)
{
    struct site *s = user;

    take(s);
    assert_int_equal(s->held.kind, VOLO_JOB_LEAVE);
    assert_int_equal(s->held.status, 504);
    answer(s, VOLO_ANSWER_CHANGE, 599);
}

static void
go_on_for_now(void *user)
{
    struct site *s = user;

    go_on(s);
    later(&s->desk, 100, give_back, s);
}

static void
test_time_that_runs_out_inside_is_a_response_like_others(void **state)
{
    struct site s;

    (void)state;
    prepare(&s, keep);
    wrap(&s);
    limit(&s, 40);
    rig_open(&s.desk.rig);
    later(&s.desk, 1, go_on_for_now, &s);
    assert_int_equal(volo_test_status(rig_ask(&s.desk.rig, "GET", "/")), 599);
    volo_cx_unref(kept);
    volo_test_run(s.desk.rig.client, 1);
    desk_close(&s.desk);
}

/* ---- Many at once -------------------------------------------------------- */

enum { CLIENTS = 4, ROUNDS = 300 };

static void
in_and_out(const volo_job *job, volo_answer *a)
{
    if (job->kind == VOLO_JOB_LEAVE) {
        a->kind = VOLO_ANSWER_CHANGE;
        a->status = (int32_t)job->status + 1;
    } else if (job->path.len % 7 == 0) {
        a->status = 290;
    } else {
        a->kind = VOLO_ANSWER_GO_ON;
    }
}

static void *
ask_often(void *arg)
{
    volo_service *service = arg;
    volo_test_response *r;
    volo_test *client;
    char path[16] = "/";
    int i, depth;

    assert_int_equal(volo_test_new(&client, service), 0);
    for (i = 0; i < ROUNDS; i++) {
        depth = i % 8;
        memset(path + 1, 'a', (size_t)depth);
        path[1 + depth] = 0;
        assert_int_equal(volo_test_get(&r, client, path), 0);
        assert_int_equal(volo_test_status(r), depth == 6 ? 290 : 203);
        volo_test_response_free(r);
    }
    volo_test_free(client);
    return NULL;
}

static void
test_many_clients_and_many_takers(void **state)
{
    pthread_t clients[CLIENTS];
    struct taker takers[3];
    struct site s;
    int i;

    (void)state;
    prepare(&s, hello);
    for (i = 0; i < 3; i++)
        wrap(&s);
    assert_int_equal(volo_service_freeze(s.desk.rig.service), 0);
    for (i = 0; i < 3; i++)
        taker_start(&takers[i], s.desk.queue, in_and_out);
    for (i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, ask_often, s.desk.rig.service);
    for (i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    volo_queue_close(s.desk.queue);
    for (i = 0; i < 3; i++)
        taker_join(&takers[i]);
    volo_service_unref(s.desk.rig.service);
    volo_queue_unref(s.desk.queue);
    assert_int_equal(atomic_load(&s.desk.freed), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_client_that_leaves_before_the_layer_has_gone_on),
        cmocka_unit_test(test_a_client_that_leaves_while_what_is_inside_works),
        cmocka_unit_test(test_a_client_that_leaves_before_the_response_does),
        cmocka_unit_test(test_a_response_may_outlive_client_service_and_loop),
        cmocka_unit_test(test_going_on_when_the_service_is_gone_goes_nowhere),
        cmocka_unit_test(
            test_time_runs_out_around_a_layer_that_has_not_gone_on),
        cmocka_unit_test(
            test_time_runs_out_around_a_layer_that_holds_the_response),
        cmocka_unit_test(
            test_time_runs_out_around_a_response_that_is_let_go_of_then),
        cmocka_unit_test(
            test_time_that_runs_out_inside_is_a_response_like_others),
        cmocka_unit_test(test_many_clients_and_many_takers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
