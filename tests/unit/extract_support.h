/* SPDX-License-Identifier: Apache-2.0 */
/* One handler under one pattern, and requests to it. */
#ifndef VOLO_TESTS_UNIT_EXTRACT_SUPPORT_H
#define VOLO_TESTS_UNIT_EXTRACT_SUPPORT_H

#include "support.h"

#include <stdio.h>

/* One request to one handler, on "/t/{p}". */
static volo_router *router;
static struct rig rig;

static inline void
open_rig(const char *pattern, volo_service_fn fn)
{
    assert_int_equal(volo_router_new(&router), 0);
    assert_int_equal(volo_router_any(router, pattern, fn, NULL), 0);
    rig.service = volo_service_ref(volo_router_service(router));
    rig_open(&rig);
}

static inline void
close_rig(void)
{
    rig_close(&rig);
    volo_router_unref(router);
}

/* ${fields} are "name: value" lines, NULL at the end. */
static inline volo_test_response *
send_to(const char *target, const char *const *fields, const char *body)
{
    volo_test_request *request;
    volo_test_response *response = NULL;
    char name[64];

    volo_test_request_new(&request, rig.client, body ? "POST" : "GET", target);
    for (; fields && *fields; fields++) {
        const char *colon = strchr(*fields, ':');

        snprintf(name, sizeof name, "%.*s", (int)(colon - *fields), *fields);
        volo_test_request_header(request, name, colon + 2);
    }
    if (body)
        volo_test_request_body(request, volo_str_of(body));
    assert_int_equal(volo_test_send(&response, rig.client, request), 0);
    return response;
}

static inline void
expect(const char *target, const char *const *fields, const char *body,
       int status, const char *text)
{
    volo_test_response *r = send_to(target, fields, body);

    assert_string_equal(volo_test_body(r).ptr, text);
    assert_int_equal(volo_test_status(r), status);
    volo_test_response_free(r);
}

#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})

#define IS_JSON "content-type: application/json"
#define IS_FORM "content-type: application/x-www-form-urlencoded"

#endif
