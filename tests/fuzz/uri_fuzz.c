/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: what is accepted has one of the four forms and nothing else. */
#include <string.h>

#include <volo/http.h>

#include "http/uri.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

static void
check_clean(volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        CHECK(s.ptr[i] > ' ' && s.ptr[i] < 0x7f && s.ptr[i] != '#');
}

static void
check_target(const struct volo__target *t, int method, volo_str target)
{
    check_clean(target);
    CHECK(!t->scheme.ptr || t->authority.ptr);
    if (t->authority.ptr) {
        CHECK(volo__authority_valid(t->authority));
        CHECK(volo__authority_host(t->authority).len > 0);
        CHECK(!memchr(t->authority.ptr, '@', t->authority.len));
    }
    if (!t->path.ptr) {
        CHECK(method == VOLO_CONNECT && !t->query.ptr && !t->scheme.ptr);
        return;
    }
    CHECK(method != VOLO_CONNECT && t->path.len > 0);
    CHECK(!memchr(t->path.ptr, '?', t->path.len));
    if (t->path.ptr[0] == '*')
        CHECK(method == VOLO_OPTIONS && t->path.len == 1 && !t->query.ptr);
    else
        CHECK(t->path.ptr[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int methods[] = {VOLO_GET, VOLO_OPTIONS, VOLO_CONNECT};
    volo_str s = volo_str_make((const char *)data, size), host;
    struct volo__target t;
    size_t i;

    for (i = 0; i < 3; i++)
        if (volo__target_parse(&t, methods[i], s) == 0)
            check_target(&t, methods[i], s);
    host = volo__authority_host(s);
    CHECK(host.len <= s.len);
    if (volo__authority_valid(s))
        CHECK(volo__authority_valid(host));
    volo_mime_of(s.ptr, s.len);
    return 0;
}
