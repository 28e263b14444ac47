/* SPDX-License-Identifier: Apache-2.0 */
/* Streamed answers: pushed from any thread, or pulled. */
#include "support.h"

struct stream {
    int64_t length;
    int writes;
    int end;
    int end_rc;
    int again; /* VOLO_EAGAINs seen */
    int drained;
    int released;
    int gone;
    volo_writer *w;
    pthread_t thread;
};

static void
released(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_SEQ_CST);
}

static void
push(volo_cx *cx, void *user)
{
    struct stream *s = user;
    volo_writer *w;
    int i;

    assert_int_equal(volo_cx_answer_stream(&w, cx, s->length), 0);
    assert_int_equal(volo_cx_is_streamed(cx), 1);
    for (i = 0; i < s->writes; i++)
        assert_int_equal(volo_writer_write(w, VOLO_STR("ab")), 0);
    if (s->end) {
        assert_int_equal(volo_writer_trailer(w, "X-Sum", VOLO_STR("7")), 0);
        assert_int_equal(volo_writer_trailer(w, "Host", VOLO_STR("7")),
                         VOLO_EINVAL);
        s->end_rc = volo_writer_end(w);
        if (s->end_rc == 0)
            assert_int_equal(volo_writer_write(w, VOLO_STR("x")), VOLO_ECLOSED);
    }
    volo_writer_free(w);
}

static int
send_one(struct stream *s, volo_service_fn fn, const char *method,
         volo_test_response **r, struct rig *rig)
{
    volo_test_request *request;

    rig_service(rig, fn, s);
    rig_open(rig);
    volo_test_request_new(&request, rig->client, method, "/");
    return volo_test_send(r, rig->client, request);
}

static void
test_pieces_and_trailers_arrive_in_order(void **state)
{
    struct stream s = {.length = -1, .writes = 3, .end = 1};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_one(&s, push, "GET", &r, &rig), 0);
    assert_str(volo_test_body(r), "ababab");
    assert_str(volo_test_trailer(r, "x-sum"), "7");
    assert_absent(volo_test_header(r, "content-length"));
    rig_close(&rig);
}

static void
test_an_announced_length_is_kept_to(void **state)
{
    struct stream fits = {.length = 4, .writes = 2, .end = 1};
    struct stream falls_short = {.length = 5, .writes = 2, .end = 1};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_one(&fits, push, "GET", &r, &rig), 0);
    assert_str(volo_test_body(r), "abab");
    assert_str(volo_test_header(r, "content-length"), "4");
    rig_close(&rig);

    assert_int_equal(send_one(&falls_short, push, "GET", &r, &rig),
                     VOLO_EPROTO);
    assert_int_equal(falls_short.end_rc, VOLO_EINVAL);
    rig_close(&rig);
}

static void
too_much(volo_cx *cx, void *user)
{
    struct stream *s = user;
    volo_writer *w;

    assert_int_equal(volo_cx_answer_stream(&w, cx, 3), 0);
    assert_int_equal(volo_writer_write(w, VOLO_STR("abc")), 0);
    assert_int_equal(volo_writer_write(w, VOLO_STR("d")), VOLO_ETOOBIG);
    assert_int_equal(
        volo_writer_write_ref(w, VOLO_STR("d"), released, &s->released),
        VOLO_ETOOBIG);
    assert_int_equal(volo_writer_end(w), 0);
    assert_int_equal(volo_writer_end(w), VOLO_ECLOSED);
    volo_writer_free(w);
}

static void
test_more_than_was_announced_is_refused(void **state)
{
    struct stream s = {.length = 3};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_one(&s, too_much, "GET", &r, &rig), 0);
    assert_str(volo_test_body(r), "abc");
    assert_int_equal(s.released, 1);
    rig_close(&rig);
}

static void
test_a_writer_that_is_dropped_cuts_the_answer_off(void **state)
{
    struct stream s = {.length = -1, .writes = 2, .end = 0};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_one(&s, push, "GET", &r, &rig), VOLO_EPROTO);
    rig_close(&rig);
}

/* ---- From another thread --------------------------------------------------
 */

static void
on_drain(volo_writer *w, int err, void *user)
{
    struct stream *s = user;

    (void)w;
    if (err)
        __atomic_store_n(&s->gone, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&s->drained, 1, __ATOMIC_SEQ_CST);
}

static void *
push_in_thread(void *arg)
{
    static char block[20000];
    struct stream *s = arg;
    int i, seen, err;

    memset(block, 'x', sizeof block);
    for (i = 0; i < s->writes; i++) {
        seen = __atomic_load_n(&s->drained, __ATOMIC_SEQ_CST);
        err = volo_writer_write_ref(s->w, volo_str_make(block, sizeof block),
                                    released, &s->released);
        if (err == VOLO_ECANCELED)
            break;
        if (err != VOLO_EAGAIN) {
            assert_int_equal(err, 0);
            continue;
        }
        s->again++;
        i--;
        while (__atomic_load_n(&s->drained, __ATOMIC_SEQ_CST) == seen)
            usleep(100);
    }
    s->end_rc = volo_writer_end(s->w);
    volo_writer_free(s->w);
    return NULL;
}

static void
push_elsewhere(volo_cx *cx, void *user)
{
    struct stream *s = user;

    assert_int_equal(volo_cx_answer_stream(&s->w, cx, s->length), 0);
    assert_int_equal(volo_writer_on_drain(s->w, on_drain, s, NULL), 0);
    assert_int_equal(
        volo_writer_on_drain(s->w, on_drain, &s->released, released),
        VOLO_EEXIST);
    pthread_create(&s->thread, NULL, push_in_thread, s);
}

static void
test_a_thread_that_writes_too_fast_waits_for_the_drain(void **state)
{
    struct stream s = {.length = -1, .writes = 200};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_one(&s, push_elsewhere, "GET", &r, &rig), 0);
    pthread_join(s.thread, NULL);
    assert_int_equal(volo_test_body(r).len, 200 * 20000);
    assert_int_equal(s.released, 200 + s.again + 1);
    rig_close(&rig);
}

static void
test_a_head_request_gets_no_body_and_stops_the_writer(void **state)
{
    struct stream s = {.length = -1, .writes = 1000};
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_one(&s, push_elsewhere, "HEAD", &r, &rig), 0);
    pthread_join(s.thread, NULL);
    assert_int_equal(volo_test_body(r).len, 0);
    rig_close(&rig);
}

/* ---- Pulled ----------------------------------------------------------------
 */

struct source {
    int left;
    int result; /* at the end */
    int calls;
    int freed;
};

static int
pull(volo_writer *w, void *user)
{
    struct source *s = user;
    static char block[10000];

    s->calls++;
    if (s->left == 0)
        return s->result;
    memset(block, 'y', sizeof block);
    if (volo_writer_write(w, volo_str_make(block, sizeof block)) == 0)
        s->left--;
    return 1;
}

static void
source_freed(void *user)
{
    ((struct source *)user)->freed++;
}

static void
serve_source(volo_cx *cx, void *user)
{
    assert_int_equal(volo_cx_answer_source(cx, -1, pull, user, source_freed),
                     0);
}

static void *
source_in_thread(void *arg)
{
    serve_source(((void **)arg)[0], ((void **)arg)[1]);
    volo_cx_unref(((void **)arg)[0]);
    return NULL;
}

static void *args[2];
static pthread_t source_thread;

static void
serve_source_elsewhere(volo_cx *cx, void *user)
{
    args[0] = volo_cx_ref(cx);
    args[1] = user;
    pthread_create(&source_thread, NULL, source_in_thread, args);
}

static int
run_source(struct source *s, volo_service_fn fn, size_t *len)
{
    volo_test_response *r;
    struct rig rig;
    int err;

    rig_service(&rig, fn, s);
    rig_open(&rig);
    err = volo_test_get(&r, rig.client, "/");
    *len = err ? 0 : volo_test_body(r).len;
    rig_close(&rig);
    assert_int_equal(s->freed, 1);
    return err;
}

static void
test_a_source_is_pulled_to_its_end(void **state)
{
    struct source s = {.left = 100}, t = {.left = 50};
    size_t len;

    (void)state;
    assert_int_equal(run_source(&s, serve_source, &len), 0);
    assert_int_equal(len, 1000000);
    assert_int_equal(run_source(&t, serve_source_elsewhere, &len), 0);
    pthread_join(source_thread, NULL);
    assert_int_equal(len, 500000);
}

static void
test_a_source_that_fails_cuts_the_answer_off(void **state)
{
    struct source s = {.left = 2, .result = VOLO_EIO};
    struct source idle = {.left = 0, .result = 1};
    size_t len;

    (void)state;
    assert_int_equal(run_source(&s, serve_source, &len), VOLO_EPROTO);
    /* One that promises more and writes nothing is not asked for ever. */
    assert_int_equal(run_source(&idle, serve_source, &len), VOLO_EPROTO);
    assert_int_equal(idle.calls, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_and_trailers_arrive_in_order),
        cmocka_unit_test(test_an_announced_length_is_kept_to),
        cmocka_unit_test(test_more_than_was_announced_is_refused),
        cmocka_unit_test(test_a_writer_that_is_dropped_cuts_the_answer_off),
        cmocka_unit_test(
            test_a_thread_that_writes_too_fast_waits_for_the_drain),
        cmocka_unit_test(test_a_head_request_gets_no_body_and_stops_the_writer),
        cmocka_unit_test(test_a_source_is_pulled_to_its_end),
        cmocka_unit_test(test_a_source_that_fails_cuts_the_answer_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
