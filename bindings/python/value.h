/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the call path: text, field lines, responses. */
#ifndef VOLO_BINDINGS_VALUE_H
#define VOLO_BINDINGS_VALUE_H

#include "py.h"

/* ---- Text (text.c) ------------------------------------------------------- */

/* A str that has one character for each octet. */
PyObject *volo__py_latin(volo_str s);

/* A str, or UnicodeDecodeError. */
PyObject *volo__py_utf8(volo_str s);

/* The name of a field: known ones are made once. */
PyObject *volo__py_field_name(const volo_pair *pair);

/* volo__py_octets(str, out): the UTF-8 of ${str}, which keeps it.  -1 with
 * TypeError or UnicodeEncodeError. */
int volo__py_octets(PyObject *str, volo_str *out);

/* A str, or of a subclass: as a str and nothing more. */
PyObject *volo__py_exact_str(PyObject *str);

/* The name of a field in lower case. */
PyObject *volo__py_lower(PyObject *name);

int volo__py_text_init(void);

/* ---- Field lines and other multi-mappings (headers.c, lines.c) ----------- */

struct volo__py_headers {
    PyObject ob_base;
    PyObject *lines; /* list of name, value, name, value ...: exact str; or
                        NULL: as they came, in ${pairs} */
    volo_cx *cx;     /* keeps the pairs */
    const volo_pair *pairs;
    size_t count;
};

/* The lines of a request.  Keeps ${cx}. */
PyObject *volo__py_headers_of(volo_cx *cx, const volo_pair *pairs,
                              size_t count);

/* From a mapping or (name, value) pairs, checked; NULL or None: empty. */
PyObject *volo__py_headers_from(PyObject *source);

/* An immutable mapping in which case counts; takes over ${lines}. */
PyObject *volo__py_multi_from(PyObject *lines);

/* volo__py_headers_add(headers, name, value, replace): checked. */
int volo__py_headers_add(struct volo__py_headers *self, PyObject *name,
                         PyObject *value, int replace);

/* volo__py_headers_list(headers): list of name, value, ...; a new one. */
PyObject *volo__py_headers_list(struct volo__py_headers *self);

/* What all of the mappings can do. */
extern PyMethodDef volo__py_lines_methods[];
Py_ssize_t volo__py_lines_len(PyObject *self);
PyObject *volo__py_lines_item(PyObject *self, PyObject *name);
int volo__py_lines_contains(PyObject *self, PyObject *name);
PyObject *volo__py_lines_iter(PyObject *self);
PyObject *volo__py_lines_repr(PyObject *self);
void volo__py_lines_dealloc(PyObject *self);

/* The name as it is looked for in ${self}: lower case in header fields. */
PyObject *volo__py_lines_key(const struct volo__py_headers *self,
                             PyObject *name);

int volo__py_headers_init(PyObject *module);

/* ---- Responses (response.c) ---------------------------------------------- */

/* A value with status and field lines; subclassed in python/volo. */
struct volo__py_response {
    PyObject ob_base;
    PyObject *body;    /* bytes, str, None; or what respond() understands */
    PyObject *headers; /* volo__py_headers, or NULL for none */
    PyObject *media;   /* str: the Content-Type, or NULL: by the body */
    int status;        /* 0: 200, or 204 without a body */
};

/* volo__py_response_new(body, status, media): ${media} may be NULL. */
PyObject *volo__py_response_new(PyObject *body, int status, const char *media);

/* volo__py_response_take(response, field): one of its fields, a new reference;
 * NULL without an exception if it is not set. */
PyObject *volo__py_response_take(struct volo__py_response *self,
                                 PyObject **field);

/* volo__py_status_of(value): of an int; -1 with TypeError, ValueError. */
int volo__py_status_of(PyObject *value);

int volo__py_response_init(PyObject *module);

#endif
