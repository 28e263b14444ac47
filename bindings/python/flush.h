/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that leave together, in one call, on whatever thread. */
#ifndef VOLO_BINDINGS_FLUSH_H
#define VOLO_BINDINGS_FLUSH_H

#include "py.h"

enum { VOLO__PY_BATCH = 64 };

struct volo__py_flush {
    volo_answer answers[VOLO__PY_BATCH];
    size_t count;
};

/* volo__py_flush_add(flush, answer): sends when it is full. */
void volo__py_flush_add(struct volo__py_flush *flush,
                        const volo_answer *answer);

/* volo__py_flush_send(flush): all of them, in one call.  Runs no Python code,
 * so that a lock may be held; volo__py_sweep() is due without one. */
void volo__py_flush_send(struct volo__py_flush *flush);

#endif
