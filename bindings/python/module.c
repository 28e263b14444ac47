/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hand-written half adds to the module that SWIG makes, and the
 * state that all of it shares.
 */
#include "call.h"
#include "run.h"
#ifndef VOLO_PY_BARE
#include "asgi.h"
#include "wsgi.h"
#endif

#include <string.h>

struct volo__py volo__py;

/* ---- Errors -------------------------------------------------------------- */

PyObject *
volo__py_raise(int err, const char *words)
{
    PyObject *type = volo__py.hooks.error, *error;

    if (!type)
        type = volo__py.error;
    if (err == VOLO_ENOMEM)
        return PyErr_NoMemory();
    error = PyObject_CallFunction(type, "iss", err, volo_error_name(err),
                                  words && *words ? words : volo_strerror(err));
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return NULL;
}

PyObject *
volo__py_fetch(void)
{
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback && value)
        PyException_SetTraceback(value, traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* Logging must not fail whoever logs; what it has to say is not lost either. */
void
volo__py_log(const char *words, PyObject *exception)
{
    PyObject *logging = PyImport_ImportModule("logging"), *logger = NULL;
    PyObject *error = NULL, *args = NULL, *kwargs = NULL, *done = NULL;

    if (logging)
        logger = PyObject_CallMethod(logging, "getLogger", "s", "volo");
    if (logger)
        error = PyObject_GetAttrString(logger, "error");
    if (error)
        args = Py_BuildValue("(s)", words);
    if (args)
        kwargs =
            Py_BuildValue("{sO}", "exc_info", exception ? exception : Py_None);
    if (kwargs)
        done = PyObject_Call(error, args, kwargs);
    if (!done)
        PyErr_WriteUnraisable(exception ? exception : Py_None);
    Py_XDECREF(logging);
    Py_XDECREF(logger);
    Py_XDECREF(error);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(done);
}

/* ---- JSON that is read without a type ------------------------------------ */

static PyObject *
find_loads(void)
{
    static PyObject *loads; /* found once, and kept */
    PyObject *module, *found;

    if (loads)
        return loads;
    module = PyImport_ImportModule("msgspec.json");
    found = module ? PyObject_GetAttrString(module, "decode") : NULL;
    if (!found && PyErr_ExceptionMatches(PyExc_ImportError)) {
        PyErr_Clear();
        module = PyImport_ImportModule("json");
        found = module ? PyObject_GetAttrString(module, "loads") : NULL;
    }
    Py_XDECREF(module);
    if (found)
        loads = found;
    return found;
}

/* Both say what is wrong, in exceptions of no common type. */
PyObject *
volo__py_loads(PyObject *body)
{
    PyObject *loads = find_loads(), *value, *error, *text;
    volo_str reason;

    if (!loads)
        return NULL;
    value = PyObject_CallFunctionObjArgs(loads, body, NULL);
    if (value || !PyErr_ExceptionMatches(PyExc_Exception) ||
        PyErr_ExceptionMatches(PyExc_MemoryError) ||
        PyErr_ExceptionMatches(PyExc_RecursionError))
        return value;
    error = volo__py_fetch();
    text = PyObject_Str(error);
    if (!text || volo__py_octets(text, &reason) < 0) {
        PyErr_Clear();
        reason = VOLO_STR("is no JSON");
    }
    volo__py_refuse(400, "body", "body", reason.ptr);
    Py_XDECREF(error);
    Py_XDECREF(text);
    return NULL;
}

/* ---- Functions ----------------------------------------------------------- */

static const struct {
    const char *name;
    PyObject **to;
} hook_names[] = {{"dumps", &volo__py.hooks.dumps},
                  {"respond", &volo__py.hooks.respond},
                  {"on_error", &volo__py.hooks.on_error},
                  {"rejection", &volo__py.hooks.rejection},
                  {"error", &volo__py.hooks.error},
                  {"records", &volo__py.hooks.records}};

enum { HOOKS = sizeof hook_names / sizeof hook_names[0] };

static PyObject **
hook_of(PyObject *name)
{
    size_t i;

    for (i = 0; i < HOOKS; i++)
        if (PyUnicode_CompareWithASCIIString(name, hook_names[i].name) == 0)
            return hook_names[i].to;
    PyErr_Format(PyExc_TypeError, "set_hooks() knows no %R", name);
    return NULL;
}

/* The old one is not given back: it may be in use right now. */
static PyObject *
set_hooks(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *name, *value, **hook;
    Py_ssize_t at = 0;

    (void)module;
    if (!PyArg_ParseTuple(args, ":set_hooks"))
        return NULL;
    while (kwargs && PyDict_Next(kwargs, &at, &name, &value)) {
        hook = hook_of(name);
        if (!hook)
            return NULL;
        if (value != Py_None && !PyCallable_Check(value)) {
            PyErr_Format(PyExc_TypeError, "%U must be callable", name);
            return NULL;
        }
        Py_INCREF(value);
        *hook = value == Py_None ? NULL : value;
    }
    Py_RETURN_NONE;
}

/* problem(request, status, detail=None, errors=None) */
static PyObject *
problem(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"request", "status", "detail", "errors", NULL};
    PyObject *request, *status, *detail = Py_None, *errors = Py_None;
    PyObject *list = NULL, *made;
    volo_str accept = {NULL, 0};
    int number;

    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OO:problem", names,
                                     &request, &status, &detail, &errors))
        return NULL;
    number = volo__py_status_of(status);
    if (number < 0)
        return NULL;
    if (errors != Py_None && !(list = PySequence_List(errors)))
        return NULL;
    if (PyObject_TypeCheck(request, volo__py.request_type))
        accept = volo__py_accept(&((struct volo__py_request *)request)->job);
    made = volo__py_problem(accept, number,
                            PyUnicode_Check(detail) ? detail : NULL, list);
    Py_XDECREF(list);
    return made;
}

static PyObject *
to_response(PyObject *module, PyObject *args)
{
    struct volo__py_call call = {0};
    PyObject *value, *pending = NULL, *made;

    (void)module;
    if (!PyArg_ParseTuple(args, "O!O:to_response", volo__py.request_type,
                          &call.request, &value))
        return NULL;
    call.job = &((struct volo__py_request *)call.request)->job;
    call.handler =
        (struct volo__py_handler *)((struct volo__py_request *)call.request)
            ->handler;
    call.bound = 1;
    Py_INCREF(call.request);
    made = volo__py_to_response(&call, value, &pending);
    volo__py_call_clear(&call);
    return made ? made : pending; /* to be awaited, where it is that */
}

static PyObject *
sweep(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    volo__py_sweep();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"set_hooks", (PyCFunction)(void (*)(void))set_hooks,
     METH_VARARGS | METH_KEYWORDS,
     "set_hooks(*, dumps=..., respond=..., on_error=..., rejection=..., "
     "error=..., records=...)\n--\n\n"
     "What the package decides; those not named stay as they are."},
    {"problem", (PyCFunction)(void (*)(void))problem,
     METH_VARARGS | METH_KEYWORDS,
     "problem(request, status, detail=None, errors=None)\n--\n\n"
     "A Response that says what was wrong: RFC 9457 where the client names "
     "JSON, else text.  errors are (field, where, reason)."},
    {"to_response", to_response, METH_VARARGS,
     "to_response(request, value, /)\n--\n\n"
     "What a handler may return as a Response; or something to be awaited for "
     "such a value."},
    {"sweep", sweep, METH_NOARGS,
     "sweep()\n--\n\nDrop what other threads have given back."},
    {NULL, NULL, 0, NULL}};

/* ---- Coming to life ------------------------------------------------------ */

/* Threads, queues and hooks are the process's: one interpreter can have them.
 */
static int
check_interpreter(void)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError,
                    "volo works in the main interpreter only, not in "
                    "sub-interpreters");
    return -1;
}

static int
find_contextvars(void)
{
    PyObject *module = PyImport_ImportModule("contextvars"), *type;

    if (!module)
        return -1;
    volo__py.copy_context = PyObject_GetAttrString(module, "copy_context");
    type = PyObject_GetAttrString(module, "Context");
    if (type)
        volo__py.run_context = PyObject_GetAttrString(type, "run");
    Py_XDECREF(type);
    Py_DECREF(module);
    return volo__py.copy_context && volo__py.run_context ? 0 : -1;
}

/* VoloError(code, name, text) */
static int
make_error(void)
{
    volo__py.error = PyErr_NewExceptionWithDoc(
        "volo._cvolo.VoloError", "VoloError(code, name, text)", NULL, NULL);
    return volo__py.error ? 0 : -1;
}

static int
make_all(PyObject *module)
{
    if (volo__py.run_context)
        return 0; /* loaded again: what there is stays */
    if (volo__py_text_init() < 0 || make_error() < 0 ||
        volo__py_state_init(module) < 0 || volo__py_headers_init(module) < 0 ||
        volo__py_response_init(module) < 0 ||
        volo__py_invalid_init(module) < 0 ||
        volo__py_request_init(module) < 0 ||
        volo__py_handler_init(module) < 0 || volo__py_coro_init(module) < 0)
        return -1;
    return find_contextvars();
}

static int
add(PyObject *module, const char *name, void *object)
{
    return PyObject_SetAttrString(module, name, object);
}

int
volo__py_init(PyObject *module)
{
    if (check_interpreter() < 0 || make_all(module) < 0 ||
        add(module, "VoloError", volo__py.error) < 0 ||
        add(module, "Invalid", volo__py.invalid) < 0 ||
        add(module, "State", volo__py.state_type) < 0 ||
        add(module, "TLSInfo", volo__py.tls_type) < 0 ||
        add(module, "Headers", volo__py.headers_type) < 0 ||
        add(module, "MultiDict", volo__py.multi_type) < 0 ||
        add(module, "Response", volo__py.response_type) < 0 ||
        add(module, "Request", volo__py.request_type) < 0 ||
        add(module, "Handler", volo__py.handler_type) < 0 ||
        add(module, "Bound", volo__py.bound_type) < 0 ||
        PyModule_AddFunctions(module, functions) < 0)
        return -1;
#ifndef VOLO_PY_BARE
    if (volo__py_run_init(module) < 0 || volo__py_asgi_init(module) < 0 ||
        volo__py_wsgi_init(module) < 0)
        return -1;
#endif
    return 0;
}
