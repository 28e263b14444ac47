/* SPDX-License-Identifier: Apache-2.0 */
/* All layers at once, with each allocation failing in turn: nothing is lost,
 * nothing hangs, and no content leaves without its protection. */
#include "layers_support.h"

#include <stdlib.h>

/* ---- An allocator that fails once ---------------------------------------- */

static long countdown; /* the allocation that fails; below 0: none */
static int failed;
static long live;

static void *
flaky(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        live -= ptr ? 1 : 0;
        free(ptr);
        return NULL;
    }
    if (countdown-- == 0) {
        failed = 1;
        return NULL;
    }
    live += ptr ? 0 : 1;
    return realloc(ptr, size);
}

/* ---- Scenes -------------------------------------------------------------- */

static int
yes(volo_cx *cx, void *user)
{
    (void)cx;
    (void)user;
    return 1;
}

static void
drop_line(volo_str line, void *user)
{
    (void)line;
    (void)user;
}

static int
make_cors(volo_layer **out)
{
    volo_cors *cors;
    int err = volo_cors_new(&cors);

    if (err)
        return err;
    err = volo_cors_origin(cors, "https://a.example");
    if (!err)
        err = volo_cors_origin(cors, "https://*.b.example");
    if (!err)
        err = volo_cors_methods(cors, "GET");
    if (!err)
        err = volo_cors_headers(cors, "*");
    if (!err)
        err = volo_cors_expose(cors, "X-A");
    if (!err)
        err = volo_layer_cors(out, cors);
    volo_cors_free(cors);
    return err;
}

enum { LAYERS = 12 };

static int
make_layer(volo_layer **out, int which)
{
    switch (which) {
    case 0:
        return volo_layer_access_log(out, VOLO_LOG_JSON, drop_line, NULL, NULL);
    case 1:
        return volo_layer_secure_headers(out, 1, "default-src 'self'");
    case 2:
        return volo_layer_request_id(out, NULL, 0);
    case 3:
        return make_cors(out);
    case 4:
        return volo_layer_client_ip(out, "10.0.0.0/8", NULL);
    case 5:
        return volo_layer_timeout(out, 5000, 0);
    case 6:
        return volo_layer_concurrency(out, 1, 1);
    case 7:
        return volo_layer_body_limit(out, 10);
    case 8:
        return volo_layer_filter(out, yes, NULL, NULL, 0);
    case 9:
        return volo_layer_hsts(out, 1, 0);
    case 10:
        return volo_layer_https_redirect(out, 0, "/hold, /");
    default:
        return volo_layer_etag(out, 0);
    }
}

static int
add_layers(volo_service *service)
{
    volo_layer *layer;
    int i, err = 0;

    for (i = 0; i < LAYERS && !err; i++) {
        err = make_layer(&layer, i);
        if (err)
            return err;
        err = volo_service_add_layer(service, layer);
        volo_layer_unref(layer);
    }
    return err;
}

static int
ask(volo_test *client, const char *target, int leave)
{
    static char agent[3000];
    volo_test_request *request;
    volo_test_response *r;
    int err = volo_test_request_new(&request, client, "GET", target);

    if (err)
        return err;
    memset(agent, '"', sizeof agent - 1);
    if (volo_test_request_header(request, "user-agent", agent) ||
        volo_test_request_header(request, "origin", "https://a.example") ||
        volo_test_request_header(request, "x-forwarded-for", "1.2.3.4") ||
        volo_test_request_header(request, "if-none-match", "\"a\", \"b\"") ||
        volo_test_request_peer(request, "10.0.0.1"))
        leave = 1; /* all the same */
    if (leave)
        volo_test_request_leave(request, 1);
    err = volo_test_send(&r, client, request);
    if (err)
        return err;
    if (volo_test_status(r) == 200) {
        assert_str(volo_test_header(r, "x-frame-options"), "DENY");
        assert_str(volo_test_header(r, "x-content-type-options"), "nosniff");
    } else {
        assert_true(volo_test_status(r) == 500 || volo_test_status(r) == 503);
    }
    volo_test_response_free(r);
    return 0;
}

static volo_cx *held;

static void
let_go(void *user)
{
    (void)user;
    volo_cx_unref(held);
    held = NULL;
}

/* "/hold" is kept, and let go a little after the next one has come. */
static void
serve(volo_cx *cx, void *user)
{
    (void)user;
    if (!held && volo_str_eq(volo_cx_path(cx), VOLO_STR("/hold")))
        held = volo_cx_ref(cx);
    else
        volo_reply_text(cx, "hello");
}

static void
schedule(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    if (held && volo_timer_start(NULL, volo_cx_loop(cx), 2, let_go, NULL, NULL))
        let_go(NULL);
    volo_next_run(next, cx, NULL, NULL);
}

static void
play(void)
{
    volo_service *service;
    volo_test *client;

    if (volo_service_new(&service, serve, NULL, NULL))
        return;
    if (!volo_service_layer(service, schedule, NULL, NULL) &&
        !add_layers(service) && !volo_test_new(&client, service)) {
        ask(client, "/", 0);
        ask(client, "/hold", 1);
        ask(client, "/", 0);
        volo_test_run(client, 3);
        if (held)
            let_go(NULL);
        volo_test_run(client, 0);
        volo_test_free(client);
    }
    volo_service_unref(service);
}

static void
test_each_allocation_may_fail(void **state)
{
    long n;

    (void)state;
    volo_set_allocator(flaky, NULL);
    for (n = 0, failed = 1; failed; n++) {
        failed = 0;
        countdown = n;
        play();
        assert_int_equal(live, 0);
        assert_null(held);
    }
    volo_set_allocator(NULL, NULL);
    assert_true(n > 2 * LAYERS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
