/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory in a cache of ours is free as far as its users go, and a sanitizer
 * should say so as it would of freed memory.  Nothing in other builds.
 */
#ifndef VOLO_BASE_POISON_H
#define VOLO_BASE_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VOLO__HAS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define VOLO__HAS_ASAN 1
#endif

#ifdef VOLO__HAS_ASAN
#include <sanitizer/asan_interface.h>
/* Reading or writing there is an error from now on. */
#define VOLO__POISON(ptr, size) ASAN_POISON_MEMORY_REGION(ptr, size)
#define VOLO__UNPOISON(ptr, size) ASAN_UNPOISON_MEMORY_REGION(ptr, size)
#else
#define VOLO__POISON(ptr, size) ((void)(ptr), (void)(size))
#define VOLO__UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif

#endif
