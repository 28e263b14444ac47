/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses of the in-memory client, as memory. */
#ifndef VOLO_SERVER_TEST_MESSAGE_H
#define VOLO_SERVER_TEST_MESSAGE_H

#include <volo/test.h>

#include "http/cx.h"

/* Lines of a request or a response: name and value, owned. */
struct volo__lines {
    volo_pair *v;
    size_t count;
};

struct volo_test {
    volo_loop *loop;
    volo_service *service;
    volo_test_request *requests;
    volo_test_response *responses;
};

struct volo_test_request {
    volo_test_request *next;
    volo_test *test;
    char *method;
    char *target;
    struct volo__lines headers;
    char *body;
    size_t body_len;
    size_t chunk;
    struct volo__peer peer;
    uint64_t leave_ms;
    int leaves;
};

struct volo_test_response {
    volo_test_response *next;
    volo_test *test;
    int status;
    struct volo__lines headers;
    struct volo__lines trailers;
    struct volo__lines hints; /* of all interim responses */
    char *body;
    size_t body_len;
    size_t body_cap;
};

/* volo__lines_add(lines, name, value): append copies.  VOLO_ENOMEM. */
int volo__lines_add(struct volo__lines *lines, volo_str name, volo_str value);

/* volo__lines_find(lines, name): the first value; absent if none. */
volo_str volo__lines_find(const struct volo__lines *lines, volo_str name);

/* volo__lines_copy(lines, fields): append copies of all.  VOLO_ENOMEM. */
int volo__lines_copy(struct volo__lines *lines,
                     const struct volo__fields *fields);

/* volo__test_body_append(r, ptr, len): to the response's content, which a NUL
 * follows.  VOLO_ENOMEM. */
int volo__test_body_append(volo_test_response *r, const char *ptr, size_t len);

/* volo__test_request_free(request): takes itself from its client's list. */
void volo__test_request_free(volo_test_request *request);

#endif
