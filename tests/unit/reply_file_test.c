/* SPDX-License-Identifier: Apache-2.0 */
/* Files as answers, also those that change while they are sent. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* One handler, one request. */
static volo_test_response *
answer_of(struct rig *rig, volo_service_fn fn, void *user, const char *method)
{
    rig_service(rig, fn, user);
    rig_open(rig);
    return rig_ask(rig, method, "/");
}

static char path[64];

static void
make_file(size_t size)
{
    char *octets = malloc(size + 1);
    size_t i;
    int fd;

    strcpy(path, "/tmp/volo-reply-XXXXXX.css");
    fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    for (i = 0; i < size; i++)
        octets[i] = (char)('a' + i % 26);
    assert_int_equal(write(fd, octets, size), size);
    free(octets);
    close(fd);
}

static void
file(volo_cx *cx, void *user)
{
    volo_reply_file(cx, user, NULL);
}

static void
test_a_file_is_streamed_with_its_type_and_length(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    make_file(300000);
    r = answer_of(&rig, file, path, "GET");
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_header(r, "content-type"), "text/css; charset=utf-8");
    assert_str(volo_test_header(r, "content-length"), "300000");
    assert_int_equal(volo_test_header(r, "last-modified").len, 29);
    assert_int_equal(volo_test_body(r).len, 300000);
    assert_int_equal(volo_test_body(r).ptr[299999], 'a' + 299999 % 26);
    rig_close(&rig);

    r = answer_of(&rig, file, path, "HEAD");
    assert_str(volo_test_header(r, "content-length"), "300000");
    assert_int_equal(volo_test_body(r).len, 0);
    rig_close(&rig);
    unlink(path);

    make_file(0);
    r = answer_of(&rig, file, path, "GET");
    assert_str(volo_test_header(r, "content-length"), "0");
    rig_close(&rig);
    unlink(path);
}

static void
test_what_is_no_file_is_404(void **state)
{
    struct rig rig;

    (void)state;
    assert_int_equal(volo_test_status(answer_of(
                         &rig, file, (void *)(uintptr_t) "/no/such", "GET")),
                     404);
    rig_close(&rig);
    assert_int_equal(volo_test_status(answer_of(
                         &rig, file, (void *)(uintptr_t) "/tmp", "GET")),
                     404);
    rig_close(&rig);
    assert_int_equal(volo_test_status(answer_of(
                         &rig, file, (void *)(uintptr_t) "/dev/null", "GET")),
                     404);
    rig_close(&rig);
}

/* ---- Files that change ------------------------------------------------------
 */

static off_t new_size;

/* After the file was measured, before it is read. */
static void
resize(volo_cx *cx, void *frame)
{
    (void)cx;
    (void)frame;
    assert_int_equal(truncate(path, new_size), 0);
}

static void
resizing(volo_cx *cx, volo_next *next, void *user)
{
    (void)user;
    volo_next_run(next, cx, resize, NULL);
}

static int
send_changing(volo_test_response **r, struct rig *rig, const char *method,
              off_t size)
{
    volo_test_request *request;

    make_file(100000);
    new_size = size;
    rig_service(rig, file, path);
    volo_service_layer(rig->service, resizing, NULL, NULL);
    rig_open(rig);
    volo_test_request_new(&request, rig->client, method, "/");
    return volo_test_send(r, rig->client, request);
}

static void
test_a_file_that_shrinks_cuts_the_answer_off(void **state)
{
    off_t sizes[] = {0, 1, 50000, 99999};
    volo_test_response *r;
    struct rig rig;
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        assert_int_equal(send_changing(&r, &rig, "GET", sizes[i]), VOLO_EPROTO);
        rig_close(&rig);
        unlink(path);
    }
}

static void
test_a_file_that_grows_ends_where_it_ended(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_changing(&r, &rig, "GET", 300000), 0);
    assert_str(volo_test_header(r, "content-length"), "100000");
    assert_int_equal(volo_test_body(r).len, 100000);
    rig_close(&rig);
    unlink(path);
}

/* Nothing is read: else it would be noticed that nothing is there. */
static void
test_head_reads_nothing_of_a_file(void **state)
{
    volo_test_response *r;
    struct rig rig;

    (void)state;
    assert_int_equal(send_changing(&r, &rig, "HEAD", 0), 0);
    assert_int_equal(volo_test_status(r), 200);
    assert_str(volo_test_header(r, "content-length"), "100000");
    rig_close(&rig);
    unlink(path);
}

static int
open_files(void)
{
    int fd, n = 0;

    for (fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

static void
file_of_type(volo_cx *cx, void *user)
{
    volo_reply_file(cx, path, user);
}

static void
test_a_type_may_be_given_and_files_are_closed(void **state)
{
    int before = open_files();
    volo_test_response *r;
    struct rig rig;

    (void)state;
    make_file(10);
    r = answer_of(&rig, file_of_type, (void *)(uintptr_t) "a/b", "GET");
    assert_str(volo_test_header(r, "content-type"), "a/b");
    rig_close(&rig);
    r = answer_of(&rig, file_of_type, (void *)(uintptr_t) "a\nb", "GET");
    assert_int_equal(volo_test_status(r), 500);
    rig_close(&rig);
    unlink(path);
    assert_int_equal(open_files(), before);
}

static void
test_a_fifo_is_no_file_and_nobody_waits_for_it(void **state)
{
    struct rig rig;

    (void)state;
    make_file(0);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(volo_test_status(answer_of(&rig, file, path, "GET")), 404);
    rig_close(&rig);
    unlink(path);
    assert_int_equal(volo_test_status(answer_of(&rig, file, NULL, "GET")), 500);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_streamed_with_its_type_and_length),
        cmocka_unit_test(test_what_is_no_file_is_404),
        cmocka_unit_test(test_a_file_that_shrinks_cuts_the_answer_off),
        cmocka_unit_test(test_a_file_that_grows_ends_where_it_ended),
        cmocka_unit_test(test_head_reads_nothing_of_a_file),
        cmocka_unit_test(test_a_type_may_be_given_and_files_are_closed),
        cmocka_unit_test(test_a_fifo_is_no_file_and_nobody_waits_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
