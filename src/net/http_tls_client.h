/* One client of the TLS relay: handshake, then bytes both ways through two small buffers. On the
 * relay's thread. */
#ifndef OW_NET_HTTP_TLS_CLIENT_H
#define OW_NET_HTTP_TLS_CLIENT_H

#include "net/http_tls.h"

#include <openssl/ssl.h>
#include <stddef.h>

enum { TLS_BUFFER_BYTES = 16 * 1024 };

enum tls_phase {
    TLS_LOOKS,  /* at the first byte: TLS, or plain HTTP by mistake? */
    TLS_SHAKES, /* hands */
    TLS_RELAYS,
    TLS_ENDS, /* all is sent to the client, whose end is awaited */
};

struct tls_buffer {
    size_t begin, end;
    char data[TLS_BUFFER_BYTES];
};

struct tls_client {
    struct tls_client *next;
    const struct http_tls_settings *settings;
    struct address peer, local;
    SSL *ssl;
    int fd;    /* to the client */
    int plain; /* to the HTTP server; -1 = not yet */
    enum tls_phase phase;
    int64_t deadline_us; /* INT64_MAX = the HTTP server watches the clock */
    bool again;          /* stopped for others' sake, not for want of bytes */
    bool client_ended, server_ended, client_told, server_told;
    struct tls_buffer in, out; /* from and to the client, both in the clear */
};

/* As far as it goes now; OW_ECLOSED when it is to be freed. `watch` adds a descriptor to the loop.
 */
int tls_client_advance(struct tls_client *client, SSL_CTX *context, int64_t now_us,
                       int (*watch)(void *loop, int fd, struct tls_client *client), void *loop);
void tls_client_free(struct tls_client *client);

#endif
