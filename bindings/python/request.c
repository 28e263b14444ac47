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
#include "call.h"

#include <string.h>

#include <structmember.h>

/* What the cx tells only while it is ours; it lies in the cx's memory. */
struct volo__py_kept {
  volo_str scheme;
  volo_str authority;
  volo_str peer_ip;
  volo_str client_ip;
  volo_str request_id;
  volo_str path;
  int peer_port;
};

#define SELF(object) ((struct volo__py_request *)(object))

/* ---- Its life ------------------------------------------------------------ */

PyObject *volo__py_request_new(const volo_job *job, PyObject *handler) {
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
  PyObject_GC_Track((PyObject *)self);
  return (PyObject *)self;
}

/* Where it is not known yet and can still be found out. */
static void keep(struct volo__py_request *self) {
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
  self->kept = kept;
}

/* Whether anybody but the one who releases it can still see it. */
static int is_shared(PyObject *object) {
#ifdef Py_GIL_DISABLED
  (void)object;
  return 1;
#else
  return Py_REFCNT(object) > 1;
#endif
}

volo_cx *volo__py_request_release(PyObject *object) {
  struct volo__py_request *self = SELF(object);
  volo_cx *cx = NULL;

  VOLO__PY_LOCK(object);
  if (!self->answered && self->job.cx) {
    cx = self->job.cx;
    if (is_shared(object)) {
      keep(self);
      volo_cx_ref(cx);
    } else {
      memset(&self->job, 0, sizeof self->job);
      self->kept = NULL;
    }
    self->answered = 1;
  }
  VOLO__PY_UNLOCK();
  return cx;
}

static int request_traverse(PyObject *object, visitproc visit, void *arg) {
  struct volo__py_request *self = SELF(object);

  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->handler);
  Py_VISIT(self->state);
  Py_VISIT(self->cleanups);
  Py_VISIT(self->task);
  return 0;
}

static int request_clear(PyObject *object) {
  struct volo__py_request *self = SELF(object);

  Py_CLEAR(self->handler);
  Py_CLEAR(self->state);
  Py_CLEAR(self->cleanups);
  Py_CLEAR(self->task);
  return 0;
}

/* A cx that has not been answered is let go so, which answers it. */
static void request_dealloc(PyObject *object) {
  struct volo__py_request *self = SELF(object);
  PyTypeObject *type = Py_TYPE(object);

  PyObject_GC_UnTrack(object);
  request_clear(object);
  Py_CLEAR(self->headers);
  Py_CLEAR(self->params);
  Py_CLEAR(self->query);
  Py_CLEAR(self->cookies);
  Py_CLEAR(self->body);
  volo_cx_unref(self->job.cx);
  PyObject_GC_Del(object);
  Py_DECREF(type);
}

/* ---- Plain octets -------------------------------------------------------- */

/* Which volo_str of the job the closure stands for. */
static PyObject *get_octets(PyObject *object, void *offset) {
  const char *job = (const char *)&SELF(object)->job;
  const volo_str *s = (const volo_str *)(job + (uintptr_t)offset);

  return volo__py_latin(*s);
}

static PyObject *get_kept(PyObject *object, void *offset) {
  struct volo__py_request *self = SELF(object);
  const char *from;
  volo_str s = {NULL, 0};

  VOLO__PY_LOCK(object);
  keep(self);
  from = (const char *)self->kept;
  if (from)
    s = *(const volo_str *)(from + (uintptr_t)offset);
  VOLO__PY_UNLOCK();
  if (!s.ptr)
    Py_RETURN_NONE;
  return volo__py_latin(s);
}

static PyObject *get_path(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  volo_str path;

  (void)unused;
  VOLO__PY_LOCK(object);
  keep(self);
  path = self->kept ? self->kept->path : self->job.path;
  VOLO__PY_UNLOCK();
  return volo__py_decoded(path);
}

static PyObject *get_client(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  volo_str ip = {NULL, 0};
  int port = 0;

  (void)unused;
  VOLO__PY_LOCK(object);
  keep(self);
  if (self->kept) {
    ip = self->kept->peer_ip;
    port = self->kept->peer_port;
  }
  VOLO__PY_UNLOCK();
  return Py_BuildValue("(s#i)", ip.ptr ? ip.ptr : "", (Py_ssize_t)ip.len, port);
}

static PyObject *get_version(PyObject *object, void *unused) {
  uint32_t version = SELF(object)->job.version;

  (void)unused;
  return PyUnicode_FromString(version == 10   ? "1.0"
                              : version == 20 ? "2"
                                              : "1.1");
}

/* ---- What is made at the first look -------------------------------------- */

/* Put ${made} there unless somebody else was faster; what is there then. */
static PyObject *once(PyObject *object, PyObject **field, PyObject *made) {
  PyObject *there;

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

static PyObject *seen(PyObject *object, PyObject **field) {
  PyObject *there;

  VOLO__PY_LOCK(object);
  there = *field;
  Py_XINCREF(there);
  VOLO__PY_UNLOCK();
  return there;
}

static PyObject *get_headers(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  PyObject *there = seen(object, &self->headers);

  (void)unused;
  if (there)
    return there;
  return once(object, &self->headers,
              volo__py_headers_of(self->job.cx, self->job.headers,
                                  self->job.header_count));
}

static PyObject *params_of(const volo_job *job) {
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

static PyObject *get_params(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  PyObject *there = seen(object, &self->params);

  (void)unused;
  return there ? there : once(object, &self->params, params_of(&self->job));
}

static PyObject *get_query(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  PyObject *there = seen(object, &self->query);

  (void)unused;
  if (there)
    return there;
  return once(object, &self->query,
              volo__py_multi_from(volo__py_query_lines(self->job.query)));
}

static PyObject *get_cookies(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  PyObject *there = seen(object, &self->cookies);

  (void)unused;
  if (there)
    return there;
  return once(object, &self->cookies,
              volo__py_cookies(self->job.headers, self->job.header_count));
}

static PyObject *get_body(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  PyObject *there = seen(object, &self->body);
  volo_str body = self->job.body;

  (void)unused;
  if (there)
    return there;
  if (self->handler && ((struct volo__py_handler *)self->handler)->streaming) {
    PyErr_SetString(PyExc_RuntimeError,
                    "the body of this request is streamed: read it");
    return NULL;
  }
  return once(object, &self->body,
              PyBytes_FromStringAndSize(body.ptr ? body.ptr : "",
                                        (Py_ssize_t)body.len));
}

static PyObject *get_state(PyObject *object, void *unused) {
  struct volo__py_request *self = SELF(object);
  PyObject *there = seen(object, &self->state);

  (void)unused;
  if (there)
    return there;
  return once(object, &self->state,
              PyObject_CallNoArgs((PyObject *)volo__py.state_type));
}

/* ---- How it stands ------------------------------------------------------- */

static PyObject *get_canceled(PyObject *object, void *unused) {
  volo_cx *cx = SELF(object)->job.cx;

  (void)unused;
  return PyBool_FromLong(cx && volo_cx_is_canceled(cx));
}

static PyObject *get_deadline(PyObject *object, void *unused) {
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

static PyObject *get_route(PyObject *object, void *unused) {
  PyObject *handler = SELF(object)->handler, *name = NULL;

  (void)unused;
  if (handler)
    name = ((struct volo__py_handler *)handler)->name;
  if (!name)
    name = Py_None;
  Py_INCREF(name);
  return name;
}

static PyObject *get_handler(PyObject *object, void *unused) {
  PyObject *handler = SELF(object)->handler;

  (void)unused;
  if (!handler)
    handler = Py_None;
  Py_INCREF(handler);
  return handler;
}

/* ---- Methods ------------------------------------------------------------- */

static PyObject *request_text(PyObject *object, PyObject *unused) {
  PyObject *body = get_body(object, NULL), *text;

  (void)unused;
  text = body ? PyUnicode_FromEncodedObject(body, "utf-8", "strict") : NULL;
  Py_XDECREF(body);
  if (!text && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
    PyErr_Clear();
    volo__py_refuse(400, "body", "body", "is not UTF-8");
  }
  return text;
}

static PyObject *request_json(PyObject *object, PyObject *unused) {
  PyObject *body = get_body(object, NULL), *value;

  (void)unused;
  if (!body)
    return NULL;
  value = volo__py_loads(body);
  Py_DECREF(body);
  return value;
}

static PyObject *add_cleanup(PyObject *object, PyObject *function) {
  struct volo__py_request *self = SELF(object);
  PyObject *list = seen(object, &self->cleanups);
  int err;

  if (!list)
    list = once(object, &self->cleanups, PyList_New(0));
  err = list ? PyList_Append(list, function) : -1;
  Py_XDECREF(list);
  if (err)
    return NULL;
  Py_RETURN_NONE;
}

static PyObject *request_repr(PyObject *object) {
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

#define OCTETS(field) (void *)offsetof(volo_job, field)
#define KEPT(field) (void *)offsetof(struct volo__py_kept, field)

static PyGetSetDef request_getset[] = {
    {"method", get_octets, NULL, "As received: \"GET\".", OCTETS(method_name)},
    {"version", get_version, NULL, "\"1.0\", \"1.1\" or \"2\".", NULL},
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
    {"body", get_body, NULL, "Its content as bytes.", NULL},
    {"state", get_state, NULL, "For layers to leave something in.", NULL},
    {"canceled", get_canceled, NULL, "Whether nobody waits any more.", NULL},
    {"deadline", get_deadline, NULL,
     "Seconds left until a timeout layer gives up, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef request_methods[] = {
    {"text", request_text, METH_NOARGS,
     "text()\n--\n\nThe body as str; Invalid (400) if it is not UTF-8."},
    {"json", request_json, METH_NOARGS,
     "json()\n--\n\nThe body as JSON; Invalid (400) if it is none."},
    {"add_cleanup", add_cleanup, METH_O,
     "add_cleanup(function)\n--\n\nCall function(exception or None) once the "
     "answer is made; the last added first."},
    {NULL, NULL, 0, NULL}};

static PyMemberDef request_members[] = {
    {"task", T_OBJECT, offsetof(struct volo__py_request, task), READONLY,
     "The task of an async handler, or None."},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot request_slots[] = {
    {Py_tp_dealloc, (void *)request_dealloc},
    {Py_tp_traverse, (void *)request_traverse},
    {Py_tp_clear, (void *)request_clear},
    {Py_tp_repr, (void *)request_repr},
    {Py_tp_methods, request_methods},
    {Py_tp_members, request_members},
    {Py_tp_getset, request_getset},
    {Py_tp_doc, (void *)"One request, decoded as it is looked at."},
    {0, NULL}};

static PyType_Spec request_spec = {
    "volo._cvolo.Request", sizeof(struct volo__py_request), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    request_slots};

int volo__py_request_init(PyObject *module) {
  (void)module;
  volo__py.request_type = (PyTypeObject *)PyType_FromSpec(&request_spec);
  return volo__py.request_type ? 0 : -1;
}
