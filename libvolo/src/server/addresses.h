/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each address has, where that is limited. */
#ifndef VOLO_SERVER_ADDRESSES_H
#define VOLO_SERVER_ADDRESSES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct volo__peer;
struct volo__address_count;

struct volo__addresses {
    pthread_mutex_t lock;
    struct volo__address_count *slots; /* open addressing; NULL until used */
    size_t cap;                        /* a power of two */
    size_t used;
    uint64_t limit; /* per address; 0 none: then nothing is counted */
};

/* volo__addresses_init(a, limit): UINT64_MAX is no limit. */
void volo__addresses_init(struct volo__addresses *a, uint64_t limit);

/* volo__addresses_enter(a, peer): one more from there.  VOLO_EBUSY: it has as
 * many as it may; VOLO_ENOMEM.  Unix peers are not counted.  Any thread. */
int volo__addresses_enter(struct volo__addresses *a,
                          const struct volo__peer *peer);

/* volo__addresses_leave(a, peer): one less. */
void volo__addresses_leave(struct volo__addresses *a,
                           const struct volo__peer *peer);

/* volo__addresses_fini(a): free the table. */
void volo__addresses_fini(struct volo__addresses *a);

#endif
