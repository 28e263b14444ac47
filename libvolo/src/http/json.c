/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON: parsed text and nodes alike.  Nothing here allocates but the
 * parser, and nothing recurses: the depth of a document costs no stack.
 */
#include <stdio.h>
#include <string.h>

#include <volo/cx.h>
#include <volo/error.h>

#include "base/alloc.h"
#include "http/cx.h"
#include "http/json_doc.h"

/* What went wrong in this thread; yyjson's messages are short. */
static _Thread_local char complaint[96];

/* A document above this is the cx's to free, not its arena's. */
static const char text_key = 0;

static void
complain(const char *what, size_t at)
{
    snprintf(complaint, sizeof(complaint), "%s at %zu", what, at);
}

const char *
volo_json_error(void)
{
    return complaint;
}

/* Values lie behind each other, contents after their container; so a walk
 * needs only the ends of the containers that it is in. */
static int
is_too_deep(yyjson_val *root)
{
    yyjson_val *ends[VOLO__JSON_DEPTH], *end = unsafe_yyjson_get_next(root), *v;
    size_t depth = 0;

    for (v = root; v < end; v++) {
        while (depth && v >= ends[depth - 1])
            depth--;
        if (!yyjson_is_ctn(v))
            continue;
        if (depth == VOLO__JSON_DEPTH)
            return 1;
        ends[depth++] = unsafe_yyjson_get_next(v);
    }
    return 0;
}

/* Where well-formed ${text} becomes too deep. */
static size_t
depth_position(volo_str text)
{
    size_t i, depth = 0;
    int quoted = 0;

    for (i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') &&
                 depth++ == VOLO__JSON_DEPTH)
            break;
        else if (!quoted && (c == ']' || c == '}'))
            depth--;
    }
    return i;
}

static int
read_text(yyjson_doc **out, struct volo__json_mem *mem,
          struct volo__arena *arena, volo_str text)
{
    yyjson_alc alc = volo__json_alc(mem, arena, SIZE_MAX);
    yyjson_read_err err;
    yyjson_doc *doc;

    /* Without the in-situ flag the text is only read. */
    doc =
        yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len, 0, &alc, &err);
    if (!doc) {
        if (err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
            return VOLO_ENOMEM;
        complain(text.len ? err.msg : "unexpected end of data", err.pos);
        return VOLO_EFORMAT;
    }
    if (is_too_deep(yyjson_doc_get_root(doc))) {
        complain("more than 128 levels", depth_position(text));
        yyjson_doc_free(doc);
        return VOLO_EFORMAT;
    }
    *out = doc;
    return 0;
}

static void
text_free(void *user)
{
    struct volo__json_text *t = user;

    yyjson_doc_free(t->doc);
    volo__free(t);
}

/* yyjson keeps the allocator in the document, so what that points to must be
 * there when it is freed. */
struct own_text {
    struct volo__json_text text;
    struct volo__json_mem mem;
};

static int
parse_own(struct volo__json_text **out, volo_str text)
{
    struct own_text *own = volo__malloc(sizeof(*own));
    int err;

    if (!own)
        return VOLO_ENOMEM;
    err = read_text(&own->text.doc, &own->mem, NULL, text);
    if (err < 0) {
        volo__free(own);
        return err;
    }
    *out = &own->text;
    return 0;
}

static int
parse_in_arena(struct volo__json_text **out, struct volo__arena *arena,
               volo_str text)
{
    struct volo__json_text *t = volo__arena_alloc(arena, sizeof(*t));
    struct volo__json_mem mem;
    int err;

    if (!t)
        return VOLO_ENOMEM;
    err = read_text(&t->doc, &mem, arena, text);
    if (err < 0)
        return err;
    *out = t;
    return 0;
}

int
volo_json_parse(volo_json **out, volo_cx *cx, volo_str text)
{
    struct volo__json_text *t = NULL;
    int own = !cx || text.len > VOLO__JSON_ARENA, err;

    complaint[0] = 0;
    if (!text.ptr)
        text = VOLO_STR("");
    err = own ? parse_own(&t, text) : parse_in_arena(&t, &cx->arena, text);
    if (err < 0)
        return err;
    t->root = yyjson_doc_get_root(t->doc);
    t->own = !cx;
    if (cx && own) {
        err = volo_cx_set_ext(cx, &text_key, t, text_free);
        if (err < 0)
            return err;
    }
    *out = (volo_json *)((uintptr_t)t | 2);
    return 0;
}

static void
document_free(struct volo__json_doc *doc)
{
    struct volo__arena *arena = doc->arena;

    volo__arena_clear(arena);
    volo__free(doc);
}

void
volo_json_free(volo_json *root)
{
    uintptr_t p = (uintptr_t)root;
    struct volo__json_text *t = (struct volo__json_text *)(p - 2);

    if (!root || (p & 1))
        return;
    if (p & 2) {
        if (t->own)
            text_free(t);
    } else if (root->doc->own && root == &root->doc->root) {
        document_free(root->doc);
    }
}

int
volo_json_type(const volo_json *value)
{
    switch (yyjson_get_type(volo__json_value(value))) {
    case YYJSON_TYPE_NULL:
        return VOLO_JSON_NULL;
    case YYJSON_TYPE_BOOL:
        return VOLO_JSON_BOOL;
    case YYJSON_TYPE_NUM:
        return VOLO_JSON_NUMBER;
    case YYJSON_TYPE_STR:
        return VOLO_JSON_STRING;
    case YYJSON_TYPE_ARR:
        return VOLO_JSON_ARRAY;
    case YYJSON_TYPE_OBJ:
        return VOLO_JSON_OBJECT;
    default:
        return VOLO_JSON_ABSENT;
    }
}

size_t
volo_json_len(const volo_json *value)
{
    yyjson_val *v = volo__json_value(value);

    return yyjson_is_ctn(v) ? yyjson_get_len(v) : 0;
}

volo_json *
volo_json_get(volo_json *object, const char *key)
{
    yyjson_val *parsed = volo__json_parsed(object);

    if (parsed)
        return volo__json_of_parsed(yyjson_obj_get(parsed, key));
    return (volo_json *)(void *)yyjson_mut_obj_get(object ? &object->v : NULL,
                                                   key);
}

/* In parsed text a value follows its key, and both follow their container. */
static yyjson_val *
next_parsed(yyjson_val *container, yyjson_val *value)
{
    yyjson_val *next = value ? unsafe_yyjson_get_next(value) : container + 1;

    if (next >= unsafe_yyjson_get_next(container))
        return NULL;
    return next + yyjson_is_obj(container);
}

/* Nodes are in a ring, the container points to the last: of an object, to the
 * key of the last. */
static volo_json *
next_node(const volo_json *container, const volo_json *value)
{
    yyjson_mut_val *last = container->v.uni.ptr;
    int object = yyjson_mut_is_obj((yyjson_mut_val *)(uintptr_t)container);
    yyjson_mut_val *next;

    if (value && last == (object ? value->key : &value->v))
        return NULL;
    if (value)
        next = value->v.next;
    else
        next = object ? last->next->next : last->next;
    return (volo_json *)(void *)(object ? next->next : next);
}

volo_json *
volo_json_next(const volo_json *container, const volo_json *value)
{
    yyjson_val *parsed = volo__json_parsed(container);

    if (volo_json_len(container) == 0)
        return NULL;
    if (!parsed)
        return next_node(container, value);
    return volo__json_of_parsed(
        next_parsed(parsed, value ? volo__json_parsed(value) : NULL));
}

volo_str
volo_json_key(const volo_json *object, const volo_json *value)
{
    yyjson_val *parsed = volo__json_parsed(value), *key;

    if (!value || volo_json_type(object) != VOLO_JSON_OBJECT)
        return volo_str_make(NULL, 0);
    key = parsed ? parsed - 1 : (yyjson_val *)(void *)value->key;
    return volo_str_make(yyjson_get_str(key), yyjson_get_len(key));
}

volo_json *
volo_json_at(volo_json *array, size_t i)
{
    yyjson_val *parsed = volo__json_parsed(array);
    volo_json *value;

    if (i >= volo_json_len(array))
        return NULL;
    /* Without containers among them, elements are found at once. */
    if (parsed && yyjson_is_arr(parsed))
        return volo__json_of_parsed(yyjson_arr_get(parsed, i));
    value = volo_json_next(array, NULL);
    while (i-- > 0)
        value = volo_json_next(array, value);
    return value;
}

volo_str
volo_json_key_at(volo_json *object, size_t i)
{
    return volo_json_key(object, volo_json_at(object, i));
}

volo_str
volo_json_str(const volo_json *value)
{
    yyjson_val *v = volo__json_value(value);

    if (!yyjson_is_str(v))
        return volo_str_make(NULL, 0);
    return volo_str_make(yyjson_get_str(v), yyjson_get_len(v));
}

/* An integer of text that is too long for 64 bits has become a real. */
static int
no_integer(yyjson_val *v)
{
    double real;

    if (!v)
        return VOLO_EMISSING;
    real = yyjson_is_real(v) ? yyjson_get_real(v) : 0;
    if (real >= 18446744073709551616.0 || real < -9223372036854775808.0)
        return VOLO_ERANGE;
    return VOLO_EVALUE;
}

int
volo_json_i64(int64_t *out, const volo_json *value)
{
    yyjson_val *v = volo__json_value(value);

    if (!yyjson_is_int(v))
        return no_integer(v);
    if (yyjson_is_uint(v) && yyjson_get_uint(v) > INT64_MAX)
        return VOLO_ERANGE;
    *out = yyjson_get_sint(v);
    return 0;
}

int
volo_json_u64(uint64_t *out, const volo_json *value)
{
    yyjson_val *v = volo__json_value(value);

    if (!yyjson_is_int(v))
        return no_integer(v);
    if (yyjson_is_sint(v) && yyjson_get_sint(v) < 0)
        return VOLO_ERANGE;
    *out = yyjson_get_uint(v);
    return 0;
}

int
volo_json_f64(double *out, const volo_json *value)
{
    yyjson_val *v = volo__json_value(value);

    if (!yyjson_is_num(v))
        return v ? VOLO_EVALUE : VOLO_EMISSING;
    *out = yyjson_get_num(v);
    return 0;
}

int
volo_json_bool(const volo_json *value)
{
    return yyjson_is_true(volo__json_value(value));
}
