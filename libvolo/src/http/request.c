/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the request: plain accessors, none of which can fail. */
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "base/tls_info.h"
#include "http/cx.h"

int
volo_cx_method(const volo_cx *cx)
{
    return cx->req.method;
}

volo_str
volo_cx_method_name(const volo_cx *cx)
{
    return cx->req.method_name;
}

int
volo_cx_version(const volo_cx *cx)
{
    return cx->req.version;
}

volo_str
volo_cx_target(const volo_cx *cx)
{
    return cx->req.target;
}

volo_str
volo_cx_path(const volo_cx *cx)
{
    return cx->req.path;
}

volo_str
volo_cx_original_path(const volo_cx *cx)
{
    return cx->req.original_path;
}

volo_str
volo_cx_query(const volo_cx *cx)
{
    return cx->req.query;
}

volo_str
volo_cx_scheme(const volo_cx *cx)
{
    if (cx->peer && cx->peer->tls)
        return VOLO_STR("https");
    return VOLO_STR("http");
}

static const struct volo__tls_info *
tls_info(const volo_cx *cx)
{
    return cx->peer ? cx->peer->tls_info : NULL;
}

int
volo_cx_tls_version(const volo_cx *cx)
{
    const struct volo__tls_info *info = tls_info(cx);

    return info ? info->version : 0;
}

volo_str
volo_cx_tls_cipher(const volo_cx *cx)
{
    const struct volo__tls_info *info = tls_info(cx);

    return info ? info->cipher : volo_str_of(NULL);
}

volo_str
volo_cx_tls_server_name(const volo_cx *cx)
{
    const struct volo__tls_info *info = tls_info(cx);

    return info ? info->server_name : volo_str_of(NULL);
}

volo_str
volo_cx_tls_client_subject(const volo_cx *cx)
{
    const struct volo__tls_info *info = tls_info(cx);

    return info ? info->client_subject : volo_str_of(NULL);
}

volo_str
volo_cx_authority(const volo_cx *cx)
{
    return cx->req.authority;
}

volo_str
volo_cx_protocol(const volo_cx *cx)
{
    return cx->req.protocol;
}

volo_str
volo_cx_header(const volo_cx *cx, const char *name)
{
    volo_str key = volo_str_of(name);

    return volo__fields_find(&cx->req.headers,
                             volo__field_lookup(key.ptr, key.len), key);
}

volo_str
volo_cx_field(const volo_cx *cx, int field)
{
    if (field <= 0 || field >= VOLO_FIELD_COUNT)
        return volo_str_of(NULL);
    return volo__fields_find(&cx->req.headers, field, volo_str_of(NULL));
}

size_t
volo_cx_header_count(const volo_cx *cx)
{
    return cx->req.headers.count;
}

static int
pair_at(const struct volo__fields *f, size_t i, volo_str *name, volo_str *value)
{
    if (i >= f->count) {
        *name = *value = volo_str_of(NULL);
        return 0;
    }
    *name = f->v[i].name;
    *value = f->v[i].value;
    return (int)f->v[i].id;
}

int
volo_cx_header_at(const volo_cx *cx, size_t i, volo_str *name, volo_str *value)
{
    return pair_at(&cx->req.headers, i, name, value);
}

volo_str
volo_cx_trailer(const volo_cx *cx, const char *name)
{
    volo_str key = volo_str_of(name);

    return volo__fields_find(&cx->req.trailers,
                             volo__field_lookup(key.ptr, key.len), key);
}

/* From the back: the innermost router's parameters were added last. */
volo_str
volo_cx_param(const volo_cx *cx, const char *name)
{
    volo_str key = volo_str_of(name);
    uint32_t i = cx->req.params.count;

    while (i-- > 0)
        if (volo_str_eq(cx->req.params.v[i].name, key))
            return cx->req.params.v[i].value;
    return volo_str_of(NULL);
}

size_t
volo_cx_param_count(const volo_cx *cx)
{
    return cx->req.params.count;
}

void
volo_cx_param_at(const volo_cx *cx, size_t i, volo_str *name, volo_str *value)
{
    pair_at(&cx->req.params, i, name, value);
}

volo_str
volo_cx_pattern(const volo_cx *cx)
{
    return cx->req.pattern;
}

/* Written on demand: most exchanges are never asked. */
volo_str
volo_cx_peer_ip(volo_cx *cx)
{
    const struct volo__peer *peer = cx->peer;
    char text[INET6_ADDRSTRLEN];

    if (cx->peer_ip.ptr)
        return cx->peer_ip;
    if (!peer || peer->family == 0)
        return VOLO_STR("test");
    if (peer->family == 1)
        return VOLO_STR("unix");
    if (!inet_ntop(peer->family == 4 ? AF_INET : AF_INET6, peer->addr, text,
                   sizeof text))
        return VOLO_STR("");
    cx->peer_ip = volo__arena_dup(&cx->arena, volo_str_of(text));
    return cx->peer_ip.ptr ? cx->peer_ip : VOLO_STR("");
}

int
volo_cx_peer_port(const volo_cx *cx)
{
    return cx->peer ? cx->peer->port : 0;
}

volo_str
volo_cx_client_ip(volo_cx *cx)
{
    return cx->client_ip.ptr ? cx->client_ip : volo_cx_peer_ip(cx);
}

int
volo_cx_set_client_ip(volo_cx *cx, volo_str ip)
{
    volo_str copy = volo__arena_dup(&cx->arena, ip);

    if (!copy.ptr)
        return VOLO_ENOMEM;
    cx->client_ip = copy;
    return 0;
}

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
volo__cx_started(volo_cx *cx)
{
    cx->start_ns = now_ns();
}

uint64_t
volo_cx_elapsed_us(const volo_cx *cx)
{
    return (now_ns() - cx->start_ns) / 1000;
}

int64_t
volo_cx_deadline_ms(const volo_cx *cx)
{
    uint64_t now = now_ns() / 1000000;

    if (!cx->deadline_ms)
        return -1;
    return cx->deadline_ms > now ? (int64_t)(cx->deadline_ms - now) : 0;
}

uint64_t
volo_cx_sent(const volo_cx *cx)
{
    return cx->sent;
}

/* A loop begins with its home (net/loop.h). */
volo_loop *
volo_cx_loop(const volo_cx *cx)
{
    return (volo_loop *)cx->home;
}
