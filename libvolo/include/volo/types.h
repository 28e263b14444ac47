/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that every other header uses: visibility, strings, callback shapes.
 *
 * Conventions, once for the whole ABI:
 *   - A fallible function returns int: 0, or a negative VOLO_E... code.  What
 *     it makes goes to its first argument, which is untouched on failure.
 *   - new/free (or ref/unref where a thing is shared).  free(NULL) does
 *     nothing.  "get" and plain accessors borrow, "take" moves ownership.
 *   - A callback comes as (fn, user, user_free).  user_free may be NULL; it is
 *     called exactly once, when fn will not be called any more, also when the
 *     registering call fails.
 *   - Unless a comment says otherwise, a function that takes a volo_cx may be
 *     called by whoever owns that cx, on any thread, one thread at a time.
 */
#ifndef VOLO_TYPES_H
#define VOLO_TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(SWIG)
#define VOLO_API
#elif defined(__GNUC__)
#define VOLO_API __attribute__((visibility("default")))
#else
#define VOLO_API
#endif

/* For what a macro makes and not every program calls. */
#if defined(__GNUC__) && !defined(SWIG)
#define VOLO__MAYBE_UNUSED __attribute__((unused))
#else
#define VOLO__MAYBE_UNUSED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * volo_str:
 * A run of octets, not NUL-terminated.  {NULL, 0} means "absent"; an empty but
 * present string has a pointer that is not NULL.
 */
typedef struct volo_str {
    const char *ptr;
    size_t len;
} volo_str;

/** volo_pair: a name with a value: a field line or a parameter.  ${id} is a
 * volo_field for field lines. */
typedef struct volo_pair {
    volo_str name;
    volo_str value;
    uint32_t id;
    uint32_t reserved;
} volo_pair;

/** volo_free_fn: releases the user pointer of a callback or a reference. */
typedef void (*volo_free_fn)(void *user);

/** volo_task_fn: a piece of work handed to a loop. */
typedef void (*volo_task_fn)(void *user);

typedef struct volo_cx volo_cx;           /* one exchange: request, response */
typedef struct volo_service volo_service; /* answers an exchange */
typedef struct volo_next volo_next;       /* the rest of a chain of layers */
typedef struct volo_router volo_router;
typedef struct volo_route volo_route;
typedef struct volo_loop volo_loop;
typedef struct volo_timer volo_timer;
typedef struct volo_writer volo_writer; /* the body of a streamed answer */
typedef struct volo_server volo_server;
typedef struct volo_queue volo_queue;
typedef struct volo_json volo_json;
typedef struct volo_form volo_form;

/**
 * volo_str_of(text):
 * ${text}, which is NUL-terminated and may be NULL, as a volo_str that borrows
 * it.
 */
static inline volo_str
volo_str_of(const char *text)
{
    volo_str s;

    s.ptr = text;
    s.len = text ? strlen(text) : 0;
    return s;
}

/**
 * volo_str_make(ptr, len):
 * The ${len} octets at ${ptr} as a volo_str that borrows them.
 */
static inline volo_str
volo_str_make(const char *ptr, size_t len)
{
    volo_str s;

    s.ptr = ptr;
    s.len = len;
    return s;
}

/** VOLO_STR(literal): a string literal as a volo_str, its length folded. */
#define VOLO_STR(literal) volo_str_make("" literal, sizeof(literal) - 1)

/**
 * volo_str_eq(a, b):
 * 1 if ${a} and ${b} hold the same octets, else 0.
 */
static inline int
volo_str_eq(volo_str a, volo_str b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

#ifdef __cplusplus
}
#endif

#endif
