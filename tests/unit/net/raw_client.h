/* A client of plain sockets, so that the server is tested by bytes and not by another library. */
#ifndef OW_TESTS_RAW_CLIENT_H
#define OW_TESTS_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connected to 127.0.0.1; reads time out after 10 s. */
int raw_connect(uint16_t port);
void raw_send(int fd, const void *data, size_t size);
void raw_send_text(int fd, const char *text);

struct raw_answer {
    int status; /* 0 = hung up without one */
    char headers[8192];
    char *body; /* malloc'ed, NUL behind it */
    size_t body_size;
};
/* Reads one answer with Content-Length (none with `head`). */
void raw_read(int fd, struct raw_answer *out, bool head);
void raw_free(struct raw_answer *answer);

/* Sends "METHOD path" with a right Host and a body (NULL = none) on a new connection. */
void raw_request(uint16_t port, const char *method, const char *path, const char *body,
                 const char *extra_headers, struct raw_answer *out);

/* A WebSocket connection after its handshake, or -1 with the status in *status. */
int raw_websocket(uint16_t port, const char *path, const char *extra_headers, int *status);
void raw_ws_send(int fd, const char *text);
/* The next message: its opcode (1 text, 2 binary, 8 close; -1 = gone) and payload (malloc'ed). */
int raw_ws_read(int fd, char **payload, size_t *size);

#endif
