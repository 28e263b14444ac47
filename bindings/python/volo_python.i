/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volo.cvolo: SWIG's half of the Python binding, which sets a program up.
 * Out parameters become results, negative results become exceptions, and a
 * handle is an object that lets go of what it holds.
 *
 * What a request meets is the hand-written half, in the files beside this one;
 * both are in one module, volo._cvolo.
 */
%module(package="volo") cvolo

%feature("autodoc", "1");

%begin %{
/* Before anything of Python's: lengths are Py_ssize_t. */
#define PY_SSIZE_T_CLEAN
%}

%{
#include "py.h"
#include "swig.h"
%}

/* ---- Strings --------------------------------------------------------------- */

%{
/* A NUL-terminated string, borrowed from a str or bytes; NULL for None.  -1
 * with an exception if it is neither, or has a NUL inside. */
static int
text_in(PyObject *value, const char **out)
{
    Py_ssize_t len = 0;
    char *bytes = NULL;

    *out = NULL;
    if (value == Py_None)
        return 0;
    if (PyBytes_Check(value)) {
        if (PyBytes_AsStringAndSize(value, &bytes, NULL) < 0)
            return -1;
        *out = bytes;
        return 0;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "expected str, bytes or None");
        return -1;
    }
    *out = PyUnicode_AsUTF8AndSize(value, &len);
    if (*out && strlen(*out) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        *out = NULL;
    }
    return *out ? 0 : -1;
}

/* Octets, borrowed from a str (as UTF-8) or bytes; absent for None. */
static int
octets_in(PyObject *value, volo_str *out)
{
    Py_ssize_t len = 0;
    char *bytes = NULL;

    *out = volo_str_make(NULL, 0);
    if (value == Py_None)
        return 0;
    if (PyBytes_Check(value)) {
        if (PyBytes_AsStringAndSize(value, &bytes, &len) < 0)
            return -1;
        *out = volo_str_make(bytes, (size_t)len);
        return 0;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "expected str, bytes or None");
        return -1;
    }
    out->ptr = PyUnicode_AsUTF8AndSize(value, &len);
    out->len = (size_t)len;
    return out->ptr ? 0 : -1;
}

/* Octets of a message as a str that has one character for each, since HTTP
 * knows no encoding; None where they are absent. */
static PyObject *
octets_out(volo_str s)
{
    if (!s.ptr)
        Py_RETURN_NONE;
    return PyUnicode_DecodeLatin1(s.ptr, (Py_ssize_t)s.len, NULL);
}
%}

%typemap(in, noblock=1) const char * {
    if (text_in($input, &$1) < 0)
        SWIG_fail;
}
%typemap(freearg) const char * ""
%typemap(typecheck, precedence=SWIG_TYPECHECK_STRING) const char *, volo_str {
    $1 = $input == Py_None || PyUnicode_Check($input) ||
         PyBytes_Check($input);
}

%typemap(in, noblock=1) volo_str {
    if (octets_in($input, &$1) < 0)
        SWIG_fail;
}
%typemap(out, noblock=1) volo_str {
    $result = octets_out($1);
}
/* Content is bytes. */
%typemap(out, noblock=1) volo_str volo_test_body {
    $result = PyBytes_FromStringAndSize($1.ptr, (Py_ssize_t)$1.len);
}

/* What a call gives: None becomes the first result, and that a tuple with the
 * second.  Takes over both references; ${more} may be NULL, with an
 * exception. */
%{
static PyObject *
output(PyObject *result, PyObject *more)
{
    PyObject *both;

    if (result == Py_None || !more) {
        Py_DECREF(result);
        return more;
    }
    both = PyTuple_Pack(2, result, more);
    Py_DECREF(result);
    Py_DECREF(more);
    return both;
}
%}

/* (ptr, len) pairs that are names. */
%typemap(in, noblock=1) (const char *name, size_t len) (volo_str octets),
                        (const char *path, size_t len) (volo_str octets) {
    if (octets_in($input, &octets) < 0)
        SWIG_fail;
    $1 = ($1_ltype)octets.ptr;
    $2 = octets.len;
}

/* Two strings out: a tuple. */
%typemap(in, numinputs=0, noblock=1) volo_str *name (volo_str octets),
                                     volo_str *value (volo_str octets),
                                     volo_str *out (volo_str octets) {
    octets = volo_str_make(NULL, 0);
    $1 = &octets;
}
%typemap(argout, noblock=1) volo_str *name, volo_str *value, volo_str *out {
    $result = output($result, octets_out(*$1));
}

/* A time of HTTP's is written to where the caller has 30 octets. */
%typemap(in, numinputs=0, noblock=1) char *out (char text[30]) {
    $1 = text;
}
%typemap(argout, noblock=1) char *out {
    $result = output($result, PyUnicode_FromString($1));
}

/* A string that is ours to free. */
%typemap(in, numinputs=0, noblock=1) char **out (char *text = NULL) {
    $1 = &text;
}
%typemap(argout, noblock=1) char **out {
    $result = output($result, PyUnicode_FromString(*$1));
}
%typemap(freearg, noblock=1) char **out {
    volo_free(*$1);
}

/* Names and values in turn: any sequence of str. */
%{
static volo_str *
strings_in(PyObject *sequence, size_t *count)
{
    Py_ssize_t i, n = PySequence_Size(sequence);
    volo_str *all;

    if (n < 0)
        return NULL;
    if (!PyList_Check(sequence) && !PyTuple_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "expected a list or tuple of str");
        return NULL;
    }
    all = volo_alloc(((size_t)n + 1) * sizeof *all);
    if (!all) {
        PyErr_NoMemory();
        return NULL;
    }
    for (i = 0; i < n; i++) {
        /* The sequence keeps the item alive, so borrowing from it will do. */
        PyObject *item = PySequence_GetItem(sequence, i);

        Py_XDECREF(item);
        if (!item || octets_in(item, &all[i]) < 0) {
            volo_free(all);
            return NULL;
        }
    }
    *count = (size_t)n / 2;
    return all;
}
%}
%typemap(in, noblock=1) (const volo_str *params, size_t count) {
    $1 = strings_in($input, &$2);
    if (!$1)
        SWIG_fail;
}
%typemap(freearg, noblock=1) (const volo_str *params, size_t count) {
    volo_free($1);
}

/* ---- Results --------------------------------------------------------------- */

/* An int is 0 or an error, unless it is named below. */
%typemap(out, noblock=1) int {
    if ($1 < 0) {
        volo__py_raise($1, NULL);
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}

/* The same, with what the handle in argument ${subject} says went wrong. */
%define VOLO_TELLS(function, words, subject)
%typemap(out, noblock=1) int function {
    if ($1 < 0) {
        volo__py_raise($1, words(subject));
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}
%enddef

VOLO_TELLS(volo_router_route, volo_router_error, arg2)
VOLO_TELLS(volo_router_nest, volo_router_error, arg1)
VOLO_TELLS(volo_router_nest_service, volo_router_error, arg1)
VOLO_TELLS(volo_router_group, volo_router_error, arg2)
VOLO_TELLS(volo_router_merge, volo_router_error, arg1)
VOLO_TELLS(volo_router_host, volo_router_error, arg1)
VOLO_TELLS(volo_router_fallback, volo_router_error, arg1)
VOLO_TELLS(volo_router_method_fallback, volo_router_error, arg1)
VOLO_TELLS(volo_router_set_slash, volo_router_error, arg1)
VOLO_TELLS(volo_router_set_clean, volo_router_error, arg1)
VOLO_TELLS(volo_router_set_auto_options, volo_router_error, arg1)
VOLO_TELLS(volo_server_bind, volo_server_error, arg1)
VOLO_TELLS(volo_server_bind_tls, volo_server_error, arg1)
VOLO_TELLS(volo_server_run, volo_server_error, arg1)
VOLO_TELLS(volo_server_start, volo_server_error, arg1)
VOLO_TELLS(volo_server_open, volo_server_error, arg1)
VOLO_TELLS(volo_server_trust_proxy, volo_server_error, arg1)
VOLO_TELLS(volo_tls_add_cert, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_add_cert_pem, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_set_ocsp, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_set_client_ca, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_set_client_crl, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_set_ticket_keys, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_set, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_set_text, volo_tls_error, arg1)
VOLO_TELLS(volo_tls_reload, volo_tls_error, arg1)

/* A number, or an error. */
%define VOLO_NUMBER(function)
%typemap(out, noblock=1) int function {
    if ($1 < 0) {
        volo__py_raise($1, NULL);
        SWIG_fail;
    }
    $result = PyLong_FromLong($1);
}
%enddef

VOLO_NUMBER(volo_error_status)
VOLO_NUMBER(volo_method_of)
VOLO_NUMBER(volo_method_is_safe)
VOLO_NUMBER(volo_media_is)
VOLO_NUMBER(volo_accepts)
VOLO_NUMBER(volo_queue_fd)
VOLO_NUMBER(volo_server_bind_systemd)
VOLO_NUMBER(volo_server_port)
VOLO_NUMBER(volo_server_listener_fd)
VOLO_NUMBER(volo_server_fd)
VOLO_NUMBER(volo_server_step)
VOLO_NUMBER(volo_test_status)

%typemap(in, numinputs=0, noblock=1) uint64_t *out (uint64_t number = 0) {
    $1 = &number;
}
%typemap(argout, noblock=1) uint64_t *out {
    $result = output($result, PyLong_FromUnsignedLongLong(*$1));
}
%typemap(in, numinputs=0, noblock=1) int64_t *out (int64_t number = 0) {
    $1 = &number;
}
%typemap(argout, noblock=1) int64_t *out {
    $result = output($result, PyLong_FromLongLong(*$1));
}

/* ---- Handles --------------------------------------------------------------- */

/* In: never NULL.  Out: an object that owns what was made. */
%define VOLO_HANDLE_MAPS(type)
%typemap(in, noblock=1) type *(void *handle = NULL, int status) {
    status = SWIG_ConvertPtr($input, &handle, $descriptor(type *),
                             SWIG_POINTER_NO_NULL);
    /* A handle that was used up is not there any more. */
    if (!SWIG_IsOK(status) || !handle) {
        SWIG_exception_fail(SWIG_TypeError, "in method '" "$symname"
                            "', argument " "$argnum" ": expected " #type);
    }
    $1 = ($1_ltype)handle;
}
%typemap(in, numinputs=0, noblock=1) type **out (type *made = NULL) {
    $1 = &made;
}
%typemap(argout, noblock=1) type **out {
    $result = output(
        $result, SWIG_NewPointerObj(*$1, $descriptor(type *),
                                    SWIG_POINTER_OWN));
}
%enddef

VOLO_HANDLE_MAPS(volo_service)
VOLO_HANDLE_MAPS(volo_layer)
VOLO_HANDLE_MAPS(volo_router)
VOLO_HANDLE_MAPS(volo_queue)
VOLO_HANDLE_MAPS(volo_server)
VOLO_HANDLE_MAPS(volo_tls)
VOLO_HANDLE_MAPS(volo_cors)
VOLO_HANDLE_MAPS(volo_test)
VOLO_HANDLE_MAPS(volo_test_response)
VOLO_HANDLE_MAPS(volo_route)
VOLO_HANDLE_MAPS(volo_test_request)

/* What is borrowed keeps its owner alive: an attribute of the object. */
%{
static PyObject *
borrowed(PyObject *object, PyObject *owner)
{
    if (object && PyObject_SetAttrString(object, "owner", owner) < 0)
        Py_CLEAR(object);
    return object;
}
%}
%define VOLO_BORROWED(type, flags)
%typemap(argout, noblock=1) type **out {
    $result = output(
        $result, borrowed(SWIG_NewPointerObj(*$1, $descriptor(type *), flags),
                          swig_obj[0]));
}
%enddef

VOLO_BORROWED(volo_route, 0)
VOLO_BORROWED(volo_test_request, 0)
VOLO_BORROWED(volo_test_response, SWIG_POINTER_OWN)

/* A group is borrowed from its router in C; here it has a reference. */
%exception volo_router_group {
    $action
    if (!result)
        volo_router_ref(*arg1);
}
%newobject volo_router_service;
%typemap(out, noblock=1) volo_service *volo_router_service {
    $result = SWIG_NewPointerObj(volo_service_ref($1),
                                 $descriptor(volo_service *),
                                 SWIG_POINTER_OWN);
}

/* ---- Calls that wait: others may run meanwhile ------------------------------ */

%define VOLO_WAITS(function)
%exception function {
    Py_BEGIN_ALLOW_THREADS
    $action
    Py_END_ALLOW_THREADS
}
%enddef

VOLO_WAITS(volo_tls_add_cert)
VOLO_WAITS(volo_tls_reload)
VOLO_WAITS(volo_server_reload)
VOLO_WAITS(volo_server_run)
VOLO_WAITS(volo_server_start)
VOLO_WAITS(volo_server_wait)
VOLO_WAITS(volo_server_step)
VOLO_WAITS(volo_server::~volo_server)
VOLO_WAITS(volo_test_get)
VOLO_WAITS(volo_test_run)
VOLO_WAITS(volo_test::~volo_test)

/* Sending uses a request up: its object is empty from then on, even if it
 * fails. */
%exception volo_test_send {
    void *gone;

    SWIG_ConvertPtr(swig_obj[1], &gone, SWIGTYPE_p_volo_test_request,
                    SWIG_POINTER_CLEAR);
    Py_BEGIN_ALLOW_THREADS
    $action
    Py_END_ALLOW_THREADS
}

%include "../volo.i"

/* ---- The other half ---------------------------------------------------------- */

%{
#define VOLO_UNWRAP(type, name)                                           \
    type *name(PyObject *proxy)                                           \
    {                                                                     \
        void *handle = NULL;                                              \
                                                                          \
        if (SWIG_IsOK(SWIG_ConvertPtr(proxy, &handle, SWIGTYPE_p_##type,  \
                                      SWIG_POINTER_NO_NULL)) && handle)   \
            return handle;                                                \
        PyErr_SetString(PyExc_TypeError, "expected a " #type);            \
        return NULL;                                                      \
    }
#define VOLO_WRAP(type, name, release)                                    \
    PyObject *name(type *handle)                                          \
    {                                                                     \
        PyObject *proxy = SWIG_NewPointerObj(handle, SWIGTYPE_p_##type,   \
                                             SWIG_POINTER_OWN);           \
                                                                          \
        if (!proxy)                                                       \
            release(handle);                                              \
        return proxy;                                                     \
    }

VOLO_UNWRAP(volo_queue, volo__py_queue_of)
VOLO_UNWRAP(volo_service, volo__py_service_of)
VOLO_UNWRAP(volo_layer, volo__py_layer_of)
VOLO_UNWRAP(volo_router, volo__py_router_of)
VOLO_UNWRAP(volo_server, volo__py_server_of)
VOLO_WRAP(volo_service, volo__py_service_proxy, volo_service_unref)
VOLO_WRAP(volo_layer, volo__py_layer_proxy, volo_layer_unref)
%}

/* ---- The door ------------------------------------------------------------------ */

/* Static memory of both halves can serve one interpreter.  Others must be sent
 * away before SWIG's half begins to set itself up in them: what it tears down
 * when they end is the first one's. */
%{
#undef SWIG_init
#define SWIG_init volo__py_swig_init
%}

%wrapper %{
static int
refuse_others(PyObject *module)
{
    (void)module;
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError,
                    "volo works in the main interpreter only, not in "
                    "sub-interpreters");
    return -1;
}

PyObject *volo__py_swig_init(void);

PyMODINIT_FUNC
PyInit__cvolo(void)
{
    static PyModuleDef_Slot slots[8] = {{Py_mod_exec, refuse_others}};
    PyObject *def = volo__py_swig_init();
    PyModuleDef_Slot *its = def ? ((PyModuleDef *)def)->m_slots : NULL;
    size_t i;

    for (i = 0; its && its != slots && its[i].slot && i < 6; i++)
        slots[i + 1] = its[i];
    if (its)
        ((PyModuleDef *)def)->m_slots = slots;
    return def;
}
%}

%init %{
    if (volo__py_init(m) < 0)
        return -1;
%}
