/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the request of an exchange.  All that is lent lives as long as the
 * cx, whose ownership volo/cx.h explains.
 */
#ifndef VOLO_REQUEST_H
#define VOLO_REQUEST_H

#include <volo/http.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_cx_method(cx): the method's number, VOLO_OTHER if not well known.
 * @since 0.1 */
VOLO_API int volo_cx_method(const volo_cx *cx);

/** volo_cx_method_name(cx): the method as received.    @since 0.1 */
VOLO_API volo_str volo_cx_method_name(const volo_cx *cx);

/** volo_cx_version(cx): 10, 11 or 20 for HTTP/1.0, 1.1 and 2.    @since 0.1 */
VOLO_API int volo_cx_version(const volo_cx *cx);

/** volo_cx_target(cx): the request target as received.    @since 0.1 */
VOLO_API volo_str volo_cx_target(const volo_cx *cx);

/**
 * volo_cx_path(cx):
 * The path that is still to be matched, percent-encoded as received, without
 * the query and without the prefix of the routers it is nested in.  Starts
 * with "/" ("*" for OPTIONS *).
 * @since 0.1
 */
VOLO_API volo_str volo_cx_path(const volo_cx *cx);

/** volo_cx_original_path(cx): the whole path as received.    @since 0.1 */
VOLO_API volo_str volo_cx_original_path(const volo_cx *cx);

/** volo_cx_query(cx): what follows the "?"; absent if there is none.
 * @since 0.1 */
VOLO_API volo_str volo_cx_query(const volo_cx *cx);

/** volo_cx_scheme(cx): "http" or "https".    @since 0.1 */
VOLO_API volo_str volo_cx_scheme(const volo_cx *cx);

/** volo_cx_tls_version(cx): 12 or 13 for TLS 1.2 and 1.3 on the connection
 * that the request came over, 0 without TLS.    @since 0.1 */
VOLO_API int volo_cx_tls_version(const volo_cx *cx);

/** volo_cx_tls_cipher(cx): its cipher, such as "TLS_AES_128_GCM_SHA256"; absent
 * without TLS.    @since 0.1 */
VOLO_API volo_str volo_cx_tls_cipher(const volo_cx *cx);

/** volo_cx_tls_server_name(cx): the name that the client asked for in the
 * handshake (SNI), in lower case; absent if none.    @since 0.1 */
VOLO_API volo_str volo_cx_tls_server_name(const volo_cx *cx);

/** volo_cx_tls_client_subject(cx): the subject of the client's certificate,
 * which was verified, as RFC 2253 writes it: "CN=anna,O=Example"; absent if it
 * has shown none.    @since 0.1 */
VOLO_API volo_str volo_cx_tls_client_subject(const volo_cx *cx);

/**
 * volo_cx_authority(cx):
 * Host and port that the request is for: from an absolute target if it has
 * one (RFC 9112 section 3.2.2), else the Host field.  May be empty.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_authority(const volo_cx *cx);

/**
 * volo_cx_protocol(cx):
 * What an Extended CONNECT of HTTP/2 is for (RFC 8441), such as "websocket";
 * absent for any other request.  Its tunnel is the request's body in one
 * direction, read in pieces, and in the other a streamed answer with a status
 * of 200.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_protocol(const volo_cx *cx);

/**
 * volo_cx_header(cx, name):
 * The value of the first field ${name} (any case); absent if there is none.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_header(const volo_cx *cx, const char *name);

/** volo_cx_field(cx, field): the same by number, VOLO_FIELD_...
 * @since 0.1 */
VOLO_API volo_str volo_cx_field(const volo_cx *cx, int field);

/** volo_cx_header_count(cx): how many field lines the request has.
 * @since 0.1 */
VOLO_API size_t volo_cx_header_count(const volo_cx *cx);

/**
 * volo_cx_header_at(cx, i, name, value):
 * Point ${name} (lower case) and ${value} to field line ${i}, in the order
 * received; both absent if there is none.  Returns the field's number.
 * @since 0.1
 */
VOLO_API int volo_cx_header_at(const volo_cx *cx, size_t i, volo_str *name,
                               volo_str *value);

/**
 * volo_cx_trailer(cx, name):
 * The value of trailer field ${name}; absent if there is none, or not yet:
 * trailers are there once the body has been read to its end.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_trailer(const volo_cx *cx, const char *name);

/** volo_cx_param(cx, name): path parameter ${name}, decoded; absent if there
 * is none.  Names are looked for in any case.    @since 0.1 */
VOLO_API volo_str volo_cx_param(const volo_cx *cx, const char *name);

/** volo_cx_param_count(cx): how many path parameters there are.
 * @since 0.1 */
VOLO_API size_t volo_cx_param_count(const volo_cx *cx);

/** volo_cx_param_at(cx, i, name, value): parameter ${i}, outermost router
 * first, left to right; absent if there is none.    @since 0.1 */
VOLO_API void volo_cx_param_at(const volo_cx *cx, size_t i, volo_str *name,
                               volo_str *value);

/**
 * volo_cx_pattern(cx):
 * The pattern of the route that matched, prefixes of nesting included, such
 * as "/users/{id}"; absent before and without a match.  For metrics and logs.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_pattern(const volo_cx *cx);

/** volo_cx_peer_ip(cx): the address of the other end of the connection, such
 * as "192.0.2.1" or "2001:db8::1"; "unix" for a Unix socket; "test" in the
 * in-memory client.    @since 0.1 */
VOLO_API volo_str volo_cx_peer_ip(volo_cx *cx);

/** volo_cx_peer_port(cx): its port, 0 where there is none.    @since 0.1 */
VOLO_API int volo_cx_peer_port(const volo_cx *cx);

/**
 * volo_cx_client_ip(cx):
 * The address of the client, seen through trusted proxies by the client-IP
 * layer; without that layer, that of the connection.
 * @since 0.1
 */
VOLO_API volo_str volo_cx_client_ip(volo_cx *cx);

/** volo_cx_set_client_ip(cx, ip): what volo_cx_client_ip() says from now on;
 * copied.  Errors: VOLO_ENOMEM.    @since 0.1 */
VOLO_API int volo_cx_set_client_ip(volo_cx *cx, volo_str ip);

#ifdef __cplusplus
}
#endif

#endif
