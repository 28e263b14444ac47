/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Well-known field names as numbers.  A codec asks this for each field line,
 * so it is one perfect hash over the length and three letters, and one compare
 * that ignores case, eight octets at a time.  Knows nothing of values.
 */
#include <stdint.h>
#include <string.h>

#include <volo/http.h>

#include "http/fields.h"

enum { SHORTEST = 2, LONGEST = 30 };

/* Lower-case names, 32 octets each with their lengths. */
static const struct {
    char text[LONGEST + 1];
    uint8_t len;
} names[VOLO_FIELD_COUNT] = {
#define NAME_X(name, number, text) [number] = {text, sizeof(text) - 1},
    VOLO_FIELDS(NAME_X)
#undef NAME_X
};

/*
 * Where slot() sends each name.  A new field that collides with another needs
 * other factors there; the test of this file fails for each field that is not
 * found, and prints the table that the factors want.
 */
static const uint8_t slots[256] = {
    [4] = VOLO_FIELD_ACCESS_CONTROL_REQUEST_METHOD,
    [8] = VOLO_FIELD_CACHE_CONTROL,
    [10] = VOLO_FIELD_IF_UNMODIFIED_SINCE,
    [13] = VOLO_FIELD_RETRY_AFTER,
    [14] = VOLO_FIELD_CONTENT_LANGUAGE,
    [18] = VOLO_FIELD_AUTHORIZATION,
    [19] = VOLO_FIELD_ETAG,
    [23] = VOLO_FIELD_LAST_MODIFIED,
    [29] = VOLO_FIELD_RANGE,
    [33] = VOLO_FIELD_SET_COOKIE,
    [40] = VOLO_FIELD_IF_NONE_MATCH,
    [41] = VOLO_FIELD_X_REAL_IP,
    [44] = VOLO_FIELD_HTTP2_SETTINGS,
    [45] = VOLO_FIELD_COOKIE,
    [49] = VOLO_FIELD_CONTENT_ENCODING,
    [52] = VOLO_FIELD_IF_MATCH,
    [60] = VOLO_FIELD_ACCEPT,
    [63] = VOLO_FIELD_ACCEPT_RANGES,
    [82] = VOLO_FIELD_ALLOW,
    [86] = VOLO_FIELD_CONTENT_TYPE,
    [88] = VOLO_FIELD_CONTENT_DISPOSITION,
    [108] = VOLO_FIELD_TRANSFER_ENCODING,
    [111] = VOLO_FIELD_HOST,
    [115] = VOLO_FIELD_AGE,
    [116] = VOLO_FIELD_USER_AGENT,
    [121] = VOLO_FIELD_SERVER,
    [123] = VOLO_FIELD_KEEP_ALIVE,
    [131] = VOLO_FIELD_WWW_AUTHENTICATE,
    [132] = VOLO_FIELD_X_FORWARDED_FOR,
    [133] = VOLO_FIELD_REFERER,
    [134] = VOLO_FIELD_CONTENT_RANGE,
    [136] = VOLO_FIELD_EXPECT,
    [151] = VOLO_FIELD_X_FORWARDED_PROTO,
    [162] = VOLO_FIELD_CONNECTION,
    [167] = VOLO_FIELD_EXPIRES,
    [170] = VOLO_FIELD_TE,
    [173] = VOLO_FIELD_IF_MODIFIED_SINCE,
    [174] = VOLO_FIELD_CONTENT_LENGTH,
    [175] = VOLO_FIELD_TRAILER,
    [176] = VOLO_FIELD_VIA,
    [180] = VOLO_FIELD_ACCESS_CONTROL_REQUEST_HEADERS,
    [184] = VOLO_FIELD_ACCEPT_LANGUAGE,
    [186] = VOLO_FIELD_UPGRADE,
    [193] = VOLO_FIELD_X_REQUEST_ID,
    [196] = VOLO_FIELD_PROXY_CONNECTION,
    [202] = VOLO_FIELD_ORIGIN,
    [208] = VOLO_FIELD_X_FORWARDED_HOST,
    [215] = VOLO_FIELD_FORWARDED,
    [219] = VOLO_FIELD_ACCEPT_ENCODING,
    [225] = VOLO_FIELD_VARY,
    [233] = VOLO_FIELD_DATE,
    [245] = VOLO_FIELD_IF_RANGE,
    [249] = VOLO_FIELD_LINK,
    [254] = VOLO_FIELD_LOCATION,
};

/* Where the name could be; 0x20 makes letters lower case and leaves digits and
 * hyphens as they are, and of other octets it does not matter. */
static inline unsigned
slot(const char *name, size_t len)
{
    unsigned first = (unsigned char)name[0] | 0x20;
    unsigned middle = (unsigned char)name[len / 2] | 0x20;
    unsigned last = (unsigned char)name[len - 1] | 0x20;

    return ((unsigned)len * 48 + first * 19 + last * 21 + middle) & 255;
}

/*
 * All eight octets at once.  Of the octets of a known name only letters have
 * the bit 0x40, and they may differ in 0x20, the bit of their case; nothing
 * else may differ.
 */
static inline uint64_t
differ(uint64_t name, uint64_t known)
{
    uint64_t letters = known & 0x4040404040404040u;

    return (name ^ known) & ~(letters >> 1);
}

static inline uint64_t
load8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, 8);
    return word;
}

static inline uint32_t
load4(const char *p)
{
    uint32_t word;

    memcpy(&word, p, 4);
    return word;
}

/* The last words of both overlap those before, so that no octet is left. */
static inline int
same(const char *name, const char *known, size_t len)
{
    uint64_t diff = 0;
    size_t i;

    if (len >= 8) {
        for (i = 0; i + 8 < len; i += 8)
            diff |= differ(load8(name + i), load8(known + i));
        return !(diff | differ(load8(name + len - 8), load8(known + len - 8)));
    }
    if (len >= 4) {
        diff = differ(load4(name), load4(known));
        return !(diff | differ(load4(name + len - 4), load4(known + len - 4)));
    }
    for (i = 0; i < len; i++)
        diff |= differ((unsigned char)name[i], (unsigned char)known[i]);
    return !diff;
}

int
volo__field_lookup(const char *name, size_t len)
{
    unsigned id;

    if (len < SHORTEST || len > LONGEST)
        return VOLO_FIELD_OTHER;
    id = slots[slot(name, len)];
    if (names[id].len != len || !same(name, names[id].text, len))
        return VOLO_FIELD_OTHER;
    return (int)id;
}

int
volo_field_of(const char *name, size_t len)
{
    return volo__field_lookup(name, len);
}

volo_str
volo__field_str(int id)
{
    if (id <= 0 || id >= VOLO_FIELD_COUNT)
        return volo_str_make(NULL, 0);
    return volo_str_make(names[id].text, names[id].len);
}

const char *
volo_field_name(int field)
{
    if (field <= 0 || field >= VOLO_FIELD_COUNT)
        return "";
    return names[field].text;
}
