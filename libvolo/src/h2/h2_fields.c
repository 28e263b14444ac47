/* SPDX-License-Identifier: Apache-2.0 */
/* Fields on their way out, in the shape that nghttp2 wants.  Copies no text:
 * it lives as long as the exchange. */
#include "base/alloc.h"
#include "base/str.h"
#include "h2/state.h"

int
volo__h2_nva_begin(struct volo__h2_nva *nva, size_t most)
{
    nva->count = 0;
    nva->v = nva->room;
    if (most > sizeof nva->room / sizeof nva->room[0])
        nva->v = volo__malloc(most * sizeof nva->v[0]);
    return nva->v ? 0 : VOLO_ENOMEM;
}

void
volo__h2_nva_end(struct volo__h2_nva *nva)
{
    if (nva->v != nva->room)
        volo__free(nva->v);
}

void
volo__h2_nva_put(struct volo__h2_nva *nva, volo_str name, volo_str value)
{
    nghttp2_nv *nv = &nva->v[nva->count++];

    nv->name = (uint8_t *)(uintptr_t)name.ptr;
    nv->namelen = name.len;
    nv->value = (uint8_t *)(uintptr_t)(value.len ? value.ptr : "");
    nv->valuelen = value.len;
    nv->flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
}

/* RFC 9113 section 8.2.2: what is about the connection is said otherwise. */
static int
is_of_connection(uint32_t id)
{
    switch (id) {
    case VOLO_FIELD_CONNECTION:
    case VOLO_FIELD_KEEP_ALIVE:
    case VOLO_FIELD_PROXY_CONNECTION:
    case VOLO_FIELD_TRANSFER_ENCODING:
    case VOLO_FIELD_UPGRADE:
        return 1;
    default:
        return 0;
    }
}

/* A value with blanks around it would be malformed there, and in HTTP/1 they
 * are no part of it. */
void
volo__h2_nva_fields(struct volo__h2_nva *nva, const struct volo__fields *fields)
{
    uint32_t i;

    for (i = 0; i < fields->count; i++)
        if (!is_of_connection(fields->v[i].id))
            volo__h2_nva_put(nva, fields->v[i].name,
                             volo__str_trim(fields->v[i].value));
}
