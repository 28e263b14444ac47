/* SPDX-License-Identifier: Apache-2.0 */
/* Field lines in order, names in lower case, found by number or by name. */
#ifndef VOLO_HTTP_FIELDS_H
#define VOLO_HTTP_FIELDS_H

#include <stdint.h>

#include <volo/types.h>

struct volo__arena;

struct volo__fields {
    volo_pair *v;
    uint32_t count;
    uint32_t cap;
    uint64_t seen; /* a bit for each well-known field that is there */
};

/* volo__fields_init(f, room, cap): start in ${room}, which has ${cap} places.
 */
void volo__fields_init(struct volo__fields *f, volo_pair *room, uint32_t cap);

/* volo__fields_has(f, id): whether a line has that well-known name. */
static inline int
volo__fields_has(const struct volo__fields *f, int id)
{
    return (f->seen >> id) & 1;
}

/* volo__fields_add(f, a, id, name, value): append; nothing is copied.  ${name}
 * is lower case.  VOLO_ENOMEM. */
int volo__fields_add(struct volo__fields *f, struct volo__arena *a, int id,
                     volo_str name, volo_str value);

/* volo__fields_find(f, id, name): the first value: by ${id} if it is not 0,
 * else by ${name} in any case; absent if none. */
volo_str volo__fields_find(const struct volo__fields *f, int id, volo_str name);

/* volo__fields_remove(f, id, name): all of that name; returns how many. */
unsigned volo__fields_remove(struct volo__fields *f, int id, volo_str name);

/* volo__fields_count_id(f, id): how many lines have that well-known name. */
unsigned volo__fields_count_id(const struct volo__fields *f, int id);

/* volo__fields_count_named(f, name): how many lines have that name, in any
 * case. */
unsigned volo__fields_count_named(const struct volo__fields *f, volo_str name);

/* volo__field_lookup(name, len): the number of a name in any case, 0 if not
 * well known: the same as volo_field_of(), to be inlined where it is hot. */
int volo__field_lookup(const char *name, size_t len);

/*
 * volo__field_may_trail(id):
 * 0 for what has no place in trailers (RFC 9110 section 6.5.1): framing,
 * routing, authentication, what modifies the request or controls the response.
 * A program that takes one for a header would be fooled, so it is neither sent
 * nor kept.
 */
int volo__field_may_trail(int id);

/* volo__field_is_ours(id): framing and the connection's management, which
 * codecs write and nobody else. */
int volo__field_is_ours(int id);

/* volo__field_str(id): its name with the length. */
volo_str volo__field_str(int id);

#endif
