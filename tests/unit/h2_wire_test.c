/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations that come whole, in two pieces split at every point, and octet
 * by octet: the same is said on every stream.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/h2_frames.h"
#include "wire/h2_reader.h"

enum { END_STREAM = 1, END_HEADERS = 4, PADDED = 8, PRIORITY = 0x20 };

static struct frames f;

static void
talk(struct heard *heard, size_t first, size_t step)
{
    struct rig r;
    size_t at = 0, n;

    rig_home(&r);
    r.w.no_block = step & 1;
    assert_int_equal(rig_open(&r), 0);
    while (at < f.len) {
        n = at || !first ? step : first;
        if (n > f.len - at)
            n = f.len - at;
        rig_feed(&r, f.text + at, n);
        at += n;
    }
    while (rig_answer(&r))
        rig_drain(&r);
    rig_end_writer(&r, 1);
    r.h2->ops->output_left(r.h2);
    rig_drain(&r);
    heard_all(heard, &r);
    assert_int_equal(rig_close(&r), 0);
    assert_int_equal(r.w.finished, r.w.served);
}

static void
same(const struct heard *a, const struct heard *b, size_t at)
{
    size_t i;

    for (i = 0; i < HEARD_STREAMS; i++)
        if (strcmp(a->text[i], b->text[i]) || a->octets[i] != b->octets[i])
            fail_msg("stream %zu, split at %zu:\n%s\n--- instead of\n%s",
                     2 * i + 1, at, b->text[i], a->text[i]);
    if (a->end != b->end)
        fail_msg("split at %zu: ends with %d and not %d", at, b->end, a->end);
}

/* ${want} is on stream 1. */
static void
play(const char *want, int end)
{
    static struct heard whole, parts;
    size_t i;

    talk(&whole, 0, f.len);
    if (want)
        assert_string_equal(whole.text[0], want);
    assert_int_equal(whole.end, end);
    for (i = 1; i < f.len; i++) {
        talk(&parts, i, f.len);
        same(&whole, &parts, i);
    }
    for (i = 1; i <= 13; i += 3) {
        talk(&parts, 0, i);
        same(&whole, &parts, 0);
    }
}

#define OK_HEAD(length) \
    ":status=200\ndate=\ncontent-type=text/plain\ncontent-length=" length "\n"

static void
test_requests(void **state)
{
    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/ok", NULL, 0, END_STREAM);
    frames_ask(&f, 3, 2, "/pieces", NULL, 0, END_STREAM);
    frames_ask(&f, 5, 2, "/later", NULL, 0, END_STREAM);
    frames_ask(&f, 7, 2, "/open", NULL, 0, END_STREAM);
    frames_ask(&f, 9, 2, "/short", NULL, 0, END_STREAM);
    play(OK_HEAD("3") "ok\n(end)", -1);
}

static void
test_bodies_in_frames(void **state)
{
    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 3, "/echo", NULL, 0, 0);
    frames_ask(&f, 3, 3, "/count", NULL, 0, 0);
    frames_add(&f, 0, 0, 1, "one ", 4);
    frames_add(&f, 0, PADDED, 3, "\2four\0\0", 7);
    frames_add(&f, 0, PADDED, 1, "\1two \0", 6);
    frames_add(&f, 0, END_STREAM, 3, "five5", 5);
    frames_add(&f, 0, END_STREAM, 1, "three", 5);
    play(OK_HEAD("13") "one two three(end)", -1);
}

static void
test_trailers(void **state)
{
    static const char trailer[] = "\x00\x05x-sum\x03"
                                  "abc";

    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 3, "/show", NULL, 0, 0);
    frames_add(&f, 0, 0, 1, "text", 4);
    frames_add(&f, 1, END_STREAM | END_HEADERS, 1, trailer, sizeof trailer - 1);
    play(OK_HEAD("53") "POST /show 20 [a] [/show] []\nhost=a;\n+x-sum=abc;\n"
                       "text(end)",
         -1);
}

static void
test_heads_in_several_frames(void **state)
{
    (void)state;
    frames_begin(&f);
    frames_add(&f, 1, END_STREAM | PRIORITY, 1,
               "\0\0\0\0\x10\x82\x86\x04\x03/o", 11);
    frames_add(&f, 9, 0, 1, "k\x41\x01", 3);
    frames_add(&f, 9, 0, 1, NULL, 0);
    frames_add(&f, 9, END_HEADERS, 1, "a", 1);
    play(OK_HEAD("3") "ok\n(end)", -1);
}

static void
test_cookies_in_crumbs(void **state)
{
    static const char crumbs[] = "\x60\x03"
                                 "a=1"
                                 "\x00\x01x\x01y"
                                 "\x60\x03"
                                 "b=2";

    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/show", crumbs, sizeof crumbs - 1, END_STREAM);
    play(OK_HEAD("58") "GET /show 20 [a] [/show] []\nhost=a;\n"
                       "cookie=a=1; b=2;\nx=y;\n(end)",
         -1);
}

static void
test_refusals(void **state)
{
    static const char upper[] = "\x00\x01X\x01y";

    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/o#k", NULL, 0, END_STREAM);
    frames_ask(&f, 3, 2, "/ok", upper, sizeof upper - 1, END_STREAM);
    frames_ask(&f, 5, 2, "/ok", NULL, 0, END_STREAM);
    play(NULL, -1);
}

static void
test_frames_around_requests(void **state)
{
    (void)state;
    frames_begin(&f);
    frames_add(&f, 6, 0, 0, "12345678", 8);
    frames_add(&f, 2, 0, 3, "\0\0\0\1\x10", 5);
    frames_add(&f, 0xfa, 0, 0, "unknown", 7);
    frames_ask(&f, 1, 2, "/ok", NULL, 0, END_STREAM);
    frames_add(&f, 8, 0, 0, "\0\0\1\0", 4);
    frames_add(&f, 4, 0, 0, "\0\4\0\0\0\5", 6);
    frames_ask(&f, 3, 2, "/known", NULL, 0, END_STREAM);
    frames_add(&f, 8, 0, 3, "\0\0\0\1", 4);
    play(OK_HEAD("3") "ok\n(end)", -1);
}

static void
test_errors_of_the_connection(void **state)
{
    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/later", NULL, 0, END_STREAM);
    frames_add(&f, 8, 0, 1, "\0\0\0\0", 4);
    play("", NGHTTP2_PROTOCOL_ERROR);

    frames_begin(&f);
    frames_add(&f, 4, 0, 0, "\0\4\xff\xff\xff\xff", 6);
    play("", NGHTTP2_FLOW_CONTROL_ERROR);

    frames_begin(&f);
    frames_add(&f, 1, END_STREAM | END_HEADERS, 1, "\xbf", 1);
    play("", NGHTTP2_COMPRESSION_ERROR);

    frames_begin(&f);
    f.text[3] = 'X';
    play("", NGHTTP2_PROTOCOL_ERROR);
}

static void
test_a_client_that_goes_away(void **state)
{
    (void)state;
    frames_begin(&f);
    frames_ask(&f, 1, 2, "/later", NULL, 0, END_STREAM);
    frames_add(&f, 7, 0, 0, "\0\0\0\0\0\0\0\0", 8);
    play(OK_HEAD("6") "/later(end)", -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_bodies_in_frames),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_heads_in_several_frames),
        cmocka_unit_test(test_cookies_in_crumbs),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_frames_around_requests),
        cmocka_unit_test(test_errors_of_the_connection),
        cmocka_unit_test(test_a_client_that_goes_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
