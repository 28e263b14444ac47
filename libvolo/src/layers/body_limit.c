/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that changes how much body is accepted.  What is announced is
 * refused here; what comes without announcement is counted by the body's
 * reader, which this file does not know. */
#include <volo.h>

static void
body_limit_run(volo_cx *cx, volo_next *next, void *user)
{
    const uint64_t *limit = user;
    int64_t announced = volo_cx_content_length(cx);

    if (announced > 0 && (uint64_t)announced > *limit) {
        volo_reply_problem(cx, 413, "The content is larger than is accepted.");
        return;
    }
    volo_cx_set_body_limit(cx, *limit);
    volo_next_run(next, cx, NULL, NULL);
}

int
volo_layer_body_limit(volo_layer **out, uint64_t limit)
{
    uint64_t *copy;

    if (!out)
        return VOLO_EINVAL;

    copy = volo_alloc(sizeof *copy);
    if (!copy)
        return VOLO_ENOMEM;
    *copy = limit;
    return volo_layer_new(out, body_limit_run, copy, volo_free);
}
