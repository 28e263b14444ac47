/* SPDX-License-Identifier: Apache-2.0 */
/* One piece of memory with its texts behind it. */
#include "base/tls_info.h"

#include <string.h>

#include "base/alloc.h"

static char *
take_text(volo_str *text, char *room)
{
    if (!text->ptr)
        return room;
    memcpy(room, text->ptr, text->len);
    text->ptr = room;
    return room + text->len;
}

struct volo__tls_info *
volo__tls_info_new(const struct volo__tls_info *facts)
{
    size_t all = facts->cipher.len + facts->server_name.len + facts->alpn.len +
                 facts->client_subject.len;
    struct volo__tls_info *info = volo__malloc(sizeof *info + all);
    char *room;

    if (!info)
        return NULL;
    atomic_init(&info->refs, 1);
    info->version = facts->version;
    info->verified = facts->verified;
    info->resumed = facts->resumed;
    info->cipher = facts->cipher;
    info->server_name = facts->server_name;
    info->alpn = facts->alpn;
    info->client_subject = facts->client_subject;
    room = take_text(&info->cipher, info->text);
    room = take_text(&info->server_name, room);
    room = take_text(&info->alpn, room);
    take_text(&info->client_subject, room);
    return info;
}

struct volo__tls_info *
volo__tls_info_ref(struct volo__tls_info *info)
{
    if (info)
        atomic_fetch_add_explicit(&info->refs, 1, memory_order_relaxed);
    return info;
}

void
volo__tls_info_unref(struct volo__tls_info *info)
{
    if (info && atomic_fetch_sub(&info->refs, 1) == 1)
        volo__free(info);
}
