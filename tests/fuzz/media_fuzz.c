/* SPDX-License-Identifier: Apache-2.0 */
/* Media types, Accept and dates: weights are in range, and what is found lies
 * inside.  The first line is the type that is asked for. */
#include <stdlib.h>
#include <string.h>

#include <volo/http.h>

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

static void
check(volo_str value, const char *type)
{
    char date[30];
    int64_t when, again;
    volo_str out;
    int weight = volo_accepts(value, type);

    CHECK(weight >= 0 && weight <= 1000);
    volo_media_is(value, type);
    volo_media_is(value, "+json");
    if (volo_media_param(&out, value, type) == 0)
        CHECK(out.ptr >= value.ptr &&
              out.ptr + out.len <= value.ptr + value.len);
    if (volo_date_parse(&when, value) == 0) {
        volo_date_format(date, when);
        CHECK(volo_date_parse(&again, volo_str_make(date, 29)) == 0);
        CHECK(again == when);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - data) : 0, skip = end ? n + 1 : 0;
    char *type = malloc(n + 1), *value = malloc(size - skip + 1);

    if (n)
        memcpy(type, data, n);
    type[n] = 0;
    /* Exactly as long, so that a read beyond the end is seen. */
    value = realloc(value, size - skip ? size - skip : 1);
    if (size > skip)
        memcpy(value, data + skip, size - skip);
    check(volo_str_make(value, size - skip), type);
    free(value);
    free(type);
    return 0;
}
