/* SPDX-License-Identifier: Apache-2.0 */
/* The access log: its formats, what is escaped, when a line is written. */
#include "layers_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* What was logged, a line feed behind each line. */
static char logged[65536];
static unsigned lines;
static int freed;

static void
take_line(volo_str line, void *user)
{
    size_t len = strlen(logged);

    (void)user;
    assert_null(memchr(line.ptr, '\n', line.len));
    assert_true(len + line.len + 2 < sizeof logged);
    memcpy(logged + len, line.ptr, line.len);
    logged[len + line.len] = '\n';
    logged[len + line.len + 1] = 0;
    lines++;
}

static void
count_free(void *user)
{
    ++*(int *)user;
}

static void
rig_log(struct rig *rig, volo_service_fn fn, void *user, int format)
{
    volo_layer *layer = NULL;

    logged[0] = 0;
    lines = 0;
    freed = 0;
    rig_service(rig, fn, user);
    assert_int_equal(
        volo_layer_access_log(&layer, format, take_line, &freed, count_free),
        0);
    rig_wrap(rig, layer);
}

/* Replace the time of the one line, [..] or "time":"..", by T, after a look
 * at its form: 0 is a digit, A a letter. */
static void
cut_time(const char *form)
{
    char *at = strchr(logged, form[0]);
    size_t i;

    assert_non_null(at);
    for (i = 0; form[i]; i++) {
        if (form[i] == '0')
            assert_true(at[i] >= '0' && at[i] <= '9');
        else if (form[i] == 'A')
            assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                   "qrstuvwxyz",
                                   at[i]));
        else
            assert_int_equal(at[i], form[i]);
    }
    at[0] = 'T';
    memmove(at + 1, at + i, strlen(at + i) + 1);
}

static const char common_form[] = "[00/AAA/0000:00:00:00 +0000]";

/* The same for "duration_us":N in JSON. */
static void
cut_duration(void)
{
    char *at = strstr(logged, "\"duration_us\":");
    size_t n;

    assert_non_null(at);
    at += strlen("\"duration_us\":");
    n = strspn(at, "0123456789");
    assert_true(n > 0);
    at[0] = 'D';
    memmove(at + 1, at + n, strlen(at + n) + 1);
}

static void
test_the_common_format_is_that_of_ncsa(void **state)
{
    struct rig rig;

    (void)state;
    rig_log(&rig, say_hello, NULL, VOLO_LOG_COMMON);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/a?b=c");
    cut_time(common_form);
    assert_string_equal(logged, "test - - T \"GET /a?b=c HTTP/1.1\" 200 5\n");
    rig_close(&rig);
    assert_int_equal(freed, 1);
}

static void
test_the_combined_format_adds_referer_and_user_agent(void **state)
{
    volo_test_request *request;
    struct rig rig;

    (void)state;
    rig_log(&rig, say_missing, NULL, VOLO_LOG_COMBINED);
    rig_open(&rig);
    request = rig_request(&rig, "HEAD", "/");
    with(request, "User-Agent", "probe/1");
    assert_int_equal(volo_test_request_peer(request, "2001:db8::1"), 0);
    rig_send(&rig, request);
    cut_time(common_form);
    assert_string_equal(logged, "2001:db8::1 - - T \"HEAD / HTTP/1.1\" 404 0 "
                                "\"-\" \"probe/1\"\n");
    rig_close(&rig);
}

static void
test_what_the_client_sent_cannot_forge_a_line(void **state)
{
    volo_test_request *request;
    struct rig rig;

    (void)state;
    rig_log(&rig, say_hello, NULL, VOLO_LOG_COMBINED);
    rig_open(&rig);
    request = rig_request(&rig, "GET", "/\"\\");
    with(request, "referer", "\" 200 5 \"-\" \"\\x22");
    with(request, "user-agent", "t\tab \x80\xff\xc3\xa9");
    rig_send(&rig, request);
    cut_time(common_form);
    assert_string_equal(logged, "test - - T \"GET /\\x22\\x5C HTTP/1.1\" 200 5 "
                                "\"\\x22 200 5 \\x22-\\x22 \\x22\\x5Cx22\" "
                                "\"t\\x09ab \\x80\\xFF\\xC3\\xA9\"\n");
    rig_close(&rig);
}

static void
test_the_json_format_has_what_is_known_and_leaves_out_the_rest(void **state)
{
    volo_layer *layer = NULL;
    struct rig rig;

    (void)state;
    rig_log(&rig, say_hello, NULL, VOLO_LOG_JSON);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/a");
    assert_memory_equal(logged, "{\"time\":", 8);
    cut_duration();
    assert_non_null(
        strstr(logged, ",\"method\":\"GET\",\"target\":\"/a\",\"status\":200,"
                       "\"bytes\":5,\"duration_us\":D,\"ip\":\"test\"}\n"));
    rig_close(&rig);

    rig_log(&rig, say_hello, NULL, VOLO_LOG_JSON);
    assert_int_equal(volo_layer_request_id(&layer, NULL, 1), 0);
    rig_wrap(&rig, layer);
    rig_open(&rig);
    rig_ask_with(&rig, "GET", "x-request-id", "id-1");
    assert_non_null(
        strstr(logged, ",\"ip\":\"test\",\"request_id\":\"id-1\"}"));
    rig_close(&rig);
}

static void
test_the_time_in_json_is_that_of_iso_8601(void **state)
{
    struct rig rig;
    char *time;

    (void)state;
    rig_log(&rig, say_hello, NULL, VOLO_LOG_JSON);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    time = strstr(logged, "\"time\":\"") + strlen("\"time\":");
    memmove(logged, time, strlen(time) + 1);
    cut_time("\"0000-00-00T00:00:00+00:00\"");
    rig_close(&rig);
}

static void
test_json_strings_are_valid_whatever_the_client_sent(void **state)
{
    const struct {
        const char *sent;
        const char *want;
    } cases[] = {
        {"a\"b\\c/d", "a\\\"b\\\\c/d"},
        {"t\tab", "t\\u0009ab"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
         "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\x80", "\\ufffd"},
        {"\xc3", "\\ufffd"},
        {"\xc3(", "\\ufffd("},
        {"\xc0\xaf", "\\ufffd\\ufffd"},
        {"\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd"},
        {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
        {"\xf0\x80\x80\xaf", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xf5", "\\ufffd"},
        {"\xe2\x82", "\\ufffd\\ufffd"},
        {"\xe2\x82x", "\\ufffd\\ufffdx"},
        {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
         "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"},
        {"\xc2\x9b[31m\xc2\xa0", "\\u009b[31m\xc2\xa0"},
    };
    char want[256];
    struct rig rig;
    size_t i;

    (void)state;
    rig_log(&rig, say_hello, NULL, VOLO_LOG_JSON);
    rig_open(&rig);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        logged[0] = 0;
        rig_ask_with(&rig, "GET", "user-agent", cases[i].sent);
        snprintf(want, sizeof want, ",\"user_agent\":\"%s\"}\n", cases[i].want);
        assert_non_null(strstr(logged, want));
    }
    rig_close(&rig);
}

static void
test_a_very_long_line_is_whole(void **state)
{
    static char agent[8001];
    struct rig rig;
    int format;

    (void)state;
    memset(agent, '"', sizeof agent - 1);
    for (format = VOLO_LOG_COMBINED; format <= VOLO_LOG_JSON; format++) {
        rig_log(&rig, say_hello, NULL, format);
        rig_open(&rig);
        rig_ask_with(&rig, "GET", "user-agent", agent);
        assert_int_equal(lines, 1);
        assert_true(strlen(logged) >
                    (format == VOLO_LOG_JSON ? 2 : 4) * strlen(agent));
        assert_string_equal(logged + strlen(logged) - 2,
                            format == VOLO_LOG_JSON ? "}\n" : "\"\n");
        rig_close(&rig);
    }
}

static void
test_who_left_is_logged_with_499_when_the_work_is_over(void **state)
{
    volo_cx *kept = NULL;
    struct rig rig;

    (void)state;
    rig_log(&rig, keep, &kept, VOLO_LOG_COMMON);
    rig_open(&rig);
    rig_leave(&rig, "/", 1);
    volo_cx_unref(kept);
    volo_test_run(rig.client, 1);
    assert_int_equal(lines, 1);
    cut_time(common_form);
    assert_string_equal(logged, "test - - T \"GET / HTTP/1.1\" 499 0\n");
    rig_close(&rig);
}

static void
test_a_timeout_is_one_line_with_its_status(void **state)
{
    volo_layer *layer = NULL;
    volo_cx *kept = NULL;
    struct rig rig;

    (void)state;
    rig_log(&rig, keep, &kept, VOLO_LOG_COMMON);
    assert_int_equal(volo_layer_timeout(&layer, 5, 0), 0);
    rig_wrap(&rig, layer);
    rig_open(&rig);
    rig_ask(&rig, "GET", "/");
    volo_cx_unref(kept);
    volo_test_run(rig.client, 1);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(logged, "\"GET / HTTP/1.1\" 504 "));
    rig_close(&rig);
}

/* ---- Descriptors --------------------------------------------------------- */

static void
open_fd(struct rig *rig, int format, int fd)
{
    volo_layer *layer = NULL;

    rig_service(rig, say_hello, NULL);
    assert_int_equal(volo_layer_access_log_fd(&layer, format, fd), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

static size_t
read_back(int fd)
{
    ssize_t n = read(fd, logged, sizeof logged - 1);

    logged[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

static void
test_lines_go_to_a_file_with_a_line_feed_each(void **state)
{
    char path[] = "/tmp/volo_log_XXXXXX";
    int fd = mkstemp(path);
    struct rig rig;

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    open_fd(&rig, VOLO_LOG_COMMON, fd);
    rig_ask(&rig, "GET", "/one");
    rig_ask(&rig, "GET", "/two");
    rig_close(&rig);
    lseek(fd, 0, SEEK_SET);
    read_back(fd);
    cut_time(common_form);
    cut_time(common_form);
    assert_string_equal(logged, "test - - T \"GET /one HTTP/1.1\" 200 5\n"
                                "test - - T \"GET /two HTTP/1.1\" 200 5\n");
    close(fd);
}

static void
fill(int fd)
{
    char block[4096];

    memset(block, 'x', sizeof block);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, block, sizeof block) > 0)
        ;
    fcntl(fd, F_SETFL, 0);
}

static void
test_a_full_pipe_costs_lines_and_does_not_stop_the_loop(void **state)
{
    static char agent[9001];
    struct rig rig;
    int fds[2], i;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    open_fd(&rig, VOLO_LOG_COMBINED, fds[1]);
    rig_ask(&rig, "GET", "/");
    read_back(fds[0]);
    cut_time(common_form);
    assert_string_equal(logged,
                        "test - - T \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"\n");

    /* Longer than a pipe takes at once, but there is room. */
    memset(agent, 'a', sizeof agent - 1);
    rig_ask_with(&rig, "GET", "user-agent", agent);
    assert_true(read_back(fds[0]) > sizeof agent);

    fill(fds[1]);
    for (i = 0; i < 3; i++)
        assert_int_equal(
            volo_test_status(rig_ask_with(&rig, "GET", "user-agent", agent)),
            200);
    close(fds[0]);
    assert_int_equal(volo_test_status(rig_ask(&rig, "GET", "/")), 200);
    rig_close(&rig);
    close(fds[1]);
}

static void
test_nonsense_is_refused_and_its_data_freed(void **state)
{
    volo_layer *layer = NULL;

    (void)state;
    freed = 0;
    assert_int_equal(
        volo_layer_access_log(&layer, 3, take_line, &freed, count_free),
        VOLO_EINVAL);
    assert_int_equal(volo_layer_access_log(&layer, 0, NULL, &freed, count_free),
                     VOLO_EINVAL);
    assert_int_equal(freed, 2);
    assert_int_equal(volo_layer_access_log_fd(&layer, 0, -1), VOLO_EINVAL);
    assert_int_equal(volo_layer_access_log_fd(&layer, -1, 1), VOLO_EINVAL);
    assert_null(layer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_common_format_is_that_of_ncsa),
        cmocka_unit_test(test_the_combined_format_adds_referer_and_user_agent),
        cmocka_unit_test(test_what_the_client_sent_cannot_forge_a_line),
        cmocka_unit_test(
            test_the_json_format_has_what_is_known_and_leaves_out_the_rest),
        cmocka_unit_test(test_the_time_in_json_is_that_of_iso_8601),
        cmocka_unit_test(test_json_strings_are_valid_whatever_the_client_sent),
        cmocka_unit_test(test_a_very_long_line_is_whole),
        cmocka_unit_test(
            test_who_left_is_logged_with_499_when_the_work_is_over),
        cmocka_unit_test(test_a_timeout_is_one_line_with_its_status),
        cmocka_unit_test(test_lines_go_to_a_file_with_a_line_feed_each),
        cmocka_unit_test(
            test_a_full_pipe_costs_lines_and_does_not_stop_the_loop),
        cmocka_unit_test(test_nonsense_is_refused_and_its_data_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
