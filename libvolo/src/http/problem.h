/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an error: RFC 9457 for clients that ask for JSON, else a short
 * text.  Shared by the rooms that must refuse and may not include each other.
 */
#ifndef VOLO_HTTP_PROBLEM_H
#define VOLO_HTTP_PROBLEM_H

#include <stddef.h>

#include <volo/types.h>

/* One value that was not accepted. */
struct volo__invalid {
    volo_str field;    /* its name */
    const char *where; /* "path", "query", "header", "cookie", "form", "body" */
    const char *reason;
};

/*
 * volo__problem_set(cx, status, detail, errors, n):
 * Make the response an error of ${status}: content and Content-Type, in the
 * place of what was there; it is not answered.  ${detail} may be NULL.  Where
 * memory runs out the response has no content, and VOLO_ENOMEM is returned.
 */
int volo__problem_set(volo_cx *cx, int status, const char *detail,
                      const struct volo__invalid *errors, size_t n);

#endif
