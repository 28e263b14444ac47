/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wsgi(app, environ, make_input, on_error, root_path): a WSGI application as
 * the function of Handlers that a pool runs.  Which log, which files to read
 * from: volo/wsgi.py.
 */
#include "wsgi.h"

#include "asgi.h"
#include "swig.h"

PyTypeObject *volo__py_wsgi_type;
PyTypeObject *volo__py_start_type;

#define WSGI(self) ((struct volo__py_wsgi *)(void *)(self))

/* ---- One request --------------------------------------------------------- */

static struct volo__py_start *
make_start(struct volo__py_handler *handler, const volo_job *job)
{
    struct volo__py_start *start =
        (struct volo__py_start *)PyType_GenericAlloc(volo__py_start_type, 0);

    if (!start) {
        volo_cx_unref(job->cx);
        return NULL;
    }
    start->wsgi = WSGI(Py_NewRef(handler->fn));
    start->handler = Py_NewRef((PyObject *)handler);
    start->job = *job;
    start->owned = 1;
    start->head.cx = job->cx;
    start->head.announced = -1;
    start->head.text = 1;
    return start;
}

/* Of the whole body, or of one that comes piece by piece: then on a Reader. */
static PyObject *
make_input(struct volo__py_start *start)
{
    volo_str body = start->job.body;
    PyObject *source, *request, *input;

    if (((struct volo__py_handler *)(void *)start->handler)->streaming) {
        request = volo__py_start_request(start);
        source = request ? PyObject_CallFunctionObjArgs(
                               (PyObject *)volo__py.reader_type, request, NULL)
                         : NULL;
    } else {
        source = PyBytes_FromStringAndSize(body.ptr, (Py_ssize_t)body.len);
    }
    if (!source)
        return NULL;
    input = PyObject_CallFunctionObjArgs(start->wsgi->make_input, source, NULL);
    Py_DECREF(source);
    return input;
}

static PyObject *
call_app(struct volo__py_start *start)
{
    PyObject *input = make_input(start), *environ = NULL, *result = NULL;

    if (input)
        environ = volo__py_environ(start->wsgi, &start->job, input);
    if (environ)
        result = PyObject_CallFunctionObjArgs(start->wsgi->app, environ,
                                              (PyObject *)start, NULL);
    Py_XDECREF(environ);
    Py_XDECREF(input);
    return result;
}

/* In any case, PEP 3333 says; an exception that is set stays. */
static int
close_result(PyObject *result)
{
    PyObject *type, *value, *trace, *close, *done = NULL;

    PyErr_Fetch(&type, &value, &trace);
    close = PyObject_GetAttr(result, volo__py_asgi_names.close_);
    if (!close && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        done = Py_NewRef(Py_None);
    } else if (close) {
        done = PyObject_CallObject(close, NULL);
    }
    Py_XDECREF(close);
    Py_XDECREF(done);
    if (!done && !type)
        return -1;
    if (!done)
        PyErr_WriteUnraisable(result);
    PyErr_Restore(type, value, trace);
    return type ? -1 : 0;
}

/* ---- What went wrong ----------------------------------------------------- */

/* The code of a VoloError that reading the body has raised; else 0. */
static int
code_of(PyObject *error)
{
    PyObject *code = PyObject_GetAttrString(error, "code");
    long number = code && PyLong_Check(code) ? PyLong_AsLong(code) : 0;

    PyErr_Clear();
    Py_XDECREF(code);
    return number < 0 && number > -1000 ? (int)number : 0;
}

static void
tell(struct volo__py_start *start, PyObject *error)
{
    PyObject *done = PyObject_CallFunction(start->wsgi->on_error, "Os", error,
                                           "exception in a WSGI application");

    if (!done)
        PyErr_WriteUnraisable(error);
    Py_XDECREF(done);
}

/* The exception that is set has ended the application: 500, the status of what
 * the body broke off for, or an answer that is cut off. */
static void
fail(struct volo__py_start *start)
{
    PyObject *type, *error, *trace;
    int code = 0;

    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace && error)
        PyException_SetTraceback(error, trace);
    if (((struct volo__py_handler *)(void *)start->handler)->streaming)
        code = code_of(error);
    if (!code && !start->gone && !volo_cx_is_canceled(start->job.cx))
        tell(start, error);
    if (!start->sent) {
        volo__py_head_drop(&start->head);
        if (code)
            volo_reply_error(start->job.cx, code);
        else
            volo_reply_problem(start->job.cx, 500, NULL);
    }
    start->answers = 0;
    Py_CLEAR(start->writer);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
}

/* ---- The end ------------------------------------------------------------- */

/* The answer, with the reference that it takes over. */
static int
answer(struct volo__py_start *start, volo_answer *out)
{
    if (!start->answers)
        return 0;
    memset(out, 0, sizeof *out);
    out->status = start->status;
    if (start->request) {
        out->cx = volo__py_request_release(start->request);
    } else {
        out->cx = start->job.cx;
        start->owned = 0;
    }
    return out->cx ? 1 : 0;
}

int
volo__py_wsgi_run(struct volo__py_handler *handler, const volo_job *job,
                  volo_answer *out)
{
    struct volo__py_start *start = make_start(handler, job);
    PyObject *result = start ? call_app(start) : NULL;
    int rc = result ? volo__py_start_send(start, result) : -1;

    if (!start) {
        PyErr_WriteUnraisable(handler->fn);
        return 0;
    }
    if (result && close_result(result) < 0)
        rc = -1;
    if (rc < 0)
        fail(start);
    Py_XDECREF(result);
    rc = answer(start, out);
    Py_CLEAR(start->wsgi);
    Py_DECREF((PyObject *)start);
    return rc;
}

/* ---- The type ------------------------------------------------------------ */

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *list[] = {"app",      "environ",   "make_input",
                           "on_error", "root_path", NULL};
    PyObject *app, *environ, *make, *on_error,
        *root = volo__py_asgi_names.empty;
    struct volo__py_wsgi *wsgi;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO!OO|U:Wsgi", list, &app,
                                     &PyDict_Type, &environ, &make, &on_error,
                                     &root))
        return NULL;
    wsgi = WSGI(PyType_GenericAlloc(type, 0));
    if (!wsgi)
        return NULL;
    wsgi->app = Py_NewRef(app);
    wsgi->environ = Py_NewRef(environ);
    wsgi->make_input = Py_NewRef(make);
    wsgi->on_error = Py_NewRef(on_error);
    wsgi->root_path = Py_NewRef(root);
    return (PyObject *)wsgi;
}

/* A Handler wants a function; this one is called by pools alone. */
static PyObject *
call(PyObject *self, PyObject *args, PyObject *keywords)
{
    return PyObject_Call(WSGI(self)->app, args, keywords);
}

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)Py_TYPE(self));
    Py_VISIT(WSGI(self)->app);
    Py_VISIT(WSGI(self)->environ);
    Py_VISIT(WSGI(self)->make_input);
    Py_VISIT(WSGI(self)->on_error);
    return 0;
}

static int
clear(PyObject *self)
{
    Py_CLEAR(WSGI(self)->app);
    Py_CLEAR(WSGI(self)->environ);
    Py_CLEAR(WSGI(self)->make_input);
    Py_CLEAR(WSGI(self)->on_error);
    return 0;
}

static void
dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear(self);
    Py_CLEAR(WSGI(self)->root_path);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "Wsgi(app, environ, make_input, on_error, root_path='')"},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_call, call},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "volo._cvolo.Wsgi",
    .basicsize = sizeof(struct volo__py_wsgi),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* ---- The module ---------------------------------------------------------- */

/* split(whole, piecewise) -> volo_service */
static PyObject *
split(PyObject *module, PyObject *args)
{
    PyObject *first, *second;
    volo_service *whole, *piecewise, *made;
    int err;

    (void)module;
    if (!PyArg_ParseTuple(args, "OO:split", &first, &second))
        return NULL;
    whole = volo__py_service_of(first);
    piecewise = whole ? volo__py_service_of(second) : NULL;
    if (!piecewise)
        return NULL;
    err = volo__py_split(&made, volo_service_ref(whole),
                         volo_service_ref(piecewise));
    return err ? volo__py_raise(err, NULL) : volo__py_service_proxy(made);
}

static PyMethodDef functions[] = {
    {"split", split, METH_VARARGS,
     "split(whole, piecewise) -> volo_service: short bodies to the one, others "
     "to the other."},
    {NULL, NULL, 0, NULL},
};

int
volo__py_wsgi_init(PyObject *module)
{
    if (!volo__py_wsgi_type) {
        volo__py_wsgi_type = (PyTypeObject *)PyType_FromSpec(&spec);
        volo__py_start_type =
            (PyTypeObject *)PyType_FromSpec(&volo__py_start_spec);
        if (!volo__py_wsgi_type || !volo__py_start_type ||
            volo__py_environ_init() < 0)
            return -1;
    }
    if (PyModule_AddObjectRef(module, "Wsgi", (PyObject *)volo__py_wsgi_type) <
        0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
