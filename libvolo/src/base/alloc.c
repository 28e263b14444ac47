/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place that calls the C library's allocator, and where a program
 * puts another in its place.  Keeps no count and no list: that is the
 * allocator's business.
 */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include <volo/alloc.h>

static volo_realloc_fn custom;
static void *custom_user;

void
volo_set_allocator(volo_realloc_fn fn, void *user)
{
    custom = fn;
    custom_user = user;
}

/* A size of 0 would mean "free" to a custom allocator, and might give NULL in
 * the C library, which would look like a failure. */
void *
volo__malloc(size_t size)
{
    if (size == 0)
        size = 1;
    return custom ? custom(NULL, size, custom_user) : malloc(size);
}

void *
volo__calloc(size_t size)
{
    void *ptr;

    if (size == 0)
        size = 1;
    if (!custom)
        return calloc(1, size);
    ptr = custom(NULL, size, custom_user);
    if (ptr)
        memset(ptr, 0, size);
    return ptr;
}

void *
volo__realloc(void *ptr, size_t size)
{
    if (size == 0)
        size = 1;
    return custom ? custom(ptr, size, custom_user) : realloc(ptr, size);
}

void
volo__free(void *ptr)
{
    if (!ptr)
        return;
    if (custom)
        custom(ptr, 0, custom_user);
    else
        free(ptr);
}

char *
volo__strndup(const char *ptr, size_t len)
{
    char *copy = volo__malloc(len + 1);

    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, ptr, len);
    copy[len] = '\0';
    return copy;
}

void *
volo_alloc(size_t size)
{
    return volo__calloc(size);
}

void
volo_free(void *ptr)
{
    volo__free(ptr);
}
