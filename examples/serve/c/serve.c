/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The behaviour server: the routes that end-to-end tests, benchmarks and
 * outside conformance suites drive, the same in every language.  It knows
 * <volo.h> alone; configure.c says what configures it.
 */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SHARED_SIZE = 64 * 1024 * 1024, /* the most that /bytes and /stream give */
    SLICE_SIZE = 64 * 1024,         /* of it in one write of /stream */
    SLOW_MAX_MS = 60 * 1000
};

/* One buffer for all answers: they refer to it and copy nothing.  It is never
 * written to, so its zeros take no memory. */
static char *shared;

/* ---- Short answers ------------------------------------------------------- */

static void
root(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_static(cx, "text/plain", VOLO_STR("ok\n"));
}

static void
plaintext(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_static(cx, "text/plain", VOLO_STR("Hello, World!"));
}

static void
json(volo_cx *cx, void *user)
{
    volo_json *doc;
    int err;

    (void)user;
    err = volo_json_object(&doc, cx);
    if (!err)
        err = volo_json_set_str(doc, "message", VOLO_STR("Hello, World!"));
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_json(cx, doc);
}

static void
post(volo_cx *cx, void *user)
{
    volo_str id = volo_cx_param(cx, "id");
    volo_str number = volo_cx_param(cx, "post");
    size_t len = id.len + 1 + number.len;
    char *text = volo_cx_alloc(cx, len);

    (void)user;
    if (!text) {
        volo_reply_error(cx, VOLO_ENOMEM);
        return;
    }
    memcpy(text, id.ptr, id.len);
    text[id.len] = ' ';
    memcpy(text + id.len + 1, number.ptr, number.len);
    volo_reply_static(cx, "text/plain", volo_str_make(text, len));
}

VOLO_HANDLER(query, (i64, a, QUERY("a")), (i64, b, QUERY("b")))
{
    char *text = volo_cx_alloc(cx, 24);
    int64_t sum;

    if (!text)
        return VOLO_ENOMEM;
    if (__builtin_add_overflow(a, b, &sum))
        return volo_reply_invalid(cx, 422, "b", "query", "the sum overflows");
    snprintf(text, 24, "%lld", (long long)sum);
    return volo_reply_static(cx, "text/plain", volo_str_of(text));
}

VOLO_HANDLER(status, (u64, code, PATH("code")))
{
    if (code < 200 || code > 999)
        return volo_reply_invalid(cx, 422, "code", "path",
                                  "must be from 200 to 999");
    return volo_reply_status(cx, (int)code);
}

/* Lets go of the exchange without an answer, which makes it 500. */
static void
let_go(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
}

/* ---- The request's fields as JSON ---------------------------------------- */

/* A field value may hold any octet from 0x80; as text it is ISO-8859-1. */
static int
latin1(volo_str *out, volo_cx *cx, volo_str s)
{
    char *p = volo_cx_alloc(cx, 2 * s.len + 1);
    size_t i, n = 0;

    if (!p)
        return VOLO_ENOMEM;
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c >= 0x80) {
            p[n++] = (char)(0xc0 | (c >> 6));
            c = (unsigned char)(0x80 | (c & 0x3f));
        }
        p[n++] = (char)c;
    }
    *out = volo_str_make(p, n);
    return 0;
}

static int
add_field(volo_json *list, volo_cx *cx, size_t i)
{
    volo_str name, value;
    volo_json *pair;
    int err;

    volo_cx_header_at(cx, i, &name, &value);
    err = latin1(&value, cx, value);
    if (!err)
        err = volo_json_set_array(&pair, list, NULL);
    if (!err)
        err = volo_json_set_str(pair, NULL, name);
    if (!err)
        err = volo_json_set_str(pair, NULL, value);
    return err;
}

/* An array of [name, value], because an object has neither order nor
 * repeated names. */
static void
headers(volo_cx *cx, void *user)
{
    size_t i, count = volo_cx_header_count(cx);
    volo_json *list;
    int err = volo_json_array(&list, cx);

    (void)user;
    for (i = 0; !err && i < count; i++)
        err = add_field(list, cx, i);
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_json(cx, list);
}

/* ---- Large answers ------------------------------------------------------- */

static int
too_long(volo_cx *cx)
{
    return volo_reply_invalid(cx, 422, "n", "path", "must be at most 67108864");
}

VOLO_HANDLER(bytes, (u64, n, PATH("n")))
{
    if (n > SHARED_SIZE)
        return too_long(cx);
    return volo_reply_static(cx, "application/octet-stream",
                             volo_str_make(shared, (size_t)n));
}

struct stream {
    size_t at;
    size_t end;
};

static int
stream_some(volo_writer *w, void *user)
{
    struct stream *s = user;
    size_t n = s->end - s->at;
    int err;

    if (n > SLICE_SIZE)
        n = SLICE_SIZE;
    err =
        volo_writer_write_ref(w, volo_str_make(shared + s->at, n), NULL, NULL);
    if (err)
        return err == VOLO_EAGAIN ? 1 : err;
    s->at += n;
    return s->at < s->end;
}

VOLO_HANDLER(stream, (u64, n, PATH("n")))
{
    struct stream *s;

    if (n > SHARED_SIZE)
        return too_long(cx);
    s = volo_cx_alloc(cx, sizeof *s);
    if (!s)
        return VOLO_ENOMEM;
    s->at = 0;
    s->end = (size_t)n;
    volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE,
                      VOLO_STR("application/octet-stream"));
    return volo_cx_answer_source(cx, -1, stream_some, s, NULL);
}

/* ---- Echo: the body back while it comes ---------------------------------- */

struct echo {
    volo_writer *writer; /* NULL before the first piece and after an error */
    int started;
};

/* There is room in the answer again, so more of the request may come. */
static void
echo_drained(volo_writer *w, int err, void *user)
{
    (void)w;
    if (!err)
        volo_cx_resume_body(user);
}

static void
echo_start(volo_cx *cx, struct echo *echo)
{
    volo_str type = volo_cx_field(cx, VOLO_FIELD_CONTENT_TYPE);

    if (!type.ptr)
        type = VOLO_STR("application/octet-stream");
    volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE, type);
    echo->started = 1;
    if (volo_cx_answer_stream(&echo->writer, cx, volo_cx_content_length(cx)))
        return;
    volo_writer_on_drain(echo->writer, echo_drained, cx, NULL);
}

static void
echo_stop(struct echo *echo)
{
    volo_writer_free(echo->writer);
    echo->writer = NULL;
}

/* The last call: the answer ends, is cut off, or was never begun, so that an
 * error can still be answered as one. */
static void
echo_finish(volo_cx *cx, int err, struct echo *echo)
{
    if (!echo->started && err) {
        volo_reply_error(cx, err);
        return;
    }
    if (!echo->started)
        echo_start(cx, echo);
    if (!err && echo->writer)
        volo_writer_end(echo->writer);
    echo_stop(echo);
}

static int
echo_piece(volo_cx *cx, int err, volo_str piece, void *user)
{
    struct echo *echo = user;

    if (!piece.ptr) {
        echo_finish(cx, err, echo);
        return VOLO_FLOW_MORE;
    }
    if (!echo->started)
        echo_start(cx, echo);
    if (!echo->writer)
        return VOLO_FLOW_MORE;
    err = volo_writer_write(echo->writer, piece);

    /* An empty write says whether there is room for the next piece; if not,
     * echo_drained() will be told when there is. */
    if (!err)
        err = volo_writer_write(echo->writer, volo_str_make("", 0));
    if (err == VOLO_EAGAIN)
        return VOLO_FLOW_PAUSE;
    if (err)
        echo_stop(echo);
    return VOLO_FLOW_MORE;
}

static void
echo_service(volo_cx *cx, void *user)
{
    struct echo *echo = volo_cx_alloc(cx, sizeof *echo);
    int err = VOLO_ENOMEM;

    (void)user;
    if (echo) {
        memset(echo, 0, sizeof *echo);
        err = volo_cx_read_stream(cx, echo_piece, echo);
    }
    if (err)
        volo_reply_error(cx, err);
}

/* ---- Slow: an answer from a timer ---------------------------------------- */

struct slow {
    volo_cx *cx;
    volo_timer *timer;
};

static void
slow_over(void *user)
{
    struct slow *slow = user;

    volo_reply_static(slow->cx, "text/plain", VOLO_STR("ok\n"));
}

/* Called once, whether the timer has fired or was stopped. */
static void
slow_free(void *user)
{
    struct slow *slow = user;

    volo_cx_unref(slow->cx);
}

/* The client has left: nobody waits for the timer. */
static void
slow_canceled(volo_cx *cx, void *user)
{
    struct slow *slow = user;

    (void)cx;
    volo_timer_stop(slow->timer);
}

VOLO_HANDLER(slow, (u64, ms, QUERY("ms", "100")))
{
    struct slow *slow;
    int err;

    if (ms > SLOW_MAX_MS)
        return volo_reply_invalid(cx, 422, "ms", "query",
                                  "must be at most 60000");
    slow = volo_cx_alloc(cx, sizeof *slow);
    if (!slow)
        return VOLO_ENOMEM;
    slow->cx = volo_cx_ref(cx);
    err = volo_timer_start(&slow->timer, volo_cx_loop(cx), ms, slow_over, slow,
                           slow_free);
    if (!err)
        err = volo_cx_on_cancel(cx, slow_canceled, slow, NULL);
    return err;
}

/* ---- Putting it together ------------------------------------------------- */

static void
no_op_left(volo_cx *cx, void *frame)
{
    (void)cx;
    (void)frame;
}

static void
no_op(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, no_op_left, user);
}

static int
add_layered(volo_router *router)
{
    volo_router *group;
    int i, err;

    err = volo_router_group(&group, router, "/layers");
    for (i = 0; !err && i < 5; i++)
        err = volo_router_layer(group, no_op, NULL, NULL);
    if (!err)
        err = volo_router_get(group, "/", plaintext, NULL);
    return err;
}

static const struct {
    int method;
    const char *pattern;
    volo_service_fn fn;
} routes[] = {
    {VOLO_GET, "/", root},
    {VOLO_GET, "/plaintext", plaintext},
    {VOLO_GET, "/json", json},
    {VOLO_GET, "/users/{id}/posts/{post}", post},
    {VOLO_GET, "/query", query},
    {VOLO_ANY, "/echo", echo_service},
    {VOLO_GET, "/bytes/{n}", bytes},
    {VOLO_GET, "/stream/{n}", stream},
    {VOLO_GET, "/headers", headers},
    {VOLO_GET, "/status/{code}", status},
    {VOLO_GET, "/slow", slow},
    {VOLO_GET, "/drop", let_go},
    {VOLO_GET, "/connection", serve_connection},
    {VOLO_GET, "/hints", serve_hints},
    {VOLO_ANY, "/trailers", serve_trailers},
};

static int
add_routes(volo_router *router)
{
    size_t i;
    int err = add_layered(router);

    for (i = 0; !err && i < sizeof routes / sizeof *routes; i++)
        err = volo_router_handle(router, routes[i].method, routes[i].pattern,
                                 routes[i].fn, NULL, NULL);
    if (err)
        fprintf(stderr, "volo-serve: %s\n", volo_router_error(router));
    return err;
}

static int
serve(volo_router *router)
{
    volo_server *server;
    int err = volo_server_new(&server, volo_router_service(router));

    if (err)
        return err;
    err = serve_configure(server);
    if (!err)
        err = volo_server_run(server);
    if (err)
        fprintf(stderr, "volo-serve: %s\n", volo_server_error(server));
    volo_server_free(server);
    return err;
}

int
main(void)
{
    volo_router *router = NULL;
    int err = VOLO_ENOMEM;

    shared = calloc(1, SHARED_SIZE);
    if (shared)
        err = volo_router_new(&router);
    if (!err)
        err = add_routes(router);
    if (!err)
        err = serve(router);
    if (err)
        fprintf(stderr, "volo-serve: %s\n", volo_strerror(err));
    volo_router_unref(router);
    free(shared);
    return err ? 1 : 0;
}
