/* SPDX-License-Identifier: Apache-2.0 */
/* The harness: an allocator that counts, and fails when it is told to. */
#include "torture.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_long seen;  /* allocations in this play */
static atomic_long alive; /* blocks that were not given back */
static long fail_at;      /* the number of the first one that fails */
static int fail_on;       /* all later ones fail too */
static const char *playing;

void
torture_fail(const char *what)
{
    fprintf(stderr, "torture: %s, allocation %ld%s: %s\n", playing, fail_at,
            fail_on ? " and all later ones" : "", what);
    abort();
}

static void *
allocator(void *ptr, size_t size, void *user)
{
    long number;
    void *out;

    (void)user;
    if (size == 0) {
        if (ptr)
            atomic_fetch_sub(&alive, 1);
        free(ptr);
        return NULL;
    }
    number = atomic_fetch_add(&seen, 1);
    if (number == fail_at || (fail_on && number > fail_at))
        return NULL;
    out = realloc(ptr, size);
    if (out && !ptr)
        atomic_fetch_add(&alive, 1);
    return out;
}

/* ---- Asking -------------------------------------------------------------- */

static int
judge(const volo_test_response *response, const char *body)
{
    int status = volo_test_status(response);

    if (status == 500 || status == 503)
        return VOLO_ENOMEM;
    if (status != 200)
        torture_fail("an answer that has nothing to do with memory");
    if (body && !volo_str_eq(volo_test_body(response), volo_str_of(body)))
        torture_fail("an answer with the wrong content");
    return 0;
}

static int
send_request(volo_test *test, volo_test_request *request, const char *body)
{
    volo_test_response *response;
    int err = volo_test_send(&response, test, request);

    if (err == VOLO_ETIMEDOUT)
        torture_fail("nobody has answered");
    if (err)
        return err == VOLO_EPROTO ? VOLO_ENOMEM : err;
    err = judge(response, body);
    volo_test_response_free(response);
    return err;
}

int
torture_ask(volo_service *service, const char *method, const char *path,
            const char *text, size_t chunk, const char *body)
{
    volo_test *test;
    volo_test_request *request;
    int err = volo_test_new(&test, service);

    if (err)
        return err;
    err = volo_test_request_new(&request, test, method, path);
    if (!err && text)
        err = volo_test_request_body(request, volo_str_of(text));
    if (!err) {
        volo_test_request_chunk(request, chunk);
        err = send_request(test, request, body);
    }
    volo_test_free(test);
    return err;
}

int
torture_get(volo_service *service, const char *path, const char *body)
{
    return torture_ask(service, "GET", path, NULL, 0, body);
}

/* ---- Playing ------------------------------------------------------------- */

/* One play; whether an allocation has failed in it. */
static int
play(const struct torture_scenario *scenario, long at)
{
    int err;

    fail_at = at;
    seen = 0;
    err = scenario->play();
    if (alive != 0)
        torture_fail("memory was lost");
    if (seen <= at) {
        if (err)
            torture_fail(volo_error_name(err));
        return 0;
    }
    if (err && err != VOLO_ENOMEM)
        torture_fail(volo_error_name(err));
    return 1;
}

static void
play_all(const struct torture_scenario *scenario)
{
    long at = 0;

    playing = scenario->name;
    for (fail_on = 0; fail_on < 2; fail_on++)
        for (at = 0; play(scenario, at); at++)
            ;
    printf("%-40s %4ld allocations\n", playing, at);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    const struct torture_scenario *const groups[] = {
        torture_services, torture_bodies, torture_codecs, torture_servers};
    size_t i;

    signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes to what is closed */
    volo_set_allocator(allocator, NULL);
    for (i = 0; i < sizeof groups / sizeof *groups; i++) {
        const struct torture_scenario *s;

        for (s = groups[i]; s->name; s++)
            if (argc < 2 || !strcmp(s->name, argv[1]))
                play_all(s);
    }
    return 0;
}
