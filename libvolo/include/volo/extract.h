/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed reading of a request.  What cannot be read is refused: one answer
 * that names every value that was wrong, where it stood and why.
 *
 *   VOLO_HANDLER(get_post, (u64, id, PATH("id")),
 *                (str, lang, QUERY("lang", "en")))
 *   {
 *       ...
 *       return volo_reply_json(cx, doc);
 *   }
 *
 *   volo_router_get(router, "/posts/{id}", get_post, NULL);
 *
 * declares a volo_service_fn named get_post, whose body has cx, user, id and
 * lang, and returns 0 or a VOLO_E... code: one that has not been answered is
 * answered as volo_reply_error() would.  Up to 12 parameters, each (type,
 * name, source):
 *
 *   str volo_str    cstr const char *    i32 u32 i64 u64 f64    bool int
 *   has int: 1 if it is there            list volo_list *: all of that name
 *   json volo_json *    form volo_form *    ptr void *
 *
 *   PATH("id")  QUERY("q")  HEADER("x-y")  COOKIE("c")  FORM("f")
 *   JSON("member") of an object, or JSON() for the whole    FORM() likewise
 *   BODY()  TEXT() (UTF-8)  CLIENT() (address)  EXT(key) (extension, state)
 *
 * A second argument of a source is the default, as text: QUERY("page", "1").
 * QUERY_OPT("q") and the like (not for PATH) may be absent: then str and cstr
 * are absent, the others zero.  A body is read first where a source needs it;
 * an empty one is as none, whatever its type.
 *
 * A type of one's own:
 *
 *   #define VOLO_T_user struct user *
 *   #define VOLO_X_user extract_user
 *   static void extract_user(volo_extract *x, struct user **out, int source,
 *                            const char *name, const char *fallback);
 *
 * reads what it wants through volo_extract_cx(x), and refuses with
 * volo_extract_reject().  Define VOLO_NO_SHORT_NAMES to have only VOLO_PATH
 * and so on.
 *
 * 400 for what is missing or cannot be read as the type, 422 for what can and
 * does not fit, and for what a JSON document lacks, 415 for a body of another
 * media type, 413 for one too large; 500 where the program is at fault: a
 * PATH that the pattern lacks, an EXT.
 */
#ifndef VOLO_EXTRACT_H
#define VOLO_EXTRACT_H

#include <volo/form.h>
#include <volo/json.h>
#include <volo/service.h>
#include <volo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct volo_extract volo_extract; /* one reading of one request */

/** Where a value stands. */
enum volo_source {
    VOLO_FROM_CX = 0, /* nowhere in particular: for types of one's own */
    VOLO_FROM_PATH = 1,
    VOLO_FROM_QUERY = 2,
    VOLO_FROM_HEADER = 3,
    VOLO_FROM_COOKIE = 4,
    VOLO_FROM_CLIENT = 5,
    VOLO_FROM_EXT = 6,   /* the name is the key */
    VOLO_FROM_FORM = 16, /* from here on, the body is read first */
    VOLO_FROM_JSON = 17,
    VOLO_FROM_BODY = 18,
    VOLO_FROM_TEXT = 19,
    VOLO_OPTIONAL = 256 /* added to one of them: may be absent */
};

/**
 * volo_extract_begin(cx):
 * Begin to read ${cx}.  It dies with the cx.  NULL if out of memory, which the
 * functions below take, and which volo_extract_end() reports.
 * @since 0.1
 */
VOLO_API volo_extract *volo_extract_begin(volo_cx *cx);

/**
 * volo_extract_end(x, cx):
 * If anything was refused, answer ${cx} so.
 *
 * Errors: those of what was read.    @since 0.1
 */
VOLO_API int volo_extract_end(volo_extract *x, volo_cx *cx);

/**
 * volo_extract_str(x, out, source, name, fallback):
 * Set ${out} to the value ${name} at ${source}, decoded; to ${fallback} if it
 * is absent and that is not NULL.  The octets live as long as the cx.
 *
 * Errors, noted in ${x} too: VOLO_EMISSING, VOLO_EFORMAT, VOLO_EVALUE (JSON of
 * another type), VOLO_EMEDIA, VOLO_ENOMEM.    @since 0.1
 */
VOLO_API int volo_extract_str(volo_extract *x, volo_str *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_cstr(x, out, source, name, fallback): the same with a NUL
 * behind it; VOLO_EFORMAT for one inside.    @since 0.1 */
VOLO_API int volo_extract_cstr(volo_extract *x, const char **out, int source,
                               const char *name, const char *fallback);

/** volo_extract_i64(x, out, source, name, fallback): the same as a decimal
 * number.  VOLO_EFORMAT: it is none; VOLO_ERANGE: it does not fit.
 * @since 0.1 */
VOLO_API int volo_extract_i64(volo_extract *x, int64_t *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_u64(x, out, source, name, fallback): see volo_extract_i64().
 * @since 0.1 */
VOLO_API int volo_extract_u64(volo_extract *x, uint64_t *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_i32(x, out, source, name, fallback): see volo_extract_i64().
 * @since 0.1 */
VOLO_API int volo_extract_i32(volo_extract *x, int32_t *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_u32(x, out, source, name, fallback): see volo_extract_i64().
 * @since 0.1 */
VOLO_API int volo_extract_u32(volo_extract *x, uint32_t *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_f64(x, out, source, name, fallback): a finite decimal number,
 * with "." and exponent whatever the locale.    @since 0.1 */
VOLO_API int volo_extract_f64(volo_extract *x, double *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_bool(x, out, source, name, fallback): 1 for "true", "1", "on",
 * "yes", 0 for "false", "0", "off", "no".    @since 0.1 */
VOLO_API int volo_extract_bool(volo_extract *x, int *out, int source,
                               const char *name, const char *fallback);

/** volo_extract_has(x, out, source, name, fallback): whether it is there;
 * ${fallback} is ignored.    @since 0.1 */
VOLO_API int volo_extract_has(volo_extract *x, int *out, int source,
                              const char *name, const char *fallback);

/** volo_extract_list(x, out, source, name, fallback): all values of ${name}
 * (query, form, header lines, the strings of a JSON array); none is an empty
 * list unless ${fallback} is the one.    @since 0.1 */
VOLO_API int volo_extract_list(volo_extract *x, volo_list **out, int source,
                               const char *name, const char *fallback);

/** volo_extract_json(x, out, source, name, fallback): the body, or its member
 * ${name} if that is not "", as JSON.    @since 0.1 */
VOLO_API int volo_extract_json(volo_extract *x, volo_json **out, int source,
                               const char *name, const char *fallback);

/** volo_extract_form(x, out, source, name, fallback): the body as a form;
 * ${name} and ${fallback} are ignored.    @since 0.1 */
VOLO_API int volo_extract_form(volo_extract *x, volo_form **out, int source,
                               const char *name, const char *fallback);

/** volo_extract_ptr(x, out, source, name, fallback): volo_cx_ext() of the key
 * ${name}; VOLO_EMISSING makes it 500: the program is at fault.
 * @since 0.1 */
VOLO_API int volo_extract_ptr(volo_extract *x, void **out, int source,
                              const char *name, const char *fallback);

/** volo_extract_cx(x): the exchange; NULL if ${x} is.    @since 0.1 */
VOLO_API volo_cx *volo_extract_cx(volo_extract *x);

/**
 * volo_extract_reject(x, status, field, where, reason):
 * Refuse with ${status}; ${field}, ${where} ("path", ...) and ${reason} are
 * told, and live as long as the cx.  Where several are refused, a status other
 * than 400 and 422 goes before these, 400 before 422.
 * @since 0.1
 */
VOLO_API void volo_extract_reject(volo_extract *x, int status,
                                  const char *field, const char *where,
                                  const char *reason);

/** volo_extract_run(cx, user, fn, sources): call ${fn}, after the body has
 * been read if ${sources} (several, or'ed) need that.  What VOLO_HANDLER
 * makes calls it.    @since 0.1 */
VOLO_API void volo_extract_run(volo_cx *cx, void *user, volo_service_fn fn,
                               int sources);

/** volo_extract_done(cx, err): a handler has returned ${err}: answer so if it
 * is an error and nobody has answered.    @since 0.1 */
VOLO_API void volo_extract_done(volo_cx *cx, int err);

#ifdef __cplusplus
}
#endif

#include <volo/handler.h>

#endif
