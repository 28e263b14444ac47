/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary of HTTP: methods, statuses, well-known field names. */
#ifndef VOLO_HTTP_H
#define VOLO_HTTP_H

#include <volo/field.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, text).  Numbers are stable; all else is VOLO_OTHER. */
#define VOLO_METHODS(X)      \
    X(GET, 1, "GET")         \
    X(HEAD, 2, "HEAD")       \
    X(POST, 3, "POST")       \
    X(PUT, 4, "PUT")         \
    X(DELETE, 5, "DELETE")   \
    X(CONNECT, 6, "CONNECT") \
    X(OPTIONS, 7, "OPTIONS") \
    X(TRACE, 8, "TRACE")     \
    X(PATCH, 9, "PATCH")

enum volo_method {
    VOLO_ANY = 0, /* in a registration: every method */
#define VOLO_METHOD_X(name, number, text) VOLO_##name = (number),
    VOLO_METHODS(VOLO_METHOD_X)
#undef VOLO_METHOD_X
        VOLO_OTHER = 31 /* in a request: a method that is not in the list */
};

/**
 * volo_method_of(name, len):
 * The number of the method whose name is the ${len} octets at ${name}
 * (methods are case-sensitive, RFC 9110 section 9.1); VOLO_OTHER if it is not
 * in the list.  Any thread.
 * @since 0.1
 */
VOLO_API int volo_method_of(const char *name, size_t len);

/**
 * volo_method_name(method):
 * The name of ${method}; "" if it is none of the list.  Static.  Any thread.
 * @since 0.1
 */
VOLO_API const char *volo_method_name(int method);

/**
 * volo_method_is_safe(method):
 * 1 if ${method} is safe (RFC 9110 section 9.2.1), else 0.  Any thread.
 * @since 0.1
 */
VOLO_API int volo_method_is_safe(int method);

/**
 * volo_status_reason(status):
 * The reason phrase of ${status} as the IANA registry has it; "" for an
 * unknown one.  Static.  Any thread.
 * @since 0.1
 */
VOLO_API const char *volo_status_reason(int status);

/**
 * volo_date_format(out, seconds):
 * Write the IMF-fixdate (RFC 9110 section 5.6.7) of ${seconds} since 1970 and
 * a NUL, 30 octets in all, to ${out}.  Any thread.
 * @since 0.1
 */
VOLO_API void volo_date_format(char *out, int64_t seconds);

/**
 * volo_date_parse(out, text):
 * Set ${out} to the seconds since 1970 that ${text} says in one of the three
 * forms of RFC 9110 section 5.6.7.  Any thread.
 *
 * Errors: VOLO_EFORMAT.    @since 0.1
 */
VOLO_API int volo_date_parse(int64_t *out, volo_str text);

/**
 * volo_media_is(value, type):
 * 1 if the media type in ${value}, a Content-Type, is ${type}, such as
 * "application/json", whatever its case and parameters; else 0.  A ${type}
 * that begins with "+" matches a structured suffix (RFC 6838 section 4.2.8).
 * Any thread.
 * @since 0.1
 */
VOLO_API int volo_media_is(volo_str value, const char *type);

/**
 * volo_media_param(out, value, name):
 * Point ${out} to the parameter ${name} of the media type or disposition in
 * ${value}, without its quotes (escapes inside stay); borrowed from ${value}.
 * Any thread.
 *
 * Errors: VOLO_ENOENT.    @since 0.1
 */
VOLO_API int volo_media_param(volo_str *out, volo_str value, const char *name);

/**
 * volo_accepts(accept, type):
 * The weight, 0 to 1000, that the Accept field ${accept} gives to the media
 * type ${type} (RFC 9110 section 12.5.1), which may have parameters.  An
 * absent field, and one without a well-formed element, give 1000: no wish is
 * no refusal.  Any thread.
 * @since 0.1
 */
VOLO_API int volo_accepts(volo_str accept, const char *type);

/**
 * volo_mime_of(path, len):
 * The media type for a file of that name by its extension, such as
 * "text/html; charset=utf-8"; "application/octet-stream" if unknown.  Static.
 * Any thread.
 * @since 0.1
 */
VOLO_API const char *volo_mime_of(const char *path, size_t len);

#ifdef __cplusplus
}
#endif

#endif
