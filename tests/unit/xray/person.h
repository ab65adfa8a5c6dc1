/* A standing person to be drawn: COCO's key points and an ellipse for a mask. */
#ifndef TEST_XRAY_PERSON_H
#define TEST_XRAY_PERSON_H

#include "core/object_shape.h"

#include <stdbool.h>

/* With what is asked for; NULL without memory. */
static inline struct object_shape *person_create(bool mask, bool keypoints)
{
    enum { WIDTH = 48, HEIGHT = 96, POINTS = 17 };
    static const float points[POINTS][2] = {
        {.50f, .08f}, {.54f, .06f}, {.46f, .06f}, {.60f, .08f}, {.40f, .08f}, {.70f, .22f},
        {.30f, .22f}, {.80f, .38f}, {.20f, .38f}, {.82f, .52f}, {.18f, .52f}, {.62f, .52f},
        {.38f, .52f}, {.64f, .74f}, {.36f, .74f}, {.66f, .96f}, {.34f, .96f}};
    struct object_shape *shape = NULL;
    if (object_shape_create(&shape, mask ? WIDTH : 0, mask ? HEIGHT : 0, keypoints ? POINTS : 0) <
        0)
        return NULL;
    for (int i = 0; i < (mask ? WIDTH * HEIGHT : 0); i++) {
        float u = ((float)(i % WIDTH) + .5f) / WIDTH * 2 - 1;
        float v = ((float)(i / WIDTH) + .5f) / HEIGHT * 2 - 1;
        float inside = 127.5f + 600 * (1 - u * u - v * v);
        shape->mask[i] = (uint8_t)(inside < 0 ? 0 : inside > 255 ? 255 : inside);
    }
    for (int k = 0; k < (keypoints ? POINTS : 0); k++)
        shape->keypoints[k] = (struct keypoint){points[k][0], points[k][1], 0.9f};
    return shape;
}

#endif
