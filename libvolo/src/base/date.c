/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IMF-fixdate without the C library, whose own depends on the locale and
 * takes a lock.
 */
#include "base/date.h"

#include <string.h>

/* 0000-01-01 00:00:00 and 9999-12-31 23:59:59. */
#define FIRST_SECOND (-INT64_C(62167219200))
#define LAST_SECOND INT64_C(253402300799)

static const char days[] =
    "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void
put2(char *out, unsigned n)
{
    out[0] = (char)('0' + n / 10);
    out[1] = (char)('0' + n % 10);
}

/* Day, month and year of day ${z} since 1970-01-01.  The year is taken to
 * begin in March, in an era of 400 years, so that the day which may not be
 * there is the last of the year; one era more keeps all of it positive. */
static void
put_day(char *out, int64_t z)
{
    unsigned of_era, year_of_era, of_year, month, day, year;

    z += 719468 + 146097;
    of_era = (unsigned)(z % 146097);
    year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year =
        of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * of_year + 2) / 153;
    day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 2 : month - 10;
    year = (unsigned)(z / 146097) * 400 + year_of_era + (month < 2) - 400;

    put2(out, day);
    out[2] = ' ';
    memcpy(out + 3, months + 3 * month, 3);
    out[6] = ' ';
    put2(out + 7, year / 100);
    put2(out + 9, year % 100);
}

void
volo__date_format(char *out, int64_t s)
{
    int64_t day;
    unsigned in_day;

    if (s < FIRST_SECOND)
        s = FIRST_SECOND;
    if (s > LAST_SECOND)
        s = LAST_SECOND;
    /* Division that rounds down, also before 1970. */
    day = (s - FIRST_SECOND) / 86400 + FIRST_SECOND / 86400;
    in_day = (unsigned)((s - FIRST_SECOND) % 86400);

    memcpy(out, "Thu, 01 Jan 1970 00:00:00 GMT", VOLO__DATE_LEN + 1);
    memcpy(out, days + 3 * ((day % 7 + 7) % 7), 3);
    put_day(out + 5, day);
    put2(out + 17, in_day / 3600);
    put2(out + 20, in_day / 60 % 60);
    put2(out + 23, in_day % 60);
}
