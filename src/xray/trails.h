/* Where objects came from: a line behind each that is followed, which fades with its age. Internal
 * to this room. */
#ifndef OW_XRAY_TRAILS_H
#define OW_XRAY_TRAILS_H

#include "xray/layer.h"
#include "xray/scene.h"

enum {
    TRAILS_MAX = 128,
    TRAIL_POINTS = 32,
    TRAIL_US = 3000000,
    TRAIL_STEP_US = 100000, /* a point each */
};

struct trail_point {
    float x,
        y; /* where the object stands, the middle of its box's lower edge: 0..1 of the picture */
    int64_t at_us;
};

struct trail {
    uint32_t id; /* of the track */
    bool colored;
    struct rgb color;
    int count; /* the oldest first; the last moves with the object until its step is over */
    struct trail_point points[TRAIL_POINTS];
};

/* Zero-initialised: none. */
struct trails {
    int64_t updated_us; /* 0 = not yet */
    int count;
    struct trail items[TRAILS_MAX];
};

/* Goes on to a picture's capture time; detections may be NULL. A time that is not later changes
 * nothing. What is not tracked has no trail, nor do more than TRAILS_MAX objects. */
void trails_update(struct trails *trails, int64_t capture_us, const struct detections *detections,
                   float min_confidence);
/* In the colours of the scene's objects; a trail whose object has gone keeps its last. */
void trails_draw(struct trails *trails, const struct scene *scene, struct layer *layer);

#endif
