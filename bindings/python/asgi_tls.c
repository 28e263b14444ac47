/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "tls" extension of ASGI: what the handshake has found out, for the scope
 * of a request.  Certificates themselves are not kept, and so not told.
 */
#include "asgi_cycle.h"

#include <string.h>

static struct volo__py_asgi_names *const names = &volo__py_asgi_names;

/* The ciphers of which volo/tls.h speaks, by their numbers (IANA). */
static const struct {
    const char *name;
    long number;
} ciphers[] = {{"TLS_AES_128_GCM_SHA256", 0x1301},
               {"TLS_AES_256_GCM_SHA384", 0x1302},
               {"TLS_CHACHA20_POLY1305_SHA256", 0x1303},
               {"TLS_AES_128_CCM_SHA256", 0x1304},
               {"ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b},
               {"ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c},
               {"ECDHE-RSA-AES128-GCM-SHA256", 0xc02f},
               {"ECDHE-RSA-AES256-GCM-SHA384", 0xc030},
               {"ECDHE-RSA-CHACHA20-POLY1305", 0xcca8},
               {"ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9}};

static PyObject *
number_of(volo_str cipher)
{
    size_t i;

    for (i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (volo_str_eq(cipher, volo_str_of(ciphers[i].name)))
            return PyLong_FromLong(ciphers[i].number);
    Py_RETURN_NONE;
}

static PyObject *
subject_of(const volo_cx *cx)
{
    volo_str subject = volo_cx_tls_client_subject(cx);

    if (!subject.ptr)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(subject.ptr, (Py_ssize_t)subject.len,
                                "replace");
}

/* The numbers of versions are 0x0303 and 0x0304 on the wire. */
static PyObject *
facts_of(const volo_cx *cx)
{
    PyObject *subject = subject_of(cx);
    PyObject *cipher = number_of(volo_cx_tls_cipher(cx)), *facts = NULL;

    if (subject && cipher)
        facts = Py_BuildValue("{sOs()sOsOsisO}", "server_cert", Py_None,
                              "client_cert_chain", "client_cert_name", subject,
                              "client_cert_error", Py_None, "tls_version",
                              volo_cx_tls_version(cx) - 12 + 0x0303,
                              "cipher_suite", cipher);
    Py_XDECREF(subject);
    Py_XDECREF(cipher);
    return facts;
}

int
volo__py_asgi_tls(PyObject *scope, const volo_cx *cx)
{
    PyObject *shared = PyDict_GetItemWithError(scope, names->extensions);
    PyObject *own = shared ? PyDict_Copy(shared) : NULL;
    PyObject *facts = own ? facts_of(cx) : NULL;
    int rc = -1;

    if (facts && PyDict_SetItem(own, names->tls, facts) == 0)
        rc = PyDict_SetItem(scope, names->extensions, own);
    Py_XDECREF(own);
    Py_XDECREF(facts);
    return rc;
}
