/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of networks. */
#include "server/networks.h"

#include <string.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "base/str.h"
#include "http/cx.h"
#include "server/peer.h"

static volo_str
trim(volo_str s)
{
    while (s.len && s.ptr[0] == ' ')
        s = volo_str_make(s.ptr + 1, s.len - 1);
    while (s.len && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

static int
read_address(struct volo__network *out, volo_str s)
{
    if (volo__address_read(out->addr, s, AF_INET))
        out->family = 4;
    else if (volo__address_read(out->addr, s, AF_INET6))
        out->family = 6;
    else
        return VOLO_EINVAL;
    out->bits = out->family == 4 ? 32 : 128;
    return 0;
}

/* "10.0.0.0/8", "::1", "unix". */
static int
read_one(struct volo__network *out, volo_str s)
{
    const char *slash = memchr(s.ptr, '/', s.len);
    size_t len = slash ? (size_t)(slash - s.ptr) : s.len;
    uint64_t bits;

    memset(out, 0, sizeof *out);
    if (volo_str_eq(s, VOLO_STR("unix"))) {
        out->family = 1;
        return 0;
    }
    if (read_address(out, volo_str_make(s.ptr, len)))
        return VOLO_EINVAL;
    if (!slash)
        return 0;
    if (volo__u64_parse(&bits, volo_str_make(slash + 1, s.len - len - 1)) ||
        bits > out->bits)
        return VOLO_EINVAL;
    out->bits = (uint8_t)bits;
    return 0;
}

int
volo__networks_parse(struct volo__networks *out, const char *text)
{
    size_t count = 1;
    const char *p, *end;
    int err = 0;

    out->v = NULL;
    out->count = 0;
    if (!*text)
        return 0;
    for (p = text; *p; p++)
        count += *p == ',';
    out->v = volo__calloc(count * sizeof *out->v);
    if (!out->v)
        return VOLO_ENOMEM;
    for (p = text; !err && out->count < count; p = end + 1) {
        end = p + strcspn(p, ",");
        err = read_one(&out->v[out->count++],
                       trim(volo_str_make(p, (size_t)(end - p))));
    }
    if (err)
        volo__networks_fini(out);
    return err;
}

static int
has(const struct volo__network *n, const struct volo__peer *peer)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (n->family != peer->family || memcmp(n->addr, peer->addr, whole))
        return 0;
    return !rest ||
           !((n->addr[whole] ^ peer->addr[whole]) >> (8 - rest) & 0xff);
}

int
volo__networks_have(const struct volo__networks *n,
                    const struct volo__peer *peer)
{
    size_t i;

    for (i = 0; i < n->count; i++)
        if (has(&n->v[i], peer))
            return 1;
    return 0;
}

void
volo__networks_fini(struct volo__networks *n)
{
    volo__free(n->v);
    n->v = NULL;
    n->count = 0;
}
