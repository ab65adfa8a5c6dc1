/* Frames by hand for the tests of the tracker. */
#ifndef TEST_VISION_TRACKER_FEED_H
#define TEST_VISION_TRACKER_FEED_H

#include "core/error.h"
#include "vision/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEP_US = 100000 };

static const float sure_from = 0.1F; /* in feed() */

static inline struct detection box_at(int class_id, float confidence, double cx, double cy,
                                      double w, double h)
{
    return (struct detection){
        .class_id = class_id,
        .confidence = confidence,
        .x1 = (float)(cx - w / 2),
        .y1 = (float)(cy - h / 2),
        .x2 = (float)(cx + w / 2),
        .y2 = (float)(cy + h / 2),
    };
}

/* Feeds one frame; ids[i] is what detection i was given. */
static inline void feed(struct tracker *tracker, int64_t at_us, const struct detection *boxes,
                        int count, uint32_t *ids)
{
    struct detections *seen = NULL;
    struct detections *tracked = NULL;
    assert_int_equal(detections_create(&seen, count, NULL), OW_OK);
    seen->source_width = 1000;
    seen->source_height = 500;
    seen->capture_us = at_us;
    seen->frame_sequence = (uint64_t)(at_us / STEP_US);
    if (count > 0)
        memcpy(seen->items, boxes, (size_t)count * sizeof *boxes);
    assert_int_equal(tracker_update(tracker, seen, sure_from, &tracked), OW_OK);
    assert_int_equal(tracked->count, count);
    assert_int_equal(tracked->frame_sequence, seen->frame_sequence);
    for (int i = 0; i < count; i++) {
        assert_float_equal(tracked->items[i].x1, boxes[i].x1, 0);
        ids[i] = tracked->items[i].track_id;
    }
    detections_unref(&seen);
    detections_unref(&tracked);
}

#endif
