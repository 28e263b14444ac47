/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a codec of HTTP/2 for each test of a file. */
#ifndef VOLO_TESTS_UNIT_H2_SUPPORT_H
#define VOLO_TESTS_UNIT_H2_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h2/state.h"
#include "wire/h2_peer.h"

static struct peer p;

static inline int
open_peer(void **state)
{
    (void)state;
    return peer_init(&p);
}

static inline int
close_peer(void **state)
{
    (void)state;
    assert_int_equal(peer_close(&p), 0);
    assert_int_equal(p.rig.w.finished, p.rig.w.served);
    return 0;
}

/* The client's streams have windows of ${size} from now on. */
static inline void
set_windows(uint32_t size)
{
    const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                          size};

    nghttp2_submit_settings(p.session, NGHTTP2_FLAG_NONE, &entry, 1);
}

#endif
