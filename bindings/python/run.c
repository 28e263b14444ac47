/* SPDX-License-Identifier: Apache-2.0 */
/* What all runners need: time, waiting, and their place in the module. */
#include "run.h"
#include "passage.h"

uint64_t
volo__py_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
volo__py_until(double seconds)
{
    if (seconds < 0 || seconds > 1e9)
        return UINT64_MAX;
    return volo__py_now_us() + (uint64_t)(seconds * 1e6);
}

int
volo__py_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    int rc;

    if (pthread_condattr_init(&attr))
        return -1;
#ifndef __APPLE__
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
#endif
    rc = pthread_cond_init(cond, &attr) ? -1 : 0;
    pthread_condattr_destroy(&attr);
    return rc;
}

#ifdef __APPLE__

static int
timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_us)
{
    uint64_t now = volo__py_now_us();
    uint64_t us = until_us > now ? until_us - now : 0;
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};

    return pthread_cond_timedwait_relative_np(cond, lock, &t);
}

#else

static int
timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_us)
{
    struct timespec t = {(time_t)(until_us / 1000000),
                         (long)(until_us % 1000000) * 1000};

    return pthread_cond_timedwait(cond, lock, &t);
}

#endif

int
volo__py_cond_until(pthread_cond_t *cond, pthread_mutex_t *lock,
                    uint64_t until_us)
{
    if (until_us == UINT64_MAX)
        return pthread_cond_wait(cond, lock) == 0;
    return timed_wait(cond, lock, until_us) == 0;
}

int
volo__py_stat(PyObject *dict, const char *name, uint64_t value)
{
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    int rc = number ? PyDict_SetItemString(dict, name, number) : -1;

    Py_XDECREF(number);
    return rc;
}

PyObject *
volo__py_figures(const struct volo__py_figure *v, size_t n)
{
    PyObject *dict = PyDict_New();
    size_t i;

    for (i = 0; dict && i < n; i++)
        if (volo__py_stat(dict, v[i].name, v[i].value) < 0)
            Py_CLEAR(dict);
    return dict;
}

/* ---- In the module
 * ----------------------------------------------------------- */

static int
add_type(PyObject *module, PyType_Spec *spec, const char *name,
         PyTypeObject **out)
{
    PyObject *type = PyType_FromSpec(spec);

    if (!type || PyModule_AddObjectRef(module, name, type) < 0) {
        Py_XDECREF(type);
        return -1;
    }
    *out = (PyTypeObject *)(void *)type; /* for good */
    return 0;
}

static PyMethodDef functions[] = {
    {"service", volo__py_service_function, METH_VARARGS,
     "service(queue, handler, /)\n--\n\nA volo_service that has ${handler} "
     "answer, by way of a volo_queue."},
    {"layer", volo__py_layer_function, METH_VARARGS,
     "layer(queue, handler, /)\n--\n\nA volo_layer that ${handler} runs, of "
     "kind 2, by way of the volo_queue of an Aio."},
    {"go_on", volo__py_go_on_function, METH_VARARGS,
     "go_on(request, way, shared, /)\n--\n\nFrom such a layer to what is "
     "inside, which finds ${shared}; then way.arrive(what comes back) is "
     "called."},
    {"come_back", volo__py_come_back_function, METH_VARARGS,
     "come_back(request, what, opaque, /)\n--\n\nThe Response that has come "
     "back, to be returned or replaced; ${opaque} stands for a stream."},
    {NULL, NULL, 0, NULL}};

int
volo__py_run_init(PyObject *module)
{
    if (add_type(module, &volo__py_pool_spec, "Pool", &volo__py.pool_type) <
            0 ||
        add_type(module, &volo__py_aio_spec, "Aio", &volo__py.aio_type) < 0 ||
        add_type(module, &volo__py_writer_spec, "Writer",
                 &volo__py.writer_type) < 0 ||
        add_type(module, &volo__py_reader_spec, "Reader",
                 &volo__py.reader_type) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
