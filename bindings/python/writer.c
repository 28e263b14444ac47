/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer(request, response=None, length=-1): a response that is sent piece by
 * piece.  It takes so much as the server holds for a client, then says that
 * there is no room; wait() blocks a thread until there is, drained() does the
 * same for asyncio.  One that goes away before end() cuts the response off.
 */
#include "stream.h"

enum {
    COPIED = 4096
}; /* shorter pieces are copied: cheaper than a reference */

/* A cx posts in order: what is posted when it is made runs before any piece,
 * and before the writer goes. */
struct outlet {
    struct volo__py_bell bell; /* first */
    volo_writer *made;         /* for the loop's thread */
    volo_writer *w;            /* with the lock, as all its calls; or NULL */
    int room;
    int gone;
};

struct writer {
    PyObject ob_base;
    struct outlet *outlet;
};

#define WRITER(self) ((struct writer *)(void *)(self))

/* ---- On the loop's thread
 * --------------------------------------------------------- */

static void
on_drain(volo_writer *w, int err, void *user)
{
    struct outlet *outlet = user;

    (void)w;
    pthread_mutex_lock(&outlet->bell.lock);
    if (err)
        outlet->gone = 1;
    else
        outlet->room = 1;
    volo__py_bell_ring(&outlet->bell);
}

/* The client may have left before: then nobody would tell. */
static void
listen_to(volo_cx *cx, void *user)
{
    struct outlet *outlet = user;
    volo_writer *w = outlet->made;

    (void)cx;
    volo_writer_on_drain(w, on_drain, outlet, volo__py_bell_unref);
    pthread_mutex_lock(&outlet->bell.lock);
    if (volo_writer_write(w, volo_str_make(NULL, 0)) == VOLO_ECANCELED)
        outlet->gone = 1;
    volo__py_bell_ring(&outlet->bell);
}

/* ---- The outlet
 * ----------------------------------------------------------------------- */

static int
is_ready(struct volo__py_bell *bell)
{
    const struct outlet *outlet = (struct outlet *)(void *)bell;

    return outlet->room || outlet->gone || !outlet->w;
}

static int
settle(struct volo__py_bell *bell)
{
    struct outlet *outlet = (struct outlet *)(void *)bell;
    int ready, gone;

    pthread_mutex_lock(&bell->lock);
    ready = is_ready(bell);
    gone = outlet->gone;
    pthread_mutex_unlock(&bell->lock);
    if (!ready)
        return 0;
    if (gone) {
        volo__py_raise(VOLO_ECANCELED, NULL);
        volo__py_future_fail(bell, NULL);
    } else {
        volo__py_future_set(bell, Py_NewRef(Py_None));
    }
    return 1;
}

static void
fini(struct volo__py_bell *bell)
{
    (void)bell; /* the Writer has freed what there was */
}

static struct outlet *
outlet_new(volo_cx *cx)
{
    struct outlet *outlet = volo_alloc(sizeof *outlet);

    if (!outlet)
        return NULL;
    memset(outlet, 0, sizeof *outlet);
    if (volo__py_bell_init(&outlet->bell, cx) < 0) {
        volo_free(outlet);
        return NULL;
    }
    outlet->bell.ready = is_ready;
    outlet->bell.settle = settle;
    outlet->bell.fini = fini;
    outlet->room = 1;
    return outlet;
}

/* The head leaves. */
static int
outlet_open(struct outlet *outlet, volo_cx *cx, int64_t length)
{
    int err = volo_cx_answer_stream(&outlet->made, cx, length);

    if (err)
        return err;
    outlet->w = outlet->made;
    volo__py_bell_ref(&outlet->bell);
    err = volo_cx_post(cx, listen_to, outlet);
    if (err)
        volo__py_bell_unref(&outlet->bell);
    return err;
}

static void
outlet_close(struct outlet *outlet)
{
    volo_writer *w;

    pthread_mutex_lock(&outlet->bell.lock);
    w = outlet->w;
    outlet->w = NULL;
    volo__py_bell_ring(&outlet->bell);
    volo_writer_free(w);
}

/* ---- Writing
 * -------------------------------------------------------------------------- */

static int
write_piece(struct outlet *outlet, PyObject *piece, char *bytes, size_t len)
{
    volo_str data = volo_str_make(bytes, len);
    int err = VOLO_ECLOSED;

    pthread_mutex_lock(&outlet->bell.lock);
    if (outlet->gone) {
        err = VOLO_ECANCELED;
    } else if (outlet->w && len <= COPIED) {
        err = volo_writer_write(outlet->w, data);
    } else if (outlet->w) {
        Py_INCREF(piece);
        err = volo_writer_write_ref(outlet->w, data, volo__py_drop, piece);
    }
    if (err == VOLO_EAGAIN)
        outlet->room = 0; /* on_drain() waits for the lock, if it is here */
    pthread_mutex_unlock(&outlet->bell.lock);
    return err;
}

static PyObject *
writer_write(PyObject *self, PyObject *piece)
{
    Py_ssize_t len;
    char *bytes;
    int err;

    if (!PyBytes_Check(piece)) {
        PyErr_SetString(PyExc_TypeError, "write() wants bytes");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(piece, &bytes, &len) < 0)
        return NULL;
    err = write_piece(WRITER(self)->outlet, piece, bytes, (size_t)len);
    if (err && err != VOLO_EAGAIN)
        return volo__py_raise(err, NULL);
    return PyBool_FromLong(err == 0);
}

static PyObject *
writer_wait(PyObject *self, PyObject *args)
{
    struct outlet *outlet = WRITER(self)->outlet;
    double seconds = -1;
    int ready, gone;

    if (!PyArg_ParseTuple(args, "|d:wait", &seconds))
        return NULL;
    ready = volo__py_bell_wait(&outlet->bell, volo__py_until(seconds));
    if (ready < 0)
        return NULL;
    pthread_mutex_lock(&outlet->bell.lock);
    gone = outlet->gone;
    pthread_mutex_unlock(&outlet->bell.lock);
    if (gone)
        return volo__py_raise(VOLO_ECANCELED, NULL);
    return PyBool_FromLong(ready);
}

static PyObject *
writer_drained(PyObject *self, PyObject *unused)
{
    (void)unused;
    return volo__py_bell_future(&WRITER(self)->outlet->bell);
}

static PyObject *
writer_trailer(PyObject *self, PyObject *args)
{
    struct outlet *outlet = WRITER(self)->outlet;
    const char *name, *value;
    Py_ssize_t len;
    int err = VOLO_ECLOSED;

    if (!PyArg_ParseTuple(args, "ss#:trailer", &name, &value, &len))
        return NULL;
    pthread_mutex_lock(&outlet->bell.lock);
    if (outlet->w)
        err = volo_writer_trailer(outlet->w, name,
                                  volo_str_make(value, (size_t)len));
    pthread_mutex_unlock(&outlet->bell.lock);
    if (err)
        return volo__py_raise(err, NULL);
    Py_RETURN_NONE;
}

/* Whatever comes of it, it is over: short of its length, it is cut off. */
static PyObject *
writer_end(PyObject *self, PyObject *unused)
{
    struct outlet *outlet = WRITER(self)->outlet;
    int err = VOLO_ECLOSED;

    (void)unused;
    pthread_mutex_lock(&outlet->bell.lock);
    if (outlet->w)
        err = volo_writer_end(outlet->w);
    pthread_mutex_unlock(&outlet->bell.lock);
    outlet_close(outlet);
    if (err)
        return volo__py_raise(err, NULL);
    Py_RETURN_NONE;
}

static PyObject *
writer_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    outlet_close(WRITER(self)->outlet);
    Py_RETURN_NONE;
}

static PyObject *
writer_canceled(PyObject *self, void *unused)
{
    struct outlet *outlet = WRITER(self)->outlet;
    int gone;

    (void)unused;
    pthread_mutex_lock(&outlet->bell.lock);
    gone = outlet->gone;
    pthread_mutex_unlock(&outlet->bell.lock);
    return PyBool_FromLong(gone || volo_cx_is_canceled(outlet->bell.cx));
}

static PyObject *
writer_pending(PyObject *self, void *unused)
{
    struct outlet *outlet = WRITER(self)->outlet;
    size_t n;

    (void)unused;
    pthread_mutex_lock(&outlet->bell.lock);
    n = outlet->w ? volo_writer_pending(outlet->w) : 0;
    pthread_mutex_unlock(&outlet->bell.lock);
    return PyLong_FromSize_t(n);
}

/* ---- The type
 * -------------------------------------------------------------------------- */

static int
open_outlet(struct writer *self, volo_cx *cx, PyObject *request,
            PyObject *response, int64_t length)
{
    int err;

    if (response != Py_None && volo__py_put_head(cx, response) < 0)
        return -1;
    self->outlet = outlet_new(cx);
    if (!self->outlet) {
        PyErr_NoMemory();
        return -1;
    }
    /* The loop has it from now on: what is read later has to be kept. */
    volo_cx_unref(volo__py_request_release(request));
    err = outlet_open(self->outlet, cx, length);
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

static PyObject *
writer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"request", "response", "length", NULL};
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self, *request, *response = Py_None;
    long long length = -1;
    volo_cx *cx;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OL:Writer", names,
                                     &request, &response, &length))
        return NULL;
    cx = volo__py_cx_of(request);
    if (!cx)
        return NULL;
    self = alloc(type, 0);
    if (self && open_outlet(WRITER(self), cx, request, response, length) < 0)
        Py_CLEAR(self);
    volo_cx_unref(cx);
    return self;
}

static void
writer_dealloc(PyObject *self)
{
    struct outlet *outlet = WRITER(self)->outlet;
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = (freefunc)PyType_GetSlot(type, Py_tp_free);

    if (outlet) {
        outlet_close(outlet);
        volo__py_bell_unref(&outlet->bell);
    }
    free_it(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"write", writer_write, METH_O,
     "write(data: bytes) -> bool: take all of it, or nothing (False) if too\n"
     "much waits already.  VoloError once the client is gone."},
    {"wait", writer_wait, METH_VARARGS,
     "wait(timeout=-1.0) -> bool: block until there is room, for at most so\n"
     "many seconds.  VoloError once the client is gone."},
    {"drained", writer_drained, METH_NOARGS,
     "A future for the same, on the event loop."},
    {"trailer", writer_trailer, METH_VARARGS,
     "trailer(name: str, value: str): a field that follows the body."},
    {"end", writer_end, METH_NOARGS, "The body is complete."},
    {"file", volo__py_writer_file, METH_VARARGS | METH_STATIC,
     "file(request, response, path: bytes, type: str | None): answer with a\n"
     "file, which no thread of Python's waits for; 404 and 403 if it can't."},
    {"close", writer_close, METH_NOARGS,
     "Cut the response off, unless it has ended.  Twice is harmless."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef getset[] = {
    {"canceled", writer_canceled, NULL, "Whether the client is gone.", NULL},
    {"pending", writer_pending, NULL, "Octets that have not left yet.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Writer(request, response=None, length=-1)\n--\n\nAnswer "
                "piece by piece, with the head of a Response."},
    {Py_tp_new, writer_new},
    {Py_tp_dealloc, writer_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL}};

PyType_Spec volo__py_writer_spec = {.name = "volo._cvolo.Writer",
                                    .basicsize = sizeof(struct writer),
                                    .flags = Py_TPFLAGS_DEFAULT,
                                    .slots = slots};
