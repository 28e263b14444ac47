/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, changing and writing JSON.  All that is made is complete before it
 * is linked in, so that a failure leaves the document as it was; what it took
 * from the arena stays there until the document goes.
 */
#include <math.h>
#include <string.h>

#include <volo/alloc.h>
#include <volo/cx.h>
#include <volo/error.h>

#include "base/alloc.h"
#include "http/cx.h"
#include "http/json_doc.h"

/* What a document without a cx has before its arena asks for more. */
enum { OWN_ROOM = 480 };

struct own_doc {
    struct volo__json_doc doc;
    struct volo__arena arena;
    char room[OWN_ROOM];
};

/* Text above this size is the cx's to free, not its arena's. */
static const char written_key = 0;

static struct volo__json_doc *
doc_new_own(void)
{
    struct own_doc *own = volo__malloc(sizeof(*own));

    if (!own)
        return NULL;
    volo__arena_init(&own->arena, own->room, sizeof(own->room));
    own->doc.arena = &own->arena;
    return &own->doc;
}

/* A document with a root that is null. */
static int
doc_new(volo_json **out, volo_cx *cx)
{
    struct volo__json_doc *doc;
    volo_json *root;

    doc = cx ? volo__arena_alloc(&cx->arena, sizeof(*doc)) : doc_new_own();
    if (!doc)
        return VOLO_ENOMEM;
    if (cx)
        doc->arena = &cx->arena;
    doc->own = !cx;
    root = &doc->root;
    memset(root, 0, sizeof(*root));
    root->doc = doc;
    root->depth = 1;
    yyjson_mut_set_null(&root->v);
    *out = root;
    return 0;
}

int
volo_json_object(volo_json **out, volo_cx *cx)
{
    volo_json *root;

    if (doc_new(&root, cx) < 0)
        return VOLO_ENOMEM;
    yyjson_mut_set_obj(&root->v);
    *out = root;
    return 0;
}

int
volo_json_array(volo_json **out, volo_cx *cx)
{
    volo_json *root;

    if (doc_new(&root, cx) < 0)
        return VOLO_ENOMEM;
    yyjson_mut_set_arr(&root->v);
    *out = root;
    return 0;
}

/* A copy of ${text} in the document; absent text becomes null. */
static int
set_text(struct volo__json_doc *doc, yyjson_mut_val *v, volo_str text)
{
    volo_str copy;

    if (!text.ptr) {
        yyjson_mut_set_null(v);
        return 0;
    }
    copy = volo__arena_dup(doc->arena, text);
    if (!copy.ptr)
        return VOLO_ENOMEM;
    yyjson_mut_set_strn(v, copy.ptr, copy.len);
    return 0;
}

/* A node, null yet, that is to go into ${container}; with a key if that is an
 * object. */
static int
node_new(volo_json **out, volo_json *container, volo_str key)
{
    struct volo__json_doc *doc = container->doc;
    struct {
        volo_json node;
        yyjson_mut_val key;
    } * member;
    size_t size = key.ptr ? sizeof(*member) : sizeof(member->node);

    member = volo__arena_alloc(doc->arena, size);
    if (!member)
        return VOLO_ENOMEM;
    memset(member, 0, size);
    if (key.ptr) {
        member->node.key = &member->key;
        if (set_text(doc, &member->key, key) < 0)
            return VOLO_ENOMEM;
    }
    member->node.doc = doc;
    member->node.depth = container->depth + 1;
    yyjson_mut_set_null(&member->node.v);
    *out = &member->node;
    return 0;
}

/* The node that a setter is to fill, if it may. */
static int
begin(volo_json **out, volo_json *container, const char *key)
{
    container = volo__json_node(container);
    if (!container)
        return VOLO_EINVAL;
    if (key ? !yyjson_mut_is_obj(&container->v)
            : !yyjson_mut_is_arr(&container->v))
        return VOLO_EINVAL;
    return node_new(out, container, volo_str_of(key));
}

/* In the place of the first of that name, and of all others: text that was
 * copied may have several. */
static void
put(volo_json *object, volo_json *node)
{
    size_t len = yyjson_mut_get_len(node->key);
    const char *name = yyjson_mut_get_str(node->key);
    yyjson_mut_obj_iter iter;
    yyjson_mut_val *key;
    int there = 0;

    yyjson_mut_obj_iter_init(&object->v, &iter);
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        if (!yyjson_mut_equals_strn(key, name, len))
            continue;
        if (there) {
            yyjson_mut_obj_iter_remove(&iter);
            continue;
        }
        node->v.next = key->next->next;
        node->key = key;
        key->next = &node->v;
        there = 1;
    }
    if (!there)
        yyjson_mut_obj_add(&object->v, node->key, &node->v);
}

static void
finish(volo_json *container, volo_json *node)
{
    if (node->key)
        put(container, node);
    else
        yyjson_mut_arr_append(&container->v, &node->v);
}

int
volo_json_set_str(volo_json *object, const char *key, volo_str value)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    err = set_text(node->doc, &node->v, value);
    if (err < 0)
        return err;
    finish(object, node);
    return 0;
}

int
volo_json_set_i64(volo_json *object, const char *key, int64_t value)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    yyjson_mut_set_sint(&node->v, value);
    finish(object, node);
    return 0;
}

int
volo_json_set_u64(volo_json *object, const char *key, uint64_t value)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    yyjson_mut_set_uint(&node->v, value);
    finish(object, node);
    return 0;
}

int
volo_json_set_f64(volo_json *object, const char *key, double value)
{
    volo_json *node;
    int err = isfinite(value) ? begin(&node, object, key) : VOLO_EINVAL;

    if (err < 0)
        return err;
    yyjson_mut_set_real(&node->v, value);
    finish(object, node);
    return 0;
}

int
volo_json_set_bool(volo_json *object, const char *key, int value)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    yyjson_mut_set_bool(&node->v, value != 0);
    finish(object, node);
    return 0;
}

int
volo_json_set_null(volo_json *object, const char *key)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    finish(object, node);
    return 0;
}

int
volo_json_set_object(volo_json **out, volo_json *object, const char *key)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    if (node->depth > VOLO__JSON_DEPTH)
        return VOLO_EINVAL;
    yyjson_mut_set_obj(&node->v);
    finish(object, node);
    *out = node;
    return 0;
}

int
volo_json_set_array(volo_json **out, volo_json *object, const char *key)
{
    volo_json *node;
    int err = begin(&node, object, key);

    if (err < 0)
        return err;
    if (node->depth > VOLO__JSON_DEPTH)
        return VOLO_EINVAL;
    yyjson_mut_set_arr(&node->v);
    finish(object, node);
    *out = node;
    return 0;
}

/* ${to} becomes what ${from} is; a container an empty one. */
static int
copy_one(volo_json *to, const volo_json *from)
{
    yyjson_val *v = volo__json_value(from);

    switch (volo_json_type(from)) {
    case VOLO_JSON_STRING:
        return set_text(to->doc, &to->v, volo_json_str(from));
    case VOLO_JSON_ARRAY:
        yyjson_mut_set_arr(&to->v);
        break;
    case VOLO_JSON_OBJECT:
        yyjson_mut_set_obj(&to->v);
        break;
    default:
        /* All else is in the value itself. */
        to->v.tag = v->tag;
        to->v.uni = v->uni;
        return 0;
    }
    return to->depth > VOLO__JSON_DEPTH ? VOLO_EINVAL : 0;
}

struct level {
    const volo_json *from;
    const volo_json *child; /* the last that was copied */
    volo_json *to;
};

/* The next child of ${l}; 1 if there was one. */
static int
copy_child(struct level *l, volo_json **node)
{
    int err;

    l->child = volo_json_next(l->from, l->child);
    if (!l->child)
        return 0;
    err = node_new(node, l->to, volo_json_key(l->from, l->child));
    if (err < 0)
        return err;
    err = copy_one(*node, l->child);
    if (err < 0)
        return err;
    if ((*node)->key)
        yyjson_mut_obj_add(&l->to->v, (*node)->key, &(*node)->v);
    else
        yyjson_mut_arr_append(&l->to->v, &(*node)->v);
    return 1;
}

/* Depth is bounded, so the way back fits into an array. */
static int
copy_all(volo_json *to, const volo_json *from)
{
    struct level levels[VOLO__JSON_DEPTH + 1], *l = levels;
    volo_json *node;
    int err = copy_one(to, from);

    if (err < 0)
        return err;
    *l = (struct level){from, NULL, to};
    for (;;) {
        err = copy_child(l, &node);
        if (err < 0)
            return err;
        if (err > 0 && volo_json_len(l->child) > 0) {
            l[1] = (struct level){l->child, NULL, node};
            l++;
        } else if (err == 0 && l-- == levels) {
            return 0;
        }
    }
}

int
volo_json_set_value(volo_json *object, const char *key, const volo_json *value)
{
    volo_json *node;
    int err = value ? begin(&node, object, key) : VOLO_EINVAL;

    if (err < 0)
        return err;
    err = copy_all(node, value);
    if (err < 0)
        return err;
    finish(object, node);
    return 0;
}

int
volo_json_remove(volo_json *object, const char *key)
{
    volo_json *node = volo__json_node(object);

    if (!node || !key || !yyjson_mut_is_obj(&node->v))
        return VOLO_EINVAL;
    return yyjson_mut_obj_remove_key(&node->v, key) ? 0 : VOLO_ENOENT;
}

int
volo_json_dup(volo_json **out, volo_cx *cx, const volo_json *value)
{
    volo_json *root;
    int err = value ? doc_new(&root, cx) : VOLO_EINVAL;

    if (err < 0)
        return err;
    err = copy_all(root, value);
    if (err < 0) {
        volo_json_free(root);
        return err;
    }
    *out = root;
    return 0;
}

static char *
write_value(size_t *len, const volo_json *value, const yyjson_alc *alc,
            yyjson_write_err *err)
{
    yyjson_val *parsed = volo__json_parsed(value);

    if (parsed)
        return yyjson_val_write_opts(parsed, 0, alc, len, err);
    return yyjson_mut_val_write_opts(&value->v, 0, alc, len, err);
}

int
volo_json_write(volo_str *out, volo_cx *cx, const volo_json *value)
{
    struct volo__json_mem mem;
    yyjson_alc alc =
        volo__json_alc(&mem, cx ? &cx->arena : NULL, VOLO__JSON_ARENA);
    yyjson_write_err err;
    size_t len = 0;
    char *text;

    if (!value)
        return VOLO_EINVAL;
    text = write_value(&len, value, &alc, &err);
    if (!text)
        return err.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? VOLO_ENOMEM
                                                                : VOLO_EINVAL;
    if (cx && mem.heap) {
        if (volo_cx_set_ext(cx, &written_key, text, volo_free) < 0)
            return VOLO_ENOMEM;
    } else if (cx) {
        volo__json_trim(&mem, len + 1);
    }
    *out = volo_str_make(text, len);
    return 0;
}
