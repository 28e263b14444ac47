/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that are nearly right, and that no Location leads elsewhere. */
#include "router_support.h"

static void
leads(struct town *t, const char *target, const char *location)
{
    assert_int_equal(town_ask(t, "GET", target), 308);
    assert_str(volo_test_header(t->last, "location"), location);
}

static void
lost(struct town *t, const char *target)
{
    assert_int_equal(town_ask(t, "GET", target), 404);
    assert_absent(volo_test_header(t->last, "location"));
}

static void
test_a_slash_too_many_or_too_few_is_redirected(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/", "root");
    must_get(t.router, "/a", "a");
    must_get(t.router, "/b/", "b");
    must_get(t.router, "/u/{id}", "u");
    assert_int_equal(volo_router_set_slash(t.router, VOLO_SLASH_REDIRECT), 0);
    town_says(&t, "/a", "a /a [/a]");
    leads(&t, "/a/", "/a");
    leads(&t, "/a/?x=1&y", "/a?x=1&y");
    leads(&t, "/a/?", "/a?");
    leads(&t, "/b", "/b/");
    leads(&t, "/u/a%2Fb/", "/u/a%2Fb");
    lost(&t, "/a//");
    lost(&t, "/c/");
    leads(&t, "//", "/");
    assert_int_equal(town_ask(&t, "POST", "/a/"), 308);
    town_close(&t);
}

static void
test_nested_routers_redirect_to_the_whole_path(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(must_nest(t.router, "/in/{x}"), "/a", "a");
    volo_router_set_slash(t.router, VOLO_SLASH_REDIRECT);
    leads(&t, "/in/7/a/?q", "/in/7/a?q");
    lost(&t, "/in/7/b/");
    lost(&t, "/in/7/");
    lost(&t, "/in/7");
    town_close(&t);
}

static void
test_both_paths_may_mean_the_same(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a/{x}", "a");
    must_get(t.router, "/b/", "b");
    volo_router_set_slash(t.router, VOLO_SLASH_IGNORE);
    town_says(&t, "/a/1", "a /a/1 [/a/{x}] x=1");
    town_says(&t, "/a/1/", "a /a/1/ [/a/{x}] x=1");
    town_says(&t, "/b", "b /b [/b/]");
    assert_int_equal(town_ask(&t, "GET", "/a/1//"), 404);
    assert_int_equal(town_ask(&t, "PUT", "/b"), 405);
    town_close(&t);
}

static void
test_an_inner_router_has_its_own_rule_if_it_says_so(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_nest(t.router, "/in");
    must_get(inner, "/a", "a");
    must_get(t.router, "/a", "a");
    volo_router_set_slash(t.router, VOLO_SLASH_REDIRECT);
    volo_router_set_slash(inner, VOLO_SLASH_STRICT);
    leads(&t, "/a/", "/a");
    lost(&t, "/in/a/");
    town_close(&t);
}

static void
test_unclean_paths_are_redirected_to_the_clean_one(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/", "root");
    must_get(t.router, "/a/b", "ab");
    must_get(t.router, "/a/", "a");
    must_get(t.router, "/d/.x", "dot");
    volo_router_set_clean(t.router, 1);
    town_says(&t, "/a/b", "ab /a/b [/a/b]");
    town_says(&t, "/d/.x", "dot /d/.x [/d/.x]");
    leads(&t, "//a/b?q=//", "/a/b?q=//");
    leads(&t, "/a//b", "/a/b");
    leads(&t, "/a/./b", "/a/b");
    leads(&t, "/a/c/../b", "/a/b");
    leads(&t, "/../../a/b", "/a/b");
    leads(&t, "/a/.", "/a/");
    leads(&t, "/a/b/..", "/a/");
    leads(&t, "///", "/");
    leads(&t, "/a/..", "/");
    lost(&t, "/a//c");
    lost(&t, "/a/b/...");
    town_close(&t);
}

static void
test_a_clean_path_may_lead_from_one_router_to_another(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_nest(t.router, "/in");
    must_get(inner, "/a", "a");
    must_get(t.router, "/out", "out");
    volo_router_set_clean(t.router, 1);
    leads(&t, "/in/../out", "/out");
    leads(&t, "/in//a", "/in/a");
    lost(&t, "/in/../a");
    town_close(&t);
}

static void
test_an_inner_router_cleans_nothing_above_itself(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_nest(t.router, "/in");
    must_get(inner, "/a", "a");
    volo_router_set_clean(inner, 1);
    leads(&t, "/in//a", "/in/a");
    leads(&t, "/in/x/../a", "/in/a");
    lost(&t, "/in/../a");
    town_close(&t);
}

static void
test_no_location_leads_to_another_host(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/{a}", "a");
    must_get(t.router, "//{a}", "b");
    must_get(t.router, "/{a}/{b}", "c");
    volo_router_set_slash(t.router, VOLO_SLASH_REDIRECT);
    volo_router_set_clean(t.router, 1);
    leads(&t, "//evil.example", "/evil.example");
    leads(&t, "/.//evil.example", "/evil.example");
    leads(&t, "/x/..//evil.example", "/evil.example");
    lost(&t, "/\\evil.example/x/");
    lost(&t, "/\\evil.example/");
    lost(&t, "/./\\evil.example/x/..//y/z");
    town_close(&t);
}

static void
test_a_pattern_with_two_slashes_makes_no_location(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "//{a}", "b");
    volo_router_set_slash(t.router, VOLO_SLASH_REDIRECT);
    lost(&t, "//evil.example/");
    town_close(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slash_too_many_or_too_few_is_redirected),
        cmocka_unit_test(test_nested_routers_redirect_to_the_whole_path),
        cmocka_unit_test(test_both_paths_may_mean_the_same),
        cmocka_unit_test(test_an_inner_router_has_its_own_rule_if_it_says_so),
        cmocka_unit_test(test_unclean_paths_are_redirected_to_the_clean_one),
        cmocka_unit_test(test_a_clean_path_may_lead_from_one_router_to_another),
        cmocka_unit_test(test_an_inner_router_cleans_nothing_above_itself),
        cmocka_unit_test(test_no_location_leads_to_another_host),
        cmocka_unit_test(test_a_pattern_with_two_slashes_makes_no_location),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
