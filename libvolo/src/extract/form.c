/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms and lists: pairs decoded once, in one go, so that no number of them
 * makes a search slow.  How many there may be is limited: a pair costs more
 * than the octets it is made of.
 */
#include <string.h>

#include "base/str.h"
#include "extract/extract.h"
#include "http/query.h"

enum { PAIRS_MAX = 1000 };

struct volo_form {
    volo_pair *v;
    size_t count;
};

struct volo_list {
    volo_str *v;
    size_t count;
};

static size_t
count_pairs(volo_str text)
{
    volo_str name, value;
    size_t n = 0;

    while (n <= PAIRS_MAX && volo__query_next(&text, &name, &value))
        n++;
    return n;
}

/* Decode to ${room}, which is moved on. */
static int
decode(volo_str *out, volo_str text, char **room)
{
    ptrdiff_t n = volo__percent_decode(*room, text, 1);

    if (n < 0)
        return VOLO_EFORMAT;
    *out = volo_str_make(*room, (size_t)n);
    *room += n;
    return 0;
}

static int
fill(volo_form *form, volo_str text, char *room)
{
    volo_str name, value;
    volo_pair *pair;
    int err;

    while (volo__query_next(&text, &name, &value)) {
        pair = &form->v[form->count++];
        memset(pair, 0, sizeof *pair);
        err = decode(&pair->name, name, &room);
        if (!err)
            err = decode(&pair->value, value, &room);
        if (err)
            return err;
    }
    return 0;
}

int
volo_form_parse(volo_form **out, volo_cx *cx, volo_str text)
{
    size_t n = count_pairs(text);
    volo_form *form;
    char *room;
    int err;

    if (n > PAIRS_MAX)
        return VOLO_ETOOBIG;
    form = volo_cx_alloc(cx, sizeof *form);
    room = volo_cx_alloc(cx, text.len + 1);
    if (!form || !room)
        return VOLO_ENOMEM;
    form->count = 0;
    form->v = volo_cx_alloc(cx, (n + 1) * sizeof *form->v);
    if (!form->v)
        return VOLO_ENOMEM;
    err = fill(form, text, room);
    if (!err)
        *out = form;
    return err;
}

volo_str
volo_form_get(const volo_form *form, const char *name)
{
    volo_str key = volo_str_of(name);
    size_t i;

    for (i = 0; form && i < form->count; i++)
        if (volo_str_eq(form->v[i].name, key))
            return form->v[i].value;
    return volo_str_of(NULL);
}

size_t
volo_form_len(const volo_form *form)
{
    return form ? form->count : 0;
}

void
volo_form_at(const volo_form *form, size_t i, volo_str *name, volo_str *value)
{
    *name = *value = volo_str_of(NULL);
    if (i < volo_form_len(form)) {
        *name = form->v[i].name;
        *value = form->v[i].value;
    }
}

/* ---- Lists ----------------------------------------------------------------
 */

static volo_list *
list_new(volo_cx *cx, size_t room)
{
    volo_list *list = volo_cx_alloc(cx, sizeof *list);

    if (!list)
        return NULL;
    list->count = 0;
    list->v = volo_cx_alloc(cx, (room + 1) * sizeof *list->v);
    return list->v ? list : NULL;
}

static volo_list *
list_of_pairs(volo_cx *cx, const volo_pair *v, size_t n, volo_str name,
              int any_case)
{
    volo_list *list = list_new(cx, n);
    size_t i;

    for (i = 0; list && i < n; i++)
        if (any_case ? volo__str_ieq(v[i].name, name)
                     : volo_str_eq(v[i].name, name))
            list->v[list->count++] = v[i].value;
    return list;
}

static int
list_of_json(volo_extract *x, volo_list **out, const char *name)
{
    volo_json *array = NULL, *item;
    volo_str text;
    int err = volo__extract_member(x, &array, name);

    if (err && err != VOLO_ENOENT)
        return err;
    if (array && volo_json_type(array) != VOLO_JSON_ARRAY)
        return volo__extract_refuse(x, VOLO_EVALUE, VOLO_FROM_JSON, name,
                                    "must be an array");
    *out = list_new(x->cx, volo_json_len(array));
    for (item = volo_json_next(array, NULL); item && *out;
         item = volo_json_next(array, item)) {
        text = volo_json_str(item);
        if (!text.ptr)
            return volo__extract_refuse(x, VOLO_EVALUE, VOLO_FROM_JSON, name,
                                        "must be an array of strings");
        (*out)->v[(*out)->count++] = text;
    }
    return 0;
}

/* Where there can be but one. */
static int
list_of_one(volo_extract *x, volo_list **out, int source, const char *name)
{
    volo_str text;
    int err = volo__extract_find(x, &text, source, name);

    if (err && err != VOLO_ENOENT)
        return err;
    *out = list_new(x->cx, 1);
    if (*out && !err)
        (*out)->v[(*out)->count++] = text;
    return 0;
}

/* The values of ${name}; NULL in ${out} if there is no memory for them. */
static int
list_of(volo_extract *x, volo_list **out, int source, const char *name)
{
    const struct volo__fields *headers = &x->cx->req.headers;
    volo_form *form;
    int err;

    switch (source) {
    case VOLO_FROM_JSON:
        return list_of_json(x, out, name);
    case VOLO_FROM_HEADER:
        *out = list_of_pairs(x->cx, headers->v, headers->count,
                             volo_str_of(name), 1);
        return 0;
    case VOLO_FROM_QUERY:
    case VOLO_FROM_FORM:
        err = source == VOLO_FROM_FORM ? volo__extract_form(x, &form)
                                       : volo__extract_query(x, &form);
        if (err)
            return err;
        *out = list_of_pairs(x->cx, form->v, form->count, volo_str_of(name), 0);
        return 0;
    default:
        return list_of_one(x, out, source, name);
    }
}

int
volo_extract_list(volo_extract *x, volo_list **out, int source,
                  const char *name, const char *fallback)
{
    volo_list *list = NULL;
    int err = VOLO_ENOMEM;

    *out = NULL;
    if (x)
        err = list_of(x, &list, source & ~VOLO_OPTIONAL, name);
    if (!err && !list)
        err =
            volo__extract_refuse(x, VOLO_ENOMEM, source, name, "out of memory");
    if (err)
        return err;
    if (!list->count && fallback)
        list->v[list->count++] = volo_str_of(fallback);
    *out = list;
    return 0;
}

size_t
volo_list_len(const volo_list *list)
{
    return list ? list->count : 0;
}

volo_str
volo_list_at(const volo_list *list, size_t i)
{
    return i < volo_list_len(list) ? list->v[i] : volo_str_of(NULL);
}
