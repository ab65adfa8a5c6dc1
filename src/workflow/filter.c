#include "workflow/filter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct filter {
    atomic_int refs;
    pthread_mutex_t lock;            /* guards what follows */
    struct filter_settings settings; /* its classes are an own reference */
    struct zone_watch watch;
    struct filter_status status;
};

int filter_create(struct filter **out, const struct filter_settings *settings)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (!filter)
        return OW_ENOMEM;
    atomic_init(&filter->refs, 1);
    pthread_mutex_init(&filter->lock, NULL);
    filter->settings = *settings;
    json_incref(settings->classes);
    filter->status.kind = settings->kind;
    *out = filter;
    return OW_OK;
}

struct filter *filter_ref(struct filter *filter)
{
    atomic_fetch_add(&filter->refs, 1);
    return filter;
}

void filter_unref(struct filter **filter)
{
    struct filter *self = *filter;
    *filter = NULL;
    if (!self || atomic_fetch_sub(&self->refs, 1) != 1)
        return;
    json_decref(self->settings.classes);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void filter_configure(struct filter *filter, const struct filter_settings *settings)
{
    json_incref(settings->classes);
    pthread_mutex_lock(&filter->lock);
    json_t *before = filter->settings.classes;
    if (!zone_is_same(&filter->settings.shape, &settings->shape)) {
        struct zone_counts counts = filter->watch.counts;
        filter->watch = (struct zone_watch){.counts = counts};
    }
    filter->settings = *settings;
    pthread_mutex_unlock(&filter->lock);
    json_decref(before);
}

/* ---- what passes ---- */

static bool is_listed(const json_t *classes, const struct detections *in,
                      const struct detection *object)
{
    char scratch[16];
    const char *name = label_set_name(in->labels, object->class_id, scratch);
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const json_t *entry = json_array_get(classes, i);
        const char *text = json_string_value(entry);
        if (text ? strcmp(text, name) == 0 : json_integer_value(entry) == object->class_id)
            return true;
    }
    return false;
}

static bool is_wanted(const struct filter_settings *s, const struct detections *in,
                      const struct detection *object)
{
    if (object->confidence < s->min_confidence)
        return false;
    if (json_array_size(s->classes) > 0 && is_listed(s->classes, in, object) == s->exclude)
        return false;
    if (s->kind != FILTER_ZONE || s->passes == ZONE_PASS_ALL || s->shape.kind == ZONE_LINE)
        return true;
    bool inside =
        zone_contains(&s->shape, in->source_width, in->source_height, zone_anchor(in, object));
    return inside == (s->passes == ZONE_PASS_INSIDE);
}

static enum filter_verdict judge(const struct filter_settings *s, int count)
{
    bool fits = count >= s->min_count && (s->max_count == 0 || count <= s->max_count);
    if (s->only_when_detections && (!fits || count == 0))
        return FILTER_HOLDS;
    return fits ? FILTER_PASSES : FILTER_EMPTIES;
}

static int select_wanted(const struct filter_settings *s, const struct detections *in,
                         struct detections **out)
{
    struct detections *passing = NULL;
    int rc = detections_create_like(&passing, in, in->count);
    if (rc < 0)
        return rc;
    for (int i = 0; i < in->count; i++)
        if (is_wanted(s, in, &in->items[i]))
            detections_append(passing, &in->items[i]);
    *out = passing;
    return OW_OK;
}

enum filter_verdict filter_apply(struct filter *filter, const struct detections *in,
                                 struct detections **out)
{
    struct detections *passing = NULL;
    enum filter_verdict verdict = FILTER_EMPTIES;
    pthread_mutex_lock(&filter->lock);
    if (select_wanted(&filter->settings, in, &passing) == OW_OK)
        verdict = judge(&filter->settings, passing->count);
    pthread_mutex_unlock(&filter->lock);
    if (passing && verdict != FILTER_PASSES)
        detections_clear(passing);
    *out = passing;
    return verdict;
}

int filter_update(struct filter *filter, const struct detections *in, enum filter_verdict verdict,
                  int64_t now_us, struct zone_event *events, int max)
{
    int count = 0;
    struct detections *wanted = NULL;
    pthread_mutex_lock(&filter->lock);
    struct filter_settings everywhere = filter->settings;
    everywhere.passes = ZONE_PASS_ALL;
    if (everywhere.kind == FILTER_ZONE && select_wanted(&everywhere, in, &wanted) == OW_OK)
        count = zone_watch_update(&filter->watch, &everywhere.shape, &everywhere.times, wanted,
                                  now_us, events, max);
    struct filter_status *status = &filter->status;
    status->zone = filter->watch.counts;
    status->updated_us = now_us;
    status->verdict = verdict;
    if (verdict == FILTER_PASSES)
        status->passed++;
    else
        status->held++;
    pthread_mutex_unlock(&filter->lock);
    detections_unref(&wanted);
    return count;
}

void filter_read_status(struct filter *filter, struct filter_status *out)
{
    pthread_mutex_lock(&filter->lock);
    *out = filter->status;
    pthread_mutex_unlock(&filter->lock);
}

bool filter_read_zone(struct filter *filter, struct filter_zone *out)
{
    pthread_mutex_lock(&filter->lock);
    const struct filter_settings *settings = &filter->settings;
    bool is_zone = settings->kind == FILTER_ZONE;
    if (is_zone) {
        memcpy(out->id, settings->id, sizeof out->id);
        memcpy(out->name, settings->name, sizeof out->name);
        out->shape = settings->shape;
        out->counts = filter->watch.counts;
    }
    pthread_mutex_unlock(&filter->lock);
    return is_zone;
}
