/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What serving ASGI and serving WSGI have in common: heads of responses that
 * somebody else's application made, which bodies come whole, and paths.
 */
#ifndef VOLO_BINDINGS_GATE_H
#define VOLO_BINDINGS_GATE_H

#include "py.h"

/* ---- Heads (gate_head.c) ------------------------------------------------- */

/* Where a response's lines go, and what they said of its length. */
struct volo__py_head {
    volo_cx *cx;
    PyObject *lines;   /* list of pairs; anything that can be read as one */
    int64_t announced; /* Content-Length; -1: none */
    int text;          /* of str (WSGI), not of bytes (ASGI) */
};

/* volo__py_head_put(head): into the cx, in the place of what layers outside
 * have set by the same names.  -1 with an exception if something is wrong. */
int volo__py_head_put(struct volo__py_head *head);

/* volo__py_head_drop(head): take it out again; an exception that is set
 * stays. */
void volo__py_head_drop(struct volo__py_head *head);

/* volo__py_head_trail(writer, lines): as trailers; -1 with an exception. */
int volo__py_head_trail(volo_writer *writer, PyObject *lines);

/* ---- Bodies (gate.c) ----------------------------------------------------- */

/* volo__py_body_set(cx, bytes): as content; referred to if it is large.  -1
 * with an exception. */
int volo__py_body_set(volo_cx *cx, PyObject *bytes);

/* volo__py_length_check(announced, length): -1 with RuntimeError if the one is
 * not the other. */
int volo__py_length_check(int64_t announced, int64_t length);

/* volo__py_is_bodiless(method, status): whether the answer has no content. */
int volo__py_is_bodiless(uint32_t method, int status);

/* volo__py_head_only(cx, announced): answer with the head as set, of content
 * that is not sent; 0 or an error.  The reference stays the caller's. */
int volo__py_head_only(volo_cx *cx, int64_t announced);

/*
 * volo__py_split(out, whole, piecewise):
 * A service that hands exchanges with short bodies to ${whole} and others to
 * ${piecewise}.  Takes over both references, also on failure.  Returns an
 * error as the library does.
 */
int volo__py_split(volo_service **out, volo_service *whole,
                   volo_service *piecewise);

/* ---- Early hints (hint.c) ------------------------------------------------ */

/* volo__py_hint_links(cx, links): an iterable of bytes, as Link fields of a
 * 103; -1 with an exception. */
int volo__py_hint_links(volo_cx *cx, PyObject *links);

/* ---- Where a request was for (gate.c) ------------------------------------ */

/* volo__py_mount_prefix(cx, path): the part of the whole path that routers
 * have taken off ${path}. */
volo_str volo__py_mount_prefix(const volo_cx *cx, volo_str path);

/* volo__py_is_https(cx): by the connection, or by a proxy that is trusted. */
int volo__py_is_https(volo_cx *cx);

#endif
