/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stock layers, each written with what the other headers offer.  Every
 * constructor gives a volo_layer that is the caller's to unref; the add_layer
 * functions take a reference of their own.  Errors of all: VOLO_EINVAL,
 * VOLO_ENOMEM.
 */
#ifndef VOLO_LAYERS_H
#define VOLO_LAYERS_H

#include <volo/service.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_layer_timeout(out, ms, status): give up after ${ms} (not 0)
 * milliseconds without an answer and answer ${status} (400 to 599; 0: 504),
 * cancelling the handler.
 * @since 0.1 */
VOLO_API int volo_layer_timeout(volo_layer **out, uint64_t ms, int status);

/** volo_layer_body_limit(out, limit): accept at most ${limit} octets of body,
 * more or less than the server; announced larger ones get 413 at once.
 * @since 0.1 */
VOLO_API int volo_layer_body_limit(volo_layer **out, uint64_t limit);

/**
 * volo_layer_concurrency(out, limit, queue):
 * At most ${limit} exchanges inside at once, over all loops; up to ${queue}
 * more wait their turn, the rest get 503 with Retry-After.
 * @since 0.1
 */
VOLO_API int volo_layer_concurrency(volo_layer **out, unsigned limit,
                                    unsigned queue);

/**
 * volo_layer_request_id(out, header, trust):
 * Give each exchange an id: that of request field ${header} (NULL:
 * x-request-id) if ${trust} is not 0 and it is 1 to 128 octets of visible
 * ASCII, else a new UUID (version 4).  It is in volo_request_id() and in the
 * response's field.
 * @since 0.1
 */
VOLO_API int volo_layer_request_id(volo_layer **out, const char *header,
                                   int trust);

/** volo_request_id(cx): the id that the layer gave; absent without it.
 * @since 0.1 */
VOLO_API volo_str volo_request_id(const volo_cx *cx);

enum volo_log_format {
    VOLO_LOG_COMMON = 0,   /* NCSA common log format */
    VOLO_LOG_COMBINED = 1, /* with Referer and User-Agent */
    VOLO_LOG_JSON = 2      /* one JSON object a line */
};

/** volo_log_fn: ${line}, without a line feed, valid during the call.  On any
 * loop's thread. */
typedef void (*volo_log_fn)(volo_str line, void *user);

/** volo_layer_access_log(out, format, fn, user, user_free): a line for each
 * exchange when it is over, with status 499 if its client had left.  What the
 * client sent is escaped.  Times are UTC.    @since 0.1 */
VOLO_API int volo_layer_access_log(volo_layer **out, int format, volo_log_fn fn,
                                   void *user, volo_free_fn user_free);

/** volo_layer_access_log_fd(out, format, fd): the same, each line in one
 * write to ${fd}, which stays the caller's.  A line that a pipe, terminal or
 * socket has no room for is dropped.    @since 0.1 */
VOLO_API int volo_layer_access_log_fd(volo_layer **out, int format, int fd);

/** What volo_layer_cors() is made from; see the setters. */
typedef struct volo_cors volo_cors;

/** volo_cors_new(out): nothing allowed yet.  Free with volo_cors_free().
 * @since 0.1 */
VOLO_API int volo_cors_new(volo_cors **out);

/** volo_cors_free(cors): NULL is ignored.    @since 0.1 */
VOLO_API void volo_cors_free(volo_cors *cors);

/** volo_cors_origin(cors, origin): allow an origin such as
 * "https://example.com"; with "*." before the host, all its subdomains; "*"
 * for all; "null".  May be called more than once.  Errors: VOLO_EINVAL (none
 * of these: a path, if only "/", is no part of an origin), VOLO_ENOMEM.
 * @since 0.1 */
VOLO_API int volo_cors_origin(volo_cors *cors, const char *origin);

/** volo_cors_methods(cors, list): such as "GET, PUT"; default: GET, HEAD,
 * POST.    @since 0.1 */
VOLO_API int volo_cors_methods(volo_cors *cors, const char *list);

/** volo_cors_headers(cors, list): request fields allowed; "*" mirrors what is
 * asked for, here and for methods.    @since 0.1 */
VOLO_API int volo_cors_headers(volo_cors *cors, const char *list);

/** volo_cors_expose(cors, list): response fields that scripts may read.
 * @since 0.1 */
VOLO_API int volo_cors_expose(volo_cors *cors, const char *list);

/** volo_cors_credentials(cors, on): allow cookies; not together with origin
 * "*" (VOLO_EINVAL from volo_layer_cors()).    @since 0.1 */
VOLO_API int volo_cors_credentials(volo_cors *cors, int on);

/** volo_cors_max_age(cors, seconds): how long a preflight may be cached.
 * @since 0.1 */
VOLO_API int volo_cors_max_age(volo_cors *cors, unsigned seconds);

/** volo_layer_cors(out, cors): the CORS protocol of the Fetch standard;
 * ${cors} is copied.    @since 0.1 */
VOLO_API int volo_layer_cors(volo_layer **out, const volo_cors *cors);

/** volo_layer_filter(out, guard, user, user_free, status): ${status} (0: 403)
 * for what ${guard} says no to, unless it has answered itself.    @since 0.1 */
VOLO_API int volo_layer_filter(volo_layer **out, volo_guard_fn guard,
                               void *user, volo_free_fn user_free, int status);

/**
 * volo_layer_secure_headers(out, hsts_seconds, csp):
 * Set X-Content-Type-Options, X-Frame-Options, Referrer-Policy,
 * Cross-Origin-Opener-Policy, Strict-Transport-Security (over https,
 * ${hsts_seconds} > 0) and Content-Security-Policy (${csp} not NULL), where
 * the response does not set them itself: nosniff, DENY,
 * strict-origin-when-cross-origin, same-origin.
 * @since 0.1
 */
VOLO_API int volo_layer_secure_headers(volo_layer **out, uint64_t hsts_seconds,
                                       const char *csp);

enum volo_hsts_flag {
    VOLO_HSTS_SUBDOMAINS = 1, /* for all hosts below this one too */
    VOLO_HSTS_PRELOAD = 2     /* wants to be in the lists that browsers ship:
                               * with subdomains, and for a year at least */
};

/**
 * volo_layer_hsts(out, seconds, flags):
 * Set Strict-Transport-Security over https, where the response does not set it
 * itself: for ${seconds} (0: not any more) browsers come over https alone.
 * ${flags} are of volo_hsts_flag.  Where volo_layer_secure_headers() sets it
 * too, the inner one wins.
 * @since 0.1
 */
VOLO_API int volo_layer_hsts(volo_layer **out, uint64_t seconds,
                             unsigned flags);

/**
 * volo_layer_https_redirect(out, port, exempt):
 * Send who comes over plain http to the same place over https, on ${port} (0
 * and 443: the usual one), by a 308, which keeps the method; with 400 if the
 * request has no host that is a name or an address.  ${exempt} is a list of
 * path prefixes that are served all the same, such as
 * "/.well-known/acme-challenge/, /health" (NULL: none), apart by commas or
 * blanks.  Not for a server behind a proxy that ends TLS: there, all comes
 * over plain http.
 * @since 0.1
 */
VOLO_API int volo_layer_https_redirect(volo_layer **out, int port,
                                       const char *exempt);

/**
 * volo_layer_client_ip(out, trusted, header):
 * Find the client's address behind proxies: from field ${header} (NULL:
 * X-Forwarded-For; "forwarded": RFC 7239; or one with a single address), the
 * rightmost address that is not in ${trusted}, networks such as "127.0.0.1/32,
 * 10.0.0.0/8, ::1, unix".  Nothing is believed from a peer outside them.
 * @since 0.1
 */
VOLO_API int volo_layer_client_ip(volo_layer **out, const char *trusted,
                                  const char *header);

/** volo_layer_etag(out, weak): give 200 answers to GET and HEAD that have
 * content in memory an ETag, and answer 304 or 412 by If-None-Match and
 * If-Match (RFC 9110 section 13).    @since 0.1 */
VOLO_API int volo_layer_etag(volo_layer **out, int weak);

#ifdef __cplusplus
}
#endif

#endif
