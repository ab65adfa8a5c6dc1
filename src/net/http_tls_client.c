#include "net/http_tls_client.h"

#include "net/http_head.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROUNDS = 32, /* in one go, then it is others' turn */
    LINGER_US = 2 * 1000 * 1000,
    PLAIN_BUFFER_BYTES =
        32 * 1024, /* little: what waits here cannot be replaced by a newer frame */
    TLS_HANDSHAKE_RECORD = 0x16,
};

void tls_client_free(struct tls_client *client)
{
    SSL_free(client->ssl);
    if (client->plain >= 0)
        close(client->plain);
    close(client->fd);
    OPENSSL_cleanse(&client->in, sizeof client->in);
    OPENSSL_cleanse(&client->out, sizeof client->out);
    free(client);
}

/* -- plain HTTP on this port -- */

/* Where the same is to be had by https; false when the request is not one to be sent on. */
static bool find_place(struct tls_client *client, size_t size, char *out, size_t room)
{
    struct http_request *request = calloc(1, sizeof *request);
    struct http_head head;
    if (!request)
        return false;
    http_head_parse(client->in.data, size - 4, request, &head);
    /* What the head's reader let pass holds no blanks and no control characters. */
    const char *target = memchr(client->in.data, ' ', size);
    bool fine = head.refusal == 0 && request->method == HTTP_GET && !head.websocket && target &&
                target[1] == '/' &&
                client->settings->is_ours(client->settings->context, request->host);
    if (fine) {
        target++;
        int target_size = (int)strcspn(target, " ");
        int written = snprintf(out, room, "https://%s%.*s", request->host, target_size, target);
        fine = written > 0 && (size_t)written < room;
    }
    free(request);
    return fine;
}

static int answer_plain(struct tls_client *client, size_t head_size, int64_t now_us)
{
    static const char body[] = "This port speaks HTTPS: open the address with https:// in front.\n";
    char place[2048], answer[2560];
    bool moved = head_size > 0 && find_place(client, head_size, place, sizeof place);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n%s%s%s\r\n%s",
                        moved ? "308 Permanent Redirect" : "400 Bad Request", sizeof body - 1,
                        moved ? "Location: " : "", moved ? place : "", moved ? "\r\n" : "", body);
    if (send(client->fd, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return OW_ECLOSED;
    (void)shutdown(client->fd, SHUT_WR);
    client->phase = TLS_ENDS;
    client->deadline_us = now_us + LINGER_US;
    return OW_OK;
}

/* The first bytes are only looked at: they are the library's if it is TLS. */
static int look(struct tls_client *client, SSL_CTX *context, int64_t now_us)
{
    ssize_t got = recv(client->fd, client->in.data, sizeof client->in.data - 1, MSG_PEEK);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? OW_EAGAIN : OW_ECLOSED;
    if (got == 0)
        return OW_ECLOSED;
    if ((unsigned char)client->in.data[0] != TLS_HANDSHAKE_RECORD) {
        client->in.data[got] = '\0';
        size_t head_size = http_head_size(client->in.data, (size_t)got);
        if (head_size == 0 && (size_t)got < 4096 && client->in.data[0] >= 'A' &&
            client->in.data[0] <= 'Z')
            return OW_EAGAIN;
        /* Taken, so that closing does not reset the connection. */
        (void)!recv(client->fd, client->in.data, sizeof client->in.data - 1, 0);
        return answer_plain(client, head_size, now_us);
    }
    client->ssl = SSL_new(context);
    if (!client->ssl || SSL_set_fd(client->ssl, client->fd) != 1)
        return OW_ECLOSED;
    SSL_set_accept_state(client->ssl);
    client->phase = TLS_SHAKES;
    return OW_OK;
}

/* -- TLS -- */

/* OW_EAGAIN when the library waits for the socket. */
static int outcome(const struct tls_client *client, int result)
{
    int error = SSL_get_error(client->ssl, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? OW_EAGAIN : OW_ECLOSED;
}

static int shake(struct tls_client *client,
                 int (*watch)(void *loop, int fd, struct tls_client *client), void *loop)
{
    int ends[2], size = PLAIN_BUFFER_BYTES;
    int result = SSL_do_handshake(client->ssl);
    if (result != 1)
        return outcome(client, result);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return OW_ECLOSED;
    (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    client->plain = ends[0];
    if (watch(loop, client->plain, client) != OW_OK) {
        close(ends[1]);
        return OW_ECLOSED;
    }
    if (!client->settings->arrived(client->settings->context, ends[1], &client->peer,
                                   &client->local)) {
        close(ends[1]);
        return OW_ECLOSED;
    }
    client->phase = TLS_RELAYS;
    client->deadline_us = INT64_MAX;
    return OW_OK;
}

static bool is_empty(const struct tls_buffer *buffer)
{
    return buffer->begin == buffer->end;
}

/* Each of the four: OW_OK when something moved, OW_EAGAIN when nothing could, OW_ECLOSED. */
static int read_client(struct tls_client *client)
{
    if (!is_empty(&client->in) || client->client_ended)
        return OW_EAGAIN;
    int got = SSL_read(client->ssl, client->in.data, TLS_BUFFER_BYTES);
    if (got > 0) {
        client->in.begin = 0;
        client->in.end = (size_t)got;
        return OW_OK;
    }
    if (outcome(client, got) == OW_EAGAIN)
        return OW_EAGAIN;
    client->client_ended = true; /* a failure is an end, too: writing will tell */
    return OW_OK;
}

static int write_server(struct tls_client *client)
{
    if (is_empty(&client->in)) {
        if (!client->client_ended || client->server_told)
            return OW_EAGAIN;
        (void)shutdown(client->plain, SHUT_WR);
        client->server_told = true;
        return OW_OK;
    }
    ssize_t sent = send(client->plain, client->in.data + client->in.begin,
                        client->in.end - client->in.begin, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
        client->in.begin += (size_t)sent;
        return OW_OK;
    }
    if (errno == EAGAIN || errno == EINTR)
        return OW_EAGAIN;
    client->in.begin = client->in.end; /* nobody reads it any more */
    return OW_OK;
}

static int read_server(struct tls_client *client)
{
    if (!is_empty(&client->out) || client->server_ended)
        return OW_EAGAIN;
    ssize_t got = recv(client->plain, client->out.data, TLS_BUFFER_BYTES, MSG_DONTWAIT);
    if (got > 0) {
        client->out.begin = 0;
        client->out.end = (size_t)got;
        return OW_OK;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return OW_EAGAIN;
    client->server_ended = true;
    return OW_OK;
}

static int write_client(struct tls_client *client)
{
    if (is_empty(&client->out)) {
        if (!client->server_ended || client->client_told)
            return OW_EAGAIN;
        int result = SSL_shutdown(client->ssl);
        if (result < 0 && outcome(client, result) == OW_EAGAIN)
            return OW_EAGAIN;
        (void)shutdown(client->fd, SHUT_WR);
        client->client_told = true;
        return OW_OK;
    }
    int sent = SSL_write(client->ssl, client->out.data + client->out.begin,
                         (int)(client->out.end - client->out.begin));
    if (sent <= 0)
        return outcome(client, sent);
    client->out.begin += (size_t)sent;
    return OW_OK;
}

static int relay(struct tls_client *client, int64_t now_us)
{
    static int (*const steps[])(struct tls_client *) = {read_client, write_server, read_server,
                                                        write_client};
    for (int round = 0; round < ROUNDS; round++) {
        bool moved = false;
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            int rc = steps[i](client);
            if (rc == OW_ECLOSED)
                return rc;
            moved |= rc == OW_OK;
        }
        if (client->client_told) {
            if (client->client_ended)
                return OW_ECLOSED;
            if (client->deadline_us == INT64_MAX)
                client->deadline_us = now_us + LINGER_US;
        }
        if (!moved)
            return OW_EAGAIN;
    }
    client->again = true;
    return OW_EAGAIN;
}

/* Reads off what still comes, until the client ends too. */
static int end(struct tls_client *client)
{
    for (int round = 0; round < ROUNDS; round++) {
        ssize_t got = recv(client->fd, client->in.data, sizeof client->in.data, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return OW_ECLOSED;
        if (got < 0)
            return OW_EAGAIN;
    }
    return OW_ECLOSED; /* it has had an answer */
}

int tls_client_advance(struct tls_client *client, SSL_CTX *context, int64_t now_us,
                       int (*watch)(void *loop, int fd, struct tls_client *client), void *loop)
{
    int rc = OW_OK;
    client->again = false;
    while (rc == OW_OK) {
        switch (client->phase) {
        case TLS_LOOKS:
            rc = look(client, context, now_us);
            break;
        case TLS_SHAKES:
            rc = shake(client, watch, loop);
            break;
        case TLS_RELAYS:
            rc = relay(client, now_us);
            break;
        case TLS_ENDS:
            rc = end(client);
            break;
        }
    }
    return rc == OW_EAGAIN ? OW_OK : rc;
}
