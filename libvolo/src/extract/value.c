/* SPDX-License-Identifier: Apache-2.0 */
/* Values as the types that a handler wants. */
#include <string.h>

#include "base/str.h"
#include "extract/extract.h"

/* The text of a value: 0 with it in ${out}, 1 if it may be absent and is. */
static int
text_of(volo_extract *x, volo_str *out, int source, const char *name,
        const char *fallback)
{
    int err;

    if (!x)
        return VOLO_ENOMEM;
    err = volo__extract_find(x, out, source, name);
    if (err != VOLO_ENOENT)
        return err;
    *out = volo_str_of(fallback);
    return volo__extract_absent(x, source, name, fallback);
}

int
volo_extract_str(volo_extract *x, volo_str *out, int source, const char *name,
                 const char *fallback)
{
    int rc;

    *out = volo_str_of(NULL);
    rc = text_of(x, out, source, name, fallback);
    return rc > 0 ? 0 : rc;
}

int
volo_extract_cstr(volo_extract *x, const char **out, int source,
                  const char *name, const char *fallback)
{
    volo_str text;
    int rc = text_of(x, &text, source, name, fallback);

    *out = NULL;
    if (rc)
        return rc > 0 ? 0 : rc;
    if (memchr(text.ptr, 0, text.len))
        return volo__extract_refuse(x, VOLO_EFORMAT, source, name,
                                    "has a NUL in it");
    text = volo_cx_strdup(x->cx, text);
    if (!text.ptr)
        return volo__extract_refuse(x, VOLO_ENOMEM, source, name,
                                    "out of memory");
    *out = text.ptr;
    return 0;
}

/* ---- Numbers ------------------------------------------------------------- */

/* A member of the JSON body: 0 with it in ${out}; 2 if another source or the
 * fallback is to be read as text; 1 if it may be absent and is. */
static int
member_of(volo_extract *x, volo_json **out, int source, const char *name,
          const char *fallback)
{
    int err;

    if (!x)
        return VOLO_ENOMEM;
    if ((source & ~VOLO_OPTIONAL) != VOLO_FROM_JSON)
        return 2;
    err = volo__extract_member(x, out, name);
    if (err != VOLO_ENOENT)
        return err;
    err = volo__extract_absent(x, source, name, fallback);
    return err ? err : 2;
}

/* As member_of(), and then the text where that is what there is. */
static int
number_of(volo_extract *x, volo_json **json, volo_str *text, int source,
          const char *name, const char *fallback)
{
    int rc = member_of(x, json, source, name, fallback);

    if (rc != 2)
        return rc;
    *json = NULL;
    if ((source & ~VOLO_OPTIONAL) == VOLO_FROM_JSON) {
        *text = volo_str_of(fallback);
        return 0;
    }
    return text_of(x, text, source, name, fallback);
}

static int
number_error(volo_extract *x, int err, int source, const char *name,
             const char *expected)
{
    return volo__extract_refuse(x, err, source, name,
                                err == VOLO_ERANGE   ? "is out of range"
                                : err == VOLO_ENOMEM ? "out of memory"
                                                     : expected);
}

int
volo_extract_i64(volo_extract *x, int64_t *out, int source, const char *name,
                 const char *fallback)
{
    volo_json *json;
    volo_str text;
    int err = number_of(x, &json, &text, source, name, fallback);

    *out = 0;
    if (err)
        return err > 0 ? 0 : err;
    err = json ? volo_json_i64(out, json) : volo__i64_parse(out, text);
    return err ? number_error(x, err, source, name, "must be an integer") : 0;
}

int
volo_extract_u64(volo_extract *x, uint64_t *out, int source, const char *name,
                 const char *fallback)
{
    volo_json *json;
    volo_str text;
    int err = number_of(x, &json, &text, source, name, fallback);

    *out = 0;
    if (err)
        return err > 0 ? 0 : err;
    err = json ? volo_json_u64(out, json) : volo__u64_parse(out, text);
    return err ? number_error(x, err, source, name,
                              "must be an unsigned integer")
               : 0;
}

int
volo_extract_i32(volo_extract *x, int32_t *out, int source, const char *name,
                 const char *fallback)
{
    int64_t wide;
    int err = volo_extract_i64(x, &wide, source, name, fallback);

    *out = 0;
    if (err)
        return err;
    if (wide < INT32_MIN || wide > INT32_MAX)
        return number_error(x, VOLO_ERANGE, source, name, "");
    *out = (int32_t)wide;
    return 0;
}

int
volo_extract_u32(volo_extract *x, uint32_t *out, int source, const char *name,
                 const char *fallback)
{
    uint64_t wide;
    int err = volo_extract_u64(x, &wide, source, name, fallback);

    *out = 0;
    if (err)
        return err;
    if (wide > UINT32_MAX)
        return number_error(x, VOLO_ERANGE, source, name, "");
    *out = (uint32_t)wide;
    return 0;
}

/* How many digits ${s} has from ${i} on. */
static size_t
digits(volo_str s, size_t i)
{
    size_t n = 0;

    while (i + n < s.len && (unsigned)(s.ptr[i + n] - '0') < 10u)
        n++;
    return n;
}

static int
sign(volo_str s, size_t i)
{
    return i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+');
}

/* A number as JSON writes it (RFC 8259 section 6). */
static int
is_number(volo_str s)
{
    size_t i = s.len && s.ptr[0] == '-', n = digits(s, i);

    if (!n || (n > 1 && s.ptr[i] == '0'))
        return 0;
    i += n;
    if (i < s.len && s.ptr[i] == '.') {
        n = digits(s, i + 1);
        if (!n)
            return 0;
        i += 1 + n;
    }
    if (i < s.len && (s.ptr[i] | 0x20) == 'e') {
        i += 1 + (size_t)sign(s, i + 1);
        n = digits(s, i);
        if (!n)
            return 0;
        i += n;
    }
    return i == s.len;
}

/* By way of JSON, which knows no locale, nor "nan"; what it refuses of a
 * number is its size. */
static int
parse_f64(volo_extract *x, double *out, volo_str text)
{
    volo_json *value;
    int err;

    if (!is_number(text))
        return VOLO_EFORMAT;
    err = volo_json_parse(&value, x->cx, text);
    if (err)
        return err == VOLO_ENOMEM ? err : VOLO_ERANGE;
    return volo_json_f64(out, value);
}

int
volo_extract_f64(volo_extract *x, double *out, int source, const char *name,
                 const char *fallback)
{
    volo_json *json;
    volo_str text;
    int err = number_of(x, &json, &text, source, name, fallback);

    *out = 0;
    if (err)
        return err > 0 ? 0 : err;
    err = json ? volo_json_f64(out, json) : parse_f64(x, out, text);
    return err ? number_error(x, err, source, name, "must be a number") : 0;
}

static int
parse_bool(int *out, volo_str text)
{
    static const char *const words[] = {"false", "true", "0",   "1",
                                        "no",    "yes",  "off", "on"};
    int i;

    for (i = 0; i < 8; i++) {
        if (volo__str_ieq(text, volo_str_of(words[i]))) {
            *out = i & 1;
            return 0;
        }
    }
    return VOLO_EFORMAT;
}

int
volo_extract_bool(volo_extract *x, int *out, int source, const char *name,
                  const char *fallback)
{
    volo_json *json;
    volo_str text;
    int err = number_of(x, &json, &text, source, name, fallback);

    *out = 0;
    if (err)
        return err > 0 ? 0 : err;
    if (!json)
        err = parse_bool(out, text);
    else if (volo_json_type(json) == VOLO_JSON_BOOL)
        *out = volo_json_bool(json);
    else
        err = VOLO_EVALUE;
    return err ? volo__extract_refuse(x, err, source, name,
                                      "must be true or false")
               : 0;
}

int
volo_extract_has(volo_extract *x, int *out, int source, const char *name,
                 const char *fallback)
{
    volo_json *json;
    volo_str text;
    int rc;

    (void)fallback;
    *out = 0;
    rc = member_of(x, &json, source | VOLO_OPTIONAL, name, NULL);
    if (rc == 2) {
        rc = volo__extract_find(x, &text, source, name);
        if (rc == VOLO_ENOENT)
            return 0;
    }
    *out = rc == 0;
    return rc > 0 ? 0 : rc;
}

/* ---- Whole things -------------------------------------------------------- */

int
volo_extract_json(volo_extract *x, volo_json **out, int source,
                  const char *name, const char *fallback)
{
    int rc;

    *out = NULL;
    rc = member_of(x, out, VOLO_FROM_JSON | (source & VOLO_OPTIONAL), name,
                   fallback);
    if (rc != 2)
        return rc > 0 ? 0 : rc;

    /* A fallback is JSON text; one that is not is a mistake of the program. */
    rc = volo_json_parse(out, x->cx, volo_str_of(fallback));
    if (!rc)
        return 0;
    return volo__extract_refuse(
        x, rc == VOLO_ENOMEM ? rc : VOLO_EINVAL, VOLO_FROM_JSON, name,
        rc == VOLO_ENOMEM ? "out of memory" : "has a default of no JSON");
}

int
volo_extract_form(volo_extract *x, volo_form **out, int source,
                  const char *name, const char *fallback)
{
    (void)source;
    (void)name;
    (void)fallback;
    *out = NULL;
    return x ? volo__extract_form(x, out) : VOLO_ENOMEM;
}

int
volo_extract_ptr(volo_extract *x, void **out, int source, const char *name,
                 const char *fallback)
{
    (void)fallback;
    *out = NULL;
    if (!x)
        return VOLO_ENOMEM;
    *out = volo_cx_ext(x->cx, name);
    if (*out || (source & VOLO_OPTIONAL))
        return 0;
    if (!x->err)
        x->err = VOLO_EMISSING;
    volo_extract_reject(x, 500, "extension", "request", "is not set");
    return VOLO_EMISSING;
}
