/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CORS protocol of the Fetch standard, the server's half.  A browser asks
 * and obeys; who is no browser is not held off by it, so a request from an
 * origin that is not allowed still runs: only its answer may not be read.
 */
#include <volo.h>

#include <stdio.h>

/* Lists grow by being copied: they are short, and made once. */
struct origins {
    volo_str *v;
    size_t count;
};

struct volo_cors {
    struct origins origins;
    int any; /* origin "*" */
    int credentials;
    int has_max_age;
    unsigned max_age;
    char *methods; /* NULL: the default */
    char *headers; /* NULL: none */
    char *expose;  /* NULL: none */
};

/* ---- What it is made from ------------------------------------------------ */

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static char *
dup_lower(const char *text, size_t len, int fold)
{
    char *copy = volo_alloc(len + 1);
    size_t i;

    if (!copy)
        return NULL;
    for (i = 0; i < len; i++)
        copy[i] = fold ? lower(text[i]) : text[i];
    return copy;
}

static void
origins_clear(struct origins *origins)
{
    size_t i;

    for (i = 0; i < origins->count; i++)
        volo_free((char *)(uintptr_t)origins->v[i].ptr);
    volo_free(origins->v);
}

static int
origins_add(struct origins *origins, volo_str origin)
{
    volo_str *bigger = volo_alloc((origins->count + 1) * sizeof *bigger);
    char *copy = dup_lower(origin.ptr, origin.len, 1);

    if (!bigger || !copy) {
        volo_free(bigger);
        volo_free(copy);
        return VOLO_ENOMEM;
    }
    if (origins->count)
        memcpy(bigger, origins->v, origins->count * sizeof *bigger);
    bigger[origins->count++] = volo_str_make(copy, origin.len);
    volo_free(origins->v);
    origins->v = bigger;
    return 0;
}

int
volo_cors_new(volo_cors **out)
{
    volo_cors *cors;

    if (!out)
        return VOLO_EINVAL;
    cors = volo_alloc(sizeof *cors);
    if (!cors)
        return VOLO_ENOMEM;
    *out = cors;
    return 0;
}

void
volo_cors_free(volo_cors *cors)
{
    if (!cors)
        return;
    origins_clear(&cors->origins);
    volo_free(cors->methods);
    volo_free(cors->headers);
    volo_free(cors->expose);
    volo_free(cors);
}

/* What may stand in a host, with the brackets and colons of an address and of
 * a port. */
static int
is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '[' || c == ']';
}

/* Scheme, "://" and host, and nothing else: an origin with a path, if only
 * "/", would never match, so it is a mistake. */
static int
is_origin(const char *origin)
{
    const char *host = strstr(origin, "://");

    if (!strcmp(origin, "null"))
        return 1;
    if (!host || host == origin)
        return 0;
    host += 3;
    if (!strncmp(host, "*.", 2))
        host += 2;
    if (!*host)
        return 0;
    for (; *host; host++)
        if (!is_host_char(lower(*host)))
            return 0;
    return 1;
}

int
volo_cors_origin(volo_cors *cors, const char *origin)
{
    if (!cors || !origin)
        return VOLO_EINVAL;
    if (!strcmp(origin, "*")) {
        cors->any = 1;
        return 0;
    }
    if (!is_origin(origin))
        return VOLO_EINVAL;
    return origins_add(&cors->origins, volo_str_of(origin));
}

/* Tokens, commas and blanks. */
static int
is_list(const char *list)
{
    static const char marks[] = "!#$%&'*+-.^_`|~, \t";

    for (; *list; list++) {
        char c = lower(*list);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              strchr(marks, c)))
            return 0;
    }
    return 1;
}

static int
set_list(char **to, const char *list)
{
    char *copy;

    if (!list || !*list || !is_list(list))
        return VOLO_EINVAL;
    copy = dup_lower(list, strlen(list), 0);
    if (!copy)
        return VOLO_ENOMEM;
    volo_free(*to);
    *to = copy;
    return 0;
}

int
volo_cors_methods(volo_cors *cors, const char *list)
{
    return cors ? set_list(&cors->methods, list) : VOLO_EINVAL;
}

int
volo_cors_headers(volo_cors *cors, const char *list)
{
    return cors ? set_list(&cors->headers, list) : VOLO_EINVAL;
}

int
volo_cors_expose(volo_cors *cors, const char *list)
{
    return cors ? set_list(&cors->expose, list) : VOLO_EINVAL;
}

int
volo_cors_credentials(volo_cors *cors, int on)
{
    if (!cors)
        return VOLO_EINVAL;
    cors->credentials = on != 0;
    return 0;
}

int
volo_cors_max_age(volo_cors *cors, unsigned seconds)
{
    if (!cors)
        return VOLO_EINVAL;
    cors->max_age = seconds;
    cors->has_max_age = 1;
    return 0;
}

/* ---- Origins ------------------------------------------------------------- */

/* "https://" and ".example.com" around at least one octet, all of which could
 * stand in a host. */
static int
is_subdomain(volo_str pattern, size_t star, volo_str origin)
{
    size_t tail = pattern.len - star - 1;
    size_t i;

    if (origin.len <= star + tail || memcmp(pattern.ptr, origin.ptr, star) ||
        memcmp(pattern.ptr + star + 1, origin.ptr + origin.len - tail, tail))
        return 0;
    for (i = star; i < origin.len - tail; i++)
        if (!is_host_char(origin.ptr[i]) || origin.ptr[i] == ':')
            return 0;
    return 1;
}

static int
origin_matches(volo_str pattern, volo_str origin)
{
    const char *star = memchr(pattern.ptr, '*', pattern.len);

    if (!star)
        return volo_str_eq(pattern, origin);
    return is_subdomain(pattern, (size_t)(star - pattern.ptr), origin);
}

/* Browsers write origins in lower case (RFC 6454 section 6.1), so the octets
 * are compared as they are. */
static int
is_allowed(const volo_cors *cors, volo_str origin)
{
    size_t i;

    if (cors->any)
        return 1;
    for (i = 0; origin.ptr && i < cors->origins.count; i++)
        if (origin_matches(cors->origins.v[i], origin))
            return 1;
    return 0;
}

/* ---- Fields of the response ---------------------------------------------- */

/* 1 if the comma-separated ${list} has ${word}, in any case, or "*". */
static int
list_has(volo_str list, const char *word)
{
    size_t at = 0;
    size_t len = strlen(word);

    while (at < list.len) {
        size_t i = 0;

        while (at < list.len && strchr(", \t", list.ptr[at]))
            at++;
        while (at + i < list.len && !strchr(", \t", list.ptr[at + i]) &&
               i < len && lower(list.ptr[at + i]) == lower(word[i]))
            i++;
        if ((i == len &&
             (at + i == list.len || strchr(", \t", list.ptr[at + i]))) ||
            (at < list.len && list.ptr[at] == '*'))
            return 1;
        while (at < list.len && !strchr(", \t", list.ptr[at]))
            at++;
    }
    return 0;
}

/* Say that the answer depends on request field ${name}, unless it does. */
static int
vary_on(volo_cx *cx, const char *name)
{
    size_t count = volo_cx_response_header_count(cx);
    size_t i;
    volo_str field, value;

    for (i = 0; i < count; i++)
        if (volo_cx_response_header_at(cx, i, &field, &value) ==
                VOLO_FIELD_VARY &&
            list_has(value, name))
            return 0;
    return volo_cx_add_header(cx, "vary", volo_str_of(name));
}

/* Who may read the answer.  For "*" it is the same with and without an origin,
 * so that caches need not tell requests apart. */
static int
put_origin(volo_cx *cx, const volo_cors *cors)
{
    volo_str origin = volo_cx_field(cx, VOLO_FIELD_ORIGIN);
    int err;

    if (cors->any)
        return volo_cx_set_header(cx, "access-control-allow-origin",
                                  VOLO_STR("*"));
    err = vary_on(cx, "Origin");
    if (err || !is_allowed(cors, origin))
        return err;
    err = volo_cx_set_header(cx, "access-control-allow-origin", origin);
    if (!err && cors->credentials)
        err = volo_cx_set_header(cx, "access-control-allow-credentials",
                                 VOLO_STR("true"));
    return err;
}

/* ${list}, or, if it is "*", what the request asks for in ${field}: with
 * credentials a "*" would mean itself. */
static int
put_allowed(volo_cx *cx, const char *name, const char *list, int field)
{
    volo_str value = volo_str_of(list);
    int err = 0;

    if (!list)
        return 0;
    if (!strcmp(list, "*")) {
        err = vary_on(cx, field == VOLO_FIELD_ACCESS_CONTROL_REQUEST_METHOD
                              ? "Access-Control-Request-Method"
                              : "Access-Control-Request-Headers");
        value = volo_cx_field(cx, field);
    }
    if (err || !value.ptr)
        return err;
    return volo_cx_set_header(cx, name, value);
}

static int
put_max_age(volo_cx *cx, const volo_cors *cors)
{
    char text[16];
    int len;

    if (!cors->has_max_age)
        return 0;
    len = snprintf(text, sizeof text, "%u", cors->max_age);
    return volo_cx_set_header(cx, "access-control-max-age",
                              volo_str_make(text, (size_t)len));
}

static void
answer_preflight(volo_cx *cx, const volo_cors *cors)
{
    int err = put_origin(cx, cors);

    if (!err && is_allowed(cors, volo_cx_field(cx, VOLO_FIELD_ORIGIN))) {
        err = put_allowed(cx, "access-control-allow-methods",
                          cors->methods ? cors->methods : "GET, HEAD, POST",
                          VOLO_FIELD_ACCESS_CONTROL_REQUEST_METHOD);
        if (!err)
            err = put_allowed(cx, "access-control-allow-headers", cors->headers,
                              VOLO_FIELD_ACCESS_CONTROL_REQUEST_HEADERS);
        if (!err)
            err = put_max_age(cx, cors);
    }
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_empty(cx);
}

/* ---- The layer ----------------------------------------------------------- */

/* Out of memory the answer goes without: a browser then keeps it to itself,
 * which is safe; but no cache may keep it for others. */
static void
cors_response(volo_cx *cx, void *frame)
{
    const volo_cors *cors = frame;
    int err = put_origin(cx, cors);

    if (!err && cors->expose &&
        is_allowed(cors, volo_cx_field(cx, VOLO_FIELD_ORIGIN)))
        err = volo_cx_set_header(cx, "access-control-expose-headers",
                                 volo_str_of(cors->expose));
    if (err)
        volo_cx_set_field(cx, VOLO_FIELD_CACHE_CONTROL, VOLO_STR("no-store"));
}

static int
is_preflight(const volo_cx *cx)
{
    return volo_cx_method(cx) == VOLO_OPTIONS &&
           volo_cx_field(cx, VOLO_FIELD_ORIGIN).ptr &&
           volo_cx_field(cx, VOLO_FIELD_ACCESS_CONTROL_REQUEST_METHOD).ptr;
}

static void
cors_run(volo_cx *cx, volo_next *next, void *user)
{
    if (is_preflight(cx))
        answer_preflight(cx, user);
    else
        volo_next_run(next, cx, cors_response, user);
}

static void
cors_drop(void *user)
{
    volo_cors_free(user);
}

static int
copy_list(char **to, const char *list)
{
    return list ? set_list(to, list) : 0;
}

static int
cors_copy(volo_cors *to, const volo_cors *from)
{
    size_t i;
    int err = 0;

    to->any = from->any;
    to->credentials = from->credentials;
    to->has_max_age = from->has_max_age;
    to->max_age = from->max_age;
    for (i = 0; !err && i < from->origins.count; i++)
        err = origins_add(&to->origins, from->origins.v[i]);
    if (!err)
        err = copy_list(&to->methods, from->methods);
    if (!err)
        err = copy_list(&to->headers, from->headers);
    if (!err)
        err = copy_list(&to->expose, from->expose);
    return err;
}

int
volo_layer_cors(volo_layer **out, const volo_cors *cors)
{
    volo_cors *copy;
    int err;

    /* Any site could act as the user whose cookies come along. */
    if (!out || !cors || (cors->any && cors->credentials))
        return VOLO_EINVAL;

    err = volo_cors_new(&copy);
    if (err < 0)
        return err;
    err = cors_copy(copy, cors);
    if (err < 0) {
        volo_cors_free(copy);
        return err;
    }
    return volo_layer_new(out, cors_run, copy, cors_drop);
}
