/* An HTTP server for tests, over real sockets, with a few routes, files in a folder of its own and
 * a WebSocket that echoes. */
#ifndef OW_TESTS_HTTP_FIXTURE_H
#define OW_TESTS_HTTP_FIXTURE_H

#include "net/http_server.h"

#include <pthread.h>

struct http_fixture {
    struct http_server *server;
    uint16_t port;
    char folder[64];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_exchange *kept; /* of /later, which the test answers */
    struct http_socket *socket;
    int sockets_open;
};
extern struct http_fixture fixture;
extern const struct http_route fixture_routes[];

/* Group set-up and tear-down. */
int fixture_start(void **state);
int fixture_stop(void **state);

void fixture_write_file(const char *name, const char *text);
/* Asks and expects the status; `text` NULL = any body. */
void fixture_expect(const char *method, const char *path, const char *body, const char *headers,
                    int status, const char *text);
/* Waits for a request of /later; the reference is the caller's. */
struct http_exchange *fixture_exchange(void);
/* Waits until a WebSocket is open, or none. */
struct http_socket *fixture_socket(bool open);

#endif
