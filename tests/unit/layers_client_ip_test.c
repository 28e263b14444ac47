/* SPDX-License-Identifier: Apache-2.0 */
/* The client behind proxies: whom to believe, and how far. */
#include "layers_support.h"

static void
say_ip(volo_cx *cx, void *user)
{
    (void)user;
    volo_reply_str(cx, volo_cx_client_ip(cx));
}

static void
open_ip(struct rig *rig, const char *trusted, const char *header)
{
    volo_layer *layer = NULL;

    rig_service(rig, say_ip, NULL);
    assert_int_equal(volo_layer_client_ip(&layer, trusted, header), 0);
    rig_wrap(rig, layer);
    rig_open(rig);
}

/* One request from ${peer} with up to two lines of ${name}. */
static void
check(struct rig *rig, const char *peer, const char *name, const char *first,
      const char *second, const char *want)
{
    volo_test_request *request = rig_request(rig, "GET", "/");

    assert_int_equal(volo_test_request_peer(request, peer), 0);
    if (first)
        with(request, name, first);
    with(request, "x-other", "9.9.9.9");
    if (second)
        with(request, name, second);
    assert_str(volo_test_body(rig_send(rig, request)), want);
}

struct walk {
    const char *first;
    const char *second;
    const char *want;
};

static void
check_all(struct rig *rig, const char *name, const struct walk *walks, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        check(rig, "10.0.0.1", name, walks[i].first, walks[i].second,
              walks[i].want);
}

#define CHECK_ALL(rig, name, walks) \
    check_all(rig, name, walks, sizeof(walks) / sizeof *(walks))

static void
test_the_rightmost_address_that_is_not_trusted_is_the_client(void **state)
{
    const struct walk walks[] = {
        {NULL, NULL, "10.0.0.1"},
        {"192.0.2.7", NULL, "192.0.2.7"},
        {"192.0.2.7, 10.2.3.4", NULL, "192.0.2.7"},
        {"1.1.1.1, 192.0.2.7, 10.2.3.4,10.0.0.9", NULL, "192.0.2.7"},
        {"10.9.9.9, 192.0.2.7", NULL, "192.0.2.7"},
        {"10.9.9.9, 10.8.8.8", NULL, "10.9.9.9"},
        {"2001:DB8:0:0::7", NULL, "2001:db8::7"},
        {"::ffff:192.0.2.7", NULL, "192.0.2.7"},
        {"192.0.2.7, ::ffff:10.1.1.1", NULL, "192.0.2.7"},
        {"192.0.2.7:4711", NULL, "192.0.2.7"},
        {"[2001:db8::7]:4711", NULL, "2001:db8::7"},
        {"[2001:db8::7]", NULL, "2001:db8::7"},
        {" , 192.0.2.7 ,, ", NULL, "192.0.2.7"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8, fd00::/8", NULL);
    CHECK_ALL(&rig, "X-Forwarded-For", walks);
    rig_close(&rig);
}

static void
test_what_cannot_be_read_ends_the_walk(void **state)
{
    const struct walk walks[] = {
        {"192.0.2.7, unknown", NULL, "10.0.0.1"},
        {"192.0.2.7, junk, 10.2.2.2", NULL, "10.2.2.2"},
        {"junk, 192.0.2.7", NULL, "192.0.2.7"},
        {"192.0.2.7, 10.2.2", NULL, "10.0.0.1"},
        {"192.0.2.7, 010.2.2.2", NULL, "10.0.0.1"},
        {"192.0.2.7, 10.2.2.2:port", NULL, "10.0.0.1"},
        {"192.0.2.7, 10.2.2.2:", NULL, "10.0.0.1"},
        {"192.0.2.7, [10.2.2.2]", NULL, "10.0.0.1"},
        {"192.0.2.7, [fd00::1", NULL, "10.0.0.1"},
        {"192.0.2.7, [fd00::1]x", NULL, "10.0.0.1"},
        {"192.0.2.7, fd00::1%eth0", NULL, "10.0.0.1"},
        {"192.0.2.7, [", NULL, "10.0.0.1"},
        {"192.0.2.7, []", NULL, "10.0.0.1"},
        {"192.0.2.7, 10.2.2.2 10.3.3.3", NULL, "10.0.0.1"},
        {"", NULL, "10.0.0.1"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8 fd00::/8", "x-forwarded-for");
    CHECK_ALL(&rig, "X-Forwarded-For", walks);
    rig_close(&rig);
}

static void
test_several_lines_are_one_list_in_their_order(void **state)
{
    const struct walk walks[] = {
        {"192.0.2.7", "10.2.2.2", "192.0.2.7"},
        {"10.2.2.2", "192.0.2.7", "192.0.2.7"},
        {"1.1.1.1", "192.0.2.7", "192.0.2.7"},
        {"192.0.2.7, 10.1.1.1", "10.3.3.3, 10.2.2.2", "192.0.2.7"},
        {"192.0.2.7", "junk, 10.2.2.2", "10.2.2.2"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8", NULL);
    CHECK_ALL(&rig, "X-Forwarded-For", walks);
    rig_close(&rig);
}

static void
test_nothing_is_believed_from_a_peer_that_is_not_trusted(void **state)
{
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8, ::1", NULL);
    check(&rig, "11.0.0.1", "x-forwarded-for", "1.1.1.1", NULL, "11.0.0.1");
    check(&rig, "9.255.255.255", "x-forwarded-for", "1.1.1.1", NULL,
          "9.255.255.255");
    check(&rig, "10.255.255.255", "x-forwarded-for", "1.1.1.1", NULL,
          "1.1.1.1");
    check(&rig, "::1", "x-forwarded-for", "1.1.1.1", NULL, "1.1.1.1");
    check(&rig, "::2", "x-forwarded-for", "1.1.1.1", NULL, "::2");
    check(&rig, "unix", "x-forwarded-for", "1.1.1.1", NULL, "unix");
    rig_close(&rig);

    open_ip(&rig, "unix", NULL);
    check(&rig, "unix", "x-forwarded-for", "1.1.1.1", NULL, "1.1.1.1");
    check(&rig, "10.0.0.1", "x-forwarded-for", "1.1.1.1", NULL, "10.0.0.1");
    rig_close(&rig);
}

static void
test_networks_match_to_the_bit(void **state)
{
    const struct {
        const char *network;
        const char *in;
        const char *out;
    } cases[] = {
        {"10.1.2.3", "10.1.2.3", "10.1.2.2"},
        {"10.1.2.3/31", "10.1.2.2", "10.1.2.1"},
        {"172.16.0.0/12", "172.31.255.255", "172.32.0.0"},
        {"128.0.0.0/1", "255.0.0.0", "127.255.255.255"},
        {"0.0.0.0/0", "8.8.8.8", "2001:db8::1"},
        {"::/0", "2001:db8::1", "8.8.8.8"},
        {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
        {"fe80::1/128", "fe80::1", "fe80::"},
        {"::ffff:10.0.0.0/104", "10.200.0.1", "11.0.0.1"},
    };
    struct rig rig;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_ip(&rig, cases[i].network, NULL);
        check(&rig, cases[i].in, "x-forwarded-for", "1.2.3.4", NULL, "1.2.3.4");
        check(&rig, cases[i].out, "x-forwarded-for", "1.2.3.4", NULL,
              cases[i].out);
        rig_close(&rig);
    }
}

static void
test_forwarded_is_read_as_rfc_7239_has_it(void **state)
{
    const struct walk walks[] = {
        {"for=192.0.2.7", NULL, "192.0.2.7"},
        {"For=\"192.0.2.7:4711\"", NULL, "192.0.2.7"},
        {"for=192.0.2.7:4711", NULL, "192.0.2.7"},
        {"FOR=\"[2001:DB8::7]:4711\"", NULL, "2001:db8::7"},
        {"for=\"[2001:db8::7]:_port\"", NULL, "2001:db8::7"},
        {"for=\"[2001:db8::7]\";proto=https;by=10.0.0.1", NULL, "2001:db8::7"},
        {"proto=https ; for=192.0.2.7", NULL, "192.0.2.7"},
        {"for=\"192\\.0.2.7\"", NULL, "192.0.2.7"},
        {"host=\"a,b;for=1.1.1.1\";for=192.0.2.7", NULL, "192.0.2.7"},
        {"for=1.1.1.1, for=192.0.2.7, for=10.2.2.2", NULL, "192.0.2.7"},
        {"for=1.1.1.1, for=192.0.2.7", "for=10.2.2.2", "192.0.2.7"},
        {",, for=192.0.2.7 ,;", NULL, "192.0.2.7"},
        {"", NULL, "10.0.0.1"},
        {";", NULL, "10.0.0.1"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8", "Forwarded");
    CHECK_ALL(&rig, "Forwarded", walks);

    /* Only the field that was asked for counts. */
    check(&rig, "10.0.0.1", "x-forwarded-for", "1.1.1.1", NULL, "10.0.0.1");
    rig_close(&rig);
}

static void
test_hidden_and_malformed_elements_of_forwarded_end_the_walk(void **state)
{
    const struct walk walks[] = {
        {"for=192.0.2.7, for=unknown", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for=_hidden, for=10.2.2.2", NULL, "10.2.2.2"},
        {"for=192.0.2.7, proto=https", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for=10.1.1.1;for=10.2.2.2", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for=", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for=\"\"", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for=10.1.1.1 x", NULL, "10.0.0.1"},
        {"for=192.0.2.7, =10.1.1.1", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for = 10.1.1.1", NULL, "10.0.0.1"},
        {"for=192.0.2.7, for=\"2001:db8::1\"x", NULL, "10.0.0.1"},
        {"for=\"192.0.2.7", NULL, "10.0.0.1"},
        {"for=\"192.0.2.7\\", NULL, "10.0.0.1"},
        {"for=\"1111111111111111111111111111111111111111111111111111111111"
         "11111111192.0.2.7\"",
         NULL, "10.0.0.1"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8", "forwarded");
    CHECK_ALL(&rig, "Forwarded", walks);
    rig_close(&rig);
}

/* A client that opens a quote would have what the proxy appends be read as
 * its own words, and the other way round. */
static void
test_a_quote_left_open_by_the_client_gains_it_nothing(void **state)
{
    const struct walk walks[] = {
        {"for=1.1.1.1;x=\", for=\"[2001:db8::7]:55\"", NULL, "10.0.0.1"},
        {"for=1.1.1.1;x=\", for=192.0.2.7", NULL, "10.0.0.1"},
        {"for=1.1.1.1;x=\", for=192.0.2.7, for=\"[fd00::1]\"", NULL,
         "10.0.0.1"},
        {"for=1.1.1.1;x=\"", "for=192.0.2.7", "192.0.2.7"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8, fd00::/8", "forwarded");
    CHECK_ALL(&rig, "Forwarded", walks);
    rig_close(&rig);
}

static void
test_a_field_with_a_single_address_can_be_used(void **state)
{
    const struct walk walks[] = {
        {"192.0.2.7", NULL, "192.0.2.7"},
        {" 2001:db8::7 ", NULL, "2001:db8::7"},
        {"1.1.1.1", "192.0.2.7", "192.0.2.7"},
    };
    struct rig rig;

    (void)state;
    open_ip(&rig, "10.0.0.0/8", "X-Real-IP");
    CHECK_ALL(&rig, "x-real-ip", walks);
    rig_close(&rig);
    open_ip(&rig, "10.0.0.0/8", "True-Client-IP");
    CHECK_ALL(&rig, "true-client-ip", walks);
    rig_close(&rig);
}

static void
test_networks_that_are_none_are_refused(void **state)
{
    const char *const bad[] = {
        "10.0.0.0/33",   "::1/129",     "10.0.0/8",    "10.0.0.0/",
        "10.0.0.0/a",    "10.0.0.1/8x", "localhost",   "10.0.0.0/-1",
        "10.0.0.0/0008", "/8",          "1.2.3.4;::1", "[::1]",
    };
    volo_layer *layer = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(volo_layer_client_ip(&layer, bad[i], NULL),
                         VOLO_EINVAL);
    assert_int_equal(volo_layer_client_ip(&layer, NULL, NULL), VOLO_EINVAL);
    assert_int_equal(volo_layer_client_ip(&layer, "::1", ""), VOLO_EINVAL);
    assert_null(layer);
}

static void
test_many_short_networks_fit(void **state)
{
    struct rig rig;

    (void)state;
    open_ip(&rig, "::,::,::,::,::,::,::,::,::,::,10.0.0.1", NULL);
    check(&rig, "10.0.0.1", "x-forwarded-for", "1.1.1.1", NULL, "1.1.1.1");
    rig_close(&rig);
    open_ip(&rig, "", NULL);
    check(&rig, "10.0.0.1", "x-forwarded-for", "1.1.1.1", NULL, "10.0.0.1");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_the_rightmost_address_that_is_not_trusted_is_the_client),
        cmocka_unit_test(test_what_cannot_be_read_ends_the_walk),
        cmocka_unit_test(test_several_lines_are_one_list_in_their_order),
        cmocka_unit_test(
            test_nothing_is_believed_from_a_peer_that_is_not_trusted),
        cmocka_unit_test(test_networks_match_to_the_bit),
        cmocka_unit_test(test_forwarded_is_read_as_rfc_7239_has_it),
        cmocka_unit_test(
            test_hidden_and_malformed_elements_of_forwarded_end_the_walk),
        cmocka_unit_test(test_a_quote_left_open_by_the_client_gains_it_nothing),
        cmocka_unit_test(test_a_field_with_a_single_address_can_be_used),
        cmocka_unit_test(test_networks_that_are_none_are_refused),
        cmocka_unit_test(test_many_short_networks_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
