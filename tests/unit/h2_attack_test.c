/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer must not be able to do, in frames that are written by hand: each
 * is answered by the end of a stream or of the connection, soon, and at bounded
 * cost.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "h2/state.h"
#include "wire/h2_rig.h"

static struct rig r;

/* ":method: GET, :scheme: http, :path: /ok, :authority: a". */
static const char head_ok[] = "\x82\x86\x04\x03/ok\x41\x01"
                              "a";
static const char head_later[] = "\x82\x86\x04\x06/later\x41\x01"
                                 "a";
static const char head_echo[] = "\x83\x86\x04\x05/echo\x41\x01"
                                "a";

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };

static void
frame(int type, int flags, uint32_t id, const void *payload, size_t len)
{
    uint8_t text[20000] = {
        (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
        (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
        (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    if (len)
        memcpy(text + 9, payload, len);
    rig_feed(&r, text, 9 + len);
}

static void
word(int type, uint32_t id, uint32_t value)
{
    uint8_t payload[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
                          (uint8_t)(value >> 8), (uint8_t)value};

    frame(type, 0, id, payload, 4);
}

static void
ask(uint32_t id, const char *head)
{
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, id, head, strlen(head));
}

static int
open_rig(void **state)
{
    (void)state;
    rig_home(&r);
    if (rig_open(&r))
        return -1;
    rig_feed(&r, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    frame(NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    frame(NGHTTP2_SETTINGS, ACK, 0, NULL, 0);
    return 0;
}

static int
close_rig(void **state)
{
    (void)state;
    assert_int_equal(rig_close(&r), 0);
    return 0;
}

static int
is_over(void)
{
    return r.h2->ops->phase(r.h2) == VOLO__WIRE_CLOSING;
}

/* It ends, not before ${least} rounds. */
static void
expect_calm(unsigned rounds, unsigned least)
{
    assert_true(is_over());
    assert_true(rounds >= least);
    assert_int_equal(rig_code(&r, NGHTTP2_GOAWAY), NGHTTP2_ENHANCE_YOUR_CALM);
}

static void
expect_end(uint32_t code)
{
    assert_true(is_over());
    assert_int_equal(rig_code(&r, NGHTTP2_GOAWAY), code);
}

/* The connection goes on, the stream does not. */
static void
expect_reset(uint32_t code)
{
    assert_false(is_over());
    assert_int_equal(rig_code(&r, NGHTTP2_RST_STREAM), code);
    ask(101, head_ok);
    assert_int_equal(r.w.served, 1);
}

/* ---- Resets -------------------------------------------------------------- */

static void
test_rapid_reset(void **state)
{
    uint32_t id, n = 0;

    (void)state;
    for (id = 1; !is_over() && n < 5000; id += 2, n++) {
        ask(id, head_later);
        word(NGHTTP2_RST_STREAM, id, NGHTTP2_CANCEL);
        while (rig_answer(&r))
            continue;
    }
    expect_calm(n, 100);
}

/* Errors of a stream that are ours to answer with a reset. */
static void
test_resets_that_are_provoked(void **state)
{
    static const char bad[] = "\x83\x86\x04\x05/echo\x01\x01"
                              "a\x00\x01X\x01y";
    uint32_t id, n = 0;

    (void)state;
    for (id = 1; !is_over() && n < 5000; id += 2, n++)
        frame(NGHTTP2_HEADERS, END_HEADERS, id, bad, sizeof bad - 1);
    expect_calm(n, 100);
    assert_true(r.w.home.live < 20);
}

/* Some versions of nghttp2 take that for the end of the connection. */
static void
test_windows_that_overflow(void **state)
{
    uint32_t id, n = 0;

    (void)state;
    for (id = 1; !is_over() && n < 5000; id += 2, n++) {
        frame(NGHTTP2_HEADERS, END_HEADERS, id, head_echo, strlen(head_echo));
        word(NGHTTP2_WINDOW_UPDATE, id, INT32_MAX);
    }
    assert_true(is_over());
    assert_true(r.w.home.live < 20);
}

static void
test_refusals_cost_what_resets_do(void **state)
{
    uint32_t id = 1, n = 0;

    (void)state;
    for (; n < 128; id += 2, n++)
        ask(id, head_later);
    assert_int_equal(r.w.served, 128);
    for (n = 0; !is_over() && n < 5000; id += 2, n++)
        ask(id, head_later);
    expect_calm(n, 100);
    assert_int_equal(r.w.served, 128);
}

static void
test_time_forgives_resets(void **state)
{
    uint32_t id = 1, n;

    (void)state;
    for (n = 0; n < 900; id += 2, n++) {
        ask(id, head_ok);
        frame(NGHTTP2_HEADERS, END_HEADERS, id += 2, head_echo,
              strlen(head_echo));
        word(NGHTTP2_RST_STREAM, id, NGHTTP2_CANCEL);
        r.w.home.now_ms += 50;
    }
    assert_false(is_over());
}

/* ---- Field blocks -------------------------------------------------------- */

static void
test_empty_continuations(void **state)
{
    unsigned n = 0;

    (void)state;
    frame(NGHTTP2_HEADERS, END_STREAM, 1, head_ok, strlen(head_ok));
    for (; !is_over() && n < 5000; n++)
        frame(NGHTTP2_CONTINUATION, 0, 1, NULL, 0);
    expect_calm(n, 5);
}

static void
test_large_continuations(void **state)
{
    static char field[16000] = "\x00\x01x\x7f\xff\x7a"; /* a value of 15737 */
    unsigned n = 0;

    (void)state;
    memset(field + 6, 'v', sizeof field - 6);
    frame(NGHTTP2_HEADERS, END_STREAM, 1, head_ok, strlen(head_ok));
    for (; !is_over() && n < 50; n++)
        frame(NGHTTP2_CONTINUATION, 0, 1, field, sizeof field);
    assert_true(is_over());
    assert_true(n <= 8);
    assert_true(r.w.home.live <= 1);
}

/* An entry of 3 KiB, and then one octet for each time it is named. */
static void
test_a_bomb_of_indexed_fields(void **state)
{
    static char block[12000];
    size_t n = strlen(head_ok);

    (void)state;
    memcpy(block, head_ok, n);
    memcpy(block + n, "\x40\x01x\x7f\x81\x16", 6); /* 2944 octets */
    memset(block + n + 6, 'v', 2944);
    n += 6 + 2944;
    memset(block + n, 0xbe, 8000);
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, block, n + 8000);
    expect_calm(1, 1);
    assert_int_equal(r.w.served, 0);
}

static void
test_a_head_beyond_the_limit_is_answered(void **state)
{
    static char block[12000];
    size_t n = strlen(head_ok);

    (void)state;
    memcpy(block, head_ok, n);
    memcpy(block + n, "\x40\x01x\x7f\x81\x16", 6);
    memset(block + n + 6, 'v', 2944);
    n += 6 + 2944;
    memset(block + n, 0xbe, 6);
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, block, n + 6);
    assert_false(is_over());
    assert_int_equal(r.w.served, 0);
    assert_true(rig_frames(&r, NGHTTP2_DATA, NULL) == 1);
    ask(3, head_ok);
    assert_int_equal(r.w.served, 1);
}

static void
test_a_hundred_fields_and_no_more(void **state)
{
    char block[600];
    size_t n = strlen(head_ok), i;

    (void)state;
    memcpy(block, head_ok, n);
    for (i = 0; i < 101; i++)
        memcpy(block + n + 5 * i, "\x00\x01x\x01y", 5);
    /* Host, which :authority stands for, is not one that the client sent. */
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, block, n + 5 * 100);
    assert_int_equal(r.w.served, 1);
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 3, block, n + 5 * 101);
    assert_int_equal(r.w.served, 1);
    assert_false(is_over());
}

/* ---- Frames that are no requests ----------------------------------------- */

static void
test_pings(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; !is_over() && n < 5000; n++)
        frame(NGHTTP2_PING, 0, 0, "12345678", 8);
    expect_calm(n, 500);
}

static void
test_settings(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; !is_over() && n < 5000; n++)
        frame(NGHTTP2_SETTINGS, 0, 0, "\0\1\0\0\20\0", 6);
    expect_calm(n, 100);
}

static void
test_priorities(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; !is_over() && n < 5000; n++)
        frame(NGHTTP2_PRIORITY, 0, 3 + 2 * n, "\0\0\0\1\20", 5);
    expect_calm(n, 500);
    r.w.home.now_ms += 1;
}

static void
test_updates_of_priorities(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; !is_over() && n < 5000; n++)
        frame(0x10, 0, 0, "\0\0\0\1u=1", 7);
    assert_true(is_over());
    assert_true(n >= 500);
}

static void
test_windows_that_open_by_an_octet(void **state)
{
    unsigned n = 0;

    (void)state;
    ask(1, head_later);
    for (; !is_over() && n < 5000; n++)
        word(NGHTTP2_WINDOW_UPDATE, 1, 1);
    expect_calm(n, 500);
    assert_int_equal(r.w.canceled, 1);
}

static void
test_data_without_any(void **state)
{
    unsigned n = 0;

    (void)state;
    frame(NGHTTP2_HEADERS, END_HEADERS, 1, head_echo, strlen(head_echo));
    for (; !is_over() && n < 5000; n++)
        frame(NGHTTP2_DATA, n & 1 ? PADDED : 0, 1, "\3\0\0\0", n & 1 ? 4 : 0);
    expect_calm(n, 500);
}

static void
test_frames_of_no_known_kind(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; !is_over() && n < 5000; n++)
        frame(0xbe, 0, 0, "what", 4);
    expect_calm(n, 500);
}

static void
test_short_data_is_no_offence(void **state)
{
    unsigned n;

    (void)state;
    frame(NGHTTP2_HEADERS, END_HEADERS, 1, head_echo, strlen(head_echo));
    for (n = 0; n < 5000; n++)
        frame(NGHTTP2_DATA, 0, 1, "x", 1);
    assert_false(is_over());
    frame(NGHTTP2_DATA, END_STREAM, 1, "", 0);
    assert_int_equal(rig_frames(&r, NGHTTP2_DATA, NULL), 1);
}

static void
test_one_that_does_not_read_its_acks_is_not_read(void **state)
{
    unsigned n, taken = 0;

    (void)state;
    r.w.config.out_limit = 1000;
    for (n = 0; n < 500; n++) {
        static const char ping[] = "\0\0\x8\6\0\0\0\0\0"
                                   "12345678";

        taken += rig_give(&r, ping, 17) != 0;
    }
    assert_in_range(taken, 50, 70);
    assert_true(r.w.out.bytes <= 1100);
    rig_drain(&r);
}

/* ---- Malformed ----------------------------------------------------------- */

static void
test_malformed_requests_cost_their_stream(void **state)
{
    static const struct {
        const char *what;
        const char *more; /* behind a good head */
    } bad[] = {
        {"a name in upper case", "\x00\x01X\x01y"},
        {"a name with a blank", "\x00\x02x \x01y"},
        {"no name", "\x00\x00\x01y"},
        {"connection", "\x00\x0a"
                       "connection\x05"
                       "close"},
        {"transfer-encoding", "\x00\x11transfer-encoding\x07"
                              "chunked"},
        {"upgrade", "\x00\x07upgrade\x03h2c"},
        {"keep-alive", "\x00\x0akeep-alive\x01"
                       "1"},
        {"te that is not trailers", "\x00\x02te\x04gzip"},
        {"a pseudo-header behind a field", "\x00\x01x\x01y\x82"},
        {"an unknown pseudo-header", "\x00\x02:x\x01y"},
        {"two paths", "\x04\x03/ok"},
        {"a value with a line feed", "\x00\x01x\x03"
                                     "a\nb"},
        {"a value with a return", "\x00\x01x\x03"
                                  "a\rb"},
        {"a value with a blank before it", "\x00\x01x\x02 a"},
        {"a length that is none", "\x00\x0e"
                                  "content-length\x02"
                                  "1x"},
    };
    size_t i;
    char block[200];

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t n = strlen(head_ok);
        /* Those that begin with an index of 0 have NULs inside. */
        size_t more = 0;

        memcpy(block, head_ok, n);
        if (bad[i].more[0] == 0) {
            size_t name = (unsigned char)bad[i].more[1];

            more = 2 + name + 1 + (unsigned char)bad[i].more[2 + name];
            if (!strcmp(bad[i].what, "a pseudo-header behind a field"))
                more++;
        } else {
            more = strlen(bad[i].more);
        }
        memcpy(block + n, bad[i].more, more);
        frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, (uint32_t)(1 + 2 * i),
              block, n + more);
        if (is_over() || rig_frames(&r, NGHTTP2_RST_STREAM, NULL) != i + 1 ||
            rig_code(&r, NGHTTP2_RST_STREAM) != NGHTTP2_PROTOCOL_ERROR)
            fail_msg("%s", bad[i].what);
    }
    expect_reset(NGHTTP2_PROTOCOL_ERROR);
}

static void
test_a_host_that_is_another_than_the_authority(void **state)
{
    static const char host[] = "\x82\x86\x04\x03/ok\x41\x01"
                               "a\x00\x04host\x01"
                               "b";

    (void)state;
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, host, sizeof host - 1);
    assert_int_equal(r.w.served, 0);
    assert_int_equal(r.h2->malformed, 1);
    assert_int_equal(rig_frames(&r, NGHTTP2_DATA, NULL), 1); /* of the 400 */
}

static void
test_targets_and_authorities_that_are_none(void **state)
{
    static const char *const bad[] = {
        "\x82\x86\x04\x04/o#k\x41\x01"
        "a",
        "\x82\x86\x04\x04/%zz\x41\x01"
        "a",
        "\x82\x86\x04\x03/ok\x41\x03"
        "a@b",
        "\x82\x86\x04\x03/ok\x41\x03"
        "a:x",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ask((uint32_t)(1 + 2 * i), bad[i]);
    assert_false(is_over());
    assert_int_equal(r.w.served, 0);
    assert_int_equal(rig_frames(&r, NGHTTP2_DATA, NULL) +
                         rig_frames(&r, NGHTTP2_RST_STREAM, NULL),
                     4);
}

static void
test_a_target_beyond_the_limit(void **state)
{
    static char block[9000] = "\x82\x86\x41\x01"
                              "a\x04\x7f\x82\x3f"; /* 8193 octets */

    (void)state;
    memset(block + 9, '/', 8193);
    frame(NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, block, 9 + 8193);
    assert_int_equal(r.w.served, 0);
    assert_false(is_over());
    assert_int_equal(rig_frames(&r, NGHTTP2_DATA, NULL), 1);
}

static void
test_a_length_that_does_not_come_true(void **state)
{
    static const char six[] = "\x83\x86\x04\x05/echo\x41\x01"
                              "a\x00\x0e"
                              "content-length\x01"
                              "6";

    (void)state;
    frame(NGHTTP2_HEADERS, END_HEADERS, 1, six, sizeof six - 1);
    frame(NGHTTP2_DATA, END_STREAM, 1, "five!", 5);
    r.w.served = 0;
    expect_reset(NGHTTP2_PROTOCOL_ERROR);
}

/* ---- Frames for streams that are closed ---------------------------------- */

static void
test_data_for_a_stream_that_has_ended(void **state)
{
    (void)state;
    ask(1, head_ok);
    frame(NGHTTP2_DATA, 0, 1, "more", 4);
    expect_end(NGHTTP2_STREAM_CLOSED);
}

static void
test_data_for_a_stream_that_we_reset_may_be_on_its_way(void **state)
{
    static const char bad[] = "\x83\x86\x04\x05/echo\x01\x01"
                              "a\x00\x01X\x01y";

    (void)state;
    frame(NGHTTP2_HEADERS, END_HEADERS, 1, bad, sizeof bad - 1);
    frame(NGHTTP2_DATA, 0, 1, "more", 4);
    expect_reset(NGHTTP2_PROTOCOL_ERROR);
}

static void
test_a_stream_that_begins_behind_a_later_one(void **state)
{
    (void)state;
    ask(5, head_ok);
    ask(3, head_ok);
    expect_end(NGHTTP2_STREAM_CLOSED);
}

static void
test_a_window_that_opens_by_nothing(void **state)
{
    (void)state;
    ask(1, head_later);
    word(NGHTTP2_WINDOW_UPDATE, 1, 0);
    expect_end(NGHTTP2_PROTOCOL_ERROR);
}

static void
test_a_stream_that_depends_on_itself(void **state)
{
    (void)state;
    frame(NGHTTP2_PRIORITY, 0, 3, "\0\0\0\3\20", 5);
    expect_end(NGHTTP2_PROTOCOL_ERROR);
}

static void
test_no_preface(void **state)
{
    (void)state;
    rig_close(&r);
    rig_home(&r);
    assert_int_equal(rig_open(&r), 0);
    rig_feed(&r, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
    expect_end(NGHTTP2_PROTOCOL_ERROR);
}

/* ---- Bystanders ---------------------------------------------------------- */

static void
test_who_is_at_fault_is_alone_in_it(void **state)
{
    struct rig other, mine;
    unsigned n;

    (void)state;
    mine = r;
    rig_here = &r;
    ask(1, head_ok);
    assert_int_equal(r.w.served, 1);
    for (n = 0; !is_over() && n < 5000; n++)
        frame(NGHTTP2_PING, 0, 0, "12345678", 8);
    (void)mine;
    memset(&other, 0, sizeof other);
    /* Another connection of the same home. */
    other.h2 = r.h2;
    assert_int_equal(rig_open(&r), 0);
    r.w.output_len = 0;
    rig_feed(&r, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    frame(NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    ask(1, head_ok);
    assert_int_equal(r.w.served, 2);
    other.h2->ops->close(other.h2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rapid_reset, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_resets_that_are_provoked, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_windows_that_overflow, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_refusals_cost_what_resets_do,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_time_forgives_resets, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_empty_continuations, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_large_continuations, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_a_bomb_of_indexed_fields, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(
            test_a_head_beyond_the_limit_is_answered, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_a_hundred_fields_and_no_more,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_pings, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_settings, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_priorities, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_updates_of_priorities, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_windows_that_open_by_an_octet,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_data_without_any, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_frames_of_no_known_kind, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(test_short_data_is_no_offence, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(
            test_one_that_does_not_read_its_acks_is_not_read, open_rig,
            close_rig),
        cmocka_unit_test_setup_teardown(
            test_malformed_requests_cost_their_stream, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(
            test_a_host_that_is_another_than_the_authority, open_rig,
            close_rig),
        cmocka_unit_test_setup_teardown(
            test_targets_and_authorities_that_are_none, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_a_target_beyond_the_limit,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_a_length_that_does_not_come_true,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_data_for_a_stream_that_has_ended,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(
            test_data_for_a_stream_that_we_reset_may_be_on_its_way, open_rig,
            close_rig),
        cmocka_unit_test_setup_teardown(
            test_a_stream_that_begins_behind_a_later_one, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_a_window_that_opens_by_nothing,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_a_stream_that_depends_on_itself,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_no_preface, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_who_is_at_fault_is_alone_in_it,
                                        open_rig, close_rig),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
