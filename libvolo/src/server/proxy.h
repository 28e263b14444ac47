/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header that a proxy puts before a connection's octets to say whom it
 * speaks for: the PROXY protocol, versions 1 and 2.  Whether to believe it is
 * not decided here.
 */
#ifndef VOLO_SERVER_PROXY_H
#define VOLO_SERVER_PROXY_H

#include <stddef.h>

struct volo__peer;

enum {
    VOLO__PROXY_V1_LIMIT = 107, /* with its line end, as the protocol says */
    VOLO__PROXY_V2_LIMIT = 16 + 2048 /* of ours: addresses, and many a TLV */
};

/*
 * volo__proxy_parse(peer, ptr, len):
 * Read the header that the ${len} octets begin with.  Returns its length, and
 * ${peer} is whom it names, or as it was if it names nobody (UNKNOWN, LOCAL,
 * UNSPEC); 0 if more octets are needed; VOLO_EPROTO if it cannot become one.
 */
int volo__proxy_parse(struct volo__peer *peer, const char *ptr, size_t len);

#endif
