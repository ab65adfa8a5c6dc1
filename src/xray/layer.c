#include "xray/layer.h"

#include "core/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8 }; /* pixels that are looked at together, the last row's end and more with them */

static bool reserve(struct layer *layer, struct rect area)
{
    size_t size = (size_t)area.width * (size_t)area.height;
    layer->area = area;
    if (size <= layer->room)
        return true;
    free(layer->coverage);
    layer->coverage = calloc(size + LANES, 1);
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

/* fminf() and fmaxf() are calls, and these are asked for in each row. */
static inline float lesser(float a, float b)
{
    return a < b ? a : b;
}

static inline float greater(float a, float b)
{
    return a > b ? a : b;
}

/* A line in the terms of its layer's area. */
struct stroke {
    float x, y, dx, dy;
    float per_length, per_height; /* 1 / length²; 1 / dy, 0 for a level line */
    float reach;                  /* how far from it there is something */
};

/* The pixels of a row whose centres may be nearer than `reach` to the line: [*from, *to). */
static void reach_in_row(const struct stroke *s, float y, float *from, float *to)
{
    /* The part of the line that is near enough in height, and its ends in width. */
    float low = 0, high = 1;
    if (s->per_height < 0 || s->per_height > 0) {
        float a = (y - s->reach - s->y) * s->per_height, b = (y + s->reach - s->y) * s->per_height;
        low = greater(lesser(a, b), 0);
        high = lesser(greater(a, b), 1);
    }
    float a = s->x + s->dx * low, b = s->x + s->dx * high;
    *from = lesser(a, b) - s->reach;
    *to = greater(a, b) + s->reach;
}

typedef float floats __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint16_t words __attribute__((vector_size(2 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));

/* From 0 to 255 over the two pixels around the line's edge, by squares: no root is needed. Eight
 * pixels at once, for in most rows a line is not much wider; from `end` on they stay as they are.
 */
SIMD_CLONES static void cover_row(const struct stroke *s, float y, int first, int end, uint8_t *at)
{
    const floats steps = {0, 1, 2, 3, 4, 5, 6, 7}, one = (floats){0} + 1, most = one * 255;
    float square = s->reach * s->reach, scale = 255 / (4 * (s->reach - 1)), py = y - s->y;
    for (int col = first; col < end; col += LANES) {
        floats px = steps + ((float)col + 0.5f - s->x);
        floats along = (px * s->dx + py * s->dy) * s->per_length;
        along = (floats)((ints)along & (along > 0));
        ints over = along > 1;
        along = (floats)(((ints)along & ~over) | ((ints)one & over));
        floats ex = px - along * s->dx, ey = py - along * s->dy;
        floats value = (square - ex * ex - ey * ey) * scale;
        value = (floats)((ints)value & (value > 0) & (steps < (float)(end - col)));
        over = value > most;
        value = (floats)(((ints)value & ~over) | ((ints)most & over));
        bytes is, was, less;
        words narrowed = __builtin_convertvector(__builtin_convertvector(value, ints), words);
        is = __builtin_convertvector(narrowed, bytes);
        memcpy(&was, at + col, sizeof was);
        less = (bytes)(is < was);
        was = (was & less) | (is & ~less);
        memcpy(at + col, &was, sizeof was);
    }
}

void layer_line(struct layer *layer, float x1, float y1, float x2, float y2, float radius)
{
    const struct rect area = layer->area;
    struct stroke s = {.x = x1 - (float)area.x,
                       .y = y1 - (float)area.y,
                       .dx = x2 - x1,
                       .dy = y2 - y1,
                       .reach = radius + 1.5f};
    float length = s.dx * s.dx + s.dy * s.dy;
    float top = lesser(s.y, s.y + s.dy) - s.reach, bottom = greater(s.y, s.y + s.dy) + s.reach;
    if (!(bottom > 0) || !(top < (float)area.height) || !isfinite(length))
        return;
    s.per_length = length > 1e-6f ? 1 / length : 0;
    s.per_height = fabsf(s.dy) > 1e-3f ? 1 / s.dy : 0;
    int last = bottom < (float)area.height ? (int)bottom + 1 : area.height;
    for (int row = top > 0 ? (int)top : 0; row < last; row++) {
        float y = (float)row + 0.5f, from, to;
        reach_in_row(&s, y, &from, &to);
        if (to > 0 && from < (float)area.width)
            cover_row(&s, y, from > 0 ? (int)from : 0,
                      to < (float)area.width ? (int)to + 1 : area.width,
                      layer->coverage + (ptrdiff_t)row * area.width);
    }
}

/* ---- areas ---- */

static void insert_sorted(float *values, int *count, float value)
{
    int at = (*count)++;
    for (; at > 0 && values[at - 1] > value; at--)
        values[at] = values[at - 1];
    values[at] = value;
}

/* Where the sides of a polygon cross a height, from left to right. */
static int crossings(const float *x, const float *y, int corners, float height,
                     float out[LAYER_CORNERS_MAX])
{
    int count = 0;
    for (int i = 0, before = corners - 1; i < corners; before = i++)
        if ((y[i] > height) != (y[before] > height))
            insert_sorted(out, &count,
                          x[i] + (x[before] - x[i]) * (height - y[i]) / (y[before] - y[i]));
    return count;
}

void layer_polygon(struct layer *layer, const float *x, const float *y, int count)
{
    const struct rect area = layer->area;
    float at[LAYER_CORNERS_MAX];
    for (int row = 0; row < area.height; row++) {
        int found =
            crossings(x, y, min_int(count, LAYER_CORNERS_MAX), (float)(area.y + row) + 0.5f, at);
        for (int i = 0; i + 1 < found; i += 2) {
            /* A pixel is in when its centre is. */
            float left = fmaxf(at[i] - (float)area.x + 0.5f, 0);
            float right = fminf(at[i + 1] - (float)area.x + 0.5f, (float)area.width);
            if (left < right)
                memset(layer->coverage + (ptrdiff_t)row * area.width + (int)left, 255,
                       (size_t)((int)right - (int)left));
        }
    }
}

/* ---- outlines ---- */

SIMD_CLONES static void take_less(uint8_t *restrict to, const uint8_t *restrict from, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = to[i] < from[i] ? to[i] : from[i];
}

/* to = from - to: what a row has that its inside does not. */
SIMD_CLONES static void take_inside(uint8_t *restrict to, const uint8_t *restrict from, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = (uint8_t)(from[i] - to[i]);
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
        take_inside(row, from->coverage + (ptrdiff_t)y * columns, columns);
    }
    return true;
}

/* ---- blending ---- */

/* A line's edge takes up the upper half of the values, its seam's the lower. */
SIMD_CLONES static void part_row(uint8_t *restrict to, const uint8_t *restrict from,
                                 enum layer_part part, int count)
{
    for (int i = 0; i < count; i++) {
        int twice = 2 * from[i], seamed = twice < 255 ? twice : 255;
        to[i] = (uint8_t)(part == LAYER_SEAMED ? seamed : twice - seamed);
    }
}

/* Most of a layer of lines is empty. */
static bool is_empty(const struct cells *cells)
{
    static const uint8_t nothing[CELLS_MAX];
    return memcmp(cells->rows[0], nothing, (size_t)cells->count) == 0 &&
           memcmp(cells->rows[1], nothing, (size_t)cells->count) == 0;
}

static void blend_part(struct cells cells, enum layer_part part, struct frame *frame,
                       struct ink ink, int alpha)
{
    uint8_t parts[2][CELLS_MAX];
    for (int k = 0; k < 2 && part != LAYER_ALL; k++) {
        part_row(parts[k], cells.rows[k], part, cells.count);
        cells.rows[k] = parts[k];
    }
    canvas_cells(frame, &cells, ink, alpha);
}

void layer_blend(const struct layer *layer, enum layer_part part, struct frame *frame,
                 struct ink ink, int alpha)
{
    const struct rect area = layer->area;
    for (int y = 0; y < area.height; y += 2) {
        const uint8_t *row = layer->coverage + (ptrdiff_t)y * area.width;
        for (int x = 0; x < area.width; x += CELLS_MAX) {
            const struct cells cells = {.rows = {row + x, row + area.width + x},
                                        .x = area.x + x,
                                        .y = area.y + y,
                                        .count = min_int(CELLS_MAX, area.width - x)};
            if (!is_empty(&cells))
                blend_part(cells, part, frame, ink, alpha);
        }
    }
}
