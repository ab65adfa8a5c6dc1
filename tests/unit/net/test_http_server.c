/* Routes, who may come in, answers at any time, start and stop. */
#include "http_fixture.h"
#include "raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void routes_methods_and_parameters(void **state)
{
    (void)state;
    fixture_expect("GET", "/echo/x%20y?q=a%26b", NULL, NULL, 200, "x y|a&b|0|");
    fixture_expect("POST", "/echo/x", "12345", "Content-Type: application/json\r\n", 200,
                   "x|-|5|application/json");
    fixture_expect("POST", "/echo/x", "", NULL, 200, "x|-|0|");
    fixture_expect("POST", "/echo/x", NULL, NULL, 200, "x|-|0|");
    fixture_expect("HEAD", "/echo/x", NULL, NULL, 200, "");
    fixture_expect("OPTIONS", "/echo/x", NULL, NULL, 204, NULL);
    fixture_expect("GET", "/nothing", NULL, NULL, 404, "{\"detail\": \"Nothing \\\"here\\\".\"}");
    fixture_expect("POST", "/nothing", "{}", NULL, 404, NULL);
    struct raw_answer answer;
    raw_request(fixture.port, "DELETE", "/echo/x", NULL, NULL, &answer);
    assert_int_equal(answer.status, 405);
    assert_non_null(strcasestr(answer.headers, "allow: GET, POST"));
    raw_free(&answer);
    raw_request(fixture.port, "GET", "/big", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_size, 3000000);
    assert_int_equal(answer.body[2999999], 'b');
    raw_free(&answer);
}

static void strangers_hosts_and_origins_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *host, *origin;
        int status;
    } cases[] = {
        {"Host: evil.example\r\n", "", 403},
        {"", "", 403},
        {"Host: localhost:1\r\n", "Origin: http://evil.example\r\n", 403},
        {"Host: localhost:1\r\n", "Origin: null\r\n", 403},
        {"Host: localhost:1\r\n", "Origin: http://localhost:1\r\n", 200},
        {"Host: localhost:1\r\n", "Origin: http://dash.lan\r\n", 200},
        {"Host: dash.lan\r\n", "", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        struct raw_answer answer;
        snprintf(text, sizeof text, "GET /echo/x HTTP/1.1\r\n%s%sAccept: */*\r\n\r\n",
                 cases[i].host, cases[i].origin);
        int fd = raw_connect(fixture.port);
        raw_send_text(fd, text);
        raw_read(fd, &answer, false);
        assert_int_equal(answer.status, cases[i].status);
        raw_free(&answer);
        close(fd);
    }
    int status;
    assert_int_equal(raw_websocket(fixture.port, "/ws", "Host: evil.example\r\n", &status), -1);
    assert_int_equal(status, 403);
    assert_int_equal(raw_websocket(fixture.port, "/ws",
                                   "Host: localhost\r\nOrigin: http://evil.example\r\n", &status),
                     -1);
    assert_int_equal(status, 403);
    assert_int_equal(raw_websocket(fixture.port, "/other", NULL, &status), -1);
    assert_int_equal(status, 404);
}

static void answers_may_come_later_or_never_be_wanted(void **state)
{
    (void)state;
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct http_exchange *exchange = fixture_exchange();
    http_reply(exchange, 200, "text/plain", "late", 4, NULL);
    http_reply(exchange, 500, "text/plain", "second", 6, NULL);
    http_exchange_unref(&exchange);
    struct raw_answer answer;
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "late");
    raw_free(&answer);
    raw_send_text(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    exchange = fixture_exchange();
    close(fd);
    fixture_expect("GET", "/echo/x", NULL, NULL, 200, "x|-|0|");
    http_reply(exchange, 200, "text/plain", "nobody", 6, NULL);
    http_exchange_unref(&exchange);
    fixture_expect("GET", "/echo/x", NULL, NULL, 200, "x|-|0|");
}

static void a_port_already_taken_is_named(void **state)
{
    (void)state;
    struct http_server *second = NULL;
    struct http_server_settings settings = {
        .bind_address = "127.0.0.1", .port = fixture.port, .routes = fixture_routes};
    struct reason why = {""};
    char number[8];
    snprintf(number, sizeof number, "%u", fixture.port);
    assert_int_equal(http_server_start(&second, &settings, &why), OW_EEXISTS);
    assert_null(second);
    assert_non_null(strstr(why.text, number));
    settings.bind_address = "not an address";
    assert_int_equal(http_server_start(&second, &settings, &why), OW_EINVAL);
}

static void stopping_ends_what_is_open(void **state)
{
    (void)state;
    int status;
    int socket_fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(socket_fd >= 0);
    fixture_socket(true);
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct http_exchange *exchange = fixture_exchange();
    http_server_stop(&fixture.server);
    http_reply(exchange, 200, "text/plain", "too late", 8, NULL);
    http_exchange_unref(&exchange);
    close(fd);
    close(socket_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_methods_and_parameters),
        cmocka_unit_test(strangers_hosts_and_origins_are_refused),
        cmocka_unit_test(answers_may_come_later_or_never_be_wanted),
        cmocka_unit_test(a_port_already_taken_is_named),
        cmocka_unit_test(stopping_ends_what_is_open),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
