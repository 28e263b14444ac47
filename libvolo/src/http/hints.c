/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interim responses that say early what the answer will want (RFC 8297).  What
 * is sent is checked as the fields of an answer are, and nothing of the answer
 * is touched.
 */
#include <volo/response.h>

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "http/codec.h"

/* Copies, lower-case names, in one piece of memory. */
struct hints {
    struct volo__fields fields;
    volo_pair room[];
};

static int
check(const volo_pair *fields, size_t count, size_t *size)
{
    size_t i;

    if (count > UINT16_MAX || (count && !fields))
        return VOLO_EINVAL;
    *size = sizeof(struct hints) + count * sizeof *fields;
    for (i = 0; i < count; i++) {
        volo_str name = fields[i].name, value = fields[i].value;

        if (!volo__is_token(name) || !volo__is_field_value(value) ||
            volo__field_is_ours(volo__field_lookup(name.ptr, name.len)))
            return VOLO_EINVAL;
        *size += name.len + value.len;
    }
    return 0;
}

static struct hints *
copy(const volo_pair *fields, size_t count, size_t size)
{
    struct hints *hints = volo__malloc(size);
    char *p;
    size_t i;

    if (!hints)
        return NULL;
    volo__fields_init(&hints->fields, hints->room, (uint32_t)count);
    p = (char *)(hints->room + count);
    for (i = 0; i < count; i++) {
        volo_str name = fields[i].name, value = fields[i].value;

        volo__str_lower(p, name);
        if (value.len)
            memcpy(p + name.len, value.ptr, value.len);

        /* There is room, so that nothing can be wanted of the arena. */
        volo__fields_add(&hints->fields, NULL, volo__field_lookup(p, name.len),
                         volo_str_make(p, name.len),
                         volo_str_make(p + name.len, value.len));
        p += name.len + value.len;
    }
    return hints;
}

static int
inform(volo_cx *cx, struct hints *hints)
{
    if (cx->res.sent)
        return VOLO_EALREADY;
    if (!cx->codec)
        return VOLO_ECANCELED;
    return cx->codec->inform ? cx->codec->inform(cx, 103, &hints->fields)
                             : VOLO_ENOTIMPL;
}

/* From another thread: ahead of the answer that it may have posted since. */
static void
arrive(volo_cx *cx, void *user)
{
    inform(cx, user);
    volo__free(user);
}

int
volo_cx_early_hints(volo_cx *cx, const volo_pair *fields, size_t count)
{
    struct hints *hints;
    size_t size;
    int err = check(fields, count, &size);

    if (!err && volo_cx_is_canceled(cx))
        err = VOLO_ECANCELED;
    if (!err && volo_cx_is_answered(cx))
        err = VOLO_EALREADY;
    if (!err && cx->req.version == 10)
        err = VOLO_ENOTIMPL;
    if (err)
        return err;
    hints = copy(fields, count, size);
    if (!hints)
        return VOLO_ENOMEM;
    if (volo__here != cx->home) {
        err = volo_cx_post(cx, arrive, hints);
        if (!err)
            return 0;
    } else {
        err = inform(cx, hints);
    }
    volo__free(hints);
    return err;
}
