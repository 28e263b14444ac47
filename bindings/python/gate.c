/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests and responses, and where a request was for, as ASGI and
 * WSGI have them.
 */
#include "gate.h"

#include <string.h>

enum {
    WHOLE_BODY = 64 * 1024, /* longer ones come piece by piece */
    REFER_FROM = 16 * 1024  /* shorter ones are copied */
};

/* ---- Requests ------------------------------------------------------------ */

struct split {
    volo_service *whole;
    volo_service *piecewise;
};

static void
split_free(void *user)
{
    struct split *split = user;

    volo_service_unref(split->whole);
    volo_service_unref(split->piecewise);
    volo_free(split);
}

static void
split_serve(volo_cx *cx, void *user)
{
    struct split *split = user;
    int64_t length = volo_cx_content_length(cx);

    if (length > 0 && (uint64_t)length > volo_cx_body_limit(cx))
        volo_reply_error(cx, VOLO_ETOOBIG);
    else if (length >= 0 && length <= WHOLE_BODY)
        volo_service_call(split->whole, cx);
    else
        volo_service_call(split->piecewise, cx);
}

int
volo__py_split(volo_service **out, volo_service *whole, volo_service *piecewise)
{
    struct split *split = volo_alloc(sizeof *split);

    if (!split) {
        volo_service_unref(whole);
        volo_service_unref(piecewise);
        return VOLO_ENOMEM;
    }
    split->whole = whole;
    split->piecewise = piecewise;
    return volo_service_new(out, split_serve, split, split_free);
}

/* ---- Responses ----------------------------------------------------------- */

int
volo__py_body_set(volo_cx *cx, PyObject *bytes)
{
    char *text;
    Py_ssize_t len;
    volo_str s;
    int err;

    if (PyBytes_AsStringAndSize(bytes, &text, &len) < 0)
        return -1;
    s = volo_str_make(text, (size_t)len);
    if (len < REFER_FROM)
        err = volo_cx_set_body(cx, s);
    else
        err = volo_cx_set_body_ref(cx, s, volo__py_drop, Py_NewRef(bytes));
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

int
volo__py_length_check(int64_t announced, int64_t length)
{
    if (announced < 0 || announced == length)
        return 0;
    PyErr_SetString(PyExc_RuntimeError,
                    length < announced
                        ? "the response is shorter than its Content-Length"
                        : "the response is longer than its Content-Length");
    return -1;
}

int
volo__py_is_bodiless(uint32_t method, int status)
{
    return method == VOLO_HEAD || status == 204 || status == 304;
}

/* A writer that goes without a word: there was nothing to say. */
int
volo__py_head_only(volo_cx *cx, int64_t announced)
{
    volo_writer *writer = NULL;
    int err = volo_cx_answer_stream(&writer, cx, announced);

    volo_writer_free(writer);
    return err;
}

/* ---- Where it was for ---------------------------------------------------- */

volo_str
volo__py_mount_prefix(const volo_cx *cx, volo_str path)
{
    volo_str whole = volo_cx_original_path(cx);

    if (whole.len >= path.len &&
        !memcmp(whole.ptr + whole.len - path.len, path.ptr, path.len))
        whole.len -= path.len;
    else if (whole.len && whole.ptr[whole.len - 1] == '/')
        whole.len--;
    return whole;
}

/* The client-IP layer has believed the proxy: so do we. */
int
volo__py_is_https(volo_cx *cx)
{
    volo_str scheme = volo_cx_scheme(cx), said;

    if (scheme.len == 5)
        return 1;
    if (volo_cx_client_ip(cx).ptr == volo_cx_peer_ip(cx).ptr)
        return 0;
    said = volo_cx_field(cx, VOLO_FIELD_X_FORWARDED_PROTO);
    return said.len == 5 && !memcmp(said.ptr, "https", 5);
}
