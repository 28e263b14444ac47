/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: none for a match; and every failure leaves the router as it was. */
#include <stdlib.h>

#include "router_support.h"

static unsigned long taken;
static unsigned long fail_at; /* 0: never */

static void *
counted(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (++taken == fail_at)
        return NULL;
    return realloc(ptr, size);
}

static unsigned long before, spent;

static void
begin(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    before = taken;
    volo_next_run(next, cx, NULL, NULL);
}

static void
end(volo_cx *cx, void *user)
{
    (void)user;
    spent = taken - before;
    volo_cx_answer(cx);
}

static void
test_a_match_takes_no_memory(void **state)
{
    static const char *const targets[] = {"/plain",         "/u/7/p/8",
                                          "/in/x/deep/y/z", "/f/a/b/c",
                                          "/i-7.png",       "/u/%41%2F/p/%42"};
    volo_router *inner;
    struct town t;
    size_t i;

    (void)state;
    fail_at = 0;
    volo_set_allocator(counted, NULL);
    town_new(&t);
    volo_router_layer(t.router, begin, NULL, NULL);
    volo_router_get(t.router, "/plain", end, NULL);
    volo_router_get(t.router, "/u/{id}/p/{post}", end, NULL);
    volo_router_get(t.router, "/f/{*rest}", end, NULL);
    volo_router_get(t.router, "/i-{id}.png", end, NULL);
    inner = must_group(must_group(t.router, "/in/{a}"), "/deep");
    volo_router_set_state(inner, &taken, &taken, NULL);
    volo_router_get(inner, "/{b}/{c}", end, NULL);
    for (i = 0; i < sizeof targets / sizeof *targets; i++) {
        spent = 1000;
        assert_int_equal(town_ask(&t, "GET", targets[i]), 200);
        assert_int_equal(spent, 0);
    }
    town_close(&t);
    volo_set_allocator(NULL, NULL);
}

/* ---- Failures ------------------------------------------------------------ */

static int frees;

static void
count_free(void *user)
{
    (void)user;
    frees++;
}

static int
yes(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
    return 1;
}

/* A failed call is made again: it must then succeed, so it has changed
 * nothing. */
static int failures;

#define AGAIN(call)                  \
    do {                             \
        int again_ = (call);         \
        if (again_ == VOLO_ENOMEM) { \
            failures++;              \
            again_ = (call);         \
        }                            \
        assert_int_equal(again_, 0); \
    } while (0)

static void
adorn(volo_route *route)
{
    volo_layer *layer;

    AGAIN(volo_layer_new(&layer, begin, NULL, NULL));
    AGAIN(volo_route_layer(route, layer));
    volo_layer_unref(layer);
    AGAIN(volo_route_guard(route, yes, NULL, count_free));
    AGAIN(volo_route_name(route, "name"));
}

static void
build_inner(volo_router *router)
{
    volo_router *inner, *joined, *other;

    AGAIN(volo_router_group(&inner, router, "/in/{x}"));
    AGAIN(volo_router_set_state(inner, &taken, NULL, count_free));
    AGAIN(volo_router_group(&joined, inner, ""));
    AGAIN(volo_router_layer(joined, begin, NULL, NULL));
    AGAIN(volo_router_get(joined, "/{y}", say, loose("y")));
    AGAIN(volo_router_new(&other));
    AGAIN(volo_router_get(other, "/other", say, loose("o")));
    AGAIN(volo_router_merge(router, other));
    volo_router_unref(other);
    AGAIN(volo_router_new(&other));
    AGAIN(volo_router_get(other, "/h", say, loose("h")));
    AGAIN(volo_router_host(router, "{t}.host", other));
    volo_router_unref(other);
}

static void
build(volo_router *router)
{
    volo_service *service;
    volo_route *route;

    AGAIN(volo_service_new(&service, say, loose("s"), NULL));
    AGAIN(volo_router_route(&route, router, "PURGE", "/u/{id}", service));
    adorn(route);
    AGAIN(volo_router_nest_service(router, "/files", service));
    AGAIN(volo_router_fallback(router, service));
    volo_service_unref(service);
    AGAIN(volo_router_handle(router, VOLO_GET, "/u/{id}", say, loose("u"),
                             count_free));
    build_inner(router);
    AGAIN(volo_service_freeze(volo_router_service(router)));
}

static void
use(volo_router *router)
{
    volo_str pair[2] = {VOLO_STR("id"), VOLO_STR("7")};
    struct town t = {.router = router};
    char *url;

    town_says(&t, "/u/7", "u /u/7 [/u/{id}] id=7");
    town_says(&t, "/in/1/2", "y /2 [/in/{x}/{y}] x=1 y=2");
    town_says(&t, "/other", "o /other [/other]");
    town_says(&t, "/files/a", "s /a [/files]");
    town_says(&t, "/lost", "s /lost");
    assert_int_equal(town_ask(&t, "PURGE", "/u/7"), 200);
    assert_int_equal(town_ask_host(&t, "GET", "/h", "a.host"), 200);
    assert_int_equal(volo_router_url(&url, router, "name", pair, 1), 0);
    assert_string_equal(url, "/u/7");
    volo_free(url);
    volo_test_free(t.client);
}

static void
test_a_failed_call_has_changed_nothing(void **state)
{
    unsigned long n = 0;
    volo_router *router;

    (void)state;
    volo_set_allocator(counted, NULL);
    do {
        taken = 0;
        failures = frees = 0;
        fail_at = ++n;
        AGAIN(volo_router_new(&router));
        build(router);
        fail_at = 0;
        use(router);
        volo_router_unref(router);
        assert_in_range(frees, 3, 4); /* a failed call has freed its own */
    } while (failures > 0);
    assert_true(n > 60);
    volo_set_allocator(NULL, NULL);
}

/* Whatever fails while an exchange is on its way, it is answered. */
static void
test_an_exchange_without_memory_is_answered(void **state)
{
    char target[9000] = "/p";
    unsigned long n;
    struct town t;
    int i, status = 0;
    size_t len = 2;

    (void)state;
    for (i = 0; i < 40; i++)
        len += (size_t)snprintf(target + len, sizeof target - len, "%s",
                                "/%2F%41%42%43%44%45%46%47%48%49%50%51%52");
    volo_set_allocator(counted, NULL);
    fail_at = 0;
    town_new(&t);
    volo_router_get(t.router, "/p/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{*rest}",
                    end, NULL);
    volo_router_set_slash(t.router, VOLO_SLASH_REDIRECT);
    town_open(&t);
    for (n = 1; status != 200 && n < 100; n++) {
        volo_test_request *request;
        volo_test_response *response = NULL;

        assert_int_equal(
            volo_test_request_new(&request, t.client, "GET", target), 0);
        taken = 0;
        fail_at = n;
        i = volo_test_send(&response, t.client, request);
        fail_at = 0;
        if (i == 0)
            status = volo_test_status(response);
        assert_true(i == VOLO_ENOMEM || status == 503 || status == 200 ||
                    status == 500);
    }
    assert_int_equal(status, 200);
    assert_true(n > 3);
    town_close(&t);
    volo_set_allocator(NULL, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_match_takes_no_memory),
        cmocka_unit_test(test_a_failed_call_has_changed_nothing),
        cmocka_unit_test(test_an_exchange_without_memory_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
