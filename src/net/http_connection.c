/* One client over HTTP/1.1: reads a request, waits for its answer, writes it, and again. */
#include "core/clock.h"
#include "net/http_auth.h"
#include "net/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_US = 30 * 1000 * 1000,    /* between requests */
    HEAD_US = 15 * 1000 * 1000,    /* for a whole head */
    PIECE_US = 15 * 1000 * 1000,   /* for the next piece of a body, in or out */
    ANSWER_US = 120 * 1000 * 1000, /* a model may take long to open */
    LINGER_US = 2 * 1000 * 1000,
    DISCARD_BYTES = 8 * 1024 * 1024, /* read and thrown away so that a refusal is seen */
    ANSWER_HEAD_BYTES = 4096,
    FILE_BYTES = 256 * 1024,  /* of a file at a time, then others have their turn */
    UNSENT_BYTES = 64 * 1024, /* in the system's buffer: what is there can't be replaced any more */
};

enum phase {
    READS_HEAD,
    READS_BODY,
    WAITS, /* for the answer */
    WRITES,
    STREAMS, /* an answer without an end */
    LINGERS, /* all is written; closing at once would take the answer away from the client */
};

struct http_connection {
    struct http_connection *next;
    struct http_server *server;
    struct lws *wsi;
    int fd;
    struct address peer, local;
    int refusal; /* the status to answer with, whatever is asked; 0 = none */
    bool secure; /* what comes here went through TLS */
    enum phase phase;
    int64_t deadline_us;
    bool ended; /* the client sends no more */
    bool close_after, reading_off;
    bool blocked; /* the system takes no more bytes for now */
    struct http_exchange *exchange;
    struct http_head head;
    struct http_chunks chunks;
    uint64_t body_left; /* of a body with a length */
    uint64_t discarded;
    bool too_large;
    char out[ANSWER_HEAD_BYTES];
    size_t out_size, out_written, body_written;
    uint64_t file_written;
    struct http_message *piece; /* of a stream, being written */
    size_t piece_written;
    size_t in_size;
    char in[HTTP_MAX_HEAD_BYTES];
};

static void set_phase(struct http_connection *self, enum phase phase, int64_t patience_us)
{
    self->phase = phase;
    self->deadline_us = clock_now_us() + patience_us;
}

static void drop_exchange(struct http_connection *self)
{
    if (!self->exchange)
        return;
    http_exchange_detach(self->exchange);
    http_exchange_unref(&self->exchange);
}

static void take(struct http_connection *self, size_t size)
{
    self->in_size -= size;
    memmove(self->in, self->in + size, self->in_size);
}

/* -- answers -- */

/* OW_OK when all is out, OW_EAGAIN, OW_ECLOSED. */
static int write_some(struct http_connection *self, const void *data, size_t size, size_t *written)
{
    while (*written < size) {
        ssize_t sent = send(self->fd, (const char *)data + *written, size - *written,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            *written += (size_t)sent;
            self->deadline_us = clock_now_us() + PIECE_US;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            self->blocked = true;
            lws_callback_on_writable(self->wsi);
            return OW_EAGAIN;
        } else if (errno != EINTR) {
            return OW_ECLOSED;
        }
    }
    return OW_OK;
}

static int end_answer(struct http_connection *self)
{
    drop_exchange(self);
    if (self->close_after || (self->ended && self->in_size == 0)) {
        if (self->ended)
            return OW_ECLOSED;
        (void)shutdown(self->fd, SHUT_WR);
        self->in_size = 0;
        set_phase(self, LINGERS, LINGER_US);
        return OW_OK;
    }
    set_phase(self, READS_HEAD, IDLE_US);
    return OW_OK;
}

/* OW_EAGAIN: there is none now. */
static int next_piece(struct http_connection *self)
{
    struct http_exchange *exchange = self->exchange;
    http_message_unref(&self->piece);
    self->piece_written = 0;
    pthread_mutex_lock(&exchange->lock);
    self->piece = exchange->latest;
    exchange->latest = NULL;
    bool over = exchange->stream_over;
    atomic_store(&exchange->stream_changed, false);
    pthread_mutex_unlock(&exchange->lock);
    self->deadline_us = self->piece ? clock_now_us() + PIECE_US : INT64_MAX;
    return self->piece ? OW_OK : over ? OW_ECLOSED : OW_EAGAIN;
}

static int write_stream(struct http_connection *self)
{
    int rc = OW_OK;
    self->in_size = 0; /* nothing that comes now is a request */
    while (rc == OW_OK) {
        if (self->piece)
            rc = write_some(self, self->piece->data + HTTP_HEADROOM, self->piece->size,
                            &self->piece_written);
        if (rc == OW_OK)
            rc = next_piece(self);
    }
    if (rc != OW_ECLOSED || self->ended)
        return rc;
    self->close_after = true;
    return end_answer(self);
}

/* As write_some(). What the disk has to be waited for comes while the piece before is on its way.
 */
static int write_file(struct http_connection *self)
{
    const struct http_exchange *exchange = self->exchange;
    uint64_t left = exchange->file_size - self->file_written;
    off_t at = (off_t)(exchange->file_first + self->file_written);
    if (left == 0)
        return OW_OK;
    ssize_t sent =
        sendfile(self->fd, exchange->file, &at, left < FILE_BYTES ? (size_t)left : FILE_BYTES);
    if (sent == 0 || (sent < 0 && errno != EAGAIN && errno != EINTR))
        return OW_ECLOSED; /* it has become shorter, or the client has gone */
    if (sent > 0) {
        self->file_written += (uint64_t)sent;
        self->deadline_us = clock_now_us() + PIECE_US;
        (void)posix_fadvise(exchange->file, at, 2 * FILE_BYTES, POSIX_FADV_WILLNEED);
    }
    if (self->file_written == exchange->file_size)
        return OW_OK;
    self->blocked = true;
    lws_callback_on_writable(self->wsi);
    return OW_EAGAIN;
}

static int write_answer(struct http_connection *self)
{
    struct http_exchange *exchange = self->exchange;
    if (self->phase == WAITS) {
        self->close_after |= exchange->streams;
        self->out_size = http_answer_head(exchange, self->close_after, self->out, sizeof self->out);
        self->out_written = self->body_written = 0;
        self->file_written = 0;
        if (self->out_size == 0)
            return OW_ECLOSED;
        set_phase(self, WRITES, PIECE_US);
    }
    bool has_body = exchange->body_size > 0 && !exchange->request.head;
    int rc = write_some(self, self->out, self->out_size, &self->out_written);
    if (rc == OW_OK && has_body)
        rc = write_some(self, exchange->body + HTTP_HEADROOM, exchange->body_size,
                        &self->body_written);
    if (rc == OW_OK && exchange->file >= 0 && !exchange->request.head)
        rc = write_file(self);
    if (rc == OW_OK && exchange->streams && !exchange->request.head) {
        set_phase(self, STREAMS, PIECE_US);
        return OW_OK;
    }
    return rc == OW_OK ? end_answer(self) : rc;
}

/* -- requests -- */

static void refuse(struct http_connection *self, int status, const char *detail)
{
    self->close_after = true;
    set_phase(self, WAITS, ANSWER_US);
    http_reply_error(self->exchange, status, detail);
}

static void request_complete(struct http_connection *self)
{
    if (self->exchange->incoming) {
        set_phase(self, WAITS, ANSWER_US); /* its handler runs already */
        return;
    }
    if (self->too_large) {
        refuse(self, 413, "The body is larger than 1 MB.");
        return;
    }
    set_phase(self, WAITS, ANSWER_US);
    http_router_dispatch(self->server, self->exchange);
}

/* Hands the client to the library. OW_ECLOSED: this connection ends, the client's goes on. */
static int upgrade(struct http_connection *self)
{
    struct http_server *server = self->server;
    const struct http_request *request = &self->exchange->request;
    const char *path = server->settings.socket_path;
    if (!path || strcmp(request->path, path) != 0) {
        refuse(self, 404, "There is no WebSocket at this path.");
        return OW_OK;
    }
    int fd = fcntl(self->fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        (void)http_ws_open(server, fd, &self->head, request, self->in, self->in_size);
    return OW_ECLOSED;
}

/* The handler begins at once; what comes is put where it reads. */
static int begin_stream(struct http_connection *self)
{
    self->exchange->request.content_length = self->head.content_length;
    if (http_body_create(&self->exchange->incoming) != OW_OK)
        return OW_ECLOSED;
    if (!self->head.chunked && self->body_left == 0)
        http_body_finish(self->exchange->incoming);
    http_router_dispatch(self->server, self->exchange);
    return OW_OK;
}

static int begin_body(struct http_connection *self)
{
    self->chunks = (struct http_chunks){0};
    self->discarded = 0;
    self->body_left = self->head.content_length;
    bool streams = http_router_streams(self->server, self->exchange);
    if (streams && begin_stream(self) != OW_OK)
        return OW_ECLOSED;
    self->too_large = !streams && self->body_left > HTTP_MAX_BODY_BYTES;
    if ((!streams && self->body_left > DISCARD_BYTES) ||
        (!self->head.chunked && self->body_left == 0)) {
        request_complete(self);
        return OW_OK;
    }
    set_phase(self, READS_BODY, PIECE_US);
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (self->head.expects_continue && !self->too_large)
        (void)!send(self->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return OW_OK;
}

/* OW_EAGAIN: more must come first. */
static int read_head(struct http_connection *self)
{
    while (self->in_size >= 2 && memcmp(self->in, "\r\n", 2) == 0)
        take(self, 2); /* RFC 9112, 2.2 */
    size_t size = http_head_size(self->in, self->in_size);
    bool full = self->in_size == sizeof self->in;
    if (size == 0 && !full)
        return OW_EAGAIN;
    if (http_exchange_create(&self->exchange, self->server) != OW_OK)
        return OW_ECLOSED;
    self->close_after = false;
    if (size == 0) {
        refuse(self, 431, "The request's header is too large.");
        return OW_OK;
    }
    self->exchange->request.peer = self->peer;
    self->exchange->request.local = self->local;
    self->exchange->request.secure = self->secure;
    http_head_parse(self->in, size - 4, &self->exchange->request, &self->head);
    take(self, size);
    self->close_after = !self->head.keep_alive;
    if (self->head.refusal != 0) {
        refuse(self, self->head.refusal, self->head.detail);
        return OW_OK;
    }
    if (self->refusal != 0) {
        refuse(self, self->refusal, http_admission_detail(self->refusal));
        return OW_OK;
    }
    if (!http_access_check(self->server, self->exchange, &self->head)) {
        /* The body, if there is one, is not read: no other request can follow. */
        self->close_after |=
            self->head.chunked || self->head.content_length > 0 || self->head.websocket;
        set_phase(self, WAITS, ANSWER_US);
        return OW_OK;
    }
    return self->head.websocket ? upgrade(self) : begin_body(self);
}

/* Keeps a piece of the body, or throws it away when the whole is too large. */
static int keep(struct http_connection *self, const char *data, size_t size)
{
    if (self->exchange->incoming) {
        http_body_put(self->exchange->incoming, data, size);
        return OW_OK;
    }
    struct http_request *request = &self->exchange->request;
    self->too_large |= request->body_size + size > HTTP_MAX_BODY_BYTES;
    if (self->too_large) {
        self->discarded += size;
        return OW_OK;
    }
    char *grown = realloc(request->body, request->body_size + size + 1);
    if (!grown)
        return OW_ECLOSED;
    memcpy(grown + request->body_size, data, size);
    request->body = grown;
    request->body_size += size;
    request->body[request->body_size] = '\0';
    return OW_OK;
}

/* How much of what has come can be taken now. */
static size_t takeable(struct http_connection *self)
{
    struct http_body *incoming = self->exchange->incoming;
    size_t room = incoming ? http_body_room(incoming) : SIZE_MAX;
    if (room == 0) /* the handler is slow, not the client */
        self->deadline_us = clock_now_us() + ANSWER_US;
    return self->in_size < room ? self->in_size : room;
}

static int read_body(struct http_connection *self)
{
    struct http_body *incoming = self->exchange->incoming;
    if (incoming && atomic_load(&self->exchange->replied)) {
        self->close_after = true; /* the rest is not wanted */
        set_phase(self, WAITS, ANSWER_US);
        return OW_OK;
    }
    size_t used = 0, size = 0, there = takeable(self);
    const char *piece = self->in;
    if (!self->head.chunked) {
        used = size = there < self->body_left ? there : (size_t)self->body_left;
        self->body_left -= size;
    } else if (http_chunks_read(&self->chunks, self->in, there, &used, &piece, &size) != OW_OK) {
        refuse(self, 400, "The chunks of the body are not well formed.");
        return OW_OK;
    }
    if (size > 0 && keep(self, piece, size) != OW_OK)
        return OW_ECLOSED;
    take(self, used);
    bool complete =
        self->head.chunked ? self->chunks.state == HTTP_CHUNKS_DONE : self->body_left == 0;
    if (complete || self->discarded > DISCARD_BYTES) {
        self->close_after |= !complete;
        if (incoming)
            http_body_finish(incoming);
        request_complete(self);
        return OW_OK;
    }
    return used > 0 ? OW_OK : OW_EAGAIN;
}

/* -- the connection -- */

/* As far as it goes with what is there. OW_ECLOSED: to be closed. */
static int advance(struct http_connection *self)
{
    int rc = OW_OK;
    while (rc == OW_OK) {
        switch (self->phase) {
        case READS_HEAD:
            rc = read_head(self);
            break;
        case READS_BODY:
            rc = read_body(self);
            break;
        case WAITS:
        case WRITES:
            rc = atomic_load(&self->exchange->replied) ? write_answer(self) : OW_EAGAIN;
            break;
        case STREAMS:
            rc = write_stream(self);
            break;
        case LINGERS:
            self->in_size = 0;
            rc = OW_EAGAIN;
            break;
        }
    }
    bool client_counts = self->phase != WAITS && self->phase != WRITES;
    if (rc == OW_EAGAIN && self->ended && client_counts)
        return OW_ECLOSED;
    return rc == OW_EAGAIN ? OW_OK : rc;
}

/* While an answer is awaited, what comes in is kept up to the buffer's size; then the client's
 * window closes. At its end there is nothing to be told of any more. */
static void steer_reading(struct http_connection *self)
{
    bool off = self->ended || self->in_size == sizeof self->in;
    if (off != self->reading_off)
        lws_rx_flow_control(self->wsi, !off);
    self->reading_off = off;
}

static int on_readable(struct http_connection *self)
{
    if (self->in_size == sizeof self->in || self->ended)
        return 0;
    bool was_empty = self->in_size == 0;
    ssize_t got = recv(self->fd, self->in + self->in_size, sizeof self->in - self->in_size, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    self->ended = got == 0;
    self->in_size += (size_t)got;
    if (self->phase == READS_HEAD && was_empty && self->refusal == 0)
        self->deadline_us = clock_now_us() + HEAD_US;
    else if (self->phase == READS_BODY)
        self->deadline_us = clock_now_us() + PIECE_US;
    if (advance(self) != OW_OK)
        return -1;
    steer_reading(self);
    return 0;
}

/* The library forgets what it is asked for from within this callback, so if that was to be called
 * again, it is asked anew by http_connections_look_for_answers(). */
static int on_writable(struct http_connection *self)
{
    self->blocked = false;
    if (advance(self) != OW_OK)
        return -1;
    if (self->blocked)
        http_server_wake(self->server);
    steer_reading(self);
    return 0;
}

static void free_connection(struct http_connection *self)
{
    struct http_connection **link = &self->server->connections;
    while (*link && *link != self)
        link = &(*link)->next;
    if (*link)
        *link = self->next;
    self->server->connection_count--;
    drop_exchange(self);
    http_message_unref(&self->piece);
    free(self);
}

void http_connection_open(struct http_server *server, int fd, const struct address *peer,
                          const struct address *local, bool secure)
{
    int refusal = http_admission(server, peer);
    struct http_connection *self = refusal >= 0 ? calloc(1, sizeof *self) : NULL;
    if (!self) {
        close(fd);
        return;
    }
    self->refusal = refusal;
    int on = 1, unsent = UNSENT_BYTES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    self->server = server;
    self->fd = fd;
    self->peer = *peer;
    self->local = *local;
    self->secure = secure;
    set_phase(self, READS_HEAD, refusal == 0 ? IDLE_US : LINGER_US);
    lws_sock_file_fd_type descriptor = {.filefd = fd};
    self->wsi = lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                           "http", NULL);
    if (!self->wsi) {
        free(self);
        return;
    }
    self->next = server->connections;
    server->connections = self;
    server->connection_count++;
    lws_set_opaque_user_data(self->wsi, self);
}

int http_connections_count(const struct http_server *server, const struct address *peer)
{
    int count = 0;
    for (const struct http_connection *i = server->connections; i; i = i->next)
        count += address_same_ip(&i->peer, peer);
    return count;
}

/* Have its handler or the thread that feeds it done something that it waits for? */
static bool has_news(const struct http_connection *self)
{
    struct http_exchange *exchange = self->exchange;
    if (self->blocked)
        return true;
    switch (self->phase) {
    case WAITS:
        return atomic_load(&exchange->replied);
    case READS_BODY:
        return exchange->incoming &&
               (atomic_load(&exchange->replied) || http_body_wants_more(exchange->incoming));
    case STREAMS:
        return atomic_load(&exchange->stream_changed);
    default:
        return false;
    }
}

void http_connections_look_for_answers(struct http_server *server)
{
    for (struct http_connection *i = server->connections; i; i = i->next)
        if (has_news(i))
            lws_callback_on_writable(i->wsi);
}

bool http_connections_owe(const struct http_server *server)
{
    for (const struct http_connection *i = server->connections; i; i = i->next)
        if (i->phase == WRITES ||
            (i->phase != STREAMS && i->exchange && atomic_load(&i->exchange->replied)))
            return true;
    return false;
}

/* A stream goes no longer than the log-in that it was asked for with. */
static bool session_ended(const struct http_connection *self, int64_t now_us)
{
    uint64_t session = self->exchange->request.session;
    return session != 0 && !http_auth_session_lives(self->server->settings.auth, session, now_us);
}

void http_connections_expire(struct http_server *server)
{
    int64_t now_us = clock_now_us();
    for (struct http_connection *i = server->connections; i; i = i->next)
        if (now_us >= i->deadline_us || (i->phase == STREAMS && session_ended(i, now_us))) {
            i->deadline_us = INT64_MAX;
            lws_set_timeout(i->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        }
}

int http_connection_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                             void *in, size_t size)
{
    (void)user;
    (void)in;
    (void)size;
    struct http_connection *self = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!self)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
        return on_readable(self);
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        return on_writable(self);
    case LWS_CALLBACK_RAW_CLOSE_FILE:
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        free_connection(self);
        return 0;
    default:
        return 0;
    }
}
