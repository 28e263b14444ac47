/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, keys and OCSP responses: from files or text into a context,
 * saying clearly what is wrong with which.  Nothing here ever asks a terminal
 * for a password.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "net/tls_state.h"

enum { FILE_LIMIT = 4 << 20 };

/* ---- Files --------------------------------------------------------------- */

void
volo__tls_wipe(struct volo__tls_bytes *bytes)
{
    if (bytes->ptr)
        OPENSSL_cleanse(bytes->ptr, bytes->len);
    volo__free(bytes->ptr);
    *bytes = (struct volo__tls_bytes){NULL, 0};
}

static const char *
why_not(int err)
{
    switch (err) {
    case ENOENT:
        return "no such file";
    case EACCES:
    case EPERM:
        return "permission denied";
    case EISDIR:
        return "is a directory";
    default:
        return "cannot be read";
    }
}

/* All that is in ${fd}, of which there should be ${out->len}. */
static int
read_all(struct volo__tls_bytes *out, int fd)
{
    size_t got = 0;
    ssize_t n = 1;

    while (n > 0 && got < out->len) {
        n = read(fd, out->ptr + got, out->len - got);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            got += (size_t)n;
    }
    if (n < 0)
        return -errno;
    out->len = got;
    return 0;
}

static int
read_file(struct volo__tls_bytes *out, volo_tls *tls, const char *file, int fd)
{
    struct stat st;
    int err;

    if (fd < 0 || fstat(fd, &st) < 0)
        return volo__tls_why(tls, file, why_not(errno));
    if (!S_ISREG(st.st_mode))
        return volo__tls_why(tls, file,
                             S_ISDIR(st.st_mode) ? "is a directory"
                                                 : "is no plain file");
    if (st.st_size == 0 || st.st_size > FILE_LIMIT)
        return volo__tls_why(tls, file,
                             st.st_size ? "is too long" : "is empty");
    out->len = (size_t)st.st_size;
    out->ptr = volo__malloc(out->len);
    if (!out->ptr)
        return VOLO_ENOMEM;
    err = read_all(out, fd);
    return err ? volo__tls_why(tls, file, why_not(-err)) : 0;
}

int
volo__tls_read(struct volo__tls_bytes *out, volo_tls *tls, const char *file)
{
    /* A pipe must not hold up a reload. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int err = read_file(out, tls, file, fd);

    if (fd >= 0)
        close(fd);
    if (err)
        volo__tls_wipe(out);
    return err;
}

/* ---- PEM ----------------------------------------------------------------- */

/* Instead of OpenSSL's own, which asks on the terminal. */
static int
no_password(char *buf, int size, int writing, void *user)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(int *)user = 1;
    return -1;
}

static BIO *
bio_on(const struct volo__tls_bytes *bytes)
{
    return BIO_new_mem_buf(bytes->ptr, (int)bytes->len);
}

/* What reading stopped at is the end, and not something broken. */
static int
at_end(void)
{
    unsigned long err = ERR_peek_last_error();

    if (ERR_GET_LIB(err) != ERR_LIB_PEM ||
        ERR_GET_REASON(err) != PEM_R_NO_START_LINE)
        return 0;
    ERR_clear_error();
    return 1;
}

/* What ought to hold a ${thing} has none that can be read. */
static int
no_pem(volo_tls *tls, const char *what, const char *thing,
       const struct volo__tls_bytes *bytes)
{
    char why[64];

    if (bytes->len && bytes->ptr[0] == 0x30)
        return volo__tls_why(tls, what, "is DER or PKCS #12, not PEM");
    /* Of keys, OpenSSL does not say so. */
    if (memmem(bytes->ptr, bytes->len, thing, strlen(thing)))
        return volo__tls_why_ssl(tls, what);
    snprintf(why, sizeof why, "has no %s in PEM", thing);
    return volo__tls_why(tls, what, why);
}

/* Those behind the first. */
static int
load_chain(SSL_CTX *ctx, volo_tls *tls, const char *what, BIO *bio)
{
    int asked = 0;
    X509 *cert;

    while ((cert = PEM_read_bio_X509(bio, NULL, no_password, &asked)) != NULL)
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            return volo__tls_why_ssl(tls, what);
        }
    return at_end() ? 0 : volo__tls_why_ssl(tls, what);
}

static int
load_certs(SSL_CTX *ctx, volo_tls *tls, const char *what,
           const struct volo__tls_bytes *bytes)
{
    BIO *bio = bio_on(bytes);
    X509 *first = NULL;
    int err = 0, asked = 0;

    if (!bio)
        return VOLO_ENOMEM;
    first = PEM_read_bio_X509_AUX(bio, NULL, no_password, &asked);
    if (!first)
        err = no_pem(tls, what, "CERTIFICATE", bytes);
    else if (SSL_CTX_use_certificate(ctx, first) != 1)
        err = volo__tls_why_ssl(tls, what);
    else
        err = load_chain(ctx, tls, what, bio);
    X509_free(first);
    BIO_free(bio);
    return err;
}

static int
load_key(SSL_CTX *ctx, volo_tls *tls, const char *what,
         const struct volo__tls_bytes *bytes)
{
    BIO *bio = bio_on(bytes);
    EVP_PKEY *key;
    int err = 0, asked = 0;

    if (!bio)
        return VOLO_ENOMEM;
    key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
    if (!key && asked)
        err = volo__tls_why(tls, what,
                            "the key is encrypted; it is needed decrypted");
    else if (!key)
        err = no_pem(tls, what, "PRIVATE KEY", bytes);
    else if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1)
        err = volo__tls_why(tls, what,
                            "the key does not belong to the certificate");
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
        err = volo__tls_why_ssl(tls, what);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return err;
}

/* ---- OCSP ---------------------------------------------------------------- */

/* The one answer in it that is about ${cert}. */
static OCSP_SINGLERESP *
answer_about(OCSP_BASICRESP *basic, X509 *cert)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    ASN1_INTEGER *of;
    int i;

    for (i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

        OCSP_id_get0_info(
            NULL, NULL, NULL, &of,
            (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single));
        if (ASN1_INTEGER_cmp(of, serial) == 0)
            return single;
    }
    return NULL;
}

static int64_t
seconds(const ASN1_GENERALIZEDTIME *time)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, rest = 0;
    int good = epoch && ASN1_TIME_diff(&days, &rest, epoch, time);

    ASN1_TIME_free(epoch);
    return good ? (int64_t)days * 86400 + rest : 0;
}

static int
check_ocsp(struct volo__tls_ctx *ctx, volo_tls *tls, const char *file)
{
    const unsigned char *at = (const unsigned char *)ctx->ocsp.ptr;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)ctx->ocsp.len);
    OCSP_BASICRESP *basic = NULL;
    OCSP_SINGLERESP *single = NULL;
    ASN1_GENERALIZEDTIME *until = NULL;
    const char *why = NULL;

    if (!response)
        why = "is no OCSP response in DER";
    else if (OCSP_response_status(response) !=
                 OCSP_RESPONSE_STATUS_SUCCESSFUL ||
             !(basic = OCSP_response_get1_basic(response)))
        why = "says that the responder has failed";
    else if (!(single =
                   answer_about(basic, SSL_CTX_get0_certificate(ctx->ssl))))
        why = "is about another certificate";
    else
        OCSP_single_get0_status(single, NULL, NULL, NULL, &until);
    ctx->ocsp_until = until ? seconds(until) : INT64_MAX;
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return why ? volo__tls_why(tls, file, why) : 0;
}

/* ---- All of one ---------------------------------------------------------- */

/* ${bytes}, or what is in ${file} now. */
static int
get(struct volo__tls_bytes *out, volo_tls *tls, const char *file,
    const struct volo__tls_bytes *bytes)
{
    if (file)
        return volo__tls_read(out, tls, file);
    out->len = bytes->len;
    out->ptr = volo__strndup(bytes->ptr, bytes->len);
    return out->ptr ? 0 : VOLO_ENOMEM;
}

int
volo__tls_cert_load(struct volo__tls_ctx *ctx, volo_tls *tls,
                    const struct volo__tls_cert *cert)
{
    struct volo__tls_bytes chain = {NULL, 0}, key = {NULL, 0};
    int err = get(&chain, tls, cert->chain_file, &cert->chain);

    ERR_clear_error();
    if (!err)
        err = get(&key, tls, cert->key_file, &cert->key);
    if (!err)
        err = load_certs(ctx->ssl, tls,
                         cert->chain_file ? cert->chain_file : "the chain",
                         &chain);
    if (!err)
        err = load_key(ctx->ssl, tls,
                       cert->key_file ? cert->key_file : "the key", &key);
    if (!err && cert->ocsp_file)
        err = volo__tls_read(&ctx->ocsp, tls, cert->ocsp_file);
    if (!err && cert->ocsp_file)
        err = check_ocsp(ctx, tls, cert->ocsp_file);
    volo__tls_wipe(&chain);
    volo__tls_wipe(&key);
    return err;
}

int
volo__tls_cas_load(X509_STORE *store, STACK_OF(X509_NAME) * names,
                   const struct volo__tls_bytes *bytes)
{
    BIO *bio = bio_on(bytes);
    X509_NAME *name;
    X509 *cert;
    int count = 0, err = 0, asked = 0;

    if (!bio)
        return VOLO_ENOMEM;
    while (!err &&
           (cert = PEM_read_bio_X509(bio, NULL, no_password, &asked)) != NULL) {
        name = X509_NAME_dup(X509_get_subject_name(cert));
        if (!name || !sk_X509_NAME_push(names, name)) {
            X509_NAME_free(name);
            err = VOLO_ENOMEM;
        } else if (X509_STORE_add_cert(store, cert) != 1) {
            err = VOLO_ENOMEM;
        }
        X509_free(cert);
        count++;
    }
    if (!err && (!at_end() || !count))
        err = VOLO_ETLS;
    BIO_free(bio);
    return err;
}

int
volo__tls_crls_load(X509_STORE *store, volo_tls *tls, const char *file,
                    const struct volo__tls_bytes *bytes)
{
    BIO *bio = bio_on(bytes);
    X509_CRL *crl;
    int count = 0, err = 0, asked = 0;

    if (!bio)
        return VOLO_ENOMEM;
    while (!err && (crl = PEM_read_bio_X509_CRL(bio, NULL, no_password,
                                                &asked)) != NULL) {
        if (X509_STORE_add_crl(store, crl) != 1)
            err = VOLO_ENOMEM;
        X509_CRL_free(crl);
        count++;
    }
    if (!err && (!at_end() || !count))
        err = no_pem(tls, file, "X509 CRL", bytes);
    BIO_free(bio);
    return err;
}
