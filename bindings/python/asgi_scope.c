/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scope of a request.  It begins as a copy of one that has every key, so
 * that only what differs is set; and what comes again and again (names,
 * a client's usual field lines, addresses) is one object, since bytes, str and
 * tuples never change.
 */
#include "asgi.h"
#include "call.h"
#include "gate.h"

#include <string.h>

enum {
    LINE_MAX_KEPT = 256, /* longer values are not kept */
    CLIENTS = 64,        /* power of two */
    IP_MAX = 48
};

struct known_client {
    PyObject *tuple;
    int port;
    size_t len;
    char ip[IP_MAX];
};

struct volo__py_usual {
    PyObject *lines[VOLO_FIELD_COUNT]; /* the last of each name, as a tuple */
    struct known_client clients[CLIENTS];
};

struct volo__py_usual *
volo__py_usual_new(void)
{
    struct volo__py_usual *usual = volo_alloc(sizeof *usual);

    if (usual)
        memset(usual, 0, sizeof *usual);
    return usual;
}

void
volo__py_usual_free(struct volo__py_usual *usual)
{
    size_t i;

    for (i = 0; usual && i < VOLO_FIELD_COUNT; i++)
        Py_XDECREF(usual->lines[i]);
    for (i = 0; usual && i < CLIENTS; i++)
        Py_XDECREF(usual->clients[i].tuple);
    volo_free(usual);
}

/* ---- What is the same each time ------------------------------------------ */

static int
set(PyObject *dict, PyObject *key, PyObject *value)
{
    int rc = value ? PyDict_SetItem(dict, key, value) : -1;

    Py_XDECREF(value);
    return rc;
}

static PyObject *
make_asgi(void)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    PyObject *dict = PyDict_New();

    if (dict && (PyDict_SetItem(dict, n->version, n->version_3_0) < 0 ||
                 PyDict_SetItem(dict, n->spec_version, n->version_2_4) < 0))
        Py_CLEAR(dict);
    return dict;
}

static PyObject *
make_extensions(void)
{
    PyObject *dict = PyDict_New();

    if (dict &&
        (set(dict, volo__py_asgi_names.response_trailers, PyDict_New()) < 0 ||
         set(dict, volo__py_asgi_names.early_hint, PyDict_New()) < 0))
        Py_CLEAR(dict);
    return dict;
}

PyObject *
volo__py_asgi_template(struct volo__py_asgi *asgi)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    PyObject *scope = PyDict_New();

    if (!scope)
        return NULL;
    if (set(scope, n->type, Py_NewRef(n->http)) < 0 ||
        set(scope, n->asgi, make_asgi()) < 0 ||
        set(scope, n->http_version, Py_NewRef(n->version_1_1)) < 0 ||
        set(scope, n->server, Py_NewRef(Py_None)) < 0 ||
        set(scope, n->client, Py_NewRef(Py_None)) < 0 ||
        set(scope, n->scheme, Py_NewRef(n->http)) < 0 ||
        set(scope, n->method, Py_NewRef(n->methods[VOLO_GET])) < 0 ||
        set(scope, n->root_path, Py_NewRef(asgi->root_path)) < 0 ||
        set(scope, n->path, Py_NewRef(n->empty)) < 0 ||
        set(scope, n->raw_path, Py_NewRef(n->no_bytes)) < 0 ||
        set(scope, n->query_string, Py_NewRef(n->no_bytes)) < 0 ||
        set(scope, n->headers, Py_NewRef(Py_None)) < 0 ||
        set(scope, n->extensions, make_extensions()) < 0)
        Py_CLEAR(scope);
    return scope;
}

/* ---- Field lines --------------------------------------------------------- */

static PyObject *
bytes_of(volo_str s)
{
    return PyBytes_FromStringAndSize(s.ptr, (Py_ssize_t)s.len);
}

static PyObject *
make_line(const volo_pair *pair)
{
    PyObject *name = pair->id ? Py_NewRef(volo__py_asgi_names.fields[pair->id])
                              : bytes_of(pair->name);
    PyObject *value = bytes_of(pair->value), *line = NULL;

    if (name && value)
        line = PyTuple_Pack(2, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return line;
}

/* Whether it may be kept beyond the request: no secrets. */
static int
is_kept(const volo_pair *pair)
{
    return pair->id && pair->id < VOLO_FIELD_COUNT &&
           pair->value.len <= LINE_MAX_KEPT &&
           pair->id != VOLO_FIELD_AUTHORIZATION &&
           pair->id != VOLO_FIELD_COOKIE;
}

static int
is_same(PyObject *line, volo_str value)
{
    PyObject *known = PyTuple_GetItem(line, 1);
    char *text;
    Py_ssize_t len;

    return PyBytes_AsStringAndSize(known, &text, &len) == 0 &&
           (size_t)len == value.len && !memcmp(text, value.ptr, value.len);
}

static PyObject *
line_of(struct volo__py_usual *usual, const volo_pair *pair)
{
    PyObject *line, *old;

    if (!is_kept(pair))
        return make_line(pair);
    old = usual->lines[pair->id];
    if (old && is_same(old, pair->value))
        return Py_NewRef(old);
    line = make_line(pair);
    if (line) {
        usual->lines[pair->id] = Py_NewRef(line);
        Py_XDECREF(old);
    }
    return line;
}

static PyObject *
headers_of(struct volo__py_usual *usual, const volo_job *job)
{
    PyObject *list = PyList_New((Py_ssize_t)job->header_count);
    size_t i;

    for (i = 0; list && i < job->header_count; i++) {
        PyObject *line = line_of(usual, &job->headers[i]);

        if (!line)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, (Py_ssize_t)i, line);
    }
    return list;
}

/* ---- Where from, where to ------------------------------------------------ */

static PyObject *
make_client(volo_str ip, int port)
{
    PyObject *text = PyUnicode_DecodeLatin1(ip.ptr, (Py_ssize_t)ip.len, NULL);
    PyObject *number = PyLong_FromLong(port), *tuple = NULL;

    if (text && number)
        tuple = PyTuple_Pack(2, text, number);
    Py_XDECREF(text);
    Py_XDECREF(number);
    return tuple;
}

/* The address as a proxy says comes without a port.  A Unix socket has no
 * address at all. */
static PyObject *
client_of(struct volo__py_usual *usual, volo_cx *cx)
{
    volo_str ip = volo_cx_client_ip(cx), peer = volo_cx_peer_ip(cx);
    int port = ip.ptr == peer.ptr ? volo_cx_peer_port(cx) : 0;
    struct known_client *known = &usual->clients[port & (CLIENTS - 1)];
    PyObject *tuple;

    if (volo_str_eq(ip, VOLO_STR("unix")))
        return Py_NewRef(Py_None);
    if (known->tuple && known->port == port && known->len == ip.len &&
        !memcmp(known->ip, ip.ptr, ip.len))
        return Py_NewRef(known->tuple);
    tuple = make_client(ip, port);
    if (tuple && ip.len <= IP_MAX) {
        PyObject *old = known->tuple;

        known->tuple = Py_NewRef(tuple);
        known->port = port;
        known->len = ip.len;
        memcpy(known->ip, ip.ptr, ip.len);
        Py_XDECREF(old);
    }
    return tuple;
}

/* ---- The path ------------------------------------------------------------ */

static PyObject *
joined(PyObject *root, PyObject *text)
{
    PyObject *both;

    if (!text || !PyUnicode_GetLength(root))
        return text;
    both = PyUnicode_Concat(root, text);
    Py_DECREF(text);
    return both;
}

/* Where routers have taken off a prefix, it belongs to the root path, which
 * the path has in it (as have those of a server's own). */
static int
set_paths(struct volo__py_asgi *asgi, PyObject *scope, const volo_job *job)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    volo_str whole = volo_cx_original_path(job->cx);

    if (whole.len != job->path.len) {
        volo_str prefix = volo__py_mount_prefix(job->cx, job->path);

        if (set(scope, n->root_path,
                joined(asgi->root_path, volo__py_decoded(prefix))) < 0)
            return -1;
    }
    if (set(scope, n->path, joined(asgi->root_path, volo__py_decoded(whole))) <
        0)
        return -1;
    return set(scope, n->raw_path, bytes_of(whole));
}

/* ---- All of it ----------------------------------------------------------- */

static int
set_method(PyObject *scope, const volo_job *job)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    volo_str name = job->method_name;

    if (job->method == VOLO_GET)
        return 0;
    if (job->method >= VOLO_HEAD && job->method <= VOLO_PATCH)
        return PyDict_SetItem(scope, n->method, n->methods[job->method]);
    return set(scope, n->method,
               PyUnicode_DecodeLatin1(name.ptr, (Py_ssize_t)name.len, NULL));
}

static int
set_rest(struct volo__py_asgi *asgi, PyObject *scope, const volo_job *job)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;

    if (job->version != 11 &&
        PyDict_SetItem(scope, n->http_version,
                       job->version == 10 ? n->version_1_0 : n->version_2) < 0)
        return -1;
    if (job->query.len && set(scope, n->query_string, bytes_of(job->query)) < 0)
        return -1;
    if (volo__py_is_https(job->cx) &&
        PyDict_SetItem(scope, n->scheme, n->https) < 0)
        return -1;
    if (volo_cx_tls_version(job->cx) && volo__py_asgi_tls(scope, job->cx) < 0)
        return -1;
    if (asgi->state && set(scope, n->state, PyDict_Copy(asgi->state)) < 0)
        return -1;
    return 0;
}

PyObject *
volo__py_asgi_scope(struct volo__py_asgi *asgi, const volo_job *job)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    PyObject *scope = PyDict_Copy(asgi->scope);

    if (!scope)
        return NULL;
    if (set_method(scope, job) < 0 || set_paths(asgi, scope, job) < 0 ||
        set(scope, n->headers, headers_of(asgi->usual, job)) < 0 ||
        set(scope, n->client, client_of(asgi->usual, job->cx)) < 0 ||
        set_rest(asgi, scope, job) < 0)
        Py_CLEAR(scope);
    return scope;
}
