/* SPDX-License-Identifier: Apache-2.0 */
/* Forms by themselves. */
#include "extract_support.h"

/* Say all pairs of the form that is the query, "name=value;" each. */
static void
say(volo_cx *cx, void *user)
{
    volo_str name, value;
    volo_form *form;
    char text[256] = "";
    size_t i, n = 0;
    int err = volo_form_parse(&form, cx, volo_cx_query(cx));

    (void)user;
    if (err) {
        volo_reply_error(cx, err);
        return;
    }
    for (i = 0; i < volo_form_len(form) && n < sizeof text; i++) {
        volo_form_at(form, i, &name, &value);
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s=%.*s;",
                              (int)name.len, name.ptr, (int)value.len,
                              value.ptr);
    }
    volo_form_at(form, i, &name, &value);
    assert_absent(name);
    assert_absent(value);
    volo_reply_text(cx, text);
}

static void
test_pairs_keep_their_order_and_are_decoded(void **state)
{
    (void)state;
    open_rig("/", say);
    expect("/", NULL, NULL, 200, "");
    expect("/?", NULL, NULL, 200, "");
    expect("/?&&", NULL, NULL, 200, "");
    expect("/?b=1&a=2&b=3", NULL, NULL, 200, "b=1;a=2;b=3;");
    expect("/?a+b=c%2Bd&%61=%26%3d", NULL, NULL, 200, "a b=c+d;a=&=;");
    expect("/?a&=b&=&a=b=c", NULL, NULL, 200, "a=;=b;=;a=b=c;");
    close_rig();
}

static void
test_a_broken_escape_breaks_the_form(void **state)
{
    (void)state;
    open_rig("/", say);
    expect("/?a=1&b=%g0", NULL, NULL, 400, "Bad Request: malformed value\n");
    expect("/?a=1&%=1", NULL, NULL, 400, "Bad Request: malformed value\n");
    expect("/?a=%2", NULL, NULL, 400, "Bad Request: malformed value\n");
    close_rig();
}

static void
get(volo_cx *cx, void *user)
{
    volo_form *form;

    (void)user;
    assert_int_equal(volo_form_parse(&form, cx, VOLO_STR("a=1&A=2&a=3&b")), 0);
    assert_str(volo_form_get(form, "a"), "1");
    assert_str(volo_form_get(form, "A"), "2");
    assert_str(volo_form_get(form, "b"), "");
    assert_absent(volo_form_get(form, "c"));
    assert_absent(volo_form_get(NULL, "a"));
    assert_int_equal(volo_form_len(NULL), 0);
    volo_reply_empty(cx);
}

static void
test_the_first_of_a_name_is_got_as_written(void **state)
{
    (void)state;
    open_rig("/", get);
    expect("/", NULL, NULL, 204, "");
    close_rig();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_keep_their_order_and_are_decoded),
        cmocka_unit_test(test_a_broken_escape_breaks_the_form),
        cmocka_unit_test(test_the_first_of_a_name_is_got_as_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
