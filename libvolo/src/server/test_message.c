/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses of the in-memory client: memory, no behaviour. */
#include "server/test_message.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

/* ---- Lines --------------------------------------------------------------- */

int
volo__lines_add(struct volo__lines *lines, volo_str name, volo_str value)
{
    volo_pair *more =
        volo__realloc(lines->v, (lines->count + 1) * sizeof *lines->v);
    char *n, *v;

    if (!more)
        return VOLO_ENOMEM;
    lines->v = more;
    n = volo__strndup(name.ptr, name.len);
    v = volo__strndup(value.ptr, value.len);
    if (!n || !v) {
        volo__free(n);
        volo__free(v);
        return VOLO_ENOMEM;
    }
    more[lines->count].name = volo_str_make(n, name.len);
    more[lines->count].value = volo_str_make(v, value.len);
    lines->count++;
    return 0;
}

static void
lines_free(struct volo__lines *lines)
{
    size_t i;

    for (i = 0; i < lines->count; i++) {
        volo__free((char *)(uintptr_t)lines->v[i].name.ptr);
        volo__free((char *)(uintptr_t)lines->v[i].value.ptr);
    }
    volo__free(lines->v);
}

volo_str
volo__lines_find(const struct volo__lines *lines, volo_str name)
{
    size_t i;

    for (i = 0; i < lines->count; i++)
        if (volo__str_ieq(lines->v[i].name, name))
            return lines->v[i].value;
    return volo_str_of(NULL);
}

int
volo__lines_copy(struct volo__lines *lines, const struct volo__fields *fields)
{
    uint32_t i;
    int err = 0;

    for (i = 0; i < fields->count && !err; i++)
        err = volo__lines_add(lines, fields->v[i].name, fields->v[i].value);
    return err;
}

/* ---- A request ----------------------------------------------------------- */

void
volo__test_request_free(volo_test_request *request)
{
    volo_test_request **at = &request->test->requests;

    while (*at && *at != request)
        at = &(*at)->next;
    if (*at)
        *at = request->next;
    volo__free(request->method);
    volo__free(request->target);
    lines_free(&request->headers);
    volo__free(request->body);
    volo__free(request);
}

int
volo_test_request_new(volo_test_request **out, volo_test *test,
                      const char *method, const char *target)
{
    volo_test_request *r;

    if (!volo__is_token(volo_str_of(method)) || !target)
        return VOLO_EINVAL;
    r = volo__calloc(sizeof *r);
    if (!r)
        return VOLO_ENOMEM;
    r->test = test;
    r->next = test->requests;
    test->requests = r;
    r->method = volo__strndup(method, strlen(method));
    r->target = volo__strndup(target, strlen(target));
    if (!r->method || !r->target) {
        volo__test_request_free(r);
        return VOLO_ENOMEM;
    }
    *out = r;
    return 0;
}

int
volo_test_request_header(volo_test_request *request, const char *name,
                         const char *value)
{
    volo_str n = volo_str_of(name), v = volo_str_of(value);

    if (!volo__is_token(n) || !volo__is_field_value(v))
        return VOLO_EINVAL;
    return volo__lines_add(&request->headers, n, v);
}

int
volo_test_request_body(volo_test_request *request, volo_str body)
{
    char *copy = volo__strndup(body.ptr, body.len);

    if (!copy)
        return VOLO_ENOMEM;
    volo__free(request->body);
    request->body = copy;
    request->body_len = body.len;
    return 0;
}

void
volo_test_request_chunk(volo_test_request *request, size_t size)
{
    request->chunk = size;
}

int
volo_test_request_peer(volo_test_request *request, const char *ip)
{
    struct volo__peer *peer = &request->peer;

    memset(peer, 0, sizeof *peer);
    if (!strcmp(ip, "unix"))
        peer->family = 1;
    else if (inet_pton(AF_INET, ip, peer->addr) == 1)
        peer->family = 4;
    else if (inet_pton(AF_INET6, ip, peer->addr) == 1)
        peer->family = 6;
    else
        return VOLO_EINVAL;
    peer->port = 40000;
    return 0;
}

void
volo_test_request_leave(volo_test_request *request, uint64_t ms)
{
    request->leave_ms = ms;
    request->leaves = 1;
}

int
volo__test_body_append(volo_test_response *r, const char *ptr, size_t len)
{
    size_t need = r->body_len + len + 1, cap = r->body_cap;
    char *mem;

    if (need > cap) {
        cap = need > 2 * cap ? need : 2 * cap;
        mem = volo__realloc(r->body, cap);
        if (!mem)
            return VOLO_ENOMEM;
        r->body = mem;
        r->body_cap = cap;
    }
    if (len)
        memcpy(r->body + r->body_len, ptr, len);
    r->body_len += len;
    r->body[r->body_len] = 0;
    return 0;
}

/* ---- A response ---------------------------------------------------------- */

int
volo_test_status(const volo_test_response *response)
{
    return response->status;
}

volo_str
volo_test_header(const volo_test_response *response, const char *name)
{
    return volo__lines_find(&response->headers, volo_str_of(name));
}

volo_str
volo_test_trailer(const volo_test_response *response, const char *name)
{
    return volo__lines_find(&response->trailers, volo_str_of(name));
}

volo_str
volo_test_hint(const volo_test_response *response, const char *name)
{
    return volo__lines_find(&response->hints, volo_str_of(name));
}

size_t
volo_test_header_count(const volo_test_response *response)
{
    return response->headers.count;
}

void
volo_test_header_at(const volo_test_response *response, size_t i,
                    volo_str *name, volo_str *value)
{
    if (i >= response->headers.count) {
        *name = *value = volo_str_of(NULL);
        return;
    }
    *name = response->headers.v[i].name;
    *value = response->headers.v[i].value;
}

volo_str
volo_test_body(const volo_test_response *response)
{
    return volo_str_make(response->body, response->body_len);
}

void
volo_test_response_free(volo_test_response *response)
{
    volo_test_response **at;

    if (!response)
        return;
    at = &response->test->responses;
    while (*at && *at != response)
        at = &(*at)->next;
    if (*at)
        *at = response->next;
    lines_free(&response->headers);
    lines_free(&response->trailers);
    lines_free(&response->hints);
    volo__free(response->body);
    volo__free(response);
}
