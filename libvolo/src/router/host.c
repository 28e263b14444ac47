/* SPDX-License-Identifier: Apache-2.0 */
/* Host names: how they are written, ordered and found.  Knows no paths. */
#include "router/table.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"
#include "http/uri.h"

static int
is_host_octet(unsigned char c)
{
    return (unsigned)((c | 0x20) - 'a') < 26u || (unsigned)(c - '0') < 10u ||
           (c && strchr("-._[]:", c));
}

/* A name, or an address in brackets; no port. */
static int
is_plain_host(volo_str s)
{
    int bracket = s.len > 0 && s.ptr[0] == '[';
    size_t i;

    for (i = 0; i < s.len; i++)
        if (!is_host_octet((unsigned char)s.ptr[i]) ||
            (!bracket && strchr("[]:", s.ptr[i])))
            return 0;
    return s.len > 0 && (!bracket || s.ptr[s.len - 1] == ']');
}

/* "*" or "{name}" at the start; ${rest} is what is behind it. */
static int
parse_first_label(struct volo__vhost *host, volo_str *rest)
{
    const char *close, *why;
    char param[68];
    size_t len;
    int err;

    host->kind = VOLO__HOST_ANY;
    close = rest->ptr;
    if (*rest->ptr == '{') {
        host->kind = VOLO__HOST_PARAM;
        close = memchr(rest->ptr, '}', rest->len);
        len = close ? (size_t)(close - rest->ptr) + 1 : 0;
        if (len < 3 || len >= sizeof param || rest->ptr[1] == '*')
            return VOLO_EINVAL;
        param[0] = '/';
        memcpy(param + 1, rest->ptr, len);
        err = volo__pattern_new(&host->param, volo_str_make(param, len + 1),
                                &why);
        if (err)
            return err;
    }
    len = (size_t)(close + 1 - rest->ptr);
    *rest = volo_str_make(rest->ptr + len, rest->len - len);
    if (rest->len == 0)
        return 0;
    if (rest->ptr[0] != '.' ||
        !is_plain_host(volo_str_make(rest->ptr + 1, rest->len - 1)))
        return VOLO_EINVAL;
    return 0;
}

static int
parse(struct volo__vhost *host, volo_str rest)
{
    int err = 0;

    if (rest.len > 0 && (*rest.ptr == '*' || *rest.ptr == '{'))
        err = parse_first_label(host, &rest);
    else if (!is_plain_host(rest))
        err = VOLO_EINVAL;
    if (err)
        return err;
    host->text = volo__strndup(rest.ptr, rest.len);
    if (!host->text)
        return VOLO_ENOMEM;
    host->len = rest.len;
    volo__str_lower(host->text, rest);
    return 0;
}

int
volo__vhost_new(struct volo__vhost **out, volo_str source)
{
    struct volo__vhost *host = volo__calloc(sizeof *host);
    int err;

    if (!host)
        return VOLO_ENOMEM;
    err = parse(host, source);
    if (!err) {
        host->source = volo__strndup(source.ptr, source.len);
        err = host->source ? 0 : VOLO_ENOMEM;
    }
    if (err) {
        volo__vhost_free(host);
        return err;
    }
    *out = host;
    return 0;
}

/* ---- Search -------------------------------------------------------------- */

/* Exact ones by length and text, to be found by halving; then, of those with
 * one parameter and of those for any label, the longer text first. */
static int
host_compare(const void *a, const void *b)
{
    const struct volo__vhost *x = ((const struct volo__table_host *)a)->host;
    const struct volo__vhost *y = ((const struct volo__table_host *)b)->host;
    int longer = (x->len > y->len) - (x->len < y->len);

    if (x->kind != y->kind)
        return x->kind - y->kind;
    if (longer)
        return x->kind == VOLO__HOST_EXACT ? longer : -longer;
    return memcmp(x->text, y->text, x->len);
}

void
volo__hosts_sort(struct volo__table *table)
{
    unsigned n = 0;

    if (table->host_count > 1)
        qsort(table->hosts, table->host_count, sizeof *table->hosts,
              host_compare);
    while (n < table->host_count &&
           table->hosts[n].host->kind == VOLO__HOST_EXACT)
        n++;
    table->host_exact = n;
}

static int
compare_lower(volo_str name, const struct volo__vhost *host)
{
    size_t i;
    int c;

    if (name.len != host->len)
        return name.len < host->len ? -1 : 1;
    for (i = 0; i < name.len; i++) {
        c = volo__lower((unsigned char)name.ptr[i]) -
            (unsigned char)host->text[i];
        if (c)
            return c;
    }
    return 0;
}

static const struct volo__table_host *
find_exact(const struct volo__table *table, volo_str name)
{
    unsigned lo = 0, hi = table->host_exact, mid;
    int c;

    while (lo < hi) {
        mid = (lo + hi) / 2;
        c = compare_lower(name, table->hosts[mid].host);
        if (!c)
            return &table->hosts[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* ${label} is what stands before the text of ${host}, if that is the end. */
static int
ends_in(volo_str name, const struct volo__vhost *host, volo_str *label)
{
    volo_str end;

    if (name.len <= host->len)
        return 0;
    *label = volo_str_make(name.ptr, name.len - host->len);
    end = volo_str_make(name.ptr + label->len, host->len);
    return compare_lower(end, host) == 0 &&
           (host->kind == VOLO__HOST_ANY ||
            !memchr(label->ptr, '.', label->len));
}

const struct volo__table_host *
volo__hosts_find(volo_str *out, const struct volo__table *table,
                 volo_str authority)
{
    volo_str name = volo__authority_host(authority);
    const struct volo__table_host *found;
    unsigned i;

    /* The root's dot says nothing new. */
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--;
    found = find_exact(table, name);
    for (i = table->host_exact; i < table->host_count && !found; i++)
        if (ends_in(name, table->hosts[i].host, out))
            found = &table->hosts[i];
    return found;
}
