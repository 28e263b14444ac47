/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP-date (RFC 9110 section 5.6.7).  Days of the week must be names, but are
 * not held against the date: what a sender computed wrong is of no use to us.
 * Knows no time zone and no locale.
 */
#include <string.h>
#include <time.h>

#include <volo/error.h>
#include <volo/http.h>

#include "base/date.h"

/* What the three forms say; the rest of the text is punctuation. */
struct moment {
    unsigned year, month, day; /* month and day from 1 */
    unsigned hour, minute, second;
};

static const char days[] = "MonTueWedThuFriSatSun";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Which of the three-letter names ${p} begins with; -1 if none. */
static int
name_at(const char *names, const char *p)
{
    int i;

    for (i = 0; names[i * 3]; i++)
        if (!memcmp(names + i * 3, p, 3))
            return i;
    return -1;
}

/* Take exactly ${n} digits. */
static int
digits(unsigned *out, const char *p, size_t n)
{
    unsigned value = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return VOLO_EFORMAT;
        value = value * 10 + (unsigned)(p[i] - '0');
    }
    *out = value;
    return 0;
}

static int
month_at(unsigned *out, const char *p)
{
    int i = name_at(months, p);

    if (i < 0)
        return VOLO_EFORMAT;
    *out = (unsigned)i + 1;
    return 0;
}

/* "08:49:37" */
static int
clock_at(struct moment *m, const char *p)
{
    if (p[2] != ':' || p[5] != ':' || digits(&m->hour, p, 2) < 0 ||
        digits(&m->minute, p + 3, 2) < 0 || digits(&m->second, p + 6, 2) < 0)
        return VOLO_EFORMAT;
    return 0;
}

/* Days from 1970-01-01; the year begins in March, so that the day that may
 * not be there comes last. */
static int64_t
day_number(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t shifted = (month + 9) % 12;
    int64_t in_year = (shifted * 153 + 2) / 5 + day - 1;

    /* Years before 400 must not round towards zero. */
    y += 400;
    return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 146097 - 719468;
}

static unsigned
month_days(unsigned year, unsigned month)
{
    static const unsigned char length[] = {31, 28, 31, 30, 31, 30,
                                           31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return length[month - 1] + (month == 2 && leap);
}

static int64_t
seconds_of(const struct moment *m)
{
    return day_number(m->year, m->month, m->day) * 86400 +
           (int64_t)(m->hour * 3600 + m->minute * 60 + m->second);
}

/* A leap second is the first of the next minute: POSIX has no other. */
static int
finish(int64_t *out, const struct moment *m)
{
    if (m->day < 1 || m->day > month_days(m->year, m->month) || m->hour > 23 ||
        m->minute > 59 || m->second > 60)
        return VOLO_EFORMAT;
    *out = seconds_of(m);
    return 0;
}

/* Two digits are the last year with them that is not more than 50 years (of
 * 365.2425 days) from now. */
static unsigned
full_year(struct moment m)
{
    int64_t limit = (int64_t)time(NULL) + (int64_t)50 * 31556952;

    m.year += 1900;
    for (;;) {
        m.year += 100;
        if (m.year > 9999 || seconds_of(&m) > limit)
            return m.year - 100;
    }
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static int
parse_fixdate(int64_t *out, const char *p)
{
    struct moment m;

    if (name_at(days, p) < 0 || memcmp(p + 3, ", ", 2) || p[7] != ' ' ||
        p[11] != ' ' || p[16] != ' ' || memcmp(p + 25, " GMT", 4) ||
        digits(&m.day, p + 5, 2) < 0 || month_at(&m.month, p + 8) < 0 ||
        digits(&m.year, p + 12, 4) < 0 || clock_at(&m, p + 17) < 0)
        return VOLO_EFORMAT;
    return finish(out, &m);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT", from the comma on. */
static int
parse_rfc850(int64_t *out, volo_str rest)
{
    const char *p = rest.ptr;
    struct moment m;

    if (rest.len != 24 || memcmp(p, ", ", 2) || p[4] != '-' || p[8] != '-' ||
        p[11] != ' ' || memcmp(p + 20, " GMT", 4) ||
        digits(&m.day, p + 2, 2) < 0 || month_at(&m.month, p + 5) < 0 ||
        digits(&m.year, p + 9, 2) < 0 || clock_at(&m, p + 12) < 0)
        return VOLO_EFORMAT;
    m.year = full_year(m);
    return finish(out, &m);
}

/* "Sun Nov  6 08:49:37 1994" */
static int
parse_asctime(int64_t *out, const char *p)
{
    struct moment m;
    int one = p[8] == ' ';

    if (name_at(days, p) < 0 || p[3] != ' ' || p[7] != ' ' || p[10] != ' ' ||
        p[19] != ' ' || month_at(&m.month, p + 4) < 0 ||
        digits(&m.day, p + 8 + one, one ? 1 : 2) < 0 ||
        clock_at(&m, p + 11) < 0 || digits(&m.year, p + 20, 4) < 0)
        return VOLO_EFORMAT;
    return finish(out, &m);
}

/* The long names of days, all that end in "day", in the order of days[]. */
static size_t
long_day(volo_str text)
{
    static const char *const middles[] = {"", "s", "nes", "rs", "", "ur", ""};
    int day = text.len < 6 ? -1 : name_at(days, text.ptr);
    size_t n;

    if (day < 0)
        return 0;
    n = strlen(middles[day]);
    if (text.len < n + 6 || memcmp(text.ptr + 3, middles[day], n) ||
        memcmp(text.ptr + 3 + n, "day", 3))
        return 0;
    return n + 6;
}

void
volo_date_format(char *out, int64_t seconds)
{
    volo__date_format(out, seconds);
}

int
volo_date_parse(int64_t *out, volo_str text)
{
    size_t n;

    if (text.len == 29)
        if (parse_fixdate(out, text.ptr) == 0)
            return 0;
    if (text.len == 24)
        return parse_asctime(out, text.ptr);
    n = long_day(text);
    if (n == 0)
        return VOLO_EFORMAT;
    return parse_rfc850(out, volo_str_make(text.ptr + n, text.len - n));
}
