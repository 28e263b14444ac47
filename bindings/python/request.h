/* SPDX-License-Identifier: Apache-2.0 */
/* What request.c and request_get.c know of a request. */
#ifndef VOLO_BINDINGS_REQUEST_H
#define VOLO_BINDINGS_REQUEST_H

#include "call.h"

/* What the cx tells only while it is ours; it lies in the cx's memory. */
struct volo__py_kept {
    volo_str scheme;
    volo_str authority;
    volo_str peer_ip;
    volo_str client_ip;
    volo_str request_id;
    volo_str path;
    volo_str tls_cipher;
    volo_str server_name;
    volo_str client_subject;
    int tls_version;
    int peer_port;
};

#define SELF(object) ((struct volo__py_request *)(object))

/* volo__py_keep(self): put it aside, where that is not done and can still be
 * found out.  With the request locked. */
void volo__py_keep(struct volo__py_request *self);

extern PyGetSetDef volo__py_request_getset[];

/* hint.c: Request.early_hints(fields). */
PyObject *volo__py_early_hints(PyObject *request, PyObject *fields);

/* The body as bytes. */
PyObject *volo__py_request_body(PyObject *request, void *unused);

/* volo__py_once(request, field, made): put ${made} there unless somebody else
 * was faster; what is there then. */
PyObject *volo__py_once(PyObject *request, PyObject **field, PyObject *made);

/* volo__py_seen(request, field): what is there, or NULL. */
PyObject *volo__py_seen(PyObject *request, PyObject **field);

#endif
