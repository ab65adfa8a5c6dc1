#include "net/http_body.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct http_body {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    size_t first, count;
    bool finished, broken;
    bool starved; /* the writer found no room */
    char ring[HTTP_BODY_RING_BYTES];
};

int http_body_create(struct http_body **out)
{
    struct http_body *body = calloc(1, sizeof *body);
    if (!body)
        return OW_ENOMEM;
    pthread_mutex_init(&body->lock, NULL);
    pthread_cond_init(&body->changed, NULL);
    *out = body;
    return OW_OK;
}

void http_body_destroy(struct http_body **body)
{
    struct http_body *self = *body;
    *body = NULL;
    if (!self)
        return;
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

size_t http_body_room(struct http_body *self)
{
    pthread_mutex_lock(&self->lock);
    size_t room = sizeof self->ring - self->count;
    self->starved = room == 0;
    pthread_mutex_unlock(&self->lock);
    return room;
}

void http_body_put(struct http_body *self, const void *data, size_t size)
{
    pthread_mutex_lock(&self->lock);
    size_t at = (self->first + self->count) % sizeof self->ring;
    size_t straight = size < sizeof self->ring - at ? size : sizeof self->ring - at;
    memcpy(self->ring + at, data, straight);
    memcpy(self->ring, (const char *)data + straight, size - straight);
    self->count += size;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void end(struct http_body *self, bool *how)
{
    pthread_mutex_lock(&self->lock);
    *how = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void http_body_finish(struct http_body *self)
{
    end(self, &self->finished);
}

void http_body_break(struct http_body *self)
{
    end(self, &self->broken);
}

bool http_body_wants_more(struct http_body *self)
{
    pthread_mutex_lock(&self->lock);
    bool wants = self->starved && self->count < sizeof self->ring;
    pthread_mutex_unlock(&self->lock);
    return wants;
}

int http_body_take(struct http_body *self, void *out, size_t room, size_t *size, bool *made_room)
{
    pthread_mutex_lock(&self->lock);
    while (self->count == 0 && !self->finished && !self->broken)
        pthread_cond_wait(&self->changed, &self->lock);
    bool lost = self->broken && !self->finished;
    size_t taken = lost ? 0 : self->count < room ? self->count : room;
    size_t straight =
        taken < sizeof self->ring - self->first ? taken : sizeof self->ring - self->first;
    memcpy(out, self->ring + self->first, straight);
    memcpy((char *)out + straight, self->ring, taken - straight);
    self->first = (self->first + taken) % sizeof self->ring;
    self->count -= taken;
    *size = taken;
    *made_room = self->starved && taken > 0;
    pthread_mutex_unlock(&self->lock);
    return lost ? OW_ECLOSED : OW_OK;
}
