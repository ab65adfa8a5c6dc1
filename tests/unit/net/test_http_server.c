#include "net/http_files.h"
#include "net/http_server.h"
#include "raw_client.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    struct http_server *server;
    uint16_t port;
    char folder[64];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_exchange *kept;
    struct http_socket *socket;
    int sockets_open;
} fixture = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void handle_echo(void *context, struct http_exchange *exchange)
{
    (void)context;
    const struct http_request *request = http_exchange_request(exchange);
    const char *q = http_query(request, "q");
    char text[512];
    int size = snprintf(text, sizeof text, "%s|%s|%zu|%s", http_param(request, "name"), q ? q : "-",
                        request->body_size, request->content_type);
    http_reply(exchange, 200, "text/plain", text, (size_t)size, "X-Extra: yes\r\n");
}

static void handle_big(void *context, struct http_exchange *exchange)
{
    (void)context;
    char *data = malloc(3000000);
    memset(data, 'b', 3000000);
    http_reply(exchange, 200, "text/plain", data, 3000000, NULL);
    free(data);
}

static void handle_file(void *context, struct http_exchange *exchange)
{
    (void)context;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture.folder,
             http_param(http_exchange_request(exchange), "name"));
    if (http_files_reply_path(exchange, path, false) != OW_OK)
        http_reply_error(exchange, 404, "There is no such file.");
}

/* Answered later, by the test's own thread. */
static void handle_later(void *context, struct http_exchange *exchange)
{
    (void)context;
    pthread_mutex_lock(&fixture.lock);
    fixture.kept = http_exchange_ref(exchange);
    pthread_cond_broadcast(&fixture.changed);
    pthread_mutex_unlock(&fixture.lock);
}

static void handle_fallback(void *context, struct http_exchange *exchange)
{
    (void)context;
    if (http_files_reply(exchange, fixture.folder, http_exchange_request(exchange)->path + 1) != 0)
        http_reply_error(exchange, 404, "Nothing \"here\".");
}

static void on_opened(void *context, struct http_socket *socket)
{
    (void)context;
    pthread_mutex_lock(&fixture.lock);
    fixture.socket = socket;
    fixture.sockets_open++;
    pthread_cond_broadcast(&fixture.changed);
    pthread_mutex_unlock(&fixture.lock);
}

static void on_message(void *context, struct http_socket *socket, const char *text, size_t size)
{
    (void)context;
    struct http_message *message = http_message_create(false, "echo:", 5, text, size);
    http_socket_send(socket, message);
    http_message_unref(&message);
}

static void on_closed(void *context, struct http_socket *socket)
{
    (void)context;
    (void)socket;
    pthread_mutex_lock(&fixture.lock);
    fixture.socket = NULL;
    fixture.sockets_open--;
    pthread_cond_broadcast(&fixture.changed);
    pthread_mutex_unlock(&fixture.lock);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/echo/{name}", handle_echo, HTTP_QUICK},
    {HTTP_POST, "/echo/{name}", handle_echo, HTTP_MAY_BLOCK},
    {HTTP_GET, "/big", handle_big, HTTP_QUICK},
    {HTTP_GET, "/later", handle_later, HTTP_QUICK},
    {HTTP_GET, "/file/{name}", handle_file, HTTP_MAY_BLOCK},
    {0, NULL, NULL, 0},
};

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture.folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int start(void **state)
{
    (void)state;
    snprintf(fixture.folder, sizeof fixture.folder, "/tmp/ow-http-XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    write_file("page.html", "<p>hello</p>");
    write_file("app.js", "plain");
    write_file("app.js.gz", "packed");
    write_file(".secret", "no");
    struct http_server_settings settings = {
        .bind_address = "127.0.0.1",
        .allowed_hosts = "dash.lan",
        .routes = routes,
        .fallback = handle_fallback,
        .socket_path = "/ws",
        .socket = {.opened = on_opened, .message = on_message, .closed = on_closed},
    };
    struct reason why = {""};
    assert_int_equal(http_server_start(&fixture.server, &settings, &why), OW_OK);
    fixture.port = http_server_port(fixture.server);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(&fixture.server);
    assert_null(fixture.server);
    assert_int_equal(fixture.sockets_open, 0);
    static const char *const names[] = {"page.html", "app.js", "app.js.gz", ".secret", "link"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", fixture.folder, names[i]);
        unlink(path);
    }
    rmdir(fixture.folder);
    return 0;
}

static void expect(const char *method, const char *path, const char *body, const char *headers,
                   int status, const char *text)
{
    struct raw_answer answer;
    raw_request(fixture.port, method, path, body, headers, &answer);
    assert_int_equal(answer.status, status);
    if (text)
        assert_string_equal(answer.body, text);
    raw_free(&answer);
}

static void routes_methods_and_parameters(void **state)
{
    (void)state;
    expect("GET", "/echo/x%20y?q=a%26b", NULL, NULL, 200, "x y|a&b|0|");
    expect("POST", "/echo/x", "12345", "Content-Type: application/json\r\n", 200,
           "x|-|5|application/json");
    expect("POST", "/echo/x", "", NULL, 200, "x|-|0|");
    expect("POST", "/echo/x", NULL, NULL, 200, "x|-|0|");
    expect("HEAD", "/echo/x", NULL, NULL, 200, "");
    expect("OPTIONS", "/echo/x", NULL, NULL, 204, NULL);
    expect("GET", "/nothing", NULL, NULL, 404, "{\"detail\": \"Nothing \\\"here\\\".\"}");
    expect("POST", "/nothing", "{}", NULL, 404, NULL);
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

enum { LARGE = 5000000 };

static char byte_at(size_t at)
{
    return (char)('a' + at % 23);
}

static void write_large(const char *name)
{
    char *text = malloc(LARGE + 1);
    for (size_t i = 0; i < LARGE; i++)
        text[i] = byte_at(i);
    text[LARGE] = '\0';
    write_file(name, text);
    free(text);
}

static void expect_part(const char *headers, int status, size_t first, size_t size)
{
    struct raw_answer answer;
    raw_request(fixture.port, "GET", "/file/large.mp4", NULL, headers, &answer);
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.body_size, size);
    for (size_t i = 0; i < size; i++)
        if (answer.body[i] != byte_at(first + i))
            fail_msg("byte %zu is another one", i);
    raw_free(&answer);
}

static void files_come_in_parts(void **state)
{
    (void)state;
    struct raw_answer answer;
    write_large("large.mp4");
    expect_part(NULL, 200, 0, LARGE);
    expect_part("Range: bytes=100-199\r\n", 206, 100, 100);
    expect_part("Range: bytes=1000000-\r\n", 206, 1000000, LARGE - 1000000);
    expect_part("Range: bytes=-7\r\n", 206, LARGE - 7, 7);
    expect_part("Range: bytes=0-1,4-5\r\n", 200, 0, LARGE);
    raw_request(fixture.port, "GET", "/file/large.mp4", NULL, "Range: bytes=0-0\r\n", &answer);
    assert_non_null(strstr(answer.headers, "Content-Range: bytes 0-0/5000000\r\n"));
    assert_non_null(strstr(answer.headers, "Content-Type: video/mp4\r\n"));
    char tag[80] = "", headers[160];
    assert_int_equal(sscanf(strstr(answer.headers, "ETag: "), "ETag: %79s", tag), 1);
    raw_free(&answer);
    snprintf(headers, sizeof headers, "Range: bytes=2-3\r\nIf-Range: %s\r\n", tag);
    expect_part(headers, 206, 2, 2);
    expect_part("Range: bytes=2-3\r\nIf-Range: \"other\"\r\n", 200, 0, LARGE);
    raw_request(fixture.port, "GET", "/file/large.mp4", NULL, "Range: bytes=5000000-\r\n", &answer);
    assert_int_equal(answer.status, 416);
    assert_non_null(strstr(answer.headers, "Content-Range: bytes */5000000\r\n"));
    raw_free(&answer);
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\n", tag);
    raw_request(fixture.port, "HEAD", "/file/large.mp4", NULL, NULL, &answer);
    assert_non_null(strstr(answer.headers, "Content-Length: 5000000\r\n"));
    raw_free(&answer);
    raw_request(fixture.port, "GET", "/file/none.mp4", NULL, NULL, &answer);
    assert_int_equal(answer.status, 404);
    raw_free(&answer);
}

/* One who reads a large file keeps nobody waiting, and may stop at any time. */
static void a_file_is_read_as_it_is_taken(void **state)
{
    (void)state;
    struct raw_answer answer;
    char piece[1000];
    write_large("large.mp4");
    int slow = raw_connect(fixture.port);
    raw_send_text(slow, "GET /file/large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read(slow, piece, sizeof piece) > 0);
    for (int i = 0; i < 3; i++)
        expect_part("Range: bytes=9-\r\n", 206, 9, LARGE - 9);
    close(slow);
    raw_request(fixture.port, "GET", "/echo/k", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    raw_free(&answer);
    char path[256]; /* what is cut off below the client ends its connection, and nothing else */
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /file/large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read(fd, piece, sizeof piece) > 0);
    snprintf(path, sizeof path, "%s/large.mp4", fixture.folder);
    assert_int_equal(truncate(path, 10), 0);
    ssize_t got;
    size_t all = 0;
    while ((got = read(fd, piece, sizeof piece)) > 0)
        all += (size_t)got;
    assert_int_equal(got, 0);
    assert_true(all < LARGE);
    close(fd);
}

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
        expect("GET", "/echo/x", NULL, header, 200, "x|-|0|");
    }
    char many[3800] = "", text[8192];
    for (int i = 0; i < 60; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "X-%d: %d\r\n", i, i);
    expect("GET", "/echo/x", NULL, many, 200, "x|-|0|");
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
    expect("GET", "/echo/x", NULL,
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
    expect("POST", "/echo/x", body, NULL, 413, NULL);
    body[HTTP_MAX_BODY_BYTES] = '\0';
    expect("POST", "/echo/x", body, NULL, 200, "x|-|1048576|");
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

static void files_are_typed_cached_and_kept_inside(void **state)
{
    (void)state;
    struct raw_answer answer;
    raw_request(fixture.port, "GET", "/page.html", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "<p>hello</p>");
    assert_non_null(strcasestr(answer.headers, "text/html"));
    assert_non_null(strcasestr(answer.headers, "nosniff"));
    char tag[128] = "", header[160];
    const char *found = strcasestr(answer.headers, "etag: ");
    assert_non_null(found);
    assert_int_equal(sscanf(found + 6, "%100s", tag), 1);
    raw_free(&answer);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag);
    expect("GET", "/page.html", NULL, header, 304, "");
    expect("GET", "/app.js", NULL, NULL, 200, "plain");
    raw_request(fixture.port, "GET", "/app.js", NULL, "Accept-Encoding: br, gzip\r\n", &answer);
    assert_string_equal(answer.body, "packed");
    assert_non_null(strcasestr(answer.headers, "content-encoding: gzip"));
    raw_free(&answer);
    char link_path[128];
    snprintf(link_path, sizeof link_path, "%s/link", fixture.folder);
    assert_int_equal(symlink("/etc/passwd", link_path), 0);
    static const char *const outside[] = {
        "/../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/.secret",
        "/link",
        "//etc/passwd",
        "/..\\etc\\passwd",
        "/page.html/",
        "/page.html%00.js",
    };
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        raw_request(fixture.port, "GET", outside[i], NULL, NULL, &answer);
        assert_int_not_equal(answer.status, 200);
        assert_null(strstr(answer.body, "root:"));
        raw_free(&answer);
    }
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
        expect("GET", "/echo/x", NULL, NULL, 200, "x|-|0|");
    }
    char path[6000] = "/echo/";
    memset(path + 6, 'p', 1000);
    expect("GET", path, NULL, NULL, 414, NULL);
}

static struct http_exchange *wait_for_exchange(void)
{
    pthread_mutex_lock(&fixture.lock);
    while (!fixture.kept)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    struct http_exchange *exchange = fixture.kept;
    fixture.kept = NULL;
    pthread_mutex_unlock(&fixture.lock);
    return exchange;
}

static void answers_may_come_later_or_never_be_wanted(void **state)
{
    (void)state;
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct http_exchange *exchange = wait_for_exchange();
    http_reply(exchange, 200, "text/plain", "late", 4, NULL);
    http_reply(exchange, 500, "text/plain", "second", 6, NULL);
    http_exchange_unref(&exchange);
    struct raw_answer answer;
    raw_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "late");
    raw_free(&answer);
    raw_send_text(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    exchange = wait_for_exchange();
    close(fd);
    expect("GET", "/echo/x", NULL, NULL, 200, "x|-|0|");
    http_reply(exchange, 200, "text/plain", "nobody", 6, NULL);
    http_exchange_unref(&exchange);
    expect("GET", "/echo/x", NULL, NULL, 200, "x|-|0|");
}

static struct http_socket *wait_for_socket(bool open)
{
    pthread_mutex_lock(&fixture.lock);
    while ((fixture.socket != NULL) != open)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    struct http_socket *socket = fixture.socket;
    pthread_mutex_unlock(&fixture.lock);
    return socket;
}

static void websocket_messages_go_both_ways(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(fd >= 0);
    struct http_socket *socket = wait_for_socket(true);
    char *payload;
    size_t size;
    raw_ws_send(fd, "hello");
    assert_int_equal(raw_ws_read(fd, &payload, &size), 1);
    assert_string_equal(payload, "echo:hello");
    free(payload);
    size_t big = 500000;
    char *data = calloc(1, big);
    struct http_message *message = http_message_create(true, "head", 4, data, big);
    assert_int_equal(http_message_size(message), big + 4);
    assert_true(http_socket_send_latest(socket, 3, message));
    http_message_unref(&message);
    free(data);
    assert_int_equal(raw_ws_read(fd, &payload, &size), 2);
    assert_int_equal(size, big + 4);
    assert_memory_equal(payload, "head", 4);
    free(payload);
    char *long_text = calloc(1, HTTP_MAX_MESSAGE_BYTES + 2);
    memset(long_text, 'l', HTTP_MAX_MESSAGE_BYTES + 1);
    raw_ws_send(fd, long_text);
    free(long_text);
    int opcode = raw_ws_read(fd, &payload, &size);
    assert_true(opcode == 8 || opcode == -1);
    if (opcode == 8)
        free(payload);
    close(fd);
    wait_for_socket(false);
}

/* A client that does not read gets the latest frame when it reads again, not a backlog. */
static void a_slow_client_gets_the_latest_frame(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(fd >= 0);
    struct http_socket *socket = wait_for_socket(true);
    enum { FRAMES = 400, FRAME_BYTES = 200000 };
    char *data = calloc(1, FRAME_BYTES);
    int replaced = 0;
    for (int i = 0; i < FRAMES; i++) {
        char number[16];
        snprintf(number, sizeof number, "%08d", i);
        struct http_message *message = http_message_create(true, number, 8, data, FRAME_BYTES);
        replaced += !http_socket_send_latest(socket, 0, message);
        http_message_unref(&message);
    }
    free(data);
    assert_true(replaced > 0);
    int last = -1, received = 0;
    while (last < FRAMES - 1) {
        char *payload;
        size_t size;
        assert_int_equal(raw_ws_read(fd, &payload, &size), 2);
        payload[8] = '\0';
        int number = atoi(payload);
        assert_true(number > last);
        last = number;
        received++;
        free(payload);
    }
    assert_int_equal(received, FRAMES - replaced);
    close(fd);
    wait_for_socket(false);
}

static void a_client_that_never_reads_is_disconnected(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(fd >= 0);
    struct http_socket *socket = wait_for_socket(true);
    char *data = calloc(1, 1000000);
    struct http_message *message = http_message_create(false, data, 1000000, NULL, 0);
    free(data);
    /* Under the lock the socket cannot go: its closed callback waits for it. */
    pthread_mutex_lock(&fixture.lock);
    for (int i = 0; i < 3 * HTTP_SOCKET_CONTROLS; i++)
        http_socket_send(socket, message);
    pthread_mutex_unlock(&fixture.lock);
    http_message_unref(&message);
    char *payload;
    size_t size;
    int opcode;
    while ((opcode = raw_ws_read(fd, &payload, &size)) == 1)
        free(payload);
    assert_true(opcode == 8 || opcode == -1);
    if (opcode == 8)
        free(payload);
    close(fd);
    wait_for_socket(false);
}

static void a_port_already_taken_is_named(void **state)
{
    (void)state;
    struct http_server *second = NULL;
    struct http_server_settings settings = {
        .bind_address = "127.0.0.1", .port = fixture.port, .routes = routes};
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
    wait_for_socket(true);
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct http_exchange *exchange = wait_for_exchange();
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
        cmocka_unit_test(files_come_in_parts),
        cmocka_unit_test(a_file_is_read_as_it_is_taken),
        cmocka_unit_test(a_connection_serves_many_requests),
        cmocka_unit_test(unknown_headers_are_ignored),
        cmocka_unit_test(other_upgrades_are_ignored),
        cmocka_unit_test(chunked_bodies_are_taken),
        cmocka_unit_test(requests_may_come_in_one_piece),
        cmocka_unit_test(large_bodies_are_refused),
        cmocka_unit_test(strangers_hosts_and_origins_are_refused),
        cmocka_unit_test(files_are_typed_cached_and_kept_inside),
        cmocka_unit_test(malformed_requests_harm_nobody),
        cmocka_unit_test(answers_may_come_later_or_never_be_wanted),
        cmocka_unit_test(websocket_messages_go_both_ways),
        cmocka_unit_test(a_slow_client_gets_the_latest_frame),
        cmocka_unit_test(a_client_that_never_reads_is_disconnected),
        cmocka_unit_test(a_port_already_taken_is_named),
        cmocka_unit_test(stopping_ends_what_is_open),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
