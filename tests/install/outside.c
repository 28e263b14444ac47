/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program outside of this tree: all that it knows is what was installed.
 * It serves itself in memory, so that most rooms of the library are linked.
 */
#include <volo.h>

#include <stdio.h>

static void
hello(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_text(cx, "hello");
}

static int
ask(volo_router *router)
{
    volo_test *test;
    volo_test_response *response;
    int err, good;

    err = volo_test_new(&test, volo_router_service(router));
    if (err)
        return err;
    err = volo_test_get(&response, test, "/hello");
    if (!err) {
        good = volo_test_status(response) == 200 &&
               volo_str_eq(volo_test_body(response), VOLO_STR("hello"));
        volo_test_response_free(response);
        err = good ? 0 : VOLO_EPROTO;
    }
    volo_test_free(test);
    return err;
}

int
main(void)
{
    volo_router *router;
    int err = volo_router_new(&router);

    if (!err) {
        err = volo_router_get(router, "/hello", hello, NULL);
        if (!err)
            err = ask(router);
        volo_router_unref(router);
    }
    if (volo_version() != VOLO_VERSION)
        err = VOLO_EINVAL;
    printf("%s: %s\n", volo_version_text(), volo_strerror(err));
    return err ? 1 : 0;
}
