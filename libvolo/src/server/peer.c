/* SPDX-License-Identifier: Apache-2.0 */
/* Two families, and the one notation that hides one in the other. */
#include "server/peer.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/cx.h"

void
volo__peer_set_v4(struct volo__peer *peer, const void *addr)
{
    memset(peer->addr, 0, sizeof peer->addr);
    peer->family = 4;
    memcpy(peer->addr, addr, 4);
}

void
volo__peer_set_v6(struct volo__peer *peer, const void *addr)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0,    0,
                                       0, 0, 0, 0, 0xff, 0xff};

    if (!memcmp(addr, mapped, sizeof mapped)) {
        volo__peer_set_v4(peer, (const char *)addr + sizeof mapped);
        return;
    }
    peer->family = 6;
    memcpy(peer->addr, addr, 16);
}

void
volo__peer_set(struct volo__peer *peer, const struct sockaddr *addr)
{
    const struct sockaddr_in *v4 = (const void *)addr;
    const struct sockaddr_in6 *v6 = (const void *)addr;

    memset(peer, 0, sizeof *peer);
    if (addr->sa_family == AF_INET) {
        peer->port = ntohs(v4->sin_port);
        volo__peer_set_v4(peer, &v4->sin_addr);
    } else if (addr->sa_family == AF_INET6) {
        peer->port = ntohs(v6->sin6_port);
        volo__peer_set_v6(peer, &v6->sin6_addr);
    } else {
        peer->family = 1;
    }
}

int
volo__address_read(uint8_t out[16], volo_str s, int family)
{
    char text[INET6_ADDRSTRLEN];

    if (s.len >= sizeof text || memchr(s.ptr, 0, s.len))
        return 0;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    return inet_pton(family, text, out) == 1;
}
