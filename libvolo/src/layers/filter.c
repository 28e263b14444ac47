/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that turns away what a guard says no to.  It does not know why the
 * guard does. */
#include <volo.h>

struct filter {
    volo_guard_fn guard;
    void *user;
    volo_free_fn user_free;
    int status;
};

static void
filter_free(void *user)
{
    struct filter *filter = user;

    if (filter->user_free)
        filter->user_free(filter->user);
    volo_free(filter);
}

static void
filter_run(volo_cx *cx, volo_next *next, void *user)
{
    const struct filter *filter = user;

    if (filter->guard(cx, filter->user)) {
        volo_next_run(next, cx, NULL, NULL);
        return;
    }

    /* A guard may say no in words of its own. */
    if (!volo_cx_is_answered(cx))
        volo_reply_problem(cx, filter->status, NULL);
}

int
volo_layer_filter(volo_layer **out, volo_guard_fn guard, void *user,
                  volo_free_fn user_free, int status)
{
    struct filter *filter;
    int err = VOLO_EINVAL;

    if (!out || !guard || (status && (status < 400 || status > 599)))
        goto err0;

    err = VOLO_ENOMEM;
    filter = volo_alloc(sizeof *filter);
    if (!filter)
        goto err0;
    filter->guard = guard;
    filter->user = user;
    filter->user_free = user_free;
    filter->status = status ? status : 403;
    return volo_layer_new(out, filter_run, filter, filter_free);

err0:
    if (user_free)
        user_free(user);
    return err;
}
