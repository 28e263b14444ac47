/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an error, as JSON (RFC 9457) for those who name JSON in Accept,
 * else as text.  Made in two passes over the same code: one counts the octets,
 * one writes them.
 */
#include "http/problem.h"

#include <string.h>

#include "base/str.h"
#include "http/cx.h"

struct sink {
    char *out; /* NULL: only count */
    size_t len;
};

struct problem {
    int status;
    volo_str title;
    volo_str detail;
    const struct volo__invalid *errors;
    size_t count;
};

static void
put(struct sink *sink, const char *ptr, size_t len)
{
    if (sink->out && len)
        memcpy(sink->out + sink->len, ptr, len);
    sink->len += len;
}

static void
put_str(struct sink *sink, volo_str s)
{
    put(sink, s.ptr, s.len);
}

static void
put_text(struct sink *sink, const char *text)
{
    put(sink, text, strlen(text));
}

static void
put_number(struct sink *sink, int n)
{
    char digits[24];

    put(sink, digits, volo__u64_format(digits, (uint64_t)n));
}

/* ---- As JSON ------------------------------------------------------------- */

/* One octet of a string.  A name may come from anywhere: what is not ASCII is
 * passed on only if the whole is UTF-8. */
static void
put_escaped(struct sink *sink, unsigned char c, int utf8)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        put(sink, text, 2);
    } else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8)) {
        put(sink, text, 6);
    } else {
        put(sink, (const char *)&c, 1);
    }
}

static void
put_string(struct sink *sink, volo_str s)
{
    int utf8 = volo__utf8_valid(s);
    size_t i;

    put(sink, "\"", 1);
    for (i = 0; i < s.len; i++)
        put_escaped(sink, (unsigned char)s.ptr[i], utf8);
    put(sink, "\"", 1);
}

static void
put_member(struct sink *sink, const char *name, volo_str value)
{
    put_text(sink, name);
    put_string(sink, value);
}

static void
as_json(struct sink *sink, const struct problem *p)
{
    size_t i;

    put_member(sink, "{\"title\":", p->title);
    put_text(sink, ",\"status\":");
    put_number(sink, p->status);
    if (p->detail.ptr)
        put_member(sink, ",\"detail\":", p->detail);
    for (i = 0; i < p->count; i++) {
        put_text(sink, i ? "," : ",\"errors\":[");
        put_member(sink, "{\"field\":", p->errors[i].field);
        put_member(sink, ",\"in\":", volo_str_of(p->errors[i].where));
        put_member(sink, ",\"reason\":", volo_str_of(p->errors[i].reason));
        put_text(sink, "}");
    }
    put_text(sink, p->count ? "]}" : "}");
}

/* ---- As text ------------------------------------------------------------- */

/* Control octets of a name would disturb whoever reads it on a terminal. */
static void
put_plain(struct sink *sink, volo_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        put(sink, c < 0x20 || c == 0x7f ? "?" : s.ptr + i, 1);
    }
}

static void
as_text(struct sink *sink, const struct problem *p)
{
    size_t i;

    if (p->title.len)
        put_str(sink, p->title);
    else
        put_number(sink, p->status);
    if (p->detail.ptr) {
        put_text(sink, ": ");
        put_plain(sink, p->detail);
    }
    put_text(sink, "\n");
    for (i = 0; i < p->count; i++) {
        volo_str where = volo_str_of(p->errors[i].where);

        put_str(sink, where);
        if (!volo_str_eq(p->errors[i].field, where)) { /* not all of it */
            put_text(sink, where.len ? " " : "");
            put_plain(sink, p->errors[i].field);
        }
        put_text(sink, ": ");
        put_plain(sink, volo_str_of(p->errors[i].reason));
        put_text(sink, "\n");
    }
}

/* ---- Which of them ------------------------------------------------------- */

/* Only who names JSON gets it: a browser that takes anything reads text. */
static int
wants_json(const volo_cx *cx)
{
    volo_str accept = volo_cx_field(cx, VOLO_FIELD_ACCEPT);
    volo_str list = accept, item;

    while (accept.ptr && volo__list_next(&list, &item)) {
        if (volo_media_is(item, "application/problem+json") &&
            volo_accepts(accept, "application/problem+json") > 0)
            return 1;
        if (volo_media_is(item, "application/json") &&
            volo_accepts(accept, "application/json") > 0)
            return 1;
    }
    return 0;
}

static volo_str
render(volo_cx *cx, const struct problem *p,
       void (*as)(struct sink *, const struct problem *))
{
    struct sink sink = {NULL, 0};

    as(&sink, p);
    sink.out = volo__arena_bytes(&cx->arena, sink.len);
    if (!sink.out)
        return volo_str_of(NULL);
    sink.len = 0;
    as(&sink, p);
    return volo_str_make(sink.out, sink.len);
}

int
volo__problem_set(volo_cx *cx, int status, const char *detail,
                  const struct volo__invalid *errors, size_t n)
{
    struct problem p = {status, volo_str_of(volo_status_reason(status)),
                        volo_str_of(detail), errors, n};
    int json = wants_json(cx), err;
    volo_str body;

    err = volo_cx_set_status(cx, status);
    if (err)
        return err;
    if (volo__str_ieq(p.detail, p.title))
        p.detail = volo_str_of(NULL); /* it says nothing more */
    body = render(cx, &p, json ? as_json : as_text);
    if (!body.ptr) {
        volo_cx_set_body_ref(cx, VOLO_STR(""), NULL, NULL);
        return VOLO_ENOMEM;
    }
    err = volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE,
                            json ? VOLO_STR("application/problem+json")
                                 : VOLO_STR("text/plain; charset=utf-8"));
    volo_cx_set_body_ref(cx, body, NULL, NULL);
    return err;
}
