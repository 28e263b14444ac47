/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <volo/http.h>

static void
test_reasons_are_those_of_the_registry(void **state)
{
    (void)state;
    assert_string_equal(volo_status_reason(100), "Continue");
    assert_string_equal(volo_status_reason(200), "OK");
    assert_string_equal(volo_status_reason(203),
                        "Non-Authoritative Information");
    assert_string_equal(volo_status_reason(226), "IM Used");
    assert_string_equal(volo_status_reason(308), "Permanent Redirect");
    assert_string_equal(volo_status_reason(404), "Not Found");
    assert_string_equal(volo_status_reason(413), "Content Too Large");
    assert_string_equal(volo_status_reason(422), "Unprocessable Content");
    assert_string_equal(volo_status_reason(431),
                        "Request Header Fields Too Large");
    assert_string_equal(volo_status_reason(511),
                        "Network Authentication Required");
}

static void
test_unknown_and_unused_codes_have_no_reason(void **state)
{
    static const int codes[] = {-1,  0,   1,   99,  104, 209, 306,   418,
                                427, 430, 499, 509, 512, 600, 99999, -200};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_string_equal(volo_status_reason(codes[i]), "");
}

static void
test_the_registry_is_complete(void **state)
{
    int known = 0, i;

    (void)state;
    for (i = 0; i < 1000; i++)
        known += volo_status_reason(i)[0] != 0;
    assert_int_equal(known, 4 + 10 + 8 + 28 + 11);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons_are_those_of_the_registry),
        cmocka_unit_test(test_unknown_and_unused_codes_have_no_reason),
        cmocka_unit_test(test_the_registry_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
