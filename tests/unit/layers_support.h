/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of layers need beyond a rig: a service behind some layers, and
 * requests with field lines. */
#ifndef VOLO_TESTS_UNIT_LAYERS_SUPPORT_H
#define VOLO_TESTS_UNIT_LAYERS_SUPPORT_H

#include "support.h"

/* Put ${layer} inside those there are; it is the service's from now on. */
static inline void
rig_wrap(struct rig *rig, volo_layer *layer)
{
    assert_int_equal(volo_service_add_layer(rig->service, layer), 0);
    volo_layer_unref(layer);
}

static inline volo_test_request *
rig_request(struct rig *rig, const char *method, const char *target)
{
    volo_test_request *request = NULL;

    assert_int_equal(
        volo_test_request_new(&request, rig->client, method, target), 0);
    return request;
}

static inline void
with(volo_test_request *request, const char *name, const char *value)
{
    assert_int_equal(volo_test_request_header(request, name, value), 0);
}

static inline volo_test_response *
rig_send(struct rig *rig, volo_test_request *request)
{
    volo_test_response *response = NULL;

    assert_int_equal(volo_test_send(&response, rig->client, request), 0);
    return response;
}

/* One request with one more field line. */
static inline volo_test_response *
rig_ask_with(struct rig *rig, const char *method, const char *name,
             const char *value)
{
    volo_test_request *request = rig_request(rig, method, "/");

    with(request, name, value);
    return rig_send(rig, request);
}

/* How many lines of the response have the name. */
static inline unsigned
lines_named(const volo_test_response *response, const char *name)
{
    unsigned n = 0;
    size_t i;
    volo_str key, value;

    for (i = 0; i < volo_test_header_count(response); i++) {
        volo_test_header_at(response, i, &key, &value);
        n += volo_str_eq(key, volo_str_of(name)) ? 1u : 0u;
    }
    return n;
}

/* ---- Services ------------------------------------------------------------ */

static inline void
say_hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "hello");
}

static inline void
say_nothing(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
}

static inline void
say_missing(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_problem(cx, 404, NULL);
}

/* Keeps the exchange for the test to answer: the newest one. */
static inline void
keep(volo_cx *cx, void *user)
{
    *(volo_cx **)user = volo_cx_ref(cx);
}

#endif
