/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ASGI application sends.  The start waits for the first of the body:
 * if that is all of it, the answer is one piece and leaves with others; else
 * it is streamed, and the application waits where the client is slow.
 */
#include "asgi_cycle.h"

#include <string.h>

enum { REFER_FROM = 16 * 1024 }; /* shorter bodies are copied */

static struct volo__py_asgi_names *const names = &volo__py_asgi_names;

/* ---- Reading messages ---------------------------------------------------- */

/* Borrowed; NULL if it is missing, or with an exception. */
static PyObject *
member(PyObject *message, PyObject *name)
{
    if (PyDict_Check(message))
        return PyDict_GetItemWithError(message, name);
    PyErr_SetString(PyExc_TypeError, "an ASGI message must be a dict");
    return NULL;
}

PyObject *
volo__py_body_of(PyObject *message)
{
    PyObject *body = member(message, names->body);

    if (!body)
        return PyErr_Occurred() ? NULL : Py_NewRef(names->no_bytes);
    return PyBytes_Check(body) ? Py_NewRef(body) : PyBytes_FromObject(body);
}

int
volo__py_flag_of(PyObject *message, PyObject *name)
{
    PyObject *flag = member(message, name);

    if (flag == Py_True)
        return 1;
    if (!flag || flag == Py_False)
        return PyErr_Occurred() ? -1 : 0;
    return PyObject_IsTrue(flag);
}

static int
is_type(PyObject *type, PyObject *name)
{
    return type == name ||
           (PyUnicode_Check(type) && PyUnicode_Compare(type, name) == 0);
}

static int
unexpected(struct volo__py_cycle *cycle, PyObject *type)
{
    static const char *const wanted[] = {
        "'http.response.start'", "'http.response.body'", "'http.response.body'",
        "'http.response.trailers'", "nothing, since the response is complete"};

    PyErr_Format(PyExc_RuntimeError,
                 "unexpected ASGI message %R: the application is to send %s",
                 type, wanted[cycle->state]);
    return -1;
}

static int
client_gone(struct volo__py_cycle *cycle)
{
    cycle->gone = 1;
    PyErr_SetString(names->disconnected, "the client has left");
    return -1;
}

/* ---- The start ----------------------------------------------------------- */

static int
take_start(struct volo__py_cycle *cycle, PyObject *message)
{
    PyObject *status = member(message, names->status);
    PyObject *headers = status ? member(message, names->headers) : NULL;
    int trailers = volo__py_flag_of(message, names->trailers);
    long number;

    if (PyErr_Occurred() || trailers < 0)
        return -1;
    number = status ? PyLong_AsLong(status) : -1;
    if (number < 200 || number > 999) {
        PyErr_Clear();
        PyErr_Format(PyExc_RuntimeError,
                     "the status of a response must be from 200 to 999, not %R",
                     status ? status : Py_None);
        return -1;
    }
    cycle->status = (int)number;
    cycle->head.lines = Py_XNewRef(headers == Py_None ? NULL : headers);
    cycle->trailers = (uint8_t)trailers;
    cycle->state = VOLO__PY_CYCLE_STARTED;
    return 1;
}

/* ---- The whole answer at once -------------------------------------------- */

static int
has_no_content(const struct volo__py_cycle *cycle)
{
    return volo__py_is_bodiless(cycle->job.method, cycle->status);
}

static int
answer_whole(struct volo__py_cycle *cycle, PyObject *data)
{
    volo_cx *cx = cycle->job.cx;

    if ((!has_no_content(cycle) &&
         volo__py_length_check(cycle->head.announced, PyBytes_Size(data)) <
             0) ||
        volo__py_body_set(cx, data) < 0)
        return -1;
    cycle->job.cx = NULL;
    cycle->state = VOLO__PY_CYCLE_DONE;
    volo__py_asgi_answer(cycle->asgi, cx, cycle->status);
    volo__py_cycle_wake(cycle);
    return 1;
}

/* ---- Piece by piece ------------------------------------------------------ */

static int
begin_stream(struct volo__py_cycle *cycle)
{
    volo_cx *cx = cycle->job.cx;
    struct volo__py_link *link = volo__py_cycle_link(cycle);
    int err;

    if (!link)
        return -1;
    volo_cx_set_status(cx, cycle->status);
    err = volo_cx_answer_stream(&cycle->writer, cx, cycle->head.announced);
    if (err == VOLO_ECANCELED)
        return client_gone(cycle);
    if (!err) {
        cycle->state = VOLO__PY_CYCLE_STREAMING;
        err = volo__py_link_drain(link, cx, cycle->writer);
    }
    if (err)
        volo__py_raise(err, NULL);
    return err ? -1 : 0;
}

/* The head alone is sent; what follows is nobody's. */
static int
send_head_only(struct volo__py_cycle *cycle)
{
    int err;

    volo_cx_set_status(cycle->job.cx, cycle->status);
    err = volo__py_head_only(cycle->job.cx, cycle->head.announced);
    cycle->state = VOLO__PY_CYCLE_STREAMING;
    if (!err || err == VOLO_ECANCELED)
        return 0;
    volo__py_raise(err, NULL);
    return -1;
}

static void
complete(struct volo__py_cycle *cycle)
{
    volo_writer_free(cycle->writer);
    cycle->writer = NULL;
    volo_cx_unref(cycle->job.cx);
    cycle->job.cx = NULL;
    cycle->state = VOLO__PY_CYCLE_DONE;
    volo__py_cycle_wake(cycle);
}

static int
end_stream(struct volo__py_cycle *cycle)
{
    int err = cycle->writer ? volo_writer_end(cycle->writer) : 0;

    if (err == VOLO_EINVAL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the response is shorter than its Content-Length");
        return -1;
    }
    complete(cycle);
    return 1;
}

static int
write_failed(struct volo__py_cycle *cycle, int err)
{
    if (err == VOLO_EAGAIN)
        return 0;
    if (err == VOLO_ECANCELED)
        return client_gone(cycle);
    if (err == VOLO_ETOOBIG)
        PyErr_SetString(PyExc_RuntimeError,
                        "the response is longer than its Content-Length");
    else
        volo__py_raise(err, NULL);
    return -1;
}

static int
write_data(struct volo__py_cycle *cycle, PyObject *data)
{
    char *text;
    Py_ssize_t len;
    volo_str s;
    int err;

    if (PyBytes_AsStringAndSize(data, &text, &len) < 0)
        return -1;
    s = volo_str_make(text, (size_t)len);
    if (len == 0 || !cycle->writer)
        return 1;
    if (len < REFER_FROM)
        err = volo_writer_write(cycle->writer, s);
    else
        err = volo_writer_write_ref(cycle->writer, s, volo__py_drop,
                                    Py_NewRef(data));
    return err ? write_failed(cycle, err) : 1;
}

int
volo__py_cycle_write(struct volo__py_cycle *cycle, PyObject *data, int more)
{
    int rc;

    if (cycle->gone)
        return client_gone(cycle);
    if (cycle->state != VOLO__PY_CYCLE_STREAMING)
        return unexpected(cycle, names->response_body);
    rc = write_data(cycle, data);
    if (rc <= 0 || more)
        return rc;
    if (!cycle->trailers)
        return end_stream(cycle);
    cycle->state = VOLO__PY_CYCLE_TRAILERS;
    return 1;
}

/* ---- The body ------------------------------------------------------------ */

static int
first_body(struct volo__py_cycle *cycle, PyObject *data, int more)
{
    int rc = volo__py_head_put(&cycle->head);

    if (rc < 0)
        return -1;
    if (!more && !cycle->trailers &&
        !(has_no_content(cycle) && cycle->head.announced > 0))
        return answer_whole(cycle, data);
    rc = has_no_content(cycle) ? send_head_only(cycle) : begin_stream(cycle);
    return rc < 0 ? -1 : volo__py_cycle_write(cycle, data, more);
}

/* Whose client has left while it made an answer need not know; who streams
 * one must, or it would never end. */
static int
late_body(struct volo__py_cycle *cycle, int more)
{
    if (more)
        return client_gone(cycle);
    if (cycle->job.cx)
        complete(cycle);
    return 1;
}

static int
take_body(struct volo__py_cycle *cycle, PyObject *message)
{
    int more = volo__py_flag_of(message, names->more_body), rc;
    PyObject *data = more < 0 ? NULL : volo__py_body_of(message);

    if (!data)
        return -1;
    if (cycle->gone)
        rc = late_body(cycle, more);
    else if (cycle->state == VOLO__PY_CYCLE_STARTED)
        rc = first_body(cycle, data, more);
    else
        rc = volo__py_cycle_write(cycle, data, more);
    Py_DECREF(data);
    return rc;
}

/* ---- Trailers ------------------------------------------------------------ */

/* Only to who has said that he wants them (RFC 9110 section 6.5.1). */
static int
wants_trailers(const struct volo__py_cycle *cycle)
{
    volo_str te = volo_cx_field(cycle->job.cx, VOLO_FIELD_TE);
    static const char word[] = "trailers";
    size_t i, len = sizeof word - 1;

    for (i = 0; te.len >= len && i <= te.len - len; i++)
        if (!strncasecmp(te.ptr + i, word, len))
            return 1;
    return 0;
}

static int
take_trailers(struct volo__py_cycle *cycle, PyObject *message)
{
    PyObject *headers = member(message, names->headers);
    int more = volo__py_flag_of(message, names->more_trailers);

    if (PyErr_Occurred() || more < 0)
        return -1;
    if (headers && cycle->writer && wants_trailers(cycle) &&
        volo__py_head_trail(cycle->writer, headers) < 0)
        return -1;
    return more ? 1 : end_stream(cycle);
}

/* ---- Early hints --------------------------------------------------------- */

static int
take_hint(struct volo__py_cycle *cycle, PyObject *message)
{
    PyObject *links = member(message, names->links);

    if (links)
        return volo__py_hint_links(cycle->job.cx, links) < 0 ? -1 : 1;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_KeyError, "links");
    return -1;
}

/* ---- All of them --------------------------------------------------------- */

int
volo__py_cycle_send(struct volo__py_cycle *cycle, PyObject *message)
{
    PyObject *type = member(message, names->type);

    if (!type) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_KeyError, "type");
        return -1;
    }
    switch (cycle->state) {
    case VOLO__PY_CYCLE_NEW:
        if (is_type(type, names->response_start))
            return take_start(cycle, message);
        if (is_type(type, names->early_hint))
            return cycle->gone ? 1 : take_hint(cycle, message);
        break;
    case VOLO__PY_CYCLE_STARTED:
    case VOLO__PY_CYCLE_STREAMING:
        if (is_type(type, names->response_body))
            return take_body(cycle, message);
        break;
    case VOLO__PY_CYCLE_TRAILERS:
        if (is_type(type, names->response_trailers))
            return take_trailers(cycle, message);
        break;
    default:
        break;
    }
    return unexpected(cycle, type);
}
