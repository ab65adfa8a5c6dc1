/* Handlers of routes whose bodies are taken in piece by piece. They may last as long as their
 * client takes, so each has a thread of its own instead of one of the few workers. */
#include "net/http_internal.h"

#include <stdlib.h>

struct stream {
    struct http_streams *streams;
    struct http_exchange *exchange; /* own reference */
};

static void *stream_thread(void *argument)
{
    struct stream *stream = argument;
    struct http_streams *streams = stream->streams;
    stream->exchange->route->handle(stream->exchange->context, stream->exchange);
    http_exchange_unref(&stream->exchange);
    free(stream);
    pthread_mutex_lock(&streams->lock);
    streams->count--;
    pthread_cond_signal(&streams->ended);
    pthread_mutex_unlock(&streams->lock);
    return NULL;
}

void http_streams_init(struct http_streams *streams)
{
    streams->count = 0;
    pthread_mutex_init(&streams->lock, NULL);
    pthread_cond_init(&streams->ended, NULL);
}

static int run(struct stream *stream)
{
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached) != 0)
        return OW_ENOMEM;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &detached, stream_thread, stream) == 0 ? OW_OK : OW_ENOMEM;
    pthread_attr_destroy(&detached);
    return rc;
}

int http_streams_add(struct http_streams *streams, struct http_exchange *exchange)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return OW_ENOMEM;
    *stream = (struct stream){streams, http_exchange_ref(exchange)};
    int rc = OW_ELIMIT;
    pthread_mutex_lock(&streams->lock);
    if (streams->count < HTTP_MAX_STREAMS)
        rc = run(stream);
    streams->count += rc == OW_OK;
    pthread_mutex_unlock(&streams->lock);
    if (rc != OW_OK) {
        http_exchange_unref(&stream->exchange);
        free(stream);
    }
    return rc;
}

void http_streams_finish(struct http_streams *streams)
{
    pthread_mutex_lock(&streams->lock);
    while (streams->count > 0)
        pthread_cond_wait(&streams->ended, &streams->lock);
    pthread_mutex_unlock(&streams->lock);
    pthread_cond_destroy(&streams->ended);
    pthread_mutex_destroy(&streams->lock);
}
