/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of peers, from wherever they are named.  An IPv4 one that comes in
 * IPv6's clothes is the IPv4 one. */
#ifndef VOLO_SERVER_PEER_H
#define VOLO_SERVER_PEER_H

#include <stdint.h>
#include <sys/socket.h>

#include <volo/types.h>

struct volo__peer;

/* volo__peer_set_v4(peer, addr), volo__peer_set_v6(peer, addr): family and
 * address, from 4 or 16 octets as on the wire. */
void volo__peer_set_v4(struct volo__peer *peer, const void *addr);
void volo__peer_set_v6(struct volo__peer *peer, const void *addr);

/* volo__peer_set(peer, addr): all of a new one. */
void volo__peer_set(struct volo__peer *peer, const struct sockaddr *addr);

/* volo__address_read(out, s, family): the address that ${s} is in AF_INET's or
 * AF_INET6's notation, as on the wire.  1 if it is one. */
int volo__address_read(uint8_t out[16], volo_str s, int family);

#endif
