/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary of HTTP: methods, statuses, well-known field names. */
#ifndef VOLO_HTTP_H
#define VOLO_HTTP_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, text).  Numbers are stable; all else is VOLO_OTHER. */
#define VOLO_METHODS(X)                                                        \
    X(GET, 1, "GET")                                                           \
    X(HEAD, 2, "HEAD")                                                         \
    X(POST, 3, "POST")                                                         \
    X(PUT, 4, "PUT")                                                           \
    X(DELETE, 5, "DELETE")                                                     \
    X(CONNECT, 6, "CONNECT")                                                   \
    X(OPTIONS, 7, "OPTIONS")                                                   \
    X(TRACE, 8, "TRACE")                                                       \
    X(PATCH, 9, "PATCH")

enum volo_method {
    VOLO_ANY = 0, /* in a registration: every method */
#define VOLO_METHOD_X(name, number, text) VOLO_##name = (number),
    VOLO_METHODS(VOLO_METHOD_X)
#undef VOLO_METHOD_X
    VOLO_OTHER = 31 /* in a request: a method that is not in the list */
};

/*
 * X(name, number, text): fields that are found by number, which is faster than
 * by name.  Numbers are stable; 0 is any other field.
 */
#define VOLO_FIELDS(X)                                                         \
    X(ACCEPT, 1, "accept")                                                     \
    X(ACCEPT_ENCODING, 2, "accept-encoding")                                   \
    X(ACCEPT_LANGUAGE, 3, "accept-language")                                   \
    X(ACCEPT_RANGES, 4, "accept-ranges")                                       \
    X(ACCESS_CONTROL_REQUEST_HEADERS, 5, "access-control-request-headers")     \
    X(ACCESS_CONTROL_REQUEST_METHOD, 6, "access-control-request-method")       \
    X(AGE, 7, "age")                                                           \
    X(ALLOW, 8, "allow")                                                       \
    X(AUTHORIZATION, 9, "authorization")                                       \
    X(CACHE_CONTROL, 10, "cache-control")                                      \
    X(CONNECTION, 11, "connection")                                            \
    X(CONTENT_DISPOSITION, 12, "content-disposition")                          \
    X(CONTENT_ENCODING, 13, "content-encoding")                                \
    X(CONTENT_LANGUAGE, 14, "content-language")                                \
    X(CONTENT_LENGTH, 15, "content-length")                                    \
    X(CONTENT_RANGE, 16, "content-range")                                      \
    X(CONTENT_TYPE, 17, "content-type")                                        \
    X(COOKIE, 18, "cookie")                                                    \
    X(DATE, 19, "date")                                                        \
    X(ETAG, 20, "etag")                                                        \
    X(EXPECT, 21, "expect")                                                    \
    X(EXPIRES, 22, "expires")                                                  \
    X(FORWARDED, 23, "forwarded")                                              \
    X(HOST, 24, "host")                                                        \
    X(HTTP2_SETTINGS, 25, "http2-settings")                                    \
    X(IF_MATCH, 26, "if-match")                                                \
    X(IF_MODIFIED_SINCE, 27, "if-modified-since")                              \
    X(IF_NONE_MATCH, 28, "if-none-match")                                      \
    X(IF_RANGE, 29, "if-range")                                                \
    X(IF_UNMODIFIED_SINCE, 30, "if-unmodified-since")                          \
    X(KEEP_ALIVE, 31, "keep-alive")                                            \
    X(LAST_MODIFIED, 32, "last-modified")                                      \
    X(LINK, 33, "link")                                                        \
    X(LOCATION, 34, "location")                                                \
    X(ORIGIN, 35, "origin")                                                    \
    X(PROXY_CONNECTION, 36, "proxy-connection")                                \
    X(RANGE, 37, "range")                                                      \
    X(REFERER, 38, "referer")                                                  \
    X(RETRY_AFTER, 39, "retry-after")                                          \
    X(SERVER, 40, "server")                                                    \
    X(SET_COOKIE, 41, "set-cookie")                                            \
    X(TE, 42, "te")                                                            \
    X(TRAILER, 43, "trailer")                                                  \
    X(TRANSFER_ENCODING, 44, "transfer-encoding")                              \
    X(UPGRADE, 45, "upgrade")                                                  \
    X(USER_AGENT, 46, "user-agent")                                            \
    X(VARY, 47, "vary")                                                        \
    X(VIA, 48, "via")                                                          \
    X(WWW_AUTHENTICATE, 49, "www-authenticate")                                \
    X(X_FORWARDED_FOR, 50, "x-forwarded-for")                                  \
    X(X_FORWARDED_HOST, 51, "x-forwarded-host")                                \
    X(X_FORWARDED_PROTO, 52, "x-forwarded-proto")                              \
    X(X_REAL_IP, 53, "x-real-ip")                                              \
    X(X_REQUEST_ID, 54, "x-request-id")

enum volo_field {
    VOLO_FIELD_OTHER = 0,
#define VOLO_FIELD_X(name, number, text) VOLO_FIELD_##name = (number),
    VOLO_FIELDS(VOLO_FIELD_X)
#undef VOLO_FIELD_X
    VOLO_FIELD_COUNT = 55
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
 * volo_field_of(name, len):
 * The number of the field whose name, in any case, is the ${len} octets at
 * ${name}; VOLO_FIELD_OTHER if it is not in the list.  Any thread.
 * @since 0.1
 */
VOLO_API int volo_field_of(const char *name, size_t len);

/**
 * volo_field_name(field):
 * The lower-case name of ${field}; "" if it is none of the list.  Static.  Any
 * thread.
 * @since 0.1
 */
VOLO_API const char *volo_field_name(int field);

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
