/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that the takers of a queue run: what they see, what they may do. */
#include "service_queue.h"

/* ---- What is inside ------------------------------------------------------ */

static atomic_int inside; /* how often */

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    atomic_fetch_add(&inside, 1);
    volo_cx_set_status(cx, 201);
    volo_cx_add_header(cx, "x-inner", VOLO_STR("one"));
    volo_cx_add_header(cx, "x-inner", VOLO_STR("two"));
    volo_cx_set_body(cx, VOLO_STR("hello"));
    volo_cx_answer(cx);
}

static void
stream(volo_cx *cx, void *user)
{
    volo_writer *writer;

    (void)user;
    assert_int_equal(volo_cx_answer_stream(&writer, cx, -1), 0);
    volo_writer_write(writer, VOLO_STR("streamed"));
    volo_writer_end(writer);
    volo_writer_free(writer);
}

/* A layer of C that sets something on the way in, and marks the way out. */
static void
mark_out(volo_cx *cx, void *frame)
{
    volo_cx_add_header(cx, "x-way", volo_str_of(frame));
}

static void
mark(volo_cx *cx, volo_next *next, void *user)
{
    volo_cx_set_header(cx, "x-set", volo_str_of(user));
    volo_next_run(next, cx, mark_out, user);
}

/* ---- The taker's side ---------------------------------------------------- */

struct counter {
    struct desk desk;
    struct taker taker;
};

static void
counter_prepare(struct counter *c, volo_service_fn fn)
{
    atomic_store(&c->desk.freed, 0);
    atomic_store(&inside, 0);
    atomic_store(&releases, 0);
    assert_int_equal(volo_queue_new(&c->desk.queue, 0), 0);
    rig_service(&c->desk.rig, fn, NULL);
}

static void
counter_layer(struct counter *c)
{
    volo_layer *layer;

    assert_int_equal(
        volo_queue_layer(&layer, c->desk.queue, &c->desk.freed, count_up), 0);
    assert_int_equal(volo_service_add_layer(c->desk.rig.service, layer), 0);
    volo_layer_unref(layer);
}

static void
counter_open(struct counter *c, volo_service_fn fn,
             void (*fill)(const volo_job *, volo_answer *))
{
    counter_prepare(c, fn);
    counter_layer(c);
    rig_open(&c->desk.rig);
    taker_start(&c->taker, c->desk.queue, fill);
}

static void
counter_close(struct counter *c)
{
    volo_queue_close(c->desk.queue);
    taker_join(&c->taker);
    desk_close(&c->desk);
}

static void
let_pass(const volo_job *job, volo_answer *answer)
{
    answer->kind =
        job->kind == VOLO_JOB_LEAVE ? VOLO_ANSWER_CHANGE : VOLO_ANSWER_GO_ON;
}

static void
test_an_exchange_passes_in_and_out_and_is_answered_by_what_is_inside(
    void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, hello, let_pass);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 201);
    assert_str(volo_test_body(r), "hello");
    assert_int_equal(volo_test_header_count(r), 3); /* and content-length */
    counter_close(&c);
    assert_int_equal(c.taker.taken, 2);
    assert_int_equal(c.taker.answered, 2);
    assert_int_equal(atomic_load(&inside), 1);
}

static int mine;

static void
look(const volo_job *job, volo_answer *answer)
{
    let_pass(job, answer);
    assert_str(job->path, "/seen");
    assert_str(job->method_name, "GET");
    if (job->kind == VOLO_JOB_ENTER) {
        assert_null(job->state);
        assert_int_equal(job->status, 0);
        assert_int_equal(job->header_count, 1); /* Host */
        answer->user = &mine;
        answer->release = count_up;
        return;
    }
    assert_int_equal(job->kind, VOLO_JOB_LEAVE);
    assert_ptr_equal(job->state, &mine);
    assert_int_equal(job->status, 201);
    assert_int_equal(job->header_count, 2);
    assert_str(job->headers[0].name, "x-inner");
    assert_str(job->headers[1].value, "two");
    assert_str(job->body, "hello");
}

static void
test_the_layer_sees_the_request_and_then_the_response_with_its_own_state(
    void **state)
{
    struct counter c;

    (void)state;
    mine = 0;
    counter_open(&c, hello, look);
    assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/seen")),
                     201);
    counter_close(&c);
    assert_int_equal(mine, 0); /* it has come: it is not released */
}

static void
short_cut(const volo_job *job, volo_answer *answer)
{
    assert_int_equal(job->kind, VOLO_JOB_ENTER);
    answer->status = 403;
    answer->body = VOLO_STR("no");
}

static void
test_an_answer_on_the_way_in_takes_the_place_of_what_is_inside(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, hello, short_cut);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 403);
    assert_str(volo_test_body(r), "no");
    counter_close(&c);
    assert_int_equal(atomic_load(&inside), 0);
    assert_int_equal(c.taker.taken, 1);
}

static const volo_pair changed_lines[] = {{{"x-inner", 7}, {"three", 5}, 0, 0},
                                          {{"x-new", 5}, {"yes", 3}, 0, 0}};

static void
change_all(const volo_job *job, volo_answer *answer)
{
    let_pass(job, answer);
    if (job->kind == VOLO_JOB_ENTER)
        return;
    answer->status = 202;
    answer->headers = changed_lines;
    answer->header_count = 2;
    answer->body = VOLO_STR("changed");
    answer->release = count_up;
    answer->user = &releases;
}

static void
test_the_response_can_be_changed_on_its_way_out(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, hello, change_all);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 202);
    assert_str(volo_test_header(r, "x-inner"), "three");
    assert_str(volo_test_header(r, "x-new"), "yes");
    assert_int_equal(volo_test_header_count(r), 3);
    assert_str(volo_test_body(r), "changed");
    counter_close(&c);
    assert_int_equal(atomic_load(&releases), 1);
}

static void
change_status(const volo_job *job, volo_answer *answer)
{
    let_pass(job, answer);
    if (job->kind == VOLO_JOB_LEAVE)
        answer->status = 299;
}

static void
test_what_is_not_changed_stays_as_it_is(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, hello, change_status);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 299);
    assert_str(volo_test_header(r, "x-inner"), "one");
    assert_str(volo_test_body(r), "hello");
    counter_close(&c);
}

static void
change_badly(const volo_job *job, volo_answer *answer)
{
    static const volo_pair bad = {{"x-bad", 5}, {"a\nb", 3}, 0, 0};

    change_all(job, answer);
    if (job->kind == VOLO_JOB_ENTER)
        return;
    answer->headers = &bad;
    answer->header_count = 1;
}

static void
test_a_bad_line_on_the_way_out_makes_it_500(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, hello, change_badly);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 500);
    assert_absent(volo_test_header(r, "x-bad"));
    assert_absent(volo_test_header(r, "x-inner"));
    counter_close(&c);
    assert_int_equal(atomic_load(&releases), 1);
}

/* ---- With layers of C around and inside ---------------------------------- */

static void
look_between(const volo_job *job, volo_answer *answer)
{
    change_all(job, answer);
    if (job->kind == VOLO_JOB_ENTER)
        return;
    /* x-set was set anew inside; what was set outside is not ours to see. */
    assert_int_equal(job->header_count, 4);
    assert_str(job->headers[0].name, "x-set");
    assert_str(job->headers[0].value, "in");
    assert_str(job->headers[3].name, "x-way");
    assert_str(job->headers[3].value, "in");
}

static void
also(volo_cx *cx, volo_next *next, void *user)
{
    volo_cx_set_header(cx, "x-outside", VOLO_STR("kept"));
    volo_next_run(next, cx, NULL, user);
}

static void
test_layers_run_in_the_order_in_which_they_were_added(void **state)
{
    struct counter c;
    volo_test_response *r;
    volo_str name, value;

    (void)state;
    counter_prepare(&c, hello);
    volo_service_layer(c.desk.rig.service, mark, (void *)(uintptr_t) "out",
                       NULL);
    volo_service_layer(c.desk.rig.service, also, NULL, NULL);
    counter_layer(&c);
    volo_service_layer(c.desk.rig.service, mark, (void *)(uintptr_t) "in",
                       NULL);
    rig_open(&c.desk.rig);
    taker_start(&c.taker, c.desk.queue, look_between);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 202);
    assert_str(volo_test_header(r, "x-outside"), "kept");
    assert_str(volo_test_header(r, "x-new"), "yes");
    assert_absent(volo_test_header(r, "x-set")); /* not among the new lines */
    volo_test_header_at(r, volo_test_header_count(r) - 2, &name, &value);
    assert_str(name, "x-way");
    assert_str(value, "out");
    counter_close(&c);
}

static void
test_one_layer_wraps_another_of_the_same_queue(void **state)
{
    struct counter c;
    int i;

    (void)state;
    counter_prepare(&c, hello);
    for (i = 0; i < 3; i++)
        counter_layer(&c);
    rig_open(&c.desk.rig);
    taker_start(&c.taker, c.desk.queue, change_all);
    for (i = 0; i < 20; i++)
        assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/")),
                         202);
    volo_queue_close(c.desk.queue);
    taker_join(&c.taker);
    rig_close(&c.desk.rig);
    volo_queue_unref(c.desk.queue);
    assert_int_equal(c.taker.taken, 20 * 6);
    assert_int_equal(atomic_load(&c.desk.freed), 3);
    assert_int_equal(atomic_load(&releases), 20 * 3);
}

static void
test_a_layer_wraps_a_service_of_the_same_queue(void **state)
{
    struct counter c;

    (void)state;
    atomic_store(&releases, 0);
    desk_open(&c.desk, 0);
    rig_close(&c.desk.rig);
    atomic_store(&c.desk.freed, 0);
    assert_int_equal(
        volo_queue_service(&c.desk.rig.service, c.desk.queue, NULL, NULL), 0);
    counter_layer(&c);
    rig_open(&c.desk.rig);
    taker_start(&c.taker, c.desk.queue, change_all);
    /* In VOLO_JOB_SERVE let_pass() makes an answer of the wrong kind. */
    assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/")), 202);
    counter_close(&c);
    assert_int_equal(c.taker.taken, 3);
}

/* ---- Streams ------------------------------------------------------------- */

static void
change_stream_lines(const volo_job *job, volo_answer *answer)
{
    let_pass(job, answer);
    if (job->kind == VOLO_JOB_ENTER)
        return;
    assert_absent(job->body);
    assert_true(volo_cx_is_streamed(job->cx));
    answer->headers = changed_lines;
    answer->header_count = 2;
}

static void
test_a_stream_passes_and_its_head_can_be_changed(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, stream, change_stream_lines);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_str(volo_test_header(r, "x-new"), "yes");
    assert_str(volo_test_body(r), "streamed");
    counter_close(&c);
}

static void
test_a_stream_can_be_replaced_by_a_body(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    counter_open(&c, stream, change_all);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 202);
    assert_str(volo_test_body(r), "changed");
    counter_close(&c);
    assert_int_equal(atomic_load(&releases), 1);
}

/* ---- Going wrong --------------------------------------------------------- */

/* Takes one after the other on the loop's thread, and holds it. */
static volo_job held;

static void
take(void *user)
{
    struct counter *c = user;

    assert_int_equal(volo_queue_take(c->desk.queue, &held, sizeof held, 1, 0),
                     1);
}

static int
answer_held(struct counter *c, uint32_t kind, void *user)
{
    volo_answer answer = {.cx = held.cx, .kind = kind};

    if (user) {
        answer.user = user;
        answer.release = count_up;
    }
    return volo_queue_answer(c->desk.queue, &answer, sizeof answer, 1);
}

static void
loop_open(struct counter *c, volo_service_fn fn)
{
    counter_prepare(c, fn);
    counter_layer(c);
    rig_open(&c->desk.rig);
}

static void
take_and_drop(void *user)
{
    take(user);
    volo_cx_unref(held.cx);
}

static void
test_one_that_is_let_go_of_on_the_way_in_is_500(void **state)
{
    struct counter c;

    (void)state;
    loop_open(&c, hello);
    later(&c.desk, 1, take_and_drop, &c);
    assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/")), 500);
    assert_int_equal(atomic_load(&inside), 0);
    desk_close(&c.desk);
}

static void
go_on_and_drop(void *user)
{
    struct counter *c = user;

    take(c);
    assert_int_equal(held.kind, VOLO_JOB_ENTER);
    assert_int_equal(answer_held(c, VOLO_ANSWER_GO_ON, &mine), 1);
    later(&c->desk, 1, take_and_drop, c);
}

static void
test_one_that_is_let_go_of_on_the_way_out_leaves_as_it_is(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    mine = 0;
    loop_open(&c, hello);
    later(&c.desk, 1, go_on_and_drop, &c);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 201);
    assert_str(volo_test_body(r), "hello");
    assert_int_equal(mine, 0);
    desk_close(&c.desk);
}

static void
go_on_and_close(void *user)
{
    struct counter *c = user;

    take(c);
    volo_queue_close(c->desk.queue);
    answer_held(c, VOLO_ANSWER_GO_ON, &mine);
}

static void
test_the_response_of_a_layer_that_nobody_runs_any_more_is_503(void **state)
{
    struct counter c;
    volo_test_response *r;

    (void)state;
    mine = 0;
    loop_open(&c, stream);
    later(&c.desk, 1, go_on_and_close, &c);
    r = rig_ask(&c.desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 503);
    assert_int_equal(mine, 1); /* released: it does not come back */
    assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/")), 503);
    desk_close(&c.desk);
}

static void
go_on(void *user)
{
    take(user);
    answer_held(user, VOLO_ANSWER_GO_ON, &mine);
}

static void
unref_queue(void *user)
{
    struct counter *c = user;

    assert_int_equal(volo_queue_len(c->desk.queue), 1);
    volo_queue_unref(c->desk.queue);
}

static void
go_on_and_unref(void *user)
{
    go_on(user);
    later(&((struct counter *)user)->desk, 1, unref_queue, user);
}

static void
test_what_nobody_took_on_its_way_out_is_503(void **state)
{
    struct counter c;

    (void)state;
    mine = 0;
    loop_open(&c, hello);
    later(&c.desk, 1, go_on_and_unref, &c);
    assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/")), 503);
    assert_int_equal(mine, 1);
    assert_int_equal(atomic_load(&inside), 1);
    rig_close(&c.desk.rig);
    assert_int_equal(atomic_load(&c.desk.freed), 1);
}

static void
answer_twice(void *user)
{
    struct counter *c = user;

    take(c);
    volo_cx_ref(held.cx);
    assert_int_equal(answer_held(c, VOLO_ANSWER_REPLY, NULL), 1);
    assert_int_equal(answer_held(c, VOLO_ANSWER_CHANGE, &mine), 0);
}

static void
test_answers_of_a_kind_that_does_not_fit_are_thrown_away(void **state)
{
    struct counter c;

    (void)state;
    mine = 0;
    loop_open(&c, hello);
    later(&c.desk, 1, answer_twice, &c);
    assert_int_equal(volo_test_status(rig_ask(&c.desk.rig, "GET", "/")), 200);
    assert_int_equal(mine, 1);
    desk_close(&c.desk);
}

static void
test_wrong_arguments_are_refused(void **state)
{
    volo_layer *layer = NULL;
    atomic_int freed = 0;

    (void)state;
    assert_int_equal(volo_queue_layer(&layer, NULL, &freed, count_up),
                     VOLO_EINVAL);
    assert_int_equal(freed, 1);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_an_exchange_passes_in_and_out_and_is_answered_by_what_is_inside),
        cmocka_unit_test(
            test_the_layer_sees_the_request_and_then_the_response_with_its_own_state),
        cmocka_unit_test(
            test_an_answer_on_the_way_in_takes_the_place_of_what_is_inside),
        cmocka_unit_test(test_the_response_can_be_changed_on_its_way_out),
        cmocka_unit_test(test_what_is_not_changed_stays_as_it_is),
        cmocka_unit_test(test_a_bad_line_on_the_way_out_makes_it_500),
        cmocka_unit_test(test_layers_run_in_the_order_in_which_they_were_added),
        cmocka_unit_test(test_one_layer_wraps_another_of_the_same_queue),
        cmocka_unit_test(test_a_layer_wraps_a_service_of_the_same_queue),
        cmocka_unit_test(test_a_stream_passes_and_its_head_can_be_changed),
        cmocka_unit_test(test_a_stream_can_be_replaced_by_a_body),
        cmocka_unit_test(test_one_that_is_let_go_of_on_the_way_in_is_500),
        cmocka_unit_test(
            test_one_that_is_let_go_of_on_the_way_out_leaves_as_it_is),
        cmocka_unit_test(
            test_the_response_of_a_layer_that_nobody_runs_any_more_is_503),
        cmocka_unit_test(test_what_nobody_took_on_its_way_out_is_503),
        cmocka_unit_test(
            test_answers_of_a_kind_that_does_not_fit_are_thrown_away),
        cmocka_unit_test(test_wrong_arguments_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
