/* SPDX-License-Identifier: Apache-2.0 */
/* What coroutine types of our own have in common: the methods send() and
 * throw() in terms of am_send, and the reverse. */
#ifndef VOLO_BINDINGS_SENT_H
#define VOLO_BINDINGS_SENT_H

#include "py.h"

/* volo__py_sent(status, value): what a send() or throw() method returns for
 * that; takes over ${value}. */
PyObject *volo__py_sent(PySendResult status, PyObject *value);

/* volo__py_throw(inner, args): what throw(*args) of ${inner} gives; if that is
 * NULL or cannot be told, NULL with the exception of ${args}. */
PyObject *volo__py_throw(PyObject *inner, PyObject *args);

/* volo__py_thrown(value, result): what volo__py_throw() has given, as of
 * am_send: StopIteration is a return, with its value in ${result}. */
PySendResult volo__py_thrown(PyObject *value, PyObject **result);

#endif
