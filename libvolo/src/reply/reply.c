/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers from values that are in memory.  Each ends in an answer, whatever
 * fails on the way.
 */
#include <volo/reply.h>

#include "http/cx.h"
#include "reply/reply.h"

int
volo__reply_late(volo_cx *cx)
{
    return volo_cx_is_answered(cx) ? volo_cx_answer(cx) : 0;
}

int
volo__reply_failed(volo_cx *cx, int err)
{
    if (!volo_cx_is_answered(cx)) {
        volo__problem_set(cx, err == VOLO_ENOMEM ? 503 : 500, NULL, NULL, 0);
        volo_cx_answer(cx);
    }
    return err;
}

/* Answer with ${body}, which lives as long as the cx, as ${type} does. */
static int
answer_ref(volo_cx *cx, volo_str type, volo_str body)
{
    int err = volo__reply_late(cx);

    if (err)
        return err;
    err = volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE, type);
    if (!err)
        err = volo_cx_set_body_ref(cx, body, NULL, NULL);
    return err ? volo__reply_failed(cx, err) : volo_cx_answer(cx);
}

static int
answer_copy(volo_cx *cx, volo_str type, volo_str body)
{
    int err = volo__reply_late(cx);

    if (err)
        return err;
    err = volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE, type);
    if (!err)
        err = volo_cx_set_body(cx, body);
    return err ? volo__reply_failed(cx, err) : volo_cx_answer(cx);
}

int
volo_reply_str(volo_cx *cx, volo_str text)
{
    return answer_copy(cx, VOLO_STR("text/plain; charset=utf-8"), text);
}

int
volo_reply_text(volo_cx *cx, const char *text)
{
    return volo_reply_str(cx, volo_str_of(text));
}

int
volo_reply_html(volo_cx *cx, volo_str html)
{
    return answer_copy(cx, VOLO_STR("text/html; charset=utf-8"), html);
}

int
volo_reply_bytes(volo_cx *cx, const char *type, volo_str bytes)
{
    volo_str copy = VOLO_STR("application/octet-stream");
    int err = volo__reply_late(cx);

    if (err)
        return err;
    if (type) {
        copy = volo_cx_strdup(cx, volo_str_of(type));
        if (!copy.ptr)
            return volo__reply_failed(cx, VOLO_ENOMEM);
    }
    return answer_copy(cx, copy, bytes);
}

int
volo_reply_static(volo_cx *cx, const char *type, volo_str bytes)
{
    return answer_ref(
        cx, type ? volo_str_of(type) : VOLO_STR("application/octet-stream"),
        bytes);
}

int
volo_reply_json(volo_cx *cx, const volo_json *value)
{
    volo_str text;
    int err = volo__reply_late(cx);

    if (err)
        return err;
    err = volo_json_write(&text, cx, value);
    if (err)
        return volo__reply_failed(cx, err);
    return answer_ref(cx, VOLO_STR("application/json"), text);
}

/* RFC 9110 section 15: these have no content. */
static int
has_content(int status)
{
    return status >= 200 && status != 204 && status != 205 && status != 304;
}

int
volo_reply_status(volo_cx *cx, int status)
{
    volo_str reason = volo_str_of(volo_status_reason(status));
    int err = volo__reply_late(cx);

    if (err)
        return err;
    if (status >= 400)
        return volo_reply_problem(cx, status, NULL);
    err = volo_cx_set_status(cx, status);
    if (err)
        return volo__reply_failed(cx, err);
    if (!has_content(status))
        return volo_cx_answer(cx);
    return answer_ref(cx, VOLO_STR("text/plain; charset=utf-8"), reason);
}

int
volo_reply_empty(volo_cx *cx)
{
    int err = volo__reply_late(cx);

    if (err)
        return err;
    if (volo_cx_status(cx) == 200)
        err = volo_cx_set_status(cx, 204);
    return err ? volo__reply_failed(cx, err) : volo_cx_answer(cx);
}

int
volo_reply_cookie(volo_cx *cx, const char *name, volo_str value,
                  const char *attributes)
{
    volo_str line;
    int err = volo_cx_is_answered(cx) ? VOLO_EALREADY : 0;

    if (!err)
        err = volo__cookie_line(&line, cx, name, value, attributes);
    return err ? err : volo_cx_add_header(cx, "set-cookie", line);
}
