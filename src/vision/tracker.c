#include "vision/tracker.h"

#include "core/error.h"
#include "vision/tracker_match.h"
#include "vision/tracker_motion.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    LOST_AFTER_US = 1000000,
    SETTLED_AFTER_US = 500000, /* doubles of a box go sooner */
    CONFIRMING_HITS = 2,
    TRACKS_MAX = MATCH_MAX,
    VOTES_MAX = 10,
};

static const float confirming_confidence = 0.8F; /* confirmed at the first sight */
static const float lowest_confidence = 0.1F;
static const float shaded_part = 0.5F; /* of a box, covered by one of a confirmed track */
static const float far_off = 1e6F;     /* pixels */

/* An unsure box is often that of the visible half: it says that the object is there, but hardly
 * where. */
static const double unsure_doubt = 4;

static const struct match_rule sure_rules[] = {
    {.same_class = true, .least_iou = 0.3F},
    {.same_class = false, .least_iou = 0.6F}, /* a van found as car and as truck */
    {.same_class = true,
     .margin = 0.5F,
     .least_iou = 0.2F}, /* came out of an occlusion elsewhere */
};
static const struct match_rule unsure_rule = {.same_class = true, .least_iou = 0.5F};

struct track {
    uint32_t id; /* 0: not confirmed yet */
    int class_id;
    int votes; /* sightings of this class, less those of others */
    int hits;
    float confidence; /* of the last sure sighting */
    int64_t begun_us, seen_us, sure_us;
    struct motion motion;
    struct object_shape *shape; /* of the last sure sighting; own reference, may be NULL */
};

struct tracker {
    pthread_mutex_t lock;
    struct track tracks[TRACKS_MAX];
    int count;
    uint32_t last_id;
    struct match match;
    bool started;
    /* Of the last update. */
    float confidence;
    int64_t capture_us;
    uint64_t frame_sequence;
    int source_width, source_height;
    struct label_set *labels;
};

/* Whether a box has an area and lies within reach of a picture, so that what is reckoned from it is
 * finite, too. */
static bool is_measurable(const struct detection *box)
{
    return box->x1 > -far_off && box->x2 < far_off && box->y1 > -far_off && box->y2 < far_off &&
           box->x2 > box->x1 && box->y2 > box->y1;
}

/* Where the track stands at a time; its shape is lent. */
static struct detection place(const struct track *track, int64_t at_us)
{
    struct detection box = {.class_id = track->class_id,
                            .confidence = track->confidence,
                            .track_id = track->id,
                            .shape = track->shape};
    motion_place(&track->motion, at_us, &box);
    return box;
}

/* A track's class is the one that most of its sightings had (Boyer, Moore, "MJRTY: a fast majority
 * vote algorithm", 1991); with a bound, so that a first mistake can be outvoted. */
static void vote(struct track *track, int class_id)
{
    if (class_id == track->class_id) {
        track->votes += track->votes < VOTES_MAX;
    } else if (--track->votes < 0) {
        track->class_id = class_id;
        track->votes = 1;
    }
}

static struct track *begin(struct tracker *tracker, const struct detection *box, int64_t at_us)
{
    if (tracker->count == TRACKS_MAX)
        return NULL;
    struct track *track = &tracker->tracks[tracker->count++];
    *track = (struct track){
        .class_id = box->class_id, .votes = 1, .hits = 1, .begun_us = at_us, .seen_us = at_us};
    motion_begin(&track->motion, box, at_us);
    return track;
}

static void keep_shape(struct track *track, const struct detection *box)
{
    struct object_shape *shape = object_shape_ref(box->shape);
    object_shape_unref(&track->shape);
    track->shape = shape;
}

static void see(struct track *track, const struct detection *box, bool sure, int64_t at_us)
{
    if (at_us > track->seen_us) { /* not when the same frame is looked at again */
        motion_correct(&track->motion, box, sure ? 1 : unsure_doubt, at_us);
        vote(track, box->class_id);
        track->hits += track->hits < CONFIRMING_HITS;
        track->seen_us = at_us;
    }
    if (sure) {
        track->sure_us = at_us;
        track->confidence = box->confidence;
        keep_shape(track, box);
    }
}

/* Known for long enough to be more than a box that came and went. */
static bool is_settled(const struct track *track, int64_t at_us)
{
    return at_us - track->begun_us >= SETTLED_AFTER_US;
}

/* What two boxes have in common, as a part of the smaller one. */
static float common_part(const struct detection *a, const struct detection *b)
{
    float x = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1);
    float y = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
    float smaller = fminf((a->x2 - a->x1) * (a->y2 - a->y1), (b->x2 - b->x1) * (b->y2 - b->y1));
    return x > 0 && y > 0 ? x * y / smaller : 0;
}

/* Does sighting s share its place with that of a confirmed track? */
static bool is_shaded(const struct tracker *tracker, int s)
{
    const struct match *match = &tracker->match;
    for (int i = 0; i < match->sighting_count; i++) {
        const struct match_item *other = &match->sightings[i];
        if (i != s && other->other >= 0 && tracker->tracks[other->other].id != 0 &&
            other->box.class_id == match->sightings[s].box.class_id &&
            common_part(&other->box, &match->sightings[s].box) > shaded_part)
            return true;
    }
    return false;
}

/* Gives a track its id when it has been seen well enough. A second box on an object that is
 * followed already is often none of its own: it covers two objects, or half of one. So it has to
 * stay. */
static void confirm(struct tracker *tracker, struct track *track, int s, int64_t at_us)
{
    bool seen_well = track->hits >= CONFIRMING_HITS || track->confidence >= confirming_confidence;
    if (track->id == 0 && seen_well && (is_settled(track, at_us) || !is_shaded(tracker, s)))
        track->id = ++tracker->last_id;
}

static bool is_lost(const struct track *track, int64_t at_us)
{
    return at_us - track->seen_us > LOST_AFTER_US;
}

/* Takes out tracks that were not seen for long. */
static void forget_lost(struct tracker *tracker, int64_t at_us)
{
    int kept = 0;
    for (int i = 0; i < tracker->count; i++) {
        struct track *track = &tracker->tracks[i];
        if (!is_lost(track, at_us))
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

static bool has_left(const struct tracker *tracker, const struct track *track, int64_t at_us)
{
    struct detection box = place(track, at_us);
    float x = (box.x1 + box.x2) / 2;
    float y = (box.y1 + box.y2) / 2;
    return x < 0 || y < 0 || x > (float)tracker->source_width || y > (float)tracker->source_height;
}

/* Takes out what was not seen in this frame when it was not confirmed, or has left the picture. */
static void forget_missed(struct tracker *tracker, int64_t at_us)
{
    int kept = 0;
    for (int i = 0; i < tracker->count; i++) {
        struct track *track = &tracker->tracks[i];
        if (track->seen_us == at_us || (track->id != 0 && !has_left(tracker, track, at_us)))
            tracker->tracks[kept++] = *track;
        else
            object_shape_unref(&track->shape);
    }
    tracker->count = kept;
}

static void open_sightings(struct match *match, float confidence, bool sure)
{
    for (int s = 0; s < match->sighting_count; s++) {
        const struct detection *box = &match->sightings[s].box;
        match->sightings[s].open = is_measurable(box) && (box->confidence >= confidence) == sure;
    }
}

static void associate(struct tracker *tracker, const struct detections *seen, float confidence)
{
    struct match *match = &tracker->match;
    match->track_count = tracker->count;
    match->sighting_count = seen->count < MATCH_MAX ? seen->count : MATCH_MAX;
    for (int t = 0; t < match->track_count; t++)
        match->tracks[t] =
            (struct match_item){.box = place(&tracker->tracks[t], seen->capture_us), .other = -1};
    for (int s = 0; s < match->sighting_count; s++)
        match->sightings[s] = (struct match_item){.box = seen->items[s], .other = -1};
    open_sightings(match, confidence, true);
    /* Of two tracks on one place the older one is more likely the object: it chooses first. */
    for (int t = 0; t < match->track_count; t++)
        match->tracks[t].open = tracker->tracks[t].id != 0 &&
                                is_settled(&tracker->tracks[t], tracker->tracks[t].seen_us);
    match_stage(match, &sure_rules[0]);
    for (int t = 0; t < match->track_count; t++)
        match->tracks[t].open = true;
    for (size_t i = 0; i < sizeof sure_rules / sizeof *sure_rules; i++)
        match_stage(match, &sure_rules[i]);
    open_sightings(match, confidence, false);
    for (int t = 0; t < match->track_count; t++)
        match->tracks[t].open = tracker->tracks[t].id != 0;
    match_stage(match, &unsure_rule);
}

/* The track that sighting s continues or begins; NULL where there is none. */
static struct track *track_of(struct tracker *tracker, int s, const struct detection *box,
                              bool sure, int64_t at_us)
{
    if (s >= tracker->match.sighting_count)
        return NULL;
    if (tracker->match.sightings[s].other >= 0)
        return &tracker->tracks[tracker->match.sightings[s].other];
    return sure && is_measurable(box) ? begin(tracker, box, at_us) : NULL;
}

static void apply(struct tracker *tracker, const struct detections *seen, float confidence,
                  struct detections *out)
{
    for (int s = 0; s < seen->count; s++) {
        struct detection box = seen->items[s];
        bool sure = box.confidence >= confidence;
        struct track *track = track_of(tracker, s, &box, sure, seen->capture_us);
        if (track != NULL) {
            see(track, &box, sure, seen->capture_us);
            confirm(tracker, track, s, seen->capture_us);
        }
        box.track_id = track != NULL ? track->id : 0;
        if (sure)
            detections_append(out, &box);
    }
}

static void remember(struct tracker *tracker, const struct detections *seen, float confidence)
{
    struct label_set *labels = label_set_ref(seen->labels);
    label_set_unref(&tracker->labels);
    tracker->labels = labels;
    tracker->started = true;
    tracker->confidence = confidence;
    tracker->capture_us = seen->capture_us;
    tracker->frame_sequence = seen->frame_sequence;
    tracker->source_width = seen->source_width;
    tracker->source_height = seen->source_height;
}

static int update_locked(struct tracker *tracker, const struct detections *seen, float confidence,
                         struct detections **out)
{
    if (tracker->started && seen->capture_us < tracker->capture_us)
        return OW_EINVAL;
    int result = detections_create_like(out, seen, seen->count);
    if (result != OW_OK)
        return result;
    if (seen->source_width != tracker->source_width ||
        seen->source_height != tracker->source_height)
        forget_all(tracker); /* another picture: old places mean nothing in it */
    forget_lost(tracker, seen->capture_us);
    associate(tracker, seen, confidence);
    apply(tracker, seen, confidence, *out);
    remember(tracker, seen, confidence);
    forget_missed(tracker, seen->capture_us);
    return OW_OK;
}

int tracker_update(struct tracker *tracker, const struct detections *detections, float confidence,
                   struct detections **out)
{
    pthread_mutex_lock(&tracker->lock);
    int result = update_locked(tracker, detections, confidence, out);
    pthread_mutex_unlock(&tracker->lock);
    return result;
}

/* Whether a track was seen well enough, and not long ago, by what the last update knew. */
static bool is_drawn(const struct tracker *tracker, const struct track *track)
{
    int64_t missed_us = tracker->capture_us - track->sure_us;
    return track->id != 0 && track->confidence >= tracker->confidence &&
           missed_us <= LOST_AFTER_US && missed_us <= track->sure_us - track->begun_us;
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
    made->seen_us = tracker->capture_us;
    made->count = 0;
    for (int i = 0; i < tracker->count; i++) {
        const struct track *track = &tracker->tracks[i];
        if (!is_drawn(tracker, track) || is_lost(track, capture_us))
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

float tracker_lowest_confidence(float confidence)
{
    return fminf(confidence, lowest_confidence);
}

int tracker_create(struct tracker **out)
{
    struct tracker *tracker = calloc(1, sizeof *tracker);
    if (tracker == NULL)
        return OW_ENOMEM;
    if (pthread_mutex_init(&tracker->lock, NULL) != 0) {
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
    free(self);
}
