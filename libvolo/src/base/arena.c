/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator over chunks that double in size.  A chunk that is too
 * small for what is wanted is left behind with what room it has.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

enum { CHUNK_MIN = 4096, CHUNK_MAX = 65536, ALIGN = alignof(max_align_t) };

struct volo__arena_chunk {
    struct volo__arena_chunk *next;
    alignas(max_align_t) char data[];
};

void
volo__arena_init(struct volo__arena *a, void *mem, size_t size)
{
    a->cur = mem;
    a->end = (char *)mem + size;
    a->chunks = NULL;
    a->taken = 0;
}

/* Go on in a new chunk with room for ${size}. */
static int
grow(struct volo__arena *a, size_t size)
{
    size_t want = a->taken < CHUNK_MIN ? CHUNK_MIN : a->taken;
    struct volo__arena_chunk *chunk;

    if (size > SIZE_MAX / 2)
        return 0;
    if (want > CHUNK_MAX)
        want = CHUNK_MAX;
    if (want < size + sizeof *chunk)
        want = size + sizeof *chunk;
    chunk = volo__malloc(want);
    if (!chunk)
        return 0;
    chunk->next = a->chunks;
    a->chunks = chunk;
    a->taken += want;
    a->cur = chunk->data;
    a->end = (char *)chunk + want;
    return 1;
}

/* Without a chunk there is no room, not even for nothing: it needs an
 * address. */
static int
has_room(const struct volo__arena *a, size_t size)
{
    return a->cur && (size_t)(a->end - a->cur) >= size;
}

void *
volo__arena_alloc(struct volo__arena *a, size_t size)
{
    size_t pad = -(uintptr_t)a->cur & (ALIGN - 1);
    char *ptr;

    if (size > SIZE_MAX / 2)
        return NULL;
    if (!has_room(a, pad + size)) {
        if (!grow(a, size))
            return NULL;
        pad = 0; /* a chunk's data is aligned */
    }
    ptr = a->cur + pad;
    a->cur = ptr + size;
    return ptr;
}

char *
volo__arena_bytes(struct volo__arena *a, size_t size)
{
    char *ptr;

    if (!has_room(a, size) && !grow(a, size))
        return NULL;
    ptr = a->cur;
    a->cur += size;
    return ptr;
}

char *
volo__arena_extend(struct volo__arena *a, char *ptr, size_t old, size_t size)
{
    char *moved;

    if (old && ptr + old == a->cur && size >= old && has_room(a, size - old)) {
        a->cur += size - old;
        return ptr;
    }

    /* What has grown once will grow again: with room for twice as much, many
     * small steps cost no more than a few copies. */
    if (!has_room(a, size) && (size > SIZE_MAX / 4 || !grow(a, size * 2)))
        return NULL;
    moved = volo__arena_bytes(a, size);
    if (old)
        memcpy(moved, ptr, old < size ? old : size);
    return moved;
}

volo_str
volo__arena_dup(struct volo__arena *a, volo_str s)
{
    char *copy = s.len < SIZE_MAX ? volo__arena_bytes(a, s.len + 1) : NULL;

    if (!copy)
        return volo_str_make(NULL, 0);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return volo_str_make(copy, s.len);
}

void
volo__arena_clear(struct volo__arena *a)
{
    struct volo__arena_chunk *chunk = a->chunks, *next;

    for (; chunk; chunk = next) {
        next = chunk->next;
        volo__free(chunk);
    }
    a->cur = a->end = NULL;
    a->chunks = NULL;
    a->taken = 0;
}
