/* SPDX-License-Identifier: Apache-2.0 */
/* ETags: which answers get one, and what conditional requests get. */
#include "layers_support.h"

static const char *own_tag; /* what the handler sets; NULL for none */

static void
page(volo_cx *cx, void *user)
{
    const char *const *text = user;

    if (own_tag)
        volo_cx_set_header(cx, "etag", volo_str_of(own_tag));
    volo_cx_set_header(cx, "cache-control", VOLO_STR("max-age=60"));
    volo_cx_set_header(cx, "vary", VOLO_STR("Accept"));
    volo_cx_set_header(cx, "content-location", VOLO_STR("/page"));
    volo_cx_set_header(cx, "content-language", VOLO_STR("en"));
    volo_reply_text(cx, *text);
}

static void
open_etag(struct rig *rig, volo_service_fn fn, void *user, int weak)
{
    volo_layer *layer = NULL;

    rig_service(rig, fn, user);
    assert_int_equal(volo_layer_etag(&layer, weak), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

/* A copy of the tag that a GET gets; it is freed with the test's end. */
static void
tag_of(char out[64], struct rig *rig)
{
    volo_str tag = volo_test_header(rig_ask(rig, "GET", "/"), "etag");

    assert_true(tag.len > 2 && tag.len < 60);
    memcpy(out, tag.ptr, tag.len);
    out[tag.len] = 0;
}

static int
ask_if(struct rig *rig, const char *field, const char *value)
{
    return volo_test_status(rig_ask_with(rig, "GET", field, value));
}

static void
test_the_tag_changes_with_the_content_and_only_then(void **state)
{
    const char *texts[] = {
        "",          "a",       "b",         "ab",       "12345678",
        "123456789", "1234567", "12345678a", "a2345678", "abcdefghijklmnop"};
    enum { COUNT = sizeof texts / sizeof *texts };
    char tags[COUNT][64], again[64];
    const char *text;
    struct rig rig;
    unsigned i, k;

    (void)state;
    open_etag(&rig, page, &text, 0);
    for (i = 0; i < COUNT; i++) {
        text = texts[i];
        tag_of(tags[i], &rig);
        tag_of(again, &rig);
        assert_string_equal(tags[i], again);
        assert_int_equal(tags[i][0], '"');
        assert_int_equal(tags[i][strlen(tags[i]) - 1], '"');
        for (k = 0; k < i; k++)
            assert_string_not_equal(tags[i], tags[k]);
    }
    rig_close(&rig);
}

static void
test_a_known_tag_gets_304_without_content_but_with_what_caches_need(
    void **state)
{
    const char *text = "hello";
    volo_test_response *r;
    char tag[64];
    struct rig rig;

    (void)state;
    open_etag(&rig, page, &text, 0);
    tag_of(tag, &rig);
    r = rig_ask_with(&rig, "GET", "if-none-match", tag);
    assert_int_equal(volo_test_status(r), 304);
    assert_int_equal(volo_test_body(r).len, 0);
    assert_str(volo_test_header(r, "etag"), tag);
    assert_str(volo_test_header(r, "cache-control"), "max-age=60");
    assert_str(volo_test_header(r, "vary"), "Accept");
    assert_str(volo_test_header(r, "content-location"), "/page");
    assert_absent(volo_test_header(r, "content-type"));
    assert_absent(volo_test_header(r, "content-language"));
    r = rig_ask_with(&rig, "HEAD", "if-none-match", tag);
    assert_int_equal(volo_test_status(r), 304);
    rig_close(&rig);
}

static void
test_if_none_match_is_a_list_compared_weakly(void **state)
{
    const char *text = "hello";
    struct rig rig;

    (void)state;
    own_tag = "\"a,b\"";
    open_etag(&rig, page, &text, 0);
    assert_int_equal(ask_if(&rig, "if-none-match", "*"), 304);
    assert_int_equal(ask_if(&rig, "if-none-match", " * "), 304);
    assert_int_equal(ask_if(&rig, "if-none-match", "\"a,b\""), 304);
    assert_int_equal(ask_if(&rig, "if-none-match", "W/\"a,b\""), 304);
    assert_int_equal(ask_if(&rig, "if-none-match", "\"x\", W/\"a,b\""), 304);
    assert_int_equal(ask_if(&rig, "if-none-match", ", ,\"x\",\t\"a,b\" ,"),
                     304);
    assert_int_equal(ask_if(&rig, "if-none-match", "\"a\", \"b\""), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", ""), 200);

    /* Malformed lists match nothing from the mistake on. */
    assert_int_equal(ask_if(&rig, "if-none-match", "a,b"), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", "\"a,b"), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", "w/\"a,b\""), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", "\"x\" \"a,b\""), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", "x, \"a,b\""), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", "*, \"x\""), 200);
    assert_int_equal(ask_if(&rig, "if-none-match", "W/"), 200);
    rig_close(&rig);
    own_tag = NULL;
}

static void
test_if_match_is_compared_strongly(void **state)
{
    const char *text = "hello";
    volo_test_response *r;
    struct rig rig;

    (void)state;
    own_tag = "\"one\"";
    open_etag(&rig, page, &text, 0);
    assert_int_equal(ask_if(&rig, "if-match", "\"one\""), 200);
    assert_int_equal(ask_if(&rig, "if-match", "\"two\", \"one\""), 200);
    assert_int_equal(ask_if(&rig, "if-match", "*"), 200);
    assert_int_equal(ask_if(&rig, "if-match", "W/\"one\""), 412);
    r = rig_ask_with(&rig, "GET", "if-match", "\"two\"");
    assert_int_equal(volo_test_status(r), 412);
    assert_str(volo_test_body(r), "Precondition Failed\n");
    assert_str(volo_test_header(r, "content-type"),
               "text/plain; charset=utf-8");
    assert_absent(volo_test_header(r, "etag"));
    own_tag = "W/\"one\"";
    assert_int_equal(ask_if(&rig, "if-match", "W/\"one\""), 412);
    rig_close(&rig);
    own_tag = NULL;
}

static void
test_several_lines_are_one_list_and_if_match_comes_first(void **state)
{
    const char *text = "hello";
    volo_test_request *request;
    struct rig rig;

    (void)state;
    own_tag = "\"one\"";
    open_etag(&rig, page, &text, 0);
    request = rig_request(&rig, "GET", "/");
    with(request, "if-none-match", "\"two\"");
    with(request, "If-None-Match", "\"one\"");
    assert_int_equal(volo_test_status(rig_send(&rig, request)), 304);
    request = rig_request(&rig, "GET", "/");
    with(request, "if-none-match", "\"one\"");
    with(request, "if-match", "\"two\"");
    assert_int_equal(volo_test_status(rig_send(&rig, request)), 412);
    request = rig_request(&rig, "GET", "/");
    with(request, "if-none-match", "\"one\"");
    with(request, "if-match", "\"one\"");
    assert_int_equal(volo_test_status(rig_send(&rig, request)), 304);
    rig_close(&rig);
    own_tag = NULL;
}

static void
test_a_weak_layer_makes_weak_tags(void **state)
{
    const char *text = "hello";
    char tag[64];
    struct rig rig;

    (void)state;
    open_etag(&rig, page, &text, 1);
    tag_of(tag, &rig);
    assert_memory_equal(tag, "W/\"", 3);
    assert_int_equal(ask_if(&rig, "if-none-match", tag), 304);
    assert_int_equal(ask_if(&rig, "if-none-match", tag + 2), 304);
    rig_close(&rig);
}

static void
stream(volo_cx *cx, void *user)
{
    volo_writer *w;

    (void)user;
    assert_int_equal(volo_cx_answer_stream(&w, cx, 5), 0);
    assert_int_equal(volo_writer_write(w, VOLO_STR("hello")), 0);
    volo_writer_end(w);
    volo_writer_free(w);
}

static void
test_streams_errors_and_other_methods_are_left_alone(void **state)
{
    const char *text = "hello";
    volo_test_response *r;
    struct rig rig;

    (void)state;
    open_etag(&rig, stream, NULL, 0);
    r = rig_ask_with(&rig, "GET", "if-none-match", "*");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "hello");
    assert_absent(volo_test_header(r, "etag"));
    rig_close(&rig);

    open_etag(&rig, say_missing, NULL, 0);
    r = rig_ask_with(&rig, "GET", "if-none-match", "*");
    assert_int_equal(volo_test_status(r), 404);
    assert_absent(volo_test_header(r, "etag"));
    rig_close(&rig);

    open_etag(&rig, page, &text, 0);
    r = rig_ask_with(&rig, "PUT", "if-match", "\"x\"");
    assert_int_equal(volo_test_status(r), 200);
    assert_absent(volo_test_header(r, "etag"));
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tag_changes_with_the_content_and_only_then),
        cmocka_unit_test(
            test_a_known_tag_gets_304_without_content_but_with_what_caches_need),
        cmocka_unit_test(test_if_none_match_is_a_list_compared_weakly),
        cmocka_unit_test(test_if_match_is_compared_strongly),
        cmocka_unit_test(
            test_several_lines_are_one_list_and_if_match_comes_first),
        cmocka_unit_test(test_a_weak_layer_makes_weak_tags),
        cmocka_unit_test(test_streams_errors_and_other_methods_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
