/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples share: run a router until Ctrl-C, say what went wrong. */
#ifndef EXAMPLES_SERVE_H
#define EXAMPLES_SERVE_H

#include <volo.h>

#include <stdio.h>

/* example_serve(router, argc, argv): serve ${router}, whose reference is used
 * up, on the address in ${argv}; what main() returns. */
static inline int
example_serve(volo_router *router, int argc, char **argv)
{
    const char *address = argc > 1 ? argv[1] : "127.0.0.1:8080";
    volo_server *server;
    int err = volo_server_new(&server, volo_router_service(router));

    volo_router_unref(router);
    if (!err) {
        err = volo_server_set(server, VOLO_SERVER_SIGNALS, 1);
        if (!err)
            err = volo_server_bind(server, address);
        if (!err) {
            printf("http://127.0.0.1:%d/\n", volo_server_port(server, 0));
            fflush(stdout);
            err = volo_server_run(server);
        }
        if (err)
            fprintf(stderr, "%s\n", volo_server_error(server));
        volo_server_free(server);
    }
    return err ? 1 : 0;
}

/* example_failed(router, err): the same for what failed before. */
static inline int
example_failed(volo_router *router, int err)
{
    fprintf(stderr, "%s: %s\n", volo_strerror(err),
            router ? volo_router_error(router) : "");
    volo_router_unref(router);
    return 1;
}

#endif
