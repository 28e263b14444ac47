/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every language wraps: the part of <volo.h> that sets a program up, by
 * the public headers themselves, so that there is one source of truth.
 *
 * A language's own file says what its module is called, how its strings and
 * errors look (typemaps), and includes this one.  Nothing here knows one.
 *
 * Left out: callbacks, and all that a request meets on its way (cx, queue_take,
 * queue_answer, writers ...).  A wrapper of SWIG's costs a few hundred
 * nanoseconds a call, and would cost that per request; a language's
 * hand-written half calls those functions itself.
 */
%{
#include <volo.h>
%}

%include <stdint.i>

/* ---- Not for bindings ----------------------------------------------------- */

/* Strings are typemaps, not objects. */
%ignore volo_str;
%ignore volo_str_of;
%ignore volo_str_make;
%ignore volo_str_eq;

/* Headers guard themselves, and say what a compiler needs. */
%ignore VOLO_TYPES_H;
%ignore VOLO_ERROR_H;
%ignore VOLO_VERSION_H;
%ignore VOLO_HTTP_H;
%ignore VOLO_SERVICE_H;
%ignore VOLO_ROUTER_H;
%ignore VOLO_ROUTE_H;
%ignore VOLO_NEST_H;
%ignore VOLO_LAYERS_H;
%ignore VOLO_QUEUE_H;
%ignore VOLO_QUEUE_LAYER_H;
%ignore VOLO_SERVER_H;
%ignore VOLO_TLS_H;
%ignore VOLO_TEST_H;
%ignore VOLO_API;
%ignore VOLO__MAYBE_UNUSED;

/* References are counted by the destructors below. */
%ignore volo_service_ref;
%ignore volo_service_unref;
%ignore volo_layer_ref;
%ignore volo_layer_unref;
%ignore volo_router_ref;
%ignore volo_router_unref;
%ignore volo_queue_ref;
%ignore volo_queue_unref;
%ignore volo_server_free;
%ignore volo_tls_ref;
%ignore volo_tls_unref;
%ignore volo_cors_free;
%ignore volo_test_free;
%ignore volo_test_response_free;

/* Callbacks: a function pointer cannot be made in another language. */
%ignore volo_service_new;
%ignore volo_service_layer;
%ignore volo_layer_new;
%ignore volo_layer_run;
%ignore volo_layer_map_request;
%ignore volo_layer_map_response;
%ignore volo_layer_when;
%ignore volo_layer_filter;
%ignore volo_layer_access_log;
%ignore volo_router_handle;
%ignore volo_router_get;
%ignore volo_router_post;
%ignore volo_router_put;
%ignore volo_router_delete;
%ignore volo_router_any;
%ignore volo_router_layer;
%ignore volo_router_set_state;
%ignore volo_router_each;
%ignore volo_route_guard;
%ignore volo_server_layer;
%ignore volo_server_set_state;
%ignore volo_server_on_thread;
%ignore volo_server_on_stop;

/* The way of a request, and what is only of use on a loop's thread. */
%ignore volo_next_run;
%ignore volo_next_run_within;
%ignore volo_service_call;
%ignore volo_request_id;
%ignore volo_pair;
%ignore volo_job;
%ignore volo_answer;
%ignore VOLO_JOB_SERVE;
%ignore VOLO_JOB_ENTER;
%ignore VOLO_JOB_LEAVE;
%ignore VOLO_ANSWER_REPLY;
%ignore VOLO_ANSWER_GO_ON;
%ignore VOLO_ANSWER_CHANGE;
%ignore volo_queue_service;
%ignore volo_queue_service_streaming;
%ignore volo_queue_layer;
%ignore volo_queue_take;
%ignore volo_queue_answer;
%ignore volo_batch_service;
%ignore volo_server_attach;
%ignore volo_test_loop;

/* ---- Handles --------------------------------------------------------------- */

%nodefaultctor;
%nodefaultdtor;

/* Opaque, and let go by the one function that may do so. */
%define VOLO_HANDLE(type, release)
struct type {};
%extend type {
    ~type() { release($self); }
}
%enddef

VOLO_HANDLE(volo_service, volo_service_unref)
VOLO_HANDLE(volo_layer, volo_layer_unref)
VOLO_HANDLE(volo_router, volo_router_unref)
VOLO_HANDLE(volo_queue, volo_queue_unref)
VOLO_HANDLE(volo_server, volo_server_free)
VOLO_HANDLE(volo_tls, volo_tls_unref)
VOLO_HANDLE(volo_cors, volo_cors_free)
VOLO_HANDLE(volo_test, volo_test_free)
VOLO_HANDLE(volo_test_response, volo_test_response_free)

/* Borrowed always: a route from its router, a request from its client. */
struct volo_route {};
struct volo_test_request {};

/* ---- What is wrapped ------------------------------------------------------- */

%include <volo/types.h>
%include <volo/error.h>
%include <volo/version.h>
%include <volo/http.h>
%include <volo/service.h>
%include <volo/router.h>
%include <volo/route.h>
%include <volo/nest.h>
%include <volo/layers.h>
%include <volo/queue.h>
%include <volo/queue_layer.h>
%include <volo/tls.h>
%include <volo/listen.h>
%include <volo/server.h>
%include <volo/test.h>
