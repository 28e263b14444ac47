/* SPDX-License-Identifier: Apache-2.0 */
/* base/error.c and base/version.c: what the lists say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <volo/error.h>
#include <volo/version.h>

static const int codes[] = {
#define VOLO_ERROR_X(name, code, status, text) VOLO_##name,
    VOLO_ERRORS(VOLO_ERROR_X)
#undef VOLO_ERROR_X
};

enum { COUNT = sizeof codes / sizeof *codes };

static void
test_codes_run_down_from_minus_one_without_a_gap(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < COUNT; i++)
        assert_int_equal(codes[i], -1 - i);
}

static void
test_each_error_has_a_name_a_text_and_a_status(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < COUNT; i++) {
        assert_int_equal(strncmp(volo_error_name(codes[i]), "VOLO_E", 6), 0);
        assert_true(strlen(volo_strerror(codes[i])) > 3);
        assert_in_range(volo_error_status(codes[i]), 400, 599);
    }
    assert_string_equal(volo_error_name(VOLO_EINVAL), "VOLO_EINVAL");
    assert_string_equal(volo_strerror(VOLO_ETOOBIG), "content too large");
    assert_int_equal(volo_error_status(VOLO_ETOOBIG), 413);
}

static void
test_what_is_no_error_of_ours_has_answers_too(void **state)
{
    (void)state;
    assert_string_equal(volo_error_name(VOLO_OK), "VOLO_OK");
    assert_int_equal(volo_error_status(VOLO_OK), 200);
    assert_string_equal(volo_error_name(-COUNT - 1), "unknown");
    assert_string_equal(volo_error_name(1), "unknown");
    assert_non_null(volo_strerror(INT32_MIN));
    assert_non_null(volo_strerror(0));
    assert_int_equal(volo_error_status(-9999), 500);
}

static void
test_the_library_is_of_the_version_of_its_headers(void **state)
{
    char text[32];

    (void)state;
    assert_int_equal(volo_version(), VOLO_VERSION);
    snprintf(text, sizeof text, "%d.%d.%d", VOLO_VERSION_MAJOR,
             VOLO_VERSION_MINOR, VOLO_VERSION_PATCH);
    assert_string_equal(volo_version_text(), text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_run_down_from_minus_one_without_a_gap),
        cmocka_unit_test(test_each_error_has_a_name_a_text_and_a_status),
        cmocka_unit_test(test_what_is_no_error_of_ours_has_answers_too),
        cmocka_unit_test(test_the_library_is_of_the_version_of_its_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
