/* SPDX-License-Identifier: Apache-2.0 */
/* Request ids: their form, whose are believed, where they can be seen. */
#include "layers_support.h"

static char seen[200];

static void
show_id(volo_cx *cx, void *user)
{
    volo_str id = volo_request_id(cx);

    (void)user;
    memcpy(seen, id.ptr ? id.ptr : "", id.len);
    seen[id.len] = 0;
    volo_reply_text(cx, "hello");
}

static void
open_id(struct rig *rig, volo_service_fn fn, const char *header, int trust)
{
    volo_layer *layer = NULL;

    rig_service(rig, fn, NULL);
    assert_int_equal(volo_layer_request_id(&layer, header, trust), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

static void
assert_uuid(volo_str id)
{
    size_t i;

    assert_int_equal(id.len, 36);
    for (i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(id.ptr[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", id.ptr[i]));
    }
    assert_int_equal(id.ptr[14], '4');
    assert_non_null(strchr("89ab", id.ptr[19]));
}

static void
test_the_handler_and_the_client_see_the_same_uuid(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_id(&rig, show_id, NULL, 0);
    r = rig_ask(&rig, "GET", "/");
    assert_uuid(volo_test_header(r, "x-request-id"));
    assert_str(volo_test_header(r, "x-request-id"), seen);
    rig_close(&rig);
}

static void
test_ids_do_not_repeat(void **state)
{
    enum { COUNT = 200 };
    volo_test_response *r[COUNT];
    struct rig rig;
    unsigned i, k;

    (void)state;
    open_id(&rig, show_id, NULL, 0);
    for (i = 0; i < COUNT; i++)
        r[i] = rig_ask(&rig, "GET", "/");
    for (i = 0; i < COUNT; i++)
        for (k = 0; k < i; k++)
            assert_false(volo_str_eq(volo_test_header(r[i], "x-request-id"),
                                     volo_test_header(r[k], "x-request-id")));
    rig_close(&rig);
}

static void
test_a_clients_id_is_kept_only_if_it_is_trusted(void **state)
{
    struct rig rig;

    (void)state;
    open_id(&rig, show_id, "X-Trace", 1);
    assert_str(volo_test_header(rig_ask_with(&rig, "GET", "x-trace", "abc"),
                                "x-trace"),
               "abc");
    assert_string_equal(seen, "abc");
    rig_close(&rig);

    open_id(&rig, show_id, "X-Trace", 0);
    assert_uuid(volo_test_header(rig_ask_with(&rig, "GET", "x-trace", "abc"),
                                 "x-trace"));
    rig_close(&rig);
}

static void
test_an_id_that_is_too_long_or_not_visible_ascii_is_replaced(void **state)
{
    char longest[129 + 1];
    struct rig rig;

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[129] = 0;
    open_id(&rig, show_id, NULL, 1);
    rig_ask_with(&rig, "GET", "x-request-id", longest);
    assert_uuid(volo_str_of(seen));
    rig_ask_with(&rig, "GET", "x-request-id", longest + 1);
    assert_string_equal(seen, longest + 1);
    rig_ask_with(&rig, "GET", "x-request-id", "a b");
    assert_uuid(volo_str_of(seen));
    rig_ask_with(&rig, "GET", "x-request-id", "\xc3\xa9");
    assert_uuid(volo_str_of(seen));
    rig_ask_with(&rig, "GET", "x-request-id", "");
    assert_uuid(volo_str_of(seen));
    rig_close(&rig);
}

static void
test_errors_and_timeouts_carry_the_id_too(void **state)
{
    volo_layer *layer = NULL;
    volo_cx *kept = NULL;
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_id(&rig, say_nothing, NULL, 0);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 500);
    assert_uuid(volo_test_header(r, "x-request-id"));
    rig_close(&rig);

    rig_service(&rig, keep, &kept);
    assert_int_equal(volo_layer_request_id(&layer, NULL, 0), 0);
    rig_wrap(&rig, layer);
    assert_int_equal(volo_layer_timeout(&layer, 5, 0), 0);
    rig_wrap(&rig, layer);
    rig_open(&rig);
    r = rig_ask(&rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 504);
    assert_uuid(volo_test_header(r, "x-request-id"));
    assert_true(volo_str_eq(volo_test_header(r, "x-request-id"),
                            volo_request_id(kept)));
    volo_cx_unref(kept);
    rig_close(&rig);
}

static void
test_without_the_layer_there_is_no_id(void **state)
{
    struct rig rig;

    (void)state;
    rig_service(&rig, show_id, NULL);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    assert_string_equal(seen, "");
    rig_close(&rig);
}

static void
test_a_header_that_is_no_token_is_refused(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    assert_int_equal(volo_layer_request_id(&layer, "", 0), VOLO_EINVAL);
    assert_int_equal(volo_layer_request_id(&layer, "a b", 0), VOLO_EINVAL);
    assert_int_equal(volo_layer_request_id(&layer, "a:", 0), VOLO_EINVAL);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_handler_and_the_client_see_the_same_uuid),
        cmocka_unit_test(test_ids_do_not_repeat),
        cmocka_unit_test(test_a_clients_id_is_kept_only_if_it_is_trusted),
        cmocka_unit_test(
            test_an_id_that_is_too_long_or_not_visible_ascii_is_replaced),
        cmocka_unit_test(test_errors_and_timeouts_carry_the_id_too),
        cmocka_unit_test(test_without_the_layer_there_is_no_id),
        cmocka_unit_test(test_a_header_that_is_no_token_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
