#include "net/http_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hosts_that_are_ours_pass_and_others_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *host, *bind, *allowed;
        bool expected;
    } cases[] = {
        {"localhost", "127.0.0.1", NULL, true},
        {"LOCALHOST:8000", "127.0.0.1", "", true},
        {"127.0.0.1:8000", "127.0.0.1", "", true},
        {"[::1]:8000", "127.0.0.1", "", true},
        {"evil.example", "127.0.0.1", "", false},
        {"localhost.evil.example", "127.0.0.1", "", false},
        {"127.0.0.1.evil.example:8000", "127.0.0.1", "", false},
        {"192.168.1.5:8000", "192.168.1.5", "", true},
        {"192.168.1.6:8000", "192.168.1.5", "", false},
        {"192.168.1.6:8000", "0.0.0.0", "", true},
        {"[fd00::5]", "::", "", true},
        {"camera.lan:8000", "0.0.0.0", "", false},
        {"camera.lan:8000", "0.0.0.0", "a.lan, Camera.LAN", true},
        {"camera.la", "0.0.0.0", "camera.lan", false},
        {"anything.example", "127.0.0.1", "*", true},
        {"", "127.0.0.1", "", false},
        {"[::1", "127.0.0.1", "", false},
        {"[::1]x", "127.0.0.1", "", false},
        {":8000", "127.0.0.1", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(http_host_allowed(cases[i].host, cases[i].bind, cases[i].allowed),
                         cases[i].expected);
}

static void origins_must_be_the_host_or_listed(void **state)
{
    (void)state;
    assert_true(http_origin_allowed("", "localhost:8000"));
    assert_true(http_origin_allowed("http://localhost:8000", "localhost:8000"));
    assert_false(http_origin_allowed("http://localhost:9000", "localhost:8000"));
    assert_false(http_origin_allowed("http://evil.example", "localhost:8000"));
    assert_false(http_origin_allowed("null", "localhost:8000"));
    struct reason why = {""};
    assert_int_equal(
        http_guard_check("localhost", "http://dash.lan:3000", "127.0.0.1", "dash.lan", &why),
        OW_OK);
    assert_int_equal(
        http_guard_check("localhost", "http://evil.lan", "127.0.0.1", "dash.lan", &why), OW_EAUTH);
    assert_true(strlen(why.text) > 0);
    assert_int_equal(http_guard_check("evil.lan", "", "127.0.0.1", "", &why), OW_EAUTH);
}

static void patterns_take_whole_segments(void **state)
{
    (void)state;
    struct http_request request = {0};
    assert_true(http_route_match("/view/{node_id}", "/view/a b", &request));
    assert_string_equal(http_param(&request, "node_id"), "a b");
    assert_null(http_param(&request, "other"));
    assert_true(http_route_match("/a/{x}/b/{y}", "/a/1/b/22", &request));
    assert_string_equal(http_param(&request, "y"), "22");
    assert_true(http_route_match("/a", "/a/", &request));
    assert_true(http_route_match("/", "/", &request));
    assert_false(http_route_match("/view/{node_id}", "/view/", &request));
    assert_false(http_route_match("/view/{node_id}", "/view/a/b", &request));
    assert_false(http_route_match("/view/{node_id}", "/vie", &request));
    assert_false(http_route_match("/a", "/ab", &request));
    char path[600] = "/view/";
    memset(path + 6, 'x', 400);
    assert_false(http_route_match("/view/{node_id}", path, &request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_are_ours_pass_and_others_do_not),
        cmocka_unit_test(origins_must_be_the_host_or_listed),
        cmocka_unit_test(patterns_take_whole_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
