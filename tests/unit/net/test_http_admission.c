/* How many clients there may be: of an address, in all, and that each place comes free again,
 * however a client leaves. They arrive as those over TLS do, from addresses of the test's choice.
 */
#include "core/clock.h"
#include "net/http_internal.h"
#include "raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { IN_ALL = 8, OF_ADDRESS = 3 };

static struct http_server *server;

/* On the service thread, where the figures may be read: connections, this one included, and
 * refused. */
static void handle_count(void *context, struct http_exchange *exchange)
{
    (void)context;
    struct http_server_stats stats;
    char text[64];
    http_server_read_stats(server, &stats);
    int size = snprintf(text, sizeof text, "%d %llu", stats.connections,
                        (unsigned long long)stats.refused);
    http_reply(exchange, 200, "text/plain", text, (size_t)size, NULL);
}

static void on_socket(void *context, struct http_socket *socket)
{
    (void)context;
    (void)socket;
}

static void on_message(void *context, struct http_socket *socket, const char *text, size_t size)
{
    (void)context;
    (void)socket;
    (void)text;
    (void)size;
}

static const struct http_route routes[] = {
    {HTTP_GET, "/count", handle_count, HTTP_QUICK},
    {HTTP_POST, "/count", handle_count, HTTP_QUICK},
    {0, NULL, NULL, 0},
};

static int start(void **state)
{
    (void)state;
    struct reason why = {""};
    const struct http_server_settings settings = {
        .bind_address = "127.0.0.1",
        .max_connections = IN_ALL,
        .max_per_address = OF_ADDRESS,
        .routes = routes,
        .socket_path = "/ws",
        .socket = {.opened = on_socket, .message = on_message, .closed = on_socket},
    };
    return http_server_start(&server, &settings, &why);
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(&server);
    return 0;
}

/* A client that has come from this address: the test's end of it. */
static int arrive(const char *ip)
{
    int ends[2];
    struct timeval patience = {.tv_sec = 5};
    struct http_arrival arrival = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(address_parse(&arrival.peer, ip, 40000), OW_OK);
    assert_int_equal(address_parse(&arrival.local, "127.0.0.1", 8000), OW_OK);
    arrival.fd = ends[1];
    pthread_mutex_lock(&server->arrivals_lock);
    server->arrivals[server->arrival_count++] = arrival;
    pthread_mutex_unlock(&server->arrivals_lock);
    http_server_wake(server);
    return ends[0];
}

static struct raw_answer ask(int fd, const char *request)
{
    struct raw_answer answer;
    raw_send_text(fd, request);
    raw_read(fd, &answer, false);
    return answer;
}

static const char get[] = "GET /count HTTP/1.1\r\nHost: localhost\r\n\r\n";

static int status_of(int fd, const char *request)
{
    struct raw_answer answer = ask(fd, request);
    int status = answer.status;
    raw_free(&answer);
    return status;
}

/* Waits until so many connections are there, the one that asks not counted. */
static void await_count(int count)
{
    int there = -1;
    int64_t limit_us = clock_now_us() + 10000000;
    while (there != count && clock_now_us() < limit_us) {
        struct raw_answer answer;
        raw_request(http_server_port(server), "GET", "/count", NULL, "Connection: close\r\n",
                    &answer);
        if (answer.status == 200)
            there = atoi(answer.body) - 1;
        raw_free(&answer);
        if (there != count)
            clock_sleep_until_us(clock_now_us() + 5000);
    }
    assert_int_equal(there, count);
}

static void an_address_has_its_share(void **state)
{
    (void)state;
    int held[OF_ADDRESS];
    for (int i = 0; i < OF_ADDRESS; i++) {
        held[i] = arrive("192.0.2.1");
        assert_int_equal(status_of(held[i], get), 200);
    }
    int refused = arrive("192.0.2.1");
    struct raw_answer answer = ask(refused, get);
    assert_int_equal(answer.status, 429);
    assert_non_null(strstr(answer.body, "--max-connections-per-address"));
    assert_non_null(strstr(answer.headers, "Connection: close"));
    raw_free(&answer);
    close(refused);
    await_count(OF_ADDRESS);
    /* Others are not meant: neither another address, nor one that looks alike. */
    static const char *const others[] = {"192.0.2.2", "::ffff:c000:201", "2001:db8::1"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int other = arrive(others[i]);
        assert_int_equal(status_of(other, get), 200);
        close(other);
    }
    /* A place that comes free is given again, and only that one. */
    close(held[0]);
    await_count(OF_ADDRESS - 1);
    held[0] = arrive("192.0.2.1");
    assert_int_equal(status_of(held[0], get), 200);
    refused = arrive("192.0.2.1");
    assert_int_equal(status_of(refused, get), 429);
    close(refused);
    for (int i = 0; i < OF_ADDRESS; i++)
        close(held[i]);
    await_count(0);
}

static void loopback_has_no_share(void **state)
{
    (void)state;
    int held[OF_ADDRESS + 2];
    for (int i = 0; i < OF_ADDRESS + 2; i++) {
        held[i] = arrive(i % 2 ? "127.0.0.9" : "::1");
        assert_int_equal(status_of(held[i], get), 200);
    }
    for (int i = 0; i < OF_ADDRESS + 2; i++)
        close(held[i]);
    await_count(0);
}

static int upgrade(const char *ip)
{
    static const char handshake[] =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char head[1024] = "";
    size_t size = 0;
    int fd = arrive(ip);
    raw_send_text(fd, handshake);
    while (!strstr(head, "\r\n\r\n") && size < sizeof head - 1) {
        ssize_t got = recv(fd, head + size, 1, 0);
        assert_int_equal(got, 1);
        head[++size] = '\0';
    }
    assert_non_null(strstr(head, " 101 "));
    return fd;
}

static void websockets_count_as_connections(void **state)
{
    (void)state;
    int held[OF_ADDRESS];
    for (int i = 0; i < OF_ADDRESS; i++)
        held[i] = upgrade("192.0.2.3");
    int refused = arrive("192.0.2.3");
    assert_int_equal(status_of(refused, get), 429);
    close(refused);
    await_count(OF_ADDRESS);
    for (int i = 0; i < OF_ADDRESS; i++)
        close(held[i]);
    await_count(0);
}

static unsigned long long refused_so_far(void)
{
    struct raw_answer answer;
    raw_request(http_server_port(server), "GET", "/count", NULL, "Connection: close\r\n", &answer);
    assert_int_equal(answer.status, 200);
    const char *space = strchr(answer.body, ' ');
    unsigned long long refused = space ? strtoull(space + 1, NULL, 10) : 0;
    raw_free(&answer);
    return refused;
}

static void in_all_there_are_so_many_and_some_that_are_told(void **state)
{
    (void)state;
    int held[IN_ALL], told[HTTP_MAX_REFUSED];
    unsigned long long before = refused_so_far();
    await_count(0);
    for (int i = 0; i < IN_ALL; i++)
        held[i] = arrive("127.0.0.1");
    /* Each of them is in before the next ones come. */
    for (int i = 0; i < IN_ALL; i++)
        assert_int_equal(status_of(held[i], get), 200);
    for (int i = 0; i < HTTP_MAX_REFUSED; i++)
        told[i] = arrive("127.0.0.1");
    struct raw_answer answer = ask(told[0], get);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "--max-connections"));
    raw_free(&answer);
    /* One more than are told is hung up on. */
    for (int i = 1; i < HTTP_MAX_REFUSED; i++)
        assert_true(told[i] >= 0);
    int more[2] = {arrive("127.0.0.1"), arrive("127.0.0.1")};
    int hung_up = 0;
    for (int i = 0; i < 2; i++) {
        char byte;
        struct timeval short_wait = {.tv_usec = 300000};
        (void)setsockopt(more[i], SOL_SOCKET, SO_RCVTIMEO, &short_wait, sizeof short_wait);
        hung_up += recv(more[i], &byte, 1, 0) == 0;
        close(more[i]);
    }
    assert_true(hung_up >= 1);
    for (int i = 0; i < HTTP_MAX_REFUSED; i++)
        close(told[i]);
    for (int i = 0; i < IN_ALL; i++)
        close(held[i]);
    await_count(0);
    assert_true(refused_so_far() >= before + HTTP_MAX_REFUSED);
}

/* What a client sends before it goes, and the status that it is answered; 0 = it does not wait. */
static const struct leaving {
    const char *sends;
    int status;
} leavings[] = {
    {"", 0},
    {"GET /cou", 0},
    {"GET /count HTTP/1.1\r\nHost: localhost\r\n\r\n", 200},
    {"GET /count HTTP/1.1\r\nHost: localhost\r\n\r\n", 0},
    {"GET /count HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200},
    {"GET /count HTTP/1.0\r\nHost: localhost\r\n\r\n", 200},
    {"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
    {"GET /count HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
    {"nonsense\r\n\r\n", 400},
    {"POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nhalf", 0},
    {"POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413},
    {"POST /count HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
    {"POST /count HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 0},
    {"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
     404},
    {"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
     0},
    {"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
     "\x81\xffnot a frame",
     0},
};

static void every_way_to_leave_frees_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof leavings / sizeof leavings[0]; i++) {
        /* More often than there are places of an address: one that stays taken is noticed. */
        for (int round = 0; round <= OF_ADDRESS; round++) {
            int fd = arrive("198.51.100.7");
            if (leavings[i].status)
                assert_int_equal(status_of(fd, leavings[i].sends), leavings[i].status);
            else
                raw_send_text(fd, leavings[i].sends);
            if (round % 2)
                (void)shutdown(fd, SHUT_WR);
            close(fd);
            await_count(0);
        }
    }
    int fd = arrive("198.51.100.7");
    assert_int_equal(status_of(fd, get), 200);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_its_share),
        cmocka_unit_test(loopback_has_no_share),
        cmocka_unit_test(websockets_count_as_connections),
        cmocka_unit_test(in_all_there_are_so_many_and_some_that_are_told),
        cmocka_unit_test(every_way_to_leave_frees_the_place),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
