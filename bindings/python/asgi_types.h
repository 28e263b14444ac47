/* SPDX-License-Identifier: Apache-2.0 */
/* The types of asgi*.c and wsgi*.c, for who registers them. */
#ifndef VOLO_BINDINGS_ASGI_TYPES_H
#define VOLO_BINDINGS_ASGI_TYPES_H

#include "asgi_cycle.h"

extern PyType_Spec volo__py_asgi_spec;
extern PyType_Spec volo__py_cycle_spec;
extern PyType_Spec volo__py_wait_spec;

#endif
