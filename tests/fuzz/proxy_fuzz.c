/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proxy's header.  Whatever it is, its beginnings want more until it is
 * complete or wrong, it never ends behind what is there, what follows it does
 * not matter, and only a header that is complete changes whom it is about.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <volo/error.h>

#include "http/cx.h"
#include "server/proxy.h"

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From memory of just that size, so that a sanitizer sees reads behind it. */
static int
parse(struct volo__peer *peer, const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    int rc;

    CHECK(copy);
    if (size)
        memcpy(copy, data, size);
    memset(peer, 0, sizeof *peer);
    rc = volo__proxy_parse(peer, copy, size);
    free(copy);
    return rc;
}

static void
check_peer(const struct volo__peer *peer, int rc)
{
    static const struct volo__peer nobody;

    CHECK(rc > 0 || !memcmp(peer, &nobody, sizeof nobody));
    CHECK(peer->family == 0 || peer->family == 1 || peer->family == 4 ||
          peer->family == 6);
    CHECK(!peer->tls && !peer->tls_info);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct volo__peer peer, again;
    size_t i, end = size < VOLO__PROXY_V2_LIMIT ? size : VOLO__PROXY_V2_LIMIT;
    int rc = 0, whole;

    whole = parse(&peer, data, size);
    check_peer(&peer, whole);
    CHECK(whole == VOLO_EPROTO || (whole >= 0 && (size_t)whole <= size));
    CHECK(whole != 0 || size < VOLO__PROXY_V2_LIMIT);
    for (i = 0; i <= end && !rc; i++) {
        rc = parse(&again, data, i);
        check_peer(&again, rc);
        CHECK(rc <= 0 || (size_t)rc == i);
    }
    CHECK(rc == whole);
    CHECK(whole <= 0 || !memcmp(&peer, &again, sizeof peer));
    return 0;
}
