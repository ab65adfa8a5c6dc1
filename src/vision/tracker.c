#include "vision/tracker.h"

#include "core/error.h"
#include "vision/nms.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    LOST_AFTER_US = 1000000,
    CONFIRMING_HITS = 2,
    TRACKS_MAX = 1024,
    AXES = 4, /* centre x, centre y, width, height */
};

static const float confirming_confidence = 0.8F; /* confirmed at the first sight */
static const float association_iou = 0.2F;
static const float smallest_side = 1.0F;

/* The steady gains that the filter's first, larger ones come down to: position quickly, so that a
 * turn is followed in a few frames; velocity and size slowly, because detectors' boxes tremble. */
static const double steady_alpha[AXES] = {0.6, 0.6, 0.35, 0.35};
static const double steady_beta[AXES] = {0.2, 0.2, 0.04, 0.04};

struct track {
    uint32_t id; /* 0: not confirmed yet */
    int class_id;
    float confidence;
    int hits;
    int64_t seen_us;
    double value[AXES], velocity[AXES]; /* pixels and pixels per second, at seen_us */
    struct object_shape *shape;         /* as last seen; own reference */
};

struct pair {
    float iou;
    int track, detection;
};

struct tracker {
    pthread_mutex_t lock;
    struct track *tracks;
    int count;
    uint32_t last_id;
    bool started;
    /* Of the last update. */
    int64_t capture_us;
    uint64_t frame_sequence;
    int source_width, source_height;
    struct label_set *labels;
};

static void measure(const struct detection *box, double value[AXES])
{
    value[0] = ((double)box->x1 + (double)box->x2) / 2;
    value[1] = ((double)box->y1 + (double)box->y2) / 2;
    value[2] = (double)box->x2 - (double)box->x1;
    value[3] = (double)box->y2 - (double)box->y1;
}

static bool is_measurable(const struct detection *box)
{
    return isfinite(box->x1) && isfinite(box->y1) && isfinite(box->x2) && isfinite(box->y2) &&
           box->x2 > box->x1 && box->y2 > box->y1;
}

/* Where the track stands at a time; its shape is lent. */
static struct detection place(const struct track *track, int64_t at_us)
{
    double seconds = (double)(at_us - track->seen_us) / 1e6;
    double value[AXES];
    for (int k = 0; k < AXES; k++)
        value[k] = track->value[k] + track->velocity[k] * seconds;
    double width = fmax(value[2], (double)smallest_side);
    double height = fmax(value[3], (double)smallest_side);
    return (struct detection){
        .class_id = track->class_id,
        .confidence = track->confidence,
        .x1 = (float)(value[0] - width / 2),
        .y1 = (float)(value[1] - height / 2),
        .x2 = (float)(value[0] + width / 2),
        .y2 = (float)(value[1] + height / 2),
        .track_id = track->id,
        .shape = track->shape,
    };
}

static void keep_shape(struct track *track, const struct detection *box)
{
    struct object_shape *shape = object_shape_ref(box->shape);
    object_shape_unref(&track->shape);
    track->shape = shape;
}

/* An alpha-beta filter whose gains fall as measurements come in, the expanding-memory polynomial
 * filter of degree 1 (Brookner, "Tracking and Kalman Filtering Made Easy", 1998, section 1.2.10):
 * the second measurement already gives the exact velocity of a steady object. */
static void correct(struct track *track, const struct detection *box, int64_t at_us)
{
    double measured[AXES];
    double seconds = (double)(at_us - track->seen_us) / 1e6;
    int n = track->hits; /* measurements before this one, at least 1 */
    double alpha = 2.0 * (2.0 * n + 1.0) / ((n + 1.0) * (n + 2.0));
    double beta = 6.0 / ((n + 1.0) * (n + 2.0));
    measure(box, measured);
    for (int k = 0; k < AXES; k++) {
        double expected = track->value[k] + track->velocity[k] * seconds;
        double residual = measured[k] - expected;
        track->value[k] = expected + fmax(alpha, steady_alpha[k]) * residual;
        if (seconds > 0)
            track->velocity[k] += fmax(beta, steady_beta[k]) * residual / seconds;
    }
    track->hits = n < 1000 ? n + 1 : n;
    track->seen_us = at_us;
    track->confidence = box->confidence;
    keep_shape(track, box);
}

static void confirm_if_due(struct tracker *tracker, struct track *track)
{
    if (track->id == 0 &&
        (track->hits >= CONFIRMING_HITS || track->confidence >= confirming_confidence))
        track->id = ++tracker->last_id;
}

static struct track *begin(struct tracker *tracker, const struct detection *box, int64_t at_us)
{
    if (tracker->count == TRACKS_MAX)
        return NULL;
    struct track *track = &tracker->tracks[tracker->count++];
    *track = (struct track){
        .class_id = box->class_id, .confidence = box->confidence, .hits = 1, .seen_us = at_us};
    measure(box, track->value);
    keep_shape(track, box);
    return track;
}

static bool is_lost(const struct track *track, int64_t at_us)
{
    return at_us - track->seen_us > LOST_AFTER_US;
}

/* Takes out tracks that were not seen for long, and unconfirmed ones that were missed at once. */
static void forget(struct tracker *tracker, int64_t at_us, bool unconfirmed_too)
{
    int kept = 0;
    for (int i = 0; i < tracker->count; i++) {
        struct track *track = &tracker->tracks[i];
        bool missed = unconfirmed_too && track->id == 0 && track->seen_us < at_us;
        if (!is_lost(track, at_us) && !missed)
            tracker->tracks[kept++] = *track;
        else
            object_shape_unref(&track->shape);
    }
    tracker->count = kept;
}

static void forget_all(struct tracker *tracker)
{
    for (int i = 0; i < tracker->count; i++)
        object_shape_unref(&tracker->tracks[i].shape);
    tracker->count = 0;
}

static int by_falling_overlap(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    if (a->iou != b->iou)
        return a->iou < b->iou ? 1 : -1;
    if (a->track != b->track)
        return a->track < b->track ? -1 : 1;
    return (a->detection > b->detection) - (a->detection < b->detection);
}

static size_t overlapping_pairs(const struct tracker *tracker, const struct detections *seen,
                                struct pair *pairs)
{
    size_t count = 0;
    for (int t = 0; t < tracker->count; t++) {
        struct detection expected = place(&tracker->tracks[t], seen->capture_us);
        for (int d = 0; d < seen->count; d++) {
            const struct detection *box = &seen->items[d];
            if (box->class_id != expected.class_id || !is_measurable(box))
                continue;
            float iou = box_iou(&expected, box);
            if (iou < association_iou)
                continue;
            if (pairs != NULL)
                pairs[count] = (struct pair){.iou = iou, .track = t, .detection = d};
            count++;
        }
    }
    return count;
}

/* match[d] = index of the track that detection d continues, or -1. */
static int associate(const struct tracker *tracker, const struct detections *seen, int *match)
{
    for (int d = 0; d < seen->count; d++)
        match[d] = -1;
    size_t count = overlapping_pairs(tracker, seen, NULL);
    if (count == 0)
        return OW_OK;
    struct pair *pairs = calloc(count, sizeof *pairs);
    bool *taken = calloc((size_t)tracker->count, sizeof *taken);
    if (pairs != NULL && taken != NULL) {
        overlapping_pairs(tracker, seen, pairs);
        qsort(pairs, count, sizeof *pairs, by_falling_overlap);
        for (size_t i = 0; i < count; i++) {
            if (taken[pairs[i].track] || match[pairs[i].detection] >= 0)
                continue;
            taken[pairs[i].track] = true;
            match[pairs[i].detection] = pairs[i].track;
        }
    }
    int result = pairs != NULL && taken != NULL ? OW_OK : OW_ENOMEM;
    free(pairs);
    free(taken);
    return result;
}

static int copy_detections(const struct detections *from, struct detections **out)
{
    struct detections *copy = NULL;
    int result = detections_create_like(&copy, from, from->count);
    if (result != OW_OK)
        return result;
    for (int i = 0; i < from->count; i++)
        detections_append(copy, &from->items[i]);
    *out = copy;
    return OW_OK;
}

static void apply(struct tracker *tracker, const int *match, struct detections *seen)
{
    for (int d = 0; d < seen->count; d++) {
        struct detection *box = &seen->items[d];
        struct track *track = NULL;
        box->track_id = 0;
        if (match[d] >= 0) {
            track = &tracker->tracks[match[d]];
            correct(track, box, seen->capture_us);
        } else if (is_measurable(box)) {
            track = begin(tracker, box, seen->capture_us);
        }
        if (track == NULL)
            continue;
        confirm_if_due(tracker, track);
        box->track_id = track->id;
    }
}

static void remember(struct tracker *tracker, const struct detections *seen)
{
    struct label_set *labels = label_set_ref(seen->labels);
    label_set_unref(&tracker->labels);
    tracker->labels = labels;
    tracker->started = true;
    tracker->capture_us = seen->capture_us;
    tracker->frame_sequence = seen->frame_sequence;
    tracker->source_width = seen->source_width;
    tracker->source_height = seen->source_height;
}

static int update_locked(struct tracker *tracker, const struct detections *detections,
                         struct detections **out)
{
    if (tracker->started && detections->capture_us < tracker->capture_us)
        return OW_EINVAL;
    struct detections *seen = NULL;
    int *match = calloc((size_t)detections->count + 1, sizeof *match);
    int result = match != NULL ? copy_detections(detections, &seen) : OW_ENOMEM;
    if (result != OW_OK)
        goto out;
    if (detections->source_width != tracker->source_width ||
        detections->source_height != tracker->source_height)
        forget_all(tracker); /* another picture: old places mean nothing in it */
    forget(tracker, detections->capture_us, false);
    result = associate(tracker, seen, match);
    if (result != OW_OK)
        goto out;
    apply(tracker, match, seen);
    forget(tracker, detections->capture_us, true);
    remember(tracker, seen);
    *out = seen;
    seen = NULL;
out:
    detections_unref(&seen);
    free(match);
    return result;
}

int tracker_update(struct tracker *tracker, const struct detections *detections,
                   struct detections **out)
{
    pthread_mutex_lock(&tracker->lock);
    int result = update_locked(tracker, detections, out);
    pthread_mutex_unlock(&tracker->lock);
    return result;
}

static int predict_locked(const struct tracker *tracker, int64_t capture_us,
                          struct detections **out)
{
    struct detections *made = NULL;
    int result = detections_create(&made, tracker->count, tracker->labels);
    if (result != OW_OK)
        return result;
    made->source_width = tracker->source_width;
    made->source_height = tracker->source_height;
    made->frame_sequence = tracker->frame_sequence;
    made->capture_us = capture_us;
    made->count = 0;
    for (int i = 0; i < tracker->count; i++) {
        const struct track *track = &tracker->tracks[i];
        if (track->id == 0 || is_lost(track, capture_us))
            continue;
        /* A frame that is older than the last inference is met by going back, as far as forward. */
        int64_t at_us = capture_us;
        if (track->seen_us - at_us > LOST_AFTER_US)
            at_us = track->seen_us - LOST_AFTER_US;
        const struct detection placed = place(track, at_us);
        detections_append(made, &placed);
    }
    *out = made;
    return OW_OK;
}

int tracker_predict(struct tracker *tracker, int64_t capture_us, struct detections **out)
{
    pthread_mutex_lock(&tracker->lock);
    int result = predict_locked(tracker, capture_us, out);
    pthread_mutex_unlock(&tracker->lock);
    return result;
}

int tracker_create(struct tracker **out)
{
    struct tracker *tracker = calloc(1, sizeof *tracker);
    if (tracker == NULL)
        return OW_ENOMEM;
    tracker->tracks = calloc(TRACKS_MAX, sizeof *tracker->tracks);
    if (tracker->tracks == NULL || pthread_mutex_init(&tracker->lock, NULL) != 0) {
        free(tracker->tracks);
        free(tracker);
        return OW_ENOMEM;
    }
    *out = tracker;
    return OW_OK;
}

void tracker_reset(struct tracker *tracker)
{
    pthread_mutex_lock(&tracker->lock);
    forget_all(tracker); /* last_id stays: ids are never used again */
    tracker->started = false;
    label_set_unref(&tracker->labels);
    pthread_mutex_unlock(&tracker->lock);
}

void tracker_destroy(struct tracker **tracker)
{
    struct tracker *self = *tracker;
    if (self == NULL)
        return;
    *tracker = NULL;
    pthread_mutex_destroy(&self->lock);
    forget_all(self);
    label_set_unref(&self->labels);
    free(self->tracks);
    free(self);
}
