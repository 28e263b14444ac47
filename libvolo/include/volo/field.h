/* SPDX-License-Identifier: Apache-2.0 */
/* Names of field lines, the well-known ones as numbers. */
#ifndef VOLO_FIELD_H
#define VOLO_FIELD_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * X(name, number, text): fields that are found by number, which is faster than
 * by name.  Numbers are stable; 0 is any other field.
 */
#define VOLO_FIELDS(X)                                                     \
    X(ACCEPT, 1, "accept")                                                 \
    X(ACCEPT_ENCODING, 2, "accept-encoding")                               \
    X(ACCEPT_LANGUAGE, 3, "accept-language")                               \
    X(ACCEPT_RANGES, 4, "accept-ranges")                                   \
    X(ACCESS_CONTROL_REQUEST_HEADERS, 5, "access-control-request-headers") \
    X(ACCESS_CONTROL_REQUEST_METHOD, 6, "access-control-request-method")   \
    X(AGE, 7, "age")                                                       \
    X(ALLOW, 8, "allow")                                                   \
    X(AUTHORIZATION, 9, "authorization")                                   \
    X(CACHE_CONTROL, 10, "cache-control")                                  \
    X(CONNECTION, 11, "connection")                                        \
    X(CONTENT_DISPOSITION, 12, "content-disposition")                      \
    X(CONTENT_ENCODING, 13, "content-encoding")                            \
    X(CONTENT_LANGUAGE, 14, "content-language")                            \
    X(CONTENT_LENGTH, 15, "content-length")                                \
    X(CONTENT_RANGE, 16, "content-range")                                  \
    X(CONTENT_TYPE, 17, "content-type")                                    \
    X(COOKIE, 18, "cookie")                                                \
    X(DATE, 19, "date")                                                    \
    X(ETAG, 20, "etag")                                                    \
    X(EXPECT, 21, "expect")                                                \
    X(EXPIRES, 22, "expires")                                              \
    X(FORWARDED, 23, "forwarded")                                          \
    X(HOST, 24, "host")                                                    \
    X(HTTP2_SETTINGS, 25, "http2-settings")                                \
    X(IF_MATCH, 26, "if-match")                                            \
    X(IF_MODIFIED_SINCE, 27, "if-modified-since")                          \
    X(IF_NONE_MATCH, 28, "if-none-match")                                  \
    X(IF_RANGE, 29, "if-range")                                            \
    X(IF_UNMODIFIED_SINCE, 30, "if-unmodified-since")                      \
    X(KEEP_ALIVE, 31, "keep-alive")                                        \
    X(LAST_MODIFIED, 32, "last-modified")                                  \
    X(LINK, 33, "link")                                                    \
    X(LOCATION, 34, "location")                                            \
    X(ORIGIN, 35, "origin")                                                \
    X(PROXY_CONNECTION, 36, "proxy-connection")                            \
    X(RANGE, 37, "range")                                                  \
    X(REFERER, 38, "referer")                                              \
    X(RETRY_AFTER, 39, "retry-after")                                      \
    X(SERVER, 40, "server")                                                \
    X(SET_COOKIE, 41, "set-cookie")                                        \
    X(TE, 42, "te")                                                        \
    X(TRAILER, 43, "trailer")                                              \
    X(TRANSFER_ENCODING, 44, "transfer-encoding")                          \
    X(UPGRADE, 45, "upgrade")                                              \
    X(USER_AGENT, 46, "user-agent")                                        \
    X(VARY, 47, "vary")                                                    \
    X(VIA, 48, "via")                                                      \
    X(WWW_AUTHENTICATE, 49, "www-authenticate")                            \
    X(X_FORWARDED_FOR, 50, "x-forwarded-for")                              \
    X(X_FORWARDED_HOST, 51, "x-forwarded-host")                            \
    X(X_FORWARDED_PROTO, 52, "x-forwarded-proto")                          \
    X(X_REAL_IP, 53, "x-real-ip")                                          \
    X(X_REQUEST_ID, 54, "x-request-id")

enum volo_field {
    VOLO_FIELD_OTHER = 0,
#define VOLO_FIELD_X(name, number, text) VOLO_FIELD_##name = (number),
    VOLO_FIELDS(VOLO_FIELD_X)
#undef VOLO_FIELD_X
        VOLO_FIELD_COUNT = 55
};

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

#ifdef __cplusplus
}
#endif

#endif
