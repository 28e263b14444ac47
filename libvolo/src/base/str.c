/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets and text.  All lengths are given, nothing looks for a NUL, and
 * nothing depends on the locale.
 */
#include "base/str.h"

#include <string.h>

#include <volo/error.h>

/* ---- Classes ------------------------------------------------------------- */

enum { TOKEN = 1, UNRESERVED = 2 };

#define T TOKEN
#define B (TOKEN | UNRESERVED)
static const unsigned char classes[128] = {
    ['!'] = T, ['#'] = T, ['$'] = T, ['%'] = T, ['&'] = T, ['\''] = T,
    ['*'] = T, ['+'] = T, ['-'] = B, ['.'] = B, ['^'] = T, ['_'] = B,
    ['`'] = T, ['|'] = T, ['~'] = B, ['0'] = B, ['1'] = B, ['2'] = B,
    ['3'] = B, ['4'] = B, ['5'] = B, ['6'] = B, ['7'] = B, ['8'] = B,
    ['9'] = B, ['A'] = B, ['B'] = B, ['C'] = B, ['D'] = B, ['E'] = B,
    ['F'] = B, ['G'] = B, ['H'] = B, ['I'] = B, ['J'] = B, ['K'] = B,
    ['L'] = B, ['M'] = B, ['N'] = B, ['O'] = B, ['P'] = B, ['Q'] = B,
    ['R'] = B, ['S'] = B, ['T'] = B, ['U'] = B, ['V'] = B, ['W'] = B,
    ['X'] = B, ['Y'] = B, ['Z'] = B, ['a'] = B, ['b'] = B, ['c'] = B,
    ['d'] = B, ['e'] = B, ['f'] = B, ['g'] = B, ['h'] = B, ['i'] = B,
    ['j'] = B, ['k'] = B, ['l'] = B, ['m'] = B, ['n'] = B, ['o'] = B,
    ['p'] = B, ['q'] = B, ['r'] = B, ['s'] = B, ['t'] = B, ['u'] = B,
    ['v'] = B, ['w'] = B, ['x'] = B, ['y'] = B, ['z'] = B,
};
#undef T
#undef B

static int
is_class(char c, int wanted)
{
    unsigned char u = (unsigned char)c;

    return u < 128 && (classes[u] & wanted);
}

int
volo__is_token(volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (!is_class(s.ptr[i], TOKEN))
            return 0;
    return s.len > 0;
}

/* Whether one of the eight octets at ${at} is below 0x20 or is 0x7f: then the
 * subtraction borrows from its high bit, which an octet that has it set
 * already does not show. */
static int
has_control(const char *at)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t x, del;

    memcpy(&x, at, sizeof x);
    del = x ^ 0x7f * each;
    return (((x - 0x20 * each) & ~x) | ((del - each) & ~del)) & 0x80 * each ? 1
                                                                            : 0;
}

int
volo__is_field_value(volo_str s)
{
    size_t i = 0;

    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (s.len - i >= 8 && !has_control(s.ptr + i)) {
            i += 8;
            continue;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return 0;
        i++;
    }
    return 1;
}

/* ---- Parts of text ------------------------------------------------------- */

void
volo__str_lower(char *to, volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        to[i] = (char)volo__lower((unsigned char)s.ptr[i]);
}

int
volo__str_ieq(volo_str a, volo_str b)
{
    size_t i;

    if (a.len != b.len)
        return 0;
    for (i = 0; i < a.len; i++)
        if (volo__lower((unsigned char)a.ptr[i]) !=
            volo__lower((unsigned char)b.ptr[i]))
            return 0;
    return 1;
}

static int
is_ows(char c)
{
    return c == ' ' || c == '\t';
}

volo_str
volo__str_trim(volo_str s)
{
    while (s.len && is_ows(s.ptr[s.len - 1]))
        s.len--;
    while (s.len && is_ows(*s.ptr)) {
        s.ptr++;
        s.len--;
    }
    return s;
}

/* Where the element that begins ${s} ends: at a comma outside of quotes.  A
 * quote that is never closed takes the rest. */
static size_t
element_len(volo_str s)
{
    int quoted = 0;
    size_t i;

    for (i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == ',' && !quoted)
            break;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && i + 1 < s.len)
            i++;
    }
    return i;
}

int
volo__list_next(volo_str *list, volo_str *item)
{
    volo_str found;
    size_t n, skip;

    while (list->len) {
        n = element_len(*list);
        found = volo__str_trim(volo_str_make(list->ptr, n));
        skip = n < list->len ? n + 1 : n;
        list->ptr += skip;
        list->len -= skip;
        if (found.len) {
            *item = found;
            return 1;
        }
    }
    return 0;
}

int
volo__list_has(volo_str list, const char *token)
{
    volo_str wanted = volo_str_of(token), item;

    while (volo__list_next(&list, &item))
        if (volo__str_ieq(item, wanted))
            return 1;
    return 0;
}

/* ---- Numbers ------------------------------------------------------------- */

size_t
volo__u64_format(char *out, uint64_t n)
{
    char digits[20];
    size_t i = sizeof digits, len;

    do
        digits[--i] = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    len = sizeof digits - i;
    memcpy(out, digits + i, len);
    return len;
}

size_t
volo__hex_format(char *out, uint64_t n)
{
    char digits[16];
    size_t i = sizeof digits, len;

    do
        digits[--i] = "0123456789abcdef"[n & 15];
    while ((n >>= 4) != 0);
    len = sizeof digits - i;
    memcpy(out, digits + i, len);
    return len;
}

/* What is no number at all is told from what is too large, however long. */
int
volo__u64_parse(uint64_t *out, volo_str s)
{
    uint64_t value = 0;
    int over = 0;
    size_t i;

    if (s.len == 0)
        return VOLO_EFORMAT;
    for (i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';

        if (digit > 9)
            return VOLO_EFORMAT;
        over |= __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                __builtin_add_overflow(value, (uint64_t)digit, &value);
    }
    if (over)
        return VOLO_ERANGE;
    *out = value;
    return 0;
}

int
volo__i64_parse(int64_t *out, volo_str s)
{
    int negative = s.len && *s.ptr == '-', err;
    uint64_t value, most = (uint64_t)INT64_MAX + (unsigned)negative;

    if (s.len && (*s.ptr == '-' || *s.ptr == '+')) {
        s.ptr++;
        s.len--;
    }
    err = volo__u64_parse(&value, s);
    if (err)
        return err;
    if (value > most)
        return VOLO_ERANGE;
    if (negative)
        *out = value ? -(int64_t)(value - 1) - 1 : 0;
    else
        *out = (int64_t)value;
    return 0;
}

/* ---- Percent-encoding ---------------------------------------------------- */

static int
hex_value(char c)
{
    unsigned char low;

    if (c >= '0' && c <= '9')
        return c - '0';
    low = volo__lower((unsigned char)c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

ptrdiff_t
volo__percent_decode(char *out, volo_str s, int plus)
{
    size_t i, n = 0;
    int high, low;

    for (i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '%') {
            if (s.len - i < 3)
                return VOLO_EFORMAT;
            high = hex_value(s.ptr[i + 1]);
            low = hex_value(s.ptr[i + 2]);
            if (high < 0 || low < 0)
                return VOLO_EFORMAT;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[n++] = c;
    }
    return (ptrdiff_t)n;
}

size_t
volo__percent_encode(char *out, volo_str s, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t i, n = 0, keeps = strlen(keep);

    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (is_class((char)c, UNRESERVED) || memchr(keep, c, keeps)) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return n;
}

/* ---- UTF-8 --------------------------------------------------------------- */

/* How long the sequence is that begins with ${c}; 0 if none does.  ${low} and
 * ${high} bound its second octet: no overlong form, no surrogate, nothing
 * beyond U+10FFFF (RFC 3629 section 4). */
static size_t
sequence(unsigned char c, unsigned char *low, unsigned char *high)
{
    *low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static size_t
ascii_run(const unsigned char *p, size_t len)
{
    uint64_t word;
    size_t i = 0;

    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

int
volo__utf8_valid(volo_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t left = s.len, n, i;
    unsigned char low, high;

    for (;; p += n, left -= n) {
        n = ascii_run(p, left);
        if (n)
            continue;
        if (left == 0)
            return 1;
        n = sequence(*p, &low, &high);
        if (n == 0 || n > left)
            return 0;
        if (n > 1 && (p[1] < low || p[1] > high))
            return 0;
        for (i = 2; i < n; i++)
            if ((p[i] & 0xc0) != 0x80)
                return 0;
    }
}
