#include "core/percent.h"
#include "net/http_auth.h"
#include "net/http_auth_fields.h"
#include "net/http_auth_limit.h"
#include "net/http_auth_password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t second_us = 1000000, hour_us = 3600 * (int64_t)1000000;
static const char token[] = "a-token-of-some-length";

static struct address address_of(const char *ip)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, 1), OW_OK);
    return address;
}

static struct http_auth *make(const char *password, int max_sessions)
{
    struct http_auth *auth = NULL;
    struct reason why = {""};
    struct http_auth_settings settings = {.password = password,
                                          .tokens = {token},
                                          .idle_us = hour_us,
                                          .absolute_us = 3 * hour_us,
                                          .max_sessions = max_sessions};
    if (http_auth_create(&auth, &settings, &why) != OW_OK)
        fail_msg("%s", why.text);
    return auth;
}

static void log_in(struct http_auth *auth, int64_t now_us, char session[HTTP_AUTH_SESSION_BYTES])
{
    struct address peer = address_of("192.0.2.1");
    int retry_s = 0;
    assert_int_equal(http_auth_login(auth, &peer, token, now_us, session, &retry_s), OW_OK);
}

static void a_hash_fits_its_password_alone(void **state)
{
    (void)state;
    char hash[HTTP_PASSWORD_HASH_BYTES], again[HTTP_PASSWORD_HASH_BYTES];
    assert_int_equal(http_password_hash("correct horse", hash), OW_OK);
    assert_int_equal(http_password_hash("correct horse", again), OW_OK);
    assert_string_not_equal(hash, again); /* salted */
    assert_null(strstr(hash, "horse"));
    assert_true(http_password_is_hash(hash));
    assert_true(http_password_verify("correct horse", hash));
    assert_false(http_password_verify("correct horsf", hash));
    assert_false(http_password_verify("", hash));
    for (size_t size = 0; size < strlen(hash); size++) {
        memcpy(again, hash, size);
        again[size] = '\0';
        assert_false(http_password_is_hash(again));
    }
    hash[strlen(hash) - 1] ^= 1;
    assert_false(http_password_verify("correct horse", hash));
}

/* The key is by Python:
 * hashlib.scrypt(b"pleaseletmein", salt=bytes(range(16)), n=1024, r=8, p=2, dklen=32). */
static void hashes_of_others_are_read(void **state)
{
    (void)state;
    static const char hash[] = "scrypt:10:8:2:000102030405060708090a0b0c0d0e0f:"
                               "6997353b083a516bc58b5e23ae57c4b770bc021d4bd1b66c2e3a2b6cd08a1ce3";
    assert_true(http_password_verify("pleaseletmein", hash));
    static const char *const wrong[] = {
        "",
        "scrypt:",
        "scrypt:0:8:1:00:00",
        "scrypt:30:8:2:000102030405060708090a0b0c0d0e0f:"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "scrypt:10:9999:2:000102030405060708090a0b0c0d0e0f:"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "scrypt:10:8:2:000102030405060708090a0b0c0d0e0f:"
        "000000000000000000000000000000000000000000000000000000000000000g",
        "scrypt:10:8:2:000102030405060708090a0b0c0d0e0f:"
        "00000000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(http_password_is_hash(wrong[i]));
}

static void weak_secrets_are_refused(void **state)
{
    (void)state;
    static const struct http_auth_settings cases[] = {
        {0}, {.password = ""}, {.password = "short12"}, {.tokens = {"nineteen-characters"}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_auth *auth = NULL;
        struct reason why = {""};
        assert_int_equal(http_auth_create(&auth, &cases[i], &why), OW_EINVAL);
        assert_true(why.text[0] != '\0');
        assert_null(auth);
    }
}

static void passwords_and_tokens_open_a_session(void **state)
{
    (void)state;
    char hash[HTTP_PASSWORD_HASH_BYTES];
    assert_int_equal(http_password_hash("password", hash), OW_OK);
    const char *const passwords[] = {"password", hash};
    for (int i = 0; i < 2; i++) {
        struct http_auth *auth = make(passwords[i], 0);
        struct address peer = address_of("192.0.2.1");
        char session[HTTP_AUTH_SESSION_BYTES] = "";
        int retry_s = 0;
        assert_int_equal(http_auth_login(auth, &peer, "passwort", 1, session, &retry_s), OW_EAUTH);
        assert_int_equal(http_auth_login(auth, &peer, hash, 1, session, &retry_s), OW_EAUTH);
        assert_string_equal(session, "");
        assert_int_equal(http_auth_login(auth, &peer, "password", 1, session, &retry_s), OW_OK);
        assert_int_equal(strlen(session), HTTP_AUTH_SESSION_BYTES - 1);
        assert_true(http_auth_session(auth, session, 2) != 0);
        assert_true(http_auth_token_fits(auth, token));
        assert_false(http_auth_token_fits(auth, "password")); /* limited tries only */
        assert_false(http_auth_token_fits(auth, ""));
        assert_int_equal(http_auth_session(auth, token, 2), 0);
        struct http_auth_stats stats;
        http_auth_read_stats(auth, 2, &stats);
        assert_int_equal(stats.sessions, 1);
        assert_int_equal(stats.failures, 2);
        http_auth_destroy(&auth);
    }
}

static void sessions_end(void **state)
{
    (void)state;
    struct http_auth *auth = make(NULL, 0);
    char idle[HTTP_AUTH_SESSION_BYTES], used[HTTP_AUTH_SESSION_BYTES];
    int64_t now_us = 1;
    log_in(auth, now_us, idle);
    log_in(auth, now_us, used);
    assert_string_not_equal(idle, used);
    uint64_t number = http_auth_session(auth, used, now_us);
    for (; now_us < 3 * hour_us; now_us += hour_us / 2) {
        assert_int_equal(http_auth_session(auth, used, now_us), number);
        assert_int_equal(http_auth_session(auth, idle, hour_us + 1), 0);
    }
    assert_int_equal(http_auth_session(auth, used, 3 * hour_us + 1), 0); /* used or not */
    assert_false(http_auth_session_lives(auth, number, 3 * hour_us + 1));
    http_auth_destroy(&auth);
}

static void an_open_socket_is_use(void **state)
{
    (void)state;
    struct http_auth *auth = make(NULL, 0);
    char session[HTTP_AUTH_SESSION_BYTES];
    log_in(auth, 0, session);
    uint64_t number = http_auth_session(auth, session, 0);
    for (int64_t now_us = 0; now_us < 2 * hour_us; now_us += hour_us / 4)
        assert_true(http_auth_session_lives(auth, number, now_us));
    assert_true(http_auth_session(auth, session, 2 * hour_us) != 0);
    http_auth_logout(auth, session);
    assert_false(http_auth_session_lives(auth, number, 2 * hour_us));
    assert_false(http_auth_session_lives(auth, 0, 2 * hour_us));
    assert_int_equal(http_auth_session(auth, session, 2 * hour_us), 0);
    http_auth_destroy(&auth);
}

static void sessions_are_bounded(void **state)
{
    (void)state;
    struct http_auth *auth = make(NULL, 3);
    char sessions[4][HTTP_AUTH_SESSION_BYTES];
    for (int i = 0; i < 3; i++)
        log_in(auth, i, sessions[i]);
    assert_true(http_auth_session(auth, sessions[0], 10) != 0);
    log_in(auth, 11, sessions[3]);
    assert_true(http_auth_session(auth, sessions[0], 12) != 0);
    assert_int_equal(http_auth_session(auth, sessions[1], 12), 0); /* unused for longest */
    assert_true(http_auth_session(auth, sessions[2], 12) != 0);
    assert_true(http_auth_session(auth, sessions[3], 12) != 0);
    http_auth_destroy(&auth);
}

static void tries_are_limited_per_address(void **state)
{
    (void)state;
    struct http_auth *auth = make(NULL, 0);
    struct address one = address_of("192.0.2.1"), other = address_of("192.0.2.2");
    char session[HTTP_AUTH_SESSION_BYTES];
    int retry_s = 0;
    for (int i = 0; i < HTTP_LIMIT_BURST; i++)
        assert_int_equal(http_auth_login(auth, &one, "wrong", second_us, session, &retry_s),
                         OW_EAUTH);
    assert_int_equal(http_auth_login(auth, &one, token, second_us, session, &retry_s), OW_ELIMIT);
    assert_int_equal(retry_s, 12);
    assert_int_equal(http_auth_login(auth, &other, token, second_us, session, &retry_s), OW_OK);
    assert_int_equal(http_auth_login(auth, &one, token, 12 * second_us, session, &retry_s),
                     OW_ELIMIT);
    assert_int_equal(retry_s, 1);
    assert_int_equal(http_auth_login(auth, &one, token, 13 * second_us, session, &retry_s), OW_OK);
    for (int i = 0; i < 20; i++) /* good ones do not count */
        assert_int_equal(http_auth_login(auth, &one, token, 13 * second_us, session, &retry_s),
                         OW_OK);
    http_auth_destroy(&auth);
}

static void tries_are_limited_in_all(void **state)
{
    (void)state;
    static struct http_limit limit;
    limit = (struct http_limit){0};
    struct address peer = address_of("192.0.2.1");
    for (int i = 0; i < HTTP_LIMIT_ALL_BURST; i++) {
        peer.ip[3] = (uint8_t)i;
        assert_int_equal(http_limit_take(&limit, &peer, second_us), 0);
    }
    peer.ip[3] = 200;
    assert_int_equal(http_limit_take(&limit, &peer, second_us), second_us);
    assert_int_equal(http_limit_take(&limit, &peer, 2 * second_us), 0);
    /* More addresses than are remembered: the table stays within its bounds. */
    for (int i = 0; i < 4 * HTTP_LIMIT_ADDRESSES; i++) {
        peer.ip[2] = (uint8_t)(i >> 8);
        peer.ip[3] = (uint8_t)i;
        assert_int_equal(http_limit_take(&limit, &peer, (100 + i) * second_us), 0);
    }
    assert_int_equal(limit.count, HTTP_LIMIT_ADDRESSES);
}

static void an_ipv6_network_counts_as_one(void **state)
{
    (void)state;
    static struct http_limit limit;
    limit = (struct http_limit){0};
    struct address peer = address_of("2001:db8::1");
    for (int i = 0; i < HTTP_LIMIT_BURST; i++) {
        peer.ip[15] = (uint8_t)i;
        assert_int_equal(http_limit_take(&limit, &peer, 0), 0);
    }
    peer.ip[8] = 9;
    assert_true(http_limit_take(&limit, &peer, 0) > 0);
    peer.ip[7] = 9;
    assert_int_equal(http_limit_take(&limit, &peer, 0), 0);
}

static void cookies_are_found_by_their_whole_name(void **state)
{
    (void)state;
    static const struct {
        const char *cookies, *value;
    } cases[] = {
        {"s=abc", "abc"},
        {"a=1; s=abc; b=2", "abc"},
        {"a=1;s=abc ", "abc"},
        {"s=abc; s=def", "abc"},
        {"xs=1; s=abc", "abc"},
        {"s=a=b", "a=b"},
        {"", NULL},
        {"s", NULL},
        {"s=", NULL},
        {"sx=abc", NULL},
        {"x=s=abc", NULL},
        {"S=abc", NULL},
        {";;; ;", NULL},
        {"s=12345678", NULL}, /* no room */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[8];
        bool found = http_cookie_find(cases[i].cookies, "s", out, sizeof out);
        if (found != (cases[i].value != NULL))
            fail_msg("\"%s\"", cases[i].cookies);
        assert_string_equal(out, cases[i].value ? cases[i].value : "");
    }
}

static void bearer_tokens_are_read(void **state)
{
    (void)state;
    assert_string_equal(http_bearer_token("Bearer abc"), "abc");
    assert_string_equal(http_bearer_token("bearer  abc"), "abc");
    static const char *const wrong[] = {"",          "Bearer",     "Bearer ",           "Bearerabc",
                                        "Basic abc", "Bearer a b", "Bearer a, Bearer b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_null(http_bearer_token(wrong[i]));
}

static void next_stays_on_this_server(void **state)
{
    (void)state;
    static const char *const good[] = {"/", "/view/live", "/view/a?b=c&d=//e", "/x#y"};
    static const char *const bad[] = {"",
                                      "view",
                                      "//evil.example",
                                      "/\\evil.example",
                                      "\\\\evil",
                                      "/\tevil",
                                      "/\r\nSet-Cookie: a",
                                      "/a\\b",
                                      "https://evil.example",
                                      "javascript:alert(1)",
                                      " /",
                                      "/ /"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(http_next_is_local(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(http_next_is_local(bad[i]));
    char out[16];
    assert_true(percent_encode("/a b?c", "/", out, sizeof out));
    assert_string_equal(out, "/a%20b%3Fc");
    assert_false(percent_encode("/a b?c/and more", "/", out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_fits_its_password_alone),
        cmocka_unit_test(hashes_of_others_are_read),
        cmocka_unit_test(weak_secrets_are_refused),
        cmocka_unit_test(passwords_and_tokens_open_a_session),
        cmocka_unit_test(sessions_end),
        cmocka_unit_test(an_open_socket_is_use),
        cmocka_unit_test(sessions_are_bounded),
        cmocka_unit_test(tries_are_limited_per_address),
        cmocka_unit_test(tries_are_limited_in_all),
        cmocka_unit_test(an_ipv6_network_counts_as_one),
        cmocka_unit_test(cookies_are_found_by_their_whole_name),
        cmocka_unit_test(bearer_tokens_are_read),
        cmocka_unit_test(next_stays_on_this_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
