/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers into the memory of the exchange: when this is done, nothing of
 * Python's is needed any more, but for bodies that are too large to be copied.
 */
#include "call.h"

#include <string.h>

enum { COPIED_MAX = 65536 }; /* a larger body is sent from where it is */

/* What an answer is made of; all borrowed. */
struct parts {
    PyObject *body;   /* str, bytes or None */
    PyObject *lines;  /* list of name, value, ...; or NULL */
    PyObject *media;  /* str, or NULL: by ${type} */
    const char *type; /* a literal, or NULL: by the body */
    int status;       /* 0: by the body */
};

static int
check(int err, const char *words)
{
    if (err)
        volo__py_raise(err, words);
    return err ? -1 : 0;
}

/* ---- Field lines --------------------------------------------------------- */

/* One character is one octet; str that is not ASCII has another form. */
static volo_str
latin_copy(volo_cx *cx, PyObject *str)
{
    volo_str s = {NULL, 0};
    PyObject *latin;
    char *bytes;
    Py_ssize_t len;

    if (volo__py_octets(str, &s) < 0)
        return volo_str_make(NULL, 0);
    if ((size_t)PyUnicode_GetLength(str) == s.len)
        return volo_cx_strdup(cx, s);
    latin = PyUnicode_AsLatin1String(str);
    if (!latin || PyBytes_AsStringAndSize(latin, &bytes, &len) < 0)
        s = volo_str_make(NULL, 0);
    else
        s = volo_cx_strdup(cx, volo_str_make(bytes, (size_t)len));
    Py_XDECREF(latin);
    return s;
}

static int
put_lines(volo_cx *cx, volo_answer *out, PyObject *lines)
{
    size_t i, n = (size_t)PyList_Size(lines) / 2;
    volo_pair *pairs = n ? volo_cx_alloc(cx, n * sizeof *pairs) : NULL;

    if (n && !pairs)
        return check(VOLO_ENOMEM, NULL);
    for (i = 0; i < n; i++) {
        Py_ssize_t at = (Py_ssize_t)(2 * i);

        pairs[i].name = latin_copy(cx, PyList_GetItem(lines, at));
        pairs[i].value = latin_copy(cx, PyList_GetItem(lines, at + 1));
        pairs[i].reserved = 0;
        if (!pairs[i].name.ptr || !pairs[i].value.ptr) {
            if (!PyErr_Occurred())
                PyErr_NoMemory();
            return -1;
        }
        pairs[i].id =
            (uint32_t)volo_field_of(pairs[i].name.ptr, pairs[i].name.len);
    }
    out->headers = pairs;
    out->header_count = n;
    return 0;
}

/* ---- The content --------------------------------------------------------- */

static int
put_type(volo_cx *cx, const struct parts *parts, int is_text, size_t len)
{
    volo_str type = volo_str_of(parts->type), media;

    if (parts->media) {
        if (volo__py_octets(parts->media, &media) < 0)
            return -1;
        type = volo_cx_strdup(cx, media);
        if (!type.ptr)
            return check(VOLO_ENOMEM, NULL);
    } else if (!type.ptr) {
        if (!len)
            return 0;
        type = is_text ? VOLO_STR("text/plain; charset=utf-8")
                       : VOLO_STR("application/octet-stream");
    }
    return check(volo_cx_set_field(cx, VOLO_FIELD_CONTENT_TYPE, type),
                 "a media_type that no Content-Type can be");
}

static int
octets_of(PyObject *body, volo_str *out)
{
    Py_ssize_t len = 0;
    char *bytes = NULL;

    if (PyUnicode_Check(body))
        return volo__py_octets(body, out);
    if (PyBytes_AsStringAndSize(body, &bytes, &len) < 0)
        return -1;
    *out = volo_str_make(bytes, (size_t)len);
    return 0;
}

static int
put_body(volo_cx *cx, const struct parts *parts)
{
    PyObject *body = parts->body;
    volo_str s;

    if (body == Py_None)
        return 0;
    if (octets_of(body, &s) < 0 ||
        put_type(cx, parts, PyUnicode_Check(body), s.len) < 0)
        return -1;
    if (s.len < COPIED_MAX)
        return check(volo_cx_set_body(cx, s), NULL);
    Py_INCREF(body);
    return check(volo_cx_set_body_ref(cx, s, volo__py_drop, body), NULL);
}

/* ---- All of it ----------------------------------------------------------- */

/* Field lines first: they may be refused, and then nothing has changed. */
static int
put_parts(volo_cx *cx, volo_answer *out, const struct parts *parts)
{
    memset(out, 0, sizeof *out);
    out->status = parts->status;
    if (!out->status)
        out->status = parts->body == Py_None ? 204 : 200;
    if (parts->lines && put_lines(cx, out, parts->lines) < 0)
        return -1;
    return put_body(cx, parts);
}

static int
encode(struct volo__py_call *call, volo_answer *out, const struct parts *parts)
{
    volo_cx *cx = call->job->cx;
    int err;

    if (call->request) {
        VOLO__PY_LOCK(call->request);
        err = put_parts(cx, out, parts);
        VOLO__PY_UNLOCK();
    } else {
        err = put_parts(cx, out, parts);
    }
    if (err)
        return -1;
    out->cx = volo__py_call_release(call);
    return out->cx ? 1 : 0;
}

/* With what has stood beside it in a tuple. */
static int
encode_with(struct volo__py_call *call, volo_answer *out, struct parts *parts)
{
    int done;

    parts->status = call->status;
    if (call->extra) {
        parts->lines =
            volo__py_headers_list((struct volo__py_headers *)call->extra);
        if (!parts->lines)
            return -1;
    }
    done = encode(call, out, parts);
    Py_XDECREF(parts->lines);
    return done;
}

int
volo__py_is_plain(PyObject *body)
{
    return !body || body == Py_None || PyUnicode_Check(body) ||
           PyBytes_Check(body);
}

int
volo__py_encode_plain(struct volo__py_call *call, volo_answer *out,
                      PyObject *value)
{
    struct parts parts = {value, NULL, NULL, NULL, 0};
    int done;

    if (volo__py_is_plain(value))
        return encode_with(call, out, &parts);
    if (!volo__py_is_json(value))
        return 0;
    parts.body = volo__py_as_json(call, value);
    parts.type = "application/json";
    done = parts.body ? encode_with(call, out, &parts) : -1;
    Py_XDECREF(parts.body);
    return done;
}

static int
check_media(PyObject *media)
{
    if (!media || PyUnicode_Check(media))
        return 0;
    PyErr_Format(PyExc_TypeError, "media_type must be str or None, not %R",
                 (PyObject *)Py_TYPE(media));
    return -1;
}

int
volo__py_encode(struct volo__py_call *call, volo_answer *out,
                PyObject *response)
{
    struct volo__py_response *self = (struct volo__py_response *)response;
    PyObject *body = volo__py_response_take(self, &self->body);
    PyObject *media = volo__py_response_take(self, &self->media);
    PyObject *headers = volo__py_response_take(self, &self->headers);
    struct parts parts = {body ? body : Py_None, NULL,
                          media == Py_None ? NULL : media, NULL, self->status};
    int done = 0;

    if (volo__py_is_plain(parts.body)) {
        if (headers)
            parts.lines =
                volo__py_headers_list((struct volo__py_headers *)headers);
        done = (headers && !parts.lines) || check_media(parts.media) < 0
                   ? -1
                   : encode(call, out, &parts);
    }
    Py_XDECREF(body);
    Py_XDECREF(media);
    Py_XDECREF(headers);
    Py_XDECREF(parts.lines);
    return done;
}
