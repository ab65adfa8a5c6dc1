#include "encode/video_focus.h"

#include <math.h>

/* A value that is no number counts as the least. */
static double within(double value, int least, int most)
{
    return fmin(fmax(value, least), most);
}

void video_focus_add(struct video_focus *focus, const struct detections *detections,
                     const struct video_region *part, int label)
{
    double x_scale = (double)(part->right - part->left) / detections->source_width;
    double y_scale = (double)(part->bottom - part->top) / detections->source_height;
    for (int i = 0; i < detections->count && focus->count < VIDEO_REGIONS_MAX; i++) {
        const struct detection *item = &detections->items[i];
        double left = part->left + x_scale * (double)item->x1;
        double right = part->left + x_scale * (double)item->x2;
        double top = part->top + y_scale * (double)item->y1 - label;
        double bottom = part->top + y_scale * (double)item->y2;
        struct video_region region = {
            .left = (int)floor(within(left, part->left, part->right)),
            .top = (int)floor(within(top, part->top, part->bottom)),
            .right = (int)ceil(within(right, part->left, part->right)),
            .bottom = (int)ceil(within(bottom, part->top, part->bottom)),
        };
        if (region.left < region.right && region.top < region.bottom)
            focus->regions[focus->count++] = region;
    }
}
