/* SPDX-License-Identifier: Apache-2.0 */
/* Between am_send and the methods that Python code calls. */
#include "sent.h"

#include "call.h"

PyObject *
volo__py_sent(PySendResult status, PyObject *value)
{
    PyObject *stop;

    if (status == PYGEN_NEXT)
        return value;
    if (status == PYGEN_ERROR)
        return NULL;
    stop = PyObject_CallFunctionObjArgs(PyExc_StopIteration, value, NULL);
    if (stop)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    Py_DECREF(value);
    return NULL;
}

/* A type, or an instance. */
static void
raise_args(PyObject *args)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL;

    if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &traceback))
        return;
    if (PyExceptionInstance_Check(type))
        PyErr_SetObject((PyObject *)Py_TYPE(type), type);
    else
        PyErr_SetObject(type, value);
}

PyObject *
volo__py_throw(PyObject *inner, PyObject *args)
{
    PyObject *method = NULL, *value;

    if (inner)
        method = PyObject_GetAttrString(inner, "throw");
    if (!method) {
        PyErr_Clear(); /* not begun, or an iterator that cannot be told */
        raise_args(args);
        return NULL;
    }
    value = PyObject_Call(method, args, NULL);
    Py_DECREF(method);
    return value;
}

PySendResult
volo__py_thrown(PyObject *value, PyObject **result)
{
    PyObject *stop;

    *result = value;
    if (value)
        return PYGEN_NEXT;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    stop = volo__py_fetch();
    *result = stop ? PyObject_GetAttrString(stop, "value") : NULL;
    Py_XDECREF(stop);
    return *result ? PYGEN_RETURN : PYGEN_ERROR;
}
