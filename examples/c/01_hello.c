/* SPDX-License-Identifier: Apache-2.0 */
#include <volo.h>

static void
hello(volo_cx *cx, void *user)
{
    volo_reply_text(cx, user);
}

int
main(int argc, char **argv)
{
    volo_service *service = NULL;
    volo_server *server = NULL;

    return volo_service_new(&service, hello, "Hello, World!\n", NULL) ||
           volo_server_new(&server, service) ||
           volo_server_bind(server, argc > 1 ? argv[1] : "127.0.0.1:8080") ||
           volo_server_run(server);
}
