/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that gives up on late answers.  It knows neither timers nor how the
 * work is taken away from whoever is at it: volo_next_run_within() does. */
#include <volo.h>

struct timeout {
    uint64_t ms;
    int status;
};

static void
expire(volo_cx *cx, void *user)
{
    const struct timeout *timeout = user;

    volo_reply_problem(cx, timeout->status, "The answer took too long.");
}

static void
timeout_run(volo_cx *cx, volo_next *next, void *user)
{
    const struct timeout *timeout = user;

    volo_next_run_within(next, cx, timeout->ms, expire, user, NULL, NULL);
}

int
volo_layer_timeout(volo_layer **out, uint64_t ms, int status)
{
    struct timeout *timeout;

    /* An answer that says "late" with a success would be a lie. */
    if (!out || !ms || (status && (status < 400 || status > 599)))
        return VOLO_EINVAL;

    timeout = volo_alloc(sizeof *timeout);
    if (!timeout)
        return VOLO_ENOMEM;
    timeout->ms = ms;
    timeout->status = status ? status : 504;
    return volo_layer_new(out, timeout_run, timeout, volo_free);
}
