/* SPDX-License-Identifier: Apache-2.0 */
/* VOLO_HANDLER in a program that has names of its own, what its body may do,
 * and the functions below it. */
#define VOLO_NO_SHORT_NAMES
#define PATH 1
#define QUERY(a, b, c) taken
#define JSON int

#include "extract_support.h"

VOLO_HANDLER(own_names, (u64, id, VOLO_PATH("id")),
             (str, q, VOLO_QUERY("q", "-")), (bool, b, VOLO_QUERY("b", "on")),
             (str, h, VOLO_HEADER_OPT("h")))
{
    char text[64];

    snprintf(text, sizeof text, "%d %d %.*s %d", PATH, (int)id, (int)q.len,
             q.ptr, b && !h.ptr);
    return volo_reply_text(cx, text);
}

static void
test_a_program_may_have_its_own_names(void **state)
{
    (void)state;
    open_rig("/{id}", own_names);
    expect("/7?q=x", NULL, NULL, 200, "1 7 x 1");
    close_rig();
}

/* ---- What a body may do ----------------------------------------------------
 */

static void *
answer_late(void *user)
{
    volo_cx *cx = user;

    volo_reply_text(cx, "later");
    volo_cx_unref(cx);
    return NULL;
}

static pthread_t thread;

VOLO_HANDLER(later, (str, b, VOLO_BODY()))
{
    (void)b;
    volo_cx_ref(cx);
    assert_int_equal(pthread_create(&thread, NULL, answer_late, cx), 0);
    return 0;
}

static void
test_a_body_may_answer_later(void **state)
{
    volo_test_response *r;

    (void)state;
    open_rig("/", later);
    r = rig_post(&rig, "/", VOLO_STR("in pieces"), 3);
    assert_str(volo_test_body(r), "later");
    pthread_join(thread, NULL);
    close_rig();
}

VOLO_HANDLER(careless)
{
    (void)cx;
    return 0;
}

VOLO_HANDLER(both)
{
    assert_int_equal(volo_reply_text(cx, "answered"), 0);
    return VOLO_EINVAL;
}

VOLO_HANDLER(with_user)
{
    return volo_reply_text(cx, user ? "user" : "none");
}

static void
test_an_error_after_the_answer_changes_nothing(void **state)
{
    (void)state;
    open_rig("/", both);
    expect("/", NULL, NULL, 200, "answered");
    close_rig();
    open_rig("/", careless);
    expect("/", NULL, NULL, 500, "Internal Server Error\n");
    close_rig();
    open_rig("/", with_user);
    expect("/", NULL, NULL, 200, "none");
    close_rig();
}

/* ---- By hand ---------------------------------------------------------------
 */

static void
by_hand(volo_cx *cx, void *user)
{
    volo_extract *x = volo_extract_begin(cx);
    int64_t page, size;

    (void)user;
    assert_ptr_equal(volo_extract_cx(x), cx);
    volo_extract_i64(x, &page, VOLO_FROM_QUERY, "page", "1");
    volo_extract_i64(x, &size, VOLO_FROM_QUERY, "size", "10");
    if (size > 100)
        volo_extract_reject(x, 422, "size", "query", "is above 100");
    if (page < 1)
        volo_extract_reject(x, 403, "page", NULL, NULL);
    if (volo_extract_end(x, cx) == 0)
        volo_reply_text(cx, "read");
}

static void
test_the_functions_below_do_the_same(void **state)
{
    (void)state;
    open_rig("/", by_hand);
    expect("/?page=2", NULL, NULL, 200, "read");
    expect("/?size=101", NULL, NULL, 422,
           "Unprocessable Content\nquery size: is above 100\n");
    expect("/?size=101&page=x", NULL, NULL, 403,
           "Forbidden\nquery page: must be an integer\n"
           "query size: is above 100\nrequest page: \n");
    close_rig();
}

static void
without_memory(volo_cx *cx, void *user)
{
    uint32_t number = 7;
    volo_list *list;
    volo_json *json;
    volo_form *form;
    const char *text;
    volo_str str;
    void *ptr;
    int flag;

    (void)user;
    assert_int_equal(volo_extract_u32(NULL, &number, VOLO_FROM_QUERY, "a", "1"),
                     VOLO_ENOMEM);
    assert_int_equal(number, 0);
    assert_int_equal(volo_extract_str(NULL, &str, VOLO_FROM_BODY, "a", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_cstr(NULL, &text, VOLO_FROM_PATH, "a", "b"),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_has(NULL, &flag, VOLO_FROM_JSON, "a", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_list(NULL, &list, VOLO_FROM_FORM, "a", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_json(NULL, &json, VOLO_FROM_JSON, "", "1"),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_form(NULL, &form, VOLO_FROM_FORM, "", NULL),
                     VOLO_ENOMEM);
    assert_int_equal(volo_extract_ptr(NULL, &ptr, VOLO_FROM_EXT, "a", NULL),
                     VOLO_ENOMEM);
    assert_null(volo_extract_cx(NULL));
    volo_extract_reject(NULL, 400, "a", "query", "b");
    assert_int_equal(volo_extract_end(NULL, cx), VOLO_ENOMEM);
}

static void
test_a_reading_for_which_there_is_no_memory_is_503(void **state)
{
    (void)state;
    open_rig("/", without_memory);
    expect("/", NULL, NULL, 503, "Service Unavailable\n");
    close_rig();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_may_have_its_own_names),
        cmocka_unit_test(test_a_body_may_answer_later),
        cmocka_unit_test(test_an_error_after_the_answer_changes_nothing),
        cmocka_unit_test(test_the_functions_below_do_the_same),
        cmocka_unit_test(test_a_reading_for_which_there_is_no_memory_is_503),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
