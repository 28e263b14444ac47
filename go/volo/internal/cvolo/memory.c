/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of this half, which tests can count.
 */
#include "go.h"

#include <stdlib.h>

static atomic_long alive;

static void *
counted(void *ptr)
{
    if (ptr)
        atomic_fetch_add_explicit(&alive, 1, memory_order_relaxed);
    return ptr;
}

void *
volo__go_alloc(size_t size)
{
    return counted(malloc(size));
}

void *
volo__go_zalloc(size_t size)
{
    return counted(calloc(1, size));
}

void
volo__go_free(void *ptr)
{
    if (ptr)
        atomic_fetch_sub_explicit(&alive, 1, memory_order_relaxed);
    free(ptr);
}

/* What libvolo calls: one function for all. */
static void *
change(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        volo__go_free(ptr);
        return NULL;
    }
    return ptr ? realloc(ptr, size) : volo__go_alloc(size);
}

void
volo__go_count_memory(void)
{
    volo_set_allocator(change, NULL);
}

long
volo__go_alive(void)
{
    return atomic_load(&alive);
}
