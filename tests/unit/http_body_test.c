/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the request's body, whole and as it comes. */
#include "support.h"

static void
echo(volo_cx *cx, int err, volo_str body, void *user)
{
    *(int *)user = err;
    if (err) {
        volo_cx_set_status(cx, volo_error_status(err));
    } else {
        assert_true(volo_str_eq(volo_cx_body(cx), body));
        volo_cx_set_body_ref(cx, body, NULL, NULL);
    }
    volo_cx_answer(cx);
}

static void
whole(volo_cx *cx, void *user)
{
    assert_absent(volo_cx_body(cx));
    assert_int_equal(volo_cx_read_body(cx, echo, user), 0);
}

static volo_str
pattern(char *room, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        room[i] = (char)('a' + i % 23);
    return volo_str_make(room, len);
}

static void
test_whole_bodies_of_every_shape(void **state)
{
    static char room[200000];
    static const size_t sizes[] = {0, 1, 4096, 4097, 65536, 200000};
    static const size_t chunks[] = {0, 1000, 65536};
    struct rig rig;
    size_t i, k;
    int err = -1;

    (void)state;
    rig_service(&rig, whole, &err);
    rig_open(&rig);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (k = 0; k < sizeof chunks / sizeof *chunks; k++) {
            volo_str body = pattern(room, sizes[i]);
            volo_test_response *r = rig_post(&rig, "/", body, chunks[k]);

            assert_int_equal(volo_test_status(r), 200);
            assert_true(volo_str_eq(volo_test_body(r), body));
            assert_int_equal(err, 0);
            volo_test_response_free(r);
        }
    }
    rig_close(&rig);
}

static void
limited(volo_cx *cx, void *user)
{
    volo_cx_set_body_limit(cx, 1000);
    assert_int_equal(volo_cx_body_limit(cx), 1000);
    whole(cx, user);
}

static void
test_the_limit_counts_announced_and_unannounced_alike(void **state)
{
    static char room[1001];
    struct rig rig;
    int err = 0;

    (void)state;
    rig_service(&rig, limited, &err);
    rig_open(&rig);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", pattern(room, 1000), 0)), 200);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", pattern(room, 1000), 7)), 200);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", pattern(room, 1001), 0)), 413);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", pattern(room, 1001), 7)), 413);
    assert_int_equal(err, VOLO_ETOOBIG);
    rig_close(&rig);
}

static void
again(volo_cx *cx, int err, volo_str body, void *user)
{
    assert_int_equal(err, 0);
    assert_str(body, "once");
    assert_int_equal(volo_cx_read_body(cx, echo, user), 0);
}

static void
twice(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_read_body(cx, again, user), 0);
}

static void
test_a_body_that_is_read_can_be_read_again(void **state)
{
    struct rig rig;
    int err = -1;

    (void)state;
    rig_service(&rig, twice, &err);
    rig_open(&rig);
    assert_str(volo_test_body(rig_post(&rig, "/", VOLO_STR("once"), 2)),
               "once");
    rig_close(&rig);
}

/* ---- Streaming ------------------------------------------------------------
 */

struct reader {
    char data[256];
    size_t len;
    int ends;
    int err;
    int pause; /* how often to pause */
    int thread;
    pthread_t id;
};

static void *
resume_in_thread(void *cx)
{
    usleep(500);
    volo_cx_resume_body(cx);
    volo_cx_unref(cx);
    return NULL;
}

static void
resume(volo_cx *cx, struct reader *reader)
{
    if (reader->thread)
        pthread_create(&reader->id, NULL, resume_in_thread, volo_cx_ref(cx));
    else
        volo_cx_resume_body(cx);
}

static int
piece(volo_cx *cx, int err, volo_str chunk, void *user)
{
    struct reader *reader = user;

    if (chunk.ptr) {
        assert_int_equal(reader->ends, 0);
        memcpy(reader->data + reader->len, chunk.ptr, chunk.len);
        reader->len += chunk.len;
        if (reader->pause == 0)
            return VOLO_FLOW_MORE;
        if (reader->thread && reader->ends == 0 && reader->id)
            pthread_join(reader->id, NULL);
        reader->pause--;
        resume(cx, reader);
        return VOLO_FLOW_PAUSE;
    }
    reader->ends++;
    reader->err = err;
    if (err)
        volo_cx_set_status(cx, volo_error_status(err));
    volo_cx_set_body(cx, volo_str_make(reader->data, reader->len));
    volo_cx_answer(cx);
    return VOLO_FLOW_MORE;
}

static void
stream(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_read_stream(cx, piece, user), 0);
    assert_int_equal(volo_cx_read_body(cx, echo, user), VOLO_EBUSY);
}

static void
stream_all(struct reader *reader, size_t chunk)
{
    struct rig rig;

    rig_service(&rig, stream, reader);
    rig_open(&rig);
    assert_str(
        volo_test_body(rig_post(&rig, "/", VOLO_STR("abcdefghijklmno"), chunk)),
        "abcdefghijklmno");
    assert_int_equal(reader->ends, 1);
    rig_close(&rig);
}

static void
test_a_body_is_streamed_piece_by_piece(void **state)
{
    struct reader a = {.pause = 0}, b = {.pause = 0};

    (void)state;
    stream_all(&a, 4);
    stream_all(&b, 0);
}

static void
test_a_reader_pauses_and_resumes(void **state)
{
    struct reader a = {.pause = 3}, b = {.pause = 1};
    struct reader c = {.pause = 2, .thread = 1};

    (void)state;
    stream_all(&a, 4);
    stream_all(&b, 0);
    stream_all(&c, 6);
    pthread_join(c.id, NULL);
}

static void
limited_stream(volo_cx *cx, void *user)
{
    volo_cx_set_body_limit(cx, 10);
    assert_int_equal(volo_cx_read_stream(cx, piece, user), 0);
}

static void
test_a_streamed_body_is_limited_too(void **state)
{
    struct reader reader = {.pause = 0};
    struct rig rig;

    (void)state;
    rig_service(&rig, limited_stream, &reader);
    rig_open(&rig);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", VOLO_STR("abcdefghijklmno"), 4)),
        413);
    assert_int_equal(reader.ends, 1);
    assert_int_equal(reader.err, VOLO_ETOOBIG);
    assert_int_equal(reader.len, 8);
    rig_close(&rig);
}

static int
refuse(volo_cx *cx, int err, volo_str chunk, void *user)
{
    struct reader *reader = user;

    if (!chunk.ptr) {
        reader->ends++;
        reader->err = err;
        return VOLO_FLOW_MORE;
    }
    volo_cx_set_status(cx, 409);
    volo_cx_answer(cx);
    return VOLO_FLOW_MORE;
}

static void
stream_refusing(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_read_stream(cx, refuse, user), 0);
}

static void
test_a_reader_that_answers_early_is_told_the_end_once(void **state)
{
    struct reader reader = {.pause = 0};
    struct rig rig;

    (void)state;
    rig_service(&rig, stream_refusing, &reader);
    rig_open(&rig);
    assert_int_equal(
        volo_test_status(rig_post(&rig, "/", VOLO_STR("abcdefghijklmno"), 4)),
        409);
    assert_int_equal(reader.ends, 1);
    assert_int_equal(reader.err, VOLO_ECANCELED);
    rig_close(&rig);
}

static void
answer_now(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_status(cx, 403);
    volo_cx_answer(cx);
}

static void
test_a_body_may_be_left_unread(void **state)
{
    struct rig rig;

    (void)state;
    rig_service(&rig, answer_now, NULL);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_post(&rig, "/", VOLO_STR("abc"), 1)),
                     403);
    rig_close(&rig);
}

static void *
read_in_thread(void *arg)
{
    int *rc = (int *)((void **)arg)[1];

    *rc = volo_cx_read_body(((void **)arg)[0], echo, rc);
    volo_cx_unref(((void **)arg)[0]);
    return NULL;
}

static void *thread_args[2];
static pthread_t thread;

static void
read_elsewhere(volo_cx *cx, void *user)
{
    thread_args[0] = volo_cx_ref(cx);
    thread_args[1] = user;
    pthread_create(&thread, NULL, read_in_thread, thread_args);
}

static void
test_reading_belongs_to_the_loops_thread(void **state)
{
    struct rig rig;
    int rc = 0;

    (void)state;
    rig_service(&rig, read_elsewhere, &rc);
    rig_open(&rig);
    assert_int_equal(volo_test_status(rig_post(&rig, "/", VOLO_STR("abc"), 1)),
                     500);
    pthread_join(thread, NULL);
    assert_int_equal(rc, VOLO_ETHREAD);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_bodies_of_every_shape),
        cmocka_unit_test(test_the_limit_counts_announced_and_unannounced_alike),
        cmocka_unit_test(test_a_body_that_is_read_can_be_read_again),
        cmocka_unit_test(test_a_body_is_streamed_piece_by_piece),
        cmocka_unit_test(test_a_reader_pauses_and_resumes),
        cmocka_unit_test(test_a_streamed_body_is_limited_too),
        cmocka_unit_test(test_a_reader_that_answers_early_is_told_the_end_once),
        cmocka_unit_test(test_a_body_may_be_left_unread),
        cmocka_unit_test(test_reading_belongs_to_the_loops_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
