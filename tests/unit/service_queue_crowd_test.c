/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients and many takers; for TSan above all. */
#include "service_queue.h"

#include <stdio.h>

/* ---- Many of everything -------------------------------------------------- */

enum { CLIENTS = 3, TAKERS = 3, REQUESTS = 150 };

struct client {
    pthread_t thread;
    volo_queue *queue;
    int good;
    int left;
    int refused; /* no room: the answer is at once, and so is the next */
};

static void
echo_path(const volo_job *job, volo_answer *answer)
{
    answer->body = job->path; /* lives as long as the exchange */
    answer->release = count_up;
    answer->user = &releases;
}

static void
ask_once(struct client *c, volo_test *test, int i)
{
    volo_test_request *request;
    volo_test_response *r = NULL;
    char path[32];
    int err;

    snprintf(path, sizeof path, "/%p/%d", (void *)c, i);
    volo_test_request_new(&request, test, "GET", path);
    if (i % 10 == 3)
        volo_test_request_leave(request, 0);
    err = volo_test_send(&r, test, request);
    if (err == VOLO_ECANCELED)
        c->left++;
    else if (!err && volo_test_status(r) == 503)
        c->refused++;
    else if (!err && volo_test_body(r).len == strlen(path) &&
             !memcmp(volo_test_body(r).ptr, path, strlen(path)))
        c->good++;
    volo_test_response_free(r);
}

static void *
client_run(void *arg)
{
    struct client *c = arg;
    volo_service *service;
    volo_test *test;
    int i;

    volo_queue_service(&service, c->queue, NULL, NULL);
    volo_test_new(&test, service);
    for (i = 0; i < REQUESTS; i++)
        ask_once(c, test, i);
    volo_test_free(test);
    volo_service_unref(service);
    return NULL;
}

static void
run_crowd(size_t capacity, size_t max)
{
    struct client clients[CLIENTS];
    struct taker takers[TAKERS];
    int i, taken = 0, good = 0, left = 0;
    volo_queue *queue;

    assert_int_equal(volo_queue_new(&queue, capacity), 0);
    memset(clients, 0, sizeof clients);
    for (i = 0; i < TAKERS; i++) {
        memset(&takers[i], 0, sizeof takers[i]);
        takers[i].queue = queue;
        takers[i].fill = echo_path;
        takers[i].job_size = sizeof(volo_job);
        takers[i].answer_size = sizeof(volo_answer);
        takers[i].max = max;
        pthread_create(&takers[i].thread, NULL, taker_run, &takers[i]);
    }
    for (i = 0; i < CLIENTS; i++) {
        clients[i].queue = queue;
        pthread_create(&clients[i].thread, NULL, client_run, &clients[i]);
    }
    for (i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    volo_queue_close(queue);
    for (i = 0; i < TAKERS; i++) {
        taker_join(&takers[i]);
        taken += takers[i].taken;
    }
    for (i = 0; i < CLIENTS; i++) {
        assert_int_equal(clients[i].good + clients[i].left + clients[i].refused,
                         REQUESTS);
        assert_true(clients[i].refused == 0 || capacity);
        good += clients[i].good;
        left += clients[i].left;
    }
    assert_in_range(taken, good, good + left);
    volo_queue_unref(queue);
}

static void
test_many_clients_and_takers_lose_nothing(void **state)
{
    (void)state;
    run_crowd(0, ROOM);
    run_crowd(0, 1);
    run_crowd(4, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_clients_and_takers_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
