/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instructions N SCENARIO: N requests through codec, layers, router, handler
 * and serialiser in memory.  Run under callgrind with two different N, the
 * difference is what a request costs, exactly and on any machine.
 */
#include "bench/memory_server.h"

#include <stdio.h>

#define REQUEST(path)                              \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\n" \
    "User-Agent: instructions\r\nAccept: */*\r\n\r\n"

static void
no_op_left(volo_cx *cx, void *frame)
{
    (void)cx;
    (void)frame;
}

static void
no_op(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, no_op_left, user);
}

static void
plaintext(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_static(cx, "text/plain", VOLO_STR("Hello, World!"));
}

static void
params(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_static(cx, "text/plain", volo_cx_param(cx, "post"));
}

static int
add_routes(volo_router *router)
{
    volo_router *group;
    int i, err = volo_router_get(router, "/plaintext", plaintext, NULL);

    if (!err)
        err = volo_router_group(&group, router, "/layers");
    for (i = 0; !err && i < 5; i++)
        err = volo_router_layer(group, no_op, NULL, NULL);
    if (!err)
        err = volo_router_get(group, "/users/{id}/posts/{post}", params, NULL);
    return err;
}

static const struct {
    const char *name;
    const char *text;
    int batch;
} scenarios[] = {
    {"plaintext", REQUEST("/plaintext"), 1},
    {"layers", REQUEST("/layers/users/42/posts/7"), 1},
    {"pipelined", REQUEST("/plaintext"), 16},
};

static int
run(volo_service *service, long n, size_t which)
{
    static struct memory_server server;
    static char text[16384];
    size_t len = 0, one = strlen(scenarios[which].text);
    int i;

    if (memory_open(&server, service))
        return 1;
    for (i = 0; i < scenarios[which].batch; i++, len += one)
        memcpy(text + len, scenarios[which].text, one);
    while (n-- > 0)
        memory_ask(&server, text, len);
    memory_close(&server);
    fprintf(stderr, "%zu octets\n", server.left);
    return server.left == 0;
}

int
main(int argc, char **argv)
{
    volo_router *router;
    size_t i;
    int failed = 1;

    if (argc != 3 || volo_router_new(&router))
        return 2;
    if (!add_routes(router))
        for (i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
            if (!strcmp(argv[2], scenarios[i].name))
                failed = run(volo_router_service(router),
                             strtol(argv[1], NULL, 10), i);
    volo_router_unref(router);
    return failed;
}
