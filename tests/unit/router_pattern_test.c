/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns: what is one, and into what it is taken apart. */
#include "router/pattern.h"

#include "base/alloc.h"
#include <stdio.h>

#include "support.h"

static struct volo__pattern *
parsed(const char *source)
{
    struct volo__pattern *pattern = NULL;
    const char *why = NULL;

    if (volo__pattern_new(&pattern, volo_str_of(source), &why) != 0)
        fail_msg("\"%s\" %s", source, why);
    return pattern;
}

static void
refused(const char *source, const char *reason)
{
    struct volo__pattern *pattern = NULL;
    const char *why = NULL;

    assert_int_equal(volo__pattern_new(&pattern, volo_str_of(source), &why),
                     VOLO_EINVAL);
    assert_null(pattern);
    assert_string_equal(why, reason);
}

static void
test_segments_are_told_apart(void **state)
{
    struct volo__pattern *p = parsed("/a/{b}/x-{c}.y/{*d}");

    (void)state;
    assert_int_equal(p->count, 4);
    assert_int_equal(p->params, 3);
    assert_int_equal(p->segs[0].kind, VOLO__SEG_STATIC);
    assert_str(p->segs[0].text, "a");
    assert_int_equal(p->segs[1].kind, VOLO__SEG_PLAIN);
    assert_str(p->segs[1].name, "b");
    assert_int_equal(p->segs[2].kind, VOLO__SEG_AFFIXED);
    assert_str(p->segs[2].text, "x-");
    assert_str(p->segs[2].name, "c");
    assert_str(p->segs[2].suffix, ".y");
    assert_int_equal(p->segs[3].kind, VOLO__SEG_REST);
    assert_str(p->segs[3].name, "d");
    volo__free(p);
}

static void
test_a_slash_at_the_end_is_an_empty_segment(void **state)
{
    struct volo__pattern *p = parsed("/"), *q = parsed("/a/");

    (void)state;
    assert_int_equal(p->count, 1);
    assert_str(p->segs[0].text, "");
    assert_int_equal(q->count, 2);
    assert_str(q->segs[1].text, "");
    volo__free(p);
    volo__free(q);
}

static void
test_doubled_braces_are_braces(void **state)
{
    struct volo__pattern *p = parsed("/{{a}}/{{{b}}}");

    (void)state;
    assert_int_equal(p->segs[0].kind, VOLO__SEG_STATIC);
    assert_str(p->segs[0].text, "{a}");
    assert_int_equal(p->segs[1].kind, VOLO__SEG_AFFIXED);
    assert_str(p->segs[1].text, "{");
    assert_str(p->segs[1].name, "b");
    assert_str(p->segs[1].suffix, "}");
    volo__free(p);
}

static void
test_what_is_malformed_is_refused_with_the_reason(void **state)
{
    (void)state;
    refused("", "is empty");
    refused("a", "does not start with \"/\"");
    refused("{a}", "does not start with \"/\"");
    refused("/{a}{b}", "has two parameters in one segment");
    refused("/{a}-{b}", "has two parameters in one segment");
    refused("/{a", "has a brace that is not closed");
    refused("/{a/b}", "has a malformed parameter name");
    refused("/a}", "has a brace that is not opened");
    refused("/{}", "has a malformed parameter name");
    refused("/{*}", "has a malformed parameter name");
    refused("/{1a}", "has a malformed parameter name");
    refused("/{a-b}", "has a malformed parameter name");
    refused("/{ a}", "has a malformed parameter name");
    refused("/{a}/b/{a}", "has one parameter name twice");
    refused("/{a}/{*a}", "has one parameter name twice");
    refused("/{*a}/b", "has a catch-all that is not the whole end");
    refused("/{*a}/", "has a catch-all that is not the whole end");
    refused("/x{*a}", "has a catch-all that is not the whole end");
    refused("/{*a}x", "has a catch-all that is not the whole end");
    refused("/a?b=1", "has a query or a fragment");
    refused("/a#b", "has a query or a fragment");
    refused("/a\tb", "has a control character");
}

static void
test_names_may_have_letters_digits_and_underscores(void **state)
{
    (void)state;
    volo__free(parsed("/{_}/{a1}/{A_z}"));
}

static void
test_too_many_segments_or_parameters_are_refused(void **state)
{
    char text[1024];
    size_t n = 0;
    int i;

    (void)state;
    for (i = 0; i < 33; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "/{p%d}", i);
    refused(text, "has more than 32 parameters");
    memset(text, '/', 129);
    text[129] = 0;
    refused(text, "has more than 128 segments");
    text[128] = 0;
    volo__free(parsed(text));
}

static void
test_a_prefix_has_no_catch_all_and_no_slash_at_its_end(void **state)
{
    struct volo__pattern *p = NULL;
    const char *why = NULL;

    (void)state;
    assert_int_equal(volo__pattern_prefix(&p, VOLO_STR("/a/"), &why),
                     VOLO_EINVAL);
    assert_int_equal(volo__pattern_prefix(&p, VOLO_STR("/{*a}"), &why),
                     VOLO_EINVAL);
    assert_int_equal(volo__pattern_prefix(&p, VOLO_STR("a"), &why),
                     VOLO_EINVAL);
    assert_null(p);
    assert_int_equal(volo__pattern_prefix(&p, VOLO_STR(""), &why), 0);
    assert_int_equal(p->count, 0);
    volo__free(p);
    assert_int_equal(volo__pattern_prefix(&p, VOLO_STR("/"), &why), 0);
    assert_int_equal(p->count, 0);
    volo__free(p);
    assert_int_equal(volo__pattern_prefix(&p, VOLO_STR("/a/{b}"), &why), 0);
    assert_int_equal(p->count, 2);
    volo__free(p);
}

/* The sign of the comparison. */
static int
compared(const char *a, const char *b)
{
    struct volo__pattern *p = parsed(a), *q = parsed(b);
    int c = volo__pattern_compare(p, q);

    assert_int_equal(c == 0, p->hash == q->hash);
    assert_int_equal(volo__pattern_compare(q, p), -c);
    volo__free(p);
    volo__free(q);
    return (c > 0) - (c < 0);
}

static void
test_the_order_is_static_affixed_plain_catch_all(void **state)
{
    (void)state;
    assert_int_equal(compared("/a", "/{x}.y"), -1);
    assert_int_equal(compared("/{x}.y", "/{x}"), -1);
    assert_int_equal(compared("/{x}", "/{*x}"), -1);
    assert_int_equal(compared("/ab{x}", "/a{x}"), -1);
    assert_int_equal(compared("/a{x}", "/{x}bcd"), -1);
    assert_int_equal(compared("/a{x}c", "/a{x}"), -1);
}

static void
test_names_do_not_count_in_the_order(void **state)
{
    struct volo__pattern *p = parsed("/a/{b}"), *q = parsed("/a/{c}");

    (void)state;
    assert_int_equal(compared("/a/{b}/{*c}", "/a/{x}/{*y}"), 0);
    assert_int_equal(compared("/{{a}}", "/{{a}}"), 0);
    assert_false(volo__pattern_same_names(p, q));
    assert_true(volo__pattern_same_names(p, p));
    volo__free(p);
    volo__free(q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_are_told_apart),
        cmocka_unit_test(test_a_slash_at_the_end_is_an_empty_segment),
        cmocka_unit_test(test_doubled_braces_are_braces),
        cmocka_unit_test(test_what_is_malformed_is_refused_with_the_reason),
        cmocka_unit_test(test_names_may_have_letters_digits_and_underscores),
        cmocka_unit_test(test_too_many_segments_or_parameters_are_refused),
        cmocka_unit_test(
            test_a_prefix_has_no_catch_all_and_no_slash_at_its_end),
        cmocka_unit_test(test_the_order_is_static_affixed_plain_catch_all),
        cmocka_unit_test(test_names_do_not_count_in_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
