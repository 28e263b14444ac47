/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <volo/error.h>
#include <volo/http.h>

/* A copy without a NUL, so that the sanitizer sees a read beyond the end. */
static int
parse(int64_t *out, const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    int err;

    memcpy(copy, text, len);
    err = volo_date_parse(out, volo_str_make(copy, len));
    free(copy);
    return err;
}

static void
test_the_three_forms_say_the_same(void **state)
{
    static const char *const texts[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    int64_t out;
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        out = 0;
        assert_int_equal(parse(&out, texts[i]), 0);
        assert_int_equal(out, 784111777);
    }
}

static void
test_formatting_and_parsing_are_inverse(void **state)
{
    static const int64_t moments[] = {
        0,          -1,           86399,        86400,
        951782400,  951868799,    951868800,    1709164800,
        4107542399, 4107542400,   784111777,    2147483647,
        2147483648, 253402300799, -62135596800, -2208988800};
    char text[30];
    int64_t out;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        memset(text, 'x', sizeof(text));
        volo_date_format(text, moments[i]);
        assert_int_equal(text[29], 0);
        assert_int_equal(strlen(text), 29);
        out = moments[i] + 1;
        assert_int_equal(parse(&out, text), 0);
        assert_int_equal(out, moments[i]);
    }
    volo_date_format(text, 784111777);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void
test_days_of_four_centuries_agree_with_the_c_library(void **state)
{
    char want[40], got[30];
    int64_t day, out;
    struct tm tm;
    time_t t;

    (void)state;
    for (day = -60000; day < 90000; day += 7) {
        t = (time_t)(day * 86400 + 12345);
        gmtime_r(&t, &tm);
        strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        volo_date_format(got, t);
        assert_string_equal(got, want);
        assert_int_equal(parse(&out, want), 0);
        assert_int_equal(out, t);
    }
}

static void
test_malformed_dates_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49-37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT0",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GM",
        "Sunday, 06-Nov-94 08:49:37 UTC",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sonday, 06-Nov-94 08:49:37 GMT",
        "Sunsday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 31-Nov-94 08:49:37 GMT",
        "Wednesday, 06-Nov-1994 08:49:37 GMT",
        "Sunday",
        "Wednes",
        "Wed",
        "Sun Nov 06 08:49:37 199",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov 32 08:49:37 1994",
        "Sun Nov  6 08:49:37 199x",
        "Sun Nox  6 08:49:37 1994",
        "Sun Nov 6  08:49:37 1994",
    };
    int64_t out = 42;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (parse(&out, texts[i]) != VOLO_EFORMAT || out != 42)
            fail_msg("accepted: %s", texts[i]);
}

static void
test_a_leap_second_and_a_leap_day_are_accepted(void **state)
{
    int64_t out;

    (void)state;
    assert_int_equal(parse(&out, "Sat, 31 Dec 2016 23:59:60 GMT"), 0);
    assert_int_equal(out, 1483228800);
    assert_int_equal(parse(&out, "Tue, 29 Feb 2000 00:00:00 GMT"), 0);
    assert_int_equal(out, 951782400);
    assert_int_equal(parse(&out, "Thu Feb 29 00:00:00 2024"), 0);
    assert_int_equal(out, 1709164800);
}

static void
test_all_long_names_of_days_are_known(void **state)
{
    static const char *const names[] = {"Monday",   "Tuesday", "Wednesday",
                                        "Thursday", "Friday",  "Saturday",
                                        "Sunday"};
    char text[64];
    int64_t out;
    size_t i;

    (void)state;
    for (i = 0; i < 7; i++) {
        snprintf(text, sizeof(text), "%s, 06-Nov-94 08:49:37 GMT", names[i]);
        assert_int_equal(parse(&out, text), 0);
        assert_int_equal(out, 784111777);
    }
}

/* RFC 9110: more than 50 years in the future means the past. */
static void
test_two_digit_years_are_near_to_now(void **state)
{
    char text[64];
    time_t now = time(NULL);
    int64_t out;
    struct tm tm;
    int year, yy;

    (void)state;
    gmtime_r(&now, &tm);
    for (yy = 0; yy < 100; yy++) {
        snprintf(text, sizeof(text), "Monday, 01-Jan-%02d 00:00:00 GMT", yy);
        assert_int_equal(parse(&out, text), 0);
        now = (time_t)out;
        year = gmtime(&now)->tm_year + 1900;
        assert_int_equal(year % 100, yy);
        assert_in_range(year, tm.tm_year + 1900 - 50, tm.tm_year + 1900 + 50);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_three_forms_say_the_same),
        cmocka_unit_test(test_formatting_and_parsing_are_inverse),
        cmocka_unit_test(test_days_of_four_centuries_agree_with_the_c_library),
        cmocka_unit_test(test_malformed_dates_are_refused),
        cmocka_unit_test(test_a_leap_second_and_a_leap_day_are_accepted),
        cmocka_unit_test(test_all_long_names_of_days_are_known),
        cmocka_unit_test(test_two_digit_years_are_near_to_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
