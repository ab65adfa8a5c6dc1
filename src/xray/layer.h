/* A layer over a part of the picture: how much of each pixel is covered, to be composed first and
 * blended in one colour then. Internal to this room. */
#ifndef OW_XRAY_LAYER_H
#define OW_XRAY_LAYER_H

#include "xray/canvas.h"

/* All zero is empty; memory is kept from use to use. The area begins at even pixels and has even
 * sides, so that each chroma sample has its four pixels; it may reach one pixel over the picture's
 * right and lower edge, where what would be drawn counts too. */
struct layer {
    struct rect area;
    uint8_t *coverage; /* area.width bytes a row */
    size_t room;
};

/* Nothing covered, over the rectangle, which is not empty and lies in the frame. False when out of
 * memory. */
bool layer_open(struct layer *layer, const struct frame *frame, struct rect rect);
/* Uncovers everything. */
void layer_clear(struct layer *layer);
void layer_free(struct layer *layer);

/* A line with round ends, `radius` to each side, and a seam of a pixel more around it; a dot where
 * both ends are one. Pixels of the frame, centres at half; what is outside of the area is left out.
 * What is drawn so is to be blended as LAYER_SEAMED and LAYER_LINES. */
void layer_line(struct layer *layer, float x1, float y1, float x2, float y2, float radius);

/* Covers what lies in a polygon of up to LAYER_CORNERS_MAX corners, by the even-odd rule. Pixels
 * are in it or not: its edge is to be drawn over by lines. */
enum { LAYER_CORNERS_MAX = ZONE_STATE_POINTS_MAX };
void layer_polygon(struct layer *layer, const float *x, const float *y, int count);

/* `to`, of the same area, is what of `from` lies within `width` pixels of its outline. Where the
 * picture ends there is no outline. */
bool layer_outline(struct layer *to, const struct layer *from, const struct frame *frame,
                   int width);

/* What of the layer: all as it is covered, or of lines those with their seams, or without. */
enum layer_part { LAYER_ALL, LAYER_SEAMED, LAYER_LINES };
void layer_blend(const struct layer *layer, enum layer_part part, struct frame *frame,
                 struct ink ink, int alpha);

#endif
