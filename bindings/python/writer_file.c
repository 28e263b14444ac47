/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file as an answer: libvolo reads it on the loop's thread, as the client
 * takes it.  No thread of Python's waits for a slow client, and none of the
 * octets becomes an object.
 */
#include "stream.h"

/* Who has left, or has been answered meanwhile, misses nothing. */
static int
is_late(int err)
{
    return err == VOLO_ECANCELED || err == VOLO_EALREADY;
}

static int
answer_file(volo_cx *cx, PyObject *request, PyObject *response,
            const char *path, const char *type)
{
    int err;

    if (volo__py_put_head(cx, response) < 0)
        return -1;
    /* The loop has it from now on: what is read later has to be kept. */
    volo_cx_unref(volo__py_request_release(request));
    Py_BEGIN_ALLOW_THREADS err = volo_reply_file(cx, path, type);
    Py_END_ALLOW_THREADS if (!err || is_late(err)) return 0;
    volo__py_raise(err, path);
    return -1;
}

PyObject *
volo__py_writer_file(PyObject *unused, PyObject *args)
{
    PyObject *request, *response;
    const char *path, *type;
    volo_cx *cx;
    int rc;

    (void)unused;
    if (!PyArg_ParseTuple(args, "OOyz:file", &request, &response, &path, &type))
        return NULL;
    cx = volo__py_cx_of(request);
    if (!cx)
        return NULL;
    rc = answer_file(cx, request, response, path, type);
    volo_cx_unref(cx);
    if (rc < 0)
        return NULL;
    Py_RETURN_NONE;
}
