/* SPDX-License-Identifier: Apache-2.0 */
/* A signal upon which certificates are read again. */
#ifndef VOLO_SERVER_RELOAD_H
#define VOLO_SERVER_RELOAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/home.h"
#include "net/signals.h"

struct volo__worker;

/* They are read on a thread of its own, since a disk may be slow.  This is
 * worker 0's, and only for its thread. */
struct volo__reload {
    struct volo__signals signal;
    struct volo__task over;
    pthread_t thread;
    uint8_t runs;
    uint8_t again; /* it was asked for once more meanwhile */
};

/* volo__reload_on_signal(w): SIGHUP reloads.  VOLO_EIO. */
int volo__reload_on_signal(struct volo__worker *w);

#endif
