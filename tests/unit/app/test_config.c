#include "app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int read_words(struct config *out, struct reason *why, int count, const char **words)
{
    return config_read(out, count, (char **)words, why);
}

#define READ(out, why, ...)                                                                        \
    read_words(out, why,                                                                           \
               (int)(sizeof((const char *[]){"overwatch", __VA_ARGS__}) / sizeof(const char *)),   \
               (const char *[]){"overwatch", __VA_ARGS__})

static void defaults_and_both_spellings(void **state)
{
    (void)state;
    struct config c;
    struct reason why;
    assert_int_equal(READ(&c, &why, "run", "--port=81", "--media-port", "0", "w.json"), OW_OK);
    assert_int_equal(config_number(c.port), 81);
    assert_int_equal(config_number(c.media_port), 0);
    assert_string_equal(c.workflow_file, "w.json");
    assert_string_equal(c.bind, "127.0.0.1");
    assert_false(config_flag(c.ice_lite));
    assert_int_equal(READ(&c, &why, "--source", "test:", "--ice-lite"), OW_OK);
    assert_string_equal(c.command, "run");
    assert_true(config_flag(c.ice_lite));
}

static void the_environment_stands_behind_the_flags(void **state)
{
    (void)state;
    struct config c;
    struct reason why;
    setenv("OVERWATCH_MEDIA_PORT", "7", 1);
    assert_int_equal(READ(&c, &why, "run"), OW_OK);
    assert_string_equal(c.media_port, "7");
    assert_int_equal(READ(&c, &why, "run", "--media-port", "8"), OW_OK);
    assert_string_equal(c.media_port, "8");
    setenv("OVERWATCH_MEDIA_PORT", "many", 1);
    assert_int_equal(READ(&c, &why, "run"), OW_EINVAL);
    unsetenv("OVERWATCH_MEDIA_PORT");
}

static void expect_refusal(const char *word, const char *value, const char *words)
{
    struct config c;
    struct reason why = {""};
    assert_int_equal(READ(&c, &why, "run", word, value), OW_EINVAL);
    if (!strstr(why.text, words))
        fail_msg("%s %s says \"%s\"", word, value, why.text);
}

static void bad_words_are_named(void **state)
{
    (void)state;
    expect_refusal("--port", "65536", "0 to 65535");
    expect_refusal("--port", "8x", "--port");
    expect_refusal("--port", "", "--port");
    expect_refusal("--log-level", "inf", "error warn info debug");
    expect_refusal("--log-level", "", "one of");
    expect_refusal("--colour", "red", "--colour");
    expect_refusal("a.json", "b.json", "b.json");
    struct config c;
    struct reason why = {""};
    assert_int_equal(READ(&c, &why, "run", "--port"), OW_EINVAL);
    assert_int_equal(READ(&c, &why, "run", "a.json", "--source", "test:"), OW_EINVAL);
}

static void relays_need_a_name(void **state)
{
    (void)state;
    struct config c;
    struct reason why = {""};
    assert_int_equal(READ(&c, &why, "run", "--stun", "stun:a.example", "--turn", "turn:b.example",
                          "--turn-secret", "quite secret", "--turn-relay", "--no-ice-tcp",
                          "--media-threads", "2"),
                     OW_OK);
    assert_string_equal(c.turn_secret, "quite secret");
    assert_true(config_flag(c.turn_relay) && config_flag(c.no_ice_tcp));
    assert_int_equal(config_number(c.media_threads), 2);
    assert_int_equal(
        READ(&c, &why, "run", "--turn", "turn:b", "--turn-username", "u", "--turn-password", "p"),
        OW_OK);
    assert_int_equal(READ(&c, &why, "run", "--turn", "turn:b", "--turn-username", "u"), OW_EINVAL);
    assert_non_null(strstr(why.text, "--turn-password"));
    assert_int_equal(READ(&c, &why, "run", "--turn-relay"), OW_EINVAL);
    assert_int_equal(READ(&c, &why, "run", "--turn", "turns:b", "--turn-secret", "s",
                          "--turn-relay", "--turn-ca", "ca.pem"),
                     OW_OK);
    assert_string_equal(c.turn_ca, "ca.pem");
    assert_int_equal(READ(&c, &why, "run", "--turn-ca", "ca.pem"), OW_EINVAL);
    assert_non_null(strstr(why.text, "--turn-relay"));
    expect_refusal("--stun", "turn:a.example", "must look like stun:");
    expect_refusal("--turn", "http://a.example", "must look like turn:");
    setenv("OVERWATCH_TURN_SECRET", "hidden", 1);
    assert_int_equal(READ(&c, &why, "run", "--turn", "turn:b"), OW_OK);
    assert_string_equal(c.turn_secret, "hidden");
    unsetenv("OVERWATCH_TURN_SECRET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_both_spellings),
        cmocka_unit_test(the_environment_stands_behind_the_flags),
        cmocka_unit_test(bad_words_are_named),
        cmocka_unit_test(relays_need_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
