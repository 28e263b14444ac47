/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <volo/http.h>

static const char *
mime(const char *path)
{
    return volo_mime_of(path, strlen(path));
}

static void
test_common_extensions_have_their_types(void **state)
{
    static const char *const rows[][2] = {
        {"index.html", "text/html; charset=utf-8"},
        {"a/b.c/style.css", "text/css; charset=utf-8"},
        {"/app.js", "text/javascript; charset=utf-8"},
        {"/app.min.mjs", "text/javascript; charset=utf-8"},
        {"x.json", "application/json"},
        {"x.txt", "text/plain; charset=utf-8"},
        {"x.svg", "image/svg+xml"},
        {"x.png", "image/png"},
        {"x.jpeg", "image/jpeg"},
        {"x.woff2", "font/woff2"},
        {"x.wasm", "application/wasm"},
        {"x.pdf", "application/pdf"},
        {"x.mp4", "video/mp4"},
        {"x.7z", "application/x-7z-compressed"},
        {"x.zst", "application/zstd"},
        {"site.webmanifest", "application/manifest+json"},
        {"x.tar.gz", "application/gzip"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(mime(rows[i][0]), rows[i][1]);
}

static void
test_case_of_the_extension_does_not_matter(void **state)
{
    (void)state;
    assert_string_equal(mime("PHOTO.JPG"), "image/jpeg");
    assert_string_equal(mime("Index.HtMl"), "text/html; charset=utf-8");
}

static void
test_all_else_is_octets(void **state)
{
    static const char *const paths[] = {"",
                                        "x",
                                        ".",
                                        "x.",
                                        "x.unknown",
                                        "html",
                                        "a.html/b",
                                        "a.html/",
                                        "x.htmlx",
                                        "x.htm l",
                                        "x.html.",
                                        "/.gitignore",
                                        "x.averylongextension",
                                        "webmanifest"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_string_equal(mime(paths[i]), "application/octet-stream");
}

/* The search wants order; neighbours of each initial show a hole in it. */
static void
test_first_and_last_of_the_table_are_found(void **state)
{
    (void)state;
    assert_string_equal(mime("x.3gp"), "video/3gpp");
    assert_string_equal(mime("x.aac"), "audio/aac");
    assert_string_equal(mime("x.yml"), "application/yaml");
    assert_string_equal(mime("x.zip"), "application/zip");
    assert_string_equal(mime("x.xz"), "application/x-xz");
    assert_string_equal(mime("x.mp3"), "audio/mpeg");
    assert_string_equal(mime("x.ico"), "image/vnd.microsoft.icon");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_extensions_have_their_types),
        cmocka_unit_test(test_case_of_the_extension_does_not_matter),
        cmocka_unit_test(test_all_else_is_octets),
        cmocka_unit_test(test_first_and_last_of_the_table_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
