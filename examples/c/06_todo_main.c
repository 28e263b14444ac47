/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The to-do service on a socket.
 *
 *     curl --json '{"title":"write a service"}' localhost:8080/todos
 *     curl localhost:8080/todos
 *     curl -X PATCH --json '{"done":true}' localhost:8080/todos/1
 *     curl -X DELETE localhost:8080/todos/1
 */
#include "06_todo.h"
#include "serve.h"

int
main(int argc, char **argv)
{
    volo_router *router = NULL;
    int err = todo_new(&router);

    return err ? example_failed(router, err)
               : example_serve(router, argc, argv);
}
