/* What a WebSocket client says, line by line, to a real hub: each line is answered with JSON that
 * has a type, and no number of them takes more room than the outbox has. */
#include "fuzz.h"

#include "api/ws_hub.h"
#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>

static struct ws_hub *hub;
static struct http_server *server; /* wakes for messages; nobody connects to it */

static void open_once(void)
{
    static const struct http_route routes[] = {{0, NULL, NULL, 0}};
    const struct http_server_settings settings = {.bind_address = "127.0.0.1", .routes = routes};
    struct reason why;
    if (hub)
        return;
    if (ws_hub_create(&hub) != OW_OK || http_server_start(&server, &settings, &why) != OW_OK)
        abort();
}

/* Takes all that waits for the client; how many there were. */
static int drain(struct http_socket *socket)
{
    bool overflow = false, more = true;
    int count = 0;
    while (more) {
        struct http_message *message = http_socket_take(socket, &overflow, &more);
        if (!message)
            break;
        json_t *json =
            json_loadb((const char *)message->data + HTTP_HEADROOM, message->size, 0, NULL);
        if (message->binary || !json_is_string(json_object_get(json, "type")) || overflow)
            abort();
        json_decref(json);
        http_message_unref(&message);
        count++;
    }
    return count;
}

static void say(struct http_socket *socket, const uint8_t *line, size_t size)
{
    char *text = malloc(size + 1); /* as the server gives it: a NUL behind it */
    if (!text)
        abort();
    memcpy(text, line, size);
    text[size] = '\0';
    ws_hub_message(hub, socket, text, size);
    free(text);
    if (drain(socket) != 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_socket *socket = NULL;
    open_once();
    if (http_socket_create(&socket, server) != OW_OK)
        abort();
    ws_hub_opened(hub, socket);
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t line = end ? (size_t)(end - data) : size;
        say(socket, data, line);
        line += end != NULL;
        data += line;
        size -= line;
    }
    struct ws_hub_stats stats;
    ws_hub_read_stats(hub, &stats);
    if (stats.clients != 1)
        abort();
    ws_hub_closed(hub, socket);
    http_socket_destroy(&socket);
    return 0;
}
