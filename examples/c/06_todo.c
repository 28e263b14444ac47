/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON service: create, read, update and delete.  The list is the router's
 * state; loops share it under a lock, which no handler holds for long.
 */
#include "06_todo.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_TODOS = 1000, MAX_TITLE = 200 };

struct todo {
    uint64_t id; /* 0: the place is free */
    int done;
    size_t len;
    char title[MAX_TITLE];
};

struct todos {
    pthread_mutex_t lock;
    uint64_t last_id;
    struct todo v[MAX_TODOS];
};

/* Typed access to the state: todos_get(cx), todos_key(). */
VOLO_KEY(todos, struct todos);

static struct todo *
find(struct todos *all, uint64_t id)
{
    size_t i;

    for (i = 0; i < MAX_TODOS; i++)
        if (all->v[i].id == id)
            return &all->v[i];
    return NULL;
}

static int
to_json(volo_json *doc, const struct todo *t)
{
    int err = volo_json_set_u64(doc, "id", t->id);

    if (!err)
        err = volo_json_set_str(doc, "title", volo_str_make(t->title, t->len));
    if (!err)
        err = volo_json_set_bool(doc, "done", t->done);
    return err;
}

/* Copied while the list is locked, answered after. */
static int
reply_todo(volo_cx *cx, const struct todo *t)
{
    volo_json *doc;
    int err = volo_json_object(&doc, cx);

    if (!err)
        err = to_json(doc, t);
    return err ? err : volo_reply_json(cx, doc);
}

static int
no_such(volo_cx *cx)
{
    return volo_reply_problem(cx, 404, "there is no such entry");
}

static int
bad_title(volo_cx *cx)
{
    return volo_reply_invalid(cx, 422, "title", "body",
                              "must have 1 to 200 octets");
}

static void
set_title(struct todo *t, volo_str title)
{
    t->len = title.len;
    memcpy(t->title, title.ptr, title.len);
}

/* ---- Handlers ------------------------------------------------------------ */

VOLO_HANDLER(list_todos, (str, done, QUERY_OPT("done")))
{
    struct todos *all = todos_get(cx);
    int only = volo_str_eq(done, VOLO_STR("true"));
    volo_json *list, *item;
    size_t i;
    int err = volo_json_array(&list, cx);

    pthread_mutex_lock(&all->lock);
    for (i = 0; !err && i < MAX_TODOS; i++) {
        if (!all->v[i].id || (done.ptr && all->v[i].done != only))
            continue;
        err = volo_json_set_object(&item, list, NULL);
        if (!err)
            err = to_json(item, &all->v[i]);
    }
    pthread_mutex_unlock(&all->lock);
    return err ? err : volo_reply_json(cx, list);
}

VOLO_HANDLER(create, (str, title, JSON("title")),
             (bool, done, JSON("done", "false")))
{
    struct todos *all = todos_get(cx);
    struct todo copy, *t;
    char location[32];

    if (title.len == 0 || title.len > MAX_TITLE)
        return bad_title(cx);
    pthread_mutex_lock(&all->lock);
    t = find(all, 0);
    if (t) {
        t->id = ++all->last_id;
        t->done = done;
        set_title(t, title);
        copy = *t;
    }
    pthread_mutex_unlock(&all->lock);
    if (!t)
        return volo_reply_problem(cx, 507, "the list is full");
    snprintf(location, sizeof location, "/todos/%llu",
             (unsigned long long)copy.id);
    volo_cx_set_header(cx, "Location", volo_str_of(location));
    volo_cx_set_status(cx, 201);
    return reply_todo(cx, &copy);
}

VOLO_HANDLER(show, (u64, id, PATH("id")))
{
    struct todos *all = todos_get(cx);
    struct todo copy, *t;

    pthread_mutex_lock(&all->lock);
    t = id ? find(all, id) : NULL;
    if (t)
        copy = *t;
    pthread_mutex_unlock(&all->lock);
    return t ? reply_todo(cx, &copy) : no_such(cx);
}

/* What is not given stays as it is. */
VOLO_HANDLER(update, (u64, id, PATH("id")), (str, title, JSON_OPT("title")),
             (has, has_done, JSON("done")), (bool, done, JSON("done", "false")))
{
    struct todos *all = todos_get(cx);
    struct todo copy, *t;

    if (title.ptr && (title.len == 0 || title.len > MAX_TITLE))
        return bad_title(cx);
    pthread_mutex_lock(&all->lock);
    t = id ? find(all, id) : NULL;
    if (t) {
        if (title.ptr)
            set_title(t, title);
        if (has_done)
            t->done = done;
        copy = *t;
    }
    pthread_mutex_unlock(&all->lock);
    return t ? reply_todo(cx, &copy) : no_such(cx);
}

VOLO_HANDLER(delete, (u64, id, PATH("id")))
{
    struct todos *all = todos_get(cx);
    struct todo *t;

    pthread_mutex_lock(&all->lock);
    t = id ? find(all, id) : NULL;
    if (t)
        t->id = 0;
    pthread_mutex_unlock(&all->lock);
    return t ? volo_reply_empty(cx) : no_such(cx);
}

/* ---- The router ---------------------------------------------------------- */

static void
todos_free(void *user)
{
    struct todos *all = user;

    pthread_mutex_destroy(&all->lock);
    free(all);
}

static int
add_state(volo_router *router)
{
    struct todos *all = calloc(1, sizeof *all);

    if (!all)
        return VOLO_ENOMEM;
    pthread_mutex_init(&all->lock, NULL);
    return volo_router_set_state(router, todos_key(), all, todos_free);
}

static int
add_routes(volo_router *router)
{
    static const struct {
        int method;
        const char *pattern;
        volo_service_fn fn;
    } routes[] = {
        {VOLO_GET, "/todos", list_todos},
        {VOLO_POST, "/todos", create},
        {VOLO_GET, "/todos/{id}", show},
        {VOLO_PATCH, "/todos/{id}", update},
        {VOLO_DELETE, "/todos/{id}", delete},
    };
    size_t i;
    int err = 0;

    for (i = 0; !err && i < sizeof routes / sizeof *routes; i++)
        err = volo_router_handle(router, routes[i].method, routes[i].pattern,
                                 routes[i].fn, NULL, NULL);
    return err;
}

int
todo_new(volo_router **out)
{
    volo_router *router;
    int err = volo_router_new(&router);

    if (err)
        return err;
    err = add_state(router);
    if (!err)
        err = add_routes(router);
    if (err)
        volo_router_unref(router);
    else
        *out = router;
    return err;
}
