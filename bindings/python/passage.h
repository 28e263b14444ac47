/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that stand around something of C, whose exchanges go by way of the
 * event loop's queue (passage.c).  Such a layer's request has a phase; that of
 * what is inside has the Shared (python/volo/passage.py) that it has left.
 */
#ifndef VOLO_BINDINGS_PASSAGE_H
#define VOLO_BINDINGS_PASSAGE_H

#include "py.h"

/* Where the request of a layer is that goes by way of a queue. */
enum volo__py_layer_phase {
    VOLO__PY_NO_LAYER = 0,
    VOLO__PY_ENTERING, /* the exchange is the layer's */
    VOLO__PY_INSIDE,   /* it has gone on, and is not */
    VOLO__PY_LEAVING   /* it is again, with the response of what is inside */
};

/* volo__py_passage_join(self): find out what the layer around it has left for
 * it; while the exchange is its own. */
void volo__py_passage_join(struct volo__py_request *self);

/* volo__py_passage_leave(self): a response that nobody has changed goes. */
void volo__py_passage_leave(struct volo__py_request *self);

/* volo__py_front_layer(out, queue, inner): ${inner}, of which the reference is
 * taken over, with word left before it as before an async handler.  -1 with an
 * exception. */
int volo__py_front_layer(volo_layer **out, volo_queue *queue,
                         volo_layer *inner);

/* volo__py_passage_back(job): a response has come back to a layer.  On
 * asyncio's thread; leaves no exception. */
void volo__py_passage_back(const volo_job *job);

/* volo__py_passage_task(request, run, coro): run(coro) in the context that the
 * layer around the request has left for it, if there is one. */
PyObject *volo__py_passage_task(PyObject *request, PyObject *run,
                                PyObject *coro);

/* volo__py_aio_send(answer): (aio.c) with others that leave at the end of the
 * iteration, if an Aio is attached to this thread. */
void volo__py_aio_send(const volo_answer *answer);

PyObject *volo__py_layer_function(PyObject *module, PyObject *args);
PyObject *volo__py_go_on_function(PyObject *module, PyObject *args);
PyObject *volo__py_come_back_function(PyObject *module, PyObject *args);

#endif
