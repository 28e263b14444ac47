/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of entity tags.  A list matches only if the tag stands in it, one line
 * more with the tag always matches, and a strong comparison never matches more
 * than a weak one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <volo.h>

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TAG "\"t\""

static volo_service *service;
static volo_test *client;

static void
page(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_header(cx, "etag", VOLO_STR(TAG));
    volo_cx_set_body(cx, VOLO_STR("page"));
    volo_cx_answer(cx);
}

static void
close_client(void)
{
    volo_test_free(client);
    volo_service_unref(service);
}

static void
open_client(void)
{
    volo_layer *layer;

    CHECK(!volo_service_new(&service, page, NULL, NULL));
    CHECK(!volo_layer_etag(&layer, 0));
    CHECK(!volo_service_add_layer(service, layer));
    volo_layer_unref(layer);
    CHECK(!volo_test_new(&client, service));
    atexit(close_client);
}

/* The status for a condition with the line ${text} and perhaps one more; 0 if
 * no such line can be sent. */
static int
ask(const char *name, const char *text, const char *more)
{
    volo_test_request *request;
    volo_test_response *r;
    int status, sent;

    CHECK(!volo_test_request_new(&request, client, "GET", "/"));
    sent = !volo_test_request_header(request, name, text);
    if (more)
        CHECK(!volo_test_request_header(request, name, more));
    CHECK(!volo_test_send(&r, client, request));
    status = volo_test_status(r);
    volo_test_response_free(r);
    return sent ? status : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int weak, strong, may;

    CHECK(text);
    memcpy(text, data, size);
    text[size] = 0;
    if (!client)
        open_client();

    weak = ask("if-none-match", text, NULL);
    strong = ask("if-match", text, NULL);
    may = strstr(text, TAG) || strchr(text, '*');
    if (weak) {
        CHECK(weak == 200 || weak == 304);
        CHECK(strong == 200 || strong == 412);
        CHECK(may || (weak == 200 && strong == 412));
        CHECK(strong == 412 || weak == 304);
        CHECK(ask("if-none-match", text, "W/" TAG) == 304);
        CHECK(ask("if-match", text, TAG) == 200);
    }
    free(text);
    return 0;
}
