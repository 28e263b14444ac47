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

/* ---- The query ----------------------------------------------------------- */

static int
refuse_pairs(volo_extract *x, int err, int source, const char *name)
{
    const char *reason = err == VOLO_ETOOBIG  ? "has too many fields"
                         : err == VOLO_ENOMEM ? "out of memory"
                                              : "has a broken escape";

    return volo__extract_refuse(x, err, source, name, reason);
}

int
volo__extract_query(volo_extract *x, volo_form **out)
{
    int err;

    if (!x->query && !x->query_err) {
        err = volo_form_parse(&x->query, x->cx, x->cx->req.query);
        if (err)
            x->query_err = refuse_pairs(x, err, VOLO_FROM_QUERY, "");
    }
    if (!x->query_err)
        *out = x->query;
    return x->query_err;
}

/* One name: without taking the whole query apart. */
static int
find_query(volo_extract *x, volo_str *out, const char *name)
{
    volo_cx *cx = x->cx;
    int err;

    if (!cx->req.query.ptr)
        return VOLO_ENOENT;
    err =
        volo__query_find(out, &cx->arena, cx->req.query, volo_str_of(name), 0);
    if (err && err != VOLO_ENOENT)
        return refuse_pairs(x, err, VOLO_FROM_QUERY, name);
    return err;
}

/* ---- The body ------------------------------------------------------------ */

static int
refuse_type(volo_extract *x, const char *reason)
{
    return volo__extract_refuse(x, VOLO_EMEDIA, VOLO_FROM_HEADER,
                                "content-type", reason);
}

static int
parse_doc(volo_extract *x)
{
    volo_str type = volo_cx_field(x->cx, VOLO_FIELD_CONTENT_TYPE), why;
    int err;

    if (!type.ptr || (!volo_media_is(type, "application/json") &&
                      !volo_media_is(type, "+json")))
        return refuse_type(x, "must be application/json");
    err = volo_json_parse(&x->doc, x->cx, volo_cx_body(x->cx));
    if (!err)
        return 0;
    if (err == VOLO_ENOMEM)
        return volo__extract_refuse(x, err, VOLO_FROM_JSON, "body",
                                    "out of memory");
    why = volo_cx_strdup(x->cx, volo_str_of(volo_json_error()));
    return volo__extract_refuse(x, VOLO_EFORMAT, VOLO_FROM_JSON, "body",
                                why.ptr && why.len ? why.ptr : "is no JSON");
}

int
volo__extract_member(volo_extract *x, volo_json **out, const char *name)
{
    volo_json *value;

    if (!volo_cx_body(x->cx).len)
        return VOLO_ENOENT;
    if (!x->doc && !x->doc_err)
        x->doc_err = parse_doc(x);
    if (!x->doc_err && *name && volo_json_type(x->doc) != VOLO_JSON_OBJECT)
        x->doc_err = volo__extract_refuse(x, VOLO_EVALUE, VOLO_FROM_JSON,
                                          "body", "must be an object");
    if (x->doc_err)
        return x->doc_err;
    value = *name ? volo_json_get(x->doc, name) : x->doc;
    if (volo_json_type(value) <= VOLO_JSON_NULL)
        return VOLO_ENOENT;
    *out = value;
    return 0;
}

/* A body that is not there is a form without fields, of whatever type. */
static int
parse_form(volo_extract *x)
{
    volo_str type = volo_cx_field(x->cx, VOLO_FIELD_CONTENT_TYPE);
    volo_str body = volo_cx_body(x->cx);
    int err;

    if (body.len && (!type.ptr ||
                     !volo_media_is(type, "application/x-www-form-urlencoded")))
        return refuse_type(x, "must be application/x-www-form-urlencoded");
    err = volo_form_parse(&x->form, x->cx, body);
    return err ? refuse_pairs(x, err, VOLO_FROM_FORM, "") : 0;
}

int
volo__extract_form(volo_extract *x, volo_form **out)
{
    if (!x->form && !x->form_err)
        x->form_err = parse_form(x);
    if (!x->form_err)
        *out = x->form;
    return x->form_err;
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
    volo_json *value;
    int err = volo__extract_member(x, &value, name);

    if (err)
        return err;
    if (volo_json_type(value) != VOLO_JSON_STRING)
        return volo__extract_refuse(x, VOLO_EVALUE, VOLO_FROM_JSON, name,
                                    "must be a string");
    return found(out, volo_json_str(value));
}

static int
is_utf8(volo_str type)
{
    volo_str charset;

    return !type.ptr || volo_media_param(&charset, type, "charset") != 0 ||
           volo__str_ieq(charset, VOLO_STR("utf-8")) ||
           volo__str_ieq(charset, VOLO_STR("us-ascii"));
}

static int
find_text(volo_extract *x, volo_str *out)
{
    volo_str body = volo_cx_body(x->cx);

    if (!is_utf8(volo_cx_field(x->cx, VOLO_FIELD_CONTENT_TYPE)))
        return refuse_type(x, "must have the charset utf-8");
    if (!volo__utf8_valid(body))
        return volo__extract_refuse(x, VOLO_EFORMAT, VOLO_FROM_TEXT, "body",
                                    "is not UTF-8");
    return found(out, body);
}

/* ---- All of them --------------------------------------------------------- */

int
volo__extract_find(volo_extract *x, volo_str *out, int source, const char *name)
{
    volo_cx *cx = x->cx;

    switch (source & ~VOLO_OPTIONAL) {
    case VOLO_FROM_PATH:
        return found(out, volo_cx_param(cx, name));
    case VOLO_FROM_QUERY:
        return find_query(x, out, name);
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
}
