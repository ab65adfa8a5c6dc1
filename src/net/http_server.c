/* The HTTP server's start, loop and end. libwebsockets gives the loop and the WebSocket (4.1 to
 * 4.3); HTTP/1.1 itself is in http_connection.c. */
#include "net/http_server.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "net/http_guard.h"
#include "net/http_internal.h"
#include "net/http_tls.h"
#include "net/media_socket.h"

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
    GOODBYE_US = 300 * 1000, /* for what clients are still to be told at the end */
};

void http_server_wake(struct http_server *server)
{
    lws_cancel_service(server->context);
}

static void accept_all(struct http_server *server)
{
    for (;;) {
        struct sockaddr_storage name = {0}, own = {0};
        socklen_t size = sizeof name, own_size = sizeof own;
        struct address peer = {0}, local = {0};
        int fd = accept4(server->listen_fd, (struct sockaddr *)&name, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        address_from_sockaddr(&peer, &name);
        if (getsockname(fd, (struct sockaddr *)&own, &own_size) == 0)
            address_from_sockaddr(&local, &own);
        http_connection_open(server, fd, &peer, &local, false);
    }
}

/* -- clients over TLS -- */

/* On the relay's thread. */
static bool on_arrived(void *context, int fd, const struct address *peer,
                       const struct address *local)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->arrivals_lock);
    bool fits = server->arrival_count < HTTP_MAX_ARRIVALS && !server->arrivals_closed;
    if (fits) {
        server->arrivals[server->arrival_count++] =
            (struct http_arrival){.fd = fd, .peer = *peer, .local = *local};
        http_server_wake(server);
    }
    pthread_mutex_unlock(&server->arrivals_lock);
    return fits;
}

static bool is_ours(void *context, const char *host)
{
    const struct http_server *server = context;
    return http_host_allowed(host, server->bind_address, server->allowed_hosts);
}

static void take_arrivals(struct http_server *server)
{
    struct http_arrival arrivals[HTTP_MAX_ARRIVALS];
    pthread_mutex_lock(&server->arrivals_lock);
    int count = server->arrival_count;
    memcpy(arrivals, server->arrivals, (size_t)count * sizeof arrivals[0]);
    server->arrival_count = 0;
    pthread_mutex_unlock(&server->arrivals_lock);
    for (int i = 0; i < count; i++)
        http_connection_open(server, arrivals[i].fd, &arrivals[i].peer, &arrivals[i].local, true);
}

/* The relay takes the listening socket; the library then has none. */
static int start_tls(struct http_server *server, struct reason *why)
{
    const struct http_tls_settings settings = {
        .listen_fd = server->listen_fd,
        .certificate = server->settings.tls_certificate,
        .key = server->settings.tls_key,
        /* So many more that they can be told; and no handshakes without end. */
        .max_connections = server->settings.max_connections + HTTP_MAX_ARRIVALS,
        .max_per_address = server->settings.max_per_address + HTTP_MAX_REFUSED,
        .is_ours = is_ours,
        .arrived = on_arrived,
        .context = server,
    };
    int rc = http_tls_start(&server->tls, &settings, why);
    if (rc == OW_OK)
        server->listener_adopted = true;
    return rc;
}

int http_server_reload_tls(struct http_server *server, struct reason *why)
{
    if (!server->tls)
        return reason_set(why, OW_ESTATE, "no TLS certificate is in use");
    return http_tls_reload(server->tls, why);
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
        take_arrivals(server);
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
            return NULL;
    int64_t end_us = clock_now_us() + GOODBYE_US;
    while ((http_ws_owe(server) || http_connections_owe(server)) && clock_now_us() < end_us)
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
        .fd_limit_per_thread = (unsigned)server->settings.max_connections + HTTP_MAX_REFUSED + 32,
        .server_string = "overwatch",
    };
    server->context = lws_create_context(&info);
    if (server->context)
        server->vhost = lws_create_vhost(server->context, &info);
    if (!server->vhost)
        return reason_set(why, OW_EIO, "The HTTP server cannot be started.");
    if (server->settings.tls_certificate)
        return OW_OK; /* start_tls() */
    lws_sock_file_fd_type fd = {.filefd = server->listen_fd};
    if (!lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, fd, "listen", NULL))
        return reason_set(why, OW_EIO, "The HTTP server cannot be started.");
    server->listener_adopted = true;
    return OW_OK;
}

static void free_server(struct http_server *server)
{
    pthread_mutex_lock(&server->arrivals_lock);
    server->arrivals_closed = true;
    pthread_mutex_unlock(&server->arrivals_lock);
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
    http_streams_finish(&server->streams);
    http_tls_stop(&server->tls); /* with the last bytes of those just closed */
    if (server->listen_fd >= 0 && !server->listener_adopted)
        close(server->listen_fd);
    for (int i = 0; i < server->arrival_count; i++)
        close(server->arrivals[i].fd);
    pthread_mutex_destroy(&server->arrivals_lock);
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
    if (server->settings.max_connections <= 0)
        server->settings.max_connections = HTTP_MAX_CONNECTIONS;
    if (server->settings.max_per_address <= 0)
        server->settings.max_per_address = HTTP_MAX_PER_ADDRESS;
    server->listen_fd = -1;
    pthread_mutex_init(&server->arrivals_lock, NULL);
    http_streams_init(&server->streams);
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
        *out = server; /* requests come from here on, and their handlers may look for it */
        server->thread_started = pthread_create(&server->thread, NULL, service_thread, server) == 0;
        if (!server->thread_started)
            rc = reason_set(why, OW_EIO, "The HTTP thread cannot be started.");
    }
    if (rc == OW_OK && settings->tls_certificate)
        rc = start_tls(server, why);
    if (rc != OW_OK) {
        *out = NULL;
        free_server(server);
    }
    return rc;
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
