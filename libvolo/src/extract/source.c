/* SPDX-License-Identifier: Apache-2.0 */
/* Where values come from: the text of a name at each source. */
#include <string.h>

#include "base/str.h"
#include "extract/extract.h"
#include "http/cookie.h"
#include "http/query.h"

static int
find_cookie(volo_cx *cx, volo_str *out, volo_str name)
{
    const struct volo__fields *fields = &cx->req.headers;
    uint32_t i;

    for (i = 0; i < fields->count; i++)
        if (fields->v[i].id == VOLO_FIELD_COOKIE &&
            volo__cookie_find(out, fields->v[i].value, name) == 0)
            return 0;
    return VOLO_ENOENT;
}

static int
found(volo_str *out, volo_str value)
{
    if (!value.ptr)
        return VOLO_ENOENT;
    *out = value;
    return 0;
}

/* ---- The body ------------------------------------------------------------ */

static int
is_json(const volo_cx *cx)
{
    volo_str type = volo_cx_field(cx, VOLO_FIELD_CONTENT_TYPE);

    return type.ptr && (volo_media_is(type, "application/json") ||
                        volo_media_is(type, "+json"));
}

int
volo__extract_doc(volo_extract *x, volo_json **out)
{
    volo_str body = volo_cx_body(x->cx);
    char *why;
    int err;

    if (x->doc) {
        *out = x->doc;
        return 0;
    }
    if (!is_json(x->cx))
        return volo__extract_refuse(x, VOLO_EMEDIA, VOLO_FROM_JSON,
                                    "content-type", "must be application/json");
    if (!body.len)
        return volo__extract_refuse(x, VOLO_EMISSING, VOLO_FROM_JSON, "body",
                                    "is empty");
    err = volo_json_parse(&x->doc, x->cx, body);
    if (err == VOLO_ENOMEM)
        return volo__extract_refuse(x, err, VOLO_FROM_JSON, "body",
                                    "out of memory");
    if (err) {
        why = (char *)(uintptr_t)volo_cx_strdup(x->cx,
                                                volo_str_of(volo_json_error()))
                  .ptr;
        return volo__extract_refuse(x, VOLO_EFORMAT, VOLO_FROM_JSON, "body",
                                    why ? why : "is no JSON");
    }
    *out = x->doc;
    return 0;
}

static int
form_error(volo_extract *x, int err)
{
    const char *reason = err == VOLO_ETOOBIG  ? "has too many fields"
                         : err == VOLO_ENOMEM ? "out of memory"
                                              : "has a broken escape";

    return volo__extract_refuse(x, err, VOLO_FROM_FORM, "body", reason);
}

int
volo__extract_form(volo_extract *x, volo_form **out)
{
    volo_str type = volo_cx_field(x->cx, VOLO_FIELD_CONTENT_TYPE);
    int err;

    if (!x->form) {
        if (!type.ptr ||
            !volo_media_is(type, "application/x-www-form-urlencoded"))
            return volo__extract_refuse(
                x, VOLO_EMEDIA, VOLO_FROM_FORM, "content-type",
                "must be application/x-www-form-urlencoded");
        err = volo_form_parse(&x->form, x->cx, volo_cx_body(x->cx));
        if (err)
            return form_error(x, err);
    }
    *out = x->form;
    return 0;
}

static int
find_form(volo_extract *x, volo_str *out, const char *name)
{
    volo_form *form;
    int err = volo__extract_form(x, &form);

    return err ? err : found(out, volo_form_get(form, name));
}

static int
find_member(volo_extract *x, volo_str *out, const char *name)
{
    volo_json *doc, *value;
    int err = volo__extract_doc(x, &doc);

    if (err)
        return err;
    value = *name ? volo_json_get(doc, name) : doc;
    if (volo_json_type(value) <= VOLO_JSON_NULL)
        return VOLO_ENOENT;
    if (volo_json_type(value) != VOLO_JSON_STRING)
        return volo__extract_refuse(x, VOLO_EVALUE, VOLO_FROM_JSON, name,
                                    "must be a string");
    return found(out, volo_json_str(value));
}

static int
find_text(volo_extract *x, volo_str *out)
{
    volo_str body = volo_cx_body(x->cx);

    if (!volo__utf8_valid(body))
        return volo__extract_refuse(x, VOLO_EFORMAT, VOLO_FROM_TEXT, "body",
                                    "is not UTF-8");
    return found(out, body);
}

int
volo__extract_find(volo_extract *x, volo_str *out, int source, const char *name)
{
    volo_cx *cx = x->cx;
    int err;

    switch (source & ~VOLO_OPTIONAL) {
    case VOLO_FROM_PATH:
        return found(out, volo_cx_param(cx, name));
    case VOLO_FROM_QUERY:
        if (!cx->req.query.ptr)
            return VOLO_ENOENT;
        err = volo__query_find(out, &cx->arena, cx->req.query,
                               volo_str_of(name), 0);
        break;
    case VOLO_FROM_HEADER:
        return found(out, volo_cx_header(cx, name));
    case VOLO_FROM_COOKIE:
        return find_cookie(cx, out, volo_str_of(name));
    case VOLO_FROM_CLIENT:
        return found(out, volo_cx_client_ip(cx));
    case VOLO_FROM_FORM:
        return find_form(x, out, name);
    case VOLO_FROM_JSON:
        return find_member(x, out, name);
    case VOLO_FROM_BODY:
        return found(out, volo_cx_body(cx));
    case VOLO_FROM_TEXT:
        return find_text(x, out);
    default:
        return VOLO_ENOENT;
    }
    if (err && err != VOLO_ENOENT)
        volo__extract_refuse(x, err, source, name, "has a broken escape");
    return err;
}
