#include "app/ice_urls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void well_formed_urls_pass(void **state)
{
    (void)state;
    static const struct {
        enum ice_url_kind kind;
        const char *urls;
    } cases[] = {
        {ICE_URL_STUN, "stun:a"},
        {ICE_URL_STUN, "stun:stun.example.org:3478"},
        {ICE_URL_STUN, "stuns:192.0.2.1:5349, stun:[2001:db8::1]:3478"},
        {ICE_URL_STUN, "stun:[::1]"},
        {ICE_URL_TURN, "turn:relay.example.org"},
        {ICE_URL_TURN, "turn:relay.example.org?transport=tcp,turns:relay.example.org:443"},
        {ICE_URL_TURN, "turn:[2001:db8::1]:3478?transport=udp"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reason why = {""};
        if (ice_urls_check(cases[i].urls, cases[i].kind, "x", &why) != OW_OK)
            fail_msg("%s: %s", cases[i].urls, why.text);
    }
}

static void all_others_are_named(void **state)
{
    (void)state;
    static const struct {
        enum ice_url_kind kind;
        const char *urls;
    } cases[] = {
        {ICE_URL_STUN, ""},
        {ICE_URL_STUN, " , "},
        {ICE_URL_STUN, "stun.example.org"},
        {ICE_URL_STUN, "stun://example.org"},
        {ICE_URL_STUN, "stun:"},
        {ICE_URL_STUN, "stun::3478"},
        {ICE_URL_STUN, "stun:a:0"},
        {ICE_URL_STUN, "stun:a:65536"},
        {ICE_URL_STUN, "stun:a:99999999999"},
        {ICE_URL_STUN, "stun:a:3478x"},
        {ICE_URL_STUN, "stun:[::1"},
        {ICE_URL_STUN, "stun:[]"},
        {ICE_URL_STUN, "stun:a?transport=udp"},
        {ICE_URL_STUN, "stun:a,turn:b"},
        {ICE_URL_TURN, "stun:a"},
        {ICE_URL_TURN, "turn:user@a"},
        {ICE_URL_TURN, "turn:a?transport=sctp"},
        {ICE_URL_TURN, "turn:a?transport=udpx"},
        {ICE_URL_TURN, "turn:a>\r\nSet-Cookie:b"},
        {ICE_URL_TURN, "turn:a\"b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reason why = {""};
        if (ice_urls_check(cases[i].urls, cases[i].kind, "relay", &why) != OW_EINVAL)
            fail_msg("\"%s\" passes", cases[i].urls);
        assert_non_null(strstr(why.text, "--relay"));
    }
}

static void the_first_of_a_scheme_is_found(void **state)
{
    (void)state;
    static const char urls[] = "stuns:one, stun:two,stun:three";
    char out[16];
    assert_int_equal(ice_urls_first(urls, "stun:", out, sizeof out), OW_OK);
    assert_string_equal(out, "stun:two");
    assert_int_equal(ice_urls_first(urls, "stun", out, sizeof out), OW_OK);
    assert_string_equal(out, "stuns:one");
    assert_int_equal(ice_urls_first(urls, "turn", out, sizeof out), OW_ENOTFOUND);
    assert_int_equal(ice_urls_first(NULL, "stun", out, sizeof out), OW_ENOTFOUND);
    assert_int_equal(ice_urls_first("stun:two", "stun", out, 8), OW_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_urls_pass),
        cmocka_unit_test(all_others_are_named),
        cmocka_unit_test(the_first_of_a_scheme_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
