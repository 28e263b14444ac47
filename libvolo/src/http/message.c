/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's head says, beyond each of its fields.  Repairs nothing. */
#include "http/message.h"

#include "base/str.h"
#include "http/uri.h"

int
volo__cx_take_target(volo_cx *cx, int method, volo_str *authority)
{
    struct volo__target target;

    if (volo__target_parse(&target, method, cx->req.target) < 0)
        return 400;
    cx->req.path = target.path;
    cx->req.original_path = target.path;
    cx->req.query = target.query;
    cx->req.bad_path = target.path.ptr == NULL;
    if (authority)
        *authority = target.authority;
    return 0;
}

int
volo__cx_take_expect(volo_cx *cx, int has_content)
{
    const struct volo__fields *fields = &cx->req.headers;
    uint32_t i;

    if (!volo__fields_has(fields, VOLO_FIELD_EXPECT))
        return 0;
    for (i = 0; i < fields->count; i++)
        if (fields->v[i].id == VOLO_FIELD_EXPECT &&
            !volo__str_ieq(fields->v[i].value, VOLO_STR("100-continue")))
            return 417;
    cx->req.expect = has_content != 0;
    return 0;
}
