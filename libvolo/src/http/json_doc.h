/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a volo_json is inside.  There is no handle to allocate, so that reading
 * cannot fail: the low two bits of the pointer say what it points to.
 *
 *   0  a node that can be changed: struct volo_json
 *   1  a value inside parsed text: yyjson_val
 *   2  the root of parsed text: struct volo__json_text
 *
 * Nodes are yyjson's mutable values, allocated by us with a few words behind,
 * and not by its documents: so each knows where more memory comes from, and a
 * small document costs a few hundred octets of the arena and nothing else.
 */
#ifndef VOLO_HTTP_JSON_DOC_H
#define VOLO_HTTP_JSON_DOC_H

#include <stdint.h>
#include <yyjson.h>

#include <volo/json.h>

#include "base/arena.h"

enum {
    VOLO__JSON_DEPTH = 128, /* arrays and objects in each other */
    VOLO__JSON_ARENA = 4096 /* text that is longer does not go to an arena */
};

struct volo__json_doc;

struct volo_json {
    yyjson_mut_val v; /* first, so that yyjson's pointers are ours */
    struct volo__json_doc *doc;
    yyjson_mut_val *key; /* of a member */
    uint32_t depth;      /* the root's is 1 */
};

/* A document that is being built. */
struct volo__json_doc {
    struct volo__arena *arena; /* the cx's, or its own */
    int own;
    volo_json root;
};

/* A document that was parsed. */
struct volo__json_text {
    yyjson_doc *doc;
    yyjson_val *root;
    int own;
};

/* The value of parsed text that ${json} is; NULL if it is a node. */
static inline yyjson_val *
volo__json_parsed(const volo_json *json)
{
    uintptr_t p = (uintptr_t)json;

    if (p & 1)
        return (yyjson_val *)(p - 1);
    if (p & 2)
        return ((struct volo__json_text *)(p - 2))->root;
    return NULL;
}

/* The handle for ${value}; NULL stays NULL. */
static inline volo_json *
volo__json_of_parsed(yyjson_val *value)
{
    return value ? (volo_json *)((uintptr_t)value | 1) : NULL;
}

/* The node that ${json} is; NULL if it is parsed text. */
static inline volo_json *
volo__json_node(const volo_json *json)
{
    uintptr_t p = (uintptr_t)json;

    return p & 3 ? NULL : (volo_json *)p;
}

/* Either, for the questions that yyjson answers alike: all but where the
 * elements are. */
static inline yyjson_val *
volo__json_value(const volo_json *json)
{
    yyjson_val *parsed = volo__json_parsed(json);

    return parsed ? parsed : (yyjson_val *)(uintptr_t)json;
}

/*
 * yyjson's allocator: in an arena for pieces of at most ${limit} octets, else
 * (or without an arena) from volo__malloc().  It keeps track of one piece, the
 * newest, which can grow in place and be given back; with a limit that can be
 * reached there must be no other.
 */
struct volo__json_mem {
    struct volo__arena *arena;
    size_t limit;
    char *last; /* the newest piece, if it is in the arena */
    size_t size;
    int heap; /* it is not */
};

/* volo__json_alc(mem, arena, limit): an allocator over ${arena}, which may be
 * NULL; it is of use as long as ${mem} is there. */
yyjson_alc volo__json_alc(struct volo__json_mem *mem, struct volo__arena *arena,
                          size_t limit);

/* volo__json_trim(mem, len): all but ${len} octets of the newest piece go back
 * to the arena. */
void volo__json_trim(struct volo__json_mem *mem, size_t len);

#endif
