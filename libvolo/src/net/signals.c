/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, told to one loop while it wants to know.  Does not know what they
 * mean there.
 */
#include "net/signals.h"

#include <volo/error.h>

#include "net/loop.h"

static void
arrived(uv_signal_t *handle, int number)
{
    struct volo__signals *s = handle->data;
    struct volo__home *before = volo__here;

    (void)number;
    volo__here = s->home;
    s->fn(s->user);
    volo__here = before;
}

int
volo__signals_open(struct volo__signals *s, struct volo_loop *loop,
                   const int *numbers, int count, void (*fn)(void *user),
                   void *user)
{
    int i;

    s->home = &loop->home;
    s->fn = fn;
    s->user = user;
    for (i = 0; i < count; i++) {
        if (uv_signal_init(loop->uv, &s->handles[i]))
            break;
        s->handles[i].data = s;
        s->open++;
        uv_unref((uv_handle_t *)&s->handles[i]);
        if (uv_signal_start(&s->handles[i], arrived, numbers[i]))
            break;
    }
    if (i == count)
        return 0;
    volo__signals_close(s);
    return VOLO_EIO;
}

void
volo__signals_close(struct volo__signals *s)
{
    while (s->open > 0)
        uv_close((uv_handle_t *)&s->handles[--s->open], NULL);
}
