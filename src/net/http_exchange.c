/* Requests and answers, and the workers that handlers may block. */
#include "net/http_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int http_exchange_create(struct http_exchange **out, struct http_server *server)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return OW_ENOMEM;
    exchange->request.body = calloc(1, 1);
    if (!exchange->request.body) {
        free(exchange);
        return OW_ENOMEM;
    }
    atomic_init(&exchange->refs, 1);
    pthread_mutex_init(&exchange->lock, NULL);
    exchange->server = server;
    exchange->file = -1;
    *out = exchange;
    return OW_OK;
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

struct http_exchange *http_exchange_ref(struct http_exchange *exchange)
{
    atomic_fetch_add(&exchange->refs, 1);
    return exchange;
}

void http_exchange_unref(struct http_exchange **exchange)
{
    struct http_exchange *self = *exchange;
    *exchange = NULL;
    if (!self || atomic_fetch_sub(&self->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&self->lock);
    http_body_destroy(&self->incoming);
    http_message_unref(&self->latest);
    free(self->request.body);
    free(self->headers);
    free(self->body);
    if (self->file >= 0)
        close(self->file);
    free(self);
}

void http_exchange_detach(struct http_exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    exchange->server = NULL;
    pthread_mutex_unlock(&exchange->lock);
    if (exchange->incoming)
        http_body_break(exchange->incoming);
}

int http_read_body(struct http_exchange *exchange, void *out, size_t room, size_t *size)
{
    bool made_room = false;
    int rc = http_body_take(exchange->incoming, out, room, size, &made_room);
    pthread_mutex_lock(&exchange->lock);
    if (made_room && exchange->server)
        http_server_wake(exchange->server);
    pthread_mutex_unlock(&exchange->lock);
    return rc;
}

struct answer {
    int status;
    const char *type, *headers;
    const void *body;
    size_t size;
    bool streams;
    int file; /* -1 = none */
    uint64_t first, file_size;
};

static void reply(struct http_exchange *exchange, const struct answer *answer)
{
    uint8_t *copy = malloc(HTTP_HEADROOM + answer->size + 1);
    char *header_copy = answer->headers ? strdup(answer->headers) : NULL;
    pthread_mutex_lock(&exchange->lock);
    if (atomic_load(&exchange->replied)) {
        pthread_mutex_unlock(&exchange->lock);
        free(copy);
        free(header_copy);
        if (answer->file >= 0)
            close(answer->file);
        return;
    }
    if (copy && answer->size > 0)
        memcpy(copy + HTTP_HEADROOM, answer->body, answer->size);
    exchange->status = copy ? answer->status : 503;
    exchange->body = copy;
    exchange->body_size = copy ? answer->size : 0;
    exchange->file = answer->file;
    exchange->file_first = answer->first;
    exchange->file_size = copy ? answer->file_size : 0;
    exchange->streams = answer->streams && copy;
    exchange->headers = header_copy;
    snprintf(exchange->type, sizeof exchange->type, "%s", answer->type);
    atomic_store(&exchange->replied, true);
    if (exchange->server)
        http_server_wake(exchange->server);
    pthread_mutex_unlock(&exchange->lock);
}

void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *body, size_t size, const char *headers)
{
    reply(exchange, &(struct answer){.status = status,
                                     .type = content_type,
                                     .headers = headers,
                                     .body = body,
                                     .size = size,
                                     .file = -1});
}

void http_reply_file(struct http_exchange *exchange, int status, const char *content_type, int fd,
                     uint64_t first, uint64_t size, const char *headers)
{
    reply(exchange, &(struct answer){.status = status,
                                     .type = content_type,
                                     .headers = headers,
                                     .file = fd,
                                     .first = first,
                                     .file_size = size});
}

/* -- answers without an end -- */

void http_reply_stream(struct http_exchange *exchange, const char *content_type, const void *body,
                       size_t size, const char *headers)
{
    reply(exchange, &(struct answer){.status = 200,
                                     .type = content_type,
                                     .headers = headers,
                                     .body = body,
                                     .size = size,
                                     .streams = true,
                                     .file = -1});
}

static bool change_stream(struct http_exchange *exchange, struct http_message *latest, bool over)
{
    struct http_message *replaced = NULL;
    pthread_mutex_lock(&exchange->lock);
    bool there = exchange->server != NULL;
    if (there) {
        replaced = exchange->latest;
        exchange->latest = latest;
        exchange->stream_over |= over;
        atomic_store(&exchange->stream_changed, true);
        http_server_wake(exchange->server);
    }
    pthread_mutex_unlock(&exchange->lock);
    http_message_unref(&replaced);
    return there;
}

bool http_stream_latest(struct http_exchange *exchange, struct http_message *message)
{
    struct http_message *own = http_message_ref(message);
    bool there = change_stream(exchange, own, false);
    if (!there)
        http_message_unref(&own);
    return there;
}

bool http_stream_waits(struct http_exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    bool waits = exchange->latest != NULL;
    pthread_mutex_unlock(&exchange->lock);
    return waits;
}

bool http_exchange_is_open(struct http_exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    bool open = exchange->server != NULL;
    pthread_mutex_unlock(&exchange->lock);
    return open;
}

void http_stream_end(struct http_exchange *exchange)
{
    (void)change_stream(exchange, NULL, true);
}

/* Control characters cannot come from our sentences but may from a path echoed in one. */
static size_t escape(char *out, size_t room, const char *text)
{
    size_t at = 0;
    for (; *text && at + 7 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            out[at++] = '\\';
            out[at++] = (char)c;
        } else if (c < 0x20) {
            at += (size_t)snprintf(out + at, room - at, "\\u%04x", c);
        } else {
            out[at++] = (char)c;
        }
    }
    out[at] = '\0';
    return at;
}

void http_reply_error(struct http_exchange *exchange, int status, const char *detail)
{
    char escaped[1024], body[1100];
    escape(escaped, sizeof escaped, detail);
    int size = snprintf(body, sizeof body, "{\"detail\": \"%s\"}", escaped);
    http_reply(exchange, status, "application/json", body, (size_t)size,
               "Cache-Control: no-store\r\n");
}

struct http_workers {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool quit;
    int first, count, thread_count;
    struct http_exchange *jobs[HTTP_MAX_JOBS];
    pthread_t threads[HTTP_WORKERS];
};

static void *worker_thread(void *argument)
{
    struct http_workers *workers = argument;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (workers->count == 0 && !workers->quit)
            pthread_cond_wait(&workers->changed, &workers->lock);
        if (workers->quit)
            break;
        struct http_exchange *exchange = workers->jobs[workers->first];
        workers->first = (workers->first + 1) % HTTP_MAX_JOBS;
        workers->count--;
        pthread_mutex_unlock(&workers->lock);
        exchange->route->handle(exchange->context, exchange);
        http_exchange_unref(&exchange);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

int http_workers_start(struct http_workers **out)
{
    struct http_workers *workers = calloc(1, sizeof *workers);
    if (!workers)
        return OW_ENOMEM;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->changed, NULL);
    for (int i = 0; i < HTTP_WORKERS; i++) {
        if (pthread_create(&workers->threads[i], NULL, worker_thread, workers) != 0) {
            http_workers_destroy(&workers);
            return OW_EIO;
        }
        workers->thread_count++;
    }
    *out = workers;
    return OW_OK;
}

int http_workers_add(struct http_workers *workers, struct http_exchange *exchange)
{
    int rc = OW_ELIMIT;
    pthread_mutex_lock(&workers->lock);
    if (workers->count < HTTP_MAX_JOBS && !workers->quit) {
        int at = (workers->first + workers->count++) % HTTP_MAX_JOBS;
        workers->jobs[at] = http_exchange_ref(exchange);
        pthread_cond_signal(&workers->changed);
        rc = OW_OK;
    }
    pthread_mutex_unlock(&workers->lock);
    return rc;
}

void http_workers_stop(struct http_workers *self)
{
    pthread_mutex_lock(&self->lock);
    self->quit = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    for (int i = 0; i < self->thread_count; i++)
        pthread_join(self->threads[i], NULL);
    self->thread_count = 0;
    for (; self->count > 0; self->count--) {
        http_reply_error(self->jobs[self->first], 503, "The server is stopping.");
        http_exchange_unref(&self->jobs[self->first]);
        self->first = (self->first + 1) % HTTP_MAX_JOBS;
    }
}

void http_workers_destroy(struct http_workers **workers)
{
    struct http_workers *self = *workers;
    if (!self)
        return;
    *workers = NULL;
    http_workers_stop(self);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    free(self);
}
