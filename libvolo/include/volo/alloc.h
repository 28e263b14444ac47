/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to memory. */
#ifndef VOLO_ALLOC_H
#define VOLO_ALLOC_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_realloc_fn:
 * ${size} == 0: free ${ptr} and return NULL.  ${ptr} == NULL: allocate.  Else
 * resize.  NULL for a ${size} that is not 0 means out of memory.  Called from
 * any thread.
 */
typedef void *(*volo_realloc_fn)(void *ptr, size_t size, void *user);

/**
 * volo_set_allocator(fn, user):
 * Have libvolo take all its memory from ${fn}; NULL brings back the C
 * library's.  Call it before any other function of libvolo, or while nothing
 * of libvolo is alive.  Not thread-safe.
 * @since 0.1
 */
VOLO_API void volo_set_allocator(volo_realloc_fn fn, void *user);

/**
 * volo_alloc(size):
 * ${size} zeroed octets from libvolo's allocator, to be given back with
 * volo_free(); NULL if out of memory.  For layers and services that want to
 * follow volo_set_allocator().  Any thread.
 * @since 0.1
 */
VOLO_API void *volo_alloc(size_t size);

/**
 * volo_free(ptr):
 * Give back memory of volo_alloc(), or that a function of libvolo said was the
 * caller's to volo_free().  NULL is ignored.  Any thread.
 * @since 0.1
 */
VOLO_API void volo_free(void *ptr);

#ifdef __cplusplus
}
#endif

#endif
