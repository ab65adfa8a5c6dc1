/* What was sent to WebSocket clients just before the server stops still reaches them. */
#include "net/http_server.h"
#include "raw_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENTS = 30, ROUNDS = 10 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_socket *sockets[CLIENTS];
    int count;
} opened = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void on_opened(void *context, struct http_socket *socket)
{
    (void)context;
    pthread_mutex_lock(&opened.lock);
    opened.sockets[opened.count++] = socket;
    pthread_cond_broadcast(&opened.changed);
    pthread_mutex_unlock(&opened.lock);
}

static void on_message(void *context, struct http_socket *socket, const char *text, size_t size)
{
    (void)context;
    (void)socket;
    (void)text;
    (void)size;
}

static void on_closed(void *context, struct http_socket *socket)
{
    (void)context;
    (void)socket;
}

static void say_goodbye(void)
{
    struct http_message *message = http_message_create(false, "goodbye", 7, NULL, 0);
    assert_non_null(message);
    pthread_mutex_lock(&opened.lock);
    while (opened.count < CLIENTS)
        pthread_cond_wait(&opened.changed, &opened.lock);
    for (int i = 0; i < CLIENTS; i++)
        http_socket_send(opened.sockets[i], message);
    opened.count = 0;
    pthread_mutex_unlock(&opened.lock);
    http_message_unref(&message);
}

static void everybody_is_told_before_the_end(void **state)
{
    (void)state;
    static const struct http_route routes[] = {{0, NULL, NULL, 0}};
    const struct http_server_settings settings = {
        .bind_address = "127.0.0.1",
        .routes = routes,
        .socket_path = "/ws",
        .socket = {.opened = on_opened, .message = on_message, .closed = on_closed},
    };
    for (int round = 0; round < ROUNDS; round++) {
        struct http_server *server = NULL;
        struct reason why = {""};
        int clients[CLIENTS], status = 0, told = 0;
        assert_int_equal(http_server_start(&server, &settings, &why), OW_OK);
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = raw_websocket(http_server_port(server), "/ws", NULL, &status);
            assert_int_equal(status, 101);
        }
        say_goodbye();
        http_server_stop(&server);
        for (int i = 0; i < CLIENTS; i++) {
            char *text = NULL;
            size_t size = 0;
            told += raw_ws_read(clients[i], &text, &size) == 1 && strcmp(text, "goodbye") == 0;
            free(text);
            close(clients[i]);
        }
        assert_int_equal(told, CLIENTS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_told_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
