/* What the files of the HTTP server share. */
#ifndef OW_NET_HTTP_INTERNAL_H
#define OW_NET_HTTP_INTERNAL_H

#include "net/http_body.h"
#include "net/http_chunks.h"
#include "net/http_head.h"
#include "net/http_server.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    HTTP_HEADROOM = 32, /* in front of what is written, for the library's framing */
    HTTP_WORKERS = 3,
    HTTP_MAX_JOBS = 64,
    HTTP_MAX_ARRIVALS = 64,
    HTTP_MAX_REFUSED = 32, /* beyond the limit, kept until they are told so */
};

struct http_exchange {
    atomic_int refs;
    struct http_request request;
    const struct http_route *route; /* set for workers */
    void *context;

    pthread_mutex_t lock;       /* guards `server` and the answer until `replied` */
    struct http_server *server; /* NULL once the connection is gone */
    atomic_bool replied;
    int status;
    char type[96];
    char *headers; /* "Name: value\r\n…", may be NULL */
    uint8_t *body; /* HTTP_HEADROOM bytes, then body_size */
    size_t body_size;
    int file; /* the body instead: file_size bytes from file_first on; -1 = none */
    uint64_t file_first, file_size;
    bool streams;                /* no end is known: http_reply_stream() */
    struct http_message *latest; /* of a stream, not begun to be written */
    atomic_bool stream_changed;  /* `latest` or `stream_over` */
    bool stream_over;

    struct http_body *incoming; /* of a route with HTTP_STREAMS, else NULL */
};

int http_exchange_create(struct http_exchange **out, struct http_server *server);
/* The connection is gone: a later answer is dropped. */
void http_exchange_detach(struct http_exchange *exchange);

struct http_message {
    atomic_int refs;
    bool binary;
    size_t size;
    uint8_t data[]; /* HTTP_HEADROOM bytes, then size */
};
struct http_message *http_message_ref(struct http_message *message);

struct http_socket {
    struct http_server *server;
    void *user;
    atomic_bool waiting; /* something to write */

    pthread_mutex_t lock; /* guards all below */
    bool overflow;
    int control_first, control_count, slot_next;
    struct http_message *controls[HTTP_SOCKET_CONTROLS];
    struct http_message *slots[HTTP_SOCKET_SLOTS];
};

int http_socket_create(struct http_socket **out, struct http_server *server);
void http_socket_destroy(struct http_socket **socket);
/* Does a message wait that must not be left out? */
bool http_socket_owes(struct http_socket *socket);
/* The next message to write, the caller's reference; NULL = none. *overflow: hang up. */
struct http_message *http_socket_take(struct http_socket *socket, bool *overflow, bool *more);

/* Handlers that may block run on these. */
struct http_workers;
int http_workers_start(struct http_workers **out);
/* OW_ELIMIT when too many are waiting, or when they were stopped. */
int http_workers_add(struct http_workers *workers, struct http_exchange *exchange);
/* Waits for those that run; what waits is not begun. Requests may still arrive meanwhile. */
void http_workers_stop(struct http_workers *workers);
void http_workers_destroy(struct http_workers **workers);

/* Handlers of routes with HTTP_STREAMS. */
struct http_streams {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int count;
};
void http_streams_init(struct http_streams *streams);
/* OW_ELIMIT when HTTP_MAX_STREAMS run. */
int http_streams_add(struct http_streams *streams, struct http_exchange *exchange);
/* Waits for all of them; no connection, whose bodies they read, may be left. */
void http_streams_finish(struct http_streams *streams);

/* A listening socket, non-blocking; `bind_address` "" = all addresses of both families. */
int http_listen(int *out_fd, uint16_t *out_port, const char *bind_address, uint16_t port,
                struct reason *why);

/* A client that has come over TLS: what it is now connected by, and who it is. */
struct http_arrival {
    int fd;
    struct address peer, local;
};

struct http_server {
    struct http_server_settings settings;
    char *bind_address, *allowed_hosts;
    uint16_t port;
    int listen_fd;         /* accepted from on the service thread */
    bool listener_adopted; /* the library closes it */
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[4];
    lws_sorted_usec_list_t timer;
    struct http_workers *workers;
    struct http_streams streams;
    struct http_tls *tls;          /* takes the connections instead; NULL = plain HTTP */
    pthread_mutex_t arrivals_lock; /* guards the three below */
    bool arrivals_closed;
    struct http_arrival arrivals[HTTP_MAX_ARRIVALS];
    int arrival_count;
    pthread_t thread;
    bool thread_started;
    atomic_bool quit;

    /* Of the service thread. */
    struct http_connection *connections;
    struct http_ws *sockets;
    struct http_ws *arriving; /* handed to the library, not yet known to it */
    int connection_count;     /* of both kinds */
    uint64_t refused;
};

/* http_server.c: makes the service thread look for answers and messages. Any thread. */
void http_server_wake(struct http_server *server);

/* http_access.c: may the request go on? Else it has been answered. Tells in the request who it is
 * from. */
bool http_access_check(struct http_server *server, struct http_exchange *exchange,
                       const struct http_head *head);

/* http_router.c: has the right handler answer, or answers itself. */
void http_router_dispatch(struct http_server *server, struct http_exchange *exchange);
/* Does its route take in the body piece by piece? */
bool http_router_streams(const struct http_server *server, const struct http_exchange *exchange);

/* http_answer.c: status line and fields of an answer; its size, 0 = it does not fit. */
size_t http_answer_head(const struct http_exchange *exchange, bool close_after, char *out,
                        size_t room);

/* http_admission.c: 0, or the status that a new client is refused with; -1 = not even that. */
int http_admission(struct http_server *server, const struct address *peer);
const char *http_admission_detail(int status);

/* http_connection.c: one client over HTTP/1.1, in the library's loop as a plain descriptor. Takes
 * the descriptor. All on the service thread. */
void http_connection_open(struct http_server *server, int fd, const struct address *peer,
                          const struct address *local, bool secure);
int http_connection_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                             void *in, size_t size);
int http_connections_count(const struct http_server *server, const struct address *peer);
void http_connections_look_for_answers(struct http_server *server);
/* Has an answer been given that its client does not have yet? */
bool http_connections_owe(const struct http_server *server);
void http_connections_expire(struct http_server *server);

/* http_websocket.c: a client after its upgrade, spoken to by the library. Takes the descriptor; the
 * handshake is given to the library anew, with what came `behind` it. */
int http_ws_open(struct http_server *server, int fd, const struct http_head *head,
                 const struct http_request *request, const char *behind, size_t behind_size);
int http_ws_count(const struct http_server *server, const struct address *peer);
int http_ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t size);
void http_ws_look_for_messages(struct http_server *server);
/* Is there a client who is still to be told something? */
bool http_ws_owe(const struct http_server *server);
/* Ends those whose session has ended. */
void http_ws_expire(struct http_server *server);

#endif
