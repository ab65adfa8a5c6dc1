#include "workflow/source_hub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 1024, FORMAT_BYTES = 32 };

struct source_tap {
    struct source_tap *next;
    struct shared_source *shared;
    void (*on_frame)(void *context, struct frame *frame);
    void *context;
};

struct shared_source {
    struct shared_source *next;
    struct source_settings settings; /* its texts are the two below */
    char url[URL_BYTES], pixel_format[FORMAT_BYTES];
    struct source *source;
    pthread_mutex_t lock; /* guards the taps; held while a frame is handed on */
    struct source_tap *taps;
    pthread_mutex_t last_lock; /* guards `last`; nothing is waited for under it */
    struct frame *last;
};

struct source_hub {
    pthread_mutex_t lock; /* guards the list; held while a source opens or closes */
    struct shared_source *sources;
};

int source_hub_create(struct source_hub **out)
{
    struct source_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return OW_ENOMEM;
    pthread_mutex_init(&hub->lock, NULL);
    *out = hub;
    return OW_OK;
}

void source_hub_destroy(struct source_hub **hub)
{
    if (!*hub)
        return;
    pthread_mutex_destroy(&(*hub)->lock);
    free(*hub);
    *hub = NULL;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_number(double a, double b)
{
    return !(a < b) && !(b < a);
}

static bool are_same(const struct source_settings *a, const struct source_settings *b)
{
    return same_text(a->url, b->url) && same_text(a->pixel_format, b->pixel_format) &&
           same_number(a->fps, b->fps) && same_number(a->playback_speed, b->playback_speed) &&
           a->loop == b->loop && a->resolution_scale == b->resolution_scale &&
           a->skip_similar == b->skip_similar && a->width == b->width && a->height == b->height &&
           a->moving_objects == b->moving_objects && a->clock == b->clock;
}

bool source_hub_has(struct source_hub *hub, const char *url)
{
    pthread_mutex_lock(&hub->lock);
    const struct shared_source *i = hub->sources;
    while (i && strcmp(i->url, url) != 0)
        i = i->next;
    pthread_mutex_unlock(&hub->lock);
    return i != NULL;
}

static void hand_on(void *context, struct frame *frame)
{
    struct shared_source *shared = context;
    pthread_mutex_lock(&shared->lock);
    pthread_mutex_lock(&shared->last_lock);
    struct frame *before = shared->last;
    shared->last = frame_ref(frame);
    pthread_mutex_unlock(&shared->last_lock);
    for (struct source_tap *tap = shared->taps; tap; tap = tap->next)
        tap->on_frame(tap->context, frame);
    pthread_mutex_unlock(&shared->lock);
    frame_unref(&before);
}

static void free_shared(struct shared_source *shared)
{
    frame_unref(&shared->last);
    pthread_mutex_destroy(&shared->last_lock);
    pthread_mutex_destroy(&shared->lock);
    free(shared);
}

/* A tap gets frames from the first one on: it stands in the list before the source starts. */
static int open_shared(struct source_hub *hub, const struct source_settings *settings,
                       struct source_tap *tap, struct reason *why)
{
    struct shared_source *shared = calloc(1, sizeof *shared);
    if (!shared)
        return reason_set(why, OW_ENOMEM, "out of memory");
    shared->settings = *settings;
    snprintf(shared->url, sizeof shared->url, "%s", settings->url);
    shared->settings.url = shared->url;
    if (settings->pixel_format) {
        snprintf(shared->pixel_format, sizeof shared->pixel_format, "%s", settings->pixel_format);
        shared->settings.pixel_format = shared->pixel_format;
    }
    pthread_mutex_init(&shared->lock, NULL);
    pthread_mutex_init(&shared->last_lock, NULL);
    tap->shared = shared;
    shared->taps = tap;
    int rc = source_start(&shared->source, &shared->settings, hand_on, shared, why);
    if (rc < 0) {
        free_shared(shared);
        return rc;
    }
    shared->next = hub->sources;
    hub->sources = shared;
    return OW_OK;
}

static void join_shared(struct shared_source *shared, struct source_tap *tap)
{
    pthread_mutex_lock(&shared->lock);
    tap->shared = shared;
    tap->next = shared->taps;
    shared->taps = tap;
    pthread_mutex_unlock(&shared->lock);
}

/* Plays or may come to: one that has ended gives nothing more to anybody. */
static bool is_alive(const struct shared_source *shared)
{
    struct source_status status;
    source_status(shared->source, &status);
    return status.state != SOURCE_ENDED;
}

int source_hub_join(struct source_hub *hub, const struct source_settings *settings,
                    void (*on_frame)(void *context, struct frame *frame), void *context,
                    struct source_tap **out, struct reason *why)
{
    struct source_tap *tap = calloc(1, sizeof *tap);
    if (!tap)
        return reason_set(why, OW_ENOMEM, "out of memory");
    tap->on_frame = on_frame;
    tap->context = context;
    int rc = OW_OK;
    pthread_mutex_lock(&hub->lock);
    struct shared_source *shared = hub->sources;
    while (shared && !(are_same(&shared->settings, settings) && is_alive(shared)))
        shared = shared->next;
    if (shared)
        join_shared(shared, tap);
    else
        rc = open_shared(hub, settings, tap, why);
    pthread_mutex_unlock(&hub->lock);
    if (rc == OW_OK)
        *out = tap;
    else
        free(tap);
    return rc;
}

static bool remove_tap(struct shared_source *shared, struct source_tap *tap)
{
    pthread_mutex_lock(&shared->lock);
    struct source_tap **link = &shared->taps;
    while (*link != tap)
        link = &(*link)->next;
    *link = tap->next;
    bool last = !shared->taps;
    pthread_mutex_unlock(&shared->lock);
    return last;
}

void source_hub_leave(struct source_hub *hub, struct source_tap **tap)
{
    if (!*tap)
        return;
    struct shared_source *shared = (*tap)->shared;
    pthread_mutex_lock(&hub->lock);
    bool last = remove_tap(shared, *tap);
    if (last) {
        struct shared_source **link = &hub->sources;
        while (*link != shared)
            link = &(*link)->next;
        *link = shared->next;
    }
    pthread_mutex_unlock(&hub->lock);
    if (last) { /* nobody can find it any more: others need not wait while it closes */
        source_stop(&shared->source);
        free_shared(shared);
    }
    free(*tap);
    *tap = NULL;
}

void source_tap_status(struct source_tap *tap, struct source_status *out)
{
    source_status(tap->shared->source, out);
}

struct frame *source_tap_last(struct source_tap *tap)
{
    pthread_mutex_lock(&tap->shared->last_lock);
    struct frame *last = tap->shared->last ? frame_ref(tap->shared->last) : NULL;
    pthread_mutex_unlock(&tap->shared->last_lock);
    return last;
}
