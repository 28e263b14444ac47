/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which certificate a server name means.  RFC 6125 without its leniencies: of
 * the subjectAltNames, and a wildcard stands for exactly one label, the
 * leftmost.
 */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include <volo/error.h>

#include "base/alloc.h"
#include "base/str.h"
#include "net/tls_state.h"

enum { NAME_SIZE = 256 };

static int
push(struct volo__tls_names *names, const char *text, size_t len, size_t index)
{
    size_t room = names->room ? names->room * 2 : 8;
    struct volo__tls_name *at;
    char *copy;

    if (names->count == names->room) {
        at = volo__realloc(names->at, room * sizeof *at);
        if (!at)
            return VOLO_ENOMEM;
        names->at = at;
        names->room = room;
    }
    copy = volo__strndup(text, len);
    if (!copy)
        return VOLO_ENOMEM;
    volo__str_lower(copy, volo_str_make(copy, len));
    names->at[names->count++] = (struct volo__tls_name){copy, index};
    return 0;
}

int
volo__tls_names_add(struct volo__tls_names *names, X509 *cert, size_t index)
{
    GENERAL_NAMES *all =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int i, err = 0;

    for (i = 0; all && !err && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        const char *text;
        size_t len;

        if (name->type != GEN_DNS)
            continue;
        text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
        len = (size_t)ASN1_STRING_length(name->d.dNSName);
        if (len && len < NAME_SIZE && !memchr(text, 0, len))
            err = push(names, text, len, index);
    }
    GENERAL_NAMES_free(all);
    return err;
}

static int
compare(const void *a, const void *b)
{
    const struct volo__tls_name *x = a, *y = b;
    int by_text = strcmp(x->text, y->text);

    return by_text ? by_text : (x->index > y->index) - (x->index < y->index);
}

void
volo__tls_names_sort(struct volo__tls_names *names)
{
    if (names->count)
        qsort(names->at, names->count, sizeof *names->at, compare);
}

void
volo__tls_names_clear(struct volo__tls_names *names)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        volo__free(names->at[i].text);
    volo__free(names->at);
    *names = (struct volo__tls_names){NULL, 0, 0};
}

/* The first of those that are equal, or NULL. */
static const struct volo__tls_name *
look_up(const struct volo__tls_names *names, const char *text)
{
    size_t low = 0, high = names->count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (strcmp(names->at[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == names->count || strcmp(names->at[low].text, text) != 0)
        return NULL;
    return &names->at[low];
}

size_t
volo__tls_names_find(const struct volo__tls_names *names, const char *host)
{
    const struct volo__tls_name *name;
    char text[NAME_SIZE + 1];
    size_t len = strlen(host);
    const char *dot;

    if (!len || len >= NAME_SIZE || !names->count)
        return 0;
    volo__str_lower(text, volo_str_make(host, len + 1));
    name = look_up(names, text);
    dot = strchr(text, '.');
    if (!name && dot && dot > text) {
        text[0] = '*';
        memmove(text + 1, dot, strlen(dot) + 1);
        name = look_up(names, text);
    }
    return name ? name->index : 0;
}
