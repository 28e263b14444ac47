/* SPDX-License-Identifier: Apache-2.0 */
/* Registration: what is refused, in which words, and who frees what. */
#include "router_support.h"

static volo_router *router;

static int
new_router(void **state)
{
    (void)state;
    return volo_router_new(&router);
}

static int
drop_router(void **state)
{
    (void)state;
    volo_router_unref(router);
    return 0;
}

static void
refused(int err, const char *method, const char *pattern, const char *words)
{
    volo_service *service;
    volo_route *route = NULL;

    volo_service_new(&service, say, NULL, NULL);
    assert_int_equal(
        volo_router_route(&route, router, method, pattern, service), err);
    volo_service_unref(service);
    assert_null(route);
    assert_string_equal(volo_router_error(router), words);
}

static void
test_a_conflict_names_both_patterns(void **state)
{
    (void)state;
    must_get(router, "/users/{id}", "1");
    refused(VOLO_EEXIST, "GET", "/users/{id}",
            "\"/users/{id}\" conflicts with \"/users/{id}\" (GET)");
    refused(VOLO_EEXIST, "GET", "/users/{name}",
            "\"/users/{name}\" conflicts with \"/users/{id}\" (GET)");
    refused(VOLO_EEXIST, "POST", "/users/{name}",
            "\"/users/{name}\" conflicts with \"/users/{id}\" (GET)");
    must_handle(router, "POST", "/users/{id}", "2");
    assert_string_equal(volo_router_error(router), "");
}

static void
test_methods_conflict_only_with_themselves(void **state)
{
    (void)state;
    must_handle(router, NULL, "/a", "any");
    must_handle(router, "GET", "/a", "get");
    must_handle(router, "PURGE", "/a", "purge");
    must_handle(router, "purge", "/a", "another");
    refused(VOLO_EEXIST, NULL, "/a", "\"/a\" conflicts with \"/a\" (*)");
    refused(VOLO_EEXIST, "PURGE", "/a", "\"/a\" conflicts with \"/a\" (PURGE)");
}

static void
test_patterns_that_only_overlap_do_not_conflict(void **state)
{
    (void)state;
    must_get(router, "/{a}", "1");
    must_get(router, "/{b}/x", "2");
    must_get(router, "/{*c}", "3");
    must_get(router, "/x{d}", "4");
    must_get(router, "/{d}x", "5");
    must_get(router, "/x", "6");
    must_get(router, "/x/", "7");
}

static void
test_groups_conflict_with_what_shares_their_paths(void **state)
{
    volo_router *group = must_group(must_group(router, ""), "/");

    (void)state;
    must_get(group, "/a/{x}", "1");
    refused(VOLO_EEXIST, "GET", "/a/{y}",
            "\"/a/{y}\" conflicts with \"/a/{x}\" (GET)");
    must_get(router, "/b", "2");
    assert_int_equal(volo_router_get(group, "/b", say, NULL), VOLO_EEXIST);
    assert_string_equal(volo_router_error(group),
                        "\"/b\" conflicts with \"/b\" (GET)");
    assert_string_equal(volo_router_error(router), "");
}

static void
test_a_prefix_conflicts_with_what_it_would_hide(void **state)
{
    volo_router *inner;

    (void)state;
    must_group(router, "/api");
    refused(VOLO_EEXIST, "GET", "/api",
            "\"/api\" conflicts with \"/api\" (nested)");
    refused(VOLO_EEXIST, "GET", "/api/",
            "\"/api/\" conflicts with \"/api\" (nested)");
    refused(VOLO_EEXIST, "PUT", "/api/{*all}",
            "\"/api/{*all}\" conflicts with \"/api\" (nested)");
    must_get(router, "/api/{one}", "1");
    must_get(router, "/", "root");
    volo_router_new(&inner);
    assert_int_equal(volo_router_nest(router, "/", inner), VOLO_EEXIST);
    assert_string_equal(volo_router_error(router),
                        "\"/\" conflicts with \"/\" (GET)");
    volo_router_unref(inner);
}

static void
test_prefixes_conflict_with_each_other(void **state)
{
    volo_router *group = NULL;

    (void)state;
    must_group(router, "/a/{x}");
    assert_int_equal(volo_router_group(&group, router, "/a/{y}"), VOLO_EEXIST);
    assert_null(group);
    assert_string_equal(volo_router_error(router),
                        "\"/a/{y}\" conflicts with \"/a/{x}\" (nested)");
    must_group(router, "/a/b");
}

static void
test_malformed_patterns_are_refused_with_the_reason(void **state)
{
    volo_router *group = NULL;

    (void)state;
    refused(VOLO_EINVAL, "GET", "users", "\"users\" does not start with \"/\"");
    refused(VOLO_EINVAL, "GET", "", "\"\" is empty");
    refused(VOLO_EINVAL, "GET", NULL, "\"\" is empty");
    refused(VOLO_EINVAL, "G T", "/", "\"G T\" is no method");
    refused(VOLO_EINVAL, "", "/", "\"\" is no method");
    assert_int_equal(volo_router_group(&group, router, "/a/"), VOLO_EINVAL);
    assert_string_equal(volo_router_error(router),
                        "\"/a/\" is a prefix and ends in a slash");
    assert_int_equal(volo_router_group(&group, router, "/{*a}"), VOLO_EINVAL);
    assert_int_equal(volo_router_group(&group, router, NULL), VOLO_EINVAL);
    assert_int_equal(volo_router_nest(router, "/a", NULL), VOLO_EINVAL);
    assert_int_equal(volo_router_merge(router, NULL), VOLO_EINVAL);
    assert_int_equal(volo_router_host(router, "h", NULL), VOLO_EINVAL);
    assert_int_equal(volo_router_route(NULL, router, NULL, "/", NULL),
                     VOLO_EINVAL);
    assert_int_equal(volo_router_get(router, "/", NULL, NULL), VOLO_EINVAL);
}

static void
test_a_parameter_is_not_named_again_below_a_prefix(void **state)
{
    volo_router *group, *inner;

    (void)state;
    group = must_group(must_group(router, "/u/{id}"), "/in");
    assert_int_equal(volo_router_get(group, "/{id}", say, NULL), VOLO_EEXIST);
    assert_string_equal(volo_router_error(group),
                        "parameter \"id\" of \"/{id}\" is in \"/u/{id}\" too");
    volo_router_new(&inner);
    must_get(inner, "/{id}", "1");
    assert_int_equal(volo_router_nest(group, "/x", inner), VOLO_EEXIST);
    assert_int_equal(volo_router_nest(router, "/{id}", inner), VOLO_EEXIST);
    assert_int_equal(volo_router_host(router, "{id}.x", inner), VOLO_EEXIST);
    assert_int_equal(volo_router_nest(router, "/{other}", inner), 0);
    volo_router_unref(inner);
}

static void
test_a_parameter_named_later_is_found_out_when_frozen(void **state)
{
    volo_router *inner = must_nest(router, "/{id}");

    (void)state;
    must_get(inner, "/{id}", "1");
    assert_int_equal(volo_service_freeze(volo_router_service(router)),
                     VOLO_EEXIST);
    assert_string_equal(volo_router_error(router),
                        "parameter \"id\" of \"/{id}\" is in \"/{id}\" too");
}

static int freed;

static void
count_free(void *user)
{
    assert_ptr_equal(user, &freed);
    freed++;
}

static int
yes(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
    return 1;
}

static void
test_what_a_call_was_given_is_freed_once_also_when_it_fails(void **state)
{
    volo_service *service;
    volo_route *route;

    (void)state;
    freed = 0;
    volo_router_handle(router, VOLO_GET, "/a", say, &freed, count_free);
    assert_int_equal(freed, 0);
    volo_router_handle(router, VOLO_GET, "/a", say, &freed, count_free);
    assert_int_equal(freed, 1);
    volo_router_handle(router, VOLO_GET, "bad", say, &freed, count_free);
    assert_int_equal(freed, 2);
    volo_router_handle(router, VOLO_GET, "/b", NULL, &freed, count_free);
    assert_int_equal(freed, 3);
    volo_service_new(&service, say, &freed, count_free);
    volo_router_route(&route, router, "PUT", "/a", service);
    volo_service_unref(service);
    volo_route_guard(route, NULL, &freed, count_free);
    assert_int_equal(freed, 4);
    volo_route_guard(route, yes, &freed, count_free);
    volo_router_set_state(router, &freed, &freed, count_free);
    assert_int_equal(freed, 4);
    assert_int_equal(volo_service_freeze(volo_router_service(router)), 0);
    volo_route_guard(route, yes, &freed, count_free);
    volo_router_set_state(router, &freed, &freed, count_free);
    volo_router_handle(router, VOLO_GET, "/c", say, &freed, count_free);
    assert_int_equal(freed, 7);
    volo_router_unref(router);
    assert_int_equal(freed, 11);
    volo_router_new(&router);
}

static void
test_a_frozen_router_refuses_every_change(void **state)
{
    volo_router *group = must_group(router, "/g"), *other;
    volo_service *service;
    volo_route *route;

    (void)state;
    volo_service_new(&service, say, NULL, NULL);
    volo_router_new(&other);
    volo_router_route(&route, group, "GET", "/a", service);
    assert_int_equal(volo_service_freeze(volo_router_service(router)), 0);
    assert_int_equal(volo_router_get(group, "/b", say, NULL), VOLO_EBUSY);
    assert_string_equal(volo_router_error(group), "the router is frozen");
    assert_int_equal(volo_route_name(route, "a"), VOLO_EBUSY);
    assert_int_equal(volo_router_nest(router, "/n", other), VOLO_EBUSY);
    assert_int_equal(volo_router_merge(router, other), VOLO_EBUSY);
    assert_int_equal(volo_router_host(router, "h", other), VOLO_EBUSY);
    assert_int_equal(volo_router_group(&other, router, "/h"), VOLO_EBUSY);
    assert_int_equal(volo_router_layer(router, NULL, NULL, NULL), VOLO_EINVAL);
    assert_int_equal(volo_router_fallback(router, service), VOLO_EBUSY);
    assert_int_equal(volo_router_method_fallback(router, service), VOLO_EBUSY);
    assert_int_equal(volo_router_set_slash(router, 1), VOLO_EBUSY);
    assert_int_equal(volo_router_set_clean(router, 1), VOLO_EBUSY);
    assert_int_equal(volo_router_set_auto_options(router, 1), VOLO_EBUSY);
    volo_router_unref(other);
    volo_service_unref(service);
}

static void
test_settings_are_checked(void **state)
{
    volo_router *group = must_group(router, "");
    volo_service *service;

    (void)state;
    volo_service_new(&service, say, NULL, NULL);
    assert_int_equal(volo_router_set_slash(router, 3), VOLO_EINVAL);
    assert_int_equal(volo_router_set_slash(router, -1), VOLO_EINVAL);
    assert_int_equal(volo_router_fallback(router, NULL), VOLO_EINVAL);
    assert_int_equal(volo_router_fallback(router, service), 0);
    assert_int_equal(volo_router_fallback(router, service), VOLO_EEXIST);
    assert_int_equal(volo_router_method_fallback(router, service), 0);
    assert_int_equal(volo_router_method_fallback(router, service), VOLO_EEXIST);
    assert_int_equal(volo_router_fallback(group, service), VOLO_EINVAL);
    assert_int_equal(volo_router_set_slash(group, 1), VOLO_EINVAL);
    assert_int_equal(volo_router_set_clean(group, 1), VOLO_EINVAL);
    assert_int_equal(volo_router_host(group, "h", must_nest(router, "/x")),
                     VOLO_EINVAL);
    volo_service_unref(service);
}

static void
test_each_method_has_its_short_form(void **state)
{
    struct town t = {0};

    (void)state;
    t.router = router;
    assert_int_equal(volo_router_get(router, "/a", say, loose("get")), 0);
    assert_int_equal(volo_router_post(router, "/a", say, loose("post")), 0);
    assert_int_equal(volo_router_put(router, "/a", say, loose("put")), 0);
    assert_int_equal(volo_router_delete(router, "/a", say, loose("del")), 0);
    assert_int_equal(volo_router_any(router, "/a", say, loose("any")), 0);
    assert_int_equal(
        volo_router_handle(router, VOLO_OTHER, "/b", say, NULL, NULL),
        VOLO_EINVAL);
    town_says(&t, "/a", "get /a [/a]");
    town_ask(&t, "POST", "/a");
    assert_str(volo_test_body(t.last), "post /a [/a]");
    town_ask(&t, "PUT", "/a");
    assert_str(volo_test_body(t.last), "put /a [/a]");
    town_ask(&t, "DELETE", "/a");
    assert_str(volo_test_body(t.last), "del /a [/a]");
    town_ask(&t, "PATCH", "/a");
    assert_str(volo_test_body(t.last), "any /a [/a]");
    volo_test_free(t.client);
}

#define WITH_ROUTER(f) \
    cmocka_unit_test_setup_teardown(f, new_router, drop_router)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ROUTER(test_a_conflict_names_both_patterns),
        WITH_ROUTER(test_methods_conflict_only_with_themselves),
        WITH_ROUTER(test_patterns_that_only_overlap_do_not_conflict),
        WITH_ROUTER(test_groups_conflict_with_what_shares_their_paths),
        WITH_ROUTER(test_a_prefix_conflicts_with_what_it_would_hide),
        WITH_ROUTER(test_prefixes_conflict_with_each_other),
        WITH_ROUTER(test_malformed_patterns_are_refused_with_the_reason),
        WITH_ROUTER(test_a_parameter_is_not_named_again_below_a_prefix),
        WITH_ROUTER(test_a_parameter_named_later_is_found_out_when_frozen),
        WITH_ROUTER(
            test_what_a_call_was_given_is_freed_once_also_when_it_fails),
        WITH_ROUTER(test_a_frozen_router_refuses_every_change),
        WITH_ROUTER(test_settings_are_checked),
        WITH_ROUTER(test_each_method_has_its_short_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
