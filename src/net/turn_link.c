#include "net/turn_link.h"

#include "net/socket_address.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum {
    WAITING_BYTES = 256 * 1024,
    NOT_SENT_BYTES = 16 * 1024, /* more would only be late; see media_tcp.c */
    SOCKET_BUFFER_BYTES = 1024 * 1024,
};

struct turn_link {
    int fd;
    bool stream, connected;
    enum turn_link_state state;
    SSL_CTX *context; /* TLS only */
    SSL *tls;
    char failure[160];
    size_t sent, filled; /* waiting[sent, filled) is to be written */
    uint8_t *waiting;
};

static void fail(struct turn_link *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct turn_link *self, const char *format, ...)
{
    if (self->state == TURN_LINK_FAILED)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->failure, sizeof self->failure, format, arguments);
    va_end(arguments);
    self->state = TURN_LINK_FAILED;
}

/* -- opening -- */

static bool trust(SSL_CTX *context, const char *ca_file)
{
    if (!ca_file)
        return SSL_CTX_set_default_verify_paths(context) == 1;
    return SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1;
}

int turn_link_check_ca(const char *ca_file, struct reason *why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool good = context && trust(context, ca_file);
    SSL_CTX_free(context);
    ERR_clear_error();
    if (good)
        return OW_OK;
    return reason_set(why, OW_EINVAL, "--turn-ca: no certificates (PEM) can be read from %.200s",
                      ca_file);
}

static bool start_tls(struct turn_link *self, const char *host, const char *ca_file)
{
    struct address literal;
    self->context = SSL_CTX_new(TLS_client_method());
    if (!self->context || !trust(self->context, ca_file) ||
        SSL_CTX_set_min_proto_version(self->context, TLS1_2_VERSION) != 1)
        return false;
    SSL_CTX_set_verify(self->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(self->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    self->tls = SSL_new(self->context);
    if (!self->tls || SSL_set_fd(self->tls, self->fd) != 1)
        return false;
    SSL_set_connect_state(self->tls);
    if (address_parse(&literal, host, 0) == OW_OK)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(self->tls), host) == 1;
    return SSL_set1_host(self->tls, host) == 1 && SSL_set_tlsext_host_name(self->tls, host) == 1;
}

static bool open_socket(struct turn_link *self, const struct address *server)
{
    bool ipv6 = server->family == ADDRESS_IPV6;
    struct sockaddr_storage name;
    socklen_t size;
    int type = self->stream ? SOCK_STREAM : SOCK_DGRAM;
    self->fd = socket(ipv6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0)
        return false;
    int on = 1, not_sent = NOT_SENT_BYTES, bytes = SOCKET_BUFFER_BYTES;
    if (self->stream) {
        (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &not_sent, sizeof not_sent);
    } else {
        (void)setsockopt(self->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        (void)setsockopt(self->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
    address_to_sockaddr(server, ipv6, &name, &size);
    if (connect(self->fd, (struct sockaddr *)&name, size) == 0) {
        self->connected = true;
        return true;
    }
    return errno == EINPROGRESS;
}

int turn_link_create(struct turn_link **out, enum server_url_kind kind,
                     const struct address *server, const char *host, const char *ca_file)
{
    struct turn_link *self = calloc(1, sizeof *self);
    if (!self)
        return OW_ENOMEM;
    self->fd = -1;
    self->stream = kind != SERVER_TURN_UDP;
    self->waiting = self->stream ? malloc(WAITING_BYTES) : NULL;
    int rc = self->stream && !self->waiting ? OW_ENOMEM : OW_OK;
    if (rc == OW_OK && (!open_socket(self, server) ||
                        (kind == SERVER_TURN_TLS && !start_tls(self, host, ca_file))))
        rc = OW_EIO;
    ERR_clear_error();
    if (rc != OW_OK) {
        turn_link_destroy(&self);
        return rc;
    }
    if (!self->stream)
        self->state = TURN_LINK_OPEN;
    *out = self;
    return OW_OK;
}

void turn_link_destroy(struct turn_link **link)
{
    struct turn_link *self = *link;
    if (!self)
        return;
    SSL_free(self->tls);
    SSL_CTX_free(self->context);
    if (self->fd >= 0)
        close(self->fd);
    free(self->waiting);
    free(self);
    *link = NULL;
}

int turn_link_fd(const struct turn_link *link)
{
    return link->fd;
}

const char *turn_link_failure(const struct turn_link *link)
{
    return link->failure;
}

bool turn_link_is_stream(const struct turn_link *link)
{
    return link->stream;
}

/* -- writing -- */

/* Returns how much was taken; 0 = nothing now. */
static size_t write_now(struct turn_link *self, const uint8_t *data, size_t size)
{
    if (!self->tls) {
        ssize_t taken = send(self->fd, data, size, MSG_NOSIGNAL);
        if (taken >= 0)
            return (size_t)taken;
        if (errno != EAGAIN && errno != EINTR)
            fail(self, "the connection broke: %s", strerror(errno));
        return 0;
    }
    size_t taken = 0;
    ERR_clear_error();
    if (SSL_write_ex(self->tls, data, size, &taken) == 1)
        return taken;
    int error = SSL_get_error(self->tls, 0);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        fail(self, "the TLS connection broke");
    return 0;
}

static void write_waiting(struct turn_link *self)
{
    while (self->sent < self->filled) {
        size_t taken = write_now(self, self->waiting + self->sent, self->filled - self->sent);
        if (taken == 0)
            return;
        self->sent += taken;
    }
    self->sent = self->filled = 0;
}

void turn_link_write(struct turn_link *self, const uint8_t *data, size_t size)
{
    if (self->state == TURN_LINK_FAILED)
        return;
    if (!self->stream) {
        (void)!send(self->fd, data, size, MSG_NOSIGNAL); /* a lost datagram is a lost datagram */
        return;
    }
    if (self->filled + size > WAITING_BYTES && self->sent > 0) {
        memmove(self->waiting, self->waiting + self->sent, self->filled - self->sent);
        self->filled -= self->sent;
        self->sent = 0;
    }
    if (self->filled + size > WAITING_BYTES)
        return;
    memcpy(self->waiting + self->filled, data, size);
    self->filled += size;
    if (self->state == TURN_LINK_OPEN)
        write_waiting(self);
}

/* -- connecting -- */

static void shake_hands(struct turn_link *self)
{
    ERR_clear_error();
    int result = SSL_do_handshake(self->tls);
    if (result == 1) {
        self->state = TURN_LINK_OPEN;
        return;
    }
    int error = SSL_get_error(self->tls, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return;
    long verdict = SSL_get_verify_result(self->tls);
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        fail(self, "its certificate is for another name");
    else if (verdict != X509_V_OK)
        fail(self, "its certificate is not trusted: %s (--turn-ca names a private authority)",
             X509_verify_cert_error_string(verdict));
    else
        fail(self, "the TLS handshake failed");
}

static void finish_connect(struct turn_link *self)
{
    int error = 0;
    socklen_t size = sizeof error;
    struct sockaddr_storage name;
    socklen_t name_size = sizeof name;
    (void)getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
        fail(self, "it does not take connections: %s", strerror(error));
    else
        self->connected = getpeername(self->fd, (struct sockaddr *)&name, &name_size) == 0;
}

enum turn_link_state turn_link_go_on(struct turn_link *self)
{
    if (self->state == TURN_LINK_CONNECTING && !self->connected)
        finish_connect(self);
    if (self->state == TURN_LINK_CONNECTING && self->connected) {
        if (self->tls)
            shake_hands(self);
        else
            self->state = TURN_LINK_OPEN;
    }
    if (self->state == TURN_LINK_OPEN)
        write_waiting(self);
    return self->state;
}

uint32_t turn_link_events(const struct turn_link *self)
{
    bool write = self->filled > self->sent;
    if (self->state == TURN_LINK_CONNECTING)
        write = !self->connected || (self->tls && SSL_want_write(self->tls));
    return write ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

/* -- reading -- */

static int read_tls(struct turn_link *self, uint8_t *data, size_t room, size_t *size)
{
    ERR_clear_error();
    if (SSL_read_ex(self->tls, data, room, size) == 1)
        return OW_OK;
    int error = SSL_get_error(self->tls, 0);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return OW_EAGAIN;
    fail(self, "it closed the connection");
    return OW_ECLOSED;
}

int turn_link_read(struct turn_link *self, uint8_t *data, size_t room, size_t *size)
{
    if (self->state == TURN_LINK_FAILED)
        return OW_ECLOSED;
    if (self->state == TURN_LINK_CONNECTING)
        return OW_EAGAIN;
    if (self->tls)
        return read_tls(self, data, room, size);
    ssize_t taken = recv(self->fd, data, room, 0);
    if (taken > 0 || (taken == 0 && !self->stream)) {
        *size = (size_t)taken;
        return OW_OK;
    }
    if (taken < 0 && (errno == EAGAIN || errno == EINTR || !self->stream))
        return OW_EAGAIN; /* on UDP: what a router said about an earlier datagram */
    fail(self, "it closed the connection");
    return OW_ECLOSED;
}
