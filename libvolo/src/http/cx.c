/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an exchange: made in a slab, shared by codec, chain and owner,
 * freed when all three have let go.  Knows no protocol and no layer.
 */
#include "http/codec.h"

#include <stddef.h>
#include <string.h>

#include "base/tls_info.h"

volo_cx *
volo__cx_new(struct volo__home *home)
{
    volo_cx *cx = volo__home_slab(home);

    if (!cx)
        return NULL;

    /* The rooms at the end are only read as far as they were filled. */
    memset(cx, 0, offsetof(volo_cx, req_room));
    cx->home = home;
    atomic_init(&cx->owners, 1);
    atomic_init(&cx->keeps, 1);
    cx->frames = cx->frame_room;
    cx->frame_cap = VOLO__FRAMES;
    cx->res.status = 200;
    cx->body.limit = UINT64_MAX;
    cx->write_limit = 65536;
    volo__fields_init(&cx->req.headers, cx->req_room, VOLO__REQ_FIELDS);
    volo__fields_init(&cx->res.headers, cx->res_room, VOLO__RES_FIELDS);
    volo__arena_init(&cx->arena, cx + 1, VOLO__SLAB_SIZE - sizeof *cx);
    volo__arena_init(&cx->late, cx->late_room, sizeof cx->late_room);
    home->live++;
    return cx;
}

static void
free_exts(volo_cx *cx)
{
    struct volo__ext *ext = cx->exts;

    for (; ext != cx->ext_base; ext = ext->next)
        if (ext->value_free)
            ext->value_free(ext->value);
    cx->exts = cx->ext_base;
}

static void
free_hooks(struct volo__hook *hook)
{
    for (; hook; hook = hook->next)
        if (hook->user_free)
            hook->user_free(hook->user);
}

static void
free_body(struct volo__body *body)
{
    if (body->block)
        volo__block_unref(body->block);
    else if (body->cap)
        volo__free((char *)(uintptr_t)body->data.ptr);
}

/* Give the memory back.  An elder waited for this one. */
static void
cx_free(volo_cx *cx)
{
    struct volo__home *home = cx->home;
    volo_cx *elder = cx->elder;

    if (cx->gone)
        cx->gone(cx->gone_user);
    if (cx->res.release)
        cx->res.release(cx->res.release_user);
    free_hooks(cx->cancels);
    free_hooks(cx->finishes);
    free_exts(cx);
    free_body(&cx->body);
    if (cx->res.writer)
        volo__writer_fini(cx->res.writer);
    if (cx->peer_copy.tls)
        volo__tls_info_unref(cx->peer_copy.tls_info);
    volo__arena_clear(&cx->late);
    volo__arena_clear(&cx->arena);
    volo__home_slab_free(home, cx);

    if (elder) {
        elder->heirs--;
        volo__cx_settle(elder);
    }
    volo__home_exchange_gone(home);
}

void
volo__cx_discard(volo_cx *cx)
{
    cx_free(cx);
}

/* The hooks leave the list before they run: what they free is not freed
 * again. */
static void
run_finishes(volo_cx *cx)
{
    struct volo__hook *hook;

    cx->finished = 1;
    while ((hook = cx->finishes) != NULL) {
        cx->finishes = hook->next;
        hook->fn(cx, hook->user);
        if (hook->user_free)
            hook->user_free(hook->user);
    }
}

void
volo__cx_settle(volo_cx *cx)
{
    if (!cx->detached || !cx->unwound)
        return;
    if (!cx->finished && cx->finishes && cx->released) {
        /* Hooks may post: owned while they run, and released once more. */
        cx->released = 0;
        volo_cx_ref(cx);
        run_finishes(cx);
        volo_cx_unref(cx);
        return;
    }
    if (!cx->finished)
        run_finishes(cx);
    if (cx->released && !cx->heirs && !cx->over) {
        cx->over = 1;
        volo_cx_unkeep(cx);
    }
}

volo_cx *
volo_cx_keep(volo_cx *cx)
{
    atomic_fetch_add_explicit(&cx->keeps, 1, memory_order_relaxed);
    return cx;
}

static void
unkept_arrives(struct volo__task *task)
{
    cx_free(
        (volo_cx *)(void *)((char *)task - offsetof(volo_cx, release_task)));
}

/* With the last, nobody else has it: the task that told of the last owner has
 * arrived long ago. */
void
volo_cx_unkeep(volo_cx *cx)
{
    if (!cx ||
        atomic_fetch_sub_explicit(&cx->keeps, 1, memory_order_acq_rel) != 1)
        return;
    if (volo__here == cx->home) {
        cx_free(cx);
        return;
    }
    cx->release_task.run = unkept_arrives;
    volo__home_post(cx->home, &cx->release_task);
}

void
volo__cx_detach(volo_cx *cx)
{
    if (cx->detached)
        return;

    cx->codec = NULL;
    cx->conn = NULL;

    /* What follows may drop the last reference, but not free the cx: it is
     * not detached yet.  A response that is still on its way here is closed
     * when it arrives: until then all of it is its owner's. */
    if (cx->res.sent && cx->res.writer)
        volo__writer_close(cx->res.writer);
    if (cx->body.reading)
        volo__body_abandon(cx);
    cx->detached = 1;
    volo__cx_settle(cx);
}

/* Not one whose last reference has gone, and is on its way here. */
static int
hold(volo_cx *cx)
{
    int owners = atomic_load(&cx->owners);

    while (owners > 0)
        if (atomic_compare_exchange_weak(&cx->owners, &owners, owners + 1))
            return 1;
    return 0;
}

void
volo__cx_tell_canceled(volo_cx *cx)
{
    struct volo__hook *hook;

    if (!cx->cancels || !hold(cx))
        return;
    while ((hook = cx->cancels) != NULL) {
        cx->cancels = hook->next;
        hook->fn(cx, hook->user);
        if (hook->user_free)
            hook->user_free(hook->user);
    }
    volo_cx_unref(cx);
}

void
volo__cx_cancel(volo_cx *cx, int err)
{
    if (cx->detached)
        return;
    atomic_store(&cx->canceled, 1);

    /* First, so that an owner who is told and gives up at once finds nobody
     * to send an answer to. */
    cx->codec = NULL;
    if (atomic_load(&cx->state) == VOLO__OPEN)
        volo__cx_tell_canceled(cx);
    volo__body_fail(cx, err);
    volo__cx_detach(cx);
}

int
volo_cx_is_canceled(const volo_cx *cx)
{
    return atomic_load(&cx->canceled);
}

int
volo_cx_is_answered(const volo_cx *cx)
{
    return atomic_load(&cx->state) == VOLO__ANSWERED;
}

/* Whoever owns the exchange may be at work in its arena meanwhile. */
static int
hook_add(struct volo__hook **list, volo_cx *cx, void (*fn)(volo_cx *, void *),
         void *user, volo_free_fn user_free)
{
    struct volo__hook *hook = volo__arena_alloc(&cx->late, sizeof *hook);

    if (!hook)
        return VOLO_ENOMEM;
    hook->next = *list;
    hook->fn = fn;
    hook->user = user;
    hook->user_free = user_free;
    *list = hook;
    return 0;
}

int
volo_cx_on_cancel(volo_cx *cx, volo_cancel_fn fn, void *user,
                  volo_free_fn user_free)
{
    int err;

    if (volo__here != cx->home)
        err = VOLO_ETHREAD;
    else if (atomic_load(&cx->canceled))
        err = VOLO_ECANCELED;
    else
        err = hook_add(&cx->cancels, cx, fn, user, user_free);
    if (err && user_free)
        user_free(user);
    return err;
}

int
volo_cx_on_finish(volo_cx *cx, volo_finish_fn fn, void *user,
                  volo_free_fn user_free)
{
    int err;

    if (volo__here != cx->home)
        err = VOLO_ETHREAD;
    else
        err = hook_add(&cx->finishes, cx, fn, user, user_free);
    if (err && user_free)
        user_free(user);
    return err;
}

void *
volo_cx_alloc(volo_cx *cx, size_t size)
{
    return volo__arena_alloc(&cx->arena, size);
}

volo_str
volo_cx_strdup(volo_cx *cx, volo_str s)
{
    return volo__arena_dup(&cx->arena, s);
}

int
volo_cx_set_ext(volo_cx *cx, const void *key, void *value,
                volo_free_fn value_free)
{
    struct volo__ext *ext = volo__arena_alloc(&cx->arena, sizeof *ext);

    if (!ext) {
        if (value_free)
            value_free(value);
        return VOLO_ENOMEM;
    }

    /* Only ever put in front: who remembers the list has a snapshot. */
    ext->next = cx->exts;
    ext->key = key;
    ext->value = value;
    ext->value_free = value_free;
    cx->exts = ext;
    return 0;
}

static const struct volo__ext *
find_ext(const struct volo__ext *ext, const void *key)
{
    while (ext && ext->key != key)
        ext = ext->next;
    return ext;
}

void *
volo_cx_ext(const volo_cx *cx, const void *key)
{
    const struct volo__ext *ext = find_ext(cx->exts, key);
    const struct volo__scope_link *scope = cx->scopes;

    for (; !ext && scope; scope = scope->outer)
        ext = find_ext(scope->states, key);
    return ext ? ext->value : NULL;
}
