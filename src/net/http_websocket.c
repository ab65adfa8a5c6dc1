/* WebSocket clients: libwebsockets does the handshake, the frames, and pings. */
#include "core/clock.h"
#include "net/http_auth.h"
#include "net/http_internal.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(HTTP_HEADROOM >= LWS_PRE, "headroom for the library's framing");

enum {
    UNSENT_BYTES = 16 * 1024, /* more than this waits here, replaceable */
    VANISHED_MS = 20 * 1000,
};

struct http_ws {
    struct http_ws *next;
    struct lws *wsi;
    struct http_socket *socket;
    struct address peer;
    uint64_t session; /* that it was opened in, 0 = none */
    char *message;    /* so far */
    size_t message_size;
};

static struct http_server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static void tune(int fd)
{
    int on = 1, unsent = UNSENT_BYTES;
    unsigned vanished = VANISHED_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished, sizeof vanished);
}

static void on_closed(struct http_server *server, struct http_ws *ws)
{
    if (!ws->socket)
        return;
    server->settings.socket.closed(server->settings.context, ws->socket);
    http_socket_destroy(&ws->socket);
}

static void free_ws(struct http_server *server, struct http_ws *ws)
{
    on_closed(server, ws);
    struct http_ws **link = &server->sockets;
    while (*link && *link != ws)
        link = &(*link)->next;
    if (*link)
        *link = ws->next;
    server->connection_count--;
    free(ws->message);
    free(ws);
}

int http_ws_open(struct http_server *server, int fd, const struct http_head *head,
                 const struct http_request *request, const char *behind, size_t behind_size)
{
    struct http_ws *ws = calloc(1, sizeof *ws);
    char *text = malloc(256 + behind_size);
    if (!ws || !text) {
        free(ws);
        free(text);
        close(fd);
        return OW_ENOMEM;
    }
    tune(fd);
    /* Only what was checked: no field of the client's reaches the library's own parser. */
    size_t size = (size_t)snprintf(text, 256,
                                   "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                                   "Sec-WebSocket-Version: 13\r\n\r\n",
                                   head->websocket_key);
    memcpy(text + size, behind, behind_size);
    ws->session = request->session;
    ws->peer = request->peer;
    ws->next = server->sockets;
    server->sockets = ws;
    server->connection_count++;
    server->arriving = ws;
    struct lws *wsi = lws_adopt_socket_vhost_readbuf(server->vhost, fd, text, size + behind_size);
    free(text);
    bool taken = server->arriving == NULL; /* its first callback came, and perhaps its last */
    server->arriving = NULL;
    if (!taken && !wsi)
        free_ws(server, ws);
    else if (!taken) {
        ws->wsi = wsi;
        lws_set_opaque_user_data(wsi, ws);
    }
    return wsi ? OW_OK : OW_EIO;
}

static int on_opened(struct http_server *server, struct http_ws *ws)
{
    if (http_socket_create(&ws->socket, server) != OW_OK)
        return -1;
    server->settings.socket.opened(server->settings.context, ws->socket);
    return 0;
}

static int on_receive(struct http_server *server, struct http_ws *ws, const void *data, size_t size)
{
    if (!ws->socket)
        return -1;
    if (ws->message_size + size > HTTP_MAX_MESSAGE_BYTES) {
        lws_close_reason(ws->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    char *grown = realloc(ws->message, ws->message_size + size + 1);
    if (!grown)
        return -1;
    ws->message = grown;
    if (size > 0)
        memcpy(grown + ws->message_size, data, size);
    ws->message_size += size;
    grown[ws->message_size] = '\0';
    if (!lws_is_final_fragment(ws->wsi) || lws_remaining_packet_payload(ws->wsi))
        return 0;
    if (!lws_frame_is_binary(ws->wsi))
        server->settings.socket.message(server->settings.context, ws->socket, grown,
                                        ws->message_size);
    ws->message_size = 0;
    return 0;
}

static int on_writable(struct http_ws *ws)
{
    if (!ws->socket)
        return -1;
    bool overflow, more;
    struct http_message *message = http_socket_take(ws->socket, &overflow, &more);
    int rc = 0;
    if (overflow) {
        lws_close_reason(ws->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, NULL, 0);
        rc = -1;
    } else if (message) {
        enum lws_write_protocol kind = message->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        if (lws_write(ws->wsi, message->data + HTTP_HEADROOM, message->size, kind) < 0)
            rc = -1;
    }
    http_message_unref(&message);
    if (rc == 0 && more)
        lws_callback_on_writable(ws->wsi);
    return rc;
}

int http_ws_count(const struct http_server *server, const struct address *peer)
{
    int count = 0;
    for (const struct http_ws *i = server->sockets; i; i = i->next)
        count += address_same_ip(&i->peer, peer);
    return count;
}

void http_ws_look_for_messages(struct http_server *server)
{
    for (struct http_ws *i = server->sockets; i; i = i->next)
        if (i->socket && atomic_exchange(&i->socket->waiting, false))
            lws_callback_on_writable(i->wsi);
}

bool http_ws_owe(const struct http_server *server)
{
    for (const struct http_ws *i = server->sockets; i; i = i->next)
        if (i->socket && http_socket_owes(i->socket))
            return true;
    return false;
}

void http_ws_expire(struct http_server *server)
{
    int64_t now_us = clock_now_us();
    for (struct http_ws *i = server->sockets; i; i = i->next)
        if (i->session != 0 && i->wsi &&
            !http_auth_session_lives(server->settings.auth, i->session, now_us)) {
            i->session = 0;
            lws_set_timeout(i->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        }
}

/* While a client is handed over, the library calls back before it has told its handle. */
static struct http_ws *ws_of(struct http_server *server, struct lws *wsi,
                             enum lws_callback_reasons reason)
{
    struct http_ws *ws = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (ws || !server->arriving || reason != LWS_CALLBACK_ESTABLISHED)
        return ws;
    ws = server->arriving;
    server->arriving = NULL;
    ws->wsi = wsi;
    lws_set_opaque_user_data(wsi, ws);
    return ws;
}

int http_ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t size)
{
    (void)user;
    struct http_server *server = server_of(wsi);
    struct http_ws *ws = ws_of(server, wsi, reason);
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP: /* no request comes this way: only handshakes are handed over */
        return -1;
    case LWS_CALLBACK_ESTABLISHED:
        return ws ? on_opened(server, ws) : -1;
    case LWS_CALLBACK_RECEIVE:
        return ws ? on_receive(server, ws, in, size) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws ? on_writable(ws) : -1;
    case LWS_CALLBACK_CLOSED:
        if (ws)
            on_closed(server, ws);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (ws) {
            lws_set_opaque_user_data(wsi, NULL);
            free_ws(server, ws);
        }
        return 0;
    default:
        return 0;
    }
}
