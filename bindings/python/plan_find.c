/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the values of a plan stand in a request.  Path and fields are read
 * from the job's spans; what has to be decoded, by libvolo.
 */
#include "plan.h"

/* ---- Refusals ------------------------------------------------------------ */

/* As libvolo does: other statuses go before 400, that before 422. */
static int
weight(int status)
{
    return status == 0 ? 0 : status == 422 ? 1 : status == 400 ? 2 : 3;
}

void
volo__py_arg_weigh(struct volo__py_reading *reading, int status)
{
    if (weight(status) > weight(reading->status))
        reading->status = status;
}

PyObject *
volo__py_arg_refuse(struct volo__py_reading *reading, int status,
                    const char *field, const char *where, const char *reason)
{
    PyObject *error = Py_BuildValue("(sss)", field, where, reason);

    if (error && !reading->errors)
        reading->errors = PyList_New(0);
    if (!error || !reading->errors || PyList_Append(reading->errors, error) < 0)
        reading->failed = 1;
    volo__py_arg_weigh(reading, status);
    Py_XDECREF(error);
    return NULL;
}

static void
fail(struct volo__py_reading *reading)
{
    reading->failed = 1;
}

/* What libvolo has refused, in its words. */
static int
refuse_code(struct volo__py_reading *reading, const struct volo__py_arg *arg,
            int err)
{
    const char *where = volo__py_where(arg), *reason;

    if (err == VOLO_ENOMEM) {
        PyErr_NoMemory();
        fail(reading);
        return -1;
    }
    if (err == VOLO_EMEDIA) {
        reason = arg->source == VOLO__PY_TEXT
                     ? "must have the charset utf-8"
                     : "must be application/x-www-form-urlencoded";
        if (reading->status != 415)
            volo__py_arg_refuse(reading, 415, "content-type", "header", reason);
        return -1;
    }
    reason = err == VOLO_ETOOBIG            ? "has too many fields"
             : arg->source == VOLO__PY_TEXT ? "is not UTF-8"
                                            : "has a broken escape";
    volo__py_arg_refuse(reading, volo_error_status(err), arg->key.ptr, where,
                        reason);
    return -1;
}

/* ---- One text ------------------------------------------------------------ */

/* From the back: the innermost router's parameters were added last. */
static volo_str
find_param(const volo_job *job, volo_str name)
{
    size_t i = job->param_count;

    while (i-- > 0)
        if (volo_str_eq(job->params[i].name, name))
            return job->params[i].value;
    return volo_str_make(NULL, 0);
}

static int
is_named(const volo_pair *pair, const struct volo__py_arg *arg)
{
    return arg->field ? pair->id == (uint32_t)arg->field
                      : volo_str_eq(pair->name, arg->key);
}

static volo_str
find_header(const volo_job *job, const struct volo__py_arg *arg)
{
    size_t i;

    for (i = 0; i < job->header_count; i++)
        if (is_named(&job->headers[i], arg))
            return job->headers[i].value;
    return volo_str_make(NULL, 0);
}

static int
c_source(int source)
{
    switch (source) {
    case VOLO__PY_PATH:
        return VOLO_FROM_PATH;
    case VOLO__PY_QUERY:
        return VOLO_FROM_QUERY;
    case VOLO__PY_HEADER:
        return VOLO_FROM_HEADER;
    case VOLO__PY_COOKIE:
        return VOLO_FROM_COOKIE;
    case VOLO__PY_FORM:
        return VOLO_FROM_FORM;
    default:
        return VOLO_FROM_TEXT;
    }
}

/* In the memory of the exchange, which others may be at by way of the request
 * where there is no GIL. */
static int
extract(struct volo__py_reading *reading, const struct volo__py_arg *arg,
        volo_str *text, volo_list **list)
{
    int source = c_source(arg->source) | VOLO_OPTIONAL;

    if (!reading->x)
        reading->x = volo_extract_begin(reading->call->job->cx);
    return list
               ? volo_extract_list(reading->x, list, source, arg->key.ptr, NULL)
               : volo_extract_str(reading->x, text, source, arg->key.ptr, NULL);
}

static int
extract_locked(struct volo__py_reading *reading, const struct volo__py_arg *arg,
               volo_str *text, volo_list **list)
{
    PyObject *request = reading->call->request;
    int err;

    if (!request)
        return extract(reading, arg, text, list);
    VOLO__PY_LOCK(request);
    err = extract(reading, arg, text, list);
    VOLO__PY_UNLOCK();
    return err;
}

/* 0 with ${out}, which is absent if it is not there; -1 if refused. */
static int
find_text(struct volo__py_reading *reading, const struct volo__py_arg *arg,
          volo_str *out)
{
    const volo_job *job = reading->call->job;
    int err;

    *out = volo_str_make(NULL, 0);
    switch (arg->source) {
    case VOLO__PY_PATH:
        *out = find_param(job, arg->key);
        return 0;
    case VOLO__PY_HEADER:
        *out = find_header(job, arg);
        return 0;
    case VOLO__PY_QUERY:
        if (!job->query.ptr)
            return 0;
        /* fall through */
    default:
        err = extract_locked(reading, arg, out, NULL);
        return err ? refuse_code(reading, arg, err) : 0;
    }
}

static PyObject *
absent(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    int ours = arg->source == VOLO__PY_PATH;

    if (!arg->required) {
        Py_INCREF(arg->fallback);
        return arg->fallback;
    }
    return volo__py_arg_refuse(
        reading, ours ? 500 : volo_error_status(VOLO_EMISSING), arg->key.ptr,
        volo__py_where(arg), ours ? "is not in the pattern" : "is missing");
}

static PyObject *
one_text(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    volo_str text;

    if (find_text(reading, arg, &text) < 0)
        return NULL;
    if (!text.ptr)
        return absent(reading, arg);
    return volo__py_arg_typed(reading, arg, text,
                              arg->source == VOLO__PY_HEADER ||
                                  arg->source == VOLO__PY_COOKIE);
}

/* ---- Several texts ------------------------------------------------------- */

static int
append(PyObject *list, volo_str s, int latin)
{
    PyObject *text = latin ? volo__py_latin(s) : volo__py_utf8(s);
    int err = text ? PyList_Append(list, text) : -1;

    Py_XDECREF(text);
    return err;
}

static int
append_headers(PyObject *list, const volo_job *job,
               const struct volo__py_arg *arg)
{
    size_t i;
    int err = 0;

    for (i = 0; i < job->header_count && !err; i++)
        if (is_named(&job->headers[i], arg))
            err = append(list, job->headers[i].value, 1);
    return err;
}

/* 0, 1 if it was refused, -1 with an exception. */
static int
append_all(struct volo__py_reading *reading, const struct volo__py_arg *arg,
           PyObject *list)
{
    volo_list *found = NULL;
    size_t i;
    int err;

    if (arg->source == VOLO__PY_HEADER)
        return append_headers(list, reading->call->job, arg);
    err = extract_locked(reading, arg, NULL, &found);
    if (err) {
        refuse_code(reading, arg, err);
        return 1;
    }
    for (i = 0; i < volo_list_len(found) && !err; i++)
        err = append(list, volo_list_at(found, i),
                     arg->source == VOLO__PY_COOKIE);
    return err;
}

static PyObject *
all_texts(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    PyObject *list = PyList_New(0), *value = NULL;
    int err = list ? append_all(reading, arg, list) : -1;

    if (err < 0)
        volo__py_arg_raised(reading, arg, arg->key.ptr);
    else if (!err && PyList_Size(list) == 0)
        value = absent(reading, arg);
    else if (!err && !arg->convert)
        return list;
    else if (!err)
        value = PyObject_CallFunctionObjArgs(arg->convert, list, NULL);
    if (!value && PyErr_Occurred() && !reading->failed)
        volo__py_arg_raised(reading, arg, arg->key.ptr);
    Py_XDECREF(list);
    return value;
}

/* ---- The body ------------------------------------------------------------ */

static PyObject *
whole_body(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    PyObject *request = reading->call->request, *bytes;
    volo_str body = reading->call->job->body;

    bytes = request ? PyObject_GetAttrString(request, "body")
                    : PyBytes_FromStringAndSize(body.ptr ? body.ptr : "",
                                                (Py_ssize_t)body.len);
    if (!bytes)
        return volo__py_arg_raised(reading, arg, "body");
    return bytes;
}

static int
is_json(const volo_job *job)
{
    size_t i;

    for (i = 0; i < job->header_count; i++)
        if (job->headers[i].id == VOLO_FIELD_CONTENT_TYPE)
            return volo_media_is(job->headers[i].value, "application/json") ||
                   volo_media_is(job->headers[i].value, "+json");
    return 0;
}

static PyObject *
json_body(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    const volo_job *job = reading->call->job;
    PyObject *bytes, *value;

    if (!job->body.len && !arg->required)
        return absent(reading, arg);
    if (!job->body.len)
        return volo__py_arg_refuse(reading, volo_error_status(VOLO_EMISSING),
                                   "body", "body", "is missing");
    if (!is_json(job))
        return volo__py_arg_refuse(reading, 415, "content-type", "header",
                                   "must be application/json");
    bytes = whole_body(reading, arg);
    if (!bytes)
        return NULL;
    value = PyObject_CallFunctionObjArgs(arg->convert, bytes, NULL);
    Py_DECREF(bytes);
    return value ? value : volo__py_arg_raised(reading, arg, "body");
}

static PyObject *
raw_body(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    if (!reading->call->job->body.len && !arg->required)
        return absent(reading, arg);
    return whole_body(reading, arg);
}

static PyObject *
text_body(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    if (!reading->call->job->body.len && !arg->required)
        return absent(reading, arg);
    return one_text(reading, arg);
}

/* ---- The request and what is made of it ---------------------------------- */

static PyObject *
state_item(struct volo__py_reading *reading, const struct volo__py_arg *arg,
           PyObject *request)
{
    PyObject *state = PyObject_GetAttrString(request, "state");
    PyObject *value = state ? PyObject_GetItem(state, arg->name) : NULL;

    Py_XDECREF(state);
    if (value)
        return value;
    if (!arg->required && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        return absent(reading, arg);
    }
    if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_LookupError, "no layer has set request.state.%U",
                     arg->name);
    }
    fail(reading);
    return NULL;
}

static PyObject *
with_request(struct volo__py_reading *reading, const struct volo__py_arg *arg)
{
    PyObject *request = volo__py_call_request(reading->call), *value;

    if (!request) {
        fail(reading);
        return NULL;
    }
    switch (arg->source) {
    case VOLO__PY_REQUEST:
        Py_INCREF(request);
        return request;
    case VOLO__PY_STATE:
        return state_item(reading, arg, request);
    case VOLO__PY_STREAM:
        value = PyObject_CallFunctionObjArgs((PyObject *)volo__py.reader_type,
                                             request, NULL);
        break;
    default:
        value = PyObject_CallFunctionObjArgs(arg->convert, request, NULL);
    }
    return value ? value : volo__py_arg_raised(reading, arg, NULL);
}

PyObject *
volo__py_arg_value(struct volo__py_reading *reading,
                   const struct volo__py_arg *arg)
{
    switch (arg->source) {
    case VOLO__PY_JSON:
        return json_body(reading, arg);
    case VOLO__PY_BODY:
        return raw_body(reading, arg);
    case VOLO__PY_TEXT:
        return text_body(reading, arg);
    case VOLO__PY_PATH:
    case VOLO__PY_QUERY:
    case VOLO__PY_HEADER:
    case VOLO__PY_COOKIE:
    case VOLO__PY_FORM:
        return arg->mode == VOLO__PY_LIST ? all_texts(reading, arg)
                                          : one_text(reading, arg);
    default:
        return with_request(reading, arg);
    }
}
