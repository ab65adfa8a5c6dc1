#include "net/http_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *policy(const char *host, const char *allowed)
{
    static char text[HTTP_POLICY_BYTES];
    memset(text, 'x', sizeof text);
    http_policy_write(host, allowed, text);
    return text;
}

/* What stands behind a directive's name, up to the next one. */
static const char *directive(const char *text, const char *name)
{
    static char value[HTTP_POLICY_BYTES];
    char wanted[64];
    snprintf(wanted, sizeof wanted, "; %s ", name);
    const char *at = strstr(text, wanted);
    assert_non_null(at);
    at += strlen(wanted);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, ";"), at);
    return value;
}

static void scripts_and_styles_come_from_the_server_alone(void **state)
{
    (void)state;
    const char *text = policy("camera.lan:8000", "");
    assert_int_equal(strncmp(text, "default-src 'none'; ", 20), 0);
    assert_string_equal(directive(text, "script-src"), "'self'");
    assert_string_equal(directive(text, "style-src"), "'self'");
    assert_string_equal(directive(text, "base-uri"), "'none'");
    assert_null(strstr(text, "unsafe"));
}

static void web_sockets_of_the_same_host_may_be_opened(void **state)
{
    (void)state;
    static const struct {
        const char *host, *expected;
    } cases[] = {
        {"camera.lan:8000", "'self' ws://camera.lan:8000 wss://camera.lan:8000"},
        {"127.0.0.1", "'self' ws://127.0.0.1 wss://127.0.0.1"},
        {"[::1]:8000", "'self'"}, /* a policy has no way to write it */
        {"", "'self'"},
        {"a; script-src *", "'self'"},
        {"a\r\nSet-Cookie: b=c", "'self'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(directive(policy(cases[i].host, NULL), "connect-src"),
                            cases[i].expected);
}

static void pages_of_allowed_hosts_may_frame(void **state)
{
    (void)state;
    static const struct {
        const char *allowed, *expected;
    } cases[] = {
        {NULL, "'self'"},
        {"", "'self'"},
        {"dash.lan", "'self' http://dash.lan:* https://dash.lan:*"},
        {" a.lan,\tB.lan ", "'self' http://a.lan:* https://a.lan:* http://B.lan:* https://B.lan:*"},
        {"*", "'self' *"},
        {"fd00::5, a.lan", "'self' http://a.lan:* https://a.lan:*"},
        {"a.lan;script-src", "'self'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(directive(policy("h", cases[i].allowed), "frame-ancestors"),
                            cases[i].expected);
}

static void hosts_without_room_are_left_out_whole(void **state)
{
    (void)state;
    char allowed[200 * 20] = "";
    for (int i = 0; i < 200; i++)
        snprintf(allowed + strlen(allowed), sizeof allowed - strlen(allowed), "host-%03d.lan,", i);
    const char *text = policy("h", allowed);
    size_t size = strlen(text);
    assert_in_range(size, HTTP_POLICY_BYTES - 60, HTTP_POLICY_BYTES - 1);
    assert_string_equal(text + size - 2, ":*");
}

static void a_plain_page_runs_what_bears_its_nonce(void **state)
{
    (void)state;
    char text[HTTP_POLICY_BYTES];
    http_policy_write_inline("0123abcd", text);
    assert_string_equal(directive(text, "script-src"), "'nonce-0123abcd'");
    assert_string_equal(directive(text, "style-src"), "'nonce-0123abcd'");
    assert_string_equal(directive(text, "connect-src"), "'self'");
    assert_non_null(strstr(text, "frame-ancestors 'none'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_and_styles_come_from_the_server_alone),
        cmocka_unit_test(web_sockets_of_the_same_host_may_be_opened),
        cmocka_unit_test(pages_of_allowed_hosts_may_frame),
        cmocka_unit_test(hosts_without_room_are_left_out_whole),
        cmocka_unit_test(a_plain_page_runs_what_bears_its_nonce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
