/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is taken piece by piece and given back all at once.  The first
 * chunk is the caller's (the slab that holds the exchange); more come from
 * the allocator when that is full.
 */
#ifndef VOLO_BASE_ARENA_H
#define VOLO_BASE_ARENA_H

#include <stddef.h>

#include <volo/types.h>

struct volo__arena_chunk;

struct volo__arena {
    char *cur;
    char *end;
    struct volo__arena_chunk *chunks; /* those from the allocator */
    size_t taken;                     /* octets in them */
};

/* volo__arena_init(a, mem, size): start with ${mem}, which outlives it. */
void volo__arena_init(struct volo__arena *a, void *mem, size_t size);

/* volo__arena_alloc(a, size): aligned for anything; NULL if out of memory. */
void *volo__arena_alloc(struct volo__arena *a, size_t size);

/* volo__arena_bytes(a, size): not aligned, for text. */
char *volo__arena_bytes(struct volo__arena *a, size_t size);

/*
 * volo__arena_extend(a, ptr, old, size):
 * Let the ${old} octets at ${ptr} (NULL if ${old} is 0) grow to ${size}: in
 * place if they are the newest, else elsewhere, copied.  NULL if out of memory;
 * then ${ptr} is as it was.
 */
char *volo__arena_extend(struct volo__arena *a, char *ptr, size_t old,
                         size_t size);

/* volo__arena_dup(a, s): a copy with a NUL behind it; absent if no memory. */
volo_str volo__arena_dup(struct volo__arena *a, volo_str s);

/* volo__arena_clear(a): give the chunks back; the first one stays unused. */
void volo__arena_clear(struct volo__arena *a);

#endif
