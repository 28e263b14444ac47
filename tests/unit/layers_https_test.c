/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of who serves https: sending the others there, and telling
 * browsers to stay. */
#include "layers_support.h"

#include "server/test_message.h"

static void
open_redirect(struct rig *rig, int port, const char *except)
{
    volo_layer *layer = NULL;

    rig_service(rig, say_hello, NULL);
    assert_int_equal(volo_layer_https_redirect(&layer, port, except), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

static volo_test_response *
ask_host(struct rig *rig, const char *method, const char *target,
         const char *host, int tls)
{
    volo_test_request *request = rig_request(rig, method, target);

    if (host)
        with(request, "host", host);
    request->peer.tls = tls;
    return rig_send(rig, request);
}

static void
assert_sent_to(const volo_test_response *r, const char *location)
{
    assert_int_equal(volo_test_status(r), 308);
    assert_str(volo_test_header(r, "location"), location);
}

static void
test_plain_http_is_sent_to_the_same_place_over_https(void **state)
{
    struct rig rig;

    (void)state;
    open_redirect(&rig, 0, NULL);
    assert_sent_to(ask_host(&rig, "GET", "/a/b%2fc?d=e&f", "example.com", 0),
                   "https://example.com/a/b%2fc?d=e&f");
    assert_sent_to(ask_host(&rig, "POST", "/", "example.com:8080", 0),
                   "https://example.com/");
    assert_sent_to(ask_host(&rig, "GET", "/?", "a-b.c_d.example", 0),
                   "https://a-b.c_d.example/?");
    assert_sent_to(ask_host(&rig, "GET", "//evil.example/", "localhost", 0),
                   "https://localhost//evil.example/");
    assert_sent_to(ask_host(&rig, "GET", "/", "[2001:db8::1]:80", 0),
                   "https://[2001:db8::1]/");
    assert_sent_to(ask_host(&rig, "OPTIONS", "*", "example.com", 0),
                   "https://example.com/");
    rig_close(&rig);
}

static void
test_an_absolute_target_says_the_host(void **state)
{
    struct rig rig;

    (void)state;
    open_redirect(&rig, 443, NULL);
    assert_sent_to(
        ask_host(&rig, "GET", "http://a.example:80/x?y", "a.example", 0),
        "https://a.example/x?y");
    rig_close(&rig);
}

static void
test_another_port_is_said(void **state)
{
    struct rig rig;

    (void)state;
    open_redirect(&rig, 8443, NULL);
    assert_sent_to(ask_host(&rig, "GET", "/", "example.com:8080", 0),
                   "https://example.com:8443/");
    assert_sent_to(ask_host(&rig, "GET", "/", "[::1]", 0),
                   "https://[::1]:8443/");
    rig_close(&rig);
}

static void
test_who_comes_over_https_is_served(void **state)
{
    struct rig rig;

    (void)state;
    open_redirect(&rig, 0, NULL);
    assert_int_equal(
        volo_test_status(ask_host(&rig, "GET", "/", "example.com", 1)), 200);
    rig_close(&rig);
}

static void
test_excepted_paths_are_served(void **state)
{
    static const char *const served[] = {"/.well-known/acme-challenge/x",
                                         "/health", "/healthy"};
    static const char *const sent[] = {"/", "/.well-known/", "/Health", "/a"};
    struct rig rig;
    size_t i;

    (void)state;
    open_redirect(&rig, 0, " /.well-known/acme-challenge/,, /health ");
    for (i = 0; i < sizeof served / sizeof *served; i++)
        assert_int_equal(
            volo_test_status(ask_host(&rig, "GET", served[i], "a.example", 0)),
            200);
    for (i = 0; i < sizeof sent / sizeof *sent; i++)
        assert_int_equal(
            volo_test_status(ask_host(&rig, "GET", sent[i], "a.example", 0)),
            308);
    rig_close(&rig);
}

static void
test_a_host_that_is_none_is_not_gone_to(void **state)
{
    static const char *const bad[] = {"a.example%2f", "a!b", "a~b", "(a)",
                                      "a'b",          "a,b", "a=b", ":80"};
    volo_test_response *r;
    struct rig rig;
    size_t i;

    (void)state;
    open_redirect(&rig, 0, NULL);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        r = ask_host(&rig, "GET", "/", bad[i], 0);
        assert_int_equal(volo_test_status(r), 400);
        assert_absent(volo_test_header(r, "location"));
    }
    rig_close(&rig);
}

static void
test_what_makes_no_sense_is_refused(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    assert_int_equal(volo_layer_https_redirect(&layer, -1, NULL), VOLO_EINVAL);
    assert_int_equal(volo_layer_https_redirect(&layer, 65536, NULL),
                     VOLO_EINVAL);
    assert_int_equal(volo_layer_https_redirect(&layer, 0, "/a, b"),
                     VOLO_EINVAL);
    assert_int_equal(volo_layer_https_redirect(NULL, 0, NULL), VOLO_EINVAL);
    assert_int_equal(volo_layer_hsts(NULL, 1, 0), VOLO_EINVAL);
    assert_int_equal(volo_layer_hsts(&layer, 1, 4), VOLO_EINVAL);

    /* The lists take nobody who asks for less. */
    assert_int_equal(volo_layer_hsts(&layer, 63072000, VOLO_HSTS_PRELOAD),
                     VOLO_EINVAL);
    assert_int_equal(volo_layer_hsts(&layer, 31535999,
                                     VOLO_HSTS_PRELOAD | VOLO_HSTS_SUBDOMAINS),
                     VOLO_EINVAL);
    assert_null(layer);
}

/* ---- HSTS ---------------------------------------------------------------- */

static void
say_mine(volo_cx *cx, void *user)
{
    volo_cx_set_header(cx, "strict-transport-security", VOLO_STR("max-age=1"));
    say_hello(cx, user);
}

static void
open_hsts(struct rig *rig, volo_service_fn fn, uint64_t seconds, unsigned flags)
{
    volo_layer *layer = NULL;

    rig_service(rig, fn, NULL);
    assert_int_equal(volo_layer_hsts(&layer, seconds, flags), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

static void
test_browsers_are_told_as_much_as_was_asked_for(void **state)
{
    static const struct {
        uint64_t seconds;
        unsigned flags;
        const char *value;
    } cases[] = {
        {0, 0, "max-age=0"},
        {3600, VOLO_HSTS_SUBDOMAINS, "max-age=3600; includeSubDomains"},
        {UINT64_MAX, VOLO_HSTS_SUBDOMAINS | VOLO_HSTS_PRELOAD,
         "max-age=18446744073709551615; includeSubDomains; preload"},
    };
    volo_test_response *r;
    struct rig rig;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_hsts(&rig, say_hello, cases[i].seconds, cases[i].flags);
        r = ask_host(&rig, "GET", "/", NULL, 1);
        assert_str(volo_test_header(r, "strict-transport-security"),
                   cases[i].value);
        r = ask_host(&rig, "GET", "/", NULL, 0);
        assert_absent(volo_test_header(r, "strict-transport-security"));
        rig_close(&rig);
    }
}

static void
test_errors_tell_it_too_and_what_is_said_is_left_alone(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_hsts(&rig, say_nothing, 5, 0);
    r = ask_host(&rig, "GET", "/", NULL, 1);
    assert_int_equal(volo_test_status(r), 500);
    assert_str(volo_test_header(r, "strict-transport-security"), "max-age=5");
    rig_close(&rig);
    open_hsts(&rig, say_mine, 5, 0);
    r = ask_host(&rig, "GET", "/", NULL, 1);
    assert_str(volo_test_header(r, "strict-transport-security"), "max-age=1");
    assert_int_equal(lines_named(r, "strict-transport-security"), 1);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_http_is_sent_to_the_same_place_over_https),
        cmocka_unit_test(test_an_absolute_target_says_the_host),
        cmocka_unit_test(test_another_port_is_said),
        cmocka_unit_test(test_who_comes_over_https_is_served),
        cmocka_unit_test(test_excepted_paths_are_served),
        cmocka_unit_test(test_a_host_that_is_none_is_not_gone_to),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_browsers_are_told_as_much_as_was_asked_for),
        cmocka_unit_test(
            test_errors_tell_it_too_and_what_is_said_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
