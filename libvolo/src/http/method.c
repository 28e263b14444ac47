/* SPDX-License-Identifier: Apache-2.0 */
/* Methods as numbers.  Knows no rules of what a method may carry. */
#include <string.h>

#include <volo/http.h>

/* A length that the compiler knows makes memcmp a load and a compare. */
#define NAME_IS(name, text) (!memcmp((name), (text), sizeof(text) - 1))

int
volo_method_of(const char *name, size_t len)
{
    switch (len) {
    case 3:
        if (NAME_IS(name, "GET"))
            return VOLO_GET;
        return NAME_IS(name, "PUT") ? VOLO_PUT : VOLO_OTHER;
    case 4:
        if (NAME_IS(name, "POST"))
            return VOLO_POST;
        return NAME_IS(name, "HEAD") ? VOLO_HEAD : VOLO_OTHER;
    case 5:
        if (NAME_IS(name, "PATCH"))
            return VOLO_PATCH;
        return NAME_IS(name, "TRACE") ? VOLO_TRACE : VOLO_OTHER;
    case 6:
        return NAME_IS(name, "DELETE") ? VOLO_DELETE : VOLO_OTHER;
    case 7:
        if (NAME_IS(name, "OPTIONS"))
            return VOLO_OPTIONS;
        return NAME_IS(name, "CONNECT") ? VOLO_CONNECT : VOLO_OTHER;
    default:
        return VOLO_OTHER;
    }
}

const char *
volo_method_name(int method)
{
    switch (method) {
#define NAME_X(name, number, text) \
    case number:                   \
        return text;
        VOLO_METHODS(NAME_X)
#undef NAME_X
    default:
        return "";
    }
}

int
volo_method_is_safe(int method)
{
    return method == VOLO_GET || method == VOLO_HEAD ||
           method == VOLO_OPTIONS || method == VOLO_TRACE;
}
