/* Rounded rectangles, filled and as rings, with smooth corners. Internal to this room. */
#ifndef OW_XRAY_SHAPES_H
#define OW_XRAY_SHAPES_H

#include "xray/canvas.h"

enum { SHAPE_RADIUS_MAX = 40 };

/* A line of `thickness` inside the rectangle's edges; a rectangle too small for a hole is filled.
 * The radius is cut to what fits. */
void shape_ring(struct frame *frame, struct rect rect, int radius, int thickness, struct ink ink,
                int alpha);

/* Which corners of a filled rectangle are round. */
enum { SHAPE_ROUND_TOP = 1, SHAPE_ROUND_BOTTOM = 2 };
void shape_fill(struct frame *frame, struct rect rect, int radius, int round, struct ink ink,
                int alpha);

#endif
