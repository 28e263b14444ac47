/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type Request: a view of one exchange in which nothing is decoded before
 * it is asked for.
 *
 * Until the answer, the request has the job's reference and with it the cx to
 * itself.  Then the loop has the cx again: one that is kept longer reads only
 * what does not change (the octets that came), and what it has put aside in
 * "kept" at the last moment.
 */
#include "request.h"
#include "passage.h"

#include <string.h>

#include <structmember.h>

/* ---- Its life ------------------------------------------------------------ */

PyObject *
volo__py_request_new(const volo_job *job, PyObject *handler)
{
    struct volo__py_request *self =
        PyObject_GC_New(struct volo__py_request, volo__py.request_type);

    if (!self) {
        volo_cx_unref(job->cx);
        return NULL;
    }
    memset((char *)self + sizeof self->ob_base, 0,
           sizeof *self - sizeof self->ob_base);
    self->job = *job;
    self->handler = handler;
    Py_XINCREF(handler);
    if (job->kind == VOLO_JOB_ENTER)
        self->phase = VOLO__PY_ENTERING;
    volo__py_passage_join(self);
    PyObject_GC_Track((PyObject *)self);
    return (PyObject *)self;
}

void
volo__py_keep(struct volo__py_request *self)
{
    volo_cx *cx = self->job.cx;
    struct volo__py_kept *kept;

    if (self->kept || self->answered || !cx)
        return;
    kept = volo_cx_alloc(cx, sizeof *kept);
    if (!kept)
        return;
    kept->scheme = volo_cx_scheme(cx);
    kept->authority = volo_cx_authority(cx);
    kept->peer_ip = volo_cx_peer_ip(cx);
    kept->client_ip = volo_cx_client_ip(cx);
    kept->request_id = volo_request_id(cx);
    kept->path = volo_cx_original_path(cx);
    kept->peer_port = volo_cx_peer_port(cx);
    kept->tls_version = volo_cx_tls_version(cx);
    kept->tls_cipher = volo_cx_tls_cipher(cx);
    kept->server_name = volo_cx_tls_server_name(cx);
    kept->client_subject = volo_cx_tls_client_subject(cx);
    self->kept = kept;
}

/* What is the router's, which may go before the request does. */
static void
keep_names(volo_job *job)
{
    volo_cx *cx = job->cx;
    volo_pair *params = NULL;
    size_t i, n = job->param_count;

    job->pattern = volo_cx_strdup(cx, job->pattern);
    if (n)
        params = volo_cx_alloc(cx, n * sizeof *params);
    if (!params)
        n = 0;
    for (i = 0; i < n; i++) {
        params[i] = job->params[i];
        params[i].name = volo_cx_strdup(cx, params[i].name);
    }
    job->params = params;
    job->param_count = n;
}

/* Whether anybody but the one who releases it can still see it. */
static int
is_shared(PyObject *object)
{
#ifdef Py_GIL_DISABLED
    (void)object;
    return 1;
#else
    return Py_REFCNT(object) > 1;
#endif
}

volo_cx *
volo__py_request_release(PyObject *object)
{
    struct volo__py_request *self = SELF(object);
    volo_cx *cx = NULL;

    VOLO__PY_LOCK(object);
    if (!self->answered && self->job.cx) {
        cx = self->job.cx;
        if (is_shared(object)) {
            volo__py_keep(self);
            keep_names(&self->job);
            volo_cx_keep(cx);
        } else {
            memset(&self->job, 0, sizeof self->job);
            self->kept = NULL;
        }
        self->answered = 1;
    }
    VOLO__PY_UNLOCK();
    return cx;
}

static int
request_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct volo__py_request *self = SELF(object);

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->handler);
    Py_VISIT(self->state);
    Py_VISIT(self->cleanups);
    Py_VISIT(self->task);
    Py_VISIT(self->shared);
    Py_VISIT(self->given);
    return 0;
}

static int
request_clear(PyObject *object)
{
    struct volo__py_request *self = SELF(object);

    Py_CLEAR(self->handler);
    Py_CLEAR(self->state);
    Py_CLEAR(self->cleanups);
    Py_CLEAR(self->task);
    Py_CLEAR(self->shared);
    Py_CLEAR(self->given);
    return 0;
}

/* A cx that has not been answered is let go so, which answers it. */
static void
request_dealloc(PyObject *object)
{
    struct volo__py_request *self = SELF(object);
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    request_clear(object);
    Py_CLEAR(self->headers);
    Py_CLEAR(self->params);
    Py_CLEAR(self->query);
    Py_CLEAR(self->cookies);
    Py_CLEAR(self->body);
    volo__py_passage_leave(self);
    if (self->answered)
        volo_cx_unkeep(self->job.cx);
    else
        volo_cx_unref(self->job.cx);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

/* ---- Methods ------------------------------------------------------------- */

static PyObject *
request_text(PyObject *object, PyObject *unused)
{
    PyObject *body = volo__py_request_body(object, NULL), *text;

    (void)unused;
    text = body ? PyUnicode_FromEncodedObject(body, "utf-8", "strict") : NULL;
    Py_XDECREF(body);
    if (!text && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        volo__py_refuse(400, "body", "body", "is not UTF-8");
    }
    return text;
}

static PyObject *
request_json(PyObject *object, PyObject *unused)
{
    PyObject *body = volo__py_request_body(object, NULL), *value;

    (void)unused;
    if (!body)
        return NULL;
    value = volo__py_loads(body);
    Py_DECREF(body);
    return value;
}

static PyObject *
add_cleanup(PyObject *object, PyObject *function)
{
    struct volo__py_request *self = SELF(object);
    PyObject *list = volo__py_seen(object, &self->cleanups);
    int err;

    if (!list)
        list = volo__py_once(object, &self->cleanups, PyList_New(0));
    err = list ? PyList_Append(list, function) : -1;
    Py_XDECREF(list);
    if (err)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
request_repr(PyObject *object)
{
    const volo_job *job = &SELF(object)->job;
    PyObject *method = volo__py_latin(job->method_name);
    PyObject *target = method ? volo__py_latin(job->target) : NULL;
    PyObject *text = NULL;

    if (target)
        text = PyUnicode_FromFormat("<Request %U %U>", method, target);
    Py_XDECREF(method);
    Py_XDECREF(target);
    return text;
}

/* ---- The type ------------------------------------------------------------ */

static PyMethodDef request_methods[] = {
    {"text", request_text, METH_NOARGS,
     "text($self)\n--\n\nThe body as str; Invalid (400) if it is not UTF-8."},
    {"json", request_json, METH_NOARGS,
     "json($self)\n--\n\nThe body as JSON; Invalid (400) if it is none."},
    {"early_hints", volo__py_early_hints, METH_O,
     "early_hints($self, fields, /)\n--\n\nSend a 103 with these fields "
     "ahead of the answer."},
    {"add_cleanup", add_cleanup, METH_O,
     "add_cleanup($self, function, /)\n--\n\nCall function(exception or None) "
     "once the "
     "answer is made; the last added first."},
    {NULL, NULL, 0, NULL}};

static PyMemberDef request_members[] = {
    {"task", T_OBJECT, offsetof(struct volo__py_request, task), READONLY,
     "The task of an async handler, or None."},
    {"_shared", T_OBJECT, offsetof(struct volo__py_request, shared), READONLY,
     "What the layer around it has left for it, or None."},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot request_slots[] = {
    {Py_tp_dealloc, (void *)request_dealloc},
    {Py_tp_traverse, (void *)request_traverse},
    {Py_tp_clear, (void *)request_clear},
    {Py_tp_repr, (void *)request_repr},
    {Py_tp_methods, request_methods},
    {Py_tp_members, request_members},
    {Py_tp_getset, volo__py_request_getset},
    {Py_tp_doc, (void *)"One request, decoded as it is looked at."},
    {0, NULL}};

static PyType_Spec request_spec = {
    "volo._cvolo.Request", sizeof(struct volo__py_request), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    request_slots};

static PyStructSequence_Field tls_fields[] = {
    {"version", "\"1.2\" or \"1.3\"."},
    {"cipher", "Such as \"TLS_AES_128_GCM_SHA256\"."},
    {"server_name", "What the client asked for, or None."},
    {"client_subject", "Of its certificate, which is good, or None."},
    {NULL, NULL}};

static PyStructSequence_Desc tls_desc = {
    "volo.TLSInfo", "What a TLS handshake has found out.", tls_fields, 4};

int
volo__py_request_init(PyObject *module)
{
    (void)module;
    volo__py.tls_type = PyStructSequence_NewType(&tls_desc);
    volo__py.request_type = (PyTypeObject *)PyType_FromSpec(&request_spec);
    return volo__py.request_type && volo__py.tls_type ? 0 : -1;
}
