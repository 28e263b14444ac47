/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field lines in order.  The bits in "seen" make the usual answer, "there is
 * none", cost no walk.  Copies nothing and checks nothing: its callers do.
 */
#include <string.h>

#include <volo/error.h>
#include <volo/http.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/fields.h"

_Static_assert(VOLO_FIELD_COUNT <= 64, "one bit for each well-known field");

static inline uint64_t
bit(int id)
{
    return (uint64_t)1 << id;
}

static inline int
known(int id)
{
    return id > 0 && id < VOLO_FIELD_COUNT;
}

/* By name, all lines are asked: those of parameters have no numbers, and one
 * of them may well be called "date". */
static int
matches(const volo_pair *pair, int id, volo_str name)
{
    if (known(id))
        return pair->id == (uint32_t)id;
    return volo__str_ieq(pair->name, name);
}

/* Whether a walk can be saved. */
static int
surely_absent(const struct volo__fields *f, int id)
{
    return known(id) && !(f->seen & bit(id));
}

void
volo__fields_init(struct volo__fields *f, volo_pair *room, uint32_t cap)
{
    f->v = room;
    f->count = 0;
    f->cap = cap;
    f->seen = 0;
}

/* The old places stay behind in the arena: the first are the caller's. */
static int
grow(struct volo__fields *f, struct volo__arena *a)
{
    uint32_t cap = f->cap < 4 ? 8 : f->cap * 2;
    volo_pair *v;

    if (cap < f->cap)
        return VOLO_ENOMEM;
    v = volo__arena_alloc(a, cap * sizeof(*v));
    if (!v)
        return VOLO_ENOMEM;
    if (f->count)
        memcpy(v, f->v, f->count * sizeof(*v));
    f->v = v;
    f->cap = cap;
    return 0;
}

int
volo__fields_add(struct volo__fields *f, struct volo__arena *a, int id,
                 volo_str name, volo_str value)
{
    volo_pair *pair;

    if (f->count == f->cap && grow(f, a) < 0)
        return VOLO_ENOMEM;
    pair = &f->v[f->count++];
    pair->name = name;
    pair->value = value;
    pair->id = (uint32_t)id;
    pair->reserved = 0;
    if (known(id))
        f->seen |= bit(id);
    return 0;
}

volo_str
volo__fields_find(const struct volo__fields *f, int id, volo_str name)
{
    uint32_t i;

    if (!surely_absent(f, id))
        for (i = 0; i < f->count; i++)
            if (matches(&f->v[i], id, name))
                return f->v[i].value;
    return volo_str_make(NULL, 0);
}

unsigned
volo__fields_remove(struct volo__fields *f, int id, volo_str name)
{
    uint32_t i, kept = 0;
    unsigned gone;

    if (surely_absent(f, id))
        return 0;
    f->seen = 0;
    for (i = 0; i < f->count; i++) {
        if (matches(&f->v[i], id, name))
            continue;
        f->v[kept] = f->v[i];
        if (known((int)f->v[kept].id))
            f->seen |= bit((int)f->v[kept].id);
        kept++;
    }
    gone = f->count - kept;
    f->count = kept;
    return gone;
}

unsigned
volo__fields_count_id(const struct volo__fields *f, int id)
{
    unsigned n = 0;
    uint32_t i;

    if (!known(id) || surely_absent(f, id))
        return 0;
    for (i = 0; i < f->count; i++)
        n += f->v[i].id == (uint32_t)id;
    return n;
}

unsigned
volo__fields_count_named(const struct volo__fields *f, volo_str name)
{
    unsigned n = 0;
    uint32_t i;

    for (i = 0; i < f->count; i++)
        n += (unsigned)matches(&f->v[i], 0, name);
    return n;
}

int
volo__field_may_trail(int id)
{
    switch (id) {
    case VOLO_FIELD_AUTHORIZATION:
    case VOLO_FIELD_CACHE_CONTROL:
    case VOLO_FIELD_CONNECTION:
    case VOLO_FIELD_CONTENT_ENCODING:
    case VOLO_FIELD_CONTENT_LENGTH:
    case VOLO_FIELD_CONTENT_RANGE:
    case VOLO_FIELD_CONTENT_TYPE:
    case VOLO_FIELD_COOKIE:
    case VOLO_FIELD_EXPECT:
    case VOLO_FIELD_HOST:
    case VOLO_FIELD_KEEP_ALIVE:
    case VOLO_FIELD_PROXY_CONNECTION:
    case VOLO_FIELD_RANGE:
    case VOLO_FIELD_SET_COOKIE:
    case VOLO_FIELD_TE:
    case VOLO_FIELD_TRAILER:
    case VOLO_FIELD_TRANSFER_ENCODING:
    case VOLO_FIELD_UPGRADE:
        return 0;
    default:
        return 1;
    }
}
