#include "net/media_sessions.h"

#include "core/random.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

struct record {
    struct record *next;
    char id[MEDIA_SESSION_ID_BYTES];
    struct address from;
    bool connected;
    int thread; /* -1 before it is assigned */
    struct media_viewer *viewer;
};

struct ended {
    char id[MEDIA_SESSION_ID_BYTES];
    struct media_session_status last;
};

struct media_sessions {
    pthread_mutex_t lock;
    struct media_session_limits limits;
    struct random_source random;
    int count;
    struct record *buckets[BUCKETS];
    unsigned ended_count; /* ever */
    struct ended ended[MEDIA_SESSIONS_REMEMBERED];
};

int media_sessions_create(struct media_sessions **out, const struct media_session_limits *limits)
{
    struct media_sessions *self = calloc(1, sizeof *self);
    if (!self)
        return OW_ENOMEM;
    self->limits = *limits;
    random_system(&self->random);
    pthread_mutex_init(&self->lock, NULL);
    *out = self;
    return OW_OK;
}

void media_sessions_destroy(struct media_sessions **sessions)
{
    struct media_sessions *self = *sessions;
    if (!self)
        return;
    for (int i = 0; i < BUCKETS; i++) {
        for (struct record *at = self->buckets[i], *next; at; at = next) {
            next = at->next;
            free(at);
        }
    }
    pthread_mutex_destroy(&self->lock);
    free(self);
    *sessions = NULL;
}

/* Ids are random: any of their digits will do. Strings of strangers have any length. */
static struct record **bucket_of(struct media_sessions *self, const char *id)
{
    unsigned hash = 0;
    for (int i = 0; i < 8 && id[i]; i++)
        hash = hash * 31 + (unsigned char)id[i];
    return &self->buckets[hash % BUCKETS];
}

static struct record *find(struct media_sessions *self, const char *id)
{
    for (struct record *i = *bucket_of(self, id); i; i = i->next)
        if (strcmp(i->id, id) == 0)
            return i;
    return NULL;
}

static int check_limits(const struct media_sessions *self, const struct address *from,
                        struct reason *why)
{
    if (self->count >= self->limits.sessions)
        return reason_set(
            why, OW_ELIMIT,
            "There are as many viewers as there may be (%d, --max-viewers): close some "
            "first.",
            self->count);
    if (!from || from->family == ADDRESS_NONE)
        return OW_OK;
    int unconnected = 0;
    for (int i = 0; i < BUCKETS; i++)
        for (const struct record *at = self->buckets[i]; at; at = at->next)
            unconnected += !at->connected && address_same_ip(&at->from, from);
    if (unconnected < self->limits.unconnected_per_ip)
        return OW_OK;
    return reason_set(why, OW_ELIMIT,
                      "%d connections from your address are waiting to be established: try again "
                      "in half a minute.",
                      unconnected);
}

static void make_id(struct random_source *random, char id[MEDIA_SESSION_ID_BYTES])
{
    uint8_t bytes[(MEDIA_SESSION_ID_BYTES - 1) / 2];
    random->fill(random, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

int media_sessions_open(struct media_sessions *self, const struct address *from,
                        char id[MEDIA_SESSION_ID_BYTES], struct reason *why)
{
    struct record *record = calloc(1, sizeof *record);
    if (!record)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    record->thread = -1;
    if (from)
        record->from = *from;
    pthread_mutex_lock(&self->lock);
    int rc = check_limits(self, from, why);
    if (rc == OW_OK) {
        make_id(&self->random, record->id);
        memcpy(id, record->id, MEDIA_SESSION_ID_BYTES);
        struct record **bucket = bucket_of(self, record->id);
        record->next = *bucket;
        *bucket = record;
        self->count++;
        record = NULL;
    }
    pthread_mutex_unlock(&self->lock);
    free(record);
    return rc;
}

void media_sessions_assign(struct media_sessions *self, const char *id, int thread,
                           struct media_viewer *viewer)
{
    pthread_mutex_lock(&self->lock);
    struct record *record = find(self, id);
    if (record) {
        record->thread = thread;
        record->viewer = viewer;
    }
    pthread_mutex_unlock(&self->lock);
}

void media_sessions_connected(struct media_sessions *self, const char *id)
{
    pthread_mutex_lock(&self->lock);
    struct record *record = find(self, id);
    if (record)
        record->connected = true;
    pthread_mutex_unlock(&self->lock);
}

void media_sessions_close(struct media_sessions *self, const char *id,
                          const struct media_session_status *last)
{
    pthread_mutex_lock(&self->lock);
    struct record *record = find(self, id);
    if (record) {
        struct record **link = bucket_of(self, id);
        while (*link != record)
            link = &(*link)->next;
        *link = record->next;
        self->count--;
    }
    if (record && last) {
        struct ended *ended = &self->ended[self->ended_count++ % MEDIA_SESSIONS_REMEMBERED];
        memcpy(ended->id, record->id, sizeof ended->id);
        ended->last = *last;
    }
    pthread_mutex_unlock(&self->lock);
    free(record);
}

int media_sessions_thread(struct media_sessions *self, const char *id)
{
    pthread_mutex_lock(&self->lock);
    const struct record *record = find(self, id);
    int thread = record ? record->thread : -1;
    pthread_mutex_unlock(&self->lock);
    return thread;
}

struct media_viewer *media_sessions_viewer(struct media_sessions *self, const char *id)
{
    pthread_mutex_lock(&self->lock);
    const struct record *record = find(self, id);
    struct media_viewer *viewer = record ? record->viewer : NULL;
    pthread_mutex_unlock(&self->lock);
    return viewer;
}

int media_sessions_last(struct media_sessions *self, const char *id,
                        struct media_session_status *out)
{
    pthread_mutex_lock(&self->lock);
    int rc = OW_ENOTFOUND;
    for (int i = 0; i < MEDIA_SESSIONS_REMEMBERED && rc != OW_OK; i++) {
        if (strcmp(self->ended[i].id, id) != 0 || !id[0])
            continue;
        *out = self->ended[i].last;
        rc = OW_OK;
    }
    pthread_mutex_unlock(&self->lock);
    return rc;
}
