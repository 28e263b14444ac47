/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a route gets that Python answers: a queue's service whose route is a
 * Handler.  For tasks of asyncio it first leaves word with the exchange whom to
 * tell if the client leaves.
 */
#include "run.h"
#include "passage.h"

#include <stddef.h>

#include "swig.h"

/* ---- Whom to tell
 * ------------------------------------------------------------ */

/* Lies in the arena of its cx.  The task is asyncio's thread's business. */
struct link {
    struct volo__py_event event; /* canceled: holds the cx */
    volo_cx *cx;
    struct volo__py_hub *hub;
    PyObject *task;
};

static const char link_key;

static void
cancel_run(struct volo__py_event *event)
{
    struct link *link = (struct link *)(void *)event;
    PyObject *task = link->task, *result;

    link->task = NULL;
    if (task) {
        result = PyObject_CallMethod(task, "cancel", NULL);
        if (!result)
            PyErr_WriteUnraisable(task);
        Py_XDECREF(result);
        Py_DECREF(task);
    }
    volo_cx_unref(link->cx);
}

static void
cancel_drop(struct volo__py_event *event)
{
    volo_cx_unref(((struct link *)(void *)event)->cx);
}

/* On the loop's thread. */
static void
canceled(volo_cx *cx, void *user)
{
    struct link *link = user;

    volo_cx_ref(cx);
    if (!volo__py_hub_post(link->hub, &link->event))
        volo_cx_unref(cx);
}

/* The cx dies, on whatever thread. */
static void
link_free(void *user)
{
    struct link *link = user;

    if (link->task)
        volo__py_drop(link->task);
    volo__py_hub_unref(link->hub);
}

static int
link_add(volo_cx *cx, struct volo__py_hub *hub)
{
    struct link *link = volo_cx_alloc(cx, sizeof *link);
    int err;

    if (!link)
        return VOLO_ENOMEM;
    memset(link, 0, sizeof *link);
    link->event.run = cancel_run;
    link->event.drop = cancel_drop;
    link->cx = cx;
    link->hub = volo__py_hub_ref(hub);
    err = volo_cx_set_ext(cx, &link_key, link, link_free);
    return err ? err : volo_cx_on_cancel(cx, canceled, link, NULL);
}

void
volo__py_task_set(volo_cx *cx, PyObject *task)
{
    struct link *link = volo_cx_ext(cx, &link_key);
    PyObject *before;

    if (!link)
        return;
    before = link->task;
    link->task = task ? Py_NewRef(task) : NULL;
    Py_XDECREF(before);
}

/* ---- The service in front of the queue's
 * ------------------------------------- */

struct front {
    volo_service *queue_service;
    struct volo__py_hub *hub;
};

/* An exchange that has left already, or for which there is no memory, goes on
 * without: the queue does what is right for it. */
static void
serve(volo_cx *cx, void *user)
{
    struct front *front = user;

    (void)link_add(cx, front->hub);
    volo_service_call(front->queue_service, cx);
}

static void
front_free(void *user)
{
    struct front *front = user;

    volo_service_unref(front->queue_service);
    volo__py_hub_unref(front->hub);
    volo_free(front);
}

static int
put_in_front(volo_service **service, volo_queue *queue)
{
    struct front *front = volo_alloc(sizeof *front);
    int err = front ? volo_service_freeze(*service) : VOLO_ENOMEM;

    if (err) {
        volo_free(front);
        volo__py_raise(err, NULL);
        return -1;
    }
    front->queue_service = *service;
    front->hub = volo__py_hub_of(queue);
    if (!front->hub) {
        volo_free(front);
        return -1;
    }
    err = volo_service_new(service, serve, front, front_free);
    if (err) {
        *service = NULL;
        volo__py_raise(err, NULL);
    }
    return err ? -1 : 0;
}

/* Before a layer; it never says no. */
static int
leave_word(volo_cx *cx, void *user)
{
    (void)link_add(cx, user);
    return 1;
}

static void
hub_unref(void *hub)
{
    volo__py_hub_unref(hub);
}

int
volo__py_front_layer(volo_layer **out, volo_queue *queue, volo_layer *inner)
{
    struct volo__py_hub *hub = volo__py_hub_of(queue);
    int err = -1;

    if (hub) {
        err = volo_layer_when(out, leave_word, hub, hub_unref, inner);
        if (err)
            volo__py_raise(err, NULL);
    }
    volo_layer_unref(inner);
    return err ? -1 : 0;
}

int
volo__py_service(volo_service **out, volo_queue *queue, PyObject *object)
{
    struct volo__py_handler *handler = (void *)object;
    volo_service *service;
    int err;

    if (!PyObject_TypeCheck(object, volo__py.handler_type)) {
        PyErr_SetString(PyExc_TypeError, "expected a Handler");
        return -1;
    }
    Py_INCREF(object);
    err = handler->streaming
              ? volo_queue_service_streaming(&service, queue, object,
                                             volo__py_drop)
              : volo_queue_service(&service, queue, object, volo__py_drop);
    if (err) {
        volo__py_raise(err, NULL);
        return -1;
    }
    if (handler->kind == VOLO__PY_ASYNC && put_in_front(&service, queue) < 0) {
        volo_service_unref(service);
        return -1;
    }
    *out = service;
    return 0;
}

PyObject *
volo__py_service_function(PyObject *module, PyObject *args)
{
    PyObject *proxy, *handler;
    volo_service *service;
    volo_queue *queue;

    (void)module;
    if (!PyArg_ParseTuple(args, "OO:service", &proxy, &handler))
        return NULL;
    queue = volo__py_queue_of(proxy);
    if (!queue || volo__py_service(&service, queue, handler) < 0)
        return NULL;
    return volo__py_service_proxy(service);
}
