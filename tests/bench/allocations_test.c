/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In steady state a request takes no memory from the allocator, one read and
 * one write: counted on a real server with a real socket.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <volo.h>

enum { WARM = 200, COUNTED = 500 };

static atomic_ulong allocations;

static void *
counting(void *ptr, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    atomic_fetch_add(&allocations, 1);
    return realloc(ptr, size);
}

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
param(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_str(cx, volo_cx_param(cx, "post"));
}

struct fixture {
    volo_server *server;
    int fd;
};

static void
add_routes(volo_router *router)
{
    volo_router *group;
    int i;

    assert_int_equal(volo_router_get(router, "/plaintext", plaintext, NULL), 0);
    assert_int_equal(
        volo_router_get(router, "/users/{id}/posts/{post}", param, NULL), 0);
    assert_int_equal(volo_router_group(&group, router, "/layers"), 0);
    for (i = 0; i < 5; i++)
        assert_int_equal(volo_router_layer(group, no_op, NULL, NULL), 0);
    assert_int_equal(volo_router_get(group, "/", plaintext, NULL), 0);
}

static int
set_up(void **state)
{
    static struct fixture f;
    volo_router *router;
    struct sockaddr_in addr;

    volo_set_allocator(counting, NULL);
    assert_int_equal(volo_router_new(&router), 0);
    add_routes(router);
    assert_int_equal(volo_server_new(&f.server, volo_router_service(router)),
                     0);
    volo_router_unref(router);
    volo_server_set(f.server, VOLO_SERVER_WORKERS, 1);
    assert_int_equal(volo_server_bind(f.server, "127.0.0.1:0"), 0);
    assert_int_equal(volo_server_start(f.server), 0);

    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_port = htons((uint16_t)volo_server_port(f.server, 0));
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(f.fd, (void *)&addr, sizeof addr), 0);
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    close(f->fd);
    volo_server_free(f->server);
    volo_set_allocator(NULL, NULL);
    return 0;
}

/* One request; every answer here is smaller than a segment. */
static void
ask(struct fixture *f, const char *path)
{
    char text[512];
    int n =
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);

    assert_int_equal(write(f->fd, text, (size_t)n), n);
    assert_true(read(f->fd, text, sizeof text) > 15);
    assert_memory_equal(text, "HTTP/1.1 200 OK", 15);
}

static void
count(struct fixture *f, const char *path)
{
    unsigned long before;
    uint64_t reads, writes;
    int i;

    for (i = 0; i < WARM; i++)
        ask(f, path);
    reads = volo_server_stat(f->server, VOLO_STAT_READS);
    writes = volo_server_stat(f->server, VOLO_STAT_WRITES);
    before = allocations;
    for (i = 0; i < COUNTED; i++)
        ask(f, path);
    assert_int_equal(allocations - before, 0);

    /* The server may count a write after we have read what it wrote, so each
     * figure can be one too few at either end. */
    reads = volo_server_stat(f->server, VOLO_STAT_READS) - reads;
    writes = volo_server_stat(f->server, VOLO_STAT_WRITES) - writes;
    assert_in_range(reads, COUNTED - 1, COUNTED + 1);
    assert_in_range(writes, COUNTED - 1, COUNTED + 1);
}

static void
test_plaintext_takes_no_memory(void **state)
{
    count(*state, "/plaintext");
}

static void
test_path_parameters_take_no_memory(void **state)
{
    count(*state, "/users/42/posts/7");
}

static void
test_five_layers_take_no_memory(void **state)
{
    count(*state, "/layers");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plaintext_takes_no_memory),
        cmocka_unit_test(test_path_parameters_take_no_memory),
        cmocka_unit_test(test_five_layers_take_no_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
