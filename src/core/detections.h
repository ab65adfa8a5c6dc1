/* What a model saw in one frame. Reference counted and immutable once handed on. */
#ifndef OW_CORE_DETECTIONS_H
#define OW_CORE_DETECTIONS_H

#include "core/object_shape.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The class names of a model, shared by all its results. */
struct label_set {
    atomic_int refs;
    int count;
    char **names; /* UTF-8 */
};

/* Copies `count` names; one reference. OW_ENOMEM. */
int label_set_create(struct label_set **out, const char *const *names, int count);
struct label_set *label_set_ref(struct label_set *labels);
void label_set_unref(struct label_set **labels);
/* The name of a class, or "class N" written into `scratch` (16 bytes) when there is none. */
const char *label_set_name(const struct label_set *labels, int class_id, char scratch[16]);

struct detection {
    int class_id;
    float confidence;           /* 0..1 */
    float x1, y1, x2, y2;       /* source pixels, x1 <= x2, y1 <= y2; may lie outside the picture */
    uint32_t track_id;          /* 0 = not tracked */
    struct object_shape *shape; /* NULL = only the box is known */
};

struct detections {
    atomic_int refs;
    struct label_set *labels; /* owned reference, may be NULL */
    int source_width, source_height;
    uint64_t frame_sequence;
    int64_t capture_us;
    int64_t infer_start_us, infer_end_us; /* of the inference behind them; 0 = predicted */
    int64_t seen_us; /* predicted: capture time of the frame that the model saw, 0 = none yet */
    int count;
    struct detection items[]; /* each has a reference to its shape */
};

/* Room for `count` items, all 0; takes its own reference to labels (may be NULL). */
int detections_create(struct detections **out, int count, struct label_set *labels);
/* An empty one with room for `count`, and the labels, size, number and times of `from`. */
int detections_create_like(struct detections **out, const struct detections *from, int count);
/* Appends a copy of the item, with a reference of its own to the shape. There must be room. */
void detections_append(struct detections *detections, const struct detection *item);
/* A place in the picture, in the terms of the item's box, as a key point. Without a score, far off
 * (ten boxes), or where a value is no number: at 0,0 with score 0. */
struct keypoint keypoint_in_box(const struct detection *item, float x, float y, float score);
/* Were these moved forward to their picture, not inferred in it? NULL = no. */
static inline bool detections_are_predicted(const struct detections *detections)
{
    return detections != NULL && detections->infer_end_us == 0;
}
/* Takes all items out. */
void detections_clear(struct detections *detections);
struct detections *detections_ref(struct detections *detections);
void detections_unref(struct detections **detections);

#endif
