/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: each name that can be decoded is found, with its own value. */
#include <stdlib.h>
#include <string.h>

#include <volo/error.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/query.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

/* How many pairs before ${end} have the decoded name. */
static unsigned
earlier(volo_str query, const char *end, const char *name, size_t len)
{
    volo_str key, value;
    unsigned n = 0;
    char *copy;

    while (volo__query_next(&query, &key, &value) && key.ptr < end) {
        copy = malloc(key.len + 1);
        if (volo__percent_decode(copy, key, 1) == (ptrdiff_t)len &&
            !memcmp(copy, name, len))
            n++;
        free(copy);
    }
    return n;
}

static void
check_pair(struct volo__arena *arena, volo_str query, volo_str key,
           volo_str value)
{
    char *name = malloc(key.len + 1), *text = malloc(value.len + 1);
    ptrdiff_t len = volo__percent_decode(name, key, 1);
    ptrdiff_t want = volo__percent_decode(text, value, 1);
    volo_str out;
    int err;

    if (len >= 0) {
        err = volo__query_find(&out, arena, query,
                               volo_str_make(name, (size_t)len),
                               earlier(query, key.ptr, name, (size_t)len));
        CHECK(err == (want < 0 ? VOLO_EFORMAT : 0));
        CHECK(err < 0 || volo_str_eq(out, volo_str_make(text, (size_t)want)));
    }
    free(name);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volo_str query = volo_str_make((const char *)data, size), rest = query;
    volo_str key, value;
    struct volo__arena arena;
    char mem[256];
    int n = 0;

    volo__arena_init(&arena, mem, sizeof(mem));
    while (n++ < 16 && volo__query_next(&rest, &key, &value)) {
        CHECK(!memchr(key.ptr, '&', key.len + (value.ptr > key.ptr + key.len)));
        CHECK(!value.len || !memchr(value.ptr, '&', value.len));
        check_pair(&arena, query, key, value);
    }
    volo__arena_clear(&arena);
    return 0;
}
