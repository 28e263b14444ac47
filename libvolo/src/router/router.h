/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A router from inside, in its two lives.  While it is built it is a list of
 * routes (struct volo_router).  Freezing compiles that, with all that is
 * nested in it, into tables (struct volo__table), which are only read.  A
 * router nested in two places is compiled once for each, so that a table knows
 * its whole prefix and what it inherits.
 */
#ifndef VOLO_ROUTER_ROUTER_H
#define VOLO_ROUTER_ROUTER_H

#include <stdatomic.h>

#include <volo/router.h>

#include "router/pattern.h"
#include "service/service.h"

/* ---- While it is built --------------------------------------------------- */

enum volo__route_kind {
    VOLO__ROUTE, /* a method and a pattern */
    VOLO__NEST,  /* a router below a prefix */
    VOLO__MOUNT, /* any other service below a prefix */
    VOLO__JOIN   /* a router that shares the paths: group "", merge */
};

struct volo__guard {
    volo_guard_fn fn;
    void *user;
    volo_free_fn user_free;
};

struct volo_route {
    volo_router *router;
    uint8_t kind;
    uint8_t method; /* VOLO_ANY, ..., VOLO_OTHER */
    uint8_t claim_count;
    uint8_t guard_count;
    uint8_t guard_cap;
    char *method_name; /* of VOLO_OTHER */
    char *name;
    volo_service *service; /* a reference */
    volo_router *inner;    /* whose service that is, in NEST and JOIN */
    struct volo__guard *guards;
    struct volo__layers layers;
    struct volo__pattern *pattern; /* the route's, or the prefix */
    /* What it matches: the pattern; or the prefix, itself, with a slash, and
     * with anything behind it.  claims[0] may be the pattern itself. */
    struct volo__pattern *claims[3];
};

enum volo__vhost_kind {
    VOLO__HOST_EXACT = 0,
    VOLO__HOST_PARAM, /* one label, then the text */
    VOLO__HOST_ANY    /* one or more labels, then the text */
};

struct volo__vhost {
    uint8_t kind; /* in order of priority */
    char *text;   /* lower case: the host, or what is behind "*" or "}" */
    size_t len;
    char *source;                /* as written */
    struct volo__pattern *param; /* "/{name}", to compare names; or NULL */
    volo_router *inner;
};

struct volo_router {
    atomic_int refs;
    volo_service service;
    volo_route **routes;
    unsigned count;
    unsigned cap;
    struct volo__vhost **hosts;
    unsigned host_count;
    unsigned host_cap;
    struct volo__ext *states;
    volo_service *fallback;
    volo_service *method_fallback;
    int8_t slash; /* these three: -1 as the outer router has it */
    int8_t clean;
    int8_t auto_options;
    uint8_t joined;            /* shares the paths of outer */
    volo_router *outer;        /* of a group; borrowed */
    const volo_route *place;   /* where in outer */
    struct volo__table *table; /* when frozen */
    char error[400];
};

/* volo__router_fail(router, err, format, ...): note the words; returns err. */
int volo__router_fail(volo_router *router, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* volo__router_change(router): begin a change: no error yet.  VOLO_EBUSY. */
int volo__router_change(volo_router *router);

/* volo__router_of(service): the router whose service it is, or NULL. */
volo_router *volo__router_of(volo_service *service);

/* volo__router_contains(a, b): 1 if ${b} is ${a} or somewhere in it. */
int volo__router_contains(const volo_router *a, const volo_router *b);

/* volo__route_add(route): to its router, which owns it then.  VOLO_ENOMEM. */
int volo__route_add(volo_route *route);

/* volo__route_free(route): with all it has; NULL is ignored. */
void volo__route_free(volo_route *route);

/* volo__route_method(route): its method's name; "*" for any. */
const char *volo__route_method(const volo_route *route);

/* volo__router_fallback_of(router, member): its own or, by merging, another's
 * fallback, or its method fallback: ${member} 0 or 1; NULL. */
volo_service *volo__router_fallback_of(const volo_router *router, int member);

/* volo__vhost_new(out, host): without a router yet.  VOLO_EINVAL, VOLO_ENOMEM.
 */
int volo__vhost_new(struct volo__vhost **out, volo_str host);

/* volo__vhost_free(host): NULL is ignored. */
void volo__vhost_free(struct volo__vhost *host);

/* ---- What may not be twice (claim.c) ------------------------------------- */

/* volo__claim_check(route): may it join its router?  VOLO_EEXIST, in words. */
int volo__claim_check(const volo_route *route);

/* volo__claim_merge(router, other): the same for all that ${other} has. */
int volo__claim_merge(volo_router *router, const volo_router *other);

/* volo__claim_params(router, prefix, inner): no parameter of ${prefix} again
 * in ${inner}.  VOLO_EEXIST. */
int volo__claim_params(volo_router *router, const struct volo__pattern *prefix,
                       const volo_router *inner);

/* volo__claim_outer(router, inner): the same for each prefix that ${router}
 * is a group at, or in. */
int volo__claim_outer(volo_router *router, const volo_router *inner);

/* volo__claim_names(router, inner): no route's name twice. */
int volo__claim_names(volo_router *router, const volo_router *inner);

/* volo__route_named(router, name): a route, also in nested ones; NULL. */
const volo_route *volo__route_named(const volo_router *router, volo_str name);

/* volo__router_top(router): the outermost router that it is a group of. */
const volo_router *volo__router_top(const volo_router *router);

#endif
