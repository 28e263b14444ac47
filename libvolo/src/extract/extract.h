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

    /* What was parsed once for all who ask. */
    volo_json *doc;
    volo_form *form;
    volo_form *query;
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

/* volo__extract_doc(x, out): the body as JSON, once.  Errors are refused. */
int volo__extract_doc(volo_extract *x, volo_json **out);

/* volo__extract_form(x, out): the body as a form, once.  Errors are refused. */
int volo__extract_form(volo_extract *x, volo_form **out);

/*
 * volo__extract_absent(x, source, name, fallback):
 * What follows from a value that is not there: 0 to go on with ${fallback}, 1
 * if it may be absent, else it is refused: VOLO_EMISSING.
 */
int volo__extract_absent(volo_extract *x, int source, const char *name,
                         const char *fallback);

#endif
