/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the call path share among themselves: an exchange on its
 * way, refusals, answers, plans.  Runners need nothing of this.
 */
#ifndef VOLO_BINDINGS_CALL_H
#define VOLO_BINDINGS_CALL_H

#include "value.h"

/* ---- Requests (request.c, parse.c) --------------------------------------- */

int volo__py_request_init(PyObject *module);

/* The pairs of a query, decoded: a list of name, value, name, value ... */
PyObject *volo__py_query_lines(volo_str query);

/* The cookies of field lines: a dict, the first of a name wins. */
PyObject *volo__py_cookies(const volo_pair *pairs, size_t count);

/* volo__py_loads(body): bytes as JSON; Invalid if they are none. */
PyObject *volo__py_loads(PyObject *body);

int volo__py_state_init(PyObject *module);

/* Percent-decoded (a broken escape stays as it is), then as text: of UTF-8 with
 * replacements, or by a function such as PyUnicode_DecodeLatin1(). */
typedef PyObject *(*volo__py_decode_fn)(const char *ptr, Py_ssize_t len,
                                        const char *errors);
PyObject *volo__py_decoded(volo_str s);
PyObject *volo__py_decoded_by(volo_str s, volo__py_decode_fn decode);

/* ---- Refusals (invalid.c) ------------------------------------------------ */

/* volo__py_refuse(status, field, where, reason): the same for one. */
void volo__py_refuse(int status, const char *field, const char *where,
                     const char *reason);

/* volo__py_problem(accept, status, detail, errors): a Response with what is
 * wrong, as JSON if ${accept} names that.  ${detail} a str, ${errors} a list of
 * (field, where, reason); both may be NULL. */
PyObject *volo__py_problem(volo_str accept, int status, PyObject *detail,
                           PyObject *errors);

/* volo__py_reject(status, errors): raise what refusals are raised as. */
void volo__py_reject(int status, PyObject *errors);

/* volo__py_accept(job): its Accept field. */
volo_str volo__py_accept(const volo_job *job);

int volo__py_invalid_init(PyObject *module);

/* ---- One exchange -------------------------------------------------------- */

/*
 * On its way through the call path.  A request object is made of it only when
 * somebody wants one, and then owns the job's reference.
 */
struct volo__py_call {
    const volo_job *job;
    struct volo__py_handler *handler; /* borrowed */
    PyObject *request;                /* or NULL */
    PyObject *error;                  /* what the handler has raised, or NULL */
    PyObject *extra;                  /* Headers of a tuple, or NULL */
    int status;                       /* of a tuple, or 0 */
    int bound;                        /* the reference is somebody else's */
    int waits;                        /* hooks may give what is awaited */
    int lost;                         /* the reference has gone */
};

/* The request, borrowed; made if there is none. */
PyObject *volo__py_call_request(struct volo__py_call *call);

/* Whether it has been answered by way of the request. */
int volo__py_call_answered(const struct volo__py_call *call);

/* The cx with the reference, for an answer; NULL if it has gone. */
volo_cx *volo__py_call_release(struct volo__py_call *call);

/* Give back what is left of it: also a cx that nobody has answered. */
void volo__py_call_clear(struct volo__py_call *call);

/* ---- Answers (reply.c, respond.c) ---------------------------------------- */

/*
 * volo__py_reply(call, out, value, pending):
 * Put ${value} into the cx: str, bytes, None, dict, list, int (a status),
 * (status, value), (status, headers, value), Response; all else goes through
 * hooks.respond.  Returns 1 and fills ${out}, with the reference of the call,
 * if that is to be sent with volo_queue_answer(); 0 if it has been seen to
 * elsewhere (a stream); -1 with an exception; 2 if ${pending} is set to a
 * coroutine that is to be awaited for another value.
 */
int volo__py_reply(struct volo__py_call *call, volo_answer *out,
                   PyObject *value, PyObject **pending);

/* volo__py_reply_error(call, out, pending): the same for the exception that is
 * set, which it takes; never -1: at the worst a plain 500. */
int volo__py_reply_error(struct volo__py_call *call, volo_answer *out,
                         PyObject **pending);

/* volo__py_reply_plain(call, out, status): without asking anybody; 1 or 0. */
int volo__py_reply_plain(struct volo__py_call *call, volo_answer *out,
                         int status);

/* volo__py_encode(call, out, response): a Response whose body is bytes, str or
 * None: 1, or -1 with an exception; 0 for other bodies. */
int volo__py_encode(struct volo__py_call *call, volo_answer *out,
                    PyObject *response);

/* volo__py_encode_plain(call, out, value): str, bytes, None, dict, list, with
 * no Response made of it: as that; 0 for other values. */
int volo__py_encode_plain(struct volo__py_call *call, volo_answer *out,
                          PyObject *value);

/* Whether what is answered is a response that leaves a layer. */
int volo__py_call_leaves(const struct volo__py_call *call);

/* Whether it is str, bytes, None, or NULL for none. */
int volo__py_is_plain(PyObject *body);

/* Whether that is JSON which needs nobody to be asked. */
int volo__py_is_json(PyObject *value);

/* ${value} by the route's encoder: bytes or str. */
PyObject *volo__py_as_json(struct volo__py_call *call, PyObject *value);

/*
 * volo__py_to_response(call, value, pending):
 * ${value} as a Response, a new reference.  NULL with an exception, or
 * without and with ${pending} set: as volo__py_reply().
 */
PyObject *volo__py_to_response(struct volo__py_call *call, PyObject *value,
                               PyObject **pending);

/* volo__py_log(words, exception): to logging.getLogger("volo"). */
void volo__py_log(const char *words, PyObject *exception);

/* volo__py_fetch(): the exception that is set, as an object with its
 * traceback; it is set no more. */
PyObject *volo__py_fetch(void);

/* ---- Plans and calls (plan.c, plan_convert.c, handler.c, coro.c) --------- */

int volo__py_plan_read(struct volo__py_handler *handler, PyObject *plan);
void volo__py_plan_free(struct volo__py_handler *handler);
int volo__py_plan_visit(struct volo__py_handler *handler, visitproc visit,
                        void *arg);

/* volo__py_plan_bind(call, room): the arguments behind ${room} free places of
 * a new tuple. */
PyObject *volo__py_plan_bind(struct volo__py_call *call, int room);

/* volo__py_call_fn(call, context): bind and call: what the function returns. */
PyObject *volo__py_call_fn(struct volo__py_call *call, int context);

/* volo__py_context_of(call): a new context to call the function in. */
PyObject *volo__py_context_of(const struct volo__py_call *call);

/* volo__py_next_cleanup(call): a new reference; NULL if there is none left. */
PyObject *volo__py_next_cleanup(struct volo__py_call *call);

/* What it returns; NULL if it failed, which has been logged. */
PyObject *volo__py_run_cleanup(struct volo__py_call *call, PyObject *cleanup);
void volo__py_cleanup_failed(void);

/* The exception that is set as a Response if it is Invalid; else it stays set,
 * and NULL. */
PyObject *volo__py_invalid_response(struct volo__py_call *call);

int volo__py_handler_init(PyObject *module);
int volo__py_bound_init(void);

/* volo__py_coro_bound(call, value): for Bound: a coroutine that gives the
 * Response that ${value}, which may be an awaitable, comes to. */
PyObject *volo__py_coro_bound(struct volo__py_call *call, PyObject *value);

/* Whether it is to be awaited. */
int volo__py_is_coroutine(PyObject *value);

int volo__py_coro_init(PyObject *module);

#endif
