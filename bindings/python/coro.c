/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A coroutine around the handler's own: the same to whoever awaits it, but
 * when that has come to its end, this encodes what has come of it, on the spot
 * and with no callback.  Then it awaits what is left to be done: the
 * coroutines of hooks, and cleanups.
 */
#include "call.h"

#include <string.h>

enum phase {
  RUN,   /* the handler */
  HOOK,  /* what respond() or on_error() has returned */
  CLEAN, /* a cleanup */
  DONE
};

struct coro {
  PyObject ob_base;
  struct volo__py_call call;
  PyObject *handler; /* keeps what the call borrows */
  PyObject *inner;   /* what it is at; or NULL */
  PyObject *ready;   /* or what that has come to before it began */
  PyObject *result;  /* for Bound: the Response */
  PyObject *cancel;  /* the CancelledError that it must end with */
  PyObject *runner;
  volo__py_send_fn send; /* NULL for Bound */
  int phase;
  int failed; /* on_error() has been asked */
};

static PyTypeObject *coro_type;
static PyTypeObject *native_type; /* of an async def */

int volo__py_is_coroutine(PyObject *value) {
  PyTypeObject *type = Py_TYPE(value);

  return type == native_type || PyType_GetSlot(type, Py_am_await) != NULL;
}

/* What can be sent to; takes over ${value}. */
static PyObject *awaited(PyObject *value) {
  unaryfunc await;
  PyObject *iterator;

  if (Py_TYPE(value) == native_type || Py_TYPE(value) == coro_type)
    return value;
  await = (unaryfunc)PyType_GetSlot(Py_TYPE(value), Py_am_await);
  iterator = await(value);
  Py_DECREF(value);
  return iterator;
}

/* ---- The end ------------------------------------------------------------- */

static int is_cancel(PyObject *error) {
  PyObject *module = PyImport_ImportModule("asyncio.exceptions"), *type;
  int is;

  type = module ? PyObject_GetAttrString(module, "CancelledError") : NULL;
  is = type && PyErr_GivenExceptionMatches(error, type);
  Py_XDECREF(module);
  Py_XDECREF(type);
  PyErr_Clear();
  return is;
}

static void forget_task(PyObject *object) {
  struct volo__py_request *request = (struct volo__py_request *)object;
  PyObject *task;

  VOLO__PY_LOCK(object);
  task = request->task;
  request->task = NULL;
  VOLO__PY_UNLOCK();
  Py_XDECREF(task);
}

/* 0, or -1 with the exception that it ends with. */
static int finish(struct coro *self) {
  PyObject *cancel = self->cancel;

  self->phase = DONE;
  self->cancel = NULL;
  if (self->send && self->call.request)
    forget_task(self->call.request);
  volo__py_call_clear(&self->call);
  if (!cancel)
    return 0;
  PyErr_SetObject((PyObject *)Py_TYPE(cancel), cancel);
  Py_DECREF(cancel);
  return -1;
}

/* 1 with the next cleanup to be awaited; else as finish(). */
static int clean_up(struct coro *self) {
  PyObject *cleanup, *result;

  self->phase = CLEAN;
  while ((cleanup = volo__py_next_cleanup(&self->call)) != NULL) {
    result = volo__py_run_cleanup(&self->call, cleanup);
    Py_DECREF(cleanup);
    if (result && volo__py_is_coroutine(result)) {
      self->inner = awaited(result);
      if (self->inner)
        return 1;
      volo__py_cleanup_failed();
    } else {
      Py_XDECREF(result);
    }
  }
  return finish(self);
}

/* ---- From one thing to the next ------------------------------------------ */

/* What is done with an exception: as volo__py_reply_error(). */
static int reply_raised(struct coro *self, volo_answer *out,
                        PyObject **pending) {
  PyObject *error = volo__py_fetch();

  if (error && is_cancel(error)) {
    Py_XDECREF(self->cancel);
    self->cancel = error;
    if (!self->call.error) {
      Py_INCREF(error);
      self->call.error = error;
    }
    return volo__py_reply_plain(&self->call, out, 503);
  }
  if (self->failed) {
    volo__py_log("an exception could not be answered", error);
    Py_XDECREF(error);
    return volo__py_reply_plain(&self->call, out, 500);
  }
  self->failed = 1;
  if (error)
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
  Py_XDECREF(error);
  return volo__py_reply_error(&self->call, out, pending);
}

/* ${pending} is to be awaited: 1, or 0 with an exception. */
static int await_hook(struct coro *self, PyObject *pending) {
  self->inner = awaited(pending);
  self->phase = HOOK;
  return self->inner != NULL;
}

static int answer_with(struct coro *self, PyObject *value) {
  PyObject *pending = NULL;
  volo_answer out;
  int done;

  done = value ? volo__py_reply(&self->call, &out, value, &pending) : -1;
  for (;;) {
    if (done < 0)
      done = reply_raised(self, &out, &pending);
    if (done != 2)
      break;
    if (await_hook(self, pending))
      return 1;
    done = -1;
  }
  if (done == 1)
    self->send(self->runner, &out);
  return clean_up(self);
}

static int respond_with(struct coro *self, PyObject *value) {
  PyObject *pending = NULL;

  self->result =
      value ? volo__py_to_response(&self->call, value, &pending) : NULL;
  if (pending && await_hook(self, pending))
    return 1;
  if (!self->result)
    self->result = volo__py_invalid_response(&self->call);
  if (finish(self) < 0)
    return -1;
  return self->result ? 0 : -1;
}

/* What it was at has come to ${value}, which is taken over, or to the exception
 * that is set: 1 if there is more to await, 0 at the end, -1 at the end with an
 * exception. */
static int advance(struct coro *self, PyObject *value) {
  int more;

  Py_CLEAR(self->inner);
  if (self->phase == CLEAN) {
    if (!value)
      volo__py_cleanup_failed();
    more = clean_up(self);
  } else {
    more = self->send ? answer_with(self, value) : respond_with(self, value);
  }
  Py_XDECREF(value);
  return more;
}

/* ---- As a coroutine ------------------------------------------------------ */

static PySendResult send_inner(struct coro *self, PyObject *arg,
                               PyObject **value) {
  PyObject *inner = self->inner;
  PySendResult how;

  *value = NULL;
  Py_INCREF(inner);
  how = PyIter_Send(inner, arg, value);
  Py_DECREF(inner);
  return how;
}

/* After inner has done ${how} with ${value}: until something is to be waited
 * for, or the end. */
static PySendResult go_on(struct coro *self, PySendResult how, PyObject *value,
                          PyObject **out) {
  int more;

  while (how != PYGEN_NEXT) {
    more = advance(self, how == PYGEN_RETURN ? value : NULL);
    if (more < 0) {
      *out = NULL;
      return PYGEN_ERROR;
    }
    if (more == 0) {
      *out = self->result ? self->result : Py_None;
      Py_INCREF(*out);
      return PYGEN_RETURN;
    }
    how = send_inner(self, Py_None, &value);
  }
  *out = value;
  return PYGEN_NEXT;
}

static int check_usable(struct coro *self) {
  if (self->phase != DONE)
    return 0;
  PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
  return -1;
}

static PySendResult coro_am_send(PyObject *object, PyObject *arg,
                                 PyObject **out) {
  struct coro *self = (struct coro *)object;
  PyObject *value;
  PySendResult how;

  *out = NULL;
  if (check_usable(self) < 0)
    return PYGEN_ERROR;
  if (self->ready) {
    value = self->ready;
    self->ready = NULL;
    return go_on(self, PYGEN_RETURN, value, out);
  }
  how = send_inner(self, arg, &value);
  return go_on(self, how, value, out);
}

/* As a method: what was returned leaves as StopIteration. */
static PyObject *as_method(PySendResult how, PyObject *value) {
  PyObject *stop;

  if (how != PYGEN_RETURN)
    return value;
  stop = PyObject_CallFunctionObjArgs(PyExc_StopIteration, value, NULL);
  Py_DECREF(value);
  if (stop)
    PyErr_SetObject(PyExc_StopIteration, stop);
  Py_XDECREF(stop);
  return NULL;
}

static PyObject *coro_send(PyObject *self, PyObject *arg) {
  PyObject *value;
  PySendResult how = coro_am_send(self, arg, &value);

  return as_method(how, value);
}

static PyObject *coro_next(PyObject *self) { return coro_send(self, Py_None); }

/* The value of the StopIteration that is set. */
static PyObject *stop_value(void) {
  PyObject *stop = volo__py_fetch(), *value;

  value = stop ? PyObject_GetAttrString(stop, "value") : NULL;
  Py_XDECREF(stop);
  return value;
}

/* Raise what throw() was given: a type, or an instance. */
static void raise_args(PyObject *args) {
  PyObject *type = NULL, *value = NULL, *traceback = NULL;

  if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &traceback))
    return;
  if (PyExceptionInstance_Check(type))
    PyErr_SetObject((PyObject *)Py_TYPE(type), type);
  else
    PyErr_SetObject(type, value);
}

static PyObject *coro_throw(PyObject *object, PyObject *args) {
  struct coro *self = (struct coro *)object;
  PySendResult how = PYGEN_ERROR;
  PyObject *value = NULL, *throw_, *out;

  if (check_usable(self) < 0)
    return NULL;
  throw_ = self->inner ? PyObject_GetAttrString(self->inner, "throw") : NULL;
  if (throw_) {
    value = PyObject_Call(throw_, args, NULL);
    Py_DECREF(throw_);
  } else {
    PyErr_Clear(); /* not begun, or an iterator that cannot be told */
    raise_args(args);
  }
  if (value) {
    how = PYGEN_NEXT;
  } else if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
    value = stop_value();
    how = value ? PYGEN_RETURN : PYGEN_ERROR;
  }
  how = go_on(self, how, value, &out);
  return as_method(how, out);
}

static PyObject *coro_close(PyObject *object, PyObject *unused) {
  struct coro *self = (struct coro *)object;
  PyObject *inner = self->inner, *closed = NULL;

  (void)unused;
  self->inner = NULL;
  Py_CLEAR(self->ready);
  if (inner && PyObject_HasAttrString(inner, "close")) {
    closed = PyObject_CallMethod(inner, "close", NULL);
    if (!closed) {
      Py_DECREF(inner);
      return NULL;
    }
  }
  Py_XDECREF(closed);
  Py_XDECREF(inner);
  if (self->phase != DONE) {
    Py_CLEAR(self->cancel);
    finish(self);
  }
  Py_RETURN_NONE;
}

static PyObject *coro_self(PyObject *self) {
  Py_INCREF(self);
  return self;
}

/* What debuggers and asyncio look at is the handler's own coroutine. */
static PyObject *coro_getattr(PyObject *object, PyObject *name) {
  PyObject *inner = ((struct coro *)object)->inner;
  PyObject *value = PyObject_GenericGetAttr(object, name);

  if (value || !inner || !PyErr_ExceptionMatches(PyExc_AttributeError))
    return value;
  PyErr_Clear();
  return PyObject_GetAttr(inner, name);
}

/* ---- The type ------------------------------------------------------------ */

static int coro_traverse(PyObject *object, visitproc visit, void *arg) {
  struct coro *self = (struct coro *)object;

  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->call.request);
  Py_VISIT(self->call.error);
  Py_VISIT(self->handler);
  Py_VISIT(self->inner);
  Py_VISIT(self->ready);
  Py_VISIT(self->result);
  Py_VISIT(self->cancel);
  Py_VISIT(self->runner);
  return 0;
}

/* The request goes last: what else there is may look at it in its end. */
static int coro_clear(PyObject *object) {
  struct coro *self = (struct coro *)object;

  Py_CLEAR(self->inner);
  Py_CLEAR(self->ready);
  Py_CLEAR(self->result);
  Py_CLEAR(self->cancel);
  Py_CLEAR(self->runner);
  self->phase = DONE;
  volo__py_call_clear(&self->call);
  Py_CLEAR(self->handler);
  return 0;
}

static void coro_dealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);

  PyObject_GC_UnTrack(object);
  coro_clear(object);
  PyObject_GC_Del(object);
  Py_DECREF(type);
}

static PyMethodDef coro_methods[] = {
    {"send", coro_send, METH_O, "As of any coroutine."},
    {"throw", coro_throw, METH_VARARGS, "As of any coroutine."},
    {"close", coro_close, METH_NOARGS, "As of any coroutine."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot coro_slots[] = {
    {Py_tp_dealloc, (void *)coro_dealloc},
    {Py_tp_traverse, (void *)coro_traverse},
    {Py_tp_clear, (void *)coro_clear},
    {Py_tp_getattro, (void *)coro_getattr},
    {Py_tp_iter, (void *)coro_self},
    {Py_tp_iternext, (void *)coro_next},
    {Py_tp_methods, coro_methods},
    {Py_am_await, (void *)coro_self},
    {Py_am_send, (void *)coro_am_send},
    {Py_tp_doc, (void *)"The coroutine of a handler, and what follows it."},
    {0, NULL}};

static PyType_Spec coro_spec = {
    "volo._cvolo.HandlerCoroutine", sizeof(struct coro), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    coro_slots};

/* ---- Making them --------------------------------------------------------- */

/* With what ${value} (taken over) is to be awaited for, or is already. */
static struct coro *make(const struct volo__py_call *call, PyObject *value,
                         volo__py_send_fn send, PyObject *runner) {
  struct coro *self = PyObject_GC_New(struct coro, coro_type);

  if (!self) {
    Py_XDECREF(value);
    return NULL;
  }
  memset((char *)self + sizeof self->ob_base, 0,
         sizeof *self - sizeof self->ob_base);
  self->call = *call;
  self->handler = (PyObject *)call->handler;
  Py_XINCREF(self->handler);
  self->send = send;
  self->runner = runner;
  Py_XINCREF(runner);
  if (value && volo__py_is_coroutine(value))
    self->inner = awaited(value);
  else
    self->ready = value;
  PyObject_GC_Track((PyObject *)self);
  return self;
}

PyObject *volo__py_coro_bound(struct volo__py_call *call, PyObject *value) {
  struct coro *self;

  Py_INCREF(value);
  self = make(call, value, NULL, NULL);
  if (!self)
    return NULL;
  Py_INCREF(call->request);
  if (!self->inner && !self->ready) /* __await__ has failed */
    Py_CLEAR(self);
  return (PyObject *)self;
}

/* Nothing to wait for yet: answer, which may lead to something. */
static int begin(struct coro *self) {
  PyObject *ready = self->ready;

  if (self->inner)
    return 1;
  self->ready = NULL;
  if (advance(self, ready) > 0)
    return 1;
  PyErr_Clear(); /* CancelledError, of whom there is nobody to tell */
  return 0;
}

PyObject *volo__py_handler_start(struct volo__py_handler *handler,
                                 const volo_job *job, volo__py_send_fn send,
                                 PyObject *runner, PyObject **coro) {
  struct volo__py_call call = {0};
  struct coro *self;
  PyObject *request, *value;

  request = volo__py_request_new(job, (PyObject *)handler);
  if (!request) {
    PyErr_Clear(); /* out of memory: it has been let go, which is 500 */
    return NULL;
  }
  Py_INCREF(request); /* of the two, one is the caller's */
  call.request = request;
  call.job = &((struct volo__py_request *)request)->job;
  call.handler = handler;
  call.waits = 1;
  value = volo__py_call_fn(&call, 0);
  self = make(&call, value, send, runner);
  if (self && begin(self)) {
    *coro = (PyObject *)self;
    return request;
  }
  if (self)
    Py_DECREF((PyObject *)self);
  else
    volo__py_call_clear(&call);
  PyErr_Clear();
  Py_DECREF(request);
  return NULL;
}

int volo__py_coro_init(PyObject *module) {
  PyObject *types = PyImport_ImportModule("types");

  (void)module;
  if (!types)
    return -1;
  native_type = (PyTypeObject *)PyObject_GetAttrString(types, "CoroutineType");
  Py_DECREF(types);
  coro_type = (PyTypeObject *)PyType_FromSpec(&coro_spec);
  return native_type && coro_type ? 0 : -1;
}
