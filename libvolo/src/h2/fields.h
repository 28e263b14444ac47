/* SPDX-License-Identifier: Apache-2.0 */
/* Fields on their way out. */
#ifndef VOLO_H2_FIELDS_H
#define VOLO_H2_FIELDS_H

#include <nghttp2/nghttp2.h>

#include "http/fields.h"

/* On the stack as long as they are few. */
struct volo__h2_nva {
    nghttp2_nv *v;
    size_t count;
    nghttp2_nv room[32];
};

/* volo__h2_nva_begin(nva, most): room for ${most} of them.  VOLO_ENOMEM. */
int volo__h2_nva_begin(struct volo__h2_nva *nva, size_t most);
void volo__h2_nva_end(struct volo__h2_nva *nva);
void volo__h2_nva_put(struct volo__h2_nva *nva, volo_str name, volo_str value);

/* volo__h2_nva_fields(nva, fields): all that have a place in HTTP/2. */
void volo__h2_nva_fields(struct volo__h2_nva *nva,
                         const struct volo__fields *fields);

#endif
