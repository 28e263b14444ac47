/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routers in tests.  A service made by say() answers with its own text, the
 * path it saw, the pattern and the parameters, such as
 *   "user /7 [/users/{id}] id=7"
 * so that one string says what has happened.
 */
#ifndef VOLO_TESTS_UNIT_ROUTER_SUPPORT_H
#define VOLO_TESTS_UNIT_ROUTER_SUPPORT_H

#include <stdio.h>

#include "support.h"

/* A text as the user pointer of something that only reads it. */
static inline void *
loose(const char *text)
{
    union {
        const char *text;
        void *user;
    } u = {text};

    return u.user;
}

static inline void
say(volo_cx *cx, void *user)
{
    volo_str path = volo_cx_path(cx), pattern = volo_cx_pattern(cx);
    volo_str name, value;
    char text[512];
    size_t i, n;

    n = (size_t)snprintf(text, sizeof text, "%s %.*s", (const char *)user,
                         (int)path.len, path.ptr);
    if (pattern.ptr)
        n += (size_t)snprintf(text + n, sizeof text - n, " [%.*s]",
                              (int)pattern.len, pattern.ptr);
    for (i = 0; i < volo_cx_param_count(cx); i++) {
        volo_cx_param_at(cx, i, &name, &value);
        n += (size_t)snprintf(text + n, sizeof text - n, " %.*s=%.*s",
                              (int)name.len, name.ptr, (int)value.len,
                              value.ptr);
    }
    volo_cx_set_body(cx, volo_str_make(text, n));
    volo_cx_answer(cx);
}

/* A router and, once it is open, its client. */
struct town {
    volo_router *router;
    volo_test *client;
    volo_test_response *last;
};

static inline void
town_new(struct town *town)
{
    memset(town, 0, sizeof *town);
    assert_int_equal(volo_router_new(&town->router), 0);
}

static inline void
town_open(struct town *town)
{
    assert_int_equal(
        volo_test_new(&town->client, volo_router_service(town->router)), 0);
}

static inline void
town_close(struct town *town)
{
    volo_test_free(town->client);
    volo_router_unref(town->router);
}

/* The status of the answer, which is town->last. */
static inline int
town_ask_host(struct town *town, const char *method, const char *target,
              const char *host)
{
    volo_test_request *request;

    if (!town->client)
        town_open(town);
    assert_int_equal(
        volo_test_request_new(&request, town->client, method, target), 0);
    if (host)
        assert_int_equal(volo_test_request_header(request, "Host", host), 0);
    assert_int_equal(volo_test_send(&town->last, town->client, request), 0);
    return volo_test_status(town->last);
}

static inline int
town_ask(struct town *town, const char *method, const char *target)
{
    return town_ask_host(town, method, target, NULL);
}

/* GET of ${target} says ${text}. */
static inline void
town_says(struct town *town, const char *target, const char *text)
{
    assert_int_equal(town_ask(town, "GET", target), 200);
    assert_str(volo_test_body(town->last), text);
}

static inline void
must_get(volo_router *router, const char *pattern, const char *text)
{
    assert_int_equal(volo_router_get(router, pattern, say, loose(text)), 0);
}

static inline void
must_handle(volo_router *router, const char *method, const char *pattern,
            const char *text)
{
    volo_service *service;

    assert_int_equal(volo_service_new(&service, say, loose(text), NULL), 0);
    assert_int_equal(volo_router_route(NULL, router, method, pattern, service),
                     0);
    volo_service_unref(service);
}

static inline volo_router *
must_group(volo_router *router, const char *prefix)
{
    volo_router *group = NULL;

    assert_int_equal(volo_router_group(&group, router, prefix), 0);
    return group;
}

/* A router nested, of which the caller keeps no reference. */
static inline volo_router *
must_nest(volo_router *router, const char *prefix)
{
    volo_router *inner;

    assert_int_equal(volo_router_new(&inner), 0);
    assert_int_equal(volo_router_nest(router, prefix, inner), 0);
    volo_router_unref(inner);
    return inner;
}

#endif
