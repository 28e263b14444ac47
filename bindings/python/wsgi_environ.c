/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environ of a WSGI request (PEP 3333): str with one character for each
 * octet.
 */
#include "wsgi.h"

#include <string.h>

#include "asgi.h"
#include "call.h"

enum { NAME_MAX_KEPT = 128 }; /* longer names of field lines are left out */

/* X(member, text) */
#define NAMES(X)                          \
    X(request_method, "REQUEST_METHOD")   \
    X(script_name, "SCRIPT_NAME")         \
    X(path_info, "PATH_INFO")             \
    X(query_string, "QUERY_STRING")       \
    X(request_uri, "REQUEST_URI")         \
    X(raw_uri, "RAW_URI")                 \
    X(server_protocol, "SERVER_PROTOCOL") \
    X(remote_addr, "REMOTE_ADDR")         \
    X(remote_port, "REMOTE_PORT")         \
    X(url_scheme, "wsgi.url_scheme")      \
    X(input, "wsgi.input")                \
    X(https, "https")                     \
    X(http_1_0, "HTTP/1.0")               \
    X(http_1_1, "HTTP/1.1")               \
    X(http_2, "HTTP/2")

static struct {
#define NAME(member, text) PyObject *member;
    NAMES(NAME)
#undef NAME
    PyObject *fields[VOLO_FIELD_COUNT];
} names;

/* The name of a field line in an environ, into ${out}; its length, or 0 for
 * one that could be taken for another (with "_") or is too long. */
static size_t
variable_of(char *out, volo_str name)
{
    static const char http[] = "HTTP_";
    size_t i, n = sizeof http - 1;

    if (name.len > NAME_MAX_KEPT || memchr(name.ptr, '_', name.len))
        return 0;
    if (volo_str_eq(name, VOLO_STR("content-type")) ||
        volo_str_eq(name, VOLO_STR("content-length")))
        n = 0;
    memcpy(out, http, n);
    for (i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        out[n++] = c == '-' ? '_' : c;
    }
    return n;
}

int
volo__py_environ_init(void)
{
    char text[NAME_MAX_KEPT + 8];
    int i;

#define NAME(member, text)                                  \
    if (!(names.member = PyUnicode_InternFromString(text))) \
        return -1;
    NAMES(NAME)
#undef NAME
    for (i = 1; i < VOLO_FIELD_COUNT; i++) {
        text[variable_of(text, volo_str_of(volo_field_name(i)))] = 0;
        names.fields[i] = PyUnicode_InternFromString(text);
        if (!names.fields[i])
            return -1;
    }
    return 0;
}

/* ---- Values -------------------------------------------------------------- */

static PyObject *
latin(volo_str s)
{
    return PyUnicode_DecodeLatin1(s.ptr, (Py_ssize_t)s.len, NULL);
}

/* Takes over ${value}. */
static int
set(PyObject *environ, PyObject *name, PyObject *value)
{
    int rc = value ? PyDict_SetItem(environ, name, value) : -1;

    Py_XDECREF(value);
    return rc;
}

/* ---- Field lines --------------------------------------------------------- */

/* Those of one name are one: a list, as all but cookies may be. */
static int
add_to(PyObject *environ, PyObject *name, PyObject *old, const volo_pair *pair)
{
    const char *form = pair->id == VOLO_FIELD_COOKIE ? "%U; %U" : "%U,%U";
    PyObject *value = latin(pair->value), *both = NULL;

    if (value)
        both = PyUnicode_FromFormat(form, old, value);
    Py_XDECREF(value);
    return set(environ, name, both);
}

static int
set_line(PyObject *environ, PyObject *name, const volo_pair *pair)
{
    PyObject *old = PyDict_GetItemWithError(environ, name);

    if (old)
        return add_to(environ, name, old, pair);
    return PyErr_Occurred() ? -1 : set(environ, name, latin(pair->value));
}

static int
set_other(PyObject *environ, const volo_pair *pair)
{
    char text[NAME_MAX_KEPT + 8];
    size_t len = variable_of(text, pair->name);
    PyObject *name;
    int rc;

    if (!len)
        return 0;
    name = latin(volo_str_make(text, len));
    rc = name ? set_line(environ, name, pair) : -1;
    Py_XDECREF(name);
    return rc;
}

static int
set_lines(PyObject *environ, const volo_job *job)
{
    size_t i;

    for (i = 0; i < job->header_count; i++) {
        const volo_pair *pair = &job->headers[i];
        int rc = pair->id && pair->id < VOLO_FIELD_COUNT
                     ? set_line(environ, names.fields[pair->id], pair)
                     : set_other(environ, pair);

        if (rc < 0)
            return -1;
    }
    return 0;
}

/* ---- All of it ----------------------------------------------------------- */

static int
set_paths(struct volo__py_wsgi *wsgi, PyObject *environ, const volo_job *job)
{
    volo_str whole = volo_cx_original_path(job->cx);
    PyObject *prefix;

    if (whole.len != job->path.len) {
        prefix = volo__py_decoded_by(volo__py_mount_prefix(job->cx, job->path),
                                     PyUnicode_DecodeLatin1);
        if (!prefix)
            return -1;
        if (set(environ, names.script_name,
                PyUnicode_FromFormat("%U%U", wsgi->root_path, prefix)) < 0) {
            Py_DECREF(prefix);
            return -1;
        }
        Py_DECREF(prefix);
    }
    return set(environ, names.path_info,
               volo__py_decoded_by(job->path, PyUnicode_DecodeLatin1));
}

static int
set_client(PyObject *environ, volo_cx *cx)
{
    volo_str ip = volo_cx_client_ip(cx), peer = volo_cx_peer_ip(cx);
    int port = ip.ptr == peer.ptr ? volo_cx_peer_port(cx) : 0;

    if (volo_str_eq(ip, VOLO_STR("unix")))
        ip = VOLO_STR("");
    if (set(environ, names.remote_addr, latin(ip)) < 0)
        return -1;
    return set(environ, names.remote_port, PyUnicode_FromFormat("%d", port));
}

static int
set_request(PyObject *environ, const volo_job *job)
{
    PyObject *protocol = job->version == 10   ? names.http_1_0
                         : job->version == 11 ? names.http_1_1
                                              : names.http_2;
    PyObject *uri = latin(job->target);
    int rc = -1;

    if (uri && PyDict_SetItem(environ, names.request_uri, uri) == 0 &&
        PyDict_SetItem(environ, names.raw_uri, uri) == 0 &&
        PyDict_SetItem(environ, names.server_protocol, protocol) == 0 &&
        set(environ, names.request_method, latin(job->method_name)) == 0 &&
        set(environ, names.query_string, latin(job->query)) == 0)
        rc = 0;
    Py_XDECREF(uri);
    return rc;
}

PyObject *
volo__py_environ(struct volo__py_wsgi *wsgi, const volo_job *job,
                 PyObject *input)
{
    PyObject *environ = PyDict_Copy(wsgi->environ);

    if (!environ)
        return NULL;
    if (set_request(environ, job) < 0 || set_paths(wsgi, environ, job) < 0 ||
        set_client(environ, job->cx) < 0 || set_lines(environ, job) < 0 ||
        PyDict_SetItem(environ, names.input, input) < 0 ||
        (volo__py_is_https(job->cx) &&
         PyDict_SetItem(environ, names.url_scheme, names.https) < 0))
        Py_CLEAR(environ);
    return environ;
}
