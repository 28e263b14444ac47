/* SPDX-License-Identifier: Apache-2.0 */
/* application/x-www-form-urlencoded: queries and forms, repeated keys kept. */
#ifndef VOLO_HTTP_QUERY_H
#define VOLO_HTTP_QUERY_H

#include <volo/types.h>

struct volo__arena;

/*
 * volo__query_next(rest, name, value):
 * Take the next pair from ${rest}, still encoded; a name without "=" has an
 * empty value.  0 at the end.
 */
int volo__query_next(volo_str *rest, volo_str *name, volo_str *value);

/*
 * volo__query_find(out, a, query, name, nth):
 * The value of the ${nth} (from 0) pair named ${name}, decoded: borrowed from
 * ${query} if nothing was encoded, else in ${a}.  VOLO_ENOENT, VOLO_EFORMAT,
 * VOLO_ENOMEM.
 */
int volo__query_find(volo_str *out, struct volo__arena *a, volo_str query,
                     volo_str name, unsigned nth);

#endif
