/* SPDX-License-Identifier: Apache-2.0 */
/* What most unit tests need: a client to a service or to a single function. */
#ifndef VOLO_TESTS_UNIT_SUPPORT_H
#define VOLO_TESTS_UNIT_SUPPORT_H

#include "asserts.h"

#include <pthread.h>
#include <unistd.h>

#include <volo.h>

/* A service from a function, with layers to be added, and its client. */
struct rig {
    volo_service *service;
    volo_test *client;
};

static inline void
rig_service(struct rig *rig, volo_service_fn fn, void *user)
{
    rig->client = NULL;
    assert_int_equal(volo_service_new(&rig->service, fn, user, NULL), 0);
}

static inline void
rig_open(struct rig *rig)
{
    assert_int_equal(volo_test_new(&rig->client, rig->service), 0);
}

static inline void
rig_close(struct rig *rig)
{
    volo_test_free(rig->client);
    volo_service_unref(rig->service);
}

/* One request without a body; the response is freed with the client. */
static inline volo_test_response *
rig_ask(struct rig *rig, const char *method, const char *target)
{
    volo_test_request *request;
    volo_test_response *response = NULL;

    assert_int_equal(
        volo_test_request_new(&request, rig->client, method, target), 0);
    assert_int_equal(volo_test_send(&response, rig->client, request), 0);
    return response;
}

/* One whose client leaves after ${ms} milliseconds, with no answer. */
static inline void
rig_leave(struct rig *rig, const char *target, uint64_t ms)
{
    volo_test_request *request;
    volo_test_response *response = NULL;

    assert_int_equal(
        volo_test_request_new(&request, rig->client, "GET", target), 0);
    volo_test_request_leave(request, ms);
    assert_int_equal(volo_test_send(&response, rig->client, request),
                     VOLO_ECANCELED);
    assert_null(response);
}

/* rig_ask() with a body, in pieces of ${chunk} (0: whole). */
static inline volo_test_response *
rig_post(struct rig *rig, const char *target, volo_str body, size_t chunk)
{
    volo_test_request *request;
    volo_test_response *response = NULL;

    assert_int_equal(
        volo_test_request_new(&request, rig->client, "POST", target), 0);
    assert_int_equal(volo_test_request_body(request, body), 0);
    volo_test_request_chunk(request, chunk);
    assert_int_equal(volo_test_send(&response, rig->client, request), 0);
    return response;
}

#endif
