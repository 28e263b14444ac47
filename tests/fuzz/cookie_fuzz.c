/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: each name that comes out is a token, and can be found. */
#include <string.h>

#include "base/str.h"
#include "http/cookie.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volo_str field = volo_str_make((const char *)data, size), rest = field;
    volo_str name, value, found;
    int n = 0;

    while (n++ < 64 && volo__cookie_next(&rest, &name, &value)) {
        CHECK(volo__is_token(name) && volo__cookie_name_valid(name));
        CHECK(volo__is_field_value(value));
        CHECK(!value.len || !memchr(value.ptr, ';', value.len));
        CHECK(volo__cookie_find(&found, field, name) == 0);
        CHECK(found.ptr <= value.ptr);
    }
    if (volo__cookie_value_valid(field))
        CHECK(volo__is_field_value(field));
    return 0;
}
