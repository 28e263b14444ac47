/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-memory client: requests to a service through its real chain, with no
 * socket.  It has a loop of its own, which runs inside volo_test_send().  All
 * on one thread.
 */
#ifndef VOLO_TEST_H
#define VOLO_TEST_H

#include <volo/service.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct volo_test volo_test;                   /* a client */
typedef struct volo_test_request volo_test_request;   /* a request */
typedef struct volo_test_response volo_test_response; /* an answer */

/** volo_test_new(out, service): a client of ${service}, of which it takes a
 * reference, and which it freezes.  Errors: VOLO_EINVAL, VOLO_ENOMEM,
 * VOLO_ENOFILES, VOLO_ELOOP, VOLO_EEXIST.    @since 0.1 */
VOLO_API int volo_test_new(volo_test **out, volo_service *service);

/** volo_test_free(test): with all its requests and responses; NULL is
 * ignored.    @since 0.1 */
VOLO_API void volo_test_free(volo_test *test);

/** volo_test_request_new(out, test, method, target): Host is "test" unless
 * set.  Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_test_request_new(volo_test_request **out, volo_test *test,
                                   const char *method, const char *target);

/** volo_test_request_header(request, name, value): add a field line.  Errors:
 * VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_test_request_header(volo_test_request *request,
                                      const char *name, const char *value);

/** volo_test_request_body(request, body): copied.  Errors: VOLO_ENOMEM.
 * @since 0.1 */
VOLO_API int volo_test_request_body(volo_test_request *request, volo_str body);

/** volo_test_request_chunk(request, size): give the body in pieces of
 * ${size} octets, without announcing its length; 0 for whole.    @since 0.1 */
VOLO_API void volo_test_request_chunk(volo_test_request *request, size_t size);

/** volo_test_request_peer(request, ip): the address that the client has.
 * Errors: VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_test_request_peer(volo_test_request *request, const char *ip);

/** volo_test_request_leave(request, ms): the client leaves after ${ms}
 * milliseconds.    @since 0.1 */
VOLO_API void volo_test_request_leave(volo_test_request *request, uint64_t ms);

/**
 * volo_test_send(out, test, request):
 * Send ${request}, which is used up, also on failure, and wait at most 10
 * seconds for the answer.
 *
 * Errors: VOLO_ETIMEDOUT, VOLO_ECANCELED (it left), VOLO_EPROTO (the answer
 * was cut off), VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_test_send(volo_test_response **out, volo_test *test,
                            volo_test_request *request);

/** volo_test_get(out, test, target): volo_test_send() of a GET.
 * @since 0.1 */
VOLO_API int volo_test_get(volo_test_response **out, volo_test *test,
                           const char *target);

/** volo_test_status(response): its status.    @since 0.1 */
VOLO_API int volo_test_status(const volo_test_response *response);

/** volo_test_header(response, name): a field; absent if none.    @since 0.1 */
VOLO_API volo_str volo_test_header(const volo_test_response *response,
                                   const char *name);

/** volo_test_trailer(response, name): a trailer field; absent if none.
 * @since 0.1 */
VOLO_API volo_str volo_test_trailer(const volo_test_response *response,
                                    const char *name);

/** volo_test_hint(response, name): a field of the 103s that came before it;
 * absent if none.    @since 0.1 */
VOLO_API volo_str volo_test_hint(const volo_test_response *response,
                                 const char *name);

/** volo_test_header_count(response): field lines.    @since 0.1 */
VOLO_API size_t volo_test_header_count(const volo_test_response *response);

/** volo_test_header_at(response, i, name, value): field line ${i}.
 * @since 0.1 */
VOLO_API void volo_test_header_at(const volo_test_response *response, size_t i,
                                  volo_str *name, volo_str *value);

/** volo_test_body(response): the content; a NUL follows it.    @since 0.1 */
VOLO_API volo_str volo_test_body(const volo_test_response *response);

/** volo_test_response_free(response): NULL is ignored.    @since 0.1 */
VOLO_API void volo_test_response_free(volo_test_response *response);

/** volo_test_loop(test): the client's loop, for timers of one's own.
 * @since 0.1 */
VOLO_API volo_loop *volo_test_loop(volo_test *test);

/** volo_test_run(test, ms): let the loop run for ${ms} milliseconds.
 * @since 0.1 */
VOLO_API void volo_test_run(volo_test *test, uint64_t ms);

#ifdef __cplusplus
}
#endif

#endif
