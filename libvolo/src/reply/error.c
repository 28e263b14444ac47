/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that say what was wrong. */
#include "http/cx.h"
#include "reply/reply.h"

static int
answer_problem(volo_cx *cx, int status, const char *detail,
               const struct volo__invalid *errors, size_t n)
{
    int err = volo__reply_late(cx);

    if (err)
        return err;
    err = volo__problem_set(cx, status, detail, errors, n);
    if (err && err != VOLO_ENOMEM)
        return volo__reply_failed(cx, err);
    return volo_cx_answer(cx);
}

int
volo_reply_problem(volo_cx *cx, int status, const char *detail)
{
    return answer_problem(cx, status, detail, NULL, 0);
}

int
volo_reply_invalid(volo_cx *cx, int status, const char *field,
                   const char *where, const char *reason)
{
    struct volo__invalid error = {volo_str_of(field), where, reason};

    return answer_problem(cx, status, NULL, &error, 1);
}

int
volo_reply_error(volo_cx *cx, int err)
{
    return answer_problem(cx, volo_error_status(err), volo_strerror(err), NULL,
                          0);
}
