#include "http_fixture.h"

#include "net/http_files.h"
#include "raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct http_fixture fixture = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};

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

const struct http_route fixture_routes[] = {
    {HTTP_GET, "/echo/{name}", handle_echo, HTTP_QUICK},
    {HTTP_POST, "/echo/{name}", handle_echo, HTTP_MAY_BLOCK},
    {HTTP_GET, "/big", handle_big, HTTP_QUICK},
    {HTTP_GET, "/later", handle_later, HTTP_QUICK},
    {HTTP_GET, "/file/{name}", handle_file, HTTP_MAY_BLOCK},
    {0, NULL, NULL, 0},
};

void fixture_write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture.folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

int fixture_start(void **state)
{
    (void)state;
    snprintf(fixture.folder, sizeof fixture.folder, "/tmp/ow-http-XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    fixture_write_file("page.html", "<p>hello</p>");
    fixture_write_file("app.js", "plain");
    fixture_write_file("app.js.gz", "packed");
    fixture_write_file(".secret", "no");
    struct http_server_settings settings = {
        .bind_address = "127.0.0.1",
        .allowed_hosts = "dash.lan",
        .routes = fixture_routes,
        .fallback = handle_fallback,
        .socket_path = "/ws",
        .socket = {.opened = on_opened, .message = on_message, .closed = on_closed},
    };
    struct reason why = {""};
    assert_int_equal(http_server_start(&fixture.server, &settings, &why), OW_OK);
    fixture.port = http_server_port(fixture.server);
    return 0;
}

int fixture_stop(void **state)
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

void fixture_expect(const char *method, const char *path, const char *body, const char *headers,
                    int status, const char *text)
{
    struct raw_answer answer;
    raw_request(fixture.port, method, path, body, headers, &answer);
    assert_int_equal(answer.status, status);
    if (text)
        assert_string_equal(answer.body, text);
    raw_free(&answer);
}

struct http_exchange *fixture_exchange(void)
{
    pthread_mutex_lock(&fixture.lock);
    while (!fixture.kept)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    struct http_exchange *exchange = fixture.kept;
    fixture.kept = NULL;
    pthread_mutex_unlock(&fixture.lock);
    return exchange;
}

struct http_socket *fixture_socket(bool open)
{
    pthread_mutex_lock(&fixture.lock);
    while ((fixture.socket != NULL) != open)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    struct http_socket *socket = fixture.socket;
    pthread_mutex_unlock(&fixture.lock);
    return socket;
}
