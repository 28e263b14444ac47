/* SPDX-License-Identifier: Apache-2.0 */
/* Signals on a loop, where the program has asked for it. */
#ifndef VOLO_NET_SIGNALS_H
#define VOLO_NET_SIGNALS_H

#include <uv.h>

struct volo_loop;
struct volo__home;

struct volo__signals {
    uv_signal_t handles[2];
    struct volo__home *home;
    void (*fn)(void *user);
    void *user;
    int open;
};

/* volo__signals_open(s, loop, numbers, count, fn, user): call ${fn} on the
 * loop's thread at each of these (two at most).  VOLO_EIO. */
int volo__signals_open(struct volo__signals *s, struct volo_loop *loop,
                       const int *numbers, int count, void (*fn)(void *user),
                       void *user);

/* volo__signals_close(s): the default actions are back when the loop has gone
 * round once more; ${s} lives until the loop is closed. */
void volo__signals_close(struct volo__signals *s);

#endif
