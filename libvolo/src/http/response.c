/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the response.  What the application sets is checked here, so that no
 * codec can be made to write something else than was meant.
 */
#include <string.h>

#include "base/str.h"
#include "http/cx.h"

int
volo_cx_set_status(volo_cx *cx, int status)
{
    if (cx->res.sent)
        return VOLO_EALREADY;
    if (status < 200 || status > 999)
        return VOLO_EINVAL;
    cx->res.status = (uint16_t)status;
    return 0;
}

int
volo_cx_status(const volo_cx *cx)
{
    return cx->res.status;
}

int
volo__field_is_ours(int id)
{
    return id == VOLO_FIELD_CONNECTION || id == VOLO_FIELD_KEEP_ALIVE ||
           id == VOLO_FIELD_TRANSFER_ENCODING || id == VOLO_FIELD_UPGRADE ||
           id == VOLO_FIELD_CONTENT_LENGTH || id == VOLO_FIELD_PROXY_CONNECTION;
}

static int
check(const volo_cx *cx, int id, volo_str name, volo_str value)
{
    if (cx->res.sent)
        return VOLO_EALREADY;
    if (volo__field_is_ours(id) || !volo__is_token(name) ||
        !volo__is_field_value(value))
        return VOLO_EINVAL;
    return 0;
}

/* A lower-case copy; well-known names need none. */
static volo_str
own_name(volo_cx *cx, int id, volo_str name)
{
    char *copy;

    if (id)
        return volo__field_str(id);
    copy = volo__arena_bytes(&cx->arena, name.len);
    if (!copy)
        return volo_str_of(NULL);
    volo__str_lower(copy, name);
    return volo_str_make(copy, name.len);
}

static int
put_header(volo_cx *cx, const char *name, volo_str value, int replace)
{
    volo_str key = volo_str_of(name);
    int id = volo__field_lookup(key.ptr, key.len);
    int err = check(cx, id, key, value);
    volo_str own, copy;

    if (err)
        return err;
    own = own_name(cx, id, key);
    copy = volo__arena_dup(&cx->arena, value);
    if (!own.ptr || !copy.ptr)
        return VOLO_ENOMEM;

    /* Adding cannot fail where something was removed: there is room then. */
    if (replace)
        volo__fields_remove(&cx->res.headers, id, own);
    return volo__fields_add(&cx->res.headers, &cx->arena, id, own, copy);
}

int
volo_cx_set_header(volo_cx *cx, const char *name, volo_str value)
{
    return name ? put_header(cx, name, value, 1) : VOLO_EINVAL;
}

int
volo_cx_add_header(volo_cx *cx, const char *name, volo_str value)
{
    return name ? put_header(cx, name, value, 0) : VOLO_EINVAL;
}

int
volo_cx_set_field(volo_cx *cx, int field, volo_str value)
{
    struct volo__fields *f = &cx->res.headers;

    if (cx->res.sent)
        return VOLO_EALREADY;
    if (field <= 0 || field >= VOLO_FIELD_COUNT || volo__field_is_ours(field) ||
        !volo__is_field_value(value))
        return VOLO_EINVAL;
    if (volo__fields_has(f, field))
        volo__fields_remove(f, field, volo__field_str(field));
    return volo__fields_add(f, &cx->arena, field, volo__field_str(field),
                            value);
}

int
volo_cx_remove_header(volo_cx *cx, const char *name)
{
    volo_str key = volo_str_of(name);

    if (cx->res.sent)
        return VOLO_EALREADY;
    volo__fields_remove(&cx->res.headers, volo__field_lookup(key.ptr, key.len),
                        key);
    return 0;
}

volo_str
volo_cx_response_header(const volo_cx *cx, const char *name)
{
    volo_str key = volo_str_of(name);

    return volo__fields_find(&cx->res.headers,
                             volo__field_lookup(key.ptr, key.len), key);
}

size_t
volo_cx_response_header_count(const volo_cx *cx)
{
    return cx->res.headers.count;
}

int
volo_cx_response_header_at(const volo_cx *cx, size_t i, volo_str *name,
                           volo_str *value)
{
    const struct volo__fields *f = &cx->res.headers;

    if (i >= f->count) {
        *name = *value = volo_str_of(NULL);
        return 0;
    }
    *name = f->v[i].name;
    *value = f->v[i].value;
    return (int)f->v[i].id;
}

/* The body that was set before is not needed any more.  One that is only
 * borrowed keeps its release until the cx dies or it is replaced. */
static void
drop_body(struct volo__response *res)
{
    if (res->release)
        res->release(res->release_user);
    res->release = NULL;
    res->body = volo_str_of(NULL);
}

int
volo_cx_set_body(volo_cx *cx, volo_str body)
{
    volo_str copy;

    if (cx->res.sent || cx->res.streamed)
        return VOLO_EALREADY;
    copy = volo__arena_dup(&cx->arena, body);
    if (!copy.ptr)
        return VOLO_ENOMEM;
    drop_body(&cx->res);
    cx->res.body = copy;
    return 0;
}

int
volo_cx_set_body_ref(volo_cx *cx, volo_str body, volo_free_fn release,
                     void *user)
{
    if (cx->res.sent || cx->res.streamed) {
        if (release)
            release(user);
        return VOLO_EALREADY;
    }
    drop_body(&cx->res);
    cx->res.body = body.ptr ? body : VOLO_STR("");
    cx->res.release = release;
    cx->res.release_user = user;
    return 0;
}

volo_str
volo_cx_response_body(const volo_cx *cx)
{
    return cx->res.body;
}

int
volo_cx_is_streamed(const volo_cx *cx)
{
    return cx->res.streamed;
}
