/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259), a thin opaque type over yyjson.  A document that belongs
 * to a cx lives in its arena; one without a cx is freed with volo_json_free().
 * Values are borrowed from their document.  Functions that read take NULL and
 * answer "absent", so that look-ups chain without checks.
 */
#ifndef VOLO_JSON_H
#define VOLO_JSON_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum volo_json_type {
    VOLO_JSON_ABSENT = 0,
    VOLO_JSON_NULL = 1,
    VOLO_JSON_BOOL = 2,
    VOLO_JSON_NUMBER = 3,
    VOLO_JSON_STRING = 4,
    VOLO_JSON_ARRAY = 5,
    VOLO_JSON_OBJECT = 6
};

/**
 * volo_json_parse(out, cx, text):
 * Parse ${text} (strict, at most 128 levels deep) into memory of ${cx}, or of
 * its own if ${cx} is NULL.  ${text} need not live on.
 *
 * Errors: VOLO_EFORMAT (volo_json_error() says where), VOLO_ENOMEM.
 * @since 0.1
 */
VOLO_API int volo_json_parse(volo_json **out, volo_cx *cx, volo_str text);

/** volo_json_object(out, cx), volo_json_array(out, cx): an empty one, the
 * root of a new document in ${cx} or, if that is NULL, of its own.
 * Errors: VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_json_object(volo_json **out, volo_cx *cx);

/** volo_json_array(out, cx): see volo_json_object().    @since 0.1 */
VOLO_API int volo_json_array(volo_json **out, volo_cx *cx);

/** volo_json_free(root): free a document made without a cx; NULL and those
 * with a cx are ignored.    @since 0.1 */
VOLO_API void volo_json_free(volo_json *root);

/** volo_json_type(value): a volo_json_type.    @since 0.1 */
VOLO_API int volo_json_type(const volo_json *value);

/** volo_json_get(object, key): a member; NULL if absent.    @since 0.1 */
VOLO_API volo_json *volo_json_get(volo_json *object, const char *key);

/** volo_json_at(array, i): an element, or of an object the value of its
 * member ${i}; NULL if absent.  It may count from the front: loops use
 * volo_json_next().    @since 0.1 */
VOLO_API volo_json *volo_json_at(volo_json *array, size_t i);

/** volo_json_key_at(object, i): the name of member ${i}; absent if none.
 * @since 0.1 */
VOLO_API volo_str volo_json_key_at(volo_json *object, size_t i);

/**
 * volo_json_next(container, value):
 * The element or the member's value that follows ${value} in ${container}; the
 * first if ${value} is NULL; NULL after the last, and for what has none.
 * ${value} must not have been removed or replaced meanwhile.
 * @since 0.1
 */
VOLO_API volo_json *volo_json_next(const volo_json *container,
                                   const volo_json *value);

/** volo_json_key(object, value): the name of ${value}, which is a member of
 * ${object}; absent if that is no object.    @since 0.1 */
VOLO_API volo_str volo_json_key(const volo_json *object,
                                const volo_json *value);

/** volo_json_len(value): elements or members; 0 for all else.    @since 0.1 */
VOLO_API size_t volo_json_len(const volo_json *value);

/** volo_json_str(value): a string's octets; absent if it is no string.
 * @since 0.1 */
VOLO_API volo_str volo_json_str(const volo_json *value);

/**
 * volo_json_i64(out, value):
 * An integer that fits; 1.0 and 1e3 are none.
 *
 * Errors: VOLO_EVALUE (no integer), VOLO_ERANGE (beyond 64 bits),
 * VOLO_EMISSING (${value} is NULL).    @since 0.1
 */
VOLO_API int volo_json_i64(int64_t *out, const volo_json *value);

/** volo_json_u64(out, value): the same, unsigned.    @since 0.1 */
VOLO_API int volo_json_u64(uint64_t *out, const volo_json *value);

/** volo_json_f64(out, value): any number.  Errors: VOLO_EVALUE,
 * VOLO_EMISSING.    @since 0.1 */
VOLO_API int volo_json_f64(double *out, const volo_json *value);

/** volo_json_bool(value): 1 for true, 0 for all else.    @since 0.1 */
VOLO_API int volo_json_bool(const volo_json *value);

/**
 * volo_json_set_str(object, key, value):
 * Set member ${key} (copied, as ${value} is) of an object; with an array as
 * ${object} and NULL as ${key}, append.  The other setters alike.  A member
 * of that name is replaced, in its place.  An absent ${value} is a null.
 *
 * Errors: VOLO_EINVAL (neither object with a key nor array without one, or
 * more than 128 levels, or parsed text, which is read-only until
 * volo_json_dup()), VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_json_set_str(volo_json *object, const char *key,
                               volo_str value);

/** volo_json_set_i64(object, key, value): see volo_json_set_str().
 * @since 0.1 */
VOLO_API int volo_json_set_i64(volo_json *object, const char *key,
                               int64_t value);

/** volo_json_set_u64(object, key, value): see volo_json_set_str().
 * @since 0.1 */
VOLO_API int volo_json_set_u64(volo_json *object, const char *key,
                               uint64_t value);

/** volo_json_set_f64(object, key, value): see volo_json_set_str(); VOLO_EINVAL
 * for one that is not finite.    @since 0.1 */
VOLO_API int volo_json_set_f64(volo_json *object, const char *key,
                               double value);

/** volo_json_set_bool(object, key, value): see volo_json_set_str().
 * @since 0.1 */
VOLO_API int volo_json_set_bool(volo_json *object, const char *key, int value);

/** volo_json_set_null(object, key): see volo_json_set_str().    @since 0.1 */
VOLO_API int volo_json_set_null(volo_json *object, const char *key);

/** volo_json_set_object(out, object, key): set a new, empty object, to be
 * filled through ${out}; see volo_json_set_str().    @since 0.1 */
VOLO_API int volo_json_set_object(volo_json **out, volo_json *object,
                                  const char *key);

/** volo_json_set_array(out, object, key): the same with an array.
 * @since 0.1 */
VOLO_API int volo_json_set_array(volo_json **out, volo_json *object,
                                 const char *key);

/** volo_json_set_value(object, key, value): set a copy of ${value}, of any
 * document.  Errors: as volo_json_set_str(), VOLO_EINVAL also for a ${value}
 * that is NULL.    @since 0.1 */
VOLO_API int volo_json_set_value(volo_json *object, const char *key,
                                 const volo_json *value);

/** volo_json_remove(object, key): take a member away.  Errors: VOLO_EINVAL
 * (no object, or parsed text), VOLO_ENOENT.    @since 0.1 */
VOLO_API int volo_json_remove(volo_json *object, const char *key);

/** volo_json_dup(out, cx, value): a copy that can be changed, the root of a
 * new document in ${cx} or, if that is NULL, of its own.  Errors:
 * VOLO_EINVAL (${value} is NULL), VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_json_dup(volo_json **out, volo_cx *cx,
                           const volo_json *value);

/** volo_json_write(out, cx, value): ${value} as text in memory of ${cx}; if
 * that is NULL, the caller's to volo_free().  A NUL follows.  Errors:
 * VOLO_EINVAL (NULL, or a string that is not UTF-8), VOLO_ENOMEM.
 * @since 0.1 */
VOLO_API int volo_json_write(volo_str *out, volo_cx *cx,
                             const volo_json *value);

/** volo_json_error(): what and where the last volo_json_parse() of this
 * thread failed, such as "unexpected character at 17"; "" if it did not.
 * @since 0.1 */
VOLO_API const char *volo_json_error(void);

#ifdef __cplusplus
}
#endif

#endif
