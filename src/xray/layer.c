#include "xray/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static bool reserve(struct layer *layer, struct rect area)
{
    size_t size = (size_t)area.width * (size_t)area.height;
    layer->area = area;
    if (size <= layer->room)
        return true;
    free(layer->coverage);
    layer->coverage = calloc(size, 1);
    layer->room = layer->coverage ? size : 0;
    return layer->coverage != NULL;
}

bool layer_open(struct layer *layer, const struct frame *frame, struct rect rect)
{
    int right = min_int(rect.x + rect.width, frame->width);
    int bottom = min_int(rect.y + rect.height, frame->height);
    int x = rect.x & ~1, y = rect.y & ~1;
    if (!reserve(layer, (struct rect){x, y, (right - x + 1) & ~1, (bottom - y + 1) & ~1}))
        return false;
    layer_clear(layer);
    return true;
}

void layer_clear(struct layer *layer)
{
    memset(layer->coverage, 0, (size_t)layer->area.width * (size_t)layer->area.height);
}

void layer_free(struct layer *layer)
{
    free(layer->coverage);
    *layer = (struct layer){0};
}

/* ---- lines ---- */

/* The pixels of a row whose centres may be nearer than `reach` to the line: [*from, *to). */
static void reach_in_row(float x1, float y1, float x2, float y2, float reach, float y, float *from,
                         float *to)
{
    /* The part of the line that is near enough in height, and its ends in width. */
    float dy = y2 - y1, low = 0, high = 1;
    if (fabsf(dy) > 1e-3f) {
        float a = (y - reach - y1) / dy, b = (y + reach - y1) / dy;
        low = fmaxf(fminf(a, b), 0);
        high = fminf(fmaxf(a, b), 1);
    }
    float a = x1 + (x2 - x1) * low, b = x1 + (x2 - x1) * high;
    *from = fminf(a, b) - reach;
    *to = fmaxf(a, b) + reach;
}

void layer_line(struct layer *layer, float x1, float y1, float x2, float y2, float radius)
{
    const struct rect area = layer->area;
    float ax = x1 - (float)area.x, ay = y1 - (float)area.y;
    float bx = x2 - (float)area.x, by = y2 - (float)area.y;
    float middle = radius + 0.5f, reach = middle + 1, dx = bx - ax, dy = by - ay;
    /* From 0 to 255 over the two pixels around `middle`, by squares: no root is needed. */
    float scale = 255 / (4 * middle);
    float length = dx * dx + dy * dy, per_length = length > 1e-6f ? 1 / length : 0;
    float top = fminf(ay, by) - reach, bottom = fmaxf(ay, by) + reach;
    if (!(bottom > 0) || !(top < (float)area.height) || !isfinite(length))
        return;
    int last = (int)fminf(ceilf(bottom), (float)area.height);
    for (int row = (int)fmaxf(floorf(top), 0); row < last; row++) {
        float y = (float)row + 0.5f, from, to;
        reach_in_row(ax, ay, bx, by, reach, y, &from, &to);
        if (!(to > 0) || !(from < (float)area.width))
            continue;
        uint8_t *at = layer->coverage + (ptrdiff_t)row * area.width;
        int first = (int)fmaxf(floorf(from), 0), end = (int)fminf(ceilf(to), (float)area.width);
        for (int col = first; col < end; col++) {
            float px = (float)col + 0.5f - ax, py = y - ay;
            float along = (px * dx + py * dy) * per_length;
            along = along < 0 ? 0 : along > 1 ? 1 : along;
            float ex = px - along * dx, ey = py - along * dy;
            float value = (reach * reach - ex * ex - ey * ey) * scale;
            value = value < 0 ? 0 : value > 255 ? 255 : value;
            uint8_t rounded = (uint8_t)(int)value;
            at[col] = at[col] > rounded ? at[col] : rounded;
        }
    }
}

/* ---- outlines ---- */

static void take_less(uint8_t *restrict to, const uint8_t *restrict from, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = to[i] < from[i] ? to[i] : from[i];
}

/* The least value within `reach` pixels to the left and right; beyond the row it is `before` and
 * `behind`. `padded` has room for the row and `reach` more on each side. */
static void least_in_row(const uint8_t *row, int count, int reach, uint8_t before, uint8_t behind,
                         uint8_t *padded, uint8_t *out)
{
    memset(padded, before, (size_t)reach);
    memcpy(padded + reach, row, (size_t)count);
    memset(padded + reach + count, behind, (size_t)reach);
    memcpy(out, row, (size_t)count);
    for (int shift = 0; shift <= 2 * reach; shift++)
        if (shift != reach)
            take_less(out, padded + shift, count);
}

enum { OUTLINE_MAX = 16 };

bool layer_outline(struct layer *to, const struct layer *from, const struct frame *frame, int width)
{
    static const uint8_t nothing = 0, everything = 255;
    const struct rect area = from->area;
    int reach = min_int(max_int(width, 1), OUTLINE_MAX), columns = area.width;
    uint8_t padded[FRAME_MAX_SIDE + 2 + 2 * OUTLINE_MAX];
    if (!reserve(to, area))
        return false;
    uint8_t left = area.x == 0 ? everything : nothing;
    uint8_t right = area.x + columns >= frame->width ? everything : nothing;
    /* Rows beyond the area: outside of the object, or of the picture. */
    bool cut_above = area.y == 0, cut_below = area.y + area.height >= frame->height;
    for (int y = 0; y < area.height; y++) {
        uint8_t *row = to->coverage + (ptrdiff_t)y * columns;
        least_in_row(from->coverage + (ptrdiff_t)y * columns, columns, reach, left, right, padded,
                     row);
        if ((y < reach && !cut_above) || (y + reach >= area.height && !cut_below))
            memset(row, 0, (size_t)columns);
        int first = max_int(y - reach, 0), last = min_int(y + reach, area.height - 1);
        for (int k = first; k <= last; k++)
            take_less(row, from->coverage + (ptrdiff_t)k * columns, columns);
    }
    /* What is left is the inside without its edge. */
    for (ptrdiff_t i = 0; i < (ptrdiff_t)columns * area.height; i++)
        to->coverage[i] = (uint8_t)(from->coverage[i] - to->coverage[i]);
    return true;
}

/* ---- blending ---- */

/* A line's edge takes up the upper half of the values, its seam's the lower. */
static void part_row(uint8_t *restrict to, const uint8_t *restrict from, enum layer_part part,
                     int count)
{
    for (int i = 0; i < count; i++) {
        int twice = 2 * from[i], seamed = twice < 255 ? twice : 255;
        to[i] = (uint8_t)(part == LAYER_SEAMED ? seamed : twice - seamed);
    }
}

static void scale_row(uint8_t *restrict to, const uint8_t *restrict from, int alpha, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = (uint8_t)((uint16_t)(from[i] * alpha + 255) >> 8);
}

/* The mean of two by two. */
static void halve_row(uint8_t *restrict to, const uint8_t *restrict upper,
                      const uint8_t *restrict lower, int count)
{
    for (int i = 0; i < count; i++)
        to[i] =
            (uint8_t)((upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1] + 2) >> 2);
}

static bool is_empty(const uint8_t *row, int count)
{
    return row[0] == 0 && memcmp(row, row + 1, (size_t)count - 1) == 0;
}

void layer_blend(const struct layer *layer, enum layer_part part, struct frame *frame,
                 struct ink ink, int alpha)
{
    const struct rect area = layer->area;
    uint8_t parts[FRAME_MAX_SIDE + 2], halves[FRAME_MAX_SIDE / 2 + 1];
    uint8_t alphas[2][FRAME_MAX_SIDE + 2] = {0};
    int columns = min_int(area.width, frame->width - area.x);
    for (int y = 0; y < area.height; y += 2) {
        const uint8_t *rows = layer->coverage + (ptrdiff_t)y * area.width;
        if (is_empty(rows, 2 * area.width))
            continue;
        for (int k = 0; k < 2; k++) {
            const uint8_t *row = rows + (ptrdiff_t)k * area.width;
            if (part != LAYER_ALL)
                part_row(parts, row, part, area.width);
            scale_row(alphas[k], part == LAYER_ALL ? row : parts, alpha, area.width);
        }
        for (int k = 0; k < 2 && area.y + y + k < frame->height; k++)
            canvas_blend_run(frame->plane[0] + (ptrdiff_t)(area.y + y + k) * frame->stride[0] +
                                 area.x,
                             ink.plane[0], alphas[k], columns);
        halve_row(halves, alphas[0], alphas[1], area.width / 2);
        for (int p = 1; p < FRAME_PLANES; p++)
            canvas_blend_run(frame->plane[p] + (ptrdiff_t)((area.y + y) / 2) * frame->stride[p] +
                                 area.x / 2,
                             ink.plane[p], halves, area.width / 2);
    }
}
