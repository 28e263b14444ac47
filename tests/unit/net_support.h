/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of net share: loops of their own, and counting what is open.
 */
#ifndef VOLO_TESTS_UNIT_NET_SUPPORT_H
#define VOLO_TESTS_UNIT_NET_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <volo.h>

#include "net/loop.h"

static inline int
open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* What libuv opens once per process is none of our leaks: a group setup. */
static inline int
net_setup(void **state)
{
    uv_loop_t uv;

    (void)state;
    return uv_loop_init(&uv) || uv_loop_close(&uv);
}

/* An own loop with this thread inside it; everything it opened is closed when
 * it goes. */
struct rig {
    volo_loop *loop;
    int descriptors;
};

static inline void
rig_open(struct rig *rig)
{
    volo__here = NULL; /* a test that failed may have left it */
    rig->descriptors = open_descriptors();
    assert_int_equal(volo__loop_new(&rig->loop, NULL), 0);
    volo__loop_enter(rig->loop);
}

static inline void
rig_close(struct rig *rig)
{
    assert_int_equal(volo__loop_close(rig->loop), 0);
    assert_null(volo__here);
    assert_int_equal(open_descriptors(), rig->descriptors);
}

/* Iterations enough for anything that needs no time. */
static inline void
rig_turn(struct rig *rig)
{
    int i;

    for (i = 0; i < 8; i++)
        volo__loop_step(rig->loop, 0);
}

#define turn_until(rig, condition)             \
    do {                                       \
        int turns_ = 0;                        \
        while (!(condition)) {                 \
            assert_true(turns_++ < 100000);    \
            volo__loop_step((rig)->loop, 100); \
        }                                      \
    } while (0)

#endif
