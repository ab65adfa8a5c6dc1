/* Where objects have been of late: a coarse grid over the picture that warms where they are and
 * cools by itself. Internal to this room. */
#ifndef OW_XRAY_HEAT_H
#define OW_XRAY_HEAT_H

#include "xray/palette.h"

enum { HEAT_COLUMNS = 96, HEAT_ROWS = 54 };

/* Zero-initialised: cold. */
struct heat {
    float cells[HEAT_ROWS][HEAT_COLUMNS]; /* 0..1 */
    int64_t updated_us;                   /* 0 = not yet */
    bool warm;                            /* some cell is not 0 */
};

/* Goes on to a picture's capture time; detections may be NULL. A time that is not later changes
 * nothing. What is seen first warms at once, so that there is something to see. With `by_masks` an
 * object that has a mask warms what that covers, and no more. */
void heat_update(struct heat *heat, int64_t capture_us, const struct detections *detections,
                 float min_confidence, bool by_masks);
/* How much of what is below a place as warm as this covers, 0..1: faint heat lets it through. */
float heat_cover(float heat);
void heat_draw(const struct heat *heat, struct frame *frame, const struct xray_style *style);

#endif
