/* SPDX-License-Identifier: Apache-2.0 */
/* base/date.c against the C library. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/date.h"

static const char *
text_of(int64_t s)
{
    static char text[30];

    memset(text, '!', sizeof text);
    volo__date_format(text, s);
    return text;
}

static void
test_the_date_of_the_rfc_is_written_as_the_rfc_does(void **state)
{
    (void)state;
    assert_string_equal(text_of(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(text_of(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

static void
test_each_day_of_many_centuries_is_the_c_librarys(void **state)
{
    char want[32];
    int64_t s;

    (void)state;
    /* Steps of a bit more than a day walk through all hours too. */
    for (s = -INT64_C(62167219200); s < INT64_C(253402300799);
         s += 86400 + 61) {
        time_t t = (time_t)s;
        struct tm tm;

        gmtime_r(&t, &tm);
        if (tm.tm_year + 1900 < 1000)
            continue; /* strftime's %Y has no leading zeros */
        strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_string_equal(text_of(s), want);
    }
}

static void
test_years_without_four_digits_become_the_nearest_with(void **state)
{
    const char *first = "Sat, 01 Jan 0000 00:00:00 GMT";
    const char *last = "Fri, 31 Dec 9999 23:59:59 GMT";

    (void)state;
    assert_string_equal(text_of(-INT64_C(62167219200)), first);
    assert_string_equal(text_of(-INT64_C(62167219201)), first);
    assert_string_equal(text_of(INT64_MIN), first);
    assert_string_equal(text_of(INT64_C(253402300799)), last);
    assert_string_equal(text_of(INT64_C(253402300800)), last);
    assert_string_equal(text_of(INT64_MAX), last);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_date_of_the_rfc_is_written_as_the_rfc_does),
        cmocka_unit_test(test_each_day_of_many_centuries_is_the_c_librarys),
        cmocka_unit_test(
            test_years_without_four_digits_become_the_nearest_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
