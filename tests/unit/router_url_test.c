/* SPDX-License-Identifier: Apache-2.0 */
/* URLs from names, and the list of all routes. */
#include "router_support.h"

static volo_route *
must_name(volo_router *router, const char *pattern, const char *name)
{
    volo_service *service;
    volo_route *route;

    volo_service_new(&service, say, NULL, NULL);
    assert_int_equal(volo_router_route(&route, router, "GET", pattern, service),
                     0);
    volo_service_unref(service);
    assert_int_equal(volo_route_name(route, name), 0);
    return route;
}

/* The URL with one parameter, "x". */
static void
makes(const volo_router *router, const char *name, const char *value,
      const char *url)
{
    volo_str pair[2] = {VOLO_STR("x"), volo_str_of(value)};
    char *made = NULL;

    assert_int_equal(volo_router_url(&made, router, name, pair, 1), 0);
    assert_string_equal(made, url);
    volo_free(made);
}

static void
fails(const volo_router *router, const char *name, const char *value, int err)
{
    volo_str pair[2] = {VOLO_STR("x"), volo_str_of(value)};
    char *made = NULL;

    assert_int_equal(volo_router_url(&made, router, name, pair, 1), err);
    assert_null(made);
}

static void
test_a_url_is_encoded_as_it_must_be(void **state)
{
    volo_router *r;

    (void)state;
    volo_router_new(&r);
    must_name(r, "/", "root");
    must_name(r, "/u/{x}", "u");
    must_name(r, "/f/{*x}", "f");
    must_name(r, "/i-{x}.png", "i");
    must_name(r, "/caf\xc3\xa9/{{y}}", "c");
    makes(r, "root", "", "/");
    makes(r, "u", "7", "/u/7");
    makes(r, "u", "a/b c%?#+\\", "/u/a%2Fb%20c%25%3F%23%2B%5C");
    makes(r, "f", "a/b c", "/f/a/b%20c");
    makes(r, "i", "..", "/i-...png");
    makes(r, "c", "", "/caf%C3%A9/%7By%7D");
    volo_router_unref(r);
}

static void
test_what_would_not_lead_back_is_refused(void **state)
{
    volo_router *r;

    (void)state;
    volo_router_new(&r);
    must_name(r, "/u/{x}", "u");
    must_name(r, "/f/{*x}", "f");
    must_name(r, "/v/{y}", "v");
    fails(r, "none", "1", VOLO_ENOENT);
    fails(r, "v", "1", VOLO_EMISSING);
    fails(r, "u", "", VOLO_EINVAL);
    fails(r, "u", ".", VOLO_EINVAL);
    fails(r, "u", "..", VOLO_EINVAL);
    fails(r, "f", "a/../b", VOLO_EINVAL);
    fails(r, "f", "..", VOLO_EINVAL);
    makes(r, "u", "...", "/u/...");
    must_name(r, "/{x}.", "dot");
    fails(r, "dot", ".", VOLO_EINVAL);
    makes(r, "dot", "a", "/a.");
    must_name(r, "//{x}", "host");
    fails(r, "host", "evil.example", VOLO_EINVAL);
    volo_router_unref(r);
}

static void
test_no_url_leads_to_another_host(void **state)
{
    volo_router *r;

    (void)state;
    volo_router_new(&r);
    must_name(r, "/{*x}", "all");
    makes(r, "all", "/evil.example/a", "/%2Fevil.example/a");
    makes(r, "all", "\\evil.example", "/%5Cevil.example");
    volo_router_unref(r);
}

static void
test_nested_names_have_their_prefixes(void **state)
{
    volo_router *r, *inner, *host;

    (void)state;
    volo_router_new(&r);
    inner = must_nest(must_group(must_group(r, ""), "/t/{x}"), "/in");
    must_name(inner, "/", "home");
    must_name(inner, "/a", "a");
    must_name(must_nest(r, "/"), "/", "top");
    volo_router_new(&host);
    must_name(host, "/h", "h");
    volo_router_host(r, "h", host);
    volo_router_unref(host);
    makes(r, "home", "1", "/t/1/in");
    makes(r, "a", "1", "/t/1/in/a");
    makes(r, "top", "", "/");
    makes(r, "h", "", "/h");
    makes(inner, "a", "", "/a");
    volo_router_unref(r);
}

static void
test_a_name_is_given_once(void **state)
{
    volo_router *r, *other;
    volo_route *route, *second;

    (void)state;
    volo_router_new(&r);
    volo_router_new(&other);
    route = must_name(must_group(r, "/g"), "/a", "a");
    second = must_name(r, "/b", "b");
    assert_int_equal(volo_route_name(second, "a"), VOLO_EEXIST);
    assert_string_equal(volo_router_error(r),
                        "\"a\" is the name of \"/a\" already");
    assert_int_equal(volo_route_name(route, "a"), 0);
    assert_int_equal(volo_route_name(route, ""), VOLO_EINVAL);
    must_name(other, "/x", "b");
    assert_int_equal(volo_router_nest(r, "/o", other), VOLO_EEXIST);
    assert_int_equal(volo_router_merge(r, other), VOLO_EEXIST);
    volo_router_unref(r);
    volo_router_unref(other);
}

static char listed[512];

static void
list(volo_str method, volo_str pattern, volo_str name, void *user)
{
    size_t n = strlen(listed);

    (void)user;
    snprintf(listed + n, sizeof listed - n, "%.*s %.*s %.*s\n", (int)method.len,
             method.ptr, (int)pattern.len, pattern.ptr, (int)name.len,
             name.ptr ? name.ptr : "");
}

static void
test_all_routes_are_told_in_order(void **state)
{
    volo_router *r, *inner;
    volo_service *service;

    (void)state;
    volo_router_new(&r);
    must_get(r, "/", "1");
    inner = must_group(r, "/in/{x}");
    must_name(inner, "/", "home");
    must_handle(inner, "PURGE", "/p", "2");
    must_handle(must_group(inner, ""), NULL, "/any", "3");
    volo_service_new(&service, say, NULL, NULL);
    volo_router_nest_service(r, "/files", service);
    volo_service_unref(service);
    must_get(r, "/last", "4");
    listed[0] = 0;
    volo_router_each(r, list, NULL);
    assert_string_equal(listed, "GET / \n"
                                "GET /in/{x} home\n"
                                "PURGE /in/{x}/p \n"
                                "* /in/{x}/any \n"
                                "* /files \n"
                                "GET /last \n");
    volo_router_unref(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_url_is_encoded_as_it_must_be),
        cmocka_unit_test(test_what_would_not_lead_back_is_refused),
        cmocka_unit_test(test_no_url_leads_to_another_host),
        cmocka_unit_test(test_nested_names_have_their_prefixes),
        cmocka_unit_test(test_a_name_is_given_once),
        cmocka_unit_test(test_all_routes_are_told_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
