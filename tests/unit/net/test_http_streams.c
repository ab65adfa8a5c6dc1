/* Bodies taken in piece by piece, and answers without an end. */
#include "net/http_server.h"
#include "raw_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { REFUSED_BYTES = 100000 };

static struct {
    struct http_server *server;
    uint16_t port;
    pthread_mutex_t lock;
    struct http_exchange *stream; /* of /ticks */
    atomic_int reading, broken;   /* handlers of /sum */
    atomic_bool go_on;
} fixture = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void pause_ms(long ms)
{
    const struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

/* Answers with size and sum of the bytes. ?refuse: when there are too many of them; ?wait: begins
 * to read when it may go on. */
static void handle_sum(void *context, struct http_exchange *exchange)
{
    (void)context;
    const struct http_request *request = http_exchange_request(exchange);
    char piece[10000], text[64];
    size_t got = 0, size = 0, total = 0;
    unsigned sum = 0;
    int rc = OW_OK;
    atomic_fetch_add(&fixture.reading, 1);
    while (http_query(request, "wait") && !atomic_load(&fixture.go_on))
        pause_ms(5);
    while ((rc = http_read_body(exchange, piece, sizeof piece, &got)) == OW_OK && got > 0) {
        total += got;
        for (size = 0; size < got; size++)
            sum = sum * 31 + (unsigned char)piece[size];
        if (http_query(request, "refuse") && total > REFUSED_BYTES) {
            http_reply_error(exchange, 413, "Too much.");
            break;
        }
    }
    int length = snprintf(text, sizeof text, "%zu|%u", total, sum);
    if (rc == OW_OK)
        http_reply(exchange, 200, "text/plain", text, (size_t)length, NULL);
    else
        atomic_fetch_add(&fixture.broken, 1);
    atomic_fetch_sub(&fixture.reading, 1);
}

static void handle_ticks(void *context, struct http_exchange *exchange)
{
    (void)context;
    http_reply_stream(exchange, "text/ticks", "zero;", 5, "Cache-Control: no-store\r\n");
    pthread_mutex_lock(&fixture.lock);
    http_exchange_unref(&fixture.stream);
    fixture.stream = http_exchange_ref(exchange);
    pthread_mutex_unlock(&fixture.lock);
}

static const struct http_route routes[] = {
    {HTTP_POST, "/sum", handle_sum, HTTP_STREAMS},
    {HTTP_GET, "/sum", handle_ticks, HTTP_QUICK},
    {HTTP_GET, "/ticks", handle_ticks, HTTP_QUICK},
    {0, NULL, NULL, 0},
};

static int start(void **state)
{
    (void)state;
    struct reason why = {""};
    struct http_server_settings settings = {.bind_address = "127.0.0.1", .routes = routes};
    assert_int_equal(http_server_start(&fixture.server, &settings, &why), OW_OK);
    fixture.port = http_server_port(fixture.server);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_exchange_unref(&fixture.stream);
    http_server_stop(&fixture.server);
    assert_int_equal(fixture.reading, 0);
    return 0;
}

static void wait_for(atomic_int *number, int value)
{
    for (int i = 0; i < 1000 && atomic_load(number) != value; i++)
        pause_ms(5);
    assert_int_equal(*number, value);
}

static char *make_body(size_t size, char expected[64])
{
    char *body = malloc(size + 1);
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)(i * 7 + i / 251);
        sum = sum * 31 + (unsigned char)body[i];
    }
    snprintf(expected, 64, "%zu|%u", size, sum);
    return body;
}

static void begin(int fd, const char *path, const char *fields)
{
    char text[256];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, fields);
    raw_send_text(fd, text);
}

static void expect_answer(int fd, int status, const char *body)
{
    struct raw_answer answer;
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, status);
    if (body)
        assert_string_equal(answer.body, body);
    raw_free(&answer);
}

static void bodies_of_any_size_come_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 16 * 1024, 256 * 1024, 256 * 1024 + 1, 5000000};
    int fd = raw_connect(fixture.port);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) { /* on one connection */
        char fields[64], expected[64], *body = make_body(sizes[i], expected);
        snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", sizes[i]);
        begin(fd, "/sum", fields);
        raw_send(fd, body, sizes[i]);
        expect_answer(fd, 200, expected);
        free(body);
    }
    close(fd);
}

static void chunks_come_whole(void **state)
{
    (void)state;
    enum { SIZE = 1000000, CHUNK = 70000 };
    char expected[64], line[32], *body = make_body(SIZE, expected);
    int fd = raw_connect(fixture.port);
    begin(fd, "/sum", "Transfer-Encoding: chunked\r\n");
    for (size_t at = 0; at < SIZE; at += CHUNK) {
        size_t size = SIZE - at < CHUNK ? SIZE - at : CHUNK;
        snprintf(line, sizeof line, "%zx\r\n", size);
        raw_send_text(fd, line);
        raw_send(fd, body + at, size);
        raw_send_text(fd, "\r\n");
    }
    raw_send_text(fd, "0\r\n\r\n");
    expect_answer(fd, 200, expected);
    begin(fd, "/sum", "Transfer-Encoding: chunked\r\n");
    raw_send_text(fd, "3\r\nabcd\r\n"); /* one too many */
    expect_answer(fd, 400, NULL);
    close(fd);
    free(body);
    wait_for(&fixture.reading, 0);
}

/* More than ring and buffers of the system hold: the client has to wait, nobody else. */
static void a_slow_handler_holds_up_its_client_only(void **state)
{
    (void)state;
    enum { SIZE = 24 * 1024 * 1024 };
    char fields[64], expected[64], *body = make_body(SIZE, expected);
    int fd = raw_connect(fixture.port);
    atomic_store(&fixture.go_on, false);
    snprintf(fields, sizeof fields, "Content-Length: %d\r\n", SIZE);
    begin(fd, "/sum?wait", fields);
    size_t sent = 0;
    for (int quiet = 0; quiet < 20;) {
        ssize_t now = send(fd, body + sent, SIZE - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        quiet = now > 0 ? 0 : quiet + 1;
        sent += now > 0 ? (size_t)now : 0;
        if (now <= 0)
            pause_ms(5);
    }
    assert_true(sent < SIZE);
    int other = raw_connect(fixture.port);
    begin(other, "/sum", "Content-Length: 1\r\n");
    raw_send(other, "a", 1);
    expect_answer(other, 200, "1|97");
    close(other);
    atomic_store(&fixture.go_on, true);
    raw_send(fd, body + sent, SIZE - sent);
    expect_answer(fd, 200, expected);
    close(fd);
    free(body);
}

static void a_refusal_is_seen_while_the_body_comes(void **state)
{
    (void)state;
    static const char *const kinds[] = {"Content-Length: 50000000\r\n",
                                        "Transfer-Encoding: chunked\r\n"};
    char *junk = malloc(65536);
    memset(junk, 'x', 65536);
    for (int kind = 0; kind < 2; kind++) {
        int fd = raw_connect(fixture.port);
        begin(fd, "/sum?refuse", kinds[kind]);
        for (int i = 0; i < 40; i++) { /* goes on sending, as browsers do */
            if (kind == 1)
                raw_send_text(fd, "10000\r\n");
            raw_send(fd, junk, 65536);
            if (kind == 1)
                raw_send_text(fd, "\r\n");
        }
        expect_answer(fd, 413, NULL);
        char byte;
        assert_int_equal(recv(fd, &byte, 1, 0), 0); /* no other request can follow */
        close(fd);
    }
    free(junk);
    wait_for(&fixture.reading, 0);
}

static void a_client_that_goes_is_told_to_the_handler(void **state)
{
    (void)state;
    atomic_store(&fixture.broken, 0);
    int fd = raw_connect(fixture.port);
    begin(fd, "/sum", "Content-Length: 1000\r\n");
    raw_send(fd, "abc", 3);
    wait_for(&fixture.reading, 1);
    close(fd);
    wait_for(&fixture.broken, 1);
    wait_for(&fixture.reading, 0);
}

static void too_many_at_a_time_are_refused(void **state)
{
    (void)state;
    int fds[HTTP_MAX_STREAMS];
    for (int i = 0; i < HTTP_MAX_STREAMS; i++) {
        fds[i] = raw_connect(fixture.port);
        begin(fds[i], "/sum", "Content-Length: 2\r\n");
    }
    wait_for(&fixture.reading, HTTP_MAX_STREAMS);
    int fd = raw_connect(fixture.port);
    begin(fd, "/sum", "Content-Length: 1\r\n");
    expect_answer(fd, 503, NULL);
    close(fd);
    for (int i = 0; i < HTTP_MAX_STREAMS; i++) {
        raw_send(fds[i], "ab", 2);
        expect_answer(fds[i], 200, "2|3105");
        close(fds[i]);
    }
}

/* -- answers without an end -- */

static struct http_exchange *open_ticks(int fd, const char *method)
{
    char text[128];
    http_exchange_unref(&fixture.stream);
    snprintf(text, sizeof text, "%s /ticks HTTP/1.1\r\nHost: localhost\r\n\r\n", method);
    raw_send_text(fd, text);
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&fixture.lock);
        struct http_exchange *found = fixture.stream ? http_exchange_ref(fixture.stream) : NULL;
        pthread_mutex_unlock(&fixture.lock);
        if (found)
            return found;
        pause_ms(5);
    }
    fail();
    return NULL;
}

static void read_until(int fd, const char *text)
{
    char got[2048];
    size_t size = 0;
    do {
        assert_int_equal(recv(fd, got + size, 1, 0), 1);
        got[++size] = '\0';
        assert_true(size < sizeof got - 1);
    } while (!strstr(got, text));
    assert_null(strcasestr(got, "content-length"));
}

static bool tick(struct http_exchange *exchange, const void *data, size_t size)
{
    struct http_message *message = http_message_create(true, data, size, NULL, 0);
    bool there = http_stream_latest(exchange, message);
    http_message_unref(&message);
    return there;
}

static void a_stream_goes_on_until_it_is_ended(void **state)
{
    (void)state;
    char byte;
    int fd = raw_connect(fixture.port);
    struct http_exchange *exchange = open_ticks(fd, "GET");
    read_until(fd, "text/ticks\r\n");
    read_until(fd, "\r\n\r\n");
    read_until(fd, "zero;");
    assert_true(tick(exchange, "one;", 4));
    read_until(fd, "one;");
    assert_true(tick(exchange, "two;", 4));
    read_until(fd, "two;");
    http_stream_end(exchange);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    http_exchange_unref(&exchange);
    fd = raw_connect(fixture.port);
    exchange = open_ticks(fd, "HEAD");
    read_until(fd, "\r\n\r\n");
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    http_exchange_unref(&exchange);
}

static void who_reads_slowly_gets_the_latest(void **state)
{
    (void)state;
    enum { SIZE = 200000, COUNT = 400 };
    char *piece = malloc(SIZE);
    int fd = raw_connect(fixture.port), seen = 0, last = -1;
    struct http_exchange *exchange = open_ticks(fd, "GET");
    read_until(fd, "zero;");
    for (int i = 0; i < COUNT; i++) {
        memset(piece, i % 100, SIZE);
        memcpy(piece, &i, sizeof i);
        assert_true(tick(exchange, piece, SIZE));
        pause_ms(1);
    }
    while (last != COUNT - 1) {
        assert_int_equal(recv(fd, piece, SIZE, MSG_WAITALL), SIZE);
        int number;
        memcpy(&number, piece, sizeof number);
        assert_true(number > last); /* whole pieces, in order, with gaps */
        assert_int_equal(piece[SIZE - 1], number % 100);
        last = number;
        seen++;
    }
    assert_true(seen < COUNT / 2);
    close(fd);
    free(piece);
    http_exchange_unref(&exchange);
}

static void a_viewer_that_goes_is_told(void **state)
{
    (void)state;
    int fd = raw_connect(fixture.port), i = 0;
    struct http_exchange *exchange = open_ticks(fd, "GET");
    read_until(fd, "\r\n\r\n");
    close(fd);
    while (tick(exchange, "x", 1) && i++ < 1000)
        pause_ms(5);
    assert_true(i < 1000);
    http_exchange_unref(&exchange);
}

static void stopping_ends_both(void **state)
{
    (void)state;
    int sending = raw_connect(fixture.port), watching = raw_connect(fixture.port);
    begin(sending, "/sum", "Content-Length: 1000\r\n");
    wait_for(&fixture.reading, 1);
    struct http_exchange *exchange = open_ticks(watching, "GET");
    http_server_stop(&fixture.server);
    assert_int_equal(fixture.reading, 0);
    assert_false(tick(exchange, "x", 1));
    http_exchange_unref(&exchange);
    close(sending);
    close(watching);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_any_size_come_whole),
        cmocka_unit_test(chunks_come_whole),
        cmocka_unit_test(a_slow_handler_holds_up_its_client_only),
        cmocka_unit_test(a_refusal_is_seen_while_the_body_comes),
        cmocka_unit_test(a_client_that_goes_is_told_to_the_handler),
        cmocka_unit_test(too_many_at_a_time_are_refused),
        cmocka_unit_test(a_stream_goes_on_until_it_is_ended),
        cmocka_unit_test(who_reads_slowly_gets_the_latest),
        cmocka_unit_test(a_viewer_that_goes_is_told),
        cmocka_unit_test(stopping_ends_both),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
