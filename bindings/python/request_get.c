/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes of a request.  Those that are made at the first look stay; no
 * lock is held while they are made, and who is later throws his away.
 */
#include "request.h"

/* ---- Plain octets -------------------------------------------------------- */

/* Which volo_str of the job the closure stands for. */
static PyObject *
get_octets(PyObject *object, void *offset)
{
    const char *job = (const char *)&SELF(object)->job;
    const volo_str *s = (const volo_str *)(job + (uintptr_t)offset);

    return volo__py_latin(*s);
}

static PyObject *
get_kept(PyObject *object, void *offset)
{
    struct volo__py_request *self = SELF(object);
    const char *from;
    volo_str s = {NULL, 0};

    VOLO__PY_LOCK(object);
    volo__py_keep(self);
    from = (const char *)self->kept;
    if (from)
        s = *(const volo_str *)(from + (uintptr_t)offset);
    VOLO__PY_UNLOCK();
    if (!s.ptr)
        Py_RETURN_NONE;
    return volo__py_latin(s);
}

static PyObject *
get_path(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    volo_str path;

    (void)unused;
    VOLO__PY_LOCK(object);
    volo__py_keep(self);
    path = self->kept ? self->kept->path : self->job.path;
    VOLO__PY_UNLOCK();
    return volo__py_decoded(path);
}

static PyObject *
get_client(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    volo_str ip = {NULL, 0};
    int port = 0;

    (void)unused;
    VOLO__PY_LOCK(object);
    volo__py_keep(self);
    if (self->kept) {
        ip = self->kept->peer_ip;
        port = self->kept->peer_port;
    }
    VOLO__PY_UNLOCK();
    return Py_BuildValue("(s#i)", ip.ptr ? ip.ptr : "", (Py_ssize_t)ip.len,
                         port);
}

static PyObject *
get_version(PyObject *object, void *unused)
{
    uint32_t version = SELF(object)->job.version;

    (void)unused;
    return PyUnicode_FromString(version == 10   ? "1.0"
                                : version == 20 ? "2"
                                                : "1.1");
}

/* ---- What is made at the first look -------------------------------------- */

PyObject *
volo__py_once(PyObject *object, PyObject **field, PyObject *made)
{
    PyObject *there;

    (void)object; /* of no use where there is a GIL */
    if (!made)
        return NULL;
    VOLO__PY_LOCK(object);
    if (!*field) {
        *field = made;
        made = NULL;
    }
    there = *field;
    Py_INCREF(there);
    VOLO__PY_UNLOCK();
    Py_XDECREF(made);
    return there;
}

PyObject *
volo__py_seen(PyObject *object, PyObject **field)
{
    PyObject *there;

    (void)object;
    VOLO__PY_LOCK(object);
    there = *field;
    Py_XINCREF(there);
    VOLO__PY_UNLOCK();
    return there;
}

static PyObject *
get_headers(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    PyObject *there = volo__py_seen(object, &self->headers);

    (void)unused;
    if (there)
        return there;
    return volo__py_once(object, &self->headers,
                         volo__py_headers_of(self->job.cx, self->job.headers,
                                             self->job.header_count));
}

static PyObject *
params_of(const volo_job *job)
{
    PyObject *all = PyDict_New(), *name, *value;
    size_t i;

    for (i = 0; all && i < job->param_count; i++) {
        volo_str s = job->params[i].value;

        name = volo__py_latin(job->params[i].name);
        value = PyUnicode_DecodeUTF8(s.ptr, (Py_ssize_t)s.len, "replace");
        if (!name || !value || PyDict_SetItem(all, name, value) < 0)
            Py_CLEAR(all);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return all;
}

static PyObject *
get_params(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    PyObject *there = volo__py_seen(object, &self->params);

    (void)unused;
    return there ? there
                 : volo__py_once(object, &self->params, params_of(&self->job));
}

static PyObject *
get_query(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    PyObject *there = volo__py_seen(object, &self->query);

    (void)unused;
    if (there)
        return there;
    return volo__py_once(
        object, &self->query,
        volo__py_multi_from(volo__py_query_lines(self->job.query)));
}

static PyObject *
get_cookies(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    PyObject *there = volo__py_seen(object, &self->cookies);

    (void)unused;
    if (there)
        return there;
    return volo__py_once(
        object, &self->cookies,
        volo__py_cookies(self->job.headers, self->job.header_count));
}

PyObject *
volo__py_request_body(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    PyObject *there = volo__py_seen(object, &self->body);
    volo_str body = self->job.body;

    (void)unused;
    if (there)
        return there;
    if (self->phase) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a layer with something of C in it has no body of the "
                        "request: that is not read before its handler runs");
        return NULL;
    }
    if (self->handler &&
        ((struct volo__py_handler *)self->handler)->streaming) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the body of this request is streamed: read it");
        return NULL;
    }
    return volo__py_once(object, &self->body,
                         PyBytes_FromStringAndSize(body.ptr ? body.ptr : "",
                                                   (Py_ssize_t)body.len));
}

static PyObject *
get_state(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    PyObject *there = volo__py_seen(object, &self->state);

    (void)unused;
    if (there)
        return there;
    return volo__py_once(object, &self->state,
                         PyObject_CallNoArgs((PyObject *)volo__py.state_type));
}

/* ---- How it stands ------------------------------------------------------- */

static PyObject *
get_canceled(PyObject *object, void *unused)
{
    volo_cx *cx = SELF(object)->job.cx;

    (void)unused;
    return PyBool_FromLong(cx && volo_cx_is_canceled(cx));
}

static PyObject *
get_deadline(PyObject *object, void *unused)
{
    struct volo__py_request *self = SELF(object);
    int64_t ms = -1;

    (void)unused;
    VOLO__PY_LOCK(object);
    if (!self->answered && self->job.cx)
        ms = volo_cx_deadline_ms(self->job.cx);
    VOLO__PY_UNLOCK();
    if (ms < 0)
        Py_RETURN_NONE;
    return PyFloat_FromDouble((double)ms / 1000);
}

static PyObject *
text_or_none(volo_str s)
{
    if (!s.ptr)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(s.ptr, (Py_ssize_t)s.len, "replace");
}

/* One item of a TLSInfo that is being made; 0, or -1 with an exception. */
static int
put_fact(PyObject *info, Py_ssize_t i, PyObject *value)
{
    if (!value)
        return -1;
    PyStructSequence_SetItem(info, i, value);
    return 0;
}

static PyObject *
get_tls(PyObject *object, void *unused)
{
    struct volo__py_kept kept = {0};
    PyObject *info;

    (void)unused;
    VOLO__PY_LOCK(object);
    volo__py_keep(SELF(object));
    if (SELF(object)->kept)
        kept = *SELF(object)->kept;
    VOLO__PY_UNLOCK();
    if (!kept.tls_version)
        Py_RETURN_NONE;
    info = PyStructSequence_New(volo__py.tls_type);
    if (info && (put_fact(info, 0,
                          PyUnicode_FromString(
                              kept.tls_version == 13 ? "1.3" : "1.2")) < 0 ||
                 put_fact(info, 1, text_or_none(kept.tls_cipher)) < 0 ||
                 put_fact(info, 2, text_or_none(kept.server_name)) < 0 ||
                 put_fact(info, 3, text_or_none(kept.client_subject)) < 0))
        Py_CLEAR(info);
    return info;
}

static PyObject *
get_route(PyObject *object, void *unused)
{
    PyObject *handler = SELF(object)->handler, *name = NULL;

    (void)unused;
    if (handler)
        name = ((struct volo__py_handler *)handler)->name;
    if (!name)
        name = Py_None;
    Py_INCREF(name);
    return name;
}

static PyObject *
get_handler(PyObject *object, void *unused)
{
    PyObject *handler = SELF(object)->handler;

    (void)unused;
    if (!handler)
        handler = Py_None;
    Py_INCREF(handler);
    return handler;
}

#define OCTETS(field) (void *)offsetof(volo_job, field)
#define KEPT(field) (void *)offsetof(struct volo__py_kept, field)

PyGetSetDef volo__py_request_getset[] = {
    {"method", get_octets, NULL, "As received: \"GET\".", OCTETS(method_name)},
    {"http_version", get_version, NULL, "\"1.0\", \"1.1\" or \"2\".", NULL},
    {"version", get_version, NULL, "The same.", NULL},
    {"target", get_octets, NULL, "As received.", OCTETS(target)},
    {"path", get_path, NULL, "The whole path, decoded.", NULL},
    {"raw_path", get_kept, NULL, "The same as received.", KEPT(path)},
    {"query_string", get_octets, NULL, "As received, without \"?\".",
     OCTETS(query)},
    {"pattern", get_octets, NULL, "Of the route: \"/users/{id}\"; or \"\".",
     OCTETS(pattern)},
    {"route", get_route, NULL, "The name of the route, or None.", NULL},
    {"handler", get_handler, NULL, "The Handler it is for.", NULL},
    {"scheme", get_kept, NULL, "\"http\" or \"https\".", KEPT(scheme)},
    {"tls", get_tls, NULL,
     "What the TLS handshake has found out, or None: see TLSInfo.", NULL},
    {"authority", get_kept, NULL, "Host and port it is for.", KEPT(authority)},
    {"client", get_client, NULL, "(address, port) of the connection.", NULL},
    {"client_ip", get_kept, NULL,
     "Address of the client, seen through trusted proxies.", KEPT(client_ip)},
    {"request_id", get_kept, NULL, "Of the request_id layer, or None.",
     KEPT(request_id)},
    {"headers", get_headers, NULL, "Its field lines.", NULL},
    {"params", get_params, NULL, "Path parameters, decoded.", NULL},
    {"query", get_query, NULL, "The query, decoded.", NULL},
    {"cookies", get_cookies, NULL, "name: value.", NULL},
    {"body", volo__py_request_body, NULL, "Its content as bytes.", NULL},
    {"state", get_state, NULL, "For layers to leave something in.", NULL},
    {"canceled", get_canceled, NULL, "Whether nobody waits any more.", NULL},
    {"deadline", get_deadline, NULL,
     "Seconds left until a timeout layer gives up, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
