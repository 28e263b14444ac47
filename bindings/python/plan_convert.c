/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as the type that a parameter has, in the words and with the statuses
 * of libvolo's own extractors: 400 for what cannot be read as the type, 422
 * for what can and does not fit.  What a convert function refuses is 422.
 */
#include "plan.h"

#include <math.h>
#include <string.h>

/* ---- What a convert function raises -------------------------------------- */

static int
is_a(PyObject *error, const char *module, const char *name)
{
    PyObject *type =
        PyObject_GetAttrString((PyObject *)Py_TYPE(error), "__name__");
    PyObject *home =
        PyObject_GetAttrString((PyObject *)Py_TYPE(error), "__module__");
    int is = type && home && PyUnicode_Check(type) && PyUnicode_Check(home) &&
             PyUnicode_CompareWithASCIIString(type, name) == 0 &&
             PyUnicode_CompareWithASCIIString(home, module) == 0;

    Py_XDECREF(type);
    Py_XDECREF(home);
    PyErr_Clear();
    return is;
}

/* 0: it is no refusal. */
static int
status_for(PyObject *error, int json)
{
    if (is_a(error, "msgspec", "ValidationError"))
        return 422;
    if (is_a(error, "msgspec", "DecodeError") ||
        PyErr_GivenExceptionMatches(error, PyExc_UnicodeDecodeError))
        return 400;
    if (PyErr_GivenExceptionMatches(error, PyExc_ValueError))
        return json ? 400 : 422;
    return 0;
}

/* One that carries refusals of its own adds them to ours. */
static int
merge(struct volo__py_reading *reading, PyObject *error)
{
    PyObject *hook = volo__py.hooks.rejection, *errors, *status, *list;
    int is = PyObject_TypeCheck(error, (PyTypeObject *)volo__py.invalid);

    if (!is && hook && PyType_Check(hook))
        is = PyObject_IsInstance(error, hook) == 1;
    errors = is ? PyObject_GetAttrString(error, "errors") : NULL;
    status = errors ? PyObject_GetAttrString(error, "status") : NULL;
    list = status && PyLong_Check(status) ? PySequence_List(errors) : NULL;
    is = 0;
    if (list && !reading->errors)
        reading->errors = PyList_New(0);
    if (list && reading->errors) {
        Py_ssize_t n = PyList_Size(reading->errors);

        is = PyList_SetSlice(reading->errors, n, n, list) == 0;
        if (is)
            volo__py_arg_weigh(reading, (int)PyLong_AsLong(status));
    }
    Py_XDECREF(errors);
    Py_XDECREF(status);
    Py_XDECREF(list);
    PyErr_Clear();
    return is;
}

static void
refuse_error(struct volo__py_reading *reading, const struct volo__py_arg *arg,
             PyObject *error, int status, const char *field)
{
    PyObject *text = PyObject_Str(error);
    volo_str reason;

    if (!text || volo__py_octets(text, &reason) < 0) {
        PyErr_Clear();
        reason = VOLO_STR("is not accepted");
    }
    volo__py_arg_refuse(reading, status, field, volo__py_where(arg),
                        reason.ptr);
    Py_XDECREF(text);
}

PyObject *
volo__py_arg_raised(struct volo__py_reading *reading,
                    const struct volo__py_arg *arg, const char *field)
{
    PyObject *error = volo__py_fetch();
    int status = 0;

    if (error && !merge(reading, error)) {
        /* What is no text of the request may fail as any program does. */
        status = field ? status_for(error, arg->source == VOLO__PY_JSON) : 0;
        if (status) {
            refuse_error(reading, arg, error, status, field);
        } else {
            PyErr_SetObject((PyObject *)Py_TYPE(error), error);
            reading->failed = 1;
        }
    }
    Py_XDECREF(error);
    return NULL;
}

/* ---- Numbers ------------------------------------------------------------- */

static PyObject *
refuse(struct volo__py_reading *reading, const struct volo__py_arg *arg,
       int status, const char *reason)
{
    return volo__py_arg_refuse(reading, status, arg->key.ptr,
                               volo__py_where(arg), reason);
}

static size_t
digits(volo_str s, size_t i)
{
    size_t n = 0;

    while (i + n < s.len && (unsigned)(s.ptr[i + n] - '0') < 10u)
        n++;
    return n;
}

static size_t
sign(volo_str s, size_t i)
{
    return i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+');
}

enum { SAFE_DIGITS = 18, DIGITS_MAX = 4300 };

/* Python's integers have no end; what is made of a request has. */
static PyObject *
long_integer(struct volo__py_reading *reading, const struct volo__py_arg *arg,
             volo_str s)
{
    PyObject *text, *value;

    if (s.len > DIGITS_MAX)
        return refuse(reading, arg, 422, "is out of range");
    text = volo__py_latin(s);
    value = text ? PyObject_CallFunctionObjArgs((PyObject *)&PyLong_Type, text,
                                                NULL)
                 : NULL;
    Py_XDECREF(text);
    if (!value)
        reading->failed = 1;
    return value;
}

static PyObject *
integer(struct volo__py_reading *reading, const struct volo__py_arg *arg,
        volo_str s)
{
    size_t i = sign(s, 0);
    long long value = 0;

    if (i == s.len || i + digits(s, i) != s.len)
        return refuse(reading, arg, 400, "must be an integer");
    if (s.len - i > SAFE_DIGITS)
        return long_integer(reading, arg, s);
    for (; i < s.len; i++)
        value = 10 * value + (s.ptr[i] - '0');
    return PyLong_FromLongLong(s.ptr[0] == '-' ? -value : value);
}

/* A decimal number: no "nan", no "0x", no spaces. */
static int
is_number(volo_str s)
{
    size_t i = sign(s, 0), whole = digits(s, i), n;

    i += whole;
    n = 0;
    if (i < s.len && s.ptr[i] == '.') {
        n = digits(s, i + 1);
        i += 1 + n;
    }
    if (!whole && !n)
        return 0;
    if (i < s.len && (s.ptr[i] | 0x20) == 'e') {
        i += 1 + sign(s, i + 1);
        n = digits(s, i);
        if (!n)
            return 0;
        i += n;
    }
    return i == s.len;
}

static PyObject *
number(struct volo__py_reading *reading, const struct volo__py_arg *arg,
       volo_str s)
{
    char text[512];
    double value;

    if (!is_number(s))
        return refuse(reading, arg, 400, "must be a number");
    if (s.len >= sizeof text)
        return refuse(reading, arg, 422, "is out of range");
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    value = PyOS_string_to_double(text, NULL, NULL);
    if (value == -1.0 && PyErr_Occurred()) {
        reading->failed = 1;
        return NULL;
    }
    if (!isfinite(value))
        return refuse(reading, arg, 422, "is out of range");
    return PyFloat_FromDouble(value);
}

/* ---- Others -------------------------------------------------------------- */

static int
is_word(volo_str s, const char *word)
{
    size_t i;

    for (i = 0; i < s.len && word[i]; i++) {
        char c = s.ptr[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        if (c != word[i])
            return 0;
    }
    return i == s.len && !word[i];
}

static PyObject *
truth(struct volo__py_reading *reading, const struct volo__py_arg *arg,
      volo_str s)
{
    static const char *const words[] = {"false", "true", "0",   "1",
                                        "no",    "yes",  "off", "on"};
    int i;

    for (i = 0; i < 8; i++)
        if (is_word(s, words[i]))
            return PyBool_FromLong(i & 1);
    return refuse(reading, arg, 400, "must be true or false");
}

static PyObject *
text_of(struct volo__py_reading *reading, const struct volo__py_arg *arg,
        volo_str s, int latin)
{
    PyObject *text = latin ? volo__py_latin(s) : volo__py_utf8(s);

    if (text)
        return text;
    if (PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        return refuse(reading, arg, 400, "is not UTF-8");
    }
    reading->failed = 1;
    return NULL;
}

PyObject *
volo__py_arg_typed(struct volo__py_reading *reading,
                   const struct volo__py_arg *arg, volo_str text, int latin)
{
    PyObject *str, *value;

    switch (arg->mode) {
    case VOLO__PY_INT:
        return integer(reading, arg, text);
    case VOLO__PY_FLOAT:
        return number(reading, arg, text);
    case VOLO__PY_BOOL:
        return truth(reading, arg, text);
    default:
        break;
    }
    str = text_of(reading, arg, text, latin);
    if (!str || arg->mode != VOLO__PY_CONVERT)
        return str;
    value = PyObject_CallFunctionObjArgs(arg->convert, str, NULL);
    Py_DECREF(str);
    return value ? value : volo__py_arg_raised(reading, arg, arg->key.ptr);
}
