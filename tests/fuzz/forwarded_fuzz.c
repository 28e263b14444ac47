/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's address behind proxies.  Whatever a client writes, it cannot
 * choose what it is taken for: a line that a trusted proxy adds decides, and
 * an element that it appends decides too, or nothing is believed.
 *
 * The first octet chooses the field; each line of the rest is a line of it.
 */
#include <arpa/inet.h>
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

struct field {
    const char *layer; /* NULL: X-Forwarded-For */
    const char *name;
    const char *element;  /* what a proxy says of VISITOR */
    const char *appended; /* the same, behind a comma */
    volo_service *service;
    volo_test *client;
};

#define VISITOR "192.0.2.9"
#define PROXY "10.0.0.1"

static struct field fields[] = {
    {NULL, "X-Forwarded-For", VISITOR, ", " VISITOR, NULL, NULL},
    {"forwarded", "Forwarded", "for=" VISITOR, ", for=" VISITOR, NULL, NULL},
    {"forwarded", "Forwarded", "for=\"" VISITOR ":1\"",
     ", for=\"" VISITOR ":1\";proto=http", NULL, NULL},
};

static void
say_ip(volo_cx *cx, void *user)
{
    (void)user;
    volo_cx_set_body(cx, volo_cx_client_ip(cx));
    volo_cx_answer(cx);
}

static void
open_field(struct field *field)
{
    volo_layer *layer;

    if (field->client)
        return;
    CHECK(!volo_service_new(&field->service, say_ip, NULL, NULL));
    CHECK(!volo_layer_client_ip(&layer, "10.0.0.0/8, fd00::/8", field->layer));
    CHECK(!volo_service_add_layer(field->service, layer));
    volo_layer_unref(layer);
    CHECK(!volo_test_new(&field->client, field->service));
}

static void
close_fields(void)
{
    size_t i;

    for (i = 0; i < sizeof fields / sizeof *fields; i++) {
        volo_test_free(fields[i].client);
        volo_service_unref(fields[i].service);
    }
}

/* One line that may not be in a request is left out. */
static void
add_line(volo_test_request *request, const struct field *field,
         const char *line, size_t len, const char *more)
{
    size_t tail = strlen(more);
    char *text = malloc(len + tail + 1);

    CHECK(text);
    memcpy(text, line, len);
    memcpy(text + len, more, tail + 1);
    volo_test_request_header(request, field->name, text);
    free(text);
}

/* ${more} is put behind the last line. */
static volo_test_request *
request_of(const struct field *field, const char *text, size_t size,
           const char *more)
{
    volo_test_request *request;
    const char *end;

    CHECK(!volo_test_request_new(&request, field->client, "GET", "/"));
    CHECK(!volo_test_request_peer(request, PROXY));
    while ((end = memchr(text, '\n', size)) != NULL) {
        add_line(request, field, text, (size_t)(end - text), "");
        size -= (size_t)(end - text) + 1;
        text = end + 1;
    }
    add_line(request, field, text, size, more);
    return request;
}

static volo_test_response *
trade(const struct field *field, volo_test_request *request)
{
    volo_test_response *r;

    CHECK(!volo_test_send(&r, field->client, request));
    CHECK(volo_test_status(r) == 200);
    return r;
}

/* An address, as inet_ntop() would write it. */
static int
is_canonical(volo_str ip)
{
    int family = ip.len && memchr(ip.ptr, ':', ip.len) ? AF_INET6 : AF_INET;
    unsigned char octets[16];
    char text[INET6_ADDRSTRLEN];

    return inet_pton(family, ip.ptr, octets) == 1 &&
           inet_ntop(family, octets, text, sizeof text) &&
           volo_str_eq(ip, volo_str_of(text));
}

static void
check(const struct field *field, const char *text, size_t size)
{
    volo_test_response *r = trade(field, request_of(field, text, size, ""));
    volo_test_request *request;
    int fits;

    CHECK(is_canonical(volo_test_body(r)));
    volo_test_response_free(r);

    request = request_of(field, text, size, "");
    CHECK(!volo_test_request_header(request, field->name, field->element));
    r = trade(field, request);
    CHECK(volo_str_eq(volo_test_body(r), VOLO_STR(VISITOR)));
    volo_test_response_free(r);

    /* Where the text may not be in a field, it was left out, and what was
     * appended to it too. */
    request = request_of(field, "", 0, "");
    fits = !volo_test_request_header(request, "x-probe", text);
    volo_test_response_free(trade(field, request));
    if (!fits)
        return;
    r = trade(field, request_of(field, text, size, field->appended));
    CHECK(volo_str_eq(volo_test_body(r), VOLO_STR(VISITOR)) ||
          (field->layer && volo_str_eq(volo_test_body(r), VOLO_STR(PROXY))));
    volo_test_response_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct field *field;
    char text[4097];

    if (size < 2 || size > sizeof text || memchr(data + 1, '\0', size - 1))
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';

    if (!fields[0].client && !fields[1].client && !fields[2].client)
        atexit(close_fields);
    field = &fields[data[0] % (sizeof fields / sizeof *fields)];
    open_field(field);
    check(field, text, size - 1);
    return 0;
}
