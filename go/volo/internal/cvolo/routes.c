/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All routes of a router as one text, so that no callback goes to Go: for each
 * method, pattern and name, each with a NUL behind it.
 */
#include "go.h"

struct text {
    char *at;
    size_t len;
    int failed;
};

static void
add(struct text *text, volo_str s)
{
    char *more = volo__go_alloc(text->len + s.len + 1);

    if (!more) {
        text->failed = 1;
        return;
    }
    if (text->len)
        memcpy(more, text->at, text->len);
    volo__go_free(text->at);
    text->at = more;
    if (s.len)
        memcpy(more + text->len, s.ptr, s.len);
    text->len += s.len;
    more[text->len++] = '\0';
}

static void
add_route(volo_str method, volo_str pattern, volo_str name, void *user)
{
    add(user, method);
    add(user, pattern);
    add(user, name);
}

volo_str
volo__go_routes(const volo_router *router)
{
    struct text text = {NULL, 0, 0};

    volo_router_each(router, add_route, &text);
    if (text.failed) {
        volo__go_free(text.at);
        text.at = NULL;
        text.len = 0;
    }
    return volo_str_make(text.at, text.len);
}
