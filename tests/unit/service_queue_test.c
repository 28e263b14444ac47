/* SPDX-License-Identifier: Apache-2.0 */
/* The queue as a program sees it: what jobs say and what answers do. */
#include "service_queue.h"

/* ---- What a job says and what an answer does ----------------------------- */

static volo_job seen;
static char seen_text[256];

static volo_pair said_headers[3];

static void
look_closely(const volo_job *job, volo_answer *answer)
{
    size_t i;

    seen = *job;
    seen_text[0] = 0;
    strncat(seen_text, job->method_name.ptr, job->method_name.len);
    strcat(seen_text, " ");
    strncat(seen_text, job->path.ptr, job->path.len);
    strcat(seen_text, " ");
    strncat(seen_text, job->query.ptr, job->query.len);
    for (i = 0; i < job->header_count; i++) {
        if (!volo_str_eq(job->headers[i].name, VOLO_STR("x-color")))
            continue;
        strcat(seen_text, " ");
        strncat(seen_text, job->headers[i].value.ptr,
                job->headers[i].value.len);
    }
    memset(said_headers, 0, sizeof said_headers);
    said_headers[0].name = VOLO_STR("X-Mood");
    said_headers[0].value = VOLO_STR("fine");
    said_headers[1].id = VOLO_FIELD_CONTENT_TYPE;
    said_headers[1].value = VOLO_STR("text/x-echo");
    answer->status = 201;
    answer->headers = said_headers;
    answer->header_count = 2;
    answer->body = job->body;
    answer->release = count_up;
    answer->user = &releases;
}

static void
test_a_job_describes_the_request_and_its_answer_is_sent(void **state)
{
    struct desk desk;
    struct taker taker;
    volo_test_request *request;
    volo_test_response *r;

    (void)state;
    atomic_store(&releases, 0);
    desk_open(&desk, 0);
    taker_start(&taker, desk.queue, look_closely);
    volo_test_request_new(&request, desk.rig.client, "POST", "/a/b?c=d");
    volo_test_request_header(request, "X-Color", "green");
    volo_test_request_body(request, VOLO_STR("the body"));
    volo_test_request_chunk(request, 3);
    assert_int_equal(volo_test_send(&r, desk.rig.client, request), 0);
    assert_int_equal(volo_test_status(r), 201);
    assert_str(volo_test_header(r, "x-mood"), "fine");
    assert_str(volo_test_header(r, "content-type"), "text/x-echo");
    assert_str(volo_test_body(r), "the body");
    volo_queue_close(desk.queue);
    taker_join(&taker);
    assert_string_equal(seen_text, "POST /a/b c=d green");
    assert_int_equal(seen.method, VOLO_POST);
    assert_int_equal(seen.version, 11);
    assert_ptr_equal(seen.route, &desk.freed);
    assert_int_equal(seen.param_count, 0);
    assert_int_equal(taker.answered, 1);
    desk_close(&desk);
    assert_int_equal(atomic_load(&releases), 1);
}

static void
say_two_cookies(const volo_job *job, volo_answer *answer)
{
    (void)job;
    memset(said_headers, 0, sizeof said_headers);
    said_headers[0].id = VOLO_FIELD_SET_COOKIE;
    said_headers[0].value = VOLO_STR("a=1");
    said_headers[1].name = VOLO_STR("Set-Cookie");
    said_headers[1].value = VOLO_STR("b=2");
    answer->headers = said_headers;
    answer->header_count = 2;
    answer->body = VOLO_STR("copied");
}

static void
test_fields_may_be_repeated_and_what_has_no_release_is_copied(void **state)
{
    struct desk desk;
    struct taker taker;
    volo_test_response *r;
    volo_str name, value;
    size_t i, cookies = 0;

    (void)state;
    desk_open(&desk, 0);
    taker_start(&taker, desk.queue, say_two_cookies);
    r = rig_ask(&desk.rig, "GET", "/");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_body(r), "copied");
    for (i = 0; i < volo_test_header_count(r); i++) {
        volo_test_header_at(r, i, &name, &value);
        cookies += volo_str_eq(name, VOLO_STR("set-cookie"));
    }
    assert_int_equal(cookies, 2);
    volo_queue_close(desk.queue);
    taker_join(&taker);
    desk_close(&desk);
}

static int bad_kind;

static void
say_nonsense(const volo_job *job, volo_answer *answer)
{
    (void)job;
    memset(said_headers, 0, sizeof said_headers);
    said_headers[0].name = VOLO_STR("x-good");
    said_headers[0].value = VOLO_STR("v");
    said_headers[1].name = VOLO_STR("x-bad");
    said_headers[1].value = VOLO_STR("v");
    answer->headers = said_headers;
    answer->header_count = 2;
    answer->body = VOLO_STR("never sent");
    answer->release = count_up;
    answer->user = &releases;
    switch (bad_kind) {
    case 0:
        said_headers[1].value = VOLO_STR("a\r\nset-cookie: b");
        break;
    case 1:
        said_headers[1].name = VOLO_STR("x-bad\0y");
        break;
    case 2:
        said_headers[1].name = VOLO_STR("x bad");
        break;
    case 3:
        said_headers[1].name = volo_str_of(NULL);
        break;
    case 4:
        said_headers[1].name = VOLO_STR("transfer-encoding");
        break;
    default:
        answer->status = 42;
        break;
    }
}

static void
test_a_bad_answer_becomes_500_and_is_released(void **state)
{
    struct desk desk;
    struct taker taker;
    volo_test_response *r;

    (void)state;
    atomic_store(&releases, 0);
    desk_open(&desk, 0);
    taker_start(&taker, desk.queue, say_nonsense);
    for (bad_kind = 0; bad_kind < 6; bad_kind++) {
        r = rig_ask(&desk.rig, "GET", "/");
        assert_int_equal(volo_test_status(r), 500);
        assert_absent(volo_test_header(r, "x-good"));
        assert_absent(volo_test_header(r, "set-cookie"));
        assert_int_equal(atomic_load(&releases), bad_kind + 1);
    }
    volo_queue_close(desk.queue);
    taker_join(&taker);
    desk_close(&desk);
}

static void
look_at_cx(const volo_job *job, volo_answer *answer)
{
    (void)answer;
    seen = *job;
}

/* As a program of another version would call. */
static void
test_descriptors_of_other_sizes_are_understood(void **state)
{
    static const size_t job_sizes[] = {sizeof(volo_cx *),
                                       offsetof(volo_job, path),
                                       sizeof(volo_job), sizeof(volo_job) + 24};
    static const size_t answer_sizes[] = {
        sizeof(volo_cx *), offsetof(volo_answer, headers), sizeof(volo_answer),
        sizeof(volo_answer) + 40};
    struct taker taker;
    struct desk desk;
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        desk_open(&desk, 0);
        memset(&taker, 0, sizeof taker);
        taker.queue = desk.queue;
        taker.fill = look_at_cx;
        taker.job_size = job_sizes[i];
        taker.answer_size = answer_sizes[i];
        taker.max = 4;
        pthread_create(&taker.thread, NULL, taker_run, &taker);
        assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/a")),
                         200);
        volo_queue_close(desk.queue);
        taker_join(&taker);
        assert_int_equal(seen.target.len, i ? 2 : 0);
        assert_int_equal(seen.path.len, i > 1 ? 2 : 0);
        desk_close(&desk);
    }
}

/* On the loop's own thread, where nobody needs to be woken for anything. */
static void
test_a_taker_that_does_not_sleep_is_not_woken(void **state)
{
    struct desk desk;
    int i;

    (void)state;
    desk_open(&desk, 0);
    for (i = 0; i < 3; i++) {
        later(&desk, 2, take_and_answer, &desk);
        assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    }
    assert_int_equal(volo_queue_wakes(desk.queue), 0);
    desk_close(&desk);
}

static void
test_a_sleeping_taker_is_woken_at_most_once_per_request(void **state)
{
    struct desk desk;
    struct taker taker;
    int i;

    (void)state;
    desk_open(&desk, 0);
    taker_start(&taker, desk.queue, say_nothing);
    for (i = 0; i < 20; i++)
        assert_int_equal(volo_test_status(rig_ask(&desk.rig, "GET", "/")), 200);
    assert_in_range(volo_queue_wakes(desk.queue), 0, 20);
    volo_queue_close(desk.queue);
    taker_join(&taker);
    assert_int_equal(taker.taken, 20);
    desk_close(&desk);
}

/* ---- Streaming and bodies ------------------------------------------------ */

static int
on_chunk(volo_cx *cx, int err, volo_str chunk, void *user)
{
    size_t *total = user;

    *total += chunk.len;
    if (!chunk.ptr || err) {
        volo_cx_set_status(cx, err ? 500 : 202);
        volo_cx_answer(cx);
        volo_cx_unref(cx);
    }
    return VOLO_FLOW_MORE;
}

static void
begin_reading(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_read_stream(cx, on_chunk, user), 0);
}

static void *
take_stream(void *arg)
{
    static size_t total;
    volo_job job;

    total = 0;
    assert_int_equal(volo_queue_take(arg, &job, sizeof job, 1, -1), 1);
    assert_null(job.body.ptr);
    assert_int_equal(volo_cx_post(job.cx, begin_reading, &total), 0);
    return &total;
}

static void
test_a_streaming_queue_gives_the_request_before_its_body(void **state)
{
    static char body[5000];
    volo_test_response *r;
    volo_queue *queue;
    struct rig rig = {0};
    pthread_t thread;
    void *total;

    (void)state;
    memset(body, 'x', sizeof body);
    assert_int_equal(volo_queue_new(&queue, 0), 0);
    assert_int_equal(
        volo_queue_service_streaming(&rig.service, queue, NULL, NULL), 0);
    rig_open(&rig);
    pthread_create(&thread, NULL, take_stream, queue);
    r = rig_post(&rig, "/", volo_str_make(body, sizeof body), 100);
    pthread_join(thread, &total);
    assert_int_equal(volo_test_status(r), 202);
    assert_int_equal(*(size_t *)total, sizeof body);
    rig_close(&rig);
    volo_queue_unref(queue);
}

static void
small_bodies(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    volo_cx_set_body_limit(cx, 10);
    volo_next_run(next, cx, NULL, NULL);
}

static void
test_a_body_that_cannot_be_read_is_answered_without_the_queue(void **state)
{
    volo_test_response *r;
    struct rig rig = {0};
    volo_queue *queue;

    (void)state;
    assert_int_equal(volo_queue_new(&queue, 0), 0);
    assert_int_equal(volo_queue_service(&rig.service, queue, NULL, NULL), 0);
    volo_service_layer(rig.service, small_bodies, NULL, NULL);
    rig_open(&rig);
    r = rig_post(&rig, "/", VOLO_STR("more than ten octets"), 4);
    assert_int_equal(volo_test_status(r), 413);
    assert_int_equal(volo_queue_len(queue), 0);
    rig_close(&rig);
    volo_queue_unref(queue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_job_describes_the_request_and_its_answer_is_sent),
        cmocka_unit_test(
            test_fields_may_be_repeated_and_what_has_no_release_is_copied),
        cmocka_unit_test(test_a_bad_answer_becomes_500_and_is_released),
        cmocka_unit_test(test_descriptors_of_other_sizes_are_understood),
        cmocka_unit_test(test_a_taker_that_does_not_sleep_is_not_woken),
        cmocka_unit_test(
            test_a_sleeping_taker_is_woken_at_most_once_per_request),
        cmocka_unit_test(
            test_a_streaming_queue_gives_the_request_before_its_body),
        cmocka_unit_test(
            test_a_body_that_cannot_be_read_is_answered_without_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
