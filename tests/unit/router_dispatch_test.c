/* SPDX-License-Identifier: Apache-2.0 */
/* Which route answers, and what is said where none does. */
#include "router_support.h"

static void
test_a_path_and_a_method_find_their_route(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/", "root");
    must_get(t.router, "/users/{id}", "user");
    must_get(t.router, "/users/me", "me");
    must_handle(t.router, "POST", "/users/{id}", "change");
    town_says(&t, "/", "root / [/]");
    town_says(&t, "/users/me", "me /users/me [/users/me]");
    town_says(&t, "/users/7?x=1", "user /users/7 [/users/{id}] id=7");
    assert_int_equal(town_ask(&t, "POST", "/users/7"), 200);
    assert_str(volo_test_body(t.last), "change /users/7 [/users/{id}] id=7");
    town_close(&t);
}

static void
test_an_unknown_path_is_404_with_a_short_text(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a", "a");
    assert_int_equal(town_ask(&t, "GET", "/b"), 404);
    assert_true(volo_test_body(t.last).len > 0);
    assert_int_equal(town_ask(&t, "GET", "/a/"), 404);
    assert_int_equal(town_ask(&t, "GET", "/A"), 404);
    assert_int_equal(town_ask(&t, "GET", "//a"), 404);
    town_close(&t);
}

static void
test_an_unknown_method_is_405_with_allow(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a", "a");
    must_handle(t.router, "PURGE", "/a", "purge");
    must_handle(t.router, "DELETE", "/a", "delete");
    assert_int_equal(town_ask(&t, "POST", "/a"), 405);
    assert_str(volo_test_header(t.last, "allow"),
               "GET, HEAD, DELETE, OPTIONS, PURGE");
    assert_int_equal(town_ask(&t, "PURGE", "/a"), 200);
    assert_str(volo_test_body(t.last), "purge /a [/a]");
    assert_int_equal(town_ask(&t, "purge", "/a"), 405);
    town_close(&t);
}

static void
test_the_most_specific_pattern_decides_before_the_method(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/users/me", "me");
    must_handle(t.router, "POST", "/users/{id}", "post");
    assert_int_equal(town_ask(&t, "POST", "/users/me"), 405);
    assert_str(volo_test_header(t.last, "allow"), "GET, HEAD, OPTIONS");
    assert_int_equal(town_ask(&t, "GET", "/users/7"), 405);
    assert_str(volo_test_header(t.last, "allow"), "POST, OPTIONS");
    town_close(&t);
}

static void
test_options_is_answered_with_allow_unless_there_is_a_route(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a", "a");
    must_handle(t.router, "OPTIONS", "/b", "mine");
    must_get(t.router, "/b", "b");
    must_handle(t.router, NULL, "/c", "any");
    assert_int_equal(town_ask(&t, "OPTIONS", "/a"), 204);
    assert_str(volo_test_header(t.last, "allow"), "GET, HEAD, OPTIONS");
    assert_int_equal(volo_test_body(t.last).len, 0);
    assert_int_equal(town_ask(&t, "OPTIONS", "/b"), 200);
    assert_str(volo_test_body(t.last), "mine /b [/b]");
    assert_int_equal(town_ask(&t, "OPTIONS", "/c"), 200);
    assert_int_equal(town_ask(&t, "OPTIONS", "/d"), 404);
    assert_int_equal(town_ask(&t, "OPTIONS", "*"), 204);
    town_close(&t);
}

static void
test_without_automatic_options_it_is_a_method_like_others(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a", "a");
    must_get(must_group(t.router, "/g"), "/b", "b");
    assert_int_equal(volo_router_set_auto_options(t.router, 0), 0);
    assert_int_equal(town_ask(&t, "OPTIONS", "/a"), 405);
    assert_str(volo_test_header(t.last, "allow"), "GET, HEAD");
    assert_int_equal(town_ask(&t, "OPTIONS", "/g/b"), 405);
    assert_int_equal(town_ask(&t, "OPTIONS", "*"), 404);
    town_close(&t);
}

static void
test_head_follows_get_unless_it_has_its_own(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a", "a");
    must_get(t.router, "/b", "b");
    must_handle(t.router, "HEAD", "/b", "head");
    must_handle(t.router, "POST", "/c", "c");
    assert_int_equal(town_ask(&t, "HEAD", "/a"), 200);
    assert_int_equal(town_ask(&t, "HEAD", "/b"), 200);
    assert_int_equal(town_ask(&t, "HEAD", "/c"), 405);
    assert_str(volo_test_header(t.last, "allow"), "POST, OPTIONS");
    town_close(&t);
}

static void
test_any_takes_what_has_no_route_of_its_own(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_handle(t.router, NULL, "/a", "any");
    must_get(t.router, "/a", "get");
    town_says(&t, "/a", "get /a [/a]");
    assert_int_equal(town_ask(&t, "POST", "/a"), 200);
    assert_str(volo_test_body(t.last), "any /a [/a]");
    assert_int_equal(town_ask(&t, "BREW", "/a"), 200);
    assert_str(volo_test_body(t.last), "any /a [/a]");
    town_close(&t);
}

static void
test_parameters_are_decoded_once(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/u/{id}", "u");
    must_get(t.router, "/caf\xc3\xa9", "cafe");
    town_says(&t, "/u/a%20b", "u /u/a%20b [/u/{id}] id=a b");
    town_says(&t, "/u/%2525", "u /u/%2525 [/u/{id}] id=%25");
    town_says(&t, "/u/a+b", "u /u/a+b [/u/{id}] id=a+b");
    town_says(&t, "/%75/7", "u /%75/7 [/u/{id}] id=7");
    town_says(&t, "/caf%C3%A9", "cafe /caf%C3%A9 [/caf\xc3\xa9]");
    town_close(&t);
}

static void
test_an_encoded_slash_does_not_split_a_segment(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/u/{id}", "u");
    must_get(t.router, "/u/{id}/x", "x");
    must_get(t.router, "/f/{*rest}", "f");
    town_says(&t, "/u/a%2Fb", "u /u/a%2Fb [/u/{id}] id=a/b");
    town_says(&t, "/u/a%2fx/x", "x /u/a%2fx/x [/u/{id}/x] id=a/x");
    town_says(&t, "/u/a%2Fx", "u /u/a%2Fx [/u/{id}] id=a/x");
    town_says(&t, "/f/a/b%2Fc", "f /f/a/b%2Fc [/f/{*rest}] rest=a/b/c");
    assert_int_equal(town_ask(&t, "GET", "/u%2Fx"), 404);
    town_close(&t);
}

/* ---- Guards -------------------------------------------------------------- */

static int
has_field(volo_cx *cx, void *user)
{
    return volo_cx_header(cx, user).ptr != NULL;
}

static int
id_is_even(volo_cx *cx, void *user)
{
    volo_str id = volo_cx_param(cx, "id");

    (void)user;
    return id.len > 0 && (id.ptr[id.len - 1] - '0') % 2 == 0;
}

static volo_route *
must_guard(volo_router *router, const char *method, const char *pattern,
           const char *text, volo_guard_fn fn, void *user)
{
    volo_service *service;
    volo_route *route;

    assert_int_equal(volo_service_new(&service, say, loose(text), NULL), 0);
    assert_int_equal(
        volo_router_route(&route, router, method, pattern, service), 0);
    volo_service_unref(service);
    assert_int_equal(volo_route_guard(route, fn, user, NULL), 0);
    return route;
}

static int
ask_with(struct town *t, const char *method, const char *target,
         const char *field)
{
    volo_test_request *request;

    if (!t->client)
        town_open(t);
    volo_test_request_new(&request, t->client, method, target);
    volo_test_request_header(request, field, "1");
    assert_int_equal(volo_test_send(&t->last, t->client, request), 0);
    return volo_test_status(t->last);
}

static void
test_guards_choose_among_routes_of_one_pattern(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_guard(t.router, "GET", "/a", "one", has_field, loose("x-one"));
    must_guard(t.router, "GET", "/a", "two", has_field, loose("x-two"));
    must_get(t.router, "/a", "else");
    town_says(&t, "/a", "else /a [/a]");
    assert_int_equal(ask_with(&t, "GET", "/a", "x-one"), 200);
    assert_str(volo_test_body(t.last), "one /a [/a]");
    assert_int_equal(ask_with(&t, "GET", "/a", "x-two"), 200);
    assert_str(volo_test_body(t.last), "two /a [/a]");
    town_close(&t);
}

static void
test_the_search_goes_on_where_a_guard_says_no(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_guard(t.router, "GET", "/n/{id}", "even", id_is_even, NULL);
    must_get(t.router, "/n/{*all}", "rest");
    town_says(&t, "/n/4", "even /n/4 [/n/{id}] id=4");
    town_says(&t, "/n/5", "rest /n/5 [/n/{*all}] all=5");
    town_close(&t);
}

static void
test_allow_leaves_out_what_guards_refuse(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_guard(t.router, "GET", "/a", "get", has_field, loose("x-one"));
    must_handle(t.router, "POST", "/a", "post");
    must_guard(t.router, "GET", "/b", "b", has_field, loose("x-one"));
    assert_int_equal(town_ask(&t, "GET", "/a"), 405);
    assert_str(volo_test_header(t.last, "allow"), "POST, OPTIONS");
    assert_int_equal(ask_with(&t, "PUT", "/a", "x-one"), 405);
    assert_str(volo_test_header(t.last, "allow"), "GET, HEAD, POST, OPTIONS");
    assert_int_equal(town_ask(&t, "GET", "/b"), 404);
    assert_int_equal(town_ask(&t, "POST", "/b"), 404);
    town_close(&t);
}

/* ---- Fallbacks, layers, state -------------------------------------------- */

static void
must_fallback(volo_router *router, int method, const char *text)
{
    volo_service *service;

    assert_int_equal(volo_service_new(&service, say, loose(text), NULL), 0);
    assert_int_equal(method ? volo_router_method_fallback(router, service)
                            : volo_router_fallback(router, service),
                     0);
    volo_service_unref(service);
}

static void
test_fallbacks_take_the_place_of_404_and_405(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/a", "a");
    must_fallback(t.router, 0, "nowhere");
    must_fallback(t.router, 1, "not so");
    town_says(&t, "/b", "nowhere /b");
    assert_int_equal(town_ask(&t, "PUT", "/a"), 200);
    assert_str(volo_test_body(t.last), "not so /a");
    assert_str(volo_test_header(t.last, "allow"), "GET, HEAD, OPTIONS");
    town_close(&t);
}

static void
mark(volo_cx *cx, void *user)
{
    volo_cx_add_header(cx, "x-way", volo_str_of(user));
}

static void
back(volo_cx *cx, void *frame)
{
    mark(cx, frame);
}

static void
through(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, back, user);
}

/* The marks on the way out: innermost first. */
static const char *
way_of(const struct town *t)
{
    static char text[64];
    volo_str name, value;
    size_t i, n = 0;

    for (i = 0; i < volo_test_header_count(t->last); i++) {
        volo_test_header_at(t->last, i, &name, &value);
        if (volo_str_eq(name, VOLO_STR("x-way")))
            text[n++] = value.ptr[0];
    }
    text[n] = 0;
    return text;
}

static void
must_layer(volo_router *router, const char *name)
{
    assert_int_equal(volo_router_layer(router, through, loose(name), NULL), 0);
}

static void
test_layers_wrap_404_and_405_and_routes_registered_later(void **state)
{
    struct town t;

    (void)state;
    town_new(&t);
    must_get(t.router, "/before", "b");
    must_layer(t.router, "a");
    must_layer(t.router, "b");
    must_get(t.router, "/after", "a");
    assert_int_equal(town_ask(&t, "GET", "/before"), 200);
    assert_string_equal(way_of(&t), "ba");
    assert_int_equal(town_ask(&t, "GET", "/after"), 200);
    assert_string_equal(way_of(&t), "ba");
    assert_int_equal(town_ask(&t, "GET", "/none"), 404);
    assert_string_equal(way_of(&t), "ba");
    assert_int_equal(town_ask(&t, "PUT", "/after"), 405);
    assert_string_equal(way_of(&t), "ba");
    town_close(&t);
}

static void
test_layers_of_router_group_route_and_service_are_in_order(void **state)
{
    struct town t;
    volo_router *group, *bare;
    volo_service *service;
    volo_layer *layer;
    volo_route *route;

    (void)state;
    town_new(&t);
    group = must_group(t.router, "/g");
    bare = must_group(group, "");
    volo_service_new(&service, say, loose("s"), NULL);
    volo_service_layer(service, through, loose("5"), NULL);
    volo_router_route(&route, bare, "GET", "/x", service);
    volo_layer_new(&layer, through, loose("4"), NULL);
    assert_int_equal(volo_route_layer(route, layer), 0);
    must_layer(bare, "3");
    must_layer(group, "2");
    must_layer(t.router, "1");
    volo_service_unref(service);
    volo_layer_unref(layer);
    town_says(&t, "/g/x", "s /x [/g/x]");
    assert_string_equal(way_of(&t), "54321");
    assert_int_equal(town_ask(&t, "GET", "/g/y"), 404);
    assert_string_equal(way_of(&t), "21");
    assert_int_equal(town_ask(&t, "GET", "/y"), 404);
    assert_string_equal(way_of(&t), "1");
    town_close(&t);
}

static const char state_key;

static void
say_state(volo_cx *cx, void *user)
{
    const char *value = volo_cx_ext(cx, &state_key);

    (void)user;
    volo_cx_set_body(cx, volo_str_of(value ? value : "none"));
    volo_cx_answer(cx);
}

static void
see_state(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    if (volo_cx_ext(cx, &state_key))
        volo_cx_add_header(cx, "x-seen", VOLO_STR("yes"));
    volo_next_run(next, cx, NULL, NULL);
}

static void
test_state_is_found_inside_its_router_the_nearest_first(void **state)
{
    struct town t;
    volo_router *inner;

    (void)state;
    town_new(&t);
    inner = must_group(t.router, "/in");
    volo_router_get(t.router, "/x", say_state, NULL);
    volo_router_get(inner, "/x", say_state, NULL);
    volo_router_layer(t.router, see_state, NULL, NULL);
    volo_router_set_state(t.router, &state_key, loose("outer"), NULL);
    volo_router_set_state(inner, &state_key, loose("old"), NULL);
    volo_router_set_state(inner, &state_key, loose("inner"), NULL);
    town_says(&t, "/x", "outer");
    assert_str(volo_test_header(t.last, "x-seen"), "yes");
    town_says(&t, "/in/x", "inner");
    town_close(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_and_a_method_find_their_route),
        cmocka_unit_test(test_an_unknown_path_is_404_with_a_short_text),
        cmocka_unit_test(test_an_unknown_method_is_405_with_allow),
        cmocka_unit_test(
            test_the_most_specific_pattern_decides_before_the_method),
        cmocka_unit_test(
            test_options_is_answered_with_allow_unless_there_is_a_route),
        cmocka_unit_test(
            test_without_automatic_options_it_is_a_method_like_others),
        cmocka_unit_test(test_head_follows_get_unless_it_has_its_own),
        cmocka_unit_test(test_any_takes_what_has_no_route_of_its_own),
        cmocka_unit_test(test_parameters_are_decoded_once),
        cmocka_unit_test(test_an_encoded_slash_does_not_split_a_segment),
        cmocka_unit_test(test_guards_choose_among_routes_of_one_pattern),
        cmocka_unit_test(test_the_search_goes_on_where_a_guard_says_no),
        cmocka_unit_test(test_allow_leaves_out_what_guards_refuse),
        cmocka_unit_test(test_fallbacks_take_the_place_of_404_and_405),
        cmocka_unit_test(
            test_layers_wrap_404_and_405_and_routes_registered_later),
        cmocka_unit_test(
            test_layers_of_router_group_route_and_service_are_in_order),
        cmocka_unit_test(
            test_state_is_found_inside_its_router_the_nearest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
