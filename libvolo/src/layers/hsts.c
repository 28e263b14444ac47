/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that tells browsers to come over https alone from now on, of which
 * RFC 6797 says what they make of it.  Who else is on the host it cannot
 * know. */
#include <volo.h>

#include <stdio.h>

/* What those who keep the lists that browsers ship ask for, in seconds. */
enum { PRELOAD_LEAST = 365 * 24 * 60 * 60 };

struct hsts {
    char value[80];
};

/* An error does not matter so much that an answer had to be kept back: the
 * next one says it. */
static void
hsts_response(volo_cx *cx, void *frame)
{
    const struct hsts *hsts = frame;

    if (!volo_cx_response_header(cx, "strict-transport-security").ptr)
        volo_cx_set_header(cx, "strict-transport-security",
                           volo_str_of(hsts->value));
}

/* Over plain http it must not be said (RFC 6797 section 7.2). */
static void
hsts_run(volo_cx *cx, volo_next *next, void *user)
{
    if (volo_str_eq(volo_cx_scheme(cx), VOLO_STR("https")))
        volo_next_run(next, cx, hsts_response, user);
    else
        volo_next_run(next, cx, NULL, NULL);
}

int
volo_layer_hsts(volo_layer **out, uint64_t seconds, unsigned flags)
{
    const unsigned both = VOLO_HSTS_SUBDOMAINS | VOLO_HSTS_PRELOAD;
    struct hsts *hsts;

    if (!out || flags & ~both)
        return VOLO_EINVAL;
    if (flags & VOLO_HSTS_PRELOAD && (flags != both || seconds < PRELOAD_LEAST))
        return VOLO_EINVAL;
    hsts = volo_alloc(sizeof *hsts);
    if (!hsts)
        return VOLO_ENOMEM;
    snprintf(hsts->value, sizeof hsts->value, "max-age=%llu%s%s",
             (unsigned long long)seconds,
             flags & VOLO_HSTS_SUBDOMAINS ? "; includeSubDomains" : "",
             flags & VOLO_HSTS_PRELOAD ? "; preload" : "");
    return volo_layer_new(out, hsts_run, hsts, volo_free);
}
