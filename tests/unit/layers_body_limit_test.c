/* SPDX-License-Identifier: Apache-2.0 */
/* The body limit: announced, counted, and set twice. */
#include "layers_support.h"

static unsigned calls;

static void
echo_body(volo_cx *cx, int err, volo_str body, void *user)
{
    (void)user;
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_str(cx, body);
}

static void
echo(volo_cx *cx, void *user)
{
    calls++;
    volo_cx_read_body(cx, echo_body, user);
}

static void
open_limited(struct rig *rig, uint64_t limit)
{
    volo_layer *layer = NULL;

    calls = 0;
    rig_service(rig, echo, NULL);
    assert_int_equal(volo_layer_body_limit(&layer, limit), 0);
    rig_wrap(rig, layer);
}

static void
test_a_body_of_exactly_the_limit_is_accepted(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_limited(&rig, 4);
    rig_open(&rig);
    r = rig_post(&rig, "/", VOLO_STR("1234"), 0);
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "1234");
    r = rig_post(&rig, "/", VOLO_STR("1234"), 1);
    assert_int_equal(volo_test_status(r), 200);
    assert_int_equal(calls, 2);
    rig_close(&rig);
}

static void
test_an_announced_body_beyond_the_limit_is_refused_at_once(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_limited(&rig, 4);
    rig_open(&rig);
    r = rig_post(&rig, "/", VOLO_STR("12345"), 0);
    assert_int_equal(volo_test_status(r), 413);
    assert_int_equal(calls, 0);
    rig_close(&rig);
}

static void
test_a_body_of_unknown_length_is_counted(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_limited(&rig, 4);
    rig_open(&rig);
    r = rig_post(&rig, "/", VOLO_STR("12345"), 2);
    assert_int_equal(volo_test_status(r), 413);
    assert_int_equal(calls, 1);
    rig_close(&rig);
}

static void
test_the_innermost_limit_counts_for_what_is_not_announced(void **state)
{
    volo_layer *layer = NULL;
    struct rig rig;

    (void)state;
    open_limited(&rig, 2);
    assert_int_equal(volo_layer_body_limit(&layer, 8), 0);
    rig_wrap(&rig, layer);
    rig_open(&rig);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", VOLO_STR("12345"), 1)), 200);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", VOLO_STR("123456789"), 1)), 413);
    rig_close(&rig);
}

static void
test_a_limit_of_nothing_lets_requests_without_a_body_through(void **state)
{
    struct rig rig;

    (void)state;
    open_limited(&rig, 0);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    assert_int_equal(volo_test_status(rig_post(&rig, "/", VOLO_STR("1"), 0)),
                     413);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_of_exactly_the_limit_is_accepted),
        cmocka_unit_test(
            test_an_announced_body_beyond_the_limit_is_refused_at_once),
        cmocka_unit_test(test_a_body_of_unknown_length_is_counted),
        cmocka_unit_test(
            test_the_innermost_limit_counts_for_what_is_not_announced),
        cmocka_unit_test(
            test_a_limit_of_nothing_lets_requests_without_a_body_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
