/* SPDX-License-Identifier: Apache-2.0 */
/* Secure headers: on every answer, and second to what the answer says. */
#include "layers_support.h"

#include "server/test_message.h"

static void
frame_me(volo_cx *cx, void *user)
{
    volo_cx_set_header(cx, "X-Frame-Options", VOLO_STR("SAMEORIGIN"));
    volo_cx_set_header(cx, "content-security-policy", VOLO_STR("mine"));
    say_hello(cx, user);
}

static void
open_secure(struct rig *rig, volo_service_fn fn, uint64_t hsts, const char *csp)
{
    volo_layer *layer = NULL;

    rig_service(rig, fn, NULL);
    assert_int_equal(volo_layer_secure_headers(&layer, hsts, csp), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

static void
test_every_answer_has_them_errors_included(void **state)
{
    const volo_service_fn services[] = {say_hello, say_missing, say_nothing};
    const int statuses[] = {200, 404, 500};
    volo_test_response *r;
    struct rig rig;
    unsigned i;

    (void)state;
    for (i = 0; i < 3; i++) {
        open_secure(&rig, services[i], 0, "default-src 'self'");
        r = rig_ask(&rig, "GET", "/");
        assert_int_equal(volo_test_status(r), statuses[i]);
        assert_str(volo_test_header(r, "x-content-type-options"), "nosniff");
        assert_str(volo_test_header(r, "x-frame-options"), "DENY");
        assert_str(volo_test_header(r, "referrer-policy"),
                   "strict-origin-when-cross-origin");
        assert_str(volo_test_header(r, "cross-origin-opener-policy"),
                   "same-origin");
        assert_str(volo_test_header(r, "content-security-policy"),
                   "default-src 'self'");
        rig_close(&rig);
    }
}

static void
test_what_the_answer_says_itself_is_left_alone(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_secure(&rig, frame_me, 0, "default-src 'self'");
    r = rig_ask(&rig, "GET", "/");
    assert_str(volo_test_header(r, "x-frame-options"), "SAMEORIGIN");
    assert_str(volo_test_header(r, "content-security-policy"), "mine");
    assert_int_equal(lines_named(r, "x-frame-options"), 1);
    rig_close(&rig);
}

static void
test_plain_http_gets_no_hsts_and_no_policy_means_none(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_secure(&rig, say_hello, 3600, NULL);
    r = rig_ask(&rig, "GET", "/");
    assert_absent(volo_test_header(r, "strict-transport-security"));
    assert_absent(volo_test_header(r, "content-security-policy"));
    rig_close(&rig);
}

static void
test_over_https_browsers_are_told_to_stay_there(void **state)
{
    volo_test_request *request;
    struct rig rig;

    (void)state;
    open_secure(&rig, say_hello, 63072000, NULL);
    request = rig_request(&rig, "GET", "/");
    request->peer.tls = 1;
    assert_str(
        volo_test_header(rig_send(&rig, request), "strict-transport-security"),
        "max-age=63072000");
    rig_close(&rig);
}

static void
test_a_policy_that_would_split_the_head_is_refused(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    assert_int_equal(volo_layer_secure_headers(&layer, 0, "a\r\nb: c"),
                     VOLO_EINVAL);
    assert_int_equal(volo_layer_secure_headers(NULL, 0, NULL), VOLO_EINVAL);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_answer_has_them_errors_included),
        cmocka_unit_test(test_what_the_answer_says_itself_is_left_alone),
        cmocka_unit_test(test_plain_http_gets_no_hsts_and_no_policy_means_none),
        cmocka_unit_test(test_over_https_browsers_are_told_to_stay_there),
        cmocka_unit_test(test_a_policy_that_would_split_the_head_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
