/* SPDX-License-Identifier: Apache-2.0 */
/* Early hints, from whatever thread: before the answer, and only then. */
#include "server_support.h"

#include <pthread.h>

static const volo_pair preload = {.name = {"Link", 4}, .value = {"</a>", 4}};

static int
hint(volo_cx *cx, const char *name, volo_str value)
{
    volo_pair field = {.name = volo_str_of(name), .value = value};

    return volo_cx_early_hints(cx, &field, 1);
}

static void *
answer_elsewhere(void *user)
{
    volo_cx *cx = user;
    int err = volo_cx_early_hints(cx, &preload, 1);

    volo_reply_text(cx, volo_error_name(err));
    volo_cx_unref(cx);
    return NULL;
}

static void
elsewhere(volo_cx *cx, void *user)
{
    assert_int_equal(
        pthread_create(user, NULL, answer_elsewhere, volo_cx_ref(cx)), 0);
}

static void
test_hints_of_another_thread_come_before_its_answer(void **state)
{
    pthread_t thread;
    volo_server *server = server_of(elsewhere, &thread, "127.0.0.1:0");
    int fd;
    char *got;

    (void)state;
    assert_int_equal(volo_server_start(server), 0);
    fd = dial(server);
    say(fd, GET("/"));
    got = hear(fd, "VOLO_OK", 1);
    pthread_join(thread, NULL);
    assert_ptr_equal(strstr(got, "HTTP/1.1 103 Early Hints\r\n"
                                 "link: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"),
                     got);
    close(fd);
    volo_server_free(server);
}

/* ---- In memory ----------------------------------------------------------- */

struct tried {
    int good;
    int late;
    int name;
    int value;
    int framing;
    int none;
};

static void
try_all(volo_cx *cx, void *user)
{
    struct tried *t = user;

    t->good = volo_cx_early_hints(cx, &preload, 1);
    t->name = hint(cx, "a b", VOLO_STR("c"));
    t->value = hint(cx, "a", VOLO_STR("b\r\nc: d"));
    t->framing = hint(cx, "Content-Length", VOLO_STR("3"));
    t->none = volo_cx_early_hints(cx, NULL, 1);
    volo_reply_text(cx, "ok");
    t->late = volo_cx_early_hints(cx, &preload, 1);
}

static void
test_hints_are_checked_as_the_fields_of_an_answer_are(void **state)
{
    struct tried t = {.good = 1};
    volo_service *service;
    volo_test *test;
    volo_test_response *r;

    (void)state;
    assert_int_equal(volo_service_new(&service, try_all, &t, NULL), 0);
    assert_int_equal(volo_test_new(&test, service), 0);
    assert_int_equal(volo_test_get(&r, test, "/"), 0);
    assert_int_equal(t.good, 0);
    assert_int_equal(t.late, VOLO_EALREADY);
    assert_int_equal(t.name, VOLO_EINVAL);
    assert_int_equal(t.value, VOLO_EINVAL);
    assert_int_equal(t.framing, VOLO_EINVAL);
    assert_int_equal(t.none, VOLO_EINVAL);
    assert_int_equal(volo_test_status(r), 200);
    assert_true(volo_str_eq(volo_test_hint(r, "link"), VOLO_STR("</a>")));
    assert_null(volo_test_header(r, "link").ptr);
    volo_test_free(test);
    volo_service_unref(service);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints_of_another_thread_come_before_its_answer),
        cmocka_unit_test(test_hints_are_checked_as_the_fields_of_an_answer_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
