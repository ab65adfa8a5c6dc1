#include "net/server_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_is_right_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool turn;
        enum server_url_kind kind;
        const char *host;
        uint16_t port;
    } cases[] = {
        {"stun:stun.example.org", false, SERVER_STUN, "stun.example.org", 3478},
        {"STUN:192.0.2.1:19302", false, SERVER_STUN, "192.0.2.1", 19302},
        {"stun:[2001:db8::1]:5", false, SERVER_STUN, "2001:db8::1", 5},
        {"turn:turn.example.org", true, SERVER_TURN_UDP, "turn.example.org", 3478},
        {"turn:t:1?transport=udp", true, SERVER_TURN_UDP, "t", 1},
        {"turn:t:65535?transport=tcp", true, SERVER_TURN_TCP, "t", 65535},
        {"turn:[::1]?transport=TCP", true, SERVER_TURN_TCP, "::1", 3478},
        {"turns:t", true, SERVER_TURN_TLS, "t", 5349},
        {"turns:t:443?transport=tcp", true, SERVER_TURN_TLS, "t", 443},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server_url url;
        struct reason why = {""};
        assert_int_equal(server_url_parse(&url, cases[i].text, cases[i].turn, &why), OW_OK);
        assert_string_equal(why.text, "");
        assert_int_equal(url.kind, cases[i].kind);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const char *const stun[] = {"",
                                       "stun",
                                       "stun:",
                                       "turn:a",
                                       "http://a",
                                       "stun:[::1",
                                       "stun:a:",
                                       "stun:a:0",
                                       "stun:a:x",
                                       "stun:a:65536",
                                       "stun:a:-5",
                                       "stun:a?transport=udp",
                                       "stun:user@a",
                                       "stun:a/b"};
    static const char *const turn[] = {
        "stun:a",   "turn:",     "turns:a?transport=udp", "turn:a?transport=sctp",
        "turn:a?x", "turn:a:1:2"};
    char long_name[400] = "stun:";
    struct server_url url = {.port = 7};
    for (size_t i = 0; i < sizeof stun / sizeof stun[0]; i++) {
        struct reason why = {""};
        assert_int_equal(server_url_parse(&url, stun[i], false, &why), OW_EPARSE);
        assert_true(strlen(why.text) > 10);
    }
    for (size_t i = 0; i < sizeof turn / sizeof turn[0]; i++)
        assert_int_equal(server_url_parse(&url, turn[i], true, NULL), OW_EPARSE);
    memset(long_name + 5, 'a', 300);
    assert_int_equal(server_url_parse(&url, long_name, false, NULL), OW_EPARSE);
    assert_int_equal(url.port, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
