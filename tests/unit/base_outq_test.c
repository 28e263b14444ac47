/* SPDX-License-Identifier: Apache-2.0 */
/* base/outq.c: what goes in comes out in order, and releases with it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>
#include <volo/error.h>

#include "base/home.h"
#include "base/outq.h"

static struct volo__home *home;
static struct volo__outq q;
static int asked, alive, refuse_after;

static void *
count(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        alive--;
        free(ptr);
        return NULL;
    }
    if (refuse_after >= 0 && refuse_after-- == 0) {
        refuse_after = 0;
        return NULL;
    }
    asked++;
    alive += !ptr;
    return realloc(ptr, size);
}

static void
never(struct volo__home *h)
{
    (void)h;
    fail();
}

static void
destroy(struct volo__home *h)
{
    free(h);
}

static int
set_up(void **state)
{
    (void)state;
    asked = alive = 0;
    refuse_after = -1;
    volo_set_allocator(count, NULL);
    home = malloc(sizeof *home);
    volo__home_init(home, never, destroy);
    volo__outq_init(&q, home);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    volo__outq_clear(&q);
    volo__home_retire(home);
    volo_set_allocator(NULL, NULL);
    return alive;
}

/* All that waits, as one text. */
static size_t
gather(char *out)
{
    struct iovec iov[64];
    int n = volo__outq_iov(&q, iov, 64), i;
    size_t len = 0;

    for (i = 0; i < n; i++) {
        assert_true(iov[i].iov_len > 0);
        memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    return len;
}

static char log_text[64];

static void
note(void *user)
{
    strcat(log_text, user);
}

static void
test_small_copies_become_one_piece(void **state)
{
    struct iovec iov[4];
    char *room;

    (void)state;
    assert_int_equal(volo__outq_copy(&q, "head ", 5), 0);
    room = volo__outq_reserve(&q, 100);
    memcpy(room, "body", 4);
    volo__outq_commit(&q, 4);
    assert_int_equal(volo__outq_copy(&q, "", 0), 0);
    assert_int_equal(volo__outq_iov(&q, iov, 4), 1);
    assert_int_equal(iov[0].iov_len, 9);
    assert_memory_equal(iov[0].iov_base, "head body", 9);
    assert_int_equal(q.bytes, 9);
}

static void
test_references_lie_between_copies_in_order(void **state)
{
    char text[64];

    (void)state;
    log_text[0] = 0;
    volo__outq_copy(&q, "a", 1);
    volo__outq_ref(&q, "REF", 3, note, "1");
    volo__outq_copy(&q, "b", 1);
    volo__outq_ref(&q, "ref", 3, NULL, NULL);
    assert_int_equal(gather(text), 8);
    assert_memory_equal(text, "aREFbref", 8);
    volo__outq_sent(&q, 3);
    assert_string_equal(log_text, "");
    assert_int_equal(gather(text), 5);
    assert_memory_equal(text, "Fbref", 5);
    volo__outq_sent(&q, 1);
    assert_string_equal(log_text, "1");
    volo__outq_sent(&q, 4);
    assert_int_equal(q.bytes, 0);
    assert_null(q.head);
}

static void
test_many_answers_with_bodies_share_a_block(void **state)
{
    int i, before;

    (void)state;
    volo__outq_copy(&q, "x", 1);
    volo__outq_sent(&q, 1);
    before = asked;
    for (i = 0; i < 64; i++) {
        volo__outq_copy(&q, "HTTP/1.1 200 OK\r\n\r\n", 19);
        volo__outq_ref(&q, "body", 4, NULL, NULL);
    }
    /* Only nodes, no second block. */
    assert_true(asked - before <= 128);
    assert_int_equal(home->outs.count, 0);
    volo__outq_sent(&q, 64 * 23);
    assert_int_equal(home->outs.count, 1);
}

static void
test_the_steady_state_asks_for_no_memory(void **state)
{
    struct iovec iov[2];
    int i, before = 0;

    (void)state;
    for (i = 0; i < 10; i++) {
        assert_non_null(volo__outq_reserve(&q, 150));
        volo__outq_commit(&q, 150);
        volo__outq_ref(&q, "body", 4, NULL, NULL);
        assert_int_equal(volo__outq_iov(&q, iov, 2), 2);
        volo__outq_sent(&q, 154);
        if (i == 0)
            before = asked;
    }
    assert_int_equal(asked, before);
    assert_null(q.out);
}

static void
test_a_mark_goes_when_all_before_it_has_left(void **state)
{
    (void)state;
    log_text[0] = 0;
    volo__outq_copy(&q, "abc", 3);
    volo__outq_ref(&q, NULL, 0, note, "m");
    volo__outq_copy(&q, "d", 1);
    volo__outq_sent(&q, 2);
    assert_string_equal(log_text, "");
    volo__outq_sent(&q, 1);
    assert_string_equal(log_text, "m");
    volo__outq_sent(&q, 1);
    volo__outq_ref(&q, NULL, 0, note, "n");
    assert_string_equal(log_text, "m");
    volo__outq_sent(&q, 0);
    assert_string_equal(log_text, "mn");
}

static int more_times;

static void
append_more(void *user)
{
    (void)user;
    if (more_times-- > 0) {
        assert_int_equal(volo__outq_copy(&q, "more", 4), 0);
        assert_int_equal(volo__outq_ref(&q, "!", 1, append_more, NULL), 0);
    }
}

static void
test_a_release_may_append(void **state)
{
    char text[64];

    (void)state;
    more_times = 2;
    volo__outq_ref(&q, "x", 1, append_more, NULL);
    volo__outq_sent(&q, 1);
    assert_int_equal(gather(text), 5);
    assert_memory_equal(text, "more!", 5);
    volo__outq_sent(&q, 5);
    assert_int_equal(q.bytes, 5);
    volo__outq_clear(&q);
    assert_int_equal(q.bytes, 0);
    more_times = 2;
    volo__outq_ref(&q, "x", 1, append_more, NULL);
    volo__outq_clear(&q);
    assert_int_equal(q.bytes, 0);
    assert_int_equal(more_times, -1);
}

static void
test_clearing_releases_in_order_and_keeps_nothing(void **state)
{
    (void)state;
    log_text[0] = 0;
    volo__outq_copy(&q, "a", 1);
    volo__outq_ref(&q, "b", 1, note, "1");
    volo__outq_ref(&q, "", 0, note, "2");
    volo__outq_ref(&q, "c", 1, note, "3");
    volo__outq_sent(&q, 1);
    volo__outq_clear(&q);
    assert_string_equal(log_text, "123");
    assert_int_equal(q.bytes, 0);
    assert_null(q.out);
    assert_int_equal(home->outs.count, 1);
    assert_int_equal(home->segs.count, 4);
}

static void
test_more_than_a_block_is_copied_whole(void **state)
{
    char *text = malloc(100000), *back = malloc(100000);
    size_t i;

    (void)state;
    for (i = 0; i < 100000; i++)
        text[i] = (char)(i * 31 >> 3);
    assert_int_equal(volo__outq_copy(&q, text, 100000), 0);
    assert_int_equal(gather(back), 100000);
    assert_memory_equal(back, text, 100000);
    volo__outq_sent(&q, 99999);
    assert_int_equal(gather(back), 1);
    assert_int_equal(back[0], text[99999]);
    volo__outq_sent(&q, 1);
    assert_null(volo__outq_reserve(&q, VOLO__OUT_SIZE));
    free(text);
    free(back);
}

static void
test_blocks_follow_each_other_when_they_are_full(void **state)
{
    static char text[VOLO__OUT_SIZE * 4], back[VOLO__OUT_SIZE * 4];
    size_t i, n = 0;

    (void)state;
    for (i = 0; i + 700 <= sizeof text; i += 700) {
        memset(text + i, (int)(i / 700), 700);
        assert_int_equal(volo__outq_copy(&q, text + i, 700), 0);
        n += 700;
    }
    assert_int_equal(gather(back), n);
    assert_memory_equal(back, text, n);
    volo__outq_sent(&q, n);
    assert_int_equal(home->outs.count, 5);
}

static void
test_iov_gives_no_more_than_asked_for(void **state)
{
    struct iovec iov[3] = {{0}};
    int i;

    (void)state;
    for (i = 0; i < 5; i++)
        volo__outq_ref(&q, "ab", 2, NULL, NULL);
    assert_int_equal(volo__outq_iov(&q, iov, 2), 2);
    assert_null(iov[2].iov_base);
    assert_int_equal(volo__outq_iov(&q, iov, 0), 0);
}

/* A script of everything, with the n-th allocation failing: what was refused
 * is not there, all else is. */
static int
run_script(int n, int *refused)
{
    static char big[VOLO__OUT_SIZE];
    char got[VOLO__OUT_SIZE * 3], want[VOLO__OUT_SIZE * 3];
    size_t len = 0;
    int i, rc;

    refuse_after = n;
    log_text[0] = 0;
    *refused = 0;
    for (i = 0; i < 12; i++) {
        const char *text = i % 3 == 1 ? big : "0123456789";
        size_t size = i == 4 ? sizeof big : i % 3 == 1 ? 5000 : 10;

        rc = i % 3 == 2 ? volo__outq_ref(&q, text, size, note, "r")
                        : volo__outq_copy(&q, text, size);
        if (rc < 0) {
            assert_int_equal(rc, VOLO_ENOMEM);
            ++*refused;
        } else {
            memcpy(want + len, text, size);
            len += size;
        }
        if (len > VOLO__OUT_SIZE)
            break;
        refuse_after = n > 0 && refuse_after == 0 ? -1 : refuse_after;
    }
    assert_int_equal(q.bytes, len);
    assert_int_equal(gather(got), len);
    assert_memory_equal(got, want, len);
    n = refuse_after;
    refuse_after = -1;
    volo__outq_clear(&q);
    return n;
}

static void
test_without_memory_a_piece_is_left_out_whole(void **state)
{
    int n, refused, total = 0;

    (void)state;
    for (n = 0; n < 30; n++) {
        /* A fresh home has empty caches. */
        volo__home_retire(home);
        home = malloc(sizeof *home);
        volo__home_init(home, never, destroy);
        volo__outq_init(&q, home);
        run_script(n, &refused);
        total += refused;
    }
    assert_true(total > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_small_copies_become_one_piece),
        TEST(test_references_lie_between_copies_in_order),
        TEST(test_many_answers_with_bodies_share_a_block),
        TEST(test_the_steady_state_asks_for_no_memory),
        TEST(test_a_mark_goes_when_all_before_it_has_left),
        TEST(test_a_release_may_append),
        TEST(test_clearing_releases_in_order_and_keeps_nothing),
        TEST(test_more_than_a_block_is_copied_whole),
        TEST(test_blocks_follow_each_other_when_they_are_full),
        TEST(test_iov_gives_no_more_than_asked_for),
        TEST(test_without_memory_a_piece_is_left_out_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
