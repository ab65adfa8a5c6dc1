#include "net/http_chunks.h"
#include "net/http_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct http_request request;
static struct http_head head;

/* In memory of exactly its size, so that a read behind it is seen. */
static void parse(const char *text, size_t size)
{
    char *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    memcpy(exact, text, size);
    memset(&request, 0, sizeof request);
    http_head_parse(exact, size, &request, &head);
    free(exact);
}

static int refusal_of(const char *text)
{
    parse(text, strlen(text));
    return head.refusal;
}

static void a_request_is_read(void **state)
{
    (void)state;
    assert_int_equal(refusal_of("POST /a%20b?x=1+2&y=%26&z HTTP/1.1\r\nhOST: h:1\r\n"
                                "Origin:http://h:1  \r\nContent-Type:\tapplication/json\r\n"
                                "Content-Length: 17\r\nAccept-Encoding: br, gzip\r\n"
                                "Authorization: Bearer q\r\nIf-None-Match: \"t\"\r\n"
                                "Expect: 100-continue"),
                     0);
    assert_int_equal(request.method, HTTP_POST);
    assert_string_equal(request.path, "/a b");
    assert_int_equal(request.query_count, 3);
    assert_string_equal(request.query[0].value, "1 2");
    assert_string_equal(request.query[1].value, "&");
    assert_string_equal(request.query[2].name, "z");
    assert_string_equal(request.host, "h:1");
    assert_string_equal(request.origin, "http://h:1");
    assert_string_equal(request.content_type, "application/json");
    assert_string_equal(request.authorization, "Bearer q");
    assert_string_equal(request.if_none_match, "\"t\"");
    assert_true(request.accepts_gzip && head.expects_continue && head.keep_alive);
    assert_int_equal(head.content_length, 17);
    assert_int_equal(refusal_of("HEAD http://h/p HTTP/1.0\r\nHost: h"), 0);
    assert_true(request.head && !head.keep_alive);
    assert_string_equal(request.path, "/p");
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nConnection: foo, Close"), 0);
    assert_false(head.keep_alive);
}

/* A name that begins a known one must neither be taken for it nor swallow the line behind it. */
static void unknown_fields_hide_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"X-A", "X", "A", "H", "Hos", "Hosts", "Origi", "O", "Sec-"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "GET / HTTP/1.1\r\n%s: 1\r\nOrigin: http://evil\r\n%s: 2\r\n"
                 "Host: h",
                 names[i], names[i]);
        assert_int_equal(refusal_of(text), 0);
        assert_string_equal(request.origin, "http://evil");
        assert_string_equal(request.host, "h");
    }
}

static void what_is_ambiguous_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"", 0},
        {"GET", 400},
        {"GET /", 400},
        {"GET  HTTP/1.1", 400},
        {"GET /a b HTTP/1.1", 400},
        {"GET a HTTP/1.1", 400},
        {"GET /%zz HTTP/1.1", 400},
        {"GET /%0 HTTP/1.1", 400},
        {"GET /%00 HTTP/1.1", 400},
        {"GET / HTTP/2.0", 505},
        {"GET / HTTX/1.1", 400},
        {"get / HTTP/1.1", 501},
        {"FROB / HTTP/1.1", 501},
        {"G@T / HTTP/1.1", 400},
        {"GET / HTTP/1.1\r\nHost : h", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\n folded", 400},
        {"GET / HTTP/1.1\r\nno colon", 400},
        {"GET / HTTP/1.1\r\n: empty", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400},
        {"GET / HTTP/1.1\r\nX: a\nb", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6", 400},
        {"POST / HTTP/1.1\r\nContent-Length: -5", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 5a", 400},
        {"POST / HTTP/1.1\r\nContent-Length:", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", 501},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501},
    };
    for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++)
        if (refusal_of(cases[i].text) != cases[i].status)
            fail_msg("%s: %d", cases[i].text, head.refusal);
    char text[4096] = "GET / HTTP/1.1\r\nHost: ";
    memset(text + strlen(text), 'h', 400);
    assert_int_equal(refusal_of(text), 0);
    assert_string_equal(request.host, "");
    strcat(text, "\r\nOrigin: http://");
    memset(text + strlen(text), 'o', 400);
    assert_int_equal(refusal_of(text), 0);
    assert_string_equal(request.origin, "null");
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nOrigin: http://a\r\nOrigin: http://b"), 0);
    assert_string_equal(request.origin, "null");
}

static void upgrades(void **state)
{
    (void)state;
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, "
                                "HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__"),
                     0);
    assert_false(head.websocket);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nUpgrade: websocket"), 0);
    assert_false(head.websocket);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n"
                                "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
                     0);
    assert_true(head.websocket);
    assert_string_equal(head.websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short"),
                     400);
    assert_int_equal(refusal_of("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 8\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
                     400);
}

static void any_bytes_are_survived(void **state)
{
    (void)state;
    static const char whole[] =
        "GET /echo/x%20y?q=a%26b&r HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\n"
        "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 12\r\nX-A: 1";
    for (size_t size = 0; size <= sizeof whole - 1; size++)
        parse(whole, size);
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1103515245u + 12345u;
            text[(seed >> 8) % (sizeof whole - 1)] = (char)(seed >> 20);
        }
        parse(text, sizeof whole - 1);
        assert_true(strlen(request.path) < sizeof request.path);
        assert_true(strlen(request.host) < sizeof request.host);
        assert_true(head.refusal == 0 || (head.refusal >= 400 && head.detail));
    }
    assert_int_equal(http_head_size("GET / HTTP/1.1\r\n\r", 17), 0);
    assert_int_equal(http_head_size("GET / HTTP/1.1\r\n\r\nrest", 22), 18);
    char many[8192] = "GET / HTTP/1.1";
    for (int i = 0; i < 200; i++)
        strcat(many, "\r\nA: b");
    assert_int_equal(refusal_of(many), 431);
}

/* Fed in pieces of `step` bytes; the body's size, or -1. */
static int decode(const char *text, size_t step, char *body, size_t *left)
{
    struct http_chunks chunks = {0};
    size_t at = 0, size = strlen(text), body_size = 0;
    while (chunks.state != HTTP_CHUNKS_DONE) {
        size_t give = size - at < step ? size - at : step, used, got;
        const char *piece;
        if (give == 0 || http_chunks_read(&chunks, text + at, give, &used, &piece, &got) != OW_OK)
            return -1;
        memcpy(body + body_size, piece, got);
        body_size += got;
        at += used;
    }
    body[body_size] = '\0';
    *left = size - at;
    return (int)body_size;
}

static void chunks_are_joined_and_checked(void **state)
{
    (void)state;
    static const char text[] = "4\r\nWiki\r\nA;name=\"v\"\r\n0123456789\r\n0\r\nT: x\r\n\r\nnext";
    char body[128];
    size_t left;
    for (size_t step = 1; step < sizeof text; step++) {
        assert_int_equal(decode(text, step, body, &left), 14);
        assert_string_equal(body, "Wiki0123456789");
        assert_int_equal(left, 4);
    }
    static const char *const bad[] = {"\r\n",      "g\r\n",         "4\r\nWikiX",
                                      "4\nWiki",   "123456789\r\n", "-1\r\n",
                                      "4 4\r\r\n", ";x\r\n",        "2\r\nabc\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(decode(bad[i], 100, body, &left), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(unknown_fields_hide_nothing),
        cmocka_unit_test(what_is_ambiguous_is_refused),
        cmocka_unit_test(upgrades),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(chunks_are_joined_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
