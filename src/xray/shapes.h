/* Rounded rectangles, filled and as rings, with smooth corners. Internal to this room. */
#ifndef OW_XRAY_SHAPES_H
#define OW_XRAY_SHAPES_H

#include "xray/canvas.h"

enum { SHAPE_RADIUS_MAX = 40 };

/* Which corners are round; the radius is cut to what fits. */
enum { SHAPE_ROUND_TOP = 1, SHAPE_ROUND_BOTTOM = 2 };
enum { SHAPE_ROUND = SHAPE_ROUND_TOP | SHAPE_ROUND_BOTTOM };

/* A line of `thickness` inside the rectangle's edges; a rectangle too small for a hole is filled.
 */
void shape_ring(struct frame *frame, struct rect rect, int radius, int thickness, int round,
                struct ink ink, int alpha);
void shape_fill(struct frame *frame, struct rect rect, int radius, int round, struct ink ink,
                int alpha);

#endif
