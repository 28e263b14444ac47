/* SPDX-License-Identifier: Apache-2.0 */
/* yyjson's allocator over ours.  Knows nothing of values. */
#include <string.h>

#include "base/alloc.h"
#include "http/json_doc.h"

static size_t
rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Whether the newest piece still ends where the arena does. */
static int
is_newest(const struct volo__json_mem *mem, const void *ptr)
{
    return mem->last && ptr == mem->last &&
           mem->last + mem->size == mem->arena->cur;
}

/* On failure all stays as it was: the caller still has to give back. */
static void *
take(void *ctx, size_t size)
{
    struct volo__json_mem *mem = ctx;
    int heap = !mem->arena || size > mem->limit;
    void *ptr;

    if (size > SIZE_MAX - 15)
        return NULL;
    ptr = heap ? volo__malloc(size)
               : volo__arena_alloc(mem->arena, rounded(size));
    if (!ptr)
        return NULL;
    mem->heap = heap;
    mem->last = heap ? NULL : ptr;
    mem->size = rounded(size);
    return ptr;
}

/* Pieces move from the arena to the heap as they grow, and never back. */
static void *
resize(void *ctx, void *ptr, size_t old_size, size_t size)
{
    struct volo__json_mem *mem = ctx;
    int newest;
    void *copy;

    if (mem->heap)
        return volo__realloc(ptr, size);
    newest = is_newest(mem, ptr);
    if (newest && size <= mem->limit &&
        rounded(size) <= (size_t)(mem->arena->end - mem->last)) {
        mem->size = rounded(size);
        mem->arena->cur = mem->last + mem->size;
        return ptr;
    }
    copy = take(mem, size);
    if (!copy)
        return NULL;
    memcpy(copy, ptr, old_size < size ? old_size : size);
    if (newest && mem->heap)
        mem->arena->cur = ptr;
    return copy;
}

static void
give_back(void *ctx, void *ptr)
{
    struct volo__json_mem *mem = ctx;

    if (mem->heap) {
        volo__free(ptr);
    } else if (is_newest(mem, ptr)) {
        mem->arena->cur = mem->last;
        mem->last = NULL;
    }
}

yyjson_alc
volo__json_alc(struct volo__json_mem *mem, struct volo__arena *arena,
               size_t limit)
{
    yyjson_alc alc = {take, resize, give_back, mem};

    mem->arena = arena;
    mem->limit = limit;
    mem->last = NULL;
    mem->size = 0;
    mem->heap = !arena;
    return alc;
}

void
volo__json_trim(struct volo__json_mem *mem, size_t len)
{
    if (mem->heap || !is_newest(mem, mem->last) || rounded(len) > mem->size)
        return;
    mem->size = rounded(len);
    mem->arena->cur = mem->last + mem->size;
}
