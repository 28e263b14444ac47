/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests and responses come to in HTTP/2, talked to by nghttp2's client.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/h2_peer.h"

static struct peer p;

static int
open_peer(void **state)
{
    (void)state;
    return peer_init(&p);
}

static int
close_peer(void **state)
{
    (void)state;
    assert_int_equal(peer_close(&p), 0);
    assert_int_equal(p.rig.w.finished, p.rig.w.served);
    return 0;
}

static void
expect(int32_t id, int status, const char *body)
{
    struct reply *reply = peer_reply(&p, id);

    assert_int_equal(reply->status, status);
    assert_string_equal(reply->body ? reply->body : "", body);
    assert_true(reply->ended);
    assert_true(reply->closed);
    assert_int_equal(reply->code, NGHTTP2_NO_ERROR);
}

static void
test_a_get_is_answered(void **state)
{
    int32_t id = peer_get(&p, "/ok");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "ok\n");
    assert_string_equal(peer_reply(&p, id)->head,
                        "content-type=text/plain;content-length=3;");
}

static void
test_a_post_is_answered_with_what_it_brought(void **state)
{
    int32_t id = peer_post(&p, "/echo", "some body");

    (void)state;
    peer_settle(&p);
    expect(id, 200, "some body");
}

static void
test_many_at_once_are_answered(void **state)
{
    int32_t ids[100];
    size_t i;

    (void)state;
    for (i = 0; i < 100; i++)
        ids[i] = i % 3 ? peer_get(&p, "/ok") : peer_post(&p, "/echo", "x");
    peer_settle(&p);
    for (i = 0; i < 100; i++)
        expect(ids[i], 200, i % 3 ? "ok\n" : "x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_get_is_answered, open_peer,
                                        close_peer),
        cmocka_unit_test_setup_teardown(
            test_a_post_is_answered_with_what_it_brought, open_peer,
            close_peer),
        cmocka_unit_test_setup_teardown(test_many_at_once_are_answered,
                                        open_peer, close_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
