/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a listener trusts: networks, as text and as a question. */
#ifndef VOLO_SERVER_NETWORKS_H
#define VOLO_SERVER_NETWORKS_H

#include <stddef.h>
#include <stdint.h>

struct volo__peer;

struct volo__network {
    uint8_t family; /* as in a volo__peer */
    uint8_t bits;
    uint8_t addr[16];
};

struct volo__networks {
    struct volo__network *v;
    size_t count;
};

/* volo__networks_parse(out, text): "10.0.0.0/8,::1,unix"; nothing for "".
 * VOLO_EINVAL, VOLO_ENOMEM. */
int volo__networks_parse(struct volo__networks *out, const char *text);

/* volo__networks_have(n, peer): 1 if one of them has it. */
int volo__networks_have(const struct volo__networks *n,
                        const struct volo__peer *peer);

/* volo__networks_fini(n): free the list. */
void volo__networks_fini(struct volo__networks *n);

#endif
