/* The WebSocket, with clients that read slowly or never. */
#include "http_fixture.h"
#include "raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void websocket_messages_go_both_ways(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(fd >= 0);
    struct http_socket *socket = fixture_socket(true);
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
    fixture_socket(false);
}

/* A client that does not read gets the latest frame when it reads again, not a backlog. */
static void a_slow_client_gets_the_latest_frame(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(fd >= 0);
    struct http_socket *socket = fixture_socket(true);
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
    fixture_socket(false);
}

static void a_client_that_never_reads_is_disconnected(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture.port, "/ws", NULL, &status);
    assert_true(fd >= 0);
    struct http_socket *socket = fixture_socket(true);
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
    fixture_socket(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(websocket_messages_go_both_ways),
        cmocka_unit_test(a_slow_client_gets_the_latest_frame),
        cmocka_unit_test(a_client_that_never_reads_is_disconnected),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
