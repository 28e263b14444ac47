/* SPDX-License-Identifier: Apache-2.0 */
/* CORS as the Fetch standard has it: who may read, preflights, caches. */
#include "layers_support.h"

static unsigned calls;

static void
count_hello(volo_cx *cx, void *user)
{
    calls++;
    say_hello(cx, user);
}

static volo_cors *
cors_of(const char *origin)
{
    volo_cors *cors = NULL;

    assert_int_equal(volo_cors_new(&cors), 0);
    assert_int_equal(volo_cors_origin(cors, origin), 0);
    return cors;
}

/* The layer copies ${cors}, which is freed here. */
static void
open_cors(struct rig *rig, volo_service_fn fn, volo_cors *cors)
{
    volo_layer *layer = NULL;

    calls = 0;
    rig_service(rig, fn, NULL);
    assert_int_equal(volo_layer_cors(&layer, cors), 0);
    volo_cors_free(cors);
    rig_wrap(rig, layer);
    rig_open(rig);
}

static volo_test_response *
preflight(struct rig *rig, const char *origin, const char *method,
          const char *headers)
{
    volo_test_request *request = rig_request(rig, "OPTIONS", "/");

    with(request, "origin", origin);
    with(request, "access-control-request-method", method);
    if (headers)
        with(request, "access-control-request-headers", headers);
    return rig_send(rig, request);
}

static volo_str
allowed(const volo_test_response *r)
{
    return volo_test_header(r, "access-control-allow-origin");
}

static void
test_an_allowed_origin_is_named_and_caches_are_told(void **state)
{
    volo_cors *cors = cors_of("https://Example.com");
    volo_test_response *r;
    struct rig rig;

    (void)state;
    volo_cors_origin(cors, "https://other.example:8443");
    volo_cors_credentials(cors, 1);
    volo_cors_expose(cors, "X-Total, X-Page");
    open_cors(&rig, count_hello, cors);
    r = rig_ask_with(&rig, "GET", "origin", "https://example.com");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(allowed(r), "https://example.com");
    assert_str(volo_test_header(r, "access-control-allow-credentials"), "true");
    assert_str(volo_test_header(r, "access-control-expose-headers"),
               "X-Total, X-Page");
    assert_str(volo_test_header(r, "vary"), "Origin");
    r = rig_ask_with(&rig, "GET", "origin", "https://other.example:8443");
    assert_str(allowed(r), "https://other.example:8443");
    rig_close(&rig);
}

static void
test_other_origins_run_but_cannot_be_read(void **state)
{
    const char *const others[] = {
        "http://example.com",
        "https://example.com:444",
        "https://example.com.evil",
        "https://sub.example.com",
        "null",
        "https://example.com/",
        "",
    };
    volo_test_response *r;
    struct rig rig;
    size_t i;

    (void)state;
    open_cors(&rig, count_hello, cors_of("https://example.com"));
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        r = rig_ask_with(&rig, "GET", "origin", others[i]);
        assert_int_equal(volo_test_status(r), 200);
        assert_absent(allowed(r));
        assert_str(volo_test_header(r, "vary"), "Origin");
        assert_int_equal(calls, i + 1);
    }
    r = rig_ask(&rig, "GET", "/");
    assert_absent(allowed(r));
    assert_str(volo_test_header(r, "vary"), "Origin");
    rig_close(&rig);
}

static void
test_a_star_before_the_host_means_its_subdomains_only(void **state)
{
    const struct {
        const char *origin;
        int allowed;
    } cases[] = {
        {"https://a.example.com", 1},
        {"https://a.b-c.example.com", 1},
        {"https://example.com", 0},
        {"https://.example.com", 0},
        {"https://aexample.com", 0},
        {"http://a.example.com", 0},
        {"https://evil.com/.example.com", 0},
        {"https://evil.com#.example.com", 0},
        {"https://evil.com?.example.com", 0},
        {"https://evil.com:1.example.com", 0},
        {"https://me@evil.com\\.example.com", 0},
        {"https://a.example.com.evil", 0},
        {"https://a.example.com:8080", 0},
    };
    volo_test_response *r;
    struct rig rig;
    size_t i;

    (void)state;
    open_cors(&rig, count_hello, cors_of("https://*.example.com"));
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        r = rig_ask_with(&rig, "GET", "origin", cases[i].origin);
        if (cases[i].allowed)
            assert_str(allowed(r), cases[i].origin);
        else
            assert_absent(allowed(r));
    }
    rig_close(&rig);
}

static void
test_for_everybody_the_answer_is_one_and_the_same(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_cors(&rig, count_hello, cors_of("*"));
    r = rig_ask_with(&rig, "GET", "origin", "https://any.example");
    assert_str(allowed(r), "*");
    assert_absent(volo_test_header(r, "vary"));
    r = rig_ask(&rig, "GET", "/");
    assert_str(allowed(r), "*");
    assert_absent(volo_test_header(r, "access-control-allow-credentials"));
    rig_close(&rig);
}

static void
test_a_preflight_is_answered_by_the_layer(void **state)
{
    volo_cors *cors = cors_of("https://example.com");
    volo_test_response *r;
    struct rig rig;

    (void)state;
    volo_cors_methods(cors, "GET, PUT");
    volo_cors_headers(cors, "X-Token");
    volo_cors_max_age(cors, 600);
    open_cors(&rig, count_hello, cors);
    r = preflight(&rig, "https://example.com", "PUT", "x-token");
    assert_int_equal(volo_test_status(r), 204);
    assert_int_equal(calls, 0);
    assert_str(allowed(r), "https://example.com");
    assert_str(volo_test_header(r, "access-control-allow-methods"), "GET, PUT");
    assert_str(volo_test_header(r, "access-control-allow-headers"), "X-Token");
    assert_str(volo_test_header(r, "access-control-max-age"), "600");
    assert_str(volo_test_header(r, "vary"), "Origin");
    assert_absent(volo_test_header(r, "access-control-allow-credentials"));
    rig_close(&rig);
}

static void
test_a_preflight_from_elsewhere_learns_nothing(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_cors(&rig, count_hello, cors_of("https://example.com"));
    r = preflight(&rig, "https://evil.example", "PUT", "x-token");
    assert_int_equal(volo_test_status(r), 204);
    assert_int_equal(calls, 0);
    assert_absent(allowed(r));
    assert_absent(volo_test_header(r, "access-control-allow-methods"));
    assert_absent(volo_test_header(r, "access-control-allow-headers"));
    assert_str(volo_test_header(r, "vary"), "Origin");
    rig_close(&rig);
}

static void
test_stars_for_methods_and_headers_mirror_what_is_asked(void **state)
{
    volo_cors *cors = cors_of("*");
    volo_test_response *r;
    struct rig rig;

    (void)state;
    volo_cors_methods(cors, "*");
    volo_cors_headers(cors, "*");
    open_cors(&rig, count_hello, cors);
    r = preflight(&rig, "https://a.example", "PURGE", "x-a,x-b");
    assert_str(volo_test_header(r, "access-control-allow-methods"), "PURGE");
    assert_str(volo_test_header(r, "access-control-allow-headers"), "x-a,x-b");
    assert_int_equal(lines_named(r, "vary"), 2);
    r = preflight(&rig, "https://a.example", "GET", NULL);
    assert_absent(volo_test_header(r, "access-control-allow-headers"));
    rig_close(&rig);
}

static void
test_an_options_request_that_is_no_preflight_goes_on(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_cors(&rig, count_hello, cors_of("https://example.com"));
    r = rig_ask_with(&rig, "OPTIONS", "origin", "https://example.com");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(allowed(r), "https://example.com");
    rig_ask_with(&rig, "OPTIONS", "access-control-request-method", "PUT");
    assert_int_equal(calls, 2);
    rig_close(&rig);
}

static void
test_errors_and_timeouts_can_be_read_too(void **state)
{
    volo_cors *cors = cors_of("https://example.com");
    volo_layer *layer = NULL;
    volo_cx *kept = NULL;
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_cors(&rig, say_missing, cors_of("https://example.com"));
    r = rig_ask_with(&rig, "GET", "origin", "https://example.com");
    assert_int_equal(volo_test_status(r), 404);
    assert_str(allowed(r), "https://example.com");
    rig_close(&rig);

    open_cors(&rig, say_nothing, cors_of("https://example.com"));
    r = rig_ask_with(&rig, "GET", "origin", "https://example.com");
    assert_int_equal(volo_test_status(r), 500);
    assert_str(allowed(r), "https://example.com");
    rig_close(&rig);

    rig_service(&rig, keep, &kept);
    assert_int_equal(volo_layer_cors(&layer, cors), 0);
    rig_wrap(&rig, layer);
    assert_int_equal(volo_layer_timeout(&layer, 5, 0), 0);
    rig_wrap(&rig, layer);
    rig_open(&rig);
    r = rig_ask_with(&rig, "GET", "origin", "https://example.com");
    assert_int_equal(volo_test_status(r), 504);
    assert_str(allowed(r), "https://example.com");
    volo_cx_unref(kept);
    rig_close(&rig);
    volo_cors_free(cors);
}

static void
vary_already(volo_cx *cx, void *user)
{
    volo_cx_set_header(cx, "vary", volo_str_of(user));
    volo_reply_text(cx, "hello");
}

static void
test_vary_is_added_to_what_the_answer_varies_on_once(void **state)
{
    const struct {
        const char *vary;
        unsigned lines;
    } cases[] = {
        {"Accept", 2},
        {"accept, ORIGIN", 1},
        {"*", 1},
        {"Accept,origin", 1},
        {"X-Origin", 2},
        {"Origins", 2},
        {"Origin , Accept", 1},
        {"", 2},
    };
    volo_test_response *r;
    volo_layer *layer = NULL;
    volo_cors *cors = cors_of("https://example.com");
    struct rig rig;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_service(&rig, vary_already, (void *)(uintptr_t)cases[i].vary);
        assert_int_equal(volo_layer_cors(&layer, cors), 0);
        rig_wrap(&rig, layer);
        rig_open(&rig);
        r = rig_ask(&rig, "GET", "/");
        assert_int_equal(lines_named(r, "vary"), cases[i].lines);
        rig_close(&rig);
    }
    volo_cors_free(cors);
}

static void
test_what_could_never_work_is_refused(void **state)
{
    const char *const origins[] = {
        "",
        "example.com",
        "https://example.com/",
        "https://",
        "https://*",
        "https://a.*.example.com",
        "://a",
        "https://*.",
        "https://a b",
        NULL,
        "https://example.com/x",
        "https://exa*mple.com",
    };
    volo_cors *cors = cors_of("null");
    volo_layer *layer = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof origins / sizeof *origins; i++)
        assert_int_equal(volo_cors_origin(cors, origins[i]), VOLO_EINVAL);
    assert_int_equal(volo_cors_methods(cors, "GET\r\n"), VOLO_EINVAL);
    assert_int_equal(volo_cors_headers(cors, ""), VOLO_EINVAL);
    assert_int_equal(volo_cors_expose(cors, NULL), VOLO_EINVAL);

    assert_int_equal(volo_cors_origin(cors, "*"), 0);
    assert_int_equal(volo_cors_credentials(cors, 1), 0);
    assert_int_equal(volo_layer_cors(&layer, cors), VOLO_EINVAL);
    assert_null(layer);
    volo_cors_free(cors);
    volo_cors_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_allowed_origin_is_named_and_caches_are_told),
        cmocka_unit_test(test_other_origins_run_but_cannot_be_read),
        cmocka_unit_test(test_a_star_before_the_host_means_its_subdomains_only),
        cmocka_unit_test(test_for_everybody_the_answer_is_one_and_the_same),
        cmocka_unit_test(test_a_preflight_is_answered_by_the_layer),
        cmocka_unit_test(test_a_preflight_from_elsewhere_learns_nothing),
        cmocka_unit_test(
            test_stars_for_methods_and_headers_mirror_what_is_asked),
        cmocka_unit_test(test_an_options_request_that_is_no_preflight_goes_on),
        cmocka_unit_test(test_errors_and_timeouts_can_be_read_too),
        cmocka_unit_test(test_vary_is_added_to_what_the_answer_varies_on_once),
        cmocka_unit_test(test_what_could_never_work_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
