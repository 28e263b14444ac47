/* SPDX-License-Identifier: Apache-2.0 */
/* Routers in routers: nested, grouped, merged, by host. */
#include "router_support.h"

static void
must_fallback(volo_router *router, const char *text)
{
    volo_service *service;

    assert_int_equal(volo_service_new(&service, say, loose(text), NULL), 0);
    assert_int_equal(volo_router_fallback(router, service), 0);
    volo_service_unref(service);
}

static void
test_a_nested_router_sees_the_path_without_the_prefix(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_nest(t.router, "/api");
    must_get(inner, "/", "root");
    must_get(inner, "/users/{id}", "user");
    must_get(t.router, "/apis", "apis");
    town_says(&t, "/api/users/7", "user /users/7 [/api/users/{id}] id=7");
    town_says(&t, "/api", "root / [/api]");
    town_says(&t, "/api/", "root / [/api]");
    town_says(&t, "/apis", "apis /apis [/apis]");
    assert_int_equal(town_ask(&t, "GET", "/api//"), 404);
    assert_int_equal(town_ask(&t, "GET", "/users/7"), 404);
    assert_int_equal(town_ask(&t, "GET", "/ap"), 404);
    town_close(&t);
}

static void
say_original(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_body(cx, volo_cx_original_path(cx));
    volo_cx_answer(cx);
}

static void
test_the_whole_path_stays_readable(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    volo_router_get(must_nest(must_nest(t.router, "/a"), "/{b}"), "/c",
                    say_original, NULL);
    town_says(&t, "/a/%62/c?d", "/a/%62/c");
    town_close(&t);
}

static void
test_parameters_of_prefixes_come_first(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_nest(must_nest(t.router, "/t/{team}"), "/p-{page}.x");
    must_get(inner, "/{*rest}", "deep");
    town_says(&t, "/t/r%2Fd/p-3.x/y/z%20",
              "deep /y/z%20 [/t/{team}/p-{page}.x/{*rest}] "
              "team=r/d page=3 rest=y/z ");
    town_close(&t);
}

static void
test_a_router_may_be_nested_in_several_places(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_nest(t.router, "/one");
    assert_int_equal(volo_router_nest(t.router, "/two/{x}", inner), 0);
    must_get(inner, "/a", "a");
    town_says(&t, "/one/a", "a /a [/one/a]");
    town_says(&t, "/two/3/a", "a /a [/two/{x}/a] x=3");
    town_close(&t);
}

static void
test_a_fallback_is_inherited_unless_there_is_an_own(void **state)
{
    struct town t;
    volo_router *plain, *own;

    (void)state;
    town_new(&t);
    plain = must_nest(t.router, "/plain");
    own = must_nest(t.router, "/own");
    must_fallback(t.router, "outer");
    must_fallback(own, "inner");
    must_get(must_nest(plain, "/deep"), "/x", "x");
    town_says(&t, "/nowhere", "outer /nowhere");
    town_says(&t, "/plain/a", "outer /a");
    town_says(&t, "/plain/deep/a", "outer /a");
    town_says(&t, "/own/a", "inner /a");
    town_close(&t);
}

static void
test_a_route_beside_the_prefix_is_more_specific(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(must_nest(t.router, "/api"), "/{*rest}", "inner");
    must_get(t.router, "/api/status", "status");
    must_get(t.router, "/api/{a}/b", "b");
    town_says(&t, "/api/status", "status /api/status [/api/status]");
    town_says(&t, "/api/x/b", "b /api/x/b [/api/{a}/b] a=x");
    town_says(&t, "/api/x/c", "inner /x/c [/api/{*rest}] rest=x/c");
    town_close(&t);
}

static void
test_a_router_nested_at_the_root_takes_what_is_left(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(must_nest(t.router, "/"), "/{x}", "inner");
    must_get(t.router, "/a", "a");
    town_says(&t, "/a", "a /a [/a]");
    town_says(&t, "/b", "inner /b [/{x}] x=b");
    assert_int_equal(town_ask(&t, "GET", "/"), 404);
    town_close(&t);
}

static void
test_any_service_can_be_nested(void **state)
{
    struct town t;
    volo_service *service;

    (void)state;
    town_new(&t);
    volo_service_new(&service, say, loose("s"), NULL);
    assert_int_equal(volo_router_nest_service(t.router, "/s/{a}", service), 0);
    volo_service_unref(service);
    assert_int_equal(town_ask(&t, "POST", "/s/1/x/y"), 200);
    assert_str(volo_test_body(t.last), "s /x/y [/s/{a}] a=1");
    town_says(&t, "/s/1", "s / [/s/{a}] a=1");
    assert_int_equal(town_ask(&t, "GET", "/s"), 404);
    town_close(&t);
}

static void
test_a_group_without_a_prefix_shares_the_paths(void **state)
{
    struct town t;
    volo_router *group;

    (void)state;
    town_new(&t);
    group = must_group(t.router, "");
    must_get(group, "/a", "in");
    must_handle(t.router, "POST", "/a", "out");
    must_get(group, "/{x}", "x");
    must_get(t.router, "/b", "b");
    town_says(&t, "/a", "in /a [/a]");
    assert_int_equal(town_ask(&t, "POST", "/a"), 200);
    assert_int_equal(town_ask(&t, "PUT", "/a"), 405);
    assert_str(volo_test_header(t.last, "allow"), "GET, HEAD, POST, OPTIONS");
    town_says(&t, "/b", "b /b [/b]");
    town_says(&t, "/c", "x /c [/{x}] x=c");
    town_close(&t);
}

static void
back(volo_cx *cx, void *frame)
{
    volo_cx_add_header(cx, "x-way", volo_str_of(frame));
}

static void
through(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, back, user);
}

static void
test_merging_takes_over_routes_in_their_layers(void **state)
{
    struct town t;
    volo_router *other;

    (void)state;
    town_new(&t);
    volo_router_new(&other);
    must_get(other, "/o", "o");
    must_get(must_nest(other, "/n"), "/x", "x");
    must_get(must_group(other, ""), "/g", "g");
    must_fallback(other, "lost");
    volo_router_layer(other, through, loose("other"), NULL);
    must_get(t.router, "/r", "r");
    assert_int_equal(volo_router_merge(t.router, other), 0);
    assert_int_equal(volo_router_get(other, "/late", say, NULL), VOLO_EBUSY);
    volo_router_unref(other);
    town_says(&t, "/r", "r /r [/r]");
    assert_absent(volo_test_header(t.last, "x-way"));
    town_says(&t, "/o", "o /o [/o]");
    assert_str(volo_test_header(t.last, "x-way"), "other");
    town_says(&t, "/n/x", "x /x [/n/x]");
    assert_str(volo_test_header(t.last, "x-way"), "other");
    town_says(&t, "/g", "g /g [/g]");
    town_says(&t, "/zzz", "lost /zzz");
    assert_str(volo_test_header(t.last, "x-way"), "other");
    town_close(&t);
}

static void
test_a_merge_in_conflict_changes_nothing(void **state)
{
    volo_router *router, *other;

    (void)state;
    volo_router_new(&router);
    volo_router_new(&other);
    must_get(router, "/a/{x}", "1");
    must_get(must_group(other, ""), "/a/{y}", "2");
    assert_int_equal(volo_router_merge(router, other), VOLO_EEXIST);
    assert_string_equal(volo_router_error(router),
                        "\"/a/{y}\" conflicts with \"/a/{x}\" (GET)");
    must_get(other, "/still/free", "3");
    must_fallback(router, "f");
    must_fallback(other, "f");
    assert_int_equal(volo_router_merge(router, other), VOLO_EEXIST);
    volo_router_unref(router);
    volo_router_unref(other);
}

static void
test_a_router_cannot_contain_itself(void **state)
{
    volo_router *a, *b, *group;

    (void)state;
    volo_router_new(&a);
    volo_router_new(&b);
    assert_int_equal(volo_router_nest(a, "/a", a), VOLO_ELOOP);
    assert_int_equal(volo_router_merge(a, a), VOLO_ELOOP);
    assert_int_equal(volo_router_host(a, "h", a), VOLO_ELOOP);
    group = must_group(a, "/g");
    assert_int_equal(volo_router_nest(a, "/b", b), 0);
    assert_int_equal(volo_router_nest(b, "/a", a), VOLO_ELOOP);
    assert_int_equal(volo_router_merge(b, a), VOLO_ELOOP);
    assert_int_equal(volo_router_nest(group, "/x", a), VOLO_ELOOP);
    assert_int_equal(volo_router_nest_service(b, "/a", volo_router_service(a)),
                     VOLO_ELOOP);
    assert_int_equal(
        volo_router_route(NULL, b, "GET", "/a", volo_router_service(a)),
        VOLO_ELOOP);
    volo_router_unref(a);
    volo_router_unref(b);
}

static void
test_a_group_may_outlive_its_router(void **state)
{
    volo_router *router, *group;

    (void)state;
    volo_router_new(&router);
    group = volo_router_ref(must_group(router, ""));
    volo_router_unref(router);
    must_get(group, "/a", "a");
    assert_int_equal(volo_router_set_clean(group, 1), 0);
    volo_router_unref(group);
}

/* ---- Hosts --------------------------------------------------------------- */

static void
host_says(struct town *t, const char *host, const char *text)
{
    assert_int_equal(town_ask_host(t, "GET", "/x", host), 200);
    assert_str(volo_test_body(t->last), text);
}

static volo_router *
must_host(volo_router *router, const char *host, const char *text)
{
    volo_router *inner;

    volo_router_new(&inner);
    must_get(inner, "/x", text);
    assert_int_equal(volo_router_host(router, host, inner), 0);
    volo_router_unref(inner);
    return inner;
}

static void
test_hosts_are_exact_before_a_label_before_any(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_host(t.router, "*.example.com", "any");
    must_host(t.router, "*.b.example.com", "any b");
    must_host(t.router, "{tenant}.example.com", "tenant");
    must_host(t.router, "api.example.com", "api");
    must_host(t.router, "[::1]", "six");
    must_get(t.router, "/x", "else");
    host_says(&t, "api.example.com", "api /x [/x]");
    host_says(&t, "API.Example.COM:8080", "api /x [/x]");
    host_says(&t, "api.example.com.", "api /x [/x]");
    host_says(&t, "Acme.example.com", "tenant /x [/x] tenant=Acme");
    host_says(&t, "a.b.c.example.com", "any /x [/x]");
    host_says(&t, "a.b.example.com", "any b /x [/x]");
    host_says(&t, "[::1]:80", "six /x [/x]");
    host_says(&t, "example.com", "else /x [/x]");
    host_says(&t, ".example.com", "else /x [/x]");
    host_says(&t, "evilexample.com", "else /x [/x]");
    town_close(&t);
}

static void
test_a_host_inherits_the_fallback_and_answers_alone(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_host(t.router, "h", "h");
    must_get(t.router, "/only", "only");
    must_fallback(t.router, "fallback");
    assert_int_equal(town_ask_host(&t, "GET", "/only", "h"), 200);
    assert_str(volo_test_body(t.last), "fallback /only");
    assert_int_equal(town_ask_host(&t, "GET", "/only", "g"), 200);
    assert_str(volo_test_body(t.last), "only /only [/only]");
    town_close(&t);
}

static void
test_malformed_and_repeated_hosts_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",      "a b",  "a:80", "*.",  "*x",      "{a",   "{}",  "{*a}.b",
        "a.*.b", "{a}b", "*.*",  "a/b", "{a}.{b}", "[::1", "x[1]"};
    volo_router *router, *inner;
    size_t i;

    (void)state;
    volo_router_new(&router);
    volo_router_new(&inner);
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (volo_router_host(router, wrong[i], inner) != VOLO_EINVAL)
            fail_msg("%s", wrong[i]);
    assert_int_equal(volo_router_host(router, "{a}.b", inner), 0);
    assert_int_equal(volo_router_host(router, "{c}.B", inner), VOLO_EEXIST);
    assert_string_equal(volo_router_error(router),
                        "\"{c}.B\" conflicts with \"{a}.b\"");
    volo_router_unref(router);
    volo_router_unref(inner);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_nested_router_sees_the_path_without_the_prefix),
        cmocka_unit_test(test_the_whole_path_stays_readable),
        cmocka_unit_test(test_parameters_of_prefixes_come_first),
        cmocka_unit_test(test_a_router_may_be_nested_in_several_places),
        cmocka_unit_test(test_a_fallback_is_inherited_unless_there_is_an_own),
        cmocka_unit_test(test_a_route_beside_the_prefix_is_more_specific),
        cmocka_unit_test(test_a_router_nested_at_the_root_takes_what_is_left),
        cmocka_unit_test(test_any_service_can_be_nested),
        cmocka_unit_test(test_a_group_without_a_prefix_shares_the_paths),
        cmocka_unit_test(test_merging_takes_over_routes_in_their_layers),
        cmocka_unit_test(test_a_merge_in_conflict_changes_nothing),
        cmocka_unit_test(test_a_router_cannot_contain_itself),
        cmocka_unit_test(test_a_group_may_outlive_its_router),
        cmocka_unit_test(test_hosts_are_exact_before_a_label_before_any),
        cmocka_unit_test(test_a_host_inherits_the_fallback_and_answers_alone),
        cmocka_unit_test(test_malformed_and_repeated_hosts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
