/* SPDX-License-Identifier: Apache-2.0 */
/* Giving the connection to the application (RFC 9110 section 7.8). */
#include <volo/body.h>

#include "http/codec.h"

int
volo_cx_answer_upgrade(volo_cx *cx, const char *protocol, volo_upgrade_fn fn,
                       void *user)
{
    volo_str name = volo_str_of(protocol);
    int err;

    if (volo__here != cx->home)
        return VOLO_ETHREAD;
    if (atomic_load(&cx->canceled) || !cx->codec)
        return VOLO_ECANCELED;
    if (volo_cx_is_answered(cx))
        return VOLO_EALREADY;
    if (!fn || name.len == 0)
        return VOLO_EINVAL;
    err = cx->codec->can_upgrade ? cx->codec->can_upgrade(cx, name)
                                 : VOLO_ENOTIMPL;
    if (err)
        return err;

    name = volo__arena_dup(&cx->arena, name);
    if (!name.ptr)
        return VOLO_ENOMEM;
    cx->res.upgrade = name;
    cx->res.upgrade_fn = fn;
    cx->res.upgrade_user = user;
    cx->res.status = cx->req.method == VOLO_CONNECT ? 200 : 101;
    return volo_cx_answer(cx);
}
