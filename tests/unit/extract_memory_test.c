/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation failing in turn, and all after it: a request is answered
 * right or with 503, and nothing is lost. */
#include "extract_support.h"

#include <stdlib.h>

static long countdown; /* the allocation that fails; below 0: none */
static int for_good;   /* so do all that follow */
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
    if (countdown-- == 0 || (for_good && failed)) {
        failed = 1;
        return NULL;
    }
    live += ptr ? 0 : 1;
    return realloc(ptr, size);
}

/* ---- Handlers that need more than an exchange has at first ----------------
 */

static char large[20000];

VOLO_HANDLER(of_json, (json, all, JSON()), (cstr, a, JSON("a")),
             (list, b, JSON("b")), (json, c, JSON("c", "[1,2,3]")),
             (f64, d, QUERY("d")), (cstr, e, HEADER("e")))
{
    volo_json *doc;

    assert_non_null(all);
    assert_non_null(b);
    assert_non_null(c);
    assert_string_equal(a, "text");
    assert_string_equal(e, "e");
    assert_true(d > 1.4 && d < 1.6);
    if (volo_json_object(&doc, cx) ||
        volo_json_set_str(doc, "large", volo_str_make(large, sizeof large)))
        return VOLO_ENOMEM;
    return volo_reply_json(cx, doc);
}

VOLO_HANDLER(of_form, (form, all, FORM()), (list, a, FORM("a")),
             (list, q, QUERY("q")), (cstr, b, FORM("b")))
{
    assert_int_equal(volo_form_len(all), 3);
    assert_int_equal(volo_list_len(a), 2);
    assert_int_equal(volo_list_len(q), 1);
    assert_string_equal(b, "x y");
    return volo_reply_bytes(cx, "text/x", volo_str_make(large, sizeof large));
}

VOLO_HANDLER(refused, (u64, a, QUERY("a")), (u64, b, QUERY("b")),
             (u64, c, QUERY("c")), (u64, d, QUERY("d")), (u64, e, QUERY("e")),
             (json, j, JSON()))
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)j;
    fail();
    return volo_reply_empty(cx);
}

static void
serve(volo_cx *cx, void *user)
{
    volo_str path = volo_cx_path(cx);

    (void)user;
    volo_cx_alloc(cx, 8000); /* the rest needs the allocator */
    if (volo_str_eq(path, VOLO_STR("/json")))
        of_json(cx, NULL);
    else if (volo_str_eq(path, VOLO_STR("/form")))
        of_form(cx, NULL);
    else
        refused(cx, NULL);
}

/* ---- One request -----------------------------------------------------------
 */

static int
ask(volo_test *client, const char *target, const char *type, volo_str body,
    int want)
{
    volo_test_request *request;
    volo_test_response *r;
    int err = volo_test_request_new(&request, client, "POST", target), status;

    if (err)
        return err;
    if (volo_test_request_header(request, "content-type", type) ||
        volo_test_request_header(request, "e", "e") ||
        volo_test_request_body(request, body))
        want = 0; /* the client itself has failed */
    volo_test_request_chunk(request, 4999);
    err = volo_test_send(&r, client, request);
    if (err) {
        assert_int_not_equal(err, VOLO_ETIMEDOUT);
        return err;
    }
    status = volo_test_status(r);
    if (want && status != want) {
        assert_true(failed);
        assert_true(status == 503 || status == 500);
    }
    volo_test_response_free(r);
    return 0;
}

static void
play(const char *target, const char *type, volo_str body, int want)
{
    volo_service *service = NULL;
    volo_test *client = NULL;
    int err = volo_service_new(&service, serve, NULL, NULL);

    if (!err)
        err = volo_test_new(&client, service);
    if (!err)
        err = ask(client, target, type, body, want);
    if (err)
        assert_true(failed);
    volo_test_free(client);
    volo_service_unref(service);
}

static void
torture(const char *target, const char *type, volo_str body, int want)
{
    long n;

    for (for_good = 0; for_good < 2; for_good++) {
        for (n = 0;; n++) {
            countdown = n;
            failed = 0;
            live = 0;
            volo_set_allocator(flaky, NULL);
            play(target, type, body, want);
            volo_set_allocator(NULL, NULL);
            assert_int_equal(live, 0);
            if (!failed)
                break;
        }
        assert_true(n > 10);
    }
}

static void
test_json_without_memory(void **state)
{
    static char body[12000];
    int n = snprintf(body, sizeof body,
                     "{\"a\":\"text\",\"b\":[\"1\",\"2\"],"
                     "\"pad\":\"%09000d\"}",
                     0);

    (void)state;
    torture("/json?d=1.5", "application/json", volo_str_make(body, (size_t)n),
            200);
}

static void
test_a_form_without_memory(void **state)
{
    static char body[12000];
    int n = snprintf(body, sizeof body, "a=1&a=%09000d&b=x+y", 0);

    (void)state;
    torture("/form?q=%20", "application/x-www-form-urlencoded",
            volo_str_make(body, (size_t)n), 200);
}

static void
test_a_refusal_without_memory(void **state)
{
    (void)state;
    torture("/refused?a=x&b=y&c=%41&d=%42&e=%43", "application/json",
            VOLO_STR("{"), 400);
}

/* ---- Not one octet ---------------------------------------------------------
 */

/* From here on ${cx} has nothing to give. */
static void
exhaust(volo_cx *cx)
{
    countdown = 0;
    for_good = 1;
    failed = 0;
    while (volo_cx_strdup(cx, VOLO_STR("")).ptr)
        continue;
}

static void
read_all(volo_cx *cx, volo_extract *x)
{
    volo_list *list;
    volo_json *json;
    volo_form *form;
    const char *text;
    volo_str str;
    double real;
    int flag;

    assert_int_equal(volo_extract_cstr(x, &text, VOLO_FROM_QUERY, "a", NULL),
                     VOLO_ENOMEM);
    assert_null(text);
    assert_int_equal(volo_extract_f64(x, &real, VOLO_FROM_QUERY, "a", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_str(x, &str, VOLO_FROM_QUERY, "b", NULL),
                     VOLO_ENOMEM);
    assert_absent(str);
    assert_int_equal(volo_extract_has(x, &flag, VOLO_FROM_QUERY, "b", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_list(x, &list, VOLO_FROM_QUERY, "a", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_list(x, &list, VOLO_FROM_HEADER, "a", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_list(x, &list, VOLO_FROM_PATH, "a", NULL),
                     VOLO_ENOMEM);
    assert_null(list);
    assert_int_equal(volo_extract_json(x, &json, VOLO_FROM_JSON, "", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_json(x, &json, VOLO_FROM_JSON, "a", "1"),
                     VOLO_ENOMEM);
    assert_null(json);
    assert_int_equal(volo_extract_form(x, &form, VOLO_FROM_FORM, "", NULL),
                     VOLO_EMEDIA);
    assert_int_equal(volo_form_parse(&form, cx, VOLO_STR("a=1")), VOLO_ENOMEM);
    assert_null(volo_extract_begin(cx));
}

/* What was refused first decides among those that are not the client's. */
static void
extract_nothing(volo_cx *cx, int err, volo_str body, void *user)
{
    volo_extract *x = volo_extract_begin(cx);

    (void)user;
    assert_int_equal(err, 0);
    assert_int_equal(body.len, 7);
    exhaust(cx);
    read_all(cx, x);
    assert_int_equal(volo_extract_end(x, cx), VOLO_ENOMEM);
    assert_int_equal(volo_cx_status(cx), 503);
    assert_int_equal(volo_cx_response_body(cx).len, 0);
}

static void
extracting(volo_cx *cx, void *user)
{
    volo_cx_read_body(cx, extract_nothing, user);
}

static void
replying(volo_cx *cx, void *user)
{
    const int *which = user;
    volo_json *doc;
    int err = 0;

    assert_int_equal(volo_json_object(&doc, cx), 0);
    exhaust(cx);
    switch (*which) {
    case 0:
        err = volo_reply_text(cx, "text");
        break;
    case 1:
        err = volo_reply_bytes(cx, "a/b", VOLO_STR("bytes"));
        break;
    case 2:
        err = volo_reply_json(cx, doc);
        break;
    case 3:
        err = volo_reply_redirect(cx, 302, "/");
        break;
    case 4:
        err = volo_reply_file(cx, "/proc/self/exe", NULL);
        break;
    default:
        assert_int_equal(volo_reply_cookie(cx, "a", VOLO_STR("1"), NULL),
                         VOLO_ENOMEM);
        volo_reply_problem(cx, 503, "without its text");
        err = VOLO_ENOMEM;
    }
    assert_int_equal(err, VOLO_ENOMEM);
    assert_int_equal(volo_cx_is_answered(cx), 1);
    assert_int_equal(volo_cx_status(cx), 503);
    assert_int_equal(volo_cx_response_body(cx).len, 0);
}

/* Without a check of the answer, for which there is no memory either. */
static void
serve_one(volo_service_fn fn, void *user)
{
    volo_test_request *request;
    volo_test_response *r;
    volo_service *service;
    volo_test *client;

    countdown = -1;
    for_good = 0;
    live = 0;
    volo_set_allocator(flaky, NULL);
    assert_int_equal(volo_service_new(&service, fn, user, NULL), 0);
    assert_int_equal(volo_test_new(&client, service), 0);
    volo_test_request_new(&request, client, "POST", "/?a=1&b=%20");
    volo_test_request_header(request, "content-type", "application/json");
    volo_test_request_body(request, VOLO_STR("{\"a\":1}"));
    volo_test_send(&r, client, request);
    assert_true(failed);
    volo_test_free(client);
    volo_service_unref(service);
    volo_set_allocator(NULL, NULL);
    assert_int_equal(live, 0);
}

static void
test_a_request_that_nothing_is_left_for_is_503(void **state)
{
    int which;

    (void)state;
    serve_one(extracting, NULL);
    for (which = 0; which < 6; which++)
        serve_one(replying, &which);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_without_memory),
        cmocka_unit_test(test_a_form_without_memory),
        cmocka_unit_test(test_a_refusal_without_memory),
        cmocka_unit_test(test_a_request_that_nothing_is_left_for_is_503),
    };

    memset(large, 'x', sizeof large);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
