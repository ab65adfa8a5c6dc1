/* The objects of a frame where they are to be drawn. Internal to this room. */
#ifndef OW_XRAY_SCENE_H
#define OW_XRAY_SCENE_H

#include "xray/canvas.h"

enum { SCENE_MAX = 512 }; /* a model gives 300; more could not be told apart */

struct scene_object {
    struct rect box; /* in the picture, not empty */
    struct rgb color;
    const struct detection *item;
};

/* All is lent. */
struct scene {
    struct frame *frame;
    const struct xray_style *style;
    const struct detections *detections; /* NULL = none are known */
    int thickness, radius;               /* of lines and of their corners, pixels */
    int count;
    struct scene_object objects[SCENE_MAX]; /* as the detections are sorted: the surest first */
};

/* Leaves out what is unsure, no box, or not in the picture. */
void scene_read(struct scene *scene, struct frame *frame, const struct detections *detections,
                const struct xray_style *style);

#endif
