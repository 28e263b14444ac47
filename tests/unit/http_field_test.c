/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <volo/http.h>

#include "http/fields.h"

static const struct {
    int id;
    const char *text;
} all[] = {
#define ROW(name, number, text) {number, text},
    VOLO_FIELDS(ROW)
#undef ROW
};

enum { COUNT = sizeof(all) / sizeof(all[0]) };

/* A copy without a NUL, so that the sanitizer sees a read beyond the end. */
static int
look_up(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    int id;

    memcpy(copy, text, len);
    id = volo__field_lookup(copy, len);
    assert_int_equal(volo_field_of(copy, len), id);
    free(copy);
    return id;
}

/* What slot() in field.c computes, to print the table that it needs. */
static unsigned
slot_of(const char *s)
{
    size_t len = strlen(s);

    return ((unsigned)len * 48 + (unsigned)s[0] * 19 +
            (unsigned)s[len - 1] * 21 + (unsigned)s[len / 2]) &
           255;
}

static void
test_every_field_is_found_by_its_name(void **state)
{
    size_t i;

    (void)state;
    assert_int_equal(COUNT, VOLO_FIELD_COUNT - 1);
    for (i = 0; i < COUNT; i++)
        if (look_up(all[i].text, strlen(all[i].text)) != all[i].id)
            fail_msg("slots[%u] in field.c must be %d (%s)",
                     slot_of(all[i].text), all[i].id, all[i].text);
}

static void
test_case_does_not_matter_in_any_place(void **state)
{
    char text[64];
    size_t i, k, len;

    (void)state;
    for (i = 0; i < COUNT; i++) {
        len = strlen(all[i].text);
        for (k = 0; k < len; k++) {
            memcpy(text, all[i].text, len);
            text[k] = (char)toupper((unsigned char)text[k]);
            assert_int_equal(look_up(text, len), all[i].id);
        }
        for (k = 0; k < len; k++)
            text[k] = (char)toupper((unsigned char)text[k]);
        assert_int_equal(look_up(text, len), all[i].id);
    }
}

/* Every octet in every place: only the letter and its capital are the name. */
static void
test_no_other_octet_passes_for_a_letter(void **state)
{
    char text[64];
    size_t i, k, len;
    int c, want;

    (void)state;
    for (i = 0; i < COUNT; i++) {
        len = strlen(all[i].text);
        for (k = 0; k < len; k++) {
            for (c = 0; c < 256; c++) {
                memcpy(text, all[i].text, len);
                text[k] = (char)c;
                want =
                    (c < 128 ? tolower(c) : c) == (unsigned char)all[i].text[k];
                assert_int_equal(volo__field_lookup(text, len),
                                 want ? all[i].id : 0);
            }
        }
    }
}

static void
test_parts_and_longer_names_are_not_found(void **state)
{
    char text[64];
    size_t i, n, len;

    (void)state;
    for (i = 0; i < COUNT; i++) {
        len = strlen(all[i].text);
        for (n = 0; n < len; n++)
            assert_int_not_equal(look_up(all[i].text, n), all[i].id);
        memcpy(text, all[i].text, len);
        text[len] = 's';
        assert_int_not_equal(look_up(text, len + 1), all[i].id);
    }
    memset(text, 'a', sizeof(text));
    assert_int_equal(look_up(text, sizeof(text)), 0);
    assert_int_equal(look_up("x-something", 11), 0);
}

static void
test_numbers_lead_back_to_names(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT; i++) {
        volo_str s = volo__field_str(all[i].id);

        assert_string_equal(volo_field_name(all[i].id), all[i].text);
        assert_int_equal(s.len, strlen(all[i].text));
        assert_memory_equal(s.ptr, all[i].text, s.len);
    }
    assert_string_equal(volo_field_name(0), "");
    assert_string_equal(volo_field_name(-1), "");
    assert_string_equal(volo_field_name(VOLO_FIELD_COUNT), "");
    assert_null(volo__field_str(0).ptr);
    assert_null(volo__field_str(VOLO_FIELD_COUNT).ptr);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_found_by_its_name),
        cmocka_unit_test(test_case_does_not_matter_in_any_place),
        cmocka_unit_test(test_no_other_octet_passes_for_a_letter),
        cmocka_unit_test(test_parts_and_longer_names_are_not_found),
        cmocka_unit_test(test_numbers_lead_back_to_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
