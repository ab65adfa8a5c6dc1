/* A small HTTP/1.1 and WebSocket server: one service thread, a few worker threads for handlers that
 * may take long. All of libwebsockets is behind this header.
 *
 * Safe by default: a request whose Host is not ours (DNS rebinding) or whose Origin is another page
 * is refused with 403. With `auth` every request but the open ones needs a session or a token: 401,
 * or 303 to /login for pages. */
#ifndef OW_NET_HTTP_SERVER_H
#define OW_NET_HTTP_SERVER_H

#include "core/address.h"
#include "core/error.h"

struct http_auth;
struct http_server;
struct http_exchange; /* one request and its answer; reference counted */
struct http_socket;   /* one WebSocket client */
struct http_message;  /* one outgoing WebSocket message; reference counted, shared by clients */

enum {
    HTTP_MAX_BODY_BYTES = 1024 * 1024,
    HTTP_MAX_MESSAGE_BYTES = 64 * 1024, /* of a WebSocket client */
    HTTP_MAX_PARAMS = 4,
    HTTP_MAX_QUERY = 8,
    HTTP_MAX_CONNECTIONS = 512, /* the default of max_connections */
    HTTP_MAX_PER_ADDRESS = 64,  /* of max_per_address */
    HTTP_MAX_STREAMS = 8,       /* bodies that are taken in piece by piece, at a time */
    HTTP_SOCKET_SLOTS = 128,
    HTTP_SOCKET_CONTROLS = 64,
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

struct http_pair {
    char name[32], value[280]; /* a file name and what stands around it */
};

struct http_request {
    enum http_method method; /* HEAD is given as GET, its body is not sent */
    bool head;
    char path[512]; /* decoded */
    int param_count, query_count;
    struct http_pair params[HTTP_MAX_PARAMS]; /* of the route's {name} parts */
    struct http_pair query[HTTP_MAX_QUERY];
    char host[256], origin[256], content_type[128], authorization[512];
    char if_match[160], if_none_match[64]; /* "" = absent */
    char range[64], if_range[64];          /* the same; what does not fit counts as absent */
    char cookie[2048];                     /* one that does not fit counts as absent */
    bool accepts_gzip;
    bool secure;        /* came over TLS */
    bool authenticated; /* has logged in, bears a token, or the server is open to all */
    uint64_t session;   /* the session's number, 0 = none */
    char *body; /* body_size bytes and a NUL behind them; never NULL; empty with HTTP_STREAMS */
    size_t body_size;
    uint64_t content_length; /* as the client says; 0 = none, or it does not say */
    struct address peer, local;
};

const char *http_param(const struct http_request *request, const char *name); /* NULL = none */
const char *http_query(const struct http_request *request, const char *name); /* NULL = none */

enum {
    HTTP_QUICK = 0,
    HTTP_MAY_BLOCK = 1,
    HTTP_OPEN = 2,    /* without a log-in, too */
    HTTP_STREAMS = 4, /* begins before the body is there and takes it in by http_read_body() */
};

/* One row of the route table; `pattern` like "/view/{node_id}": a {name} takes one path segment. */
struct http_route {
    enum http_method method;
    const char *pattern;
    /* Answers with http_reply(), at once or, keeping a reference, later and from any thread. Runs
     * on the service thread, on a worker with HTTP_MAY_BLOCK, or on a thread of its own with
     * HTTP_STREAMS. */
    void (*handle)(void *context, struct http_exchange *exchange);
    int flags;
};

struct http_socket_callbacks { /* on the service thread */
    void (*opened)(void *context, struct http_socket *socket);
    void (*message)(void *context, struct http_socket *socket, const char *text, size_t size);
    void (*closed)(void *context, struct http_socket *socket); /* not to be used after this */
};

struct http_server_settings {
    const char *bind_address; /* an IP address, or NULL/"" = all */
    uint16_t port;            /* 0 = chosen by the system */
    /* Connections in all, and from one address that is not loopback (where proxies and tunnels come
     * from); 0 = the defaults. Who comes then is answered 503 and 429. */
    int max_connections, max_per_address;
    const char *allowed_hosts; /* comma separated, besides localhost and the bind address; NULL */
    const struct http_route *routes; /* ends with a NULL pattern; lent for the server's life */
    /* What no route takes (GET only): static files and the 404 page. */
    void (*fallback)(void *context, struct http_exchange *exchange);
    const char *tls_certificate, *tls_key; /* PEM files: HTTPS is spoken; NULL = plain HTTP */
    const char *socket_path;               /* of the WebSocket; NULL = none */
    struct http_auth *auth;                /* lent; NULL = everybody may do everything */
    const char *const
        *open_paths; /* beginnings of paths that GET needs no log-in for; ends with NULL */
    struct http_socket_callbacks socket;
    void (*tick)(void *context); /* every 250 ms on the service thread; NULL = none */
    void *context;
};

/* OW_EEXISTS when the port is taken, with a sentence that names it. *out is written before the
 * first request is handled; NULL after a failure. */
int http_server_start(struct http_server **out, const struct http_server_settings *settings,
                      struct reason *why);
struct http_server_stats {
    int connections; /* open, WebSockets included */
    uint64_t refused;
};
/* On the service thread. */
void http_server_read_stats(const struct http_server *server, struct http_server_stats *out);
uint16_t http_server_port(const struct http_server *server);
/* Reads the TLS files again, for connections to come; on failure the old ones stay in use.
 * OW_ESTATE when there are none. */
int http_server_reload_tls(struct http_server *server, struct reason *why);
/* Ends all connections and threads; within 1 s unless a handler blocks. */
void http_server_stop(struct http_server **server);

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
struct http_exchange *http_exchange_ref(struct http_exchange *exchange);
void http_exchange_unref(struct http_exchange **exchange);

/* Answers; the first answer counts. Copies `body`. `headers` are further lines, each ended by
 * "\r\n", NULL = none. Any thread. */
void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *body, size_t size, const char *headers);
/* Answers with `size` bytes of a file from `first` on. They are read while the client takes them,
 * so there may be any number. Takes the descriptor. */
void http_reply_file(struct http_exchange *exchange, int status, const char *content_type, int fd,
                     uint64_t first, uint64_t size, const char *headers);
/* {"detail": "…"} */
void http_reply_error(struct http_exchange *exchange, int status, const char *detail);

/* With HTTP_STREAMS: the next piece of the body; blocks until there is one. *size 0 = the end.
 * OW_ECLOSED: the client has gone or stopped sending, the server ends. Of any size: the limit is
 * the handler's, who may answer before the end; the rest is then not read. */
int http_read_body(struct http_exchange *exchange, void *out, size_t room, size_t *size);

/* An answer without an end: begun here with `body` (copied), then fed with messages, each written
 * as it is. One that still waits is replaced by the next. Any thread. */
void http_reply_stream(struct http_exchange *exchange, const char *content_type, const void *body,
                       size_t size, const char *headers);
/* Takes its own reference. False: the client has gone. */
bool http_stream_latest(struct http_exchange *exchange, struct http_message *message);
/* Does the last message wait still? The next one would take its place. */
bool http_stream_waits(struct http_exchange *exchange);
void http_stream_end(struct http_exchange *exchange);
/* Is the client still there? */
bool http_exchange_is_open(struct http_exchange *exchange);

/* A message of two parts behind each other (`tail` may be NULL); one reference. NULL = no memory.
 */
struct http_message *http_message_create(bool binary, const void *head, size_t head_size,
                                         const void *tail, size_t tail_size);
size_t http_message_size(const struct http_message *message);
void http_message_unref(struct http_message **message);

/* Sends in order, at once. A client with HTTP_SOCKET_CONTROLS messages waiting is disconnected.
 * Takes its own reference. Any thread, between opened and closed. */
void http_socket_send(struct http_socket *socket, struct http_message *message);
/* Sends in order if the client is not far behind: false = half of HTTP_SOCKET_CONTROLS wait already
 * and the message is left out. */
bool http_socket_offer(struct http_socket *socket, struct http_message *message);
/* Sends the latest of a slot (0..HTTP_SOCKET_SLOTS-1): one still waiting is replaced. Returns false
 * when it replaced one. */
bool http_socket_send_latest(struct http_socket *socket, int slot, struct http_message *message);
void http_socket_set_user(struct http_socket *socket, void *user);
void *http_socket_user(const struct http_socket *socket);

#endif
