/* The HTTP server's start, loop and end. libwebsockets gives the loop and the WebSocket (4.1 to
 * 4.3); HTTP/1.1 itself is in http_connection.c. */
#include "net/http_server.h"

#include "core/log.h"
#include "core/thread.h"
#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TICK_US = 250 * 1000,
    REQUEST_TIMEOUT_S = 15,
    SOCKET_BUFFER_BYTES = 64 * 1024,
    SOCKET_WRITE_BYTES = 4 * 1024 * 1024, /* a frame is one write, never cut */
    HANDSHAKES_AT_ONCE = 32,
};

void http_server_wake(struct http_server *server)
{
    lws_cancel_service(server->context);
}

static void accept_all(struct http_server *server)
{
    for (;;) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (server->connection_count >= HTTP_MAX_CONNECTIONS)
            close(fd);
        else
            http_connection_open(server, fd);
    }
}

static int listen_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t size)
{
    (void)user;
    (void)in;
    (void)size;
    struct http_server *server = lws_context_user(lws_get_context(wsi));
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        accept_all(server);
    } else if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        http_connections_look_for_answers(server);
        http_ws_look_for_messages(server);
    }
    return 0;
}

static void on_tick(lws_sorted_usec_list_t *timer)
{
    struct http_server *server = lws_container_of(timer, struct http_server, timer);
    http_connections_expire(server);
    http_ws_expire(server);
    if (server->settings.tick)
        server->settings.tick(server->settings.context);
    lws_sul_schedule(server->context, 0, timer, on_tick, TICK_US);
}

static void *service_thread(void *argument)
{
    struct http_server *server = argument;
    thread_introduce("http", THREAD_SERVICE);
    while (!atomic_load(&server->quit))
        if (lws_service(server->context, 0) < 0)
            break;
    return NULL;
}

static void library_log(int level, const char *line)
{
    (void)level; /* strangers' bad requests are not the operator's errors */
    log_debug("http: %.*s", (int)strcspn(line, "\n"), line);
}

static int open_context(struct http_server *server, struct reason *why)
{
    lws_set_log_level(LLL_ERR | LLL_WARN, library_log);
    server->protocols[0] = (struct lws_protocols){.name = "websocket",
                                                  .callback = http_ws_callback,
                                                  .rx_buffer_size = SOCKET_BUFFER_BYTES,
                                                  .tx_packet_size = SOCKET_WRITE_BYTES};
    server->protocols[1] = (struct lws_protocols){.name = "listen", .callback = listen_callback};
    server->protocols[2] =
        (struct lws_protocols){.name = "http", .callback = http_connection_callback};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = server->protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .user = server,
        .timeout_secs = REQUEST_TIMEOUT_S,
        .pt_serv_buf_size = SOCKET_BUFFER_BYTES,
        .max_http_header_pool = HANDSHAKES_AT_ONCE,
        .fd_limit_per_thread = HTTP_MAX_CONNECTIONS + 32,
        .server_string = "overwatch",
    };
    server->context = lws_create_context(&info);
    if (server->context)
        server->vhost = lws_create_vhost(server->context, &info);
    lws_sock_file_fd_type fd = {.filefd = server->listen_fd};
    if (!server->vhost ||
        !lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, fd, "listen", NULL))
        return reason_set(why, OW_EIO, "The HTTP server cannot be started.");
    server->listener_adopted = true;
    return OW_OK;
}

static void free_server(struct http_server *server)
{
    if (server->workers)
        http_workers_stop(server->workers); /* their answers still leave by the thread */
    if (server->thread_started) {
        atomic_store(&server->quit, true);
        lws_cancel_service(server->context);
        pthread_join(server->thread, NULL);
    }
    http_workers_destroy(&server->workers);
    if (server->context)
        lws_context_destroy(server->context);
    if (server->listen_fd >= 0 && !server->listener_adopted)
        close(server->listen_fd);
    free(server->bind_address);
    free(server->allowed_hosts);
    free(server);
}

int http_server_start(struct http_server **out, const struct http_server_settings *settings,
                      struct reason *why)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    server->settings = *settings;
    server->listen_fd = -1;
    server->bind_address = strdup(settings->bind_address ? settings->bind_address : "");
    server->allowed_hosts = strdup(settings->allowed_hosts ? settings->allowed_hosts : "");
    int rc = OW_OK;
    if (!server->bind_address || !server->allowed_hosts ||
        http_workers_start(&server->workers) != OW_OK)
        rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    if (rc == OW_OK)
        rc = http_listen(&server->listen_fd, &server->port, server->bind_address,
                         server->settings.port, why);
    if (rc == OW_OK)
        rc = open_context(server, why);
    if (rc == OW_OK) {
        lws_sul_schedule(server->context, 0, &server->timer, on_tick, TICK_US);
        server->thread_started = pthread_create(&server->thread, NULL, service_thread, server) == 0;
        if (!server->thread_started)
            rc = reason_set(why, OW_EIO, "The HTTP thread cannot be started.");
    }
    if (rc != OW_OK) {
        free_server(server);
        return rc;
    }
    *out = server;
    return OW_OK;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stop(struct http_server **server)
{
    if (!*server)
        return;
    free_server(*server);
    *server = NULL;
}
