/* SPDX-License-Identifier: Apache-2.0 */
/* What the connections of a home share, and where their memory comes from. */
#ifndef VOLO_H2_MEMORY_H
#define VOLO_H2_MEMORY_H

#include "h2/layout.h"

/* volo__h2_share_get(home): what all connections of a home share; NULL if out
 * of memory. */
struct volo__h2_share *volo__h2_share_get(struct volo__home *home);
const nghttp2_session_callbacks *
volo__h2_share_callbacks(struct volo__h2_share *share);
const nghttp2_option *volo__h2_share_option(struct volo__h2_share *share);

/* volo__h2_mem(h2): what nghttp2 takes its memory from; it is never refused
 * without the connection being cut. */
nghttp2_mem volo__h2_mem(struct volo__h2 *h2);

/* volo__h2_share_making(share, making): whether a session is being made. */
void volo__h2_share_making(struct volo__h2_share *share, int making);

/* Memory from the pool. */
void *volo__h2_alloc(struct volo__h2_share *share, size_t size);
void volo__h2_free(struct volo__h2_share *share, void *ptr);

#endif
