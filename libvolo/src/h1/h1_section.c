/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a head or of trailers, and the field lines in it.  It is parsed
 * where it was fed, and copied into the exchange's arena once, when it is
 * complete or when the octets that were fed go away; the pieces of one that
 * comes in parts lie one behind the other.  So a name or a value is always one
 * stretch of memory, and one that is not, is a folded line.
 */
#include <string.h>

#include "base/str.h"
#include "h1/state.h"

void
volo__h1_section_begin(struct volo__h1 *h1)
{
    h1->text = NULL;
    h1->size = 0;
    h1->cap = 0;
    h1->parsed = 0;
    h1->lines = 0;
    h1->repeated = 0;
    h1->name = volo_str_make(NULL, 0);
    h1->value = volo_str_make(NULL, 0);
}

/* Trailers come while another thread may own the exchange and its arena. */
static struct volo__arena *
arena_of(struct volo__h1 *h1)
{
    return h1->state == VOLO__H1_TRAILER ? &h1->parsing->late
                                         : &h1->parsing->arena;
}

static struct volo__fields *
fields_of(struct volo__h1 *h1)
{
    return h1->state == VOLO__H1_TRAILER ? &h1->parsing->req.trailers
                                         : &h1->parsing->req.headers;
}

/* Names of well-known fields do not point into the text. */
static inline void
rebase_str(volo_str *s, const char *from, size_t size, const char *to)
{
    size_t offset = (size_t)(s->ptr - from);

    if (s->ptr && offset <= size)
        s->ptr = to + offset;
}

/* The text has moved: let all that points into it follow. */
static void
rebase(struct volo__h1 *h1, char *to)
{
    const char *from = h1->text;
    size_t size = h1->size;
    struct volo__fields *fields = fields_of(h1);
    struct volo__request *req = &h1->parsing->req;
    uint32_t i;

    h1->text = to;
    rebase_str(&h1->name, from, size, to);
    rebase_str(&h1->value, from, size, to);
    for (i = 0; i < fields->count; i++) {
        if (!fields->v[i].id)
            rebase_str(&fields->v[i].name, from, size, to);
        rebase_str(&fields->v[i].value, from, size, to);
    }
    if (h1->state == VOLO__H1_TRAILER)
        return;
    rebase_str(&req->method_name, from, size, to);
    rebase_str(&req->target, from, size, to);
}

int
volo__h1_section_keep(struct volo__h1 *h1, size_t cap)
{
    char *copy;

    if (h1->cap || !h1->size)
        return 0;
    copy = volo__arena_bytes(arena_of(h1), cap);
    if (!copy)
        return VOLO_ENOMEM;
    memcpy(copy, h1->text, h1->size);
    rebase(h1, copy);
    h1->cap = (uint32_t)cap;
    return 0;
}

static int
grow(struct volo__h1 *h1, size_t size)
{
    size_t cap = h1->cap * 2 > size ? h1->cap * 2 : size;
    char *moved = volo__arena_extend(arena_of(h1), h1->text, h1->cap, cap);

    if (!moved)
        return VOLO_ENOMEM;
    if (moved != h1->text)
        rebase(h1, moved);
    h1->cap = (uint32_t)cap;
    return 0;
}

int
volo__h1_section_add(struct volo__h1 *h1, const char *ptr, size_t len)
{
    if (!h1->size) {
        h1->text = (char *)(uintptr_t)ptr;
        h1->size = (uint32_t)len;
        return 0;
    }
    if (h1->size + len > h1->cap && grow(h1, h1->size + len))
        return VOLO_ENOMEM;
    memcpy(h1->text + h1->size, ptr, len);
    h1->size += (uint32_t)len;
    return 0;
}

/* Names that are not well known lie in the arena by now. */
static void
lower_names(struct volo__fields *fields)
{
    uint32_t i;

    for (i = 0; i < fields->count; i++) {
        char *name = (char *)(uintptr_t)fields->v[i].name.ptr;
        size_t n;

        if (fields->v[i].id)
            continue;
        for (n = 0; n < fields->v[i].name.len; n++)
            name[n] = (char)volo__lower((unsigned char)name[n]);
    }
}

int
volo__h1_section_end(struct volo__h1 *h1)
{
    if (volo__h1_section_keep(h1, h1->size))
        return VOLO_ENOMEM;
    lower_names(fields_of(h1));
    return 0;
}

int
volo__h1_section_dropped(const struct volo__h1 *h1)
{
    return h1->state == VOLO__H1_TRAILER &&
           (!h1->parsing || h1->parsing->body.mode == VOLO__BODY_DISCARD);
}

/* ---- What the parser says ------------------------------------------------ */

static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
    struct volo__h1 *h1 = volo__h1_of(parser);

    if (volo__h1_section_dropped(h1))
        return 0;
    if (!h1->name.len)
        h1->name.ptr = at;
    h1->name.len += len;
    return 0;
}

static int
on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct volo__h1 *h1 = volo__h1_of(parser);

    if (volo__h1_section_dropped(h1) || !len)
        return 0;
    if (!h1->value.len) {
        h1->value.ptr = at;
    } else if (at != h1->value.ptr + h1->value.len) {
        h1->fault = 400; /* folded */
        return -1;
    }
    h1->value.len += len;
    return 0;
}

static int
add_line(struct volo__h1 *h1)
{
    struct volo__fields *fields = fields_of(h1);
    volo_str name = h1->name, value = h1->value;
    int id = volo__field_lookup(name.ptr, name.len);

    if (!value.len)
        value.ptr = name.ptr + name.len;
    while (value.len && (value.ptr[value.len - 1] == ' ' ||
                         value.ptr[value.len - 1] == '\t'))
        value.len--;
    if (h1->state == VOLO__H1_TRAILER && !volo__field_may_trail(id))
        return 0;
    if (id) {
        h1->repeated |= fields->seen & ((uint64_t)1 << id);
        name = volo__field_str(id);
    }
    return volo__fields_add(fields, arena_of(h1), id, name, value);
}

/* A line is complete.  Limits are looked at here and not in the middle of
 * one, so that the answer does not depend on how the line was split. */
static int
on_line(llhttp_t *parser)
{
    struct volo__h1 *h1 = volo__h1_of(parser);

    if (++h1->lines > h1->wire.config->field_limit) {
        h1->fault = 431;
        return -1;
    }
    if (volo__h1_section_dropped(h1))
        return 0;
    if (!h1->name.len) {
        h1->fault = 400;
        return -1;
    }
    if (add_line(h1)) {
        h1->fault = 503;
        return -1;
    }
    h1->name = volo_str_make(NULL, 0);
    h1->value = volo_str_make(NULL, 0);
    return 0;
}

static int
on_head(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

const llhttp_settings_t volo__h1_settings = {
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_line,
    .on_headers_complete = on_head,
    .on_body = volo__h1_on_body,
    .on_chunk_header = volo__h1_on_chunk,
    .on_chunk_extension_name = volo__h1_on_chunk_ext,
    .on_chunk_extension_value = volo__h1_on_chunk_ext,
    .on_message_complete = volo__h1_on_end,
};
