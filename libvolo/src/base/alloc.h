/* SPDX-License-Identifier: Apache-2.0 */
/* The only place in libvolo that calls the C library's allocator. */
#ifndef VOLO_BASE_ALLOC_H
#define VOLO_BASE_ALLOC_H

#include <stddef.h>

/* volo__malloc(size): NULL if out of memory; ${size} may be 0. */
void *volo__malloc(size_t size);

/* volo__calloc(size): the same, zeroed. */
void *volo__calloc(size_t size);

/* volo__realloc(ptr, size): ${ptr} stays valid where NULL is returned. */
void *volo__realloc(void *ptr, size_t size);

/* volo__free(ptr): NULL is ignored. */
void volo__free(void *ptr);

/* volo__strndup(ptr, len): a copy with a NUL behind it. */
char *volo__strndup(const char *ptr, size_t len);

#endif
