/* SPDX-License-Identifier: Apache-2.0 */
/* Exactly once, now or later, from any thread. */
#include "support.h"

static void
say_hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_body(cx, VOLO_STR("hello"));
    volo_cx_answer(cx);
}

static void
test_a_service_answers_before_it_returns(void **state)
{
    struct rig rig;
    volo_test_response *r;

    (void)state;
    rig_service(&rig, say_hello, NULL);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "hello");
    rig_close(&rig);
}

static void *
answer_in_thread(void *arg)
{
    usleep(1000);
    say_hello(arg, NULL);
    volo_cx_unref(arg);
    return NULL;
}

struct threads {
    pthread_t id[64];
    int count;
};

static void
spawn(volo_cx *cx, void *user)
{
    struct threads *threads = user;

    volo_cx_ref(cx);
    pthread_create(&threads->id[threads->count++], NULL, answer_in_thread, cx);
}

static void
test_a_service_answers_later_from_another_thread(void **state)
{
    struct threads threads = {.count = 0};
    struct rig rig;
    int i;

    (void)state;
    rig_service(&rig, spawn, &threads);
    rig_open(&rig);
    for (i = 0; i < 20; i++)
        assert_str(volo_test_body(rig_ask(&rig, "GET", "/")), "hello");
    while (threads.count > 0)
        pthread_join(threads.id[--threads.count], NULL);
    rig_close(&rig);
}

static void
drop(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
}

static void
test_an_exchange_that_is_dropped_becomes_500(void **state)
{
    struct rig rig;

    (void)state;
    rig_service(&rig, drop, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 500);
    rig_close(&rig);
}

static void *
drop_in_thread(void *arg)
{
    volo_cx_unref(arg);
    return NULL;
}

static void
spawn_drop(volo_cx *cx, void *user)
{
    pthread_create(user, NULL, drop_in_thread, volo_cx_ref(cx));
}

static void
test_dropped_on_another_thread_becomes_500_too(void **state)
{
    pthread_t thread;
    struct rig rig;

    (void)state;
    rig_service(&rig, spawn_drop, &thread);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 500);
    pthread_join(thread, NULL);
    rig_close(&rig);
}

static void
answer_twice(volo_cx *cx, void *user)
{
    int *second = user;

    volo_cx_set_body(cx, VOLO_STR("first"));
    assert_int_equal(volo_cx_answer(cx), 0);
    assert_int_equal(volo_cx_is_answered(cx), 1);
    *second = volo_cx_answer(cx);
    assert_int_equal(volo_cx_set_status(cx, 404), VOLO_EALREADY);
    assert_int_equal(volo_cx_set_body(cx, VOLO_STR("second")), VOLO_EALREADY);
    assert_int_equal(volo_cx_set_header(cx, "a", VOLO_STR("b")), VOLO_EALREADY);
}

static void
test_a_second_answer_changes_nothing(void **state)
{
    volo_test_response *r;
    struct rig rig;
    int second = 0;

    (void)state;
    rig_service(&rig, answer_twice, &second);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "first");
    assert_int_equal(second, VOLO_EALREADY);
    rig_close(&rig);
}

struct late {
    volo_cx *cx;
    int told;
    int freed;
    int finished;
};

static void
told(volo_cx *cx, void *user)
{
    struct late *late = user;

    assert_ptr_equal(cx, late->cx);
    assert_int_equal(volo_cx_is_canceled(cx), 1);
    late->told++;
}

static void
freed(void *user)
{
    ((struct late *)user)->freed++;
}

static void
finished(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct late *)user)->finished++;
}

static void
keep(volo_cx *cx, void *user)
{
    struct late *late = user;

    late->cx = volo_cx_ref(cx);
    assert_int_equal(volo_cx_on_cancel(cx, told, late, freed), 0);
    assert_int_equal(volo_cx_on_finish(cx, finished, late, NULL), 0);
}

static void
test_a_late_answer_is_a_harmless_no_op(void **state)
{
    struct late late = {.cx = NULL};
    struct rig rig;

    (void)state;
    rig_service(&rig, keep, &late);
    rig_open(&rig);
    rig_leave(&rig, "/path?query", 1);
    assert_int_equal(late.told, 1);
    assert_int_equal(late.freed, 1);
    assert_int_equal(late.finished, 0); /* its owner is still at it */

    /* All of it can still be read, and written to. */
    assert_str(volo_cx_path(late.cx), "/path");
    assert_str(volo_cx_peer_ip(late.cx), "test");
    assert_int_equal(volo_cx_set_body(late.cx, VOLO_STR("late")), 0);
    assert_int_equal(volo_cx_answer(late.cx), VOLO_ECANCELED);
    assert_int_equal(volo_cx_answer(late.cx), VOLO_ECANCELED);
    volo_cx_unref(late.cx);
    volo_test_run(rig.client, 1);
    assert_int_equal(late.finished, 1);
    rig_close(&rig);
}

static void
test_an_owner_may_outlive_the_loop(void **state)
{
    struct late late = {.cx = NULL};
    struct rig rig;

    (void)state;
    rig_service(&rig, keep, &late);
    rig_open(&rig);
    rig_leave(&rig, "/", 1);
    rig_close(&rig);
    assert_str(volo_cx_path(late.cx), "/");
    assert_int_equal(volo_cx_answer(late.cx), VOLO_ECANCELED);
    volo_cx_unref(late.cx);
    assert_int_equal(late.finished, 1);
}

/* ---- Extensions, hooks, posting ------------------------------------------ */

VOLO_KEY(counter, int);

static void
use_exts(volo_cx *cx, void *user)
{
    int *one = volo_cx_alloc(cx, sizeof *one);
    int *two = volo_cx_alloc(cx, sizeof *two);

    *one = 1;
    *two = 2;
    assert_null(counter_get(cx));
    assert_int_equal(counter_set(cx, one, NULL), 0);
    assert_int_equal(*counter_get(cx), 1);
    assert_int_equal(counter_set(cx, two, NULL), 0);
    assert_int_equal(*counter_get(cx), 2);
    assert_int_equal(volo_cx_set_ext(cx, user, user, freed), 0);
    say_hello(cx, NULL);
}

static void
test_the_newest_extension_wins_and_each_is_freed_once(void **state)
{
    struct late late = {.freed = 0};
    struct rig rig;

    (void)state;
    rig_service(&rig, use_exts, &late);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    assert_int_equal(late.freed, 1);
    rig_close(&rig);
}

static void
note(volo_cx *cx, void *user)
{
    (void)cx;
    strcat(user, "1");
}

static void
note_more(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_sent(cx), 5);
    assert_int_equal(volo_cx_status(cx), 200);
    strcat(user, "2");
}

static void
with_finish(volo_cx *cx, void *user)
{
    volo_cx_on_finish(cx, note, user, NULL);
    volo_cx_on_finish(cx, note_more, user, NULL);
    say_hello(cx, NULL);
}

static void
test_finish_hooks_run_last_registered_first(void **state)
{
    char trace[8] = "";
    struct rig rig;

    (void)state;
    rig_service(&rig, with_finish, trace);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    assert_string_equal(trace, "21");
    rig_close(&rig);
}

static void
posted(volo_cx *cx, void *user)
{
    assert_ptr_equal(volo_loop_current(), volo_cx_loop(cx));
    say_hello(cx, user);
}

static void *
post_in_thread(void *arg)
{
    assert_null(volo_loop_current());
    assert_int_equal(volo_cx_post(arg, posted, NULL), 0);
    volo_cx_unref(arg);
    return NULL;
}

static void
spawn_post(volo_cx *cx, void *user)
{
    pthread_create(user, NULL, post_in_thread, volo_cx_ref(cx));
}

static void
test_work_can_be_posted_to_the_loop_of_an_exchange(void **state)
{
    pthread_t thread;
    struct rig rig;

    (void)state;
    rig_service(&rig, spawn_post, &thread);
    rig_open(&rig);
    assert_str(volo_test_body(rig_ask(&rig, "GET", "/")), "hello");
    pthread_join(thread, NULL);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_service_answers_before_it_returns),
        cmocka_unit_test(test_a_service_answers_later_from_another_thread),
        cmocka_unit_test(test_an_exchange_that_is_dropped_becomes_500),
        cmocka_unit_test(test_dropped_on_another_thread_becomes_500_too),
        cmocka_unit_test(test_a_second_answer_changes_nothing),
        cmocka_unit_test(test_a_late_answer_is_a_harmless_no_op),
        cmocka_unit_test(test_an_owner_may_outlive_the_loop),
        cmocka_unit_test(test_the_newest_extension_wins_and_each_is_freed_once),
        cmocka_unit_test(test_finish_hooks_run_last_registered_first),
        cmocka_unit_test(test_work_can_be_posted_to_the_loop_of_an_exchange),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
