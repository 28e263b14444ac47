/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that sends those who come over plain http to https, except below
 * some paths.  It looks at how the connection is secured, and does not know
 * who else might have secured it before. */
#include <volo.h>

#include <stdio.h>

struct https_redirect {
    char port[8];    /* ":8443", or "" where it is the usual one */
    char prefixes[]; /* each with a NUL behind it, an empty one behind all */
};

/* ---- The host ------------------------------------------------------------ */

static int
is_alphanumeric(char c)
{
    return (unsigned)(c - '0') < 10u || (unsigned)((c | 0x20) - 'a') < 26u;
}

static int
has_only(volo_str s, const char *more)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (!s.ptr[i] ||
            (!is_alphanumeric(s.ptr[i]) && !strchr(more, s.ptr[i])))
            return 0;
    return s.len != 0;
}

/* The host without its port; absent unless it is a name or an address: what
 * else may stand there would lead a browser to who knows where. */
static volo_str
host_of(volo_str authority)
{
    volo_str host = authority;
    const char *end;

    if (authority.len && authority.ptr[0] == '[') {
        end = memchr(authority.ptr, ']', authority.len);
        if (!end || !has_only(volo_str_make(authority.ptr + 1,
                                            (size_t)(end - authority.ptr) - 1),
                              ":."))
            return volo_str_of(NULL);
        return volo_str_make(authority.ptr, (size_t)(end - authority.ptr) + 1);
    }
    end = authority.len ? memchr(authority.ptr, ':', authority.len) : NULL;
    if (end)
        host.len = (size_t)(end - authority.ptr);
    return has_only(host, "-._") ? host : volo_str_of(NULL);
}

/* ---- The exchange -------------------------------------------------------- */

static int
is_excepted(const struct https_redirect *layer, volo_str path)
{
    const char *prefix;
    size_t len;

    for (prefix = layer->prefixes; *prefix; prefix += len + 1) {
        len = strlen(prefix);
        if (path.len >= len && !memcmp(path.ptr, prefix, len))
            return 1;
    }
    return 0;
}

static char *
append(char *out, volo_str s)
{
    if (s.len)
        memcpy(out, s.ptr, s.len);
    return out + s.len;
}

/* The same place over https; NULL if there is no memory for it. */
static char *
location_of(volo_cx *cx, volo_str host, const char *port)
{
    volo_str path = volo_cx_original_path(cx);
    volo_str query = volo_cx_query(cx);
    char *location, *p;

    if (!path.len || path.ptr[0] != '/') /* OPTIONS * */
        path = VOLO_STR("/");
    location = volo_cx_alloc(cx, host.len + path.len + query.len + 24);
    if (!location)
        return NULL;
    p = append(location, VOLO_STR("https://"));
    p = append(p, host);
    p = append(p, volo_str_of(port));
    p = append(p, path);
    if (query.ptr) {
        *p++ = '?';
        p = append(p, query);
    }
    *p = '\0';
    return location;
}

static void
https_redirect_run(volo_cx *cx, volo_next *next, void *user)
{
    const struct https_redirect *layer = user;
    volo_str host;
    char *location;

    if (volo_str_eq(volo_cx_scheme(cx), VOLO_STR("https")) ||
        is_excepted(layer, volo_cx_original_path(cx))) {
        volo_next_run(next, cx, NULL, NULL);
        return;
    }
    host = host_of(volo_cx_authority(cx));
    if (!host.ptr) {
        volo_reply_problem(cx, 400, "no host to go to over https");
        return;
    }
    location = location_of(cx, host, layer->port);
    if (location)
        volo_reply_redirect(cx, 308, location);
    else
        volo_reply_error(cx, VOLO_ENOMEM);
}

/* ---- Making one ---------------------------------------------------------- */

/* The entries of ${list}, apart by commas or blanks, behind each other;
 * VOLO_EINVAL for one that is no path. */
static int
copy_prefixes(char *out, const char *list)
{
    size_t len;

    while (*list) {
        len = strcspn(list, ", \t");
        if (len && *list != '/')
            return VOLO_EINVAL;
        if (len) {
            memcpy(out, list, len);
            out += len;
            *out++ = '\0';
        }
        list += len;
        list += strspn(list, ", \t");
    }
    *out = '\0';
    return 0;
}

int
volo_layer_https_redirect(volo_layer **out, int port, const char *exempt)
{
    struct https_redirect *layer;

    if (!out || port < 0 || port > 65535)
        return VOLO_EINVAL;
    if (!exempt)
        exempt = "";
    layer = volo_alloc(sizeof *layer + strlen(exempt) + 2);
    if (!layer)
        return VOLO_ENOMEM;
    if (port && port != 443)
        snprintf(layer->port, sizeof layer->port, ":%d", port);
    if (copy_prefixes(layer->prefixes, exempt)) {
        volo_free(layer);
        return VOLO_EINVAL;
    }
    return volo_layer_new(out, https_redirect_run, layer, volo_free);
}
