/* The service thread: everything that speaks libwebsockets (4.1 to 4.3). */
#include "net/http_server.h"

#include "core/log.h"
#include "core/thread.h"
#include "net/http_guard.h"
#include "net/http_internal.h"
#include "net/media_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(HTTP_HEADROOM >= LWS_PRE, "headroom for the library's framing");

enum {
    TICK_US = 250 * 1000,
    REQUEST_TIMEOUT_S = 15,
    KEEPALIVE_S = 30,
    ANSWER_TIMEOUT_S = 120, /* a model may take long to open */
    HEADER_BYTES = 4096,
    WRITE_BYTES = 64 * 1024,
    SOCKET_BUFFER_BYTES = 64 * 1024,
    SOCKET_WRITE_BYTES = 4 * 1024 * 1024, /* a frame is one write, never cut */
    DISCARD_BODY_BYTES = 8 * 1024 * 1024, /* read and thrown away so that 413 is seen */
    UNSENT_BYTES = 16 * 1024,             /* more than this waits here, replaceable */
    VANISHED_MS = 20 * 1000,
};

struct connection {
    struct connection *next, *previous;
    struct lws *wsi;
    struct http_exchange *exchange;
    struct http_socket *socket;
    struct lws_context *context;
    size_t body_expected;
    size_t written;
    bool headers_sent, too_large, close_after;
    char *message; /* WebSocket message so far */
    size_t message_size;
};

struct http_server {
    struct http_server_settings settings;
    char *bind_address, *allowed_hosts;
    uint16_t port;
    int listen_fd;         /* accepted from on the service thread */
    bool listener_adopted; /* the library closes it */
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[3];
    lws_sorted_usec_list_t timer;
    struct http_workers *workers;
    pthread_t thread;
    bool thread_started;
    atomic_bool quit;
    struct connection connections; /* list head; service thread only */
    int connection_count;
};

/* -- small helpers -- */

static struct http_server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

void http_server_wake(struct http_server *server)
{
    lws_cancel_service(server->context);
}

static void copy_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size)
{
    if (lws_hdr_copy(wsi, out, size, token) <= 0)
        out[0] = '\0';
}

static void read_addresses(struct lws *wsi, struct http_request *request)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    int fd = lws_get_socket_fd(wsi);
    if (getpeername(fd, (struct sockaddr *)&name, &size) == 0)
        address_from_sockaddr(&request->peer, &name);
    size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) == 0)
        address_from_sockaddr(&request->local, &name);
}

static void read_query(struct lws *wsi, struct http_request *request)
{
    char text[sizeof request->query[0].name + sizeof request->query[0].value];
    for (int i = 0; request->query_count < HTTP_MAX_QUERY; i++) {
        int size = lws_hdr_copy_fragment(wsi, text, sizeof text, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (size < 0)
            return;
        struct http_pair *pair = &request->query[request->query_count];
        char *value = strchr(text, '=');
        if (value)
            *value++ = '\0';
        if (strlen(text) >= sizeof pair->name || (value && strlen(value) >= sizeof pair->value))
            continue;
        snprintf(pair->name, sizeof pair->name, "%.31s", text);
        snprintf(pair->value, sizeof pair->value, "%.159s", value ? value : "");
        request->query_count++;
    }
}

static bool read_method(struct lws *wsi, struct http_request *request)
{
    static const struct {
        int theirs;
        enum http_method ours;
    } methods[] = {
        {LWSHUMETH_GET, HTTP_GET},         {LWSHUMETH_HEAD, HTTP_GET},
        {LWSHUMETH_POST, HTTP_POST},       {LWSHUMETH_PUT, HTTP_PUT},
        {LWSHUMETH_PATCH, HTTP_PATCH},     {LWSHUMETH_DELETE, HTTP_DELETE},
        {LWSHUMETH_OPTIONS, HTTP_OPTIONS},
    };
    char *uri;
    int uri_size;
    int method = lws_http_get_uri_and_method(wsi, &uri, &uri_size);
    request->head = method == LWSHUMETH_HEAD;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (methods[i].theirs == method) {
            request->method = methods[i].ours;
            return true;
        }
    return false;
}

static void read_headers(struct lws *wsi, struct http_request *request)
{
    char encodings[256];
    copy_header(wsi, WSI_TOKEN_HOST, request->host, sizeof request->host);
    copy_header(wsi, WSI_TOKEN_ORIGIN, request->origin, sizeof request->origin);
    copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, request->content_type,
                sizeof request->content_type);
    copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, request->authorization,
                sizeof request->authorization);
    copy_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, request->if_none_match,
                sizeof request->if_none_match);
    copy_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, encodings, sizeof encodings);
    request->accepts_gzip = strstr(encodings, "gzip") != NULL;
    /* An Origin that does not fit must not pass as an absent one. */
    if (!request->origin[0] && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0)
        snprintf(request->origin, sizeof request->origin, "null");
    read_addresses(wsi, request);
    read_query(wsi, request);
}

/* -- routing -- */

static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/* The methods that a path knows, as an Allow header; NULL when no route takes it. */
static char *allow_header(const struct http_server *server, const char *path, char *out,
                          size_t room)
{
    struct http_request scratch;
    size_t at = 0;
    for (const struct http_route *i = server->settings.routes; i->pattern; i++)
        if (http_route_match(i->pattern, path, &scratch))
            at += (size_t)snprintf(out + at, room - at, "%s%s",
                                   at ? ", " : "Allow: ", method_names[i->method]);
    if (at == 0)
        return NULL;
    snprintf(out + at, room - at, "\r\n");
    return out;
}

static void run_route(struct http_server *server, struct http_exchange *exchange,
                      const struct http_route *route)
{
    exchange->route = route;
    exchange->context = server->settings.context;
    if (!(route->flags & HTTP_MAY_BLOCK))
        route->handle(exchange->context, exchange);
    else if (http_workers_add(server->workers, exchange) != OW_OK)
        http_reply_error(exchange, 503, "Too many requests are waiting: try again in a moment.");
}

static void dispatch(struct http_server *server, struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    struct reason why;
    if (http_guard_check(request->host, request->origin, server->bind_address,
                         server->allowed_hosts, &why) != OW_OK) {
        http_reply_error(exchange, 403, why.text);
        return;
    }
    for (const struct http_route *i = server->settings.routes; i->pattern; i++)
        if (i->method == request->method && http_route_match(i->pattern, request->path, request)) {
            run_route(server, exchange, i);
            return;
        }
    char allow[128];
    const char *known = allow_header(server, request->path, allow, sizeof allow);
    if (request->method == HTTP_OPTIONS) {
        http_reply(exchange, 204, "text/plain", NULL, 0,
                   known ? known : "Allow: GET, HEAD, OPTIONS\r\n");
    } else if (known) {
        static const char body[] = "{\"detail\": \"This path does not know that method.\"}";
        http_reply(exchange, 405, "application/json", body, sizeof body - 1, known);
    } else if (request->method == HTTP_GET && server->settings.fallback) {
        server->settings.fallback(server->settings.context, exchange);
    } else {
        http_reply_error(exchange, 404, "There is nothing at this path.");
    }
}

/* -- requests -- */

static void drop_exchange(struct connection *connection)
{
    if (!connection->exchange)
        return;
    http_exchange_detach(connection->exchange);
    http_exchange_unref(&connection->exchange);
}

static void request_complete(struct connection *connection)
{
    struct http_server *server = connection->exchange->server;
    lws_set_timeout(connection->wsi, PENDING_TIMEOUT_HTTP_CONTENT, ANSWER_TIMEOUT_S);
    if (connection->too_large)
        http_reply_error(connection->exchange, 413, "The body is larger than 1 MB.");
    else
        dispatch(server, connection->exchange);
}

/* How many bytes follow; false when that cannot be told or is beyond reason. */
static bool read_content_length(struct lws *wsi, struct connection *connection)
{
    char text[24] = "";
    connection->body_expected = 0;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return false;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return true;
    copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof text);
    char *end;
    errno = 0;
    unsigned long long size = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return false;
    connection->body_expected = (size_t)size;
    connection->too_large = size > HTTP_MAX_BODY_BYTES;
    return true;
}

static int on_request(struct http_server *server, struct connection *connection, const char *uri,
                      size_t uri_size)
{
    struct lws *wsi = connection->wsi;
    drop_exchange(connection);
    connection->headers_sent = connection->too_large = connection->close_after = false;
    connection->written = 0;
    if (http_exchange_create(&connection->exchange, server) != OW_OK)
        return -1;
    struct http_request *request = &connection->exchange->request;
    bool known_method = read_method(wsi, request);
    read_headers(wsi, request);
    bool length_known = read_content_length(wsi, connection);
    /* The library waits for a body after a POST without a length; there is none. */
    connection->close_after = connection->body_expected == 0 && request->method != HTTP_GET;
    if (!known_method || !length_known || connection->body_expected > DISCARD_BODY_BYTES) {
        connection->close_after = true;
        connection->body_expected = 0;
        if (!known_method)
            http_reply_error(connection->exchange, 501, "This method is not known here.");
        else if (!length_known)
            http_reply_error(connection->exchange, 411, "Send the body with a Content-Length.");
        else
            http_reply_error(connection->exchange, 413, "The body is larger than 1 MB.");
        return 0;
    }
    if (uri_size >= sizeof request->path || memchr(uri, '\0', uri_size)) {
        connection->close_after = true;
        http_reply_error(connection->exchange, 414, "The path is too long.");
        return 0;
    }
    memcpy(request->path, uri, uri_size);
    request->path[uri_size] = '\0';
    if (connection->body_expected == 0)
        request_complete(connection);
    return 0;
}

static int on_body(struct connection *connection, const void *data, size_t size)
{
    if (!connection->exchange || atomic_load(&connection->exchange->replied))
        return 0;
    struct http_request *request = &connection->exchange->request;
    if (connection->too_large)
        return 0;
    if (request->body_size + size > HTTP_MAX_BODY_BYTES) {
        connection->too_large = true;
        return 0;
    }
    char *grown = realloc(request->body, request->body_size + size + 1);
    if (!grown)
        return -1;
    memcpy(grown + request->body_size, data, size);
    request->body = grown;
    request->body_size += size;
    request->body[request->body_size] = '\0';
    return 0;
}

/* -- answers -- */

struct header_writer {
    struct lws *wsi;
    unsigned char *at, *end;
    bool failed;
};

static void add_header(struct header_writer *writer, const char *name, const char *value)
{
    writer->failed |= lws_add_http_header_by_name(writer->wsi, (const unsigned char *)name,
                                                  (const unsigned char *)value, (int)strlen(value),
                                                  &writer->at, writer->end) != 0;
}

/* "Name: value\r\n" lines. */
static void add_header_lines(struct header_writer *writer, const char *lines)
{
    while (lines && *lines) {
        char name[64], value[320];
        const char *colon = strchr(lines, ':');
        const char *end = strstr(lines, "\r\n");
        if (!colon || !end || colon > end)
            return;
        snprintf(name, sizeof name, "%.*s:", (int)(colon - lines), lines);
        snprintf(value, sizeof value, "%.*s", (int)(end - colon - 2), colon + 2);
        add_header(writer, name, value);
        lines = end + 2;
    }
}

/* A page of another origin that the operator has allowed may read our answers. */
static void add_cross_origin(struct header_writer *writer, const struct http_request *request)
{
    const char *authority = strstr(request->origin, "://");
    if (!authority || strcasecmp(authority + 3, request->host) == 0)
        return;
    add_header(writer, "access-control-allow-origin:", request->origin);
    add_header(writer, "access-control-allow-headers:", "content-type");
    add_header(writer, "access-control-allow-methods:", "GET, POST, PUT, PATCH, DELETE");
    add_header(writer, "vary:", "Origin");
}

static int send_headers(struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    unsigned char buffer[LWS_PRE + HEADER_BYTES];
    unsigned char *start = buffer + LWS_PRE;
    struct header_writer writer = {connection->wsi, start, buffer + sizeof buffer, false};
    writer.failed = lws_add_http_header_status(writer.wsi, (unsigned)exchange->status, &writer.at,
                                               writer.end) != 0;
    if (exchange->status != 204 && exchange->status != 304) {
        char length[24];
        snprintf(length, sizeof length, "%zu", exchange->body_size);
        add_header(&writer, "content-type:", exchange->type);
        add_header(&writer, "content-length:", length);
    }
    add_header(&writer, "x-content-type-options:", "nosniff");
    add_header(&writer, "referrer-policy:", "no-referrer");
    if (connection->close_after)
        add_header(&writer, "connection:", "close");
    if (exchange->status != 403)
        add_cross_origin(&writer, &exchange->request);
    add_header_lines(&writer, exchange->headers);
    if (writer.failed ||
        lws_finalize_write_http_header(writer.wsi, start, &writer.at, writer.end) != 0)
        return -1;
    connection->headers_sent = true;
    return 0;
}

static int finish_answer(struct connection *connection)
{
    bool close_after = connection->close_after;
    drop_exchange(connection);
    if (lws_http_transaction_completed(connection->wsi))
        return -1;
    return close_after ? -1 : 0;
}

static int on_http_writable(struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (!exchange || !atomic_load(&exchange->replied))
        return 0;
    bool has_body = exchange->body_size > 0 && !exchange->request.head;
    if (!connection->headers_sent) {
        if (send_headers(connection) != 0)
            return -1;
        if (!has_body)
            return finish_answer(connection);
        lws_callback_on_writable(connection->wsi);
        return 0;
    }
    size_t left = exchange->body_size - connection->written;
    size_t size = left < WRITE_BYTES ? left : WRITE_BYTES;
    unsigned char *from = exchange->body + HTTP_HEADROOM + connection->written;
    if (lws_write(connection->wsi, from, size,
                  size == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    connection->written += size;
    if (size == left)
        return finish_answer(connection);
    lws_callback_on_writable(connection->wsi);
    return 0;
}

/* -- WebSocket -- */

/* There is no exchange yet in the middle of an upgrade: written at once. */
static void write_refusal(struct lws *wsi, unsigned status, const char *detail)
{
    unsigned char buffer[LWS_PRE + 2048];
    unsigned char *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof buffer;
    char body[512];
    int size = snprintf(body, sizeof body, "{\"detail\": \"%s\"}", detail);
    if (lws_add_http_common_headers(wsi, status, "application/json", (lws_filepos_t)size, &at,
                                    end) ||
        lws_finalize_write_http_header(wsi, start, &at, end))
        return;
    memcpy(start, body, (size_t)size);
    (void)!lws_write(wsi, start, (size_t)size, LWS_WRITE_HTTP_FINAL);
}

/* `true` when the upgrade was refused and answered. */
static bool refuse_upgrade(struct http_server *server, struct lws *wsi, const char *kind)
{
    struct http_request request = {0};
    char *uri = NULL;
    int uri_size = 0;
    struct reason why = {""};
    unsigned status = 0;
    read_headers(wsi, &request);
    if (lws_http_get_uri_and_method(wsi, &uri, &uri_size) != LWSHUMETH_GET)
        uri_size = 0;
    const char *path = server->settings.socket_path;
    if (strcmp(kind, "websocket") != 0) {
        status = 400;
        reason_set(&why, OW_EUNSUPPORTED, "Only WebSocket upgrades are served here.");
    } else if (http_guard_check(request.host, request.origin, server->bind_address,
                                server->allowed_hosts, &why) != OW_OK) {
        status = 403;
    } else if (!path || uri_size != (int)strlen(path) || memcmp(uri, path, strlen(path)) != 0) {
        status = 404;
        reason_set(&why, OW_ENOTFOUND, "There is no WebSocket at this path.");
    }
    if (status != 0)
        write_refusal(wsi, status, why.text);
    return status != 0;
}

static void tune_socket(int fd)
{
    int on = 1, unsent = UNSENT_BYTES;
    unsigned vanished = VANISHED_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished, sizeof vanished);
}

static int on_socket_opened(struct http_server *server, struct connection *connection)
{
    tune_socket(lws_get_socket_fd(connection->wsi));
    drop_exchange(connection);
    if (http_socket_create(&connection->socket, server) != OW_OK)
        return -1;
    server->settings.socket.opened(server->settings.context, connection->socket);
    return 0;
}

static void on_socket_closed(struct http_server *server, struct connection *connection)
{
    if (!connection->socket)
        return;
    server->settings.socket.closed(server->settings.context, connection->socket);
    http_socket_destroy(&connection->socket);
}

static int on_socket_receive(struct http_server *server, struct connection *connection,
                             const void *data, size_t size)
{
    if (!connection->socket)
        return -1;
    if (connection->message_size + size > HTTP_MAX_MESSAGE_BYTES) {
        lws_close_reason(connection->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    char *grown = realloc(connection->message, connection->message_size + size + 1);
    if (!grown)
        return -1;
    connection->message = grown;
    if (size > 0)
        memcpy(grown + connection->message_size, data, size);
    connection->message_size += size;
    grown[connection->message_size] = '\0';
    if (!lws_is_final_fragment(connection->wsi) || lws_remaining_packet_payload(connection->wsi))
        return 0;
    if (!lws_frame_is_binary(connection->wsi))
        server->settings.socket.message(server->settings.context, connection->socket, grown,
                                        connection->message_size);
    connection->message_size = 0;
    return 0;
}

static int on_socket_writable(struct connection *connection)
{
    if (!connection->socket)
        return -1;
    bool overflow, more;
    struct http_message *message = http_socket_take(connection->socket, &overflow, &more);
    int rc = 0;
    if (overflow) {
        lws_close_reason(connection->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, NULL, 0);
        rc = -1;
    } else if (message) {
        enum lws_write_protocol kind = message->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        if (lws_write(connection->wsi, message->data + HTTP_HEADROOM, message->size, kind) < 0)
            rc = -1;
    }
    http_message_unref(&message);
    if (rc == 0 && more)
        lws_callback_on_writable(connection->wsi);
    return rc;
}

/* -- connections -- */

static void free_connection(struct http_server *server, struct connection *connection)
{
    on_socket_closed(server, connection);
    drop_exchange(connection);
    connection->next->previous = connection->previous;
    connection->previous->next = connection->next;
    server->connection_count--;
    free(connection->message);
    free(connection);
}

static void adopt(struct http_server *server, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        close(fd);
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->wsi = lws_adopt_socket_vhost(server->vhost, fd);
    if (!connection->wsi) {
        free(connection);
        return;
    }
    connection->next = server->connections.next;
    connection->previous = &server->connections;
    connection->next->previous = connection;
    server->connections.next = connection;
    server->connection_count++;
    lws_set_opaque_user_data(connection->wsi, connection);
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
            adopt(server, fd);
    }
}

static void look_for_answers(struct http_server *server)
{
    for (struct connection *i = server->connections.next; i != &server->connections; i = i->next)
        if ((i->exchange && atomic_load(&i->exchange->replied)) ||
            (i->socket && atomic_exchange(&i->socket->waiting, false)))
            lws_callback_on_writable(i->wsi);
}

static int listen_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t size)
{
    (void)user;
    (void)in;
    (void)size;
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        accept_all(server_of(wsi));
    return 0;
}

static int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t size)
{
    (void)user;
    struct http_server *server = server_of(wsi);
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        look_for_answers(server);
        return 0;
    }
    struct connection *connection = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!connection)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        return on_request(server, connection, in, size);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(connection, in, size);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        if (connection->exchange && connection->body_expected > 0)
            request_complete(connection);
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return on_http_writable(connection);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return refuse_upgrade(server, wsi, in) ? 1 : 0;
    case LWS_CALLBACK_ESTABLISHED:
        return on_socket_opened(server, connection);
    case LWS_CALLBACK_RECEIVE:
        return on_socket_receive(server, connection, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_socket_writable(connection);
    case LWS_CALLBACK_CLOSED:
        on_socket_closed(server, connection);
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        drop_exchange(connection);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        free_connection(server, connection);
        return 0;
    default:
        return 0;
    }
}

/* -- start and stop -- */

static void on_tick(lws_sorted_usec_list_t *timer)
{
    struct http_server *server = lws_container_of(timer, struct http_server, timer);
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
    server->protocols[0] = (struct lws_protocols){.name = "http",
                                                  .callback = http_callback,
                                                  .rx_buffer_size = SOCKET_BUFFER_BYTES,
                                                  .tx_packet_size = SOCKET_WRITE_BYTES};
    server->protocols[1] = (struct lws_protocols){.name = "listen", .callback = listen_callback};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = server->protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .user = server,
        .timeout_secs = REQUEST_TIMEOUT_S,
        .keepalive_timeout = KEEPALIVE_S,
        .pt_serv_buf_size = SOCKET_BUFFER_BYTES,
        .max_http_header_data = 8192,
        .max_http_header_pool = HTTP_MAX_CONNECTIONS,
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
    http_workers_stop(&server->workers);
    if (server->thread_started) {
        atomic_store(&server->quit, true);
        lws_cancel_service(server->context);
        pthread_join(server->thread, NULL);
    }
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
    server->connections.next = server->connections.previous = &server->connections;
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
