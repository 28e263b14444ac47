/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ASGI application receives: the request's body, then that the client
 * has left.
 */
#include "asgi_cycle.h"

#include <stdlib.h>

static PyObject *
request_message(PyObject *body, int more)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    PyObject *message = body ? PyDict_New() : NULL;

    if (message &&
        (PyDict_SetItem(message, n->type, n->request) < 0 ||
         PyDict_SetItem(message, n->body, body) < 0 ||
         PyDict_SetItem(message, n->more_body, more ? Py_True : Py_False) < 0))
        Py_CLEAR(message);
    Py_XDECREF(body);
    return message;
}

static PyObject *
disconnect_message(void)
{
    struct volo__py_asgi_names *n = &volo__py_asgi_names;
    PyObject *message = PyDict_New();

    if (message && PyDict_SetItem(message, n->type, n->disconnect) < 0)
        Py_CLEAR(message);
    return message;
}

static int
give(PyObject **out, PyObject *message)
{
    *out = message;
    return message ? 1 : -1;
}

/* The body has broken off: the client gets to know why if it still can, and
 * for the application it has left. */
static void
break_off(struct volo__py_cycle *cycle, int err)
{
    volo_cx *cx = cycle->job.cx;

    cycle->gone = 1;
    if (cycle->state >= VOLO__PY_CYCLE_STREAMING || err == VOLO_ECANCELED)
        return;
    volo__py_head_drop(&cycle->head);
    volo_reply_error(cx, err);
}

static int
receive_piece(struct volo__py_cycle *cycle, PyObject **out)
{
    struct volo__py_link *link = volo__py_cycle_link(cycle);
    struct volo__py_piece *piece = NULL;
    PyObject *body;
    int rc;

    if (!link)
        return -1;
    if (!cycle->reading) {
        cycle->reading = 1;
        rc = volo__py_link_read(link, cycle->job.cx);
        if (rc)
            return volo__py_raise(rc, NULL) ? 0 : -1;
    }
    rc = volo__py_link_take(link, cycle->job.cx, &piece);
    if (rc == 0)
        return 0;
    if (rc > 0) {
        body = PyBytes_FromStringAndSize(piece->data, (Py_ssize_t)piece->len);
        free(piece);
        return give(out, request_message(body, 1));
    }
    cycle->received = 1;
    if (rc == VOLO_ECLOSED)
        return give(
            out, request_message(Py_NewRef(volo__py_asgi_names.no_bytes), 0));
    break_off(cycle, rc);
    return give(out, disconnect_message());
}

/* Nothing comes any more but the end.  Who streams is told of that by the
 * writer. */
static int
wait_for_end(struct volo__py_cycle *cycle)
{
    struct volo__py_link *link;
    int err;

    if (cycle->watched || cycle->writer)
        return 0;
    link = volo__py_cycle_link(cycle);
    if (!link)
        return -1;
    cycle->watched = 1;
    err = volo__py_link_watch(link, cycle->job.cx);
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

int
volo__py_cycle_receive(struct volo__py_cycle *cycle, PyObject **out)
{
    volo_str body = cycle->job.body;

    if (cycle->state == VOLO__PY_CYCLE_DONE || cycle->gone)
        return give(out, disconnect_message());
    if (!cycle->received && !cycle->whole)
        return receive_piece(cycle, out);
    if (!cycle->received) {
        cycle->received = 1;
        return give(out, request_message(PyBytes_FromStringAndSize(
                                             body.ptr, (Py_ssize_t)body.len),
                                         0));
    }
    return wait_for_end(cycle);
}
