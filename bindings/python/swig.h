/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between SWIG's half and the hand-written one: handles out of the
 * proxies of volo.cvolo, and proxies for handles.  Defined in volo_python.i,
 * because only SWIG's code knows how its objects are made.
 *
 * The functions that unwrap borrow from the proxy, and return NULL with a
 * TypeError for anything else.  Those that wrap take over the reference, also
 * on failure.  All want the GIL.
 */
#ifndef VOLO_BINDINGS_SWIG_H
#define VOLO_BINDINGS_SWIG_H

#include "py.h"

volo_queue *volo__py_queue_of(PyObject *proxy);
volo_service *volo__py_service_of(PyObject *proxy);
volo_layer *volo__py_layer_of(PyObject *proxy);
volo_router *volo__py_router_of(PyObject *proxy);
volo_server *volo__py_server_of(PyObject *proxy);

PyObject *volo__py_service_proxy(volo_service *service);
PyObject *volo__py_layer_proxy(volo_layer *layer);

#endif
