/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of errors: codes, HTTP statuses and texts come from it. */
#ifndef VOLO_ERROR_H
#define VOLO_ERROR_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * X(name, code, HTTP status that an exchange gets when it fails so, text).
 * Codes never change their number; new ones are appended.
 */
#define VOLO_ERRORS(X)                                                     \
    X(EINVAL, -1, 500, "invalid argument")                                 \
    X(ENOMEM, -2, 503, "out of memory")                                    \
    X(EEXIST, -3, 500, "exists already")                                   \
    X(ENOENT, -4, 404, "not found")                                        \
    X(EBUSY, -5, 500, "in use or already running")                         \
    X(ECANCELED, -6, 499, "the peer is gone or the exchange was given up") \
    X(EALREADY, -7, 500, "answered already")                               \
    X(EAGAIN, -8, 503, "no room now, try again later")                     \
    X(ETIMEDOUT, -9, 408, "timed out")                                     \
    X(ETOOBIG, -10, 413, "content too large")                              \
    X(EPROTO, -11, 400, "malformed message")                               \
    X(EMEDIA, -12, 415, "unsupported media type")                          \
    X(EFORMAT, -13, 400, "malformed value")                                \
    X(EVALUE, -14, 422, "unacceptable value")                              \
    X(EMISSING, -15, 400, "missing value")                                 \
    X(EHEAD, -16, 431, "request header fields too large")                  \
    X(EURI, -17, 414, "URI too long")                                      \
    X(ENOTIMPL, -18, 501, "not implemented")                               \
    X(EVERSION, -19, 505, "HTTP version not supported")                    \
    X(EMETHOD, -20, 405, "method not allowed")                             \
    X(ECLOSED, -21, 500, "closed")                                         \
    X(EIO, -22, 500, "input or output failed")                             \
    X(EADDRINUSE, -23, 500, "address in use")                              \
    X(EACCES, -24, 403, "permission denied")                               \
    X(ENOFILES, -25, 503, "out of file descriptors")                       \
    X(ERANGE, -26, 422, "value out of range")                              \
    X(ETHREAD, -27, 500, "called on the wrong thread")                     \
    X(EDROPPED, -28, 500, "the handler let go without an answer")          \
    X(EEXPECT, -29, 417, "expectation failed")                             \
    X(ELOOP, -30, 500, "contains itself")                                  \
    X(ETLS, -31, 500, "TLS failed")

enum volo_error {
#define VOLO_ERROR_X(name, code, status, text) VOLO_##name = (code),
    VOLO_ERRORS(VOLO_ERROR_X)
#undef VOLO_ERROR_X
        VOLO_OK = 0
};

/**
 * volo_strerror(err):
 * A short English text for ${err}; static, never NULL.  Any thread.
 * @since 0.1
 */
VOLO_API const char *volo_strerror(int err);

/**
 * volo_error_name(err):
 * The name of ${err}, such as "VOLO_EINVAL", or "VOLO_OK", or "unknown";
 * static, never NULL.  Any thread.
 * @since 0.1
 */
VOLO_API const char *volo_error_name(int err);

/**
 * volo_error_status(err):
 * The HTTP status that answers an exchange which failed with ${err}; 500 where
 * the code is unknown.  Any thread.
 * @since 0.1
 */
VOLO_API int volo_error_status(int err);

#ifdef __cplusplus
}
#endif

#endif
