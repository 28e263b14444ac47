/* SPDX-License-Identifier: Apache-2.0 */
/* VOLO_HANDLER, explained in volo/extract.h, and what it is made of. */
#ifndef VOLO_HANDLER_H
#define VOLO_HANDLER_H

#ifndef VOLO_EXTRACT_H
#include <volo/extract.h>
#endif

/* ---- Types: the C type of each, and the function that reads it ----------- */

#define VOLO_T_str volo_str
#define VOLO_T_cstr const char *
#define VOLO_T_i32 int32_t
#define VOLO_T_u32 uint32_t
#define VOLO_T_i64 int64_t
#define VOLO_T_u64 uint64_t
#define VOLO_T_f64 double
#define VOLO_T_bool int
#define VOLO_T__Bool int /* what <stdbool.h> makes of bool */
#define VOLO_T_has int
#define VOLO_T_list volo_list *
#define VOLO_T_json volo_json *
#define VOLO_T_form volo_form *
#define VOLO_T_ptr void *

#define VOLO_X_str volo_extract_str
#define VOLO_X_cstr volo_extract_cstr
#define VOLO_X_i32 volo_extract_i32
#define VOLO_X_u32 volo_extract_u32
#define VOLO_X_i64 volo_extract_i64
#define VOLO_X_u64 volo_extract_u64
#define VOLO_X_f64 volo_extract_f64
#define VOLO_X_bool volo_extract_bool
#define VOLO_X__Bool volo_extract_bool
#define VOLO_X_has volo_extract_has
#define VOLO_X_list volo_extract_list
#define VOLO_X_json volo_extract_json
#define VOLO_X_form volo_extract_form
#define VOLO_X_ptr volo_extract_ptr

/* ---- Sources: each becomes "source, name, fallback" ---------------------- */

#define VOLO__NAME_FALLBACK(...) VOLO__FIRST_TWO("" __VA_ARGS__, NULL, NULL)
#define VOLO__FIRST_TWO(name, fallback, ...) name, fallback

#define VOLO_PATH(...) VOLO_FROM_PATH, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_QUERY(...) VOLO_FROM_QUERY, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_HEADER(...) VOLO_FROM_HEADER, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_COOKIE(...) VOLO_FROM_COOKIE, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_FORM(...) VOLO_FROM_FORM, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_JSON(...) VOLO_FROM_JSON, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_BODY() VOLO_FROM_BODY, "body", NULL
#define VOLO_TEXT() VOLO_FROM_TEXT, "body", NULL
#define VOLO_CLIENT() VOLO_FROM_CLIENT, "client", NULL
#define VOLO_EXT(key) VOLO_FROM_EXT, (const char *)(key), NULL
#define VOLO_CX(...) VOLO_FROM_CX, VOLO__NAME_FALLBACK(__VA_ARGS__)

#define VOLO_QUERY_OPT(name) VOLO_FROM_QUERY | VOLO_OPTIONAL, name, NULL
#define VOLO_HEADER_OPT(name) VOLO_FROM_HEADER | VOLO_OPTIONAL, name, NULL
#define VOLO_COOKIE_OPT(name) VOLO_FROM_COOKIE | VOLO_OPTIONAL, name, NULL
#define VOLO_FORM_OPT(...) \
    VOLO_FROM_FORM | VOLO_OPTIONAL, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_JSON_OPT(...) \
    VOLO_FROM_JSON | VOLO_OPTIONAL, VOLO__NAME_FALLBACK(__VA_ARGS__)
#define VOLO_EXT_OPT(key) \
    VOLO_FROM_EXT | VOLO_OPTIONAL, (const char *)(key), NULL

#ifndef VOLO_NO_SHORT_NAMES
#define PATH VOLO_PATH
#define QUERY VOLO_QUERY
#define HEADER VOLO_HEADER
#define COOKIE VOLO_COOKIE
#define FORM VOLO_FORM
#define JSON VOLO_JSON
#define BODY VOLO_BODY
#define TEXT VOLO_TEXT
#define CLIENT VOLO_CLIENT
#define EXT VOLO_EXT
#define CX VOLO_CX
#define QUERY_OPT VOLO_QUERY_OPT
#define HEADER_OPT VOLO_HEADER_OPT
#define COOKIE_OPT VOLO_COOKIE_OPT
#define FORM_OPT VOLO_FORM_OPT
#define JSON_OPT VOLO_JSON_OPT
#define EXT_OPT VOLO_EXT_OPT
#endif

/* ---- For each parameter: (name of the handler, parameters...) ------------ */

#define VOLO__COUNT(...) \
    VOLO__COUNT_(__VA_ARGS__, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define VOLO__COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, ...) n
#define VOLO__JOIN(a, b) VOLO__JOIN_(a, b)
#define VOLO__JOIN_(a, b) a##b

#define VOLO__EACH(m, ...) \
    VOLO__JOIN(VOLO__EACH_, VOLO__COUNT(__VA_ARGS__))(m, __VA_ARGS__)
#define VOLO__EACH_1(m, h)
#define VOLO__EACH_2(m, h, a) m a
#define VOLO__EACH_3(m, h, a, b) m a m b
#define VOLO__EACH_4(m, h, a, b, c) m a m b m c
#define VOLO__EACH_5(m, h, a, b, c, d) m a m b m c m d
#define VOLO__EACH_6(m, h, a, b, c, d, e) m a m b m c m d m e
#define VOLO__EACH_7(m, h, a, b, c, d, e, f) m a m b m c m d m e m f
#define VOLO__EACH_8(m, h, a, b, c, d, e, f, g) m a m b m c m d m e m f m g
#define VOLO__EACH_9(m, h, a, b, c, d, e, f, g, i) \
    m a m b m c m d m e m f m g m i
#define VOLO__EACH_10(m, h, a, b, c, d, e, f, g, i, j) \
    m a m b m c m d m e m f m g m i m j
#define VOLO__EACH_11(m, h, a, b, c, d, e, f, g, i, j, k) \
    m a m b m c m d m e m f m g m i m j m k
#define VOLO__EACH_12(m, h, a, b, c, d, e, f, g, i, j, k, l) \
    m a m b m c m d m e m f m g m i m j m k m l
#define VOLO__EACH_13(m, h, a, b, c, d, e, f, g, i, j, k, l, n) \
    m a m b m c m d m e m f m g m i m j m k m l m n

#define VOLO__HEAD(...) VOLO__HEAD_(__VA_ARGS__, 0)
#define VOLO__HEAD_(h, ...) h
#define VOLO__PARAM(type, name, ...) , VOLO__MAYBE_UNUSED VOLO_T_##type name
#define VOLO__DECLARE(type, name, ...) VOLO_T_##type name;
#define VOLO__READ(type, name, ...) VOLO_X_##type(volo_x, &name, __VA_ARGS__);
#define VOLO__PASS(type, name, ...) , name
#define VOLO__SOURCE(type, name, ...) | VOLO__SOURCE_(__VA_ARGS__, 0)
#define VOLO__SOURCE_(source, ...) (source)

#define VOLO__HANDLER(h, ...)                                           \
    static int VOLO__JOIN(h, _volo_body)(                               \
        volo_cx * cx, void *user VOLO__EACH(VOLO__PARAM, __VA_ARGS__)); \
    static void VOLO__JOIN(h, _volo_run)(volo_cx * cx, void *user)      \
    {                                                                   \
        VOLO__EACH(VOLO__DECLARE, __VA_ARGS__)                          \
        volo_extract *volo_x = volo_extract_begin(cx);                  \
        VOLO__EACH(VOLO__READ, __VA_ARGS__)                             \
        if (volo_extract_end(volo_x, cx) == 0)                          \
            volo_extract_done(                                          \
                cx, VOLO__JOIN(h, _volo_body)(                          \
                        cx, user VOLO__EACH(VOLO__PASS, __VA_ARGS__))); \
    }                                                                   \
    static void h(volo_cx *cx, void *user)                              \
    {                                                                   \
        volo_extract_run(cx, user, VOLO__JOIN(h, _volo_run),            \
                         0 VOLO__EACH(VOLO__SOURCE, __VA_ARGS__));      \
    }                                                                   \
    static int VOLO__JOIN(h, _volo_body)(                               \
        VOLO__MAYBE_UNUSED volo_cx * cx,                                \
        VOLO__MAYBE_UNUSED void *user VOLO__EACH(VOLO__PARAM, __VA_ARGS__))

/** VOLO_HANDLER(name, (type, name, source)...): see volo/extract.h. */
#define VOLO_HANDLER(...) VOLO__HANDLER(VOLO__HEAD(__VA_ARGS__), __VA_ARGS__)

#endif
