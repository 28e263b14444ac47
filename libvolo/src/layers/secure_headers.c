/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that adds the fields which switch on the protections of browsers.
 * What the response says itself it leaves alone, and what the fields mean is
 * the browser's to know. */
#include <volo.h>

#include <stdio.h>

struct secure {
    char hsts[48]; /* "" for none */
    size_t csp_len;
    char csp[]; /* "" for none */
};

static const char *const fixed[][2] = {
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "DENY"},
    {"referrer-policy", "strict-origin-when-cross-origin"},
    {"cross-origin-opener-policy", "same-origin"},
};

static int
set_default(volo_cx *cx, const char *name, volo_str value)
{
    if (volo_cx_response_header(cx, name).ptr)
        return 0;
    return volo_cx_set_header(cx, name, value);
}

static int
set_all(volo_cx *cx, const struct secure *secure)
{
    size_t i;
    int err = 0;

    for (i = 0; !err && i < sizeof fixed / sizeof *fixed; i++)
        err = set_default(cx, fixed[i][0], volo_str_of(fixed[i][1]));

    /* Over plain http it must be ignored (RFC 6797 section 7.2). */
    if (!err && secure->hsts[0] &&
        volo_str_eq(volo_cx_scheme(cx), VOLO_STR("https")))
        err = set_default(cx, "strict-transport-security",
                          volo_str_of(secure->hsts));
    if (!err && secure->csp_len)
        err = set_default(cx, "content-security-policy",
                          volo_str_make(secure->csp, secure->csp_len));
    return err;
}

/* Content without its protection must not leave. */
static void
secure_response(volo_cx *cx, void *frame)
{
    if (set_all(cx, frame) != VOLO_ENOMEM || volo_cx_is_streamed(cx))
        return;
    volo_cx_set_status(cx, 503);
    volo_cx_remove_header(cx, "content-type");
    volo_cx_set_body_ref(cx, VOLO_STR(""), NULL, NULL);
}

static void
secure_run(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, secure_response, user);
}

static int
is_field_value(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return 0;
    return 1;
}

int
volo_layer_secure_headers(volo_layer **out, uint64_t hsts_seconds,
                          const char *csp)
{
    struct secure *secure;
    volo_str policy = volo_str_of(csp);

    if (!out || !is_field_value(policy.ptr, policy.len))
        return VOLO_EINVAL;

    secure = volo_alloc(sizeof *secure + policy.len + 1);
    if (!secure)
        return VOLO_ENOMEM;
    if (hsts_seconds)
        snprintf(secure->hsts, sizeof secure->hsts, "max-age=%llu",
                 (unsigned long long)hsts_seconds);
    if (policy.len)
        memcpy(secure->csp, policy.ptr, policy.len);
    secure->csp_len = policy.len;
    return volo_layer_new(out, secure_run, secure, volo_free);
}
