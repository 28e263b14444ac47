/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that begin on another thread while the client is leaving. */
#include "support.h"

struct begin {
    int from_source;
    int calls;
    int after_free;
    int freed;
    pthread_t thread;
    volo_cx *cx;
};

static int
two_pieces(volo_writer *w, void *user)
{
    struct begin *begin = user;
    int err = volo_writer_write(w, VOLO_STR("piece"));

    begin->calls++;
    begin->after_free += begin->freed;
    return err ? err : begin->calls < 2;
}

static void
count(void *user)
{
    ((struct begin *)user)->freed++;
}

static void *
begin_in_thread(void *arg)
{
    struct begin *begin = arg;
    volo_cx *cx = begin->cx;
    volo_writer *w;

    usleep(begin->from_source ? 900 : 1000);
    if (begin->from_source) {
        volo_cx_answer_source(cx, -1, two_pieces, begin, count);
    } else if (volo_cx_answer_stream(&w, cx, -1) == 0) {
        volo_writer_write(w, VOLO_STR("piece"));
        volo_writer_write(w, VOLO_STR("piece"));
        volo_writer_end(w);
        volo_writer_free(w);
    }
    volo_cx_unref(cx);
    return NULL;
}

static void
spawn(volo_cx *cx, void *user)
{
    struct begin *begin = user;

    begin->cx = volo_cx_ref(cx);
    pthread_create(&begin->thread, NULL, begin_in_thread, begin);
}

static int
one(int from_source, int leave)
{
    struct begin begin = {.from_source = from_source};
    volo_test_response *r = NULL;
    volo_test_request *request;
    struct rig rig;
    int err;

    rig_service(&rig, spawn, &begin);
    rig_open(&rig);
    assert_int_equal(volo_test_request_new(&request, rig.client, "GET", "/"),
                     0);
    if (leave >= 0)
        volo_test_request_leave(request, (uint64_t)leave);
    err = volo_test_send(&r, rig.client, request);
    if (!err)
        assert_str(volo_test_body(r), "piecepiece");
    pthread_join(begin.thread, NULL);
    volo_test_run(rig.client, 1);
    assert_int_equal(begin.freed, from_source);
    assert_int_equal(begin.after_free, 0);
    rig_close(&rig);
    return err;
}

static void
test_a_source_may_begin_on_another_thread(void **state)
{
    (void)state;
    assert_int_equal(one(1, -1), 0);
}

static void
test_a_client_may_leave_at_any_moment_of_a_streams_beginning(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < 200; i++) {
        one(0, i % 3);
        one(1, i % 3);
    }
}

/* ---- Trailers while layers are at work -------------------------------------
 */

static void *
trail(void *arg)
{
    struct begin *begin = arg;
    volo_cx *cx = begin->cx;
    volo_writer *w;
    int i;

    assert_int_equal(volo_cx_answer_stream(&w, cx, -1), 0);
    for (i = 0; i < 50; i++)
        assert_int_equal(
            volo_writer_trailer(w, "X-Trailer", VOLO_STR("behind it")), 0);
    assert_int_equal(volo_writer_end(w), 0);
    volo_writer_free(w);
    volo_cx_unref(cx);
    return NULL;
}

static void
spawn_trail(volo_cx *cx, void *user)
{
    struct begin *begin = user;

    begin->cx = volo_cx_ref(cx);
    pthread_create(&begin->thread, NULL, trail, begin);
}

static void
set_headers(volo_cx *cx, void *frame)
{
    int i;

    (void)frame;
    for (i = 0; i < 50; i++)
        assert_int_equal(
            volo_cx_add_header(cx, "X-Header", VOLO_STR("in front")), 0);
}

static void
headers(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, set_headers, user);
}

static void
test_trailers_are_set_while_layers_set_headers(void **state)
{
    struct begin begin = {.calls = 0};
    volo_test_response *r;
    struct rig rig;
    int i;

    (void)state;
    rig_service(&rig, spawn_trail, &begin);
    assert_int_equal(volo_service_layer(rig.service, headers, NULL, NULL), 0);
    rig_open(&rig);
    for (i = 0; i < 50; i++) {
        r = rig_ask(&rig, "GET", "/");
        pthread_join(begin.thread, NULL);
        assert_str(volo_test_header(r, "x-header"), "in front");
        assert_str(volo_test_trailer(r, "x-trailer"), "behind it");
    }
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_source_may_begin_on_another_thread),
        cmocka_unit_test(
            test_a_client_may_leave_at_any_moment_of_a_streams_beginning),
        cmocka_unit_test(test_trailers_are_set_while_layers_set_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
