/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds an exchange while its response is on the way out: layers may take
 * references when the owner's are gone already. */
#include "support.h"

/* What an exchange frees tells how often it was freed. */
struct life {
    int released;
    int posted;
    int finished;
    pthread_t thread;
    int threads;
    volo_cx *cx;
};

static void
count(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_SEQ_CST);
}

static void
set_answer(volo_cx *cx, struct life *life)
{
    volo_cx_set_body_ref(cx, VOLO_STR("hello"), count, &life->released);
}

static void *
answer_and_leave(void *arg)
{
    volo_cx_answer(arg);
    volo_cx_unref(arg);
    return NULL;
}

/* Answered, and let go, before the loop looks at it. */
static void
answer_elsewhere(volo_cx *cx, void *user)
{
    pthread_t thread;

    set_answer(cx, user);
    pthread_create(&thread, NULL, answer_and_leave, volo_cx_ref(cx));
    pthread_join(thread, NULL);
}

static void
drop(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
}

static void *
resume_and_leave(void *arg)
{
    usleep(1000);
    volo_cx_resume(arg);
    volo_cx_unref(arg);
    return NULL;
}

static void
hold(volo_cx *cx, void *frame)
{
    struct life *life = frame;

    if (volo_cx_status(cx) == 500)
        set_answer(cx, life);
    volo_cx_ref(cx);
    assert_int_equal(volo_cx_suspend(cx), 0);
    pthread_create(&life->thread, NULL, resume_and_leave, cx);
    life->threads++;
}

static void
holding(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, hold, user);
}

static void
note(volo_cx *cx, void *user)
{
    (void)cx;
    count(&((struct life *)user)->posted);
}

static void
post(volo_cx *cx, void *frame)
{
    struct life *life = frame;

    if (volo_cx_status(cx) == 500)
        set_answer(cx, life);
    assert_int_equal(volo_cx_post(cx, note, life), 0);
}

static void
posting(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, post, user);
}

static void
one_life(volo_service_fn fn, volo_layer_fn layer, int status)
{
    struct life life = {.released = 0};
    volo_test_response *r;
    struct rig rig;

    rig_service(&rig, fn, &life);
    assert_int_equal(volo_service_layer(rig.service, layer, &life, NULL), 0);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), status);
    assert_str(volo_test_body(r), "hello");
    if (life.threads)
        pthread_join(life.thread, NULL);
    volo_test_run(rig.client, 5);
    assert_int_equal(life.released, 1);
    assert_int_equal(life.posted, layer == posting);
    rig_close(&rig);
}

static void
test_a_layer_holds_the_answer_of_a_thread_that_has_gone(void **state)
{
    (void)state;
    one_life(answer_elsewhere, holding, 200);
}

static void
test_a_layer_posts_work_behind_the_answer_of_a_thread(void **state)
{
    (void)state;
    one_life(answer_elsewhere, posting, 200);
}

static void
test_a_layer_holds_the_500_of_an_exchange_that_was_dropped(void **state)
{
    (void)state;
    one_life(drop, holding, 500);
}

static void
test_a_layer_posts_work_behind_the_500_of_a_dropped_one(void **state)
{
    (void)state;
    one_life(drop, posting, 500);
}

static void
post_at_the_end(volo_cx *cx, void *user)
{
    count(&((struct life *)user)->finished);
    assert_int_equal(volo_cx_post(cx, note, user), 0);
}

static void
finish_later(volo_cx *cx, void *user)
{
    set_answer(cx, user);
    assert_int_equal(volo_cx_on_finish(cx, post_at_the_end, user, NULL), 0);
    volo_cx_answer(cx);
}

static void
release_first(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_on_finish(cx, post_at_the_end, user, NULL), 0);
}

static void
finish_of(volo_service_fn fn)
{
    struct life life = {.released = 0};
    struct rig rig;

    rig_service(&rig, fn, &life);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    volo_test_run(rig.client, 5);
    assert_int_equal(life.finished, 1);
    assert_int_equal(life.posted, 1);
    rig_close(&rig);
}

static void
test_a_finish_hook_may_post_work(void **state)
{
    (void)state;
    finish_of(finish_later);
    finish_of(release_first);
}

/* ---- A client that leaves as the owner lets go ----------------------------
 */

static void *
let_go(void *cx)
{
    volo_cx_unref(cx);
    return NULL;
}

static void
let_go_elsewhere(void *cx)
{
    pthread_t thread;

    pthread_create(&thread, NULL, let_go, cx);
    pthread_join(thread, NULL);
}

/* As a binding does it, to send word to another thread. */
static void
tell(volo_cx *cx, void *user)
{
    count(&((struct life *)user)->posted);
    let_go_elsewhere(volo_cx_ref(cx));
}

static void
start(volo_cx *cx, uint64_t ms, volo_task_fn fn)
{
    assert_int_equal(volo_timer_start(NULL, volo_cx_loop(cx), ms, fn, cx, NULL),
                     0);
}

/* The loop is late, and then has two things to do at once: the exchange is let
 * go, of which the word waits in the inbox, and the client leaves. */
static void
be_late(void *cx)
{
    usleep(20000);
    start(cx, 1, let_go_elsewhere);
}

static void
keep(volo_cx *cx, void *user)
{
    struct life *life = user;

    assert_int_equal(volo_cx_on_cancel(cx, tell, life, NULL), 0);
    volo_cx_set_ext(cx, life, &life->finished, count);
    life->cx = volo_cx_ref(cx);
}

static void
leave_together(volo_cx *cx, void *user)
{
    keep(cx, user);
    start(cx, 1, be_late);
}

static void
ask_and_leave(struct rig *rig)
{
    rig_leave(rig, "/", 8);
    volo_test_run(rig->client, 5);
}

static void
test_nobody_is_told_of_an_exchange_that_was_let_go(void **state)
{
    struct life life = {.released = 0};
    struct rig rig;

    (void)state;
    rig_service(&rig, leave_together, &life);
    rig_open(&rig);
    ask_and_leave(&rig);
    assert_int_equal(life.posted, 0);
    assert_int_equal(life.finished, 1);
    rig_close(&rig);
}

static void
test_who_is_told_may_take_a_reference_and_give_it_back(void **state)
{
    struct life life = {.released = 0};
    struct rig rig;

    (void)state;
    rig_service(&rig, keep, &life);
    rig_open(&rig);
    ask_and_leave(&rig);
    assert_int_equal(life.posted, 1);
    assert_int_equal(life.finished, 0);
    volo_cx_unref(life.cx);
    volo_test_run(rig.client, 5);
    assert_int_equal(life.finished, 1);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_layer_holds_the_answer_of_a_thread_that_has_gone),
        cmocka_unit_test(test_a_layer_posts_work_behind_the_answer_of_a_thread),
        cmocka_unit_test(
            test_a_layer_holds_the_500_of_an_exchange_that_was_dropped),
        cmocka_unit_test(
            test_a_layer_posts_work_behind_the_500_of_a_dropped_one),
        cmocka_unit_test(test_a_finish_hook_may_post_work),
        cmocka_unit_test(test_nobody_is_told_of_an_exchange_that_was_let_go),
        cmocka_unit_test(
            test_who_is_told_may_take_a_reference_and_give_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
