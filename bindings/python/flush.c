/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that leave together: one crossing and one wake for many. */
#include "flush.h"

void
volo__py_flush_add(struct volo__py_flush *flush, const volo_answer *answer)
{
    if (flush->count == VOLO__PY_BATCH)
        volo__py_flush_send(flush);
    flush->answers[flush->count++] = *answer;
}

/* The GIL is kept: what follows is shorter than to give it away.  The count is
 * set first, since a release may come back to this flush.  What the releases
 * drop is not swept here: callers hold locks, and a finalizer gives the GIL to
 * somebody who waits for one of them. */
void
volo__py_flush_send(struct volo__py_flush *flush)
{
    size_t count = flush->count;

    flush->count = 0;
    if (count)
        volo_queue_answer(NULL, flush->answers, sizeof flush->answers[0],
                          count);
}
