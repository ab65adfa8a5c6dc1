/* A tracker that sees any boxes at any times: ids are unique, what is sure is reported, what is
 * drawn has an area.
 *
 *   steps: what to do (2 bits: update, update in a picture of another size, predict, reset), time
 * that passes (2 bytes, ms; the top bit: back), and for an update the threshold, the number of
 * objects, and for each its class, its score, and left, top, width and height (2 bytes each, or
 * a float each when the class is odd) */
#include "fuzz.h"
#include "fuzz_input.h"

#include "core/error.h"
#include "vision/tracker.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OBJECTS = 24, MAX_STEPS = 400 };

static float take_side(struct input *input, bool any)
{
    if (!any)
        return (float)take16(input) / 64;
    uint32_t bits = take16(input) << 16;
    bits |= take16(input);
    float value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static struct detections *read_objects(struct input *input, bool other_size, int64_t at_us)
{
    struct detections *seen = NULL;
    int count = (int)(take(input) % MAX_OBJECTS);
    if (detections_create(&seen, count, NULL) != OW_OK)
        abort();
    seen->source_width = other_size ? 640 : 1024;
    seen->source_height = 1024;
    seen->capture_us = at_us;
    for (int i = 0; i < count; i++) {
        unsigned class_id = take(input);
        float score = (float)take(input) / 255;
        float side[4];
        for (int k = 0; k < 4; k++)
            side[k] = take_side(input, class_id % 2 == 1);
        seen->items[i] = (struct detection){.class_id = (int)class_id % 4,
                                            .confidence = score,
                                            .x1 = side[0],
                                            .y1 = side[1],
                                            .x2 = side[0] + side[2],
                                            .y2 = side[1] + side[3]};
    }
    return seen;
}

static void check_ids(const struct detections *boxes)
{
    for (int i = 0; i < boxes->count; i++)
        for (int k = 0; k < i; k++)
            if (boxes->items[i].track_id != 0 &&
                boxes->items[i].track_id == boxes->items[k].track_id)
                abort();
}

static void update(struct tracker *tracker, struct input *input, bool other_size, int64_t at_us,
                   int64_t *last_us)
{
    float threshold = (float)take(input) / 255;
    struct detections *seen = read_objects(input, other_size, at_us), *out = NULL;
    int sure = 0, result = tracker_update(tracker, seen, threshold, &out);
    if (result != (at_us < *last_us ? OW_EINVAL : OW_OK))
        abort();
    if (result == OW_OK) {
        for (int i = 0; i < seen->count; i++)
            sure += seen->items[i].confidence >= threshold;
        if (out->count != sure)
            abort();
        check_ids(out);
        *last_us = at_us;
    }
    detections_unref(&out);
    detections_unref(&seen);
}

static void predict(struct tracker *tracker, int64_t at_us)
{
    struct detections *out = NULL;
    if (tracker_predict(tracker, at_us, &out) != OW_OK)
        abort();
    check_ids(out);
    for (int i = 0; i < out->count; i++) {
        const struct detection *box = &out->items[i];
        if (box->track_id == 0 || !isfinite(box->x1) || !isfinite(box->y1) || !isfinite(box->x2) ||
            !isfinite(box->y2) || box->x2 < box->x1 || box->y2 < box->y1)
            abort();
    }
    detections_unref(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct tracker *tracker = NULL;
    int64_t now_us = 1000000000, last_us = INT64_MIN;
    if (tracker_create(&tracker) != OW_OK)
        abort();
    for (int steps = 0; input.size > 0 && steps < MAX_STEPS; steps++) {
        unsigned what = take(&input) % 4, ms = take16(&input);
        now_us += (int64_t)(ms & 0x7fff) * (ms & 0x8000 ? -1000 : 1000);
        if (what < 2)
            update(tracker, &input, what == 1, now_us, &last_us);
        else if (what == 2)
            predict(tracker, now_us);
        else
            tracker_reset(tracker);
        if (what == 3)
            last_us = INT64_MIN;
    }
    tracker_destroy(&tracker);
    return 0;
}
