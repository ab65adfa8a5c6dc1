/* The head of an HTTP/1.1 request (RFC 9112, RFC 9110): request line and header fields. Pure
 * functions over bytes from strangers: strict where laxness would let two readers see two requests.
 *
 * Read here and not by libwebsockets, whose 4.1 takes a field whose name begins a known one ("X-A",
 * "A") together with the line behind it: the request never ends, or loses its Origin. */
#ifndef OW_NET_HTTP_HEAD_H
#define OW_NET_HTTP_HEAD_H

#include "net/http_server.h"

enum {
    HTTP_MAX_HEAD_BYTES = 16 * 1024,
    HTTP_MAX_FIELDS = 128,
    HTTP_WS_KEY_BYTES = 25, /* 16 bytes in base64 and a NUL */
};

struct http_head {
    int refusal;        /* the status to answer with at once, 0 = none */
    const char *detail; /* its sentence; static */
    bool keep_alive;    /* may another request follow on the connection? */
    bool chunked;
    bool expects_continue;
    uint64_t content_length;
    bool websocket; /* an upgrade that is complete (RFC 6455, 4.2.1) */
    char websocket_key[HTTP_WS_KEY_BYTES];
};

/* The size of the head with the empty line behind it; 0 = it is not all there yet. */
size_t http_head_size(const char *data, size_t size);

/* Reads a whole head into `request` (zeroed before, but for its body) and `head`. After a refusal
 * the connection cannot be used for another request; `request` may lack what was not read. */
void http_head_parse(const char *data, size_t size, struct http_request *request,
                     struct http_head *head);

#endif
