/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between octets and str.  HTTP says of field values only that they are
 * octets: they become str one for one.  What has been percent-decoded is
 * UTF-8.
 */
#include "call.h"

static PyObject *known[VOLO_FIELD_COUNT]; /* names of fields, interned */

PyObject *
volo__py_latin(volo_str s)
{
    return PyUnicode_DecodeLatin1(s.ptr ? s.ptr : "", (Py_ssize_t)s.len, NULL);
}

PyObject *
volo__py_utf8(volo_str s)
{
    return PyUnicode_DecodeUTF8(s.ptr ? s.ptr : "", (Py_ssize_t)s.len, NULL);
}

PyObject *
volo__py_field_name(const volo_pair *pair)
{
    if (pair->id == 0 || pair->id >= VOLO_FIELD_COUNT)
        return volo__py_latin(pair->name);
    Py_INCREF(known[pair->id]);
    return known[pair->id];
}

int
volo__py_octets(PyObject *str, volo_str *out)
{
    Py_ssize_t len = 0;

    out->ptr = PyUnicode_AsUTF8AndSize(str, &len);
    out->len = (size_t)len;
    return out->ptr ? 0 : -1;
}

PyObject *
volo__py_exact_str(PyObject *str)
{
    if (Py_TYPE(str) != &PyUnicode_Type)
        return PyObject_Str(str);
    Py_INCREF(str);
    return str;
}

/* Beyond ASCII, nothing has another case that a field's name could have. */
PyObject *
volo__py_lower(PyObject *name)
{
    volo_str s;
    size_t i;
    int field;

    if (volo__py_octets(name, &s) < 0)
        return NULL;
    field = volo_field_of(s.ptr, s.len);
    if (field) {
        Py_INCREF(known[field]);
        return known[field];
    }
    for (i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return PyObject_CallMethod(name, "lower", NULL);
    return volo__py_exact_str(name);
}

int
volo__py_text_init(void)
{
    int i;

    for (i = 1; i < VOLO_FIELD_COUNT; i++) {
        if (!known[i])
            known[i] = PyUnicode_InternFromString(volo_field_name(i));
        if (!known[i])
            return -1;
    }
    return 0;
}
