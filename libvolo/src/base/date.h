/* SPDX-License-Identifier: Apache-2.0 */
/* A second as the text that internet protocols write (RFC 9110 5.6.7). */
#ifndef VOLO_BASE_DATE_H
#define VOLO_BASE_DATE_H

#include <stdint.h>

enum { VOLO__DATE_LEN = 29 };

/*
 * volo__date_format(out, s):
 * Write ${s} seconds since 1970 as "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL,
 * 30 octets in all, to ${out}.  What the form cannot say, before the year 0
 * or after 9999, becomes the nearest that it can.
 */
void volo__date_format(char *out, int64_t s);

#endif
