/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <volo/http.h>

static void
test_every_method_is_found_by_its_name(void **state)
{
    (void)state;
#define CHECK(name, number, text)                                     \
    assert_int_equal(volo_method_of(text, sizeof(text) - 1), number); \
    assert_string_equal(volo_method_name(number), text);
    VOLO_METHODS(CHECK)
#undef CHECK
}

static void
test_methods_are_case_sensitive_and_whole(void **state)
{
    static const char *const others[] = {
        "get",     "Get", "GE",       "GETT",    "PUSH", "PURGE",
        "DELETES", "",    "PROPFIND", "OPTIONs", "HEAd", "G"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(volo_method_of(others[i], strlen(others[i])),
                         VOLO_OTHER);
}

static void
test_numbers_outside_the_list_have_no_name(void **state)
{
    (void)state;
    assert_string_equal(volo_method_name(VOLO_ANY), "");
    assert_string_equal(volo_method_name(VOLO_OTHER), "");
    assert_string_equal(volo_method_name(-1), "");
    assert_string_equal(volo_method_name(10), "");
}

static void
test_only_reading_methods_are_safe(void **state)
{
    (void)state;
    assert_int_equal(volo_method_is_safe(VOLO_GET), 1);
    assert_int_equal(volo_method_is_safe(VOLO_HEAD), 1);
    assert_int_equal(volo_method_is_safe(VOLO_OPTIONS), 1);
    assert_int_equal(volo_method_is_safe(VOLO_TRACE), 1);
    assert_int_equal(volo_method_is_safe(VOLO_POST), 0);
    assert_int_equal(volo_method_is_safe(VOLO_PUT), 0);
    assert_int_equal(volo_method_is_safe(VOLO_PATCH), 0);
    assert_int_equal(volo_method_is_safe(VOLO_DELETE), 0);
    assert_int_equal(volo_method_is_safe(VOLO_CONNECT), 0);
    assert_int_equal(volo_method_is_safe(VOLO_OTHER), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_is_found_by_its_name),
        cmocka_unit_test(test_methods_are_case_sensitive_and_whole),
        cmocka_unit_test(test_numbers_outside_the_list_have_no_name),
        cmocka_unit_test(test_only_reading_methods_are_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
