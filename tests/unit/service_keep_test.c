/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps an exchange reads what it lends, and holds up nobody. */
#include "support.h"

static volo_cx *kept;
static int freed;

static void
count(void *user)
{
    ++*(int *)user;
}

VOLO_KEY(thing, int);

static void
keep_and_drop(volo_cx *cx, void *user)
{
    (void)user;
    assert_int_equal(thing_set(cx, &freed, count), 0);
    kept = volo_cx_keep(cx);
}

static void *
unkeep(void *arg)
{
    volo_cx_unkeep(arg);
    return NULL;
}

static void
keep_one(struct rig *rig)
{
    freed = 0;
    rig_service(rig, keep_and_drop, NULL);
    rig_open(rig);
    assert_int_equal(volo_test_status(rig_ask(rig, "GET", "/kept?a=b")), 500);
    assert_str(volo_cx_target(kept), "/kept?a=b");
    assert_int_equal(freed, 0);
}

static void
test_an_exchange_that_is_kept_is_answered_when_nobody_owns_it(void **state)
{
    struct rig rig;

    (void)state;
    keep_one(&rig);
    volo_cx_unkeep(volo_cx_keep(kept));
    assert_int_equal(freed, 0);
    volo_cx_unkeep(kept);
    volo_test_run(rig.client, 1);
    assert_int_equal(freed, 1);
    rig_close(&rig);
    volo_cx_unkeep(NULL);
}

static void
test_it_is_let_go_of_on_another_thread(void **state)
{
    pthread_t thread;
    struct rig rig;

    (void)state;
    keep_one(&rig);
    pthread_create(&thread, NULL, unkeep, kept);
    pthread_join(thread, NULL);
    volo_test_run(rig.client, 1);
    assert_int_equal(freed, 1);
    rig_close(&rig);
}

static void
test_it_may_outlive_its_loop(void **state)
{
    struct rig rig;

    (void)state;
    keep_one(&rig);
    rig_close(&rig);
    assert_str(volo_cx_target(kept), "/kept?a=b");
    volo_cx_unkeep(kept);
    assert_int_equal(freed, 1);
}

static void
give_up(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_status(cx, 504);
    volo_cx_answer(cx);
}

static volo_cx *owned;
static int passed;

static void
own_and_keep(volo_cx *cx, void *user)
{
    keep_and_drop(cx, user);
    owned = volo_cx_ref(cx);
}

static void
back(volo_cx *cx, void *frame)
{
    (void)frame;
    passed += volo_cx_is_canceled(cx);
}

static void
inner(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    volo_next_run(next, cx, back, NULL);
}

static void
outer(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    volo_next_run_within(next, cx, 5, give_up, NULL, NULL, NULL);
}

static void
test_one_that_nobody_waits_for_passes_its_layers_all_the_same(void **state)
{
    struct rig rig;

    (void)state;
    freed = passed = 0;
    rig_service(&rig, own_and_keep, NULL);
    volo_service_layer(rig.service, outer, NULL, NULL);
    volo_service_layer(rig.service, inner, NULL, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 504);
    assert_int_equal(passed, 0);
    volo_cx_unref(owned);
    volo_test_run(rig.client, 1);
    assert_int_equal(passed, 1);
    assert_int_equal(freed, 0);
    volo_cx_unkeep(kept);
    volo_test_run(rig.client, 1);
    assert_int_equal(freed, 1);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_an_exchange_that_is_kept_is_answered_when_nobody_owns_it),
        cmocka_unit_test(test_it_is_let_go_of_on_another_thread),
        cmocka_unit_test(test_it_may_outlive_its_loop),
        cmocka_unit_test(
            test_one_that_nobody_waits_for_passes_its_layers_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
