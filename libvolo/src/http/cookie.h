/* SPDX-License-Identifier: Apache-2.0 */
/* Cookie and Set-Cookie (RFC 6265). */
#ifndef VOLO_HTTP_COOKIE_H
#define VOLO_HTTP_COOKIE_H

#include <volo/types.h>

/* volo__cookie_next(rest, name, value): the next pair of a Cookie field,
 * without quotes; broken pairs are skipped.  0 at the end. */
int volo__cookie_next(volo_str *rest, volo_str *name, volo_str *value);

/* volo__cookie_find(out, field, name): the first of that name; names are case
 * sensitive.  VOLO_ENOENT. */
int volo__cookie_find(volo_str *out, volo_str field, volo_str name);

/* volo__cookie_name_valid(s), volo__cookie_value_valid(s): what a server may
 * send (section 4.1.1). */
int volo__cookie_name_valid(volo_str s);
int volo__cookie_value_valid(volo_str s);

#endif
