#include "app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Writes a file that is gone at the end of the process's test folder; returns its path. */
static const char *file_of(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/overwatch-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void a_file_stands_behind_the_environment(void **state)
{
    (void)state;
    struct config c;
    struct reason why = {""};
    const char *path = file_of("# a comment\r\n\n  port = 81 \nmedia-port=82\nlog-level = debug\n"
                               "ice-lite = yes\nno-ice-tcp = no\nturn-secret = \" # no comment \"\n"
                               "allowed-hosts = a=b");
    setenv("OVERWATCH_MEDIA_PORT", "92", 1);
    assert_int_equal(READ(&c, &why, "run", "--log-level", "warn", "--config", path), OW_OK);
    assert_string_equal(c.port, "81");
    assert_string_equal(c.media_port, "92");
    assert_string_equal(c.log_level, "warn");
    assert_true(config_flag(c.ice_lite));
    assert_false(config_flag(c.no_ice_tcp));
    assert_string_equal(c.turn_secret, " # no comment ");
    assert_string_equal(c.allowed_hosts, "a=b");
    assert_string_equal(c.bind, "127.0.0.1");
    assert_false(c.file_exposes_secrets);
    config_free(&c);
    assert_int_equal(chmod(path, 0644), 0);
    setenv("OVERWATCH_CONFIG", path, 1);
    assert_int_equal(READ(&c, &why, "run"), OW_OK);
    assert_string_equal(c.port, "81");
    assert_true(c.file_exposes_secrets);
    config_free(&c);
    unsetenv("OVERWATCH_CONFIG");
    unsetenv("OVERWATCH_MEDIA_PORT");
    unlink(path);
}

static void lines_at_fault_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"port = 80\n\ncolour = red\n", "line 3: there is no option \"colour\""},
        {"port\n", "line 1: this is not"},
        {"= 5\n", "line 1: this is not"},
        {"#\nport = many\n", "line 2: --port is \"many\""},
        {"port =\n", "line 1: --port"},
        {"port=1\nport=2", "line 2: \"port\" was there before"},
        {"config = other", "line 1: there is no option \"config\""},
        {"ice-lite = maybe", "line 1: --ice-lite"},
        {"Port = 1", "line 1: there is no option \"Port\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config c;
        struct reason why = {""};
        const char *path = file_of(cases[i].text);
        assert_int_equal(READ(&c, &why, "run", "--config", path), OW_EINVAL);
        if (!strstr(why.text, cases[i].words) || !strstr(why.text, path))
            fail_msg("%s: \"%s\"", cases[i].text, why.text);
        unlink(path);
    }
    struct config c;
    struct reason why = {""};
    assert_int_equal(READ(&c, &why, "run", "--config=/nonexistent/x"), OW_EIO);
    assert_non_null(strstr(why.text, "/nonexistent/x"));
    assert_int_equal(READ(&c, &why, "run", "--config", "/tmp"), OW_EIO);
    assert_int_equal(READ(&c, &why, "run", "--config", "/dev/zero"), OW_EPARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_both_spellings),
        cmocka_unit_test(the_environment_stands_behind_the_flags),
        cmocka_unit_test(bad_words_are_named),
        cmocka_unit_test(relays_need_a_name),
        cmocka_unit_test(a_file_stands_behind_the_environment),
        cmocka_unit_test(lines_at_fault_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
