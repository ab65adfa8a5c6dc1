/* Requests as they come on a connection: many, in pieces, with bodies, malformed. */
#include "http_fixture.h"
#include "raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void a_connection_serves_many_requests(void **state)
{
    (void)state;
    int fd = raw_connect(fixture.port);
    for (int i = 0; i < 5; i++) {
        struct raw_answer answer;
        raw_send_text(fd, i % 2 ? "POST /echo/k HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Length: 3\r\n\r\nabc"
                                : "GET /echo/k HTTP/1.1\r\nHost: localhost\r\n\r\n");
        raw_read(fd, &answer, false);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, i % 2 ? "k|-|3|" : "k|-|0|");
        raw_free(&answer);
    }
    close(fd);
}

/* libwebsockets 4.1 never answered the first three: their names begin names that it knows. */
static void unknown_headers_are_ignored(void **state)
{
    (void)state;
    static const char *const names[] = {"X-A",           "x", "A", "X-Forwarded-For", "Zzz",
                                        "Sec-Fetch-Mode"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char header[64];
        snprintf(header, sizeof header, "%s: 1\r\n", names[i]);
        fixture_expect("GET", "/echo/x", NULL, header, 200, "x|-|0|");
    }
    char many[3800] = "", text[8192];
    for (int i = 0; i < 60; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "X-%d: %d\r\n", i, i);
    fixture_expect("GET", "/echo/x", NULL, many, 200, "x|-|0|");
    memset(many, 'v', 3000);
    snprintf(text, sizeof text,
             "GET /echo/x HTTP/1.1\r\nX-Long: %.3000s\r\nX-A: %.3000s\r\n"
             "Host: localhost\r\n\r\n",
             many, many);
    struct raw_answer answer;
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, text);
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    raw_free(&answer);
    for (int i = 0; i < 6; i++) /* more than a head may have */
        raw_send(fd, many, 3000);
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, 431);
    raw_free(&answer);
    close(fd);
}

static void other_upgrades_are_ignored(void **state)
{
    (void)state;
    fixture_expect("GET", "/echo/x", NULL,
                   "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                   "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                   200, "x|-|0|");
}

static void chunked_bodies_are_taken(void **state)
{
    (void)state;
    struct raw_answer answer;
    int fd = raw_connect(fixture.port);
    for (int i = 0; i < 2; i++) { /* and the connection goes on */
        raw_send_text(fd, "POST /echo/x HTTP/1.1\r\nHost: localhost\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        raw_send_text(fd, "2;x=y\r\nde\r\n0\r\n\r\n");
        raw_read(fd, &answer, false);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "x|-|5|");
        raw_free(&answer);
    }
    raw_send_text(fd, "POST /echo/x HTTP/1.1\r\nHost: localhost\r\n"
                      "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n");
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, 400);
    raw_free(&answer);
    close(fd);
}

static void requests_may_come_in_one_piece(void **state)
{
    (void)state;
    struct raw_answer answer;
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      "POST /echo/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"
                      "GET /echo/c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    static const char *const bodies[] = {"a|-|0|", "b|-|2|", "c|-|0|"};
    for (int i = 0; i < 3; i++) {
        raw_read(fd, &answer, false);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, bodies[i]);
        raw_free(&answer);
    }
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0); /* hung up, as asked */
    close(fd);
}

static void large_bodies_are_refused(void **state)
{
    (void)state;
    char *body = malloc(HTTP_MAX_BODY_BYTES + 2);
    memset(body, 'x', HTTP_MAX_BODY_BYTES + 1);
    body[HTTP_MAX_BODY_BYTES + 1] = '\0';
    fixture_expect("POST", "/echo/x", body, NULL, 413, NULL);
    body[HTTP_MAX_BODY_BYTES] = '\0';
    fixture_expect("POST", "/echo/x", body, NULL, 200, "x|-|1048576|");
    free(body);
    struct raw_answer answer;
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "POST /echo/x HTTP/1.1\r\nHost: localhost\r\n"
                      "Content-Length: 99999999999\r\n\r\n");
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, 413);
    raw_free(&answer);
    close(fd);
}

static void malformed_requests_harm_nobody(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /echo/x\r\n\r\n",
        "FROB /echo/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /echo/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        "POST /echo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12abc\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int fd = raw_connect(fixture.port);
        raw_send_text(fd, texts[i]);
        shutdown(fd, 1);
        struct raw_answer answer;
        raw_read(fd, &answer, false);
        assert_true(answer.status == 0 || answer.status >= 400);
        raw_free(&answer);
        close(fd);
        fixture_expect("GET", "/echo/x", NULL, NULL, 200, "x|-|0|");
    }
    char path[6000] = "/echo/";
    memset(path + 6, 'p', 1000);
    fixture_expect("GET", path, NULL, NULL, 414, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_many_requests),
        cmocka_unit_test(unknown_headers_are_ignored),
        cmocka_unit_test(other_upgrades_are_ignored),
        cmocka_unit_test(chunked_bodies_are_taken),
        cmocka_unit_test(requests_may_come_in_one_piece),
        cmocka_unit_test(large_bodies_are_refused),
        cmocka_unit_test(malformed_requests_harm_nobody),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
