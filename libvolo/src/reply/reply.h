/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef VOLO_REPLY_REPLY_H
#define VOLO_REPLY_REPLY_H

#include <volo/reply.h>

#include "http/problem.h"

/*
 * volo__reply_late(cx): 0 if ${cx} is still to be answered; else what
 * volo_cx_answer() says.  What has been answered is not the caller's any more,
 * whether it has left or not: nothing of it may be touched.
 */
int volo__reply_late(volo_cx *cx);

/* volo__reply_failed(cx, err): an answer could not be made: 503 for lack of
 * memory, else 500, in its place, unless it is answered.  Returns ${err}. */
int volo__reply_failed(volo_cx *cx, int err);

/* volo__cookie_line(out, cx, name, value, attributes): the value of a
 * Set-Cookie field, in memory of ${cx}.  VOLO_EINVAL, VOLO_ENOMEM. */
int volo__cookie_line(volo_str *out, volo_cx *cx, const char *name,
                      volo_str value, const char *attributes);

#endif
