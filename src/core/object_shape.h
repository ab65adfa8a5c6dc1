/* What is known of an object beyond its box: a mask, key points. Both are given within the box, so
 * that they go with it where a tracker moves it. Reference counted and immutable once handed on;
 * one allocation. */
#ifndef OW_CORE_OBJECT_SHAPE_H
#define OW_CORE_OBJECT_SHAPE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MASK_SIDE_MAX = 256, /* cells; models' masks are of this size or smaller */
    KEYPOINTS_MAX = 64,
    MASK_INSIDE = 128, /* cells of this and more belong to the object */
};

/* A place of the object, such as its left knee; which one it is its index says. */
struct keypoint {
    float x, y;  /* 0,0 is the upper left corner of the box, 1,1 the lower right; may lie outside */
    float score; /* 0..1: how sure it is */
};

struct object_shape {
    atomic_int refs;
    int mask_width, mask_height; /* cells; 0 = no mask */
    uint8_t *mask; /* row by row, stretched over the box: 0 outside the object .. 255 inside */
    int keypoint_count;
    struct keypoint *keypoints;
};

/* Mask and key points all 0, for the caller to fill. OW_EINVAL for a size out of range (0..
 * MASK_SIDE_MAX, both or none 0; 0..KEYPOINTS_MAX), OW_ENOMEM. */
int object_shape_create(struct object_shape **out, int mask_width, int mask_height,
                        int keypoint_count);
struct object_shape *object_shape_ref(struct object_shape *shape); /* NULL is allowed */
void object_shape_unref(struct object_shape **shape);

/* The mask as run lengths of cells outside and inside the object in turn, beginning with outside
 * (0 where the first is inside), column by column: the uncompressed form of COCO's masks
 * (cocoapi, common/maskApi.h), `counts` of {"size": [mask_height, mask_width], "counts": […]}.
 * Returns how many runs there are; at most `room` are written. */
size_t object_shape_runs(const struct object_shape *shape, uint32_t *runs, size_t room);

#endif
