/* The objects of a frame where they are to be drawn. Internal to this room. */
#ifndef OW_XRAY_SCENE_H
#define OW_XRAY_SCENE_H

#include "xray/canvas.h"

enum {
    SCENE_MAX = 512, /* a model gives 300; more could not be told apart */
    SCENE_TAKEN_MAX = ZONE_STATES_MAX + 2,
};

/* Of the whole box, in pixels of the picture drawn on. */
struct bounds {
    float x1, y1, x2, y2;
};

struct scene_object {
    struct rect box; /* in the picture, not empty */
    struct bounds bounds;
    bool boxed, tinted; /* its box is drawn; the inside is coloured */
    struct rgb color;
    const struct detection *item;
};

/* All is lent. */
struct scene {
    struct frame *frame;
    const struct xray_style *style;
    const struct detections *detections; /* NULL = none are known */
    int thickness, radius;               /* of lines and of their corners, pixels */
    int taken_count;
    struct rect taken[SCENE_TAKEN_MAX]; /* by plates: labels keep off them */
    int count;
    struct scene_object objects[SCENE_MAX]; /* as the detections are sorted: the surest first */
};

static inline bool scene_has_mask(const struct scene_object *object)
{
    return object->item->shape && object->item->shape->mask_width > 0;
}

static inline bool scene_has_keypoints(const struct scene_object *object)
{
    return object->item->shape && object->item->shape->keypoint_count > 0;
}

/* Leaves out what is unsure, no box, or not in the picture. Nothing is taken yet. */
void scene_read(struct scene *scene, struct frame *frame, const struct detections *detections,
                const struct xray_style *style);
/* A part of the picture that a plate covers. Those beyond SCENE_TAKEN_MAX are not kept off. */
void scene_take(struct scene *scene, struct rect rect);

#endif
