#include "raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int raw_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 10};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        abort();
    }
    return fd;
}

void raw_send(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* hung up on: the answer tells */
        at += sent;
        size -= (size_t)sent;
    }
}

void raw_send_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

static bool read_exactly(int fd, void *out, size_t size)
{
    char *at = out;
    while (size > 0) {
        ssize_t got = recv(fd, at, size, 0);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

void raw_read(int fd, struct raw_answer *out, bool head)
{
    memset(out, 0, sizeof *out);
    size_t at = 0;
    while (at + 1 < sizeof out->headers && !strstr(out->headers, "\r\n\r\n"))
        if (recv(fd, out->headers + at++, 1, 0) != 1)
            break;
    if (sscanf(out->headers, "HTTP/1.%*d %d", &out->status) != 1)
        out->status = 0;
    const char *length = strcasestr(out->headers, "content-length:");
    out->body_size = length && !head ? (size_t)atol(length + 15) : 0;
    out->body = calloc(1, out->body_size + 1);
    if (!read_exactly(fd, out->body, out->body_size))
        out->status = 0;
}

void raw_free(struct raw_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

void raw_request(uint16_t port, const char *method, const char *path, const char *body,
                 const char *extra_headers, struct raw_answer *out)
{
    char head[4096], length[64] = "";
    if (body)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost:%u\r\n%s%s\r\n", method, path,
             port, length, extra_headers ? extra_headers : "");
    int fd = raw_connect(port);
    raw_send_text(fd, head);
    if (body)
        raw_send_text(fd, body);
    raw_read(fd, out, strcmp(method, "HEAD") == 0);
    close(fd);
}

int raw_websocket(uint16_t port, const char *path, const char *extra_headers, int *status)
{
    char head[2048];
    struct raw_answer answer;
    snprintf(head, sizeof head,
             "GET %s HTTP/1.1\r\n%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
             path, extra_headers ? extra_headers : "Host: localhost\r\n");
    int fd = raw_connect(port);
    raw_send_text(fd, head);
    raw_read(fd, &answer, false);
    bool accepted = answer.status == 101 &&
                    strstr(answer.headers, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455, 1.3 */
    *status = answer.status;
    raw_free(&answer);
    if (accepted)
        return fd;
    close(fd);
    return -1;
}

void raw_ws_send(int fd, const char *text)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t size = strlen(text), at = 0;
    uint8_t *frame = malloc(size + 14);
    frame[at++] = 0x81;
    if (size < 126) {
        frame[at++] = (uint8_t)(0x80 | size);
    } else if (size < 65536) {
        frame[at++] = 0x80 | 126;
        frame[at++] = (uint8_t)(size >> 8);
        frame[at++] = (uint8_t)size;
    } else {
        frame[at++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            frame[at++] = (uint8_t)((uint64_t)size >> (8 * i));
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < size; i++)
        frame[at++] = (uint8_t)((uint8_t)text[i] ^ mask[i % 4]);
    raw_send(fd, frame, at);
    free(frame);
}

static int read_frame(int fd, char **payload, size_t *size)
{
    uint8_t head[2], extended[8];
    if (!read_exactly(fd, head, 2))
        return -1;
    uint64_t length = head[1] & 0x7f;
    size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!read_exactly(fd, extended, more))
        return -1;
    if (more > 0)
        length = 0;
    for (size_t i = 0; i < more; i++)
        length = length << 8 | extended[i];
    *payload = calloc(1, length + 1);
    *size = length;
    if (!read_exactly(fd, *payload, length)) {
        free(*payload);
        *payload = NULL;
        return -1;
    }
    return head[0] & 0x0f;
}

int raw_ws_read(int fd, char **payload, size_t *size)
{
    for (;;) {
        int opcode = read_frame(fd, payload, size);
        if (opcode != 9 && opcode != 10)
            return opcode;
        free(*payload);
    }
}
