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

/* What the body implies, unless it is said; absent if nothing. */
static volo_str
type_of(const struct parts *parts, int is_text, size_t len)
{
    if (parts->type || !len)
        return volo_str_of(parts->type);
    return is_text ? VOLO_STR("text/plain; charset=utf-8")
                   : VOLO_STR("application/octet-stream");
}

static int
put_type(volo_cx *cx, const struct parts *parts, int is_text, size_t len)
{
    volo_str type, media;

    if (parts->media) {
        if (volo__py_octets(parts->media, &media) < 0)
            return -1;
        type = volo_cx_strdup(cx, media);
        if (!type.ptr)
            return check(VOLO_ENOMEM, NULL);
    } else {
        type = type_of(parts, is_text, len);
        if (!type.ptr)
            return 0;
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

/* ---- Of a response that leaves a layer ----------------------------------- */

static const volo_pair *
find_type(const volo_answer *out)
{
    size_t i;

    for (i = 0; i < out->header_count; i++)
        if (out->headers[i].id == VOLO_FIELD_CONTENT_TYPE)
            return &out->headers[i];
    return NULL;
}

/* The lines of the answer take the place of all that there were, so what a
 * body implies is one of them. */
static int
change_type(volo_cx *cx, volo_answer *out, volo_str type)
{
    size_t n = out->header_count;
    volo_pair *pairs = volo_cx_alloc(cx, (n + 1) * sizeof *pairs);

    type = volo_cx_strdup(cx, type);
    if (!pairs || !type.ptr)
        return check(VOLO_ENOMEM, NULL);
    memset(pairs, 0, sizeof *pairs);
    pairs[0].name = VOLO_STR("content-type");
    pairs[0].value = type;
    pairs[0].id = VOLO_FIELD_CONTENT_TYPE;
    if (n)
        memcpy(pairs + 1, out->headers, n * sizeof *pairs);
    out->headers = pairs;
    out->header_count = n + 1;
    return 0;
}

static int
change_body(volo_cx *cx, volo_answer *out, const struct parts *parts)
{
    volo_str type = {NULL, 0};

    if (parts->body == Py_None) {
        out->body = VOLO_STR("");
        return 0;
    }
    if (octets_of(parts->body, &out->body) < 0)
        return -1;
    if (!out->body.ptr)
        out->body = VOLO_STR("");
    if (parts->media && volo__py_octets(parts->media, &type) < 0)
        return -1;
    if (!parts->media)
        type = type_of(parts, PyUnicode_Check(parts->body), out->body.len);
    if (type.ptr && !find_type(out) && change_type(cx, out, type) < 0)
        return -1;
    out->release = volo__py_drop;
    out->user = Py_NewRef(parts->body);
    return 0;
}

/* A body that is still the one which came is not touched: it may be a stream.
 */
static int
put_change(volo_cx *cx, volo_answer *out, const struct parts *parts,
           PyObject *given)
{
    static const volo_pair none;

    memset(out, 0, sizeof *out);
    out->kind = VOLO_ANSWER_CHANGE;
    out->headers = &none;
    out->status = parts->status;
    if (!out->status)
        out->status = parts->body == Py_None ? 204 : 200;
    if (parts->lines && put_lines(cx, out, parts->lines) < 0)
        return -1;
    if (!out->headers)
        out->headers = &none;
    return parts->body == given ? 0 : change_body(cx, out, parts);
}

/* ---- Either -------------------------------------------------------------- */

static int
put(struct volo__py_call *call, volo_answer *out, const struct parts *parts)
{
    volo_cx *cx = call->job->cx;

    if (volo__py_call_leaves(call))
        return put_change(cx, out, parts,
                          ((struct volo__py_request *)call->request)->given);
    return put_parts(cx, out, parts);
}

static int
encode(struct volo__py_call *call, volo_answer *out, const struct parts *parts)
{
    int err;

    if (call->request) {
        VOLO__PY_LOCK(call->request);
        err = put(call, out, parts);
        VOLO__PY_UNLOCK();
    } else {
        err = put(call, out, parts);
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

/* The body of what has come back, whatever it is. */
static int
is_given(const struct volo__py_call *call, const PyObject *body)
{
    return volo__py_call_leaves(call) &&
           ((struct volo__py_request *)call->request)->given == body;
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

    if (volo__py_is_plain(parts.body) || is_given(call, parts.body)) {
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
