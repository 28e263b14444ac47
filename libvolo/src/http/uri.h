/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets (RFC 9112 section 3.2) and authorities (RFC 3986 3.2). */
#ifndef VOLO_HTTP_URI_H
#define VOLO_HTTP_URI_H

#include <volo/types.h>

struct volo__target {
    volo_str path;      /* "*" in asterisk form, absent in authority form */
    volo_str query;     /* absent if there is no "?" */
    volo_str scheme;    /* only in absolute form */
    volo_str authority; /* in absolute and authority form */
};

/*
 * volo__target_parse(out, method, target):
 * Take ${target} apart: origin form, absolute form (http and https), authority
 * form (only for ${method} CONNECT), asterisk form (only for OPTIONS).  A
 * fragment, a space, a control octet or one above 0x7e is refused, and so is
 * a path with a NUL or a broken percent-escape.  VOLO_EPROTO.
 */
int volo__target_parse(struct volo__target *out, int method, volo_str target);

/*
 * volo__authority_valid(s): a host, which may be empty, with an optional port
 * and no userinfo: what a Host field may hold (RFC 9112 section 3.2).
 */
int volo__authority_valid(volo_str s);

/* volo__authority_host(s): the host without the port; brackets stay. */
volo_str volo__authority_host(volo_str s);

#endif
