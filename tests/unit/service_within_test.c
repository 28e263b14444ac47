/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up on an answer while its owner is at work. */
#include "support.h"

static char trace[256];

static void
mark(const char *text)
{
    strncat(trace, text, sizeof trace - strlen(trace) - 1);
}

VOLO_KEY(tag, char);

struct owner {
    volo_cx *cx;
    int told;
    int late;
    pthread_t thread;
};

static void
told(volo_cx *cx, void *user)
{
    (void)cx;
    ((struct owner *)user)->told++;
}

static void
keep(volo_cx *cx, void *user)
{
    struct owner *owner = user;

    assert_int_equal(volo_cx_on_cancel(cx, told, owner, NULL), 0);
    tag_set(cx, (char *)(uintptr_t) "inner", NULL);
    owner->cx = volo_cx_ref(cx);
}

static void
answer(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_body(cx, VOLO_STR("in time"));
    volo_cx_answer(cx);
}

static void
back(volo_cx *cx, void *frame)
{
    char text[] = {'-', *(const char *)frame, '0', 0};

    text[2] = (char)('0' + volo_cx_status(cx) / 100);
    mark(text);
}

static void
through(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, back, user);
}

static void
expired(volo_cx *cx, void *user)
{
    (void)user;
    mark("E");
    assert_string_equal(tag_get(cx), "outer");
    assert_str(volo_cx_path(cx), "/slow");
    assert_int_equal(volo_cx_is_canceled(cx), 0);
    volo_cx_set_status(cx, 504);
    volo_cx_set_body(cx, VOLO_STR("too late"));
    volo_cx_answer(cx);
}

static void
finished(volo_cx *cx, void *user)
{
    (void)user;
    mark(volo_cx_status(cx) == 504 ? "F5" : "F2");
}

static void
outer(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    tag_set(cx, (char *)(uintptr_t) "outer", NULL);
    volo_cx_set_header(cx, "x-outer", VOLO_STR("1"));
    volo_cx_on_finish(cx, finished, NULL, NULL);
    volo_next_run(next, cx, back, (void *)"o");
}

static void
within(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run_within(next, cx, (uint64_t)(uintptr_t)user, expired, NULL,
                         back, (void *)"w");
}

static void
test_an_answer_in_time_is_not_disturbed(void **state)
{
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, answer, NULL);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)5000, NULL);
    rig_open(&rig);
    assert_str(volo_test_body(rig_ask(&rig, "GET", "/slow")), "in time");
    assert_string_equal(trace, "-w2-o2F2");
    rig_close(&rig);
}

static void
test_a_late_owner_is_told_and_its_answer_thrown_away(void **state)
{
    struct owner owner = {.told = 0};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, keep, &owner);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)5, NULL);
    volo_service_layer(rig.service, through, (void *)"i", NULL);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/slow");
    assert_int_equal(volo_test_status(r), 504);
    assert_str(volo_test_body(r), "too late");
    assert_str(volo_test_header(r, "x-outer"), "1");
    assert_int_equal(owner.told, 1);

    /* The layers inside are owed their response until the owner lets go. */
    assert_string_equal(trace, "E-w5-o5F5");
    assert_int_equal(volo_cx_is_canceled(owner.cx), 1);
    assert_string_equal(tag_get(owner.cx), "inner");
    assert_int_equal(volo_cx_answer(owner.cx), VOLO_ECANCELED);
    volo_cx_unref(owner.cx);
    volo_test_run(rig.client, 1);
    assert_string_equal(trace, "E-w5-o5F5-i2");
    rig_close(&rig);
}

static void *
answer_at_last(void *arg)
{
    struct owner *owner = arg;

    while (!volo_cx_is_canceled(owner->cx))
        usleep(500);
    volo_cx_set_header(owner->cx, "x", VOLO_STR("y"));
    volo_cx_set_body(owner->cx, VOLO_STR("late"));
    owner->late = volo_cx_answer(owner->cx);
    volo_cx_unref(owner->cx);
    return NULL;
}

static void
spawn(volo_cx *cx, void *user)
{
    struct owner *owner = user;

    owner->cx = volo_cx_ref(cx);
    pthread_create(&owner->thread, NULL, answer_at_last, owner);
}

static void
test_an_owner_on_another_thread_may_answer_at_any_moment(void **state)
{
    struct owner owner = {.late = 0};
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, spawn, &owner);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)3, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/slow")), 504);
    pthread_join(owner.thread, NULL);
    assert_true(owner.late == VOLO_ECANCELED || owner.late == VOLO_EALREADY);
    rig_close(&rig);
}

static void
test_the_inner_of_two_timeouts_fires_first(void **state)
{
    struct owner owner = {.told = 0};
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, keep, &owner);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)5000, NULL);
    volo_service_layer(rig.service, within, (void *)3, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/slow")), 504);
    assert_string_equal(trace, "E-w5-w5-o5F5");
    volo_cx_unref(owner.cx);
    rig_close(&rig);
}

static void
test_the_outer_of_two_timeouts_fires_first(void **state)
{
    struct owner owner = {.told = 0};
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, keep, &owner);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)3, NULL);
    volo_service_layer(rig.service, within, (void *)6, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/slow")), 504);
    volo_test_run(rig.client, 10); /* the inner one's time passes too */
    assert_string_equal(trace, "E-w5-o5F5");
    assert_int_equal(volo_cx_deadline_ms(owner.cx), 0);
    volo_cx_unref(owner.cx);
    volo_test_run(rig.client, 1);
    assert_string_equal(trace, "E-w5-o5F5-w2");
    rig_close(&rig);
}

/* The one that gives up answers later too, and the outer timeout gives up on
 * that. */
static void
keep_heir(volo_cx *cx, void *user)
{
    mark("K");
    keep(cx, user);
}

static void
within_keeping(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run_within(next, cx, 3, keep_heir, user, back, (void *)"k");
}

static void
test_an_heir_may_have_an_heir(void **state)
{
    struct owner first = {.told = 0}, second = {.told = 0};
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, keep, &first);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)8, NULL);
    volo_service_layer(rig.service, within_keeping, &second, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/slow")), 504);
    assert_int_equal(first.told, 1);
    assert_int_equal(second.told, 1);
    assert_string_equal(trace, "KE-w5-o5F5");
    volo_cx_unref(first.cx);
    assert_str(volo_cx_path(second.cx), "/slow");
    volo_cx_unref(second.cx);
    volo_test_run(rig.client, 1);
    assert_string_equal(trace, "KE-w5-o5F5-k2");
    rig_close(&rig);
}

static void
test_the_client_leaves_before_the_time_is_up(void **state)
{
    struct owner owner = {.told = 0};
    struct rig rig;

    (void)state;
    trace[0] = 0;
    rig_service(&rig, keep, &owner);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, within, (void *)10, NULL);
    rig_open(&rig);
    rig_leave(&rig, "/slow", 2);
    volo_test_run(rig.client, 15);
    assert_int_equal(owner.told, 1);
    assert_string_equal(trace, "");
    volo_cx_unref(owner.cx);
    volo_test_run(rig.client, 1);
    assert_string_equal(trace, "-w5-o5F2");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_in_time_is_not_disturbed),
        cmocka_unit_test(test_a_late_owner_is_told_and_its_answer_thrown_away),
        cmocka_unit_test(
            test_an_owner_on_another_thread_may_answer_at_any_moment),
        cmocka_unit_test(test_the_inner_of_two_timeouts_fires_first),
        cmocka_unit_test(test_the_outer_of_two_timeouts_fires_first),
        cmocka_unit_test(test_an_heir_may_have_an_heir),
        cmocka_unit_test(test_the_client_leaves_before_the_time_is_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
