/* SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

enum { THREADS = 4, EACH = 20000 };

struct poster {
    pthread_t thread;
    volo_loop *loop;
    int endless; /* until refused */
    int posted;
    int refused;
    int next; /* of the loop's thread: what is to come */
    int disorder;
    int elsewhere;
};

struct letter {
    struct poster *from;
    int number;
};

static void
receive(void *user)
{
    struct letter *letter = user;
    struct poster *from = letter->from;

    from->disorder += letter->number != from->next;
    from->elsewhere += volo_loop_current() != from->loop;
    from->next = letter->number + 1;
    free(letter);
}

static void *
post_all(void *user)
{
    struct poster *poster = user;
    struct letter *letter;
    int i;

    for (i = 0; poster->endless ? !poster->refused : i < EACH; i++) {
        letter = malloc(sizeof *letter);
        letter->from = poster;
        letter->number = i;
        if (volo_loop_post(poster->loop, receive, letter) == 0) {
            poster->posted++;
        } else {
            poster->refused++;
            free(letter);
        }
    }
    return NULL;
}

static void
test_posts_of_many_threads_arrive_once_in_order(void **state)
{
    struct rig rig;
    struct poster posters[THREADS] = {0};
    int i;

    (void)state;
    rig_open(&rig);
    for (i = 0; i < THREADS; i++) {
        posters[i].loop = rig.loop;
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
    }
    for (i = 0; i < THREADS; i++)
        turn_until(&rig, posters[i].next == EACH);
    for (i = 0; i < THREADS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].posted, EACH);
        assert_int_equal(posters[i].disorder, 0);
        assert_int_equal(posters[i].elsewhere, 0);
    }
    rig_close(&rig);
}

struct last {
    struct volo__task task;
    struct volo__home *home;
};

static void
leave(struct volo__task *task)
{
    volo__home_exchange_gone(((struct last *)task)->home);
}

/* The struct stays until we say, so that a late post is a legal one. */
static void
test_a_post_is_run_by_the_loop_or_refused(void **state)
{
    struct rig rig;
    struct poster posters[THREADS] = {0};
    struct last last = {.task.run = leave};
    int i;

    (void)state;
    rig_open(&rig);
    rig.loop->home.live = 1;
    for (i = 0; i < THREADS; i++) {
        posters[i].loop = rig.loop;
        posters[i].endless = 1;
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
    }
    turn_until(&rig, posters[0].next > 100);
    assert_int_equal(volo__loop_close(rig.loop), 0);
    for (i = 0; i < THREADS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].posted, posters[i].next);
        assert_int_equal(posters[i].disorder, 0);
        assert_int_equal(posters[i].elsewhere, 0);
        assert_int_equal(posters[i].refused, 1);
    }
    assert_int_equal(volo_loop_post(rig.loop, receive, NULL), VOLO_ECLOSED);
    last.home = &rig.loop->home;
    volo__home_post(last.home, &last.task);
    assert_int_equal(open_descriptors(), rig.descriptors);
}

static void
post_again(void *user)
{
    int *left = user;

    if (--*left > 0)
        assert_int_equal(volo_loop_post(volo_loop_current(), post_again, left),
                         0);
}

static void
test_a_posted_function_may_post(void **state)
{
    struct rig rig;
    int left = 10;

    (void)state;
    rig_open(&rig);
    assert_int_equal(volo_loop_post(rig.loop, post_again, &left), 0);
    turn_until(&rig, left == 0);
    rig_close(&rig);
}

static void
test_the_clock_does_not_go_back(void **state)
{
    struct rig rig;
    uint64_t last = 0, now;
    int i;

    (void)state;
    rig_open(&rig);
    for (i = 0; i < 50; i++) {
        volo__loop_step(rig.loop, i % 2);
        now = volo_loop_now_ms(rig.loop);
        assert_true(now >= last);
        last = now;
    }
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_of_many_threads_arrive_once_in_order),
        cmocka_unit_test(test_a_post_is_run_by_the_loop_or_refused),
        cmocka_unit_test(test_a_posted_function_may_post),
        cmocka_unit_test(test_the_clock_does_not_go_back),
    };

    return cmocka_run_group_tests(tests, net_setup, NULL);
}
