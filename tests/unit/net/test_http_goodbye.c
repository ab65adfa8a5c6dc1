/* What clients are told just before the server stops still reaches them: messages over WebSockets,
 * and the answers of requests that were under way or waited for their turn. */
#include "net/http_internal.h"
#include "raw_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENTS = 30, ROUNDS = 10, WAITING = 20 };

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

/* -- requests -- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int busy;
    bool released;
} work = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void handle_work(void *context, struct http_exchange *exchange)
{
    (void)context;
    pthread_mutex_lock(&work.lock);
    work.busy++;
    pthread_cond_broadcast(&work.changed);
    while (!work.released)
        pthread_cond_wait(&work.changed, &work.lock);
    pthread_mutex_unlock(&work.lock);
    http_reply(exchange, 200, "text/plain", "done", 4, NULL);
}

static void handle_quick(void *context, struct http_exchange *exchange)
{
    (void)context;
    http_reply(exchange, 200, "text/plain", "", 0, NULL);
}

/* While the server is being stopped, which waits for those at work. */
static void *release(void *argument)
{
    (void)argument;
    struct timespec meanwhile = {.tv_nsec = 20 * 1000 * 1000};
    nanosleep(&meanwhile, NULL);
    pthread_mutex_lock(&work.lock);
    work.released = true;
    pthread_cond_broadcast(&work.changed);
    pthread_mutex_unlock(&work.lock);
    return NULL;
}

static void ask(int client)
{
    raw_send_text(client, "GET /work HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
}

static void every_request_has_its_answer_before_the_end(void **state)
{
    (void)state;
    static const struct http_route routes[] = {
        {HTTP_GET, "/work", handle_work, HTTP_MAY_BLOCK},
        {HTTP_GET, "/quick", handle_quick, HTTP_QUICK},
        {0, NULL, NULL, 0},
    };
    const struct http_server_settings settings = {.bind_address = "127.0.0.1", .routes = routes};
    for (int round = 0; round < ROUNDS; round++) {
        struct http_server *server = NULL;
        struct reason why = {""};
        int clients[HTTP_WORKERS + WAITING];
        struct raw_answer answer;
        pthread_t thread;
        work.busy = 0;
        work.released = false;
        assert_int_equal(http_server_start(&server, &settings, &why), OW_OK);
        for (int i = 0; i < HTTP_WORKERS + WAITING; i++)
            clients[i] = raw_connect(http_server_port(server));
        for (int i = 0; i < HTTP_WORKERS; i++)
            ask(clients[i]);
        pthread_mutex_lock(&work.lock);
        while (work.busy < HTTP_WORKERS)
            pthread_cond_wait(&work.changed, &work.lock);
        pthread_mutex_unlock(&work.lock);
        for (int i = HTTP_WORKERS; i < HTTP_WORKERS + WAITING; i++)
            ask(clients[i]);
        raw_request(http_server_port(server), "GET", "/quick", NULL, NULL, &answer);
        assert_int_equal(answer.status, 200); /* so those before it have been read */
        raw_free(&answer);
        assert_int_equal(pthread_create(&thread, NULL, release, NULL), 0);
        http_server_stop(&server);
        pthread_join(thread, NULL);
        assert_int_equal(work.busy, HTTP_WORKERS);
        for (int i = 0; i < HTTP_WORKERS + WAITING; i++) {
            raw_read(clients[i], &answer, false);
            assert_int_equal(answer.status, i < HTTP_WORKERS ? 200 : 503);
            raw_free(&answer);
            close(clients[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_told_before_the_end),
        cmocka_unit_test(every_request_has_its_answer_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
