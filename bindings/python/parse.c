/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query and cookies taken apart into Python objects, and text decoded.  By
 * libvolo's rules, but without the memory of the exchange: a request is also
 * read when that is the loop's again.
 */
#include "call.h"

#include <string.h>

enum { PAIRS_MAX = 1000 }; /* as many as volo_form_parse() takes */

/* ---- Percent-encoding ---------------------------------------------------- */

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode ${s} to ${out}, which has room for as much.  Returns the length, or
 * -1 for a broken escape; with ${lenient} such a one stays as it is. */
static Py_ssize_t
unescape(char *out, volo_str s, int plus, int lenient)
{
    const char *end = s.ptr + s.len, *p = s.ptr;
    char *to = out;

    for (; p < end; p++) {
        int high = *p == '%' && end - p > 2 ? hex(p[1]) : -1;
        int low = high >= 0 ? hex(p[2]) : -1;

        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            p += 2;
        } else if (*p == '%' && !lenient) {
            return -1;
        } else {
            *to++ = (char)(plus && *p == '+' ? ' ' : *p);
        }
    }
    return to - out;
}

PyObject *
volo__py_decoded_by(volo_str s, volo__py_decode_fn decode)
{
    PyObject *result;
    Py_ssize_t n;
    char *room;

    if (!s.len || !memchr(s.ptr, '%', s.len))
        return decode(s.ptr ? s.ptr : "", (Py_ssize_t)s.len, "replace");
    room = PyMem_Malloc(s.len);
    if (!room)
        return PyErr_NoMemory();
    n = unescape(room, s, 0, 1);
    result = decode(room, n, "replace");
    PyMem_Free(room);
    return result;
}

PyObject *
volo__py_decoded(volo_str s)
{
    return volo__py_decoded_by(s, PyUnicode_DecodeUTF8);
}

/* ---- A query ------------------------------------------------------------- */

static volo_str
take_until(volo_str *rest, char c)
{
    const char *end = rest->len ? memchr(rest->ptr, c, rest->len) : NULL;
    size_t n = end ? (size_t)(end - rest->ptr) : rest->len;
    volo_str piece = volo_str_make(rest->ptr, n);

    rest->ptr += n + (end != NULL);
    rest->len -= n + (end != NULL);
    return piece;
}

static int
append_part(PyObject *lines, volo_str part, char *room)
{
    Py_ssize_t n = part.len ? unescape(room, part, 1, 0) : 0;
    PyObject *item;
    int err;

    if (n < 0) {
        volo__py_refuse(400, "query", "query", "has a broken escape");
        return -1;
    }
    item = PyUnicode_DecodeUTF8(room, n, "replace");
    err = item ? PyList_Append(lines, item) : -1;
    Py_XDECREF(item);
    return err;
}

static int
append_pairs(PyObject *lines, volo_str query, char *room)
{
    int n = 0;

    while (query.len) {
        volo_str piece = take_until(&query, '&'), name;

        if (!piece.len)
            continue;
        if (n++ == PAIRS_MAX) {
            volo__py_refuse(413, "query", "query", "has too many fields");
            return -1;
        }
        name = take_until(&piece, '=');
        if (append_part(lines, name, room) < 0 ||
            append_part(lines, piece, room) < 0)
            return -1;
    }
    return 0;
}

PyObject *
volo__py_query_lines(volo_str query)
{
    PyObject *lines = PyList_New(0);
    char *room = lines ? PyMem_Malloc(query.len + 1) : NULL;

    if (!room) {
        Py_XDECREF(lines);
        return PyErr_NoMemory();
    }
    if (append_pairs(lines, query, room) < 0)
        Py_CLEAR(lines);
    PyMem_Free(room);
    return lines;
}

/* ---- Cookies (RFC 6265 section 5.4) -------------------------------------- */

static volo_str
trim(volo_str s)
{
    while (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
        s = volo_str_make(s.ptr + 1, s.len - 1);
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static volo_str
without_quotes(volo_str s)
{
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        return volo_str_make(s.ptr + 1, s.len - 2);
    return s;
}

static int
put_cookie(PyObject *all, volo_str piece)
{
    const char *eq = piece.len ? memchr(piece.ptr, '=', piece.len) : NULL;
    PyObject *name, *value;
    int err = 0;

    if (!eq)
        return 0;
    name = volo__py_latin(trim(take_until(&piece, '=')));
    value = volo__py_latin(without_quotes(trim(piece)));
    if (!name || !value)
        err = -1;
    else if (PyUnicode_GetLength(name) > 0 && !PyDict_Contains(all, name))
        err = PyDict_SetItem(all, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return err;
}

PyObject *
volo__py_cookies(const volo_pair *pairs, size_t count)
{
    PyObject *all = PyDict_New();
    volo_str rest;
    size_t i;

    for (i = 0; all && i < count; i++) {
        if (pairs[i].id != VOLO_FIELD_COOKIE)
            continue;
        rest = pairs[i].value;
        while (all && rest.len)
            if (put_cookie(all, take_until(&rest, ';')) < 0)
                Py_CLEAR(all);
    }
    return all;
}
