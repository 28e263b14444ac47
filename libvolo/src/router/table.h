/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frozen router is: arrays that are only read, by all threads.  Names
 * and patterns are borrowed from the routes they were compiled from.
 */
#ifndef VOLO_ROUTER_TABLE_H
#define VOLO_ROUTER_TABLE_H

#include "base/arena.h"
#include "router/router.h"
#include "router/tree.h"

enum { VOLO__LEAF_METHODS = 10 }; /* those with a number, and the others */

struct volo__table;

/* Where a table or a service is nested: runs at the end of a chain. */
struct volo__place {
    unsigned segs;             /* of the prefix, to be cut off */
    struct volo_next *chain;   /* what is nested, with its layers */
    struct volo__table *table; /* if it is a router */
};

/* What a match leads to. */
struct volo__endpoint {
    struct volo_next *chain;
    const volo_route *route; /* guards and method */
    struct volo__place *place;
    volo_str pattern; /* the whole of it; absent for a nested router */
};

typedef struct volo__endpoint *const *volo__endpoints; /* ends in NULL */

struct volo__leaf_other {
    volo_str name;
    volo__endpoints list;
};

struct volo__leaf {
    volo__endpoints by[VOLO__LEAF_METHODS]; /* [VOLO_ANY]: not known ones */
    volo__endpoints all;                    /* in order of registration */
    const volo_str *names;                  /* of the parameters */
    struct volo__leaf_other *others;        /* methods without a number */
    uint16_t name_count;
    uint16_t other_count;
    uint16_t guarded; /* some route has a guard */
    volo_str allow;   /* if none has */
};

struct volo__table_host {
    const struct volo__vhost *host;
    struct volo_next *chain;
    struct volo__table *table;
    volo_str name; /* of its parameter */
};

/* Something that goes when the table goes. */
struct volo__owned {
    struct volo__owned *next;
    struct volo_next *chain;
    struct volo__table *table;
};

struct volo__table {
    struct volo__tree tree;
    struct volo__leaf *leaves;
    struct volo__table_host *hosts; /* in order of search */
    unsigned host_count;
    unsigned host_exact; /* how many of them are exact */
    int slash;
    int clean;
    int auto_options;
    int nested; /* there is a prefix */
    struct volo_next *fallback;
    struct volo_next *method_fallback;
    struct volo__endpoint *endpoints;
    uint32_t endpoint_count;
    struct volo__arena arena; /* all of this but tree and chains */
    struct volo__owned *owned;
};

/* What a table takes from the one around it. */
struct volo__inherit {
    volo_str prefix; /* of patterns */
    struct volo_next *fallback;
    struct volo_next *method_fallback;
    int slash;
    int clean;
    int auto_options;
    int nested;
};

/* volo__table_new(out, router, from): VOLO_ENOMEM. */
int volo__table_new(struct volo__table **out, const volo_router *router,
                    const struct volo__inherit *from);

/* volo__table_free(table): with those in it; NULL is ignored. */
void volo__table_free(struct volo__table *table);

/* volo__table_run: a volo_service_fn whose user is a table. */
void volo__table_run(volo_cx *cx, void *table);

/* volo__leaf_make(table, leaf, items, count): from the endpoints that are the
 * users of ${items}.  VOLO_ENOMEM. */
int volo__leaf_make(struct volo__table *table, struct volo__leaf *leaf,
                    const struct volo__tree_item *items, uint32_t count);

/* volo__leaf_list(leaf, cx): what may answer ${cx}, in order. */
volo__endpoints volo__leaf_list(const struct volo__leaf *leaf,
                                const volo_cx *cx);

/* volo__leaf_there(endpoint, cx): do its guards say yes? */
int volo__leaf_there(const struct volo__endpoint *endpoint, volo_cx *cx);

/* volo__leaf_allow(leaf, table, cx): the value of Allow; absent: no memory. */
volo_str volo__leaf_allow(const struct volo__leaf *leaf,
                          const struct volo__table *table, volo_cx *cx);

/* volo__place_run: a volo_service_fn whose user is a volo__place. */
void volo__place_run(volo_cx *cx, void *place);

/* volo__place_strip(place, path): ${path} as it looks from there. */
volo_str volo__place_strip(const struct volo__place *place, volo_str path);

/* volo__hosts_sort(table): the hosts into their order of search. */
void volo__hosts_sort(struct volo__table *table);

/* volo__hosts_find(out, table, authority): ${out} is the parameter's value. */
const struct volo__table_host *volo__hosts_find(volo_str *out,
                                                const struct volo__table *table,
                                                volo_str authority);

/*
 * volo__path_decode(out, cx, path):
 * ${path} without its escapes: itself if there are none, else in the arena,
 * with an octet 0 for each encoded slash.  VOLO_EFORMAT, VOLO_ENOMEM.
 */
int volo__path_decode(volo_str *out, volo_cx *cx, volo_str path);

/* volo__path_exists(table, cx, path): does ${path} lead anywhere? */
int volo__path_exists(const struct volo__table *table, volo_cx *cx,
                      volo_str path);

/* volo__path_other(out, cx, path): with, or without, the slash at its end.  0
 * if there is no such path, or no memory. */
int volo__path_other(volo_str *out, volo_cx *cx, volo_str path);

/* volo__redirect_slash(table, cx), volo__redirect_clean(table, cx): 1 if it
 * has answered with the path that exists. */
int volo__redirect_slash(const struct volo__table *table, volo_cx *cx);
int volo__redirect_clean(const struct volo__table *table, volo_cx *cx);

#endif
