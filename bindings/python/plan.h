/* SPDX-License-Identifier: Apache-2.0 */
/* What plan.c reads and plan_convert.c follows. */
#ifndef VOLO_BINDINGS_PLAN_H
#define VOLO_BINDINGS_PLAN_H

#include "call.h"

enum volo__py_source {
    VOLO__PY_PATH,
    VOLO__PY_QUERY,
    VOLO__PY_HEADER,
    VOLO__PY_COOKIE,
    VOLO__PY_FORM,
    VOLO__PY_JSON,
    VOLO__PY_BODY,
    VOLO__PY_TEXT,
    VOLO__PY_REQUEST,
    VOLO__PY_STATE,
    VOLO__PY_STREAM,
    VOLO__PY_DEPENDS,
    VOLO__PY_CUSTOM
};

enum volo__py_mode {
    VOLO__PY_STR,
    VOLO__PY_INT,
    VOLO__PY_FLOAT,
    VOLO__PY_BOOL,
    VOLO__PY_CONVERT,
    VOLO__PY_LIST
};

struct volo__py_arg {
    int source;
    int mode;
    int field; /* of a well-known header, else 0 */
    int required;
    PyObject *name;
    volo_str key; /* the octets of ${name}, NUL-terminated */
    PyObject *convert;
    PyObject *fallback;
};

/* One binding: what was refused is gathered, and told all at once. */
struct volo__py_reading {
    struct volo__py_call *call;
    volo_extract *x;  /* when something is needed that libvolo decodes */
    PyObject *errors; /* list of (field, where, reason), or NULL */
    int status;
    int failed; /* with an exception that is no refusal */
};

/* "path", ...: what a refusal says about where the value stands. */
const char *volo__py_where(const struct volo__py_arg *arg);

/* volo__py_arg_value(reading, arg): a new reference; NULL if it was refused,
 * without an exception, or if ${reading} has failed, with one. */
PyObject *volo__py_arg_value(struct volo__py_reading *reading,
                             const struct volo__py_arg *arg);

/* volo__py_arg_refuse(reading, status, field, where, reason): note it; returns
 * NULL. */
PyObject *volo__py_arg_refuse(struct volo__py_reading *reading, int status,
                              const char *field, const char *where,
                              const char *reason);

/* volo__py_arg_weigh(reading, status): of several, the one that says most. */
void volo__py_arg_weigh(struct volo__py_reading *reading, int status);

/* volo__py_arg_raised(reading, arg, field): an exception is set: note what it
 * refuses, or fail with it; returns NULL. */
PyObject *volo__py_arg_raised(struct volo__py_reading *reading,
                              const struct volo__py_arg *arg,
                              const char *field);

/* volo__py_arg_typed(reading, arg, text, latin): ${text} as what ${arg} says.
 */
PyObject *volo__py_arg_typed(struct volo__py_reading *reading,
                             const struct volo__py_arg *arg, volo_str text,
                             int latin);

#endif
