/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges that outlive their server: what they lend and what they come
 * through on their way out is there until the last of them has ended. */
#include "server_support.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <volo/router.h>

VOLO_KEY(greeting, char);

/* What the program has: freed, like all of it, when it is not needed. */
struct things {
    _Atomic(volo_cx *) held;
    atomic_int seen;  /* responses that passed the layer */
    atomic_int freed; /* of layer, route and state */
};

struct thing {
    struct things *things;
    char text[8];
};

static struct thing *
thing_new(struct things *things)
{
    struct thing *thing = malloc(sizeof *thing);

    assert_non_null(thing);
    thing->things = things;
    strcpy(thing->text, "hello");
    return thing;
}

static void
thing_free(void *user)
{
    struct thing *thing = user;

    thing->things->freed++;
    free(thing);
}

static void
see_response(volo_cx *cx, void *frame)
{
    struct thing *thing = frame;

    (void)cx;
    thing->things->seen++;
}

static void
layer(volo_cx *cx, volo_next *next, void *user)
{
    volo_next_run(next, cx, see_response, user);
}

static void
hold(volo_cx *cx, void *user)
{
    struct thing *thing = user;

    thing->things->held = volo_cx_ref(cx);
}

static volo_server *
new_server(struct things *things)
{
    volo_router *router;
    volo_server *server;

    assert_int_equal(volo_router_new(&router), 0);
    assert_int_equal(volo_router_handle(router, VOLO_GET, "/a/{name}", hold,
                                        thing_new(things), thing_free),
                     0);
    assert_int_equal(
        volo_router_layer(router, layer, thing_new(things), thing_free), 0);
    assert_int_equal(volo_server_new(&server, volo_router_service(router)), 0);
    volo_router_unref(router);
    assert_int_equal(
        volo_server_layer(server, layer, thing_new(things), thing_free), 0);
    assert_int_equal(volo_server_set_state(server, greeting_key(),
                                           thing_new(things), thing_free),
                     0);
    volo_server_set(server, VOLO_SERVER_WORKERS, 1);
    assert_int_equal(volo_server_bind(server, "127.0.0.1:0"), 0);
    assert_int_equal(volo_server_start(server), 0);
    return server;
}

/* An exchange whose server is gone. */
static volo_cx *
orphan(struct things *things)
{
    volo_server *server = new_server(things);
    int fd = dial(server);

    say(fd, GET("/a/b"));
    while (!things->held)
        usleep(200);
    volo_server_free(server);
    close(fd);
    assert_int_equal(things->freed, 0);
    return things->held;
}

static void
test_what_it_lends_is_there(void **state)
{
    struct things things = {0};
    volo_cx *cx = orphan(&things);
    volo_str name, value;

    (void)state;
    assert_true(volo_str_eq(volo_cx_pattern(cx), VOLO_STR("/a/{name}")));
    volo_cx_param_at(cx, 0, &name, &value);
    assert_true(volo_str_eq(name, VOLO_STR("name")));
    assert_true(volo_str_eq(value, VOLO_STR("b")));
    assert_string_equal(((struct thing *)(void *)greeting_get(cx))->text,
                        "hello");
    volo_cx_unref(cx);
    assert_int_equal(things.freed, 4);
}

static void
test_a_late_answer_passes_layers_that_are_there(void **state)
{
    struct things things = {0};
    volo_cx *cx = orphan(&things);

    (void)state;
    assert_int_equal(volo_cx_answer(cx), VOLO_ECANCELED);
    assert_int_equal(things.seen, 2);
    assert_int_equal(things.freed, 0);
    volo_cx_unref(cx);
    assert_int_equal(things.freed, 4);
}

static void
test_one_that_is_let_go_passes_them_too(void **state)
{
    struct things things = {0};
    volo_cx *cx = orphan(&things);

    (void)state;
    volo_cx_unref(cx);
    assert_int_equal(things.seen, 2);
    assert_int_equal(things.freed, 4);
}

static void
test_without_exchanges_all_goes_with_the_server(void **state)
{
    struct things things = {0};

    (void)state;
    volo_server_free(new_server(&things));
    assert_int_equal(things.freed, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_lends_is_there),
        cmocka_unit_test(test_a_late_answer_passes_layers_that_are_there),
        cmocka_unit_test(test_one_that_is_let_go_passes_them_too),
        cmocka_unit_test(test_without_exchanges_all_goes_with_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
