/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reading of one request: what was refused is gathered, and answered with
 * at the end, all at once.
 */
#include "extract/extract.h"

#include <string.h>

volo_extract *
volo_extract_begin(volo_cx *cx)
{
    volo_extract *x = volo_cx_alloc(cx, sizeof *x);

    if (!x)
        return NULL;
    memset(x, 0, sizeof *x);
    x->cx = cx;
    return x;
}

volo_cx *
volo_extract_cx(volo_extract *x)
{
    return x ? x->cx : NULL;
}

const char *
volo__extract_where(int source)
{
    switch (source & ~VOLO_OPTIONAL) {
    case VOLO_FROM_PATH:
        return "path";
    case VOLO_FROM_QUERY:
        return "query";
    case VOLO_FROM_HEADER:
        return "header";
    case VOLO_FROM_COOKIE:
        return "cookie";
    case VOLO_FROM_FORM:
        return "form";
    case VOLO_FROM_JSON:
    case VOLO_FROM_BODY:
    case VOLO_FROM_TEXT:
        return "body";
    default:
        return "request";
    }
}

/* Which of two statuses says more: see volo_extract_reject(). */
static int
weight(int status)
{
    switch (status) {
    case 0:
        return 0;
    case 422:
        return 1;
    case 400:
        return 2;
    default:
        return 3;
    }
}

static int
grow(volo_extract *x)
{
    size_t cap = x->cap ? 2 * x->cap : 4;
    struct volo__invalid *more = volo_cx_alloc(x->cx, cap * sizeof *more);

    if (!more)
        return VOLO_ENOMEM;
    if (x->count)
        memcpy(more, x->errors, x->count * sizeof *more);
    x->errors = more;
    x->cap = cap;
    return 0;
}

void
volo_extract_reject(volo_extract *x, int status, const char *field,
                    const char *where, const char *reason)
{
    if (!x)
        return;
    if (weight(status) > weight(x->status))
        x->status = status;
    if (!x->err)
        x->err = VOLO_EVALUE;

    /* Out of memory, the status alone has to say it. */
    if (x->count == x->cap && grow(x))
        return;
    x->errors[x->count].field = volo_str_of(field ? field : "");
    x->errors[x->count].where = where ? where : "request";
    x->errors[x->count].reason = reason ? reason : "";
    x->count++;
}

int
volo__extract_refuse(volo_extract *x, int err, int source, const char *name,
                     const char *reason)
{
    const char *where = volo__extract_where(source);

    /* The name of an extension is an address and no text. */
    if ((source & ~VOLO_OPTIONAL) == VOLO_FROM_EXT)
        name = "extension";
    if (!x->err)
        x->err = err;
    volo_extract_reject(x, volo_error_status(err), *name ? name : where, where,
                        reason);
    return err;
}

/* With a status of its own, rather than that of VOLO_EMISSING. */
static int
refuse_missing(volo_extract *x, int status, const char *name, const char *where,
               const char *reason)
{
    if (!x->err)
        x->err = VOLO_EMISSING;
    volo_extract_reject(x, status, name, where, reason);
    return VOLO_EMISSING;
}

int
volo__extract_absent(volo_extract *x, int source, const char *name,
                     const char *fallback)
{
    if (fallback)
        return 0;
    if (source & VOLO_OPTIONAL)
        return 1;
    /* Nothing that a client could do better. */
    if (source == VOLO_FROM_PATH)
        return refuse_missing(x, 500, name, "path", "is not in the pattern");
    /* The document is there, and well-formed. */
    if (source == VOLO_FROM_JSON && x->doc)
        return refuse_missing(x, 422, *name ? name : "body", "body",
                              "is missing");
    return volo__extract_refuse(x, VOLO_EMISSING, source, name, "is missing");
}

int
volo_extract_end(volo_extract *x, volo_cx *cx)
{
    if (!x) {
        if (!volo_cx_is_answered(cx)) {
            volo__problem_set(cx, 503, NULL, NULL, 0);
            volo_cx_answer(cx);
        }
        return VOLO_ENOMEM;
    }
    if (!x->status)
        return 0;
    if (!volo_cx_is_answered(cx)) {
        volo__problem_set(cx, x->status, NULL, x->errors, x->count);
        volo_cx_answer(cx);
    }
    return x->err;
}

/* ---- The handler around it ------------------------------------------------
 */

struct run {
    volo_service_fn fn;
    void *user;
};

static void
fail(volo_cx *cx, int err, const char *detail)
{
    static const struct volo__invalid body = {
        {"body", 4}, "body", "is larger than is accepted"};

    if (volo_cx_is_answered(cx))
        return;
    volo__problem_set(cx, volo_error_status(err), detail, &body,
                      err == VOLO_ETOOBIG && !detail);
    volo_cx_answer(cx);
}

static void
body_there(volo_cx *cx, int err, volo_str body, void *user)
{
    struct run *run = user;

    (void)body;
    if (err)
        fail(cx, err, NULL);
    else
        run->fn(cx, run->user);
}

void
volo_extract_run(volo_cx *cx, void *user, volo_service_fn fn, int sources)
{
    struct run *run;
    int err;

    if (!(sources & VOLO_FROM_FORM)) {
        fn(cx, user);
        return;
    }
    run = volo_cx_alloc(cx, sizeof *run);
    if (!run) {
        fail(cx, VOLO_ENOMEM, NULL);
        return;
    }
    run->fn = fn;
    run->user = user;
    err = volo_cx_read_body(cx, body_there, run);
    if (err)
        fail(cx, err, NULL);
}

void
volo_extract_done(volo_cx *cx, int err)
{
    if (err < 0)
        fail(cx, err, volo_strerror(err));
}
