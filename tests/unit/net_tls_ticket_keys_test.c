/* SPDX-License-Identifier: Apache-2.0 */
/* Keys for session tickets that several volo_tls, as it were of several
 * processes, are given. */
#include "net_tls_support.h"

enum { KEY = 80, KEY_128 = 48 };

/* A key's octets, all of them ${byte}. */
static const char *
octets(int byte)
{
    static char keys[4][KEY];
    static int turn;
    char *key = keys[turn++ % 4];

    memset(key, byte, KEY);
    return key;
}

static volo_str
two_keys(int one, int two)
{
    static char keys[2 * KEY];

    memset(keys, one, KEY);
    memset(keys + KEY, two, KEY);
    return volo_str_make(keys, sizeof keys);
}

static char *
key_file(const char *name, int byte, size_t len)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn++ % 4];

    snprintf(path, 128, "%s/%s", tls_dir, name);
    write_file(path, octets(byte), len);
    return path;
}

static volo_tls *
tls_with_files(const char *files)
{
    volo_tls *tls = tls_make();

    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_TICKET_KEYS, files), 0);
    return tls;
}

/* Whether what ${giver} gave out is taken by ${taker}, by each version. */
static int
takes(volo_tls *taker, volo_tls *giver)
{
    SSL_SESSION *session;
    SSL_CTX *ctx;
    int i, taken = 0;

    each_version(i)
    {
        ctx = client_context(tls_versions[i]);
        session = first_visit(giver, ctx, "first.test");
        taken += visit_again(taker, ctx, session, "first.test");
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
    assert_int_not_equal(taken, 1);
    return taken == 2;
}

static void
test_a_ticket_of_one_resumes_at_another_with_the_same_keys(void **state)
{
    volo_tls *one = tls_make(), *two = tls_make();

    (void)state;
    assert_false(takes(two, one));
    assert_int_equal(
        volo_tls_set_ticket_keys(one, volo_str_make(octets('a'), KEY)), 0);
    assert_int_equal(
        volo_tls_set_ticket_keys(two, volo_str_make(octets('a'), KEY)), 0);
    assert_true(takes(two, one));
    assert_true(takes(one, two));
    assert_int_equal(
        volo_tls_set_ticket_keys(two, volo_str_make(octets('b'), KEY)), 0);
    assert_false(takes(two, one));
    volo_tls_unref(one);
    volo_tls_unref(two);
}

static void
test_the_first_key_makes_tickets_and_all_read_them(void **state)
{
    volo_tls *one = tls_make(), *two = tls_make();

    (void)state;
    assert_int_equal(volo_tls_set_ticket_keys(one, two_keys('a', 'b')), 0);
    assert_int_equal(volo_tls_set_ticket_keys(two, two_keys('b', 'c')), 0);
    assert_true(takes(one, two));
    assert_false(takes(two, one));
    volo_tls_unref(one);
    volo_tls_unref(two);
}

static void
test_keys_come_from_files_of_either_length(void **state)
{
    char files[300];
    volo_tls *one, *two;

    (void)state;
    snprintf(files, sizeof files, "%s:%s", key_file("k1", '1', KEY),
             key_file("k2", '2', KEY_128));
    one = tls_with_files(files);
    two = tls_with_files(strchr(files, ':') + 1);
    assert_true(takes(one, two));
    assert_false(takes(two, one));
    assert_true(takes(two, two));
    volo_tls_unref(one);
    volo_tls_unref(two);
}

static void
test_files_and_octets_mean_the_same(void **state)
{
    volo_tls *one = tls_with_files(key_file("k3", '3', KEY));
    volo_tls *two = tls_make();

    (void)state;
    assert_int_equal(
        volo_tls_set_ticket_keys(two, volo_str_make(octets('3'), KEY)), 0);
    assert_true(takes(two, one));
    assert_true(takes(one, two));
    volo_tls_unref(one);
    volo_tls_unref(two);
}

static void
test_a_reload_reads_the_files_again_or_changes_nothing(void **state)
{
    char *file = key_file("k4", '4', KEY);
    volo_tls *one = tls_with_files(file), *two = tls_with_files(file);

    (void)state;
    assert_true(takes(two, one));
    write_file(file, octets('5'), KEY);
    assert_int_equal(volo_tls_reload(one), 0);
    assert_false(takes(two, one));
    assert_int_equal(volo_tls_reload(two), 0);
    assert_true(takes(two, one));

    write_file(file, octets('6'), KEY - 1);
    assert_int_equal(volo_tls_reload(one), VOLO_ETLS);
    assert_non_null(strstr(volo_tls_error(one), "/k4: is no key for tickets"));
    assert_true(takes(two, one));
    volo_tls_unref(one);
    volo_tls_unref(two);
}

static void
test_without_given_keys_each_has_its_own_again(void **state)
{
    char *file = key_file("k5", '5', KEY);
    volo_tls *one = tls_with_files(file), *two = tls_with_files(file);

    (void)state;
    assert_int_equal(volo_tls_reload(one), 0);
    assert_int_equal(volo_tls_set_text(one, VOLO_TLS_TICKET_KEYS, NULL), 0);
    assert_true(takes(two, one));
    assert_int_equal(volo_tls_reload(one), 0);
    assert_false(takes(two, one));
    assert_true(takes(one, one));

    /* Octets take the place of files for good, and stay at a reload. */
    assert_int_equal(
        volo_tls_set_ticket_keys(two, volo_str_make(octets('7'), KEY)), 0);
    assert_int_equal(
        volo_tls_set_ticket_keys(one, volo_str_make(octets('7'), KEY)), 0);
    assert_int_equal(volo_tls_reload(two), 0);
    assert_true(takes(two, one));
    assert_int_equal(volo_tls_set_ticket_keys(two, volo_str_make(NULL, 0)), 0);
    assert_false(takes(two, one));
    volo_tls_unref(one);
    volo_tls_unref(two);
}

static void
test_what_is_no_key_is_said(void **state)
{
    char *bad = key_file("bad", 'x', 64), text[2048] = "";
    volo_tls *tls = tls_make();
    int i;

    (void)state;
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_TICKET_KEYS, bad),
                     VOLO_ETLS);
    assert_non_null(strstr(volo_tls_error(tls), "bad: is no key for tickets"));
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_TICKET_KEYS, "/none/k"),
                     VOLO_ETLS);
    assert_string_equal(volo_tls_error(tls), "/none/k: no such file");
    snprintf(text, sizeof text, "%s::%s", bad, bad);
    write_file(bad, octets('x'), KEY);
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_TICKET_KEYS, text),
                     VOLO_ETLS);
    assert_string_equal(volo_tls_error(tls), ": no such file");
    if (geteuid() != 0) {
        chmod(bad, 0);
        assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_TICKET_KEYS, bad),
                         VOLO_ETLS);
        assert_non_null(strstr(volo_tls_error(tls), "permission denied"));
    }
    for (i = 0, text[0] = 0; i < 17; i++)
        strcat(strcat(text, i ? ":" : ""), bad);
    assert_int_equal(volo_tls_set_text(tls, VOLO_TLS_TICKET_KEYS, text),
                     VOLO_ETLS);
    assert_string_equal(volo_tls_error(tls), "ticket keys: are more than 16");

    assert_int_equal(
        volo_tls_set_ticket_keys(tls, volo_str_make(octets('a'), KEY - 1)),
        VOLO_EINVAL);
    assert_int_equal(volo_tls_set_ticket_keys(NULL, volo_str_make("", 0)),
                     VOLO_EINVAL);
    volo_tls_unref(tls);
}

static void
test_too_many_octets_are_refused(void **state)
{
    static char keys[17 * KEY];
    volo_tls *tls = tls_make();

    (void)state;
    assert_int_equal(
        volo_tls_set_ticket_keys(tls, volo_str_make(keys, sizeof keys)),
        VOLO_EINVAL);
    assert_int_equal(
        volo_tls_set_ticket_keys(tls, volo_str_make(keys, sizeof keys - KEY)),
        0);
    volo_tls_unref(tls);
}

#define TEST(name) cmocka_unit_test(test_##name)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_of_one_resumes_at_another_with_the_same_keys),
        TEST(the_first_key_makes_tickets_and_all_read_them),
        TEST(keys_come_from_files_of_either_length),
        TEST(files_and_octets_mean_the_same),
        TEST(a_reload_reads_the_files_again_or_changes_nothing),
        TEST(without_given_keys_each_has_its_own_again),
        TEST(what_is_no_key_is_said),
        TEST(too_many_octets_are_refused),
    };

    return cmocka_run_group_tests(tests, tls_net_setup, tls_teardown);
}
