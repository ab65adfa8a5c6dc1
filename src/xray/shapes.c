#include "xray/shapes.h"

#include <math.h>

enum corner { TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT, CORNERS };

static float unit(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* The top left quarter of a ring with outer radius `radius`, the centre of its circle at the lower
 * right of the square. thickness >= radius fills it. */
static void corner_coverage(uint8_t *coverage, int radius, int thickness)
{
    for (int y = 0; y < radius; y++) {
        for (int x = 0; x < radius; x++) {
            float dx = (float)(radius - x) - 0.5f, dy = (float)(radius - y) - 0.5f;
            float distance = sqrtf(dx * dx + dy * dy);
            float outside = unit((float)radius - distance + 0.5f);
            float inside =
                thickness < radius ? unit(distance - (float)(radius - thickness) + 0.5f) : 1;
            coverage[y * radius + x] = (uint8_t)(255 * outside * inside + 0.5f);
        }
    }
}

static void draw_corner(struct frame *frame, struct rect rect, const uint8_t *quarter, int radius,
                        enum corner corner, struct ink ink, int alpha)
{
    uint8_t turned[SHAPE_RADIUS_MAX * SHAPE_RADIUS_MAX];
    bool right = corner == TOP_RIGHT || corner == BOTTOM_RIGHT;
    bool bottom = corner == BOTTOM_LEFT || corner == BOTTOM_RIGHT;
    for (int y = 0; y < radius; y++)
        for (int x = 0; x < radius; x++)
            turned[y * radius + x] =
                quarter[(bottom ? radius - 1 - y : y) * radius + (right ? radius - 1 - x : x)];
    const struct mask mask = {turned, radius, radius};
    canvas_mask(frame, right ? rect.x + rect.width - radius : rect.x,
                bottom ? rect.y + rect.height - radius : rect.y, &mask, ink, alpha);
}

static void draw_corners(struct frame *frame, struct rect rect, int radius, int thickness,
                         int round, struct ink ink, int alpha)
{
    uint8_t quarter[SHAPE_RADIUS_MAX * SHAPE_RADIUS_MAX];
    if (!radius)
        return;
    corner_coverage(quarter, radius, thickness);
    for (enum corner corner = TOP_LEFT; corner < CORNERS; corner++)
        if (round & (corner <= TOP_RIGHT ? SHAPE_ROUND_TOP : SHAPE_ROUND_BOTTOM))
            draw_corner(frame, rect, quarter, radius, corner, ink, alpha);
}

static int fitting_radius(struct rect rect, int radius)
{
    return min_int(min_int(radius, SHAPE_RADIUS_MAX), min_int(rect.width, rect.height) / 2);
}

void shape_ring(struct frame *frame, struct rect rect, int radius, int thickness, int round,
                struct ink ink, int alpha)
{
    if (rect.width <= 2 * thickness || rect.height <= 2 * thickness) {
        canvas_rect(frame, rect, ink, alpha);
        return;
    }
    int r = fitting_radius(rect, radius);
    if (r < thickness)
        r = 0; /* crisp corners: the horizontal lines take them */
    int top = round & SHAPE_ROUND_TOP ? r : 0, bottom = round & SHAPE_ROUND_BOTTOM ? r : 0;
    int upper = max_int(top, thickness), lower = max_int(bottom, thickness); /* of the sides */
    const struct rect lines[] = {
        {rect.x + top, rect.y, rect.width - 2 * top, thickness},
        {rect.x + bottom, rect.y + rect.height - thickness, rect.width - 2 * bottom, thickness},
        {rect.x, rect.y + upper, thickness, rect.height - upper - lower},
        {rect.x + rect.width - thickness, rect.y + upper, thickness, rect.height - upper - lower},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        canvas_rect(frame, lines[i], ink, alpha);
    draw_corners(frame, rect, r, thickness, round, ink, alpha);
}

void shape_fill(struct frame *frame, struct rect rect, int radius, int round, struct ink ink,
                int alpha)
{
    int r = fitting_radius(rect, radius);
    int top = round & SHAPE_ROUND_TOP ? r : 0, bottom = round & SHAPE_ROUND_BOTTOM ? r : 0;
    canvas_rect(frame, (struct rect){rect.x + r, rect.y, rect.width - 2 * r, top}, ink, alpha);
    canvas_rect(frame, (struct rect){rect.x, rect.y + top, rect.width, rect.height - top - bottom},
                ink, alpha);
    canvas_rect(
        frame, (struct rect){rect.x + r, rect.y + rect.height - bottom, rect.width - 2 * r, bottom},
        ink, alpha);
    draw_corners(frame, rect, r, r, round, ink, alpha);
}
