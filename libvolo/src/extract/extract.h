/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef VOLO_EXTRACT_EXTRACT_H
#define VOLO_EXTRACT_EXTRACT_H

#include <volo/extract.h>

#include "http/cx.h"
#include "http/problem.h"

struct volo_extract {
    volo_cx *cx;
    struct volo__invalid *errors;
    size_t count;
    size_t cap;
    int status; /* 0: nothing was refused */
    int err;    /* the first error */

    /* What was parsed once for all who ask, or the error that was refused
     * once for all. */
    volo_json *doc;
    volo_form *form;
    volo_form *query;
    int doc_err;
    int form_err;
    int query_err;
};

/* volo__extract_where(source): "path", "query", ... */
const char *volo__extract_where(int source);

/* volo__extract_refuse(x, err, source, name, reason): note it with the status
 * of ${err}, which is returned. */
int volo__extract_refuse(volo_extract *x, int err, int source, const char *name,
                         const char *reason);

/*
 * volo__extract_find(x, out, source, name):
 * The text ${name} at ${source}.  VOLO_ENOENT: it is not there.  Any other
 * error has been refused already.
 */
int volo__extract_find(volo_extract *x, volo_str *out, int source,
                       const char *name);

/*
 * volo__extract_member(x, out, name):
 * Member ${name} of the JSON body, the whole of it for "".  VOLO_ENOENT: it is
 * not there, or null, or there is no body.  Other errors have been refused.
 */
int volo__extract_member(volo_extract *x, volo_json **out, const char *name);

/* volo__extract_form(x, out): the body as a form, of no fields if there is
 * none.  Errors are refused. */
int volo__extract_form(volo_extract *x, volo_form **out);

/* volo__extract_query(x, out): the query likewise. */
int volo__extract_query(volo_extract *x, volo_form **out);

/*
 * volo__extract_absent(x, source, name, fallback):
 * What follows from a value that is not there: 0 to go on with ${fallback}, 1
 * if it may be absent, else it is refused: VOLO_EMISSING.
 */
int volo__extract_absent(volo_extract *x, int source, const char *name,
                         const char *fallback);

#endif
