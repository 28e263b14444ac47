/* SPDX-License-Identifier: Apache-2.0 */
/* Counting connections by address, through every growth of the table. */
#include "support.h"

#include <volo/error.h>

#include "http/cx.h"
#include "server/addresses.h"

static struct volo__peer
peer_of(unsigned n, uint8_t family)
{
    struct volo__peer peer = {.family = family, .port = (uint16_t)n};

    memcpy(peer.addr, &n, sizeof n);
    return peer;
}

static void
test_each_address_has_as_many_as_it_may(void **state)
{
    struct volo__peer a = peer_of(1, 4), b = peer_of(1, 6);
    struct volo__addresses table;

    (void)state;
    volo__addresses_init(&table, 2);
    assert_int_equal(volo__addresses_enter(&table, &a), 0);
    a.port = 99; /* no part of it */
    assert_int_equal(volo__addresses_enter(&table, &a), 0);
    assert_int_equal(volo__addresses_enter(&table, &a), VOLO_EBUSY);
    assert_int_equal(volo__addresses_enter(&table, &b), 0);
    volo__addresses_leave(&table, &a);
    assert_int_equal(volo__addresses_enter(&table, &a), 0);
    assert_int_equal(volo__addresses_enter(&table, &a), VOLO_EBUSY);
    volo__addresses_fini(&table);
}

static void
test_counts_survive_a_table_that_grows(void **state)
{
    struct volo__addresses table;
    struct volo__peer peer;
    unsigned i;

    (void)state;
    volo__addresses_init(&table, 1);
    for (i = 0; i < 5000; i++) {
        peer = peer_of(i, 4);
        assert_int_equal(volo__addresses_enter(&table, &peer), 0);
    }
    for (i = 0; i < 5000; i++) {
        peer = peer_of(i, 4);
        assert_int_equal(volo__addresses_enter(&table, &peer), VOLO_EBUSY);
        volo__addresses_leave(&table, &peer);
        assert_int_equal(volo__addresses_enter(&table, &peer), 0);
    }
    volo__addresses_fini(&table);
}

/* However many have come and gone, only those that are here take room. */
static void
test_addresses_that_have_left_take_no_room(void **state)
{
    struct volo__peer stays = peer_of(0, 4), peer;
    struct volo__addresses table;
    unsigned i;

    (void)state;
    volo__addresses_init(&table, 1);
    assert_int_equal(volo__addresses_enter(&table, &stays), 0);
    for (i = 1; i < 100000; i++) {
        peer = peer_of(i, 4);
        assert_int_equal(volo__addresses_enter(&table, &peer), 0);
        volo__addresses_leave(&table, &peer);
    }
    assert_true(table.cap <= 64);
    assert_int_equal(volo__addresses_enter(&table, &stays), VOLO_EBUSY);
    volo__addresses_fini(&table);
}

static void
test_without_a_limit_and_for_unix_peers_nothing_is_counted(void **state)
{
    struct volo__peer v4 = peer_of(1, 4), local = peer_of(0, 1);
    struct volo__addresses table;
    int i;

    (void)state;
    volo__addresses_init(&table, UINT64_MAX);
    for (i = 0; i < 10; i++)
        assert_int_equal(volo__addresses_enter(&table, &v4), 0);
    assert_null(table.slots);
    volo__addresses_leave(&table, &v4);
    volo__addresses_fini(&table);

    volo__addresses_init(&table, 1);
    for (i = 0; i < 10; i++)
        assert_int_equal(volo__addresses_enter(&table, &local), 0);
    volo__addresses_leave(&table, &local);
    assert_null(table.slots);
    volo__addresses_fini(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_address_has_as_many_as_it_may),
        cmocka_unit_test(test_counts_survive_a_table_that_grows),
        cmocka_unit_test(test_addresses_that_have_left_take_no_room),
        cmocka_unit_test(
            test_without_a_limit_and_for_unix_peers_nothing_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
