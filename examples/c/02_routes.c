/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes, and handlers that get their arguments typed.  What cannot be read
 * is refused before the handler runs, and the answer says which and why.
 *
 *     curl localhost:8080/users/42?lang=fr
 *     curl -i localhost:8080/users/forty-two         400, and why
 *     curl 'localhost:8080/search?tag=a&tag=b&exact'
 *     curl -d 'name=Ada&age=36' localhost:8080/form
 *     curl --json '{"x":3,"y":4}' localhost:8080/distance
 *     curl localhost:8080/colour/ff8800              a type of our own
 *     curl localhost:8080/files/a/b/c.txt
 *     curl localhost:8080/api/v1/version
 */
#include "serve.h"

/* ---- One argument for each value that is wanted -------------------------- */

VOLO_HANDLER(get_user, (u64, id, PATH("id")), (str, lang, QUERY("lang", "en")))
{
    volo_json *doc;
    int err = volo_json_object(&doc, cx);

    if (!err)
        err = volo_json_set_u64(doc, "id", id);
    if (!err)
        err = volo_json_set_str(doc, "lang", lang);
    return err ? err : volo_reply_json(cx, doc);
}

VOLO_HANDLER(search, (list, tags, QUERY("tag")), (has, exact, QUERY("exact")),
             (u32, limit, QUERY("limit", "10")),
             (str, agent, HEADER_OPT("User-Agent")))
{
    char text[128];

    snprintf(text, sizeof text, "%zu tags, at most %u, %s, %s\n",
             volo_list_len(tags), limit, exact ? "exact" : "alike",
             agent.ptr ? "by somebody" : "by nobody");
    return volo_reply_text(cx, text);
}

VOLO_HANDLER(form, (str, name, FORM("name")), (i32, age, FORM("age")))
{
    char text[128];

    if (age < 0)
        return volo_reply_invalid(cx, 422, "age", "form", "is negative");
    snprintf(text, sizeof text, "%.*s is %d\n", (int)name.len, name.ptr, age);
    return volo_reply_text(cx, text);
}

VOLO_HANDLER(distance, (f64, x, JSON("x")), (f64, y, JSON("y")))
{
    char text[64];

    snprintf(text, sizeof text, "%g\n", x * x + y * y);
    return volo_reply_text(cx, text);
}

/* ---- A type of our own: how to read it, then its two names --------------- */

struct colour {
    unsigned red, green, blue;
};

static void
extract_colour(volo_extract *x, struct colour *out, int source,
               const char *name, const char *fallback)
{
    const char *text = "";

    if (volo_extract_cstr(x, &text, source, name, fallback))
        return;
    if (strlen(text) != 6 ||
        sscanf(text, "%2x%2x%2x", &out->red, &out->green, &out->blue) != 3)
        volo_extract_reject(x, 422, name, "path", "is not six hex digits");
}

#define VOLO_T_colour struct colour
#define VOLO_X_colour extract_colour

VOLO_HANDLER(show_colour, (colour, c, PATH("code")))
{
    char text[64];

    snprintf(text, sizeof text, "red %u, green %u, blue %u\n", c.red, c.green,
             c.blue);
    return volo_reply_text(cx, text);
}

/* ---- Without arguments, a handler is a plain function -------------------- */

static void
file(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_str(cx, volo_cx_param(cx, "rest"));
}

static void
version(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, volo_version_text());
}

/* Answers whatever nobody else does; this router's, and those inside it. */
static void
lost(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_problem(cx, 404, "there is nothing here; try /users/42");
}

/* ---- Putting it together ------------------------------------------------- */

/* A router in a router: it sees the path without the prefix. */
static int
add_api(volo_router *router)
{
    volo_router *api;
    int err = volo_router_new(&api);

    if (err)
        return err;
    err = volo_router_get(api, "/version", version, NULL);
    if (!err)
        err = volo_router_nest(router, "/api/v1", api);
    volo_router_unref(api);
    return err;
}

static int
add_fallback(volo_router *router)
{
    volo_service *service;
    int err = volo_service_new(&service, lost, NULL, NULL);

    if (err)
        return err;
    err = volo_router_fallback(router, service);
    volo_service_unref(service);
    return err;
}

static const struct {
    int method;
    const char *pattern;
    volo_service_fn fn;
} routes[] = {
    {VOLO_GET, "/users/{id}", get_user},
    {VOLO_GET, "/search", search},
    {VOLO_POST, "/form", form},
    {VOLO_POST, "/distance", distance},
    {VOLO_GET, "/colour/{code}", show_colour},
    {VOLO_GET, "/files/{*rest}", file},
};

int
main(int argc, char **argv)
{
    volo_router *router = NULL;
    size_t i;
    int err = volo_router_new(&router);

    for (i = 0; !err && i < sizeof routes / sizeof *routes; i++)
        err = volo_router_handle(router, routes[i].method, routes[i].pattern,
                                 routes[i].fn, NULL, NULL);
    if (!err)
        err = add_api(router);
    if (!err)
        err = add_fallback(router);
    if (err)
        return example_failed(router, err);
    return example_serve(router, argc, argv);
}
