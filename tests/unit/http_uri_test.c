/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <volo/error.h>
#include <volo/http.h>

#include "http/uri.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct row {
    int method;
    const char *target;
    const char *path;
    const char *query;
    const char *scheme;
    const char *authority;
};

static int
same(volo_str s, const char *text)
{
    if (!text || !s.ptr)
        return !text && !s.ptr;
    return s.len == strlen(text) && !memcmp(s.ptr, text, s.len);
}

/* A copy without a NUL, so that the sanitizer sees a read beyond the end. */
static void
check(const struct row *row)
{
    size_t len = strlen(row->target);
    char *copy = malloc(len ? len : 1);
    struct volo__target t;

    memcpy(copy, row->target, len);
    if (volo__target_parse(&t, row->method, volo_str_make(copy, len)) != 0)
        fail_msg("refused: %s", row->target);
    if (!same(t.path, row->path) || !same(t.query, row->query) ||
        !same(t.scheme, row->scheme) || !same(t.authority, row->authority))
        fail_msg("read wrong: %s", row->target);
    free(copy);
}

static void
test_the_four_forms_come_apart(void **state)
{
    static const struct row rows[] = {
        {VOLO_GET, "/", "/", NULL, NULL, NULL},
        {VOLO_GET, "/a/b", "/a/b", NULL, NULL, NULL},
        {VOLO_GET, "/a?", "/a", "", NULL, NULL},
        {VOLO_GET, "/a?b=c&d", "/a", "b=c&d", NULL, NULL},
        {VOLO_GET, "/a?b?c/d", "/a", "b?c/d", NULL, NULL},
        {VOLO_GET, "//a//b", "//a//b", NULL, NULL, NULL},
        {VOLO_GET, "/?/http://x/", "/", "/http://x/", NULL, NULL},
        {VOLO_OTHER, "/%41%fF%2f", "/%41%fF%2f", NULL, NULL, NULL},
        {VOLO_GET, "/a?%00%zz%", "/a", "%00%zz%", NULL, NULL},
        {VOLO_GET, "/~!$&'()*+,;=:@{}|^[]\"<>\\`",
         "/~!$&'()*+,;=:@{}|^[]\"<>\\`", NULL, NULL, NULL},
        {VOLO_GET, "http://h", "/", NULL, "http", "h"},
        {VOLO_GET, "http://h/", "/", NULL, "http", "h"},
        {VOLO_GET, "HTTPS://h:8443/a?b", "/a", "b", "HTTPS", "h:8443"},
        {VOLO_GET, "http://h?b", "/", "b", "http", "h"},
        {VOLO_GET, "http://[::1]:80/x", "/x", NULL, "http", "[::1]:80"},
        {VOLO_GET, "http://h/http://i/", "/http://i/", NULL, "http", "h"},
        {VOLO_OPTIONS, "http://h", "*", NULL, "http", "h"},
        {VOLO_OPTIONS, "http://h:1", "*", NULL, "http", "h:1"},
        {VOLO_OPTIONS, "http://h/", "/", NULL, "http", "h"},
        {VOLO_OPTIONS, "http://h?x", "/", "x", "http", "h"},
        {VOLO_OPTIONS, "*", "*", NULL, NULL, NULL},
        {VOLO_OPTIONS, "/", "/", NULL, NULL, NULL},
        {VOLO_CONNECT, "h:443", NULL, NULL, NULL, "h:443"},
        {VOLO_CONNECT, "[2001:db8::1]:443", NULL, NULL, NULL,
         "[2001:db8::1]:443"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < N(rows); i++)
        check(&rows[i]);
}

static void
refuse(int method, volo_str target)
{
    char *copy = malloc(target.len ? target.len : 1);
    struct volo__target t, before;

    memset(&t, 0x55, sizeof(t));
    before = t;
    if (target.len)
        memcpy(copy, target.ptr, target.len);
    if (volo__target_parse(&t, method, volo_str_make(copy, target.len)) !=
        VOLO_EPROTO)
        fail_msg("accepted: %.*s", (int)target.len, target.ptr);
    assert_memory_equal(&t, &before, sizeof(t));
    free(copy);
}

static void
test_ambiguous_targets_are_refused(void **state)
{
    static const char *const targets[] = {
        "",
        "a",
        "?a",
        "*",
        "*/",
        "a/b",
        "h:80",
        "/a#b",
        "/#",
        "/a?b#c",
        "/a b",
        "/a?b c",
        "/a\tb",
        "/a\x7f",
        "/a\x80",
        "/\xc3\xa4",
        "/a?\xff",
        "/%",
        "/%4",
        "/%4?1",
        "/%zz",
        "/%0g",
        "/%00",
        "/a/%00b",
        "http:/h/",
        "http//h/",
        "http:h",
        "http://",
        "http:///a",
        "http://?a",
        "http://:80/",
        "http://u@h/",
        "http://u:p@h/",
        "http://h:x/",
        "http://h:65536/",
        "http://h:8:9/",
        "http://[::1/",
        "http://::1/",
        "http://[]/",
        "http://[::1]x/",
        "http://[::g]/",
        "http://[::1%25eth0]/",
        "http://h#x",
        "http://h /",
        "http://h%zz/",
        "http://h%00/",
        "ftp://h/",
        "httpss://h/",
        "ws://h/",
        "http://h\\i/",
        "http://h/%",
        "https:",
        "h",
        "http",
        "https",
        "http://a[::1]/",
    };
    size_t i;
    int c;

    (void)state;
    for (i = 0; i < N(targets); i++)
        refuse(VOLO_GET, volo_str_of(targets[i]));
    for (c = 0; c < 256; c++) {
        char text[3] = {'/', (char)c, 'x'};

        if (c <= ' ' || c >= 0x7f || c == '#' || c == '%')
            refuse(VOLO_GET, volo_str_make(text, 3));
    }
    refuse(VOLO_GET, VOLO_STR("/a\0b"));
    refuse(VOLO_GET, VOLO_STR("http://a\0b/"));
    refuse(VOLO_GET, VOLO_STR("http://[::1\0]/"));
}

static void
test_each_form_belongs_to_its_method(void **state)
{
    (void)state;
    refuse(VOLO_POST, VOLO_STR("*"));
    refuse(VOLO_OPTIONS, VOLO_STR("**"));
    refuse(VOLO_CONNECT, VOLO_STR("/"));
    refuse(VOLO_CONNECT, VOLO_STR("*"));
    refuse(VOLO_CONNECT, VOLO_STR("http://h/"));
    refuse(VOLO_CONNECT, VOLO_STR("h"));
    refuse(VOLO_CONNECT, VOLO_STR("h:"));
    refuse(VOLO_CONNECT, VOLO_STR(":443"));
    refuse(VOLO_CONNECT, VOLO_STR("u@h:443"));
    refuse(VOLO_CONNECT, VOLO_STR("h:443/"));
    refuse(VOLO_CONNECT, VOLO_STR("[::1]"));
    refuse(VOLO_CONNECT, VOLO_STR("[::1]443"));
    refuse(VOLO_OPTIONS, VOLO_STR("h:443"));
}

static void
test_authorities_are_a_host_and_maybe_a_port(void **state)
{
    static const char *const good[] = {"",
                                       "h",
                                       "example.org",
                                       "h:",
                                       "h:80",
                                       ":80",
                                       ":",
                                       "h:65535",
                                       "h:00080",
                                       "127.0.0.1:1",
                                       "[::1]",
                                       "[::1]:",
                                       "[::1]:80",
                                       "[2001:DB8::]",
                                       "[::ffff:192.0.2.1]",
                                       "[v1.a:b]",
                                       "[VF.x]",
                                       "a_b-c~d",
                                       "%41b",
                                       "a!$&'()*+,;=b",
                                       "xn--bcher-kva.example"};
    static const char *const bad[] = {
        "h:65536",
        "h:-1",
        "h:+1",
        "h:8x",
        "h:99999999999999999",
        "a b",
        "a@b",
        "a/b",
        "a?b",
        "a#b",
        "a:b:c",
        "::1",
        "[",
        "]",
        "[]",
        "[::1",
        "::1]",
        "[::1]]",
        "[::1]80",
        "[1]",
        "[127.0.0.1]",
        "[::1%1]",
        "[v.a]",
        "[v1.]",
        "[v1]",
        "[vg.a]",
        "%4",
        "%zz",
        "%00",
        "a\x01",
        "\xc3\xa4",
        "a\\b",
        "a\"b",
        "a<b",
        "h:80 ",
        " h",
        "[:::]",
        "[1:2:3:4:5:6:7:8:9]",
        "a[b]",
        "[::1][::1]",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"};
    size_t i;

    (void)state;
    for (i = 0; i < N(good); i++)
        if (!volo__authority_valid(volo_str_of(good[i])))
            fail_msg("refused: %s", good[i]);
    for (i = 0; i < N(bad); i++)
        if (volo__authority_valid(volo_str_of(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(volo__authority_valid(volo_str_make(NULL, 0)), 1);
    assert_int_equal(volo__authority_valid(VOLO_STR("a\0b")), 0);
}

static void
test_the_host_is_what_stands_before_the_port(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},    {"h", "h"},         {"h:80", "h"},        {"h:", "h"},
        {":80", ""}, {"[::1]", "[::1]"}, {"[::1]:8", "[::1]"}, {"[::1", "[::1"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < N(rows); i++)
        assert_true(
            same(volo__authority_host(volo_str_of(rows[i][0])), rows[i][1]));
    assert_null(volo__authority_host(volo_str_make(NULL, 0)).ptr);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_four_forms_come_apart),
        cmocka_unit_test(test_ambiguous_targets_are_refused),
        cmocka_unit_test(test_each_form_belongs_to_its_method),
        cmocka_unit_test(test_authorities_are_a_host_and_maybe_a_port),
        cmocka_unit_test(test_the_host_is_what_stands_before_the_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
