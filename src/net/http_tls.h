/* TLS in front of the HTTP server: a thread that takes the connections of the port, does the
 * handshakes, and passes plain bytes on by a pair of sockets each. So neither HTTP nor the
 * WebSocket library has to know of it, and a slow handshake holds up nobody. */
#ifndef OW_NET_HTTP_TLS_H
#define OW_NET_HTTP_TLS_H

#include "core/address.h"
#include "core/error.h"

struct http_tls;

struct http_tls_settings {
    int listen_fd;                        /* taken over on success */
    const char *certificate, *key;        /* paths of PEM files; copied */
    int max_connections, max_per_address; /* 0 = no bound of its own */
    /* Is the Host header one of ours? A plain request to it is sent on to https. */
    bool (*is_ours)(void *context, const char *host);
    /* A client whose handshake is done, on the relay's thread: takes the descriptor, or refuses it
     * with false. */
    bool (*arrived)(void *context, int fd, const struct address *peer, const struct address *local);
    void *context;
};

int http_tls_start(struct http_tls **out, const struct http_tls_settings *settings,
                   struct reason *why);
/* Reads the files again, for connections to come. On failure the old ones stay in use. */
int http_tls_reload(struct http_tls *tls, struct reason *why);
/* Ends all connections: within 300 ms, in which those whose other end is closed are still sent what
 * is left. */
void http_tls_stop(struct http_tls **tls);

#endif
