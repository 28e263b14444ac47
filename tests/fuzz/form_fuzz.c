/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries and forms through the typed reader.  The same octets, as a form and
 * as a query, read alike; each pair is found under its name; a number that is
 * accepted is that number when it is written again.
 *
 * The octets up to the first NUL are the text; what a request target may not
 * hold is escaped for the query.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <volo.h>

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volo_test *client;

/* ---- The form by itself ---------------------------------------------------
 */

static void
check_pair(const volo_form *form, size_t i)
{
    volo_str name, value, first = {NULL, 0}, other, ignored;
    size_t k;

    volo_form_at(form, i, &name, &value);
    CHECK(name.ptr && value.ptr);
    for (k = 0; k <= i && !first.ptr; k++) {
        volo_form_at(form, k, &other, &ignored);
        if (volo_str_eq(other, name))
            first = ignored;
    }
    CHECK(first.ptr);
    if (!memchr(name.ptr, 0, name.len)) {
        char *copy = strndup(name.ptr, name.len);

        other = volo_form_get(form, copy);
        CHECK(other.ptr && volo_str_eq(other, first));
        free(copy);
    }
}

/* ---- Typed ------------------------------------------------------------------
 */

static void
check_number(volo_extract *x, int source)
{
    char digits[32];
    const char *text;
    int64_t wide;
    int32_t i32;
    uint64_t n;

    if (volo_extract_cstr(x, &text, source, "n", NULL))
        return;
    if (volo_extract_u64(x, &n, source, "n", NULL) == 0) {
        snprintf(digits, sizeof digits, "%" PRIu64, n);
        while (*text == '0' && text[1])
            text++;
        CHECK(!strcmp(digits, text));
    }
    if (volo_extract_i64(x, &wide, source, "n", NULL) == 0)
        CHECK((volo_extract_i32(x, &i32, source, "n", NULL) == 0) ==
              (wide == (int32_t)wide));
}

static void
check_double(volo_extract *x, int source)
{
    const char *text;
    double real;
    char *end;

    if (volo_extract_cstr(x, &text, source, "f", NULL) ||
        volo_extract_f64(x, &real, source, "f", NULL))
        return;
    CHECK(strtod(text, &end) == real);
    CHECK(!*end);
}

struct seen {
    size_t length;
    volo_str first;
    int err;
};

static void
see(struct seen *seen, volo_extract *x, int source)
{
    volo_list *list;

    seen->err = volo_extract_list(x, &list, source, "a", NULL);
    CHECK(!seen->err == (list != NULL));
    seen->length = volo_list_len(list);
    seen->first = volo_list_at(list, 0);
}

VOLO_HANDLER(read_all, (list, a, FORM("a")))
{
    volo_extract *x = volo_extract_begin(cx);
    struct seen form, query;
    volo_form *whole;
    volo_str one;
    size_t i;

    (void)a;
    see(&form, x, VOLO_FROM_FORM);
    see(&query, x, VOLO_FROM_QUERY);
    CHECK(form.err == query.err && form.length == query.length);
    CHECK(volo_str_eq(form.first, query.first));
    CHECK(volo_extract_str(x, &one, VOLO_FROM_QUERY | VOLO_OPTIONAL, "a",
                           NULL) == 0);
    CHECK(volo_str_eq(one, query.first));
    CHECK(volo_extract_form(x, &whole, VOLO_FROM_FORM, "", NULL) == 0);
    for (i = 0; i < volo_form_len(whole) && i < 32; i++)
        check_pair(whole, i);
    check_number(x, VOLO_FROM_QUERY);
    check_number(x, VOLO_FROM_FORM);
    check_double(x, VOLO_FROM_FORM);
    return volo_reply_empty(cx);
}

/* ---- The request ------------------------------------------------------------
 */

static void
set_up(void)
{
    volo_service *service;

    CHECK(volo_service_new(&service, read_all, NULL, NULL) == 0);
    CHECK(volo_test_new(&client, service) == 0);
    volo_service_unref(service);
}

/* A target whose query reads as ${text} does. */
static char *
target_of(const char *text, size_t len)
{
    char *target = malloc(3 * len + 3), *p = target;
    size_t i;

    p += sprintf(p, "/?");
    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c > 0x20 && c < 0x7f && c != '#')
            *p++ = (char)c;
        else
            p += sprintf(p, "%%%02X", c);
    }
    *p = '\0';
    return target;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t len = strnlen(text, size);
    volo_test_request *request;
    volo_test_response *r;
    char *target;
    int status;

    if (!client)
        set_up();
    if (len > 2000)
        return 0; /* more than a target may have, escaped */
    target = target_of(text, len);
    if (volo_test_request_new(&request, client, "POST", target) == 0) {
        CHECK(volo_test_request_header(request, "content-type",
                                       "application/x-www-form-urlencoded") ==
              0);
        CHECK(volo_test_request_body(request, volo_str_make(text, len)) == 0);
        if (volo_test_send(&r, client, request) == 0) {
            status = volo_test_status(r);
            CHECK(status == 204 || status == 400 || status == 413);
            volo_test_response_free(r);
        }
    }
    free(target);
    return 0;
}
