/* SPDX-License-Identifier: Apache-2.0 */
/* Octets and text: classes, numbers, percent-encoding.  No HTTP. */
#ifndef VOLO_BASE_STR_H
#define VOLO_BASE_STR_H

#include <stddef.h>
#include <stdint.h>

#include <volo/types.h>

/* volo__lower(c): ASCII only. */
static inline unsigned char
volo__lower(unsigned char c)
{
    return (unsigned char)(c | ((unsigned)(c - 'A') < 26u ? 0x20 : 0));
}

/* volo__str_lower(to, s): ${s} in lower case, into as many octets; they may be
 * the same. */
void volo__str_lower(char *to, volo_str s);

/* volo__str_ieq(a, b): the same but for the case of ASCII letters. */
int volo__str_ieq(volo_str a, volo_str b);

/* volo__str_trim(s): without SP and HTAB at both ends (OWS, RFC 9110 5.6.3). */
volo_str volo__str_trim(volo_str s);

/* volo__is_token(s): a non-empty token (RFC 9110 section 5.6.2). */
int volo__is_token(volo_str s);

/* volo__is_field_value(s): no control octet but HTAB (RFC 9110 5.5). */
int volo__is_field_value(volo_str s);

/*
 * volo__list_next(list, item):
 * Take the next element of the comma-separated ${list} (RFC 9110 5.6.1),
 * trimmed, quoted commas respected, empty ones skipped.  0 at the end.
 */
int volo__list_next(volo_str *list, volo_str *item);

/* volo__list_has(list, token): 1 if an element is ${token} in any case. */
int volo__list_has(volo_str list, const char *token);

/* volo__u64_format(out, n): decimal digits of ${n} to ${out}, 20 at most, no
 * NUL; returns how many. */
size_t volo__u64_format(char *out, uint64_t n);

/* volo__hex_format(out, n): lower-case hexadecimal, 16 at most. */
size_t volo__hex_format(char *out, uint64_t n);

/* volo__u64_parse(out, s): only digits, at least one.  VOLO_EFORMAT,
 * VOLO_ERANGE. */
int volo__u64_parse(uint64_t *out, volo_str s);

/* volo__i64_parse(out, s): the same with a sign. */
int volo__i64_parse(int64_t *out, volo_str s);

/* volo__percent_decode(out, s, plus): decode ${s} to ${out}, which has room
 * for s.len octets and may be s.ptr; "+" is a space if ${plus}.  Returns the
 * length, or VOLO_EFORMAT for a bad escape. */
ptrdiff_t volo__percent_decode(char *out, volo_str s, int plus);

/* volo__percent_encode(out, s, keep): encode all but unreserved characters
 * and those in ${keep}; ${out} has room for 3 * s.len.  Returns the length. */
size_t volo__percent_encode(char *out, volo_str s, const char *keep);

/* volo__utf8_valid(s): well-formed UTF-8 (RFC 3629). */
int volo__utf8_valid(volo_str s);

#endif
