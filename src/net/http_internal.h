/* What the files of the HTTP server share. libwebsockets itself stays in http_server.c. */
#ifndef OW_NET_HTTP_INTERNAL_H
#define OW_NET_HTTP_INTERNAL_H

#include "net/http_server.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    HTTP_HEADROOM = 32, /* in front of what is written, for the library's framing */
    HTTP_WORKERS = 3,
    HTTP_MAX_JOBS = 64,
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
/* The next message to write, the caller's reference; NULL = none. *overflow: hang up. */
struct http_message *http_socket_take(struct http_socket *socket, bool *overflow, bool *more);

/* Handlers that may block run on these. */
struct http_workers;
int http_workers_start(struct http_workers **out);
/* OW_ELIMIT when too many are waiting. */
int http_workers_add(struct http_workers *workers, struct http_exchange *exchange);
void http_workers_stop(struct http_workers **workers);

/* A listening socket, non-blocking; `bind_address` "" = all addresses of both families. */
int http_listen(int *out_fd, uint16_t *out_port, const char *bind_address, uint16_t port,
                struct reason *why);

/* http_server.c: makes the service thread look for answers and messages. Any thread. */
void http_server_wake(struct http_server *server);

#endif
