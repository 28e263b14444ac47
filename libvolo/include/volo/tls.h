/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for the connections of a server: certificates, who may connect, and how.
 * Make one volo_tls, add certificates, and hand it to volo_server_bind_tls(),
 * as often as wanted.
 *
 * TLS 1.2 and 1.3, ciphers with forward secrecy, the server's order, no
 * renegotiation, no compression, and no 0-RTT.
 */
#ifndef VOLO_TLS_H
#define VOLO_TLS_H

#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** volo_tls: settings and what was made of them.  Its functions may be called
 * on any thread, also while servers use it. */
typedef struct volo_tls volo_tls;

/**
 * volo_tls_new(out):
 * One without a certificate, and one reference to it.  What is set and added
 * later takes effect when it is first used (volo_server_bind_tls()), and after
 * that with the next volo_tls_reload().
 *
 * Errors: VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_new(volo_tls **out);

/** volo_tls_ref(tls): one reference more; returns ${tls}.    @since 0.1 */
VOLO_API volo_tls *volo_tls_ref(volo_tls *tls);

/** volo_tls_unref(tls): one reference less; NULL is ignored.    @since 0.1 */
VOLO_API void volo_tls_unref(volo_tls *tls);

/**
 * volo_tls_add_cert(tls, chain_file, key_file):
 * A certificate with its chain, and its key, from PEM files; ${key_file} may
 * be the same file, or NULL, which says so.  The certificate comes first, then
 * those that signed it; the root may be left out.  May be called often: a
 * client gets the one that has the server name it asked for among its
 * subjectAltNames, an exact one before one with a wildcard in place of its
 * leftmost label, the first one added before others; and the very first where
 * no name matches or none was said.  The files are read now, to see that they
 * will do, and again at each reload.  One that has expired will do: it is the
 * client who decides.
 *
 * Errors: VOLO_EINVAL, VOLO_ETLS (volo_tls_error() says what is wrong with
 * which file), VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_add_cert(volo_tls *tls, const char *chain_file,
                               const char *key_file);

/** volo_tls_add_cert_pem(tls, chain, key): the same from PEM text, which is
 * copied; of ${key} absent, the key is in ${chain}.  Errors: as that.
 * @since 0.1 */
VOLO_API int volo_tls_add_cert_pem(volo_tls *tls, volo_str chain, volo_str key);

/**
 * volo_tls_set_ocsp(tls, i, file):
 * Staple this response, DER as a responder gives it, to the certificate that
 * was added as number ${i}, counted from 0; it is left out once it is
 * outdated.  Reread at each reload.  NULL for none.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOENT (no such certificate), VOLO_ETLS,
 * VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_set_ocsp(volo_tls *tls, size_t i, const char *file);

/** What volo_tls_set_client_ca() asks of clients. */
enum volo_tls_client {
    VOLO_TLS_CLIENT_NONE = 0,
    VOLO_TLS_CLIENT_OPTIONAL = 1, /* a good certificate or none */
    VOLO_TLS_CLIENT_REQUIRED = 2  /* a good certificate */
};

/**
 * volo_tls_set_client_ca(tls, file, mode):
 * Ask clients for a certificate that one of those in ${file} (PEM) has signed,
 * a volo_tls_client says how sternly.  volo_cx_tls_client_subject() says who it
 * is.  Sessions that were begun under other authorities are not resumed.  With
 * VOLO_TLS_CLIENT_NONE, the default, ${file} is NULL.
 *
 * Errors: VOLO_EINVAL, VOLO_ETLS, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_set_client_ca(volo_tls *tls, const char *file, int mode);

/**
 * volo_tls_set_client_crl(tls, file):
 * Refuse clients whose certificates are revoked, as the lists in ${file} (PEM,
 * any number) say: the client's, and all of those it was signed with, so that
 * there has to be a list of each authority; one that is missing, or outdated,
 * refuses whom it ought to speak of.  Reread at each reload, and sessions that
 * were begun under other lists are not resumed.  NULL for none.  Of no effect
 * where clients are not asked for a certificate.
 *
 * Errors: VOLO_EINVAL, VOLO_ETLS, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_set_client_crl(volo_tls *tls, const char *file);

/** Numbers that volo_tls_set() sets. */
enum volo_tls_option {
    VOLO_TLS_MIN_VERSION = 1, /* 12: TLS 1.2; or 13 */
    VOLO_TLS_MAX_VERSION = 2, /* 13; or 12 */
    VOLO_TLS_TICKETS = 3, /* 2: session tickets that a TLS 1.3 client gets, up
                           * to 8; 0: nobody gets any */
    VOLO_TLS_TICKET_LIFETIME = 4 /* 12 h, in milliseconds, 1 s to 7 days: how
                                  * long one is good, and how long a key is
                                  * used to make them; then comes a new key,
                                  * and the last is known for as long again */
};

/** volo_tls_set(tls, option, value): see volo_tls_option.  Errors:
 * VOLO_EINVAL.    @since 0.1 */
VOLO_API int volo_tls_set(volo_tls *tls, int option, uint64_t value);

/** Texts that volo_tls_set_text() sets. */
enum volo_tls_text {
    VOLO_TLS_CIPHERS = 1, /* of TLS 1.2, in OpenSSL's words: ECDHE with AES-GCM
                           * or ChaCha20 */
    VOLO_TLS_CIPHERSUITES = 2, /* of TLS 1.3, likewise: all of the three */
    VOLO_TLS_GROUPS = 3,       /* "X25519:P-256:P-384:P-521" */
    VOLO_TLS_ALPN = 4,         /* "h2,http/1.1", the best first */
    VOLO_TLS_KEYLOG = 5, /* NULL; a file to which the secrets of connections are
                          * appended, as NSS does, for looking into captured
                          * traffic: whoever has it reads all */
    VOLO_TLS_TICKET_KEYS = 6 /* NULL; files with keys for session tickets,
                              * separated by ":", each 80 random octets (or 48:
                              * AES-128), so that processes and hosts resume
                              * each other's sessions.  The first one makes
                              * tickets, all are known.  Reread at each reload:
                              * who gives keys also changes them */
};

/**
 * volo_tls_set_text(tls, option, text):
 * See volo_tls_text; NULL brings back the default.
 *
 * Errors: VOLO_EINVAL, VOLO_ETLS (OpenSSL does not understand it, or a file
 * cannot be read or written), VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_set_text(volo_tls *tls, int option, const char *text);

/**
 * volo_tls_set_ticket_keys(tls, keys):
 * The same as VOLO_TLS_TICKET_KEYS, which it puts an end to, without files:
 * ${keys} are up to 16 of 80 random octets each, which are copied, and are used
 * at once.  To let several processes change keys at their own time, give the
 * one that will be next as the second.  Absent or empty: those of its own.
 *
 * Errors: VOLO_EINVAL, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_tls_set_ticket_keys(volo_tls *tls, volo_str keys);

/**
 * volo_tls_reload(tls):
 * Read all files again and use them for connections that come from now on;
 * those that are there keep what they have.  All or nothing: if anything is
 * wrong, all stays as it was.  Reads files: not in a handler.
 *
 * Errors: VOLO_EINVAL (no certificate was added), VOLO_ETLS, VOLO_ENOMEM.
 * @since 0.1
 */
VOLO_API int volo_tls_reload(volo_tls *tls);

/** volo_tls_error(tls): what was wrong with the last call that failed, "" if
 * nothing; good until four more have failed.    @since 0.1 */
VOLO_API const char *volo_tls_error(const volo_tls *tls);

#ifdef __cplusplus
}
#endif

#endif
