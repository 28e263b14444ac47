/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-memory client: a codec without octets.  It gives a request's parts
 * to an exchange as HTTP/1.1 would, lets the loop run, and keeps what comes
 * back.
 */
#include <volo/test.h>

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "http/codec.h"
#include "http/uri.h"
#include "net/loop.h"
#include "server/test_message.h"
#include "service/service.h"

enum { WAIT_MS = 10000 };

/* One request on its way. */
struct trip {
    volo_test_request *request;
    volo_test_response *response;
    volo_cx *cx;
    size_t given; /* octets of the body */
    int giving;
    int head_only;
    int done;
    int err;
    struct volo__alarm leave;
    struct volo__alarm limit;
};

/* ---- The client ---------------------------------------------------------- */

static void
let_go(void *service)
{
    volo_service_unref(service);
}

int
volo_test_new(volo_test **out, volo_service *service)
{
    volo_test *test;
    int err;

    if (!service)
        return VOLO_EINVAL;
    err = volo_service_freeze(service);
    if (err)
        return err;
    test = volo__calloc(sizeof *test);
    if (!test)
        return VOLO_ENOMEM;
    err = volo__loop_new(&test->loop, NULL);
    if (err) {
        volo__free(test);
        return err;
    }
    test->service = service;
    volo__home_keep(&test->loop->home, volo_service_ref(service), let_go);
    *out = test;
    return 0;
}

void
volo_test_free(volo_test *test)
{
    if (!test)
        return;
    while (test->requests)
        volo__test_request_free(test->requests);
    while (test->responses)
        volo_test_response_free(test->responses);
    volo__loop_close(test->loop);
    volo__free(test);
}

volo_loop *
volo_test_loop(volo_test *test)
{
    return test->loop;
}

static void
set_true(struct volo__alarm *alarm)
{
    (void)alarm;
}

void
volo_test_run(volo_test *test, uint64_t ms)
{
    struct volo__home *home = &test->loop->home;
    struct volo__alarm end = {.fire = set_true};

    volo__loop_step(test->loop, 0);
    volo__loop_enter(test->loop);
    volo__wheel_set(&home->wheel, &end, home->now_ms + ms);
    volo__loop_leave();
    while (end.next)
        volo__loop_step(test->loop, -1);
}

/* ---- The codec ----------------------------------------------------------- */

static void
trip_end(struct trip *trip, int err)
{
    volo_cx *cx = trip->cx;

    trip->done = 1;
    trip->err = err;
    trip->cx = NULL;
    if (cx)
        volo__cx_detach(cx);
}

static int
take_chunks(struct trip *trip, volo_writer *w)
{
    struct volo__chunk *chunk;
    int err = 0;

    while (volo__writer_front(w)) {
        chunk = volo__writer_pop(w);
        if (!err && !trip->head_only)
            err =
                volo__test_body_append(trip->response, chunk->ptr, chunk->len);
        volo__chunk_done(chunk);
    }
    return err;
}

static void
on_stream(volo_cx *cx)
{
    struct trip *trip = cx->conn;
    volo_writer *w = cx->res.writer;
    int err = take_chunks(trip, w), status = volo__writer_status(w);

    if (status == VOLO__WRITER_ENDED && !err)
        err = volo__lines_copy(&trip->response->trailers,
                               volo__writer_trailers(w));
    else if (status == VOLO__WRITER_OPEN && !err)
        return;
    else if (!err)
        err = VOLO_EPROTO;
    trip_end(trip, err);
}

/* As the h1 codec would frame it. */
static int
add_length(volo_test_response *r, const volo_cx *cx)
{
    char digits[24];
    int64_t length =
        cx->res.streamed ? cx->res.length : (int64_t)cx->res.body.len;

    if (length < 0 || r->status == 204 || r->status == 304)
        return 0;
    return volo__lines_add(
        &r->headers, VOLO_STR("content-length"),
        volo_str_make(digits, volo__u64_format(digits, (uint64_t)length)));
}

static void
on_respond(volo_cx *cx)
{
    struct trip *trip = cx->conn;
    volo_test_response *r = trip->response;
    int err;

    r->status = cx->res.status;
    trip->head_only |= r->status == 204 || r->status == 304;
    err = volo__lines_copy(&r->headers, &cx->res.headers);
    if (!err)
        err = add_length(r, cx);
    if (!err)
        err = volo__test_body_append(r, "", 0);
    if (!err && cx->res.streamed && !trip->head_only) {
        on_stream(cx);
        return;
    }
    if (!err && !trip->head_only && !cx->res.streamed) {
        err = volo__test_body_append(r, cx->res.body.ptr, cx->res.body.len);
        cx->sent = cx->res.body.len;
    }
    trip_end(trip, err);
}

static void
on_want_body(volo_cx *cx)
{
    struct trip *trip = cx->conn;
    volo_test_request *r = trip->request;
    size_t n;

    if (trip->giving || cx->body.complete)
        return;
    trip->giving = 1;
    volo_cx_ref(cx);
    while (trip->given < r->body_len && volo__body_wanted(cx)) {
        n = r->body_len - trip->given;
        if (r->chunk && n > r->chunk)
            n = r->chunk;
        trip->given += n;
        if (volo__body_give(cx, volo_str_make(r->body + trip->given - n, n),
                            NULL) < 0)
            break;
    }
    trip->giving = 0;
    if (trip->given == r->body_len && volo__body_wanted(cx) &&
        !cx->body.complete)
        volo__body_end(cx);
    volo_cx_unref(cx);
}

static void
on_replace(volo_cx *cx, volo_cx *heir)
{
    struct trip *trip = cx->conn;

    trip->cx = heir;
    heir->codec = cx->codec;
    heir->conn = cx->conn;
}

static int
on_inform(volo_cx *cx, int status, const struct volo__fields *fields)
{
    struct trip *trip = cx->conn;

    (void)status;
    return fields ? volo__lines_copy(&trip->response->hints, fields) : 0;
}

static const struct volo__codec codec = {
    .respond = on_respond,
    .stream = on_stream,
    .want_body = on_want_body,
    .replace = on_replace,
    .inform = on_inform,
};

/* ---- Sending ------------------------------------------------------------- */

static int
fill_headers(volo_cx *cx, const volo_test_request *r)
{
    char digits[24];
    volo_str name, value;
    char *own;
    size_t i;
    int err = 0;

    if (!volo__lines_find(&r->headers, VOLO_STR("host")).ptr)
        err = volo__fields_add(&cx->req.headers, &cx->arena, VOLO_FIELD_HOST,
                               VOLO_STR("host"), VOLO_STR("test"));
    for (i = 0; i < r->headers.count && !err; i++) {
        name = r->headers.v[i].name;
        own = volo__arena_bytes(&cx->arena, name.len);
        value = volo__arena_dup(&cx->arena, r->headers.v[i].value);
        if (!own || !value.ptr)
            return VOLO_ENOMEM;
        volo__str_lower(own, name);
        err = volo__fields_add(&cx->req.headers, &cx->arena,
                               volo__field_lookup(own, name.len),
                               volo_str_make(own, name.len), value);
    }
    if (!err && r->body && !r->chunk) {
        value = volo__arena_dup(
            &cx->arena,
            volo_str_make(digits, volo__u64_format(digits, r->body_len)));
        if (!value.ptr)
            return VOLO_ENOMEM;
        err = volo__fields_add(&cx->req.headers, &cx->arena,
                               VOLO_FIELD_CONTENT_LENGTH,
                               VOLO_STR("content-length"), value);
    }
    return err;
}

static int
fill_target(volo_cx *cx, const volo_test_request *r)
{
    struct volo__target target;
    int err;

    cx->req.method_name = volo__arena_dup(&cx->arena, volo_str_of(r->method));
    cx->req.target = volo__arena_dup(&cx->arena, volo_str_of(r->target));
    if (!cx->req.method_name.ptr || !cx->req.target.ptr)
        return VOLO_ENOMEM;
    cx->req.method = (uint8_t)volo_method_of(cx->req.method_name.ptr,
                                             cx->req.method_name.len);
    cx->req.version = 11;
    err = volo__target_parse(&target, cx->req.method, cx->req.target);
    if (err)
        return err;
    cx->req.path = cx->req.original_path = target.path;
    cx->req.query = target.query;
    cx->req.authority = target.authority;
    if (!cx->req.authority.ptr)
        cx->req.authority = volo_cx_field(cx, VOLO_FIELD_HOST);
    return 0;
}

static int
fill_body(volo_cx *cx, const volo_test_request *r)
{
    if (r->chunk && r->body) {
        cx->body.length = -1;
        return 0;
    }
    cx->body.length = (int64_t)r->body_len;
    return volo__body_preload(
        cx, volo_str_make(r->body ? r->body : "", r->body_len), NULL);
}

static void
on_leave(struct volo__alarm *alarm)
{
    struct trip *trip =
        (struct trip *)(void *)((char *)alarm - offsetof(struct trip, leave));
    volo_cx *cx = trip->cx;

    if (trip->done)
        return; /* the answer came in the same turn of the loop */
    trip->cx = NULL;
    trip->done = 1;
    trip->err = VOLO_ECANCELED;
    volo__cx_cancel(cx, VOLO_ECANCELED);
}

static void
on_limit(struct volo__alarm *alarm)
{
    struct trip *trip =
        (struct trip *)(void *)((char *)alarm - offsetof(struct trip, limit));

    if (trip->done)
        return;
    on_leave(&trip->leave);
    trip->err = VOLO_ETIMEDOUT;
}

static int
trip_start(struct trip *trip)
{
    volo_test_request *r = trip->request;
    struct volo__home *home = &r->test->loop->home;
    volo_cx *cx = volo__cx_new(home);
    int err = cx ? 0 : VOLO_ENOMEM;

    if (!err)
        err = fill_headers(cx, r);
    if (!err)
        err = fill_target(cx, r);
    if (!err)
        err = fill_body(cx, r);
    if (err) {
        if (cx)
            volo__cx_discard(cx);
        return err;
    }
    trip->cx = cx;
    trip->head_only = cx->req.method == VOLO_HEAD;
    cx->codec = &codec;
    cx->conn = trip;
    cx->peer = &r->peer;
    trip->limit.fire = on_limit;
    trip->leave.fire = on_leave;
    volo__wheel_set(&home->wheel, &trip->limit, home->now_ms + WAIT_MS);
    if (r->leaves)
        volo__wheel_set(&home->wheel, &trip->leave, home->now_ms + r->leave_ms);
    volo__cx_serve(cx, r->test->service);
    return 0;
}

static int
trip_run(struct trip *trip)
{
    volo_loop *loop = trip->request->test->loop;
    int err;

    volo__loop_step(loop, 0); /* what is left over, and the time */
    volo__loop_enter(loop);
    err = trip_start(trip);
    volo__home_run_deferred(&loop->home);
    volo__loop_leave();
    while (!err && !trip->done)
        volo__loop_step(loop, -1);
    volo__loop_enter(loop);
    volo__wheel_clear(&loop->home.wheel, &trip->limit);
    volo__wheel_clear(&loop->home.wheel, &trip->leave);
    volo__loop_leave();
    volo__loop_step(loop, 0);
    return err ? err : trip->err;
}

int
volo_test_send(volo_test_response **out, volo_test *test,
               volo_test_request *request)
{
    volo_test_response *response = volo__calloc(sizeof *response);
    struct trip trip = {.request = request, .response = response};
    int err = VOLO_ENOMEM;

    if (response) {
        response->test = test;
        response->next = test->responses;
        test->responses = response;
        err = trip_run(&trip);
    }
    volo__test_request_free(request);
    if (err && response)
        volo_test_response_free(response);
    if (!err)
        *out = response;
    return err;
}

int
volo_test_get(volo_test_response **out, volo_test *test, const char *target)
{
    volo_test_request *request;
    int err = volo_test_request_new(&request, test, "GET", target);

    return err ? err : volo_test_send(out, test, request);
}
