/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type State: a dict whose items are attributes too.  What request.state
 * is, for layers to leave something in for those inside.
 */
#include "call.h"

/* Methods of dict come first, as they would for any attribute. */
static PyObject *
get_attribute(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);

    if (value || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    value = PyObject_GetItem(self, name);
    if (!value && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_AttributeError, "nothing has set state.%U", name);
    }
    return value;
}

static int
set_attribute(PyObject *self, PyObject *name, PyObject *value)
{
    int err;

    if (value)
        return PyObject_SetItem(self, name, value);
    err = PyObject_DelItem(self, name);
    if (err && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_AttributeError, "nothing has set state.%U", name);
    }
    return err;
}

static PyType_Slot state_slots[] = {
    {Py_tp_getattro, (void *)get_attribute},
    {Py_tp_setattro, (void *)set_attribute},
    {Py_tp_doc, (void *)"A dict whose items are attributes too."},
    {0, NULL}};

static PyType_Spec state_spec = {"volo._cvolo.State", 0, 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                 state_slots};

int
volo__py_state_init(PyObject *module)
{
    PyObject *bases = PyTuple_Pack(1, (PyObject *)&PyDict_Type);

    (void)module;
    if (!bases)
        return -1;
    volo__py.state_type =
        (PyTypeObject *)PyType_FromSpecWithBases(&state_spec, bases);
    Py_DECREF(bases);
    return volo__py.state_type ? 0 : -1;
}
