/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of ASGI as Python objects that are made once, and the registration
 * of its types.
 */
#include "asgi_types.h"

#include <string.h>

struct volo__py_asgi_names volo__py_asgi_names;

static int
make_words(struct volo__py_asgi_names *names)
{
#define VOLO__PY_NAME(member, text)                          \
    if (!(names->member = PyUnicode_InternFromString(text))) \
        return -1;
    VOLO__PY_ASGI_NAMES(VOLO__PY_NAME)
#undef VOLO__PY_NAME
    names->no_bytes = PyBytes_FromStringAndSize(NULL, 0);
    return names->no_bytes ? 0 : -1;
}

static int
make_tables(struct volo__py_asgi_names *names)
{
    int i;

    for (i = VOLO_GET; i <= VOLO_PATCH; i++) {
        names->methods[i] = PyUnicode_InternFromString(volo_method_name(i));
        if (!names->methods[i])
            return -1;
    }
    for (i = 1; i < VOLO_FIELD_COUNT; i++) {
        names->fields[i] = PyBytes_FromString(volo_field_name(i));
        if (!names->fields[i])
            return -1;
    }
    return 0;
}

static PyTypeObject *
make_type(PyType_Spec *spec)
{
    return (PyTypeObject *)PyType_FromSpec(spec);
}

static int
make_exception(struct volo__py_asgi_names *names)
{
    names->disconnected = PyErr_NewExceptionWithDoc(
        "volo._cvolo.ClientDisconnected",
        "The client has left before the answer was complete.", PyExc_OSError,
        NULL);
    return names->disconnected ? 0 : -1;
}

static int
make_all(struct volo__py_asgi_names *names)
{
    if (names->asgi_type)
        return 0; /* loaded again: what there is stays */
    if (make_words(names) < 0 || make_tables(names) < 0 ||
        make_exception(names) < 0)
        return -1;
    names->cycle_type = make_type(&volo__py_cycle_spec);
    names->wait_type = make_type(&volo__py_wait_spec);
    names->asgi_type = make_type(&volo__py_asgi_spec);
    return names->asgi_type && names->cycle_type && names->wait_type ? 0 : -1;
}

int
volo__py_asgi_init(PyObject *module)
{
    struct volo__py_asgi_names *names = &volo__py_asgi_names;

    if (make_all(names) < 0 || PyModule_AddType(module, names->asgi_type) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "ClientDisconnected",
                                 names->disconnected);
}
