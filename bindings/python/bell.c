/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for what a loop thread tells: on pool threads without the GIL, on
 * asyncio through a future.  Knows neither bodies nor writers.
 */
#include "stream.h"
#include "passage.h"

#include "call.h"

/* ---- Its life
 * ----------------------------------------------------------------- */

static void run(struct volo__py_event *event);
static void drop(struct volo__py_event *event);

int
volo__py_bell_init(struct volo__py_bell *bell, volo_cx *cx)
{
    if (pthread_mutex_init(&bell->lock, NULL))
        return -1;
    if (volo__py_cond_init(&bell->cond) < 0) {
        pthread_mutex_destroy(&bell->lock);
        return -1;
    }
    atomic_init(&bell->refs, 1);
    bell->cx = volo_cx_ref(cx);
    bell->event.run = run;
    bell->event.drop = drop;
    return 0;
}

void
volo__py_bell_ref(struct volo__py_bell *bell)
{
    atomic_fetch_add_explicit(&bell->refs, 1, memory_order_relaxed);
}

void
volo__py_bell_unref(void *user)
{
    struct volo__py_bell *bell = user;

    if (atomic_fetch_sub_explicit(&bell->refs, 1, memory_order_acq_rel) != 1)
        return;
    bell->fini(bell);
    if (bell->future)
        volo__py_drop(bell->future);
    volo__py_hub_unref(bell->hub);
    volo_cx_unref(bell->cx);
    pthread_cond_destroy(&bell->cond);
    pthread_mutex_destroy(&bell->lock);
    volo_free(bell);
}

int
volo__py_is_layers(PyObject *object)
{
    if (!PyObject_TypeCheck(object, volo__py.request_type) ||
        !((struct volo__py_request *)object)->phase)
        return 0;
    PyErr_SetString(PyExc_RuntimeError,
                    "a layer with something of C in it has no body of the "
                    "request: that is not read before its handler runs");
    return 1;
}

volo_cx *
volo__py_cx_of(PyObject *object)
{
    struct volo__py_request *request = (void *)object;
    volo_cx *cx = NULL;

    if (!PyObject_TypeCheck(object, volo__py.request_type)) {
        PyErr_SetString(PyExc_TypeError, "expected a Request");
        return NULL;
    }
    if (request->phase == VOLO__PY_LEAVING) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a layer with something of C in it can't answer with "
                        "a stream or file once it has gone on");
        return NULL;
    }
    VOLO__PY_LOCK(object)
    if (request->job.cx && !request->answered)
        cx = volo_cx_ref(request->job.cx);
    VOLO__PY_UNLOCK()
    if (!cx)
        volo__py_raise(VOLO_EALREADY, NULL);
    return cx;
}

/* ---- Ringing
 * -------------------------------------------------------------------- */

void
volo__py_bell_ring(struct volo__py_bell *bell)
{
    struct volo__py_hub *hub = NULL;

    if (bell->wanted && bell->hub)
        hub = volo__py_hub_ref(bell->hub);
    bell->wanted = 0;
    pthread_cond_broadcast(&bell->cond);
    pthread_mutex_unlock(&bell->lock);
    if (!hub)
        return;
    volo__py_bell_ref(bell);
    if (!volo__py_hub_post(hub, &bell->event))
        volo__py_bell_unref(bell);
    volo__py_hub_unref(hub);
}

/* ---- Threads
 * ----------------------------------------------------------------------- */

int
volo__py_bell_wait(struct volo__py_bell *bell, uint64_t until_us)
{
    PyObject *loop;
    int ready;

    pthread_mutex_lock(&bell->lock);
    ready = bell->ready(bell);
    pthread_mutex_unlock(&bell->lock);
    if (ready)
        return 1;
    if (volo__py_aio_hub(&loop)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this would block the event loop: await instead");
        return -1;
    }
    volo__py_pool_blocks();
    Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&bell->lock);
    while (!(ready = bell->ready(bell)))
        if (!volo__py_cond_until(&bell->cond, &bell->lock, until_us))
            break;
    ready = ready || bell->ready(bell);
    pthread_mutex_unlock(&bell->lock);
    Py_END_ALLOW_THREADS return ready;
}

/* ---- Asyncio
 * ------------------------------------------------------------------------ */

static int
is_done(PyObject *future)
{
    PyObject *done = PyObject_CallMethod(future, "done", NULL);
    int yes = done ? PyObject_IsTrue(done) : -1;

    Py_XDECREF(done);
    if (yes < 0)
        PyErr_WriteUnraisable(future);
    return yes != 0;
}

static void
set(struct volo__py_bell *bell, const char *method, PyObject *value)
{
    PyObject *result = NULL;

    if (value && !is_done(bell->future)) {
        result = PyObject_CallMethod(bell->future, method, "(O)", value);
        if (!result)
            PyErr_WriteUnraisable(bell->future);
    }
    Py_XDECREF(result);
    Py_XDECREF(value);
}

void
volo__py_future_fail(struct volo__py_bell *bell, PyObject *error)
{
    if (!error)
        error = volo__py_fetch();
    set(bell, "set_exception", error);
}

void
volo__py_future_set(struct volo__py_bell *bell, PyObject *value)
{
    if (value)
        set(bell, "set_result", value);
    else
        volo__py_future_fail(bell, NULL);
}

/* Returns 1 when the future has got what it waits for; else asks to be told,
 * unless that has come just now. */
static int
settle_or_ask(struct volo__py_bell *bell)
{
    int again;

    for (;;) {
        if (bell->settle(bell))
            return 1;
        pthread_mutex_lock(&bell->lock);
        again = bell->ready(bell);
        bell->wanted = !again;
        pthread_mutex_unlock(&bell->lock);
        if (!again)
            return 0;
    }
}

static void
run(struct volo__py_event *event)
{
    struct volo__py_bell *bell = (struct volo__py_bell *)(void *)event;

    if (bell->future && (is_done(bell->future) || settle_or_ask(bell)))
        Py_CLEAR(bell->future);
    volo__py_bell_unref(bell);
}

static void
drop(struct volo__py_event *event)
{
    volo__py_bell_unref(event);
}

static void
set_hub(struct volo__py_bell *bell, struct volo__py_hub *hub)
{
    struct volo__py_hub *before;

    pthread_mutex_lock(&bell->lock);
    before = bell->hub;
    bell->hub = volo__py_hub_ref(hub);
    pthread_mutex_unlock(&bell->lock);
    volo__py_hub_unref(before);
}

PyObject *
volo__py_bell_future(struct volo__py_bell *bell)
{
    struct volo__py_hub *hub;
    PyObject *loop, *future;

    if (bell->future && !is_done(bell->future)) {
        PyErr_SetString(PyExc_RuntimeError, "somebody waits for it already");
        return NULL;
    }
    hub = volo__py_aio_hub(&loop);
    if (!hub) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this is not the event loop that serves handlers");
        return NULL;
    }
    future = PyObject_CallMethod(loop, "create_future", NULL);
    if (!future)
        return NULL;
    Py_XDECREF(bell->future);
    bell->future = Py_NewRef(future);
    set_hub(bell, hub);
    if (settle_or_ask(bell))
        Py_CLEAR(bell->future);
    return future;
}
