/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup lets a process have. */
#include "support.h"

#include "server/cpus.h"

static void
test_a_quota_is_rounded_up_to_whole_processors(void **state)
{
    (void)state;
    assert_int_equal(volo__cpu_quota("100000 100000\n"), 1);
    assert_int_equal(volo__cpu_quota("1 100000\n"), 1);
    assert_int_equal(volo__cpu_quota("150000 100000\n"), 2);
    assert_int_equal(volo__cpu_quota("200000 100000\n"), 2);
    assert_int_equal(volo__cpu_quota("200001 100000"), 3);
    assert_int_equal(volo__cpu_quota("4 1"), 4);
}

static void
test_no_quota_and_nonsense_are_no_limit(void **state)
{
    static const char *const texts[] = {"",
                                        "max 100000\n",
                                        "max",
                                        "100000",
                                        "100000 ",
                                        " 100000",
                                        "0 100000\n",
                                        "100000 0",
                                        "-1 100000",
                                        "1 1 1",
                                        "100000 \n",
                                        "x 1",
                                        "1 x",
                                        "1  1",
                                        "65537 1",
                                        "18446744073709551615 2",
                                        "18446744073709551616 1",
                                        "\n"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(volo__cpu_quota(texts[i]), 0);
}

static void
test_there_is_always_one(void **state)
{
    (void)state;
    assert_true(volo__cpu_count() >= 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_quota_is_rounded_up_to_whole_processors),
        cmocka_unit_test(test_no_quota_and_nonsense_are_no_limit),
        cmocka_unit_test(test_there_is_always_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
