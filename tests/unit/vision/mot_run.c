#include "mot_run.h"

#include "core/error.h"
#include "vision/nms.h"
#include "vision/tracker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 768, HEIGHT = 576, SAMPLES_MAX = MOT_FRAMES * 32 };

static const double walking = 0.3; /* heights a second */

static struct detections *update(struct tracker *tracker, const struct mot_sequence *seen,
                                 int frame, float confidence)
{
    const struct mot_frame *now = &seen->frames[frame];
    struct detections *in = NULL;
    struct detections *out = NULL;
    if (detections_create(&in, now->count, NULL) != OW_OK)
        abort();
    in->source_width = WIDTH;
    in->source_height = HEIGHT;
    in->frame_sequence = (uint64_t)frame;
    in->capture_us = (int64_t)frame * MOT_STEP_US;
    if (now->count > 0)
        memcpy(in->items, now->items, (size_t)now->count * sizeof *now->items);
    if (tracker_update(tracker, in, confidence, &out) != OW_OK)
        abort();
    detections_unref(&in);
    return out;
}

static struct detections *predict(struct tracker *tracker, int frame)
{
    struct detections *out = NULL;
    if (tracker_predict(tracker, (int64_t)frame * MOT_STEP_US, &out) != OW_OK)
        abort();
    return out;
}

static const struct detection *of_track(const struct detection *boxes, int count, uint32_t id)
{
    for (int i = 0; i < count; i++)
        if (boxes[i].track_id == id)
            return &boxes[i];
    return NULL;
}

static void add_frame(struct mot_result *result, int frame, const struct detections *reported,
                      const struct detections *drawn)
{
    for (int i = 0; i < reported->count; i++) {
        uint32_t id = reported->items[i].track_id;
        const struct detection *box = of_track(drawn->items, drawn->count, id);
        mot_add(&result->reported, frame, &reported->items[i]);
        if (id != 0 && box != NULL)
            mot_add(&result->filtered, frame, box);
    }
    for (int i = 0; i < drawn->count; i++)
        mot_add(&result->drawn, frame, &drawn->items[i]);
}

void mot_run(const struct mot_sequence *seen, float confidence, struct mot_result *out)
{
    struct tracker *tracker = NULL;
    if (tracker_create(&tracker) != OW_OK)
        abort();
    for (int f = 0; f < MOT_FRAMES; f++) {
        struct detections *reported = update(tracker, seen, f, confidence);
        struct detections *drawn = predict(tracker, f);
        add_frame(out, f, reported, drawn);
        detections_unref(&reported);
        detections_unref(&drawn);
    }
    tracker_destroy(&tracker);
}

/* The sure box that lies best on a true one, or NULL. */
static const struct detection *best_on(const struct detection *truth, const struct detection *boxes,
                                       int count, float confidence)
{
    const struct detection *best = NULL;
    float most = 0.5F;
    for (int i = 0; i < count; i++) {
        float iou = box_iou(truth, &boxes[i]);
        if (!mot_same_kind(truth->class_id, boxes[i].class_id) ||
            boxes[i].confidence < confidence || iou < most)
            continue;
        most = iou;
        best = &boxes[i];
    }
    return best;
}

static bool walks(const struct detection *from, const struct detection *to, double seconds)
{
    double x = (double)(to->x1 + to->x2 - from->x1 - from->x2) / 2;
    double y = (double)(to->y1 + to->y2 - from->y1 - from->y2) / 2;
    return from->class_id == 0 && hypot(x, y) >= walking * seconds * (double)(from->y2 - from->y1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Moved by as much as the centre of a true box is. */
static struct detection moved(const struct detection *box, const struct detection *from,
                              const struct detection *to)
{
    float x = (to->x1 + to->x2 - from->x1 - from->x2) / 2;
    float y = (to->y1 + to->y2 - from->y1 - from->y2) / 2;
    return (struct detection){
        .x1 = box->x1 + x, .y1 = box->y1 + y, .x2 = box->x2 + x, .y2 = box->y2 + y};
}

void mot_foresee(const struct mot_sequence *truth, const struct mot_sequence *seen,
                 float confidence, int every, int ahead, enum mot_foreseer foreseer,
                 struct mot_foresight *out)
{
    static double samples[SAMPLES_MAX];
    struct tracker *tracker = NULL;
    int count = 0;
    if (tracker_create(&tracker) != OW_OK)
        abort();
    for (int f = 0; f + ahead < MOT_FRAMES; f += every) {
        struct detections *now = update(tracker, seen, f, confidence);
        struct detections *predicted = predict(tracker, f + ahead);
        const struct mot_frame *later = &truth->frames[f + ahead];
        for (int i = 0; i < truth->frames[f].count; i++) {
            const struct detection *from = &truth->frames[f].items[i];
            const struct detection *to = of_track(later->items, later->count, from->track_id);
            const struct detection *was = best_on(from, now->items, now->count, confidence);
            if (to == NULL || was == NULL || was->track_id == 0 ||
                !walks(from, to, ahead * (MOT_STEP_US / 1e6)))
                continue;
            const struct detection *is = best_on(to, seen->frames[f + ahead].items,
                                                 seen->frames[f + ahead].count, confidence);
            const struct detection way = moved(was, from, to);
            const struct detection *const boxes[] = {
                [MOT_TRACKER] = of_track(predicted->items, predicted->count, was->track_id),
                [MOT_STILL] = was,
                [MOT_TRUE_WAY] = &way,
                [MOT_TRUTH] = to,
            };
            const struct detection *box = boxes[foreseer];
            if (is != NULL && count < SAMPLES_MAX)
                samples[count++] = box != NULL ? (double)box_iou(box, is) : 0;
        }
        detections_unref(&now);
        detections_unref(&predicted);
    }
    tracker_destroy(&tracker);
    qsort(samples, (size_t)count, sizeof *samples, compare);
    *out = (struct mot_foresight){.count = count};
    if (count > 0) {
        out->median = samples[count / 2];
        out->low = samples[count / 10];
    }
}
