/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RFC 9110 demands of requests and responses, whichever HTTP carries
 * them.  For codecs: knows no framing.
 */
#ifndef VOLO_HTTP_MESSAGE_H
#define VOLO_HTTP_MESSAGE_H

#include "http/cx.h"

enum { VOLO__METHOD_LIMIT = 64 }; /* octets */

/*
 * volo__cx_take_target(cx, method, authority):
 * Take cx->req.target apart, as of a request with ${method}: path and query of
 * ${cx} follow from it.  What authority it names itself, absent if none, goes
 * to ${authority}, which may be NULL.  0 or the status to refuse it with.
 */
int volo__cx_take_target(volo_cx *cx, int method, volo_str *authority);

/* volo__cx_take_expect(cx, has_content): whether "100 Continue" is waited for
 * (RFC 9110 section 10.1.1).  0, or 417 for whatever else is expected. */
int volo__cx_take_expect(volo_cx *cx, int has_content);

/* volo__cx_has_no_content(cx): its response, whatever there is of a body. */
static inline int
volo__cx_has_no_content(const volo_cx *cx)
{
    int status = cx->res.status;

    return cx->req.method == VOLO_HEAD || status < 200 || status == 204 ||
           status == 304;
}

/* volo__cx_is_tunnel(cx): what follows its response is none of ours. */
static inline int
volo__cx_is_tunnel(const volo_cx *cx)
{
    return cx->req.method == VOLO_CONNECT && cx->res.status / 100 == 2;
}

/* volo__cx_has_length(cx): whether its response may say one (RFC 9110 section
 * 8.6): not 204 and 1xx; 304 if it is that of the content which 200 would have
 * had. */
static inline int
volo__cx_has_length(const volo_cx *cx)
{
    int status = cx->res.status;

    return status >= 200 && status != 204 && !volo__cx_is_tunnel(cx) &&
           (status != 304 || cx->res.body.len);
}

#endif
