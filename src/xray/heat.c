#include "xray/heat.h"

#include "core/simd.h"
#include "xray/canvas.h"
#include "xray/scheme.h"

#include <math.h>
#include <string.h>

enum {
    WARMS_US = 1500000,  /* time constants: of a place where an object stays, */
    COOLS_US = 10000000, /* and of one that it has left */
    PAUSE_US = 2000000,  /* a longer time without a picture says nothing about where objects were */
    LEVELS = 256,
    HALF_WIDTH_MAX = (FRAME_MAX_SIDE + 1) / 2,
};

static const float cold = 1.0f / 512; /* less is nothing */

/* ---- warming and cooling ---- */

static void cool(struct heat *heat, float share)
{
    float *cell = heat->cells[0];
    float most = 0;
    for (int i = 0; i < HEAT_ROWS * HEAT_COLUMNS; i++) {
        float left = cell[i] * share;
        cell[i] = left < cold ? 0 : left;
        most = fmaxf(most, cell[i]);
    }
    heat->warm = most > 0;
}

/* How much of an object there is at each cell along one side: full in its middle, fading softly
 * towards its edges. Returns the first cell, and in *count how many. */
static int spread(float from, float to, int source, int cells, float *shares, int *count)
{
    float scale = (float)cells / (float)source;
    float centre = (from + to) / 2 * scale;
    float half = fmaxf((to - from) / 2 * scale * 1.15f, 1.2f); /* a little over the edges */
    int first = (int)fmaxf(ceilf(centre - half - 0.5f), 0);
    int last = (int)fminf(floorf(centre + half - 0.5f), (float)cells - 1);
    *count = last - first + 1;
    for (int i = first; i <= last; i++) {
        float u = ((float)i + 0.5f - centre) / half;
        float fade = 1 - u * u * u * u;
        shares[i - first] = fade > 0 ? fade * fade : 0;
    }
    return first;
}

static bool is_sound(const struct detection *item, float min_confidence)
{
    return item->confidence >= min_confidence && item->x1 < item->x2 && item->y1 < item->y2 &&
           fabsf(item->x1) < 1e6f && fabsf(item->x2) < 1e6f && fabsf(item->y1) < 1e6f &&
           fabsf(item->y2) < 1e6f;
}

static void warm(struct heat *heat, const struct detections *all, const struct detection *item,
                 float share)
{
    float across[HEAT_COLUMNS] = {0}, down[HEAT_ROWS] = {0};
    int columns, rows;
    int left = spread(item->x1, item->x2, all->source_width, HEAT_COLUMNS, across, &columns);
    int top = spread(item->y1, item->y2, all->source_height, HEAT_ROWS, down, &rows);
    if (columns <= 0 || rows <= 0)
        return;
    for (int y = 0; y < rows; y++) {
        float *cell = &heat->cells[top + y][left];
        float part = share * down[y];
        for (int x = 0; x < columns; x++)
            cell[x] += (1 - cell[x]) * part * across[x];
    }
    heat->warm = true;
}

/* Each cell by the mask's at its centre. */
static void warm_mask(struct heat *heat, const struct detections *all, const struct detection *item,
                      float share)
{
    const struct object_shape *shape = item->shape;
    float across = (float)all->source_width / HEAT_COLUMNS;
    float down = (float)all->source_height / HEAT_ROWS;
    for (int y = 0; y < HEAT_ROWS; y++) {
        float v = (((float)y + 0.5f) * down - item->y1) / (item->y2 - item->y1);
        for (int x = 0; x < HEAT_COLUMNS && v >= 0 && v < 1; x++) {
            float u = (((float)x + 0.5f) * across - item->x1) / (item->x2 - item->x1);
            if (!(u >= 0 && u < 1))
                continue;
            int row = (int)(v * (float)shape->mask_height);
            int column = (int)(u * (float)shape->mask_width);
            float inside = (float)shape->mask[row * shape->mask_width + column] / 255;
            heat->cells[y][x] += (1 - heat->cells[y][x]) * share * inside;
        }
    }
    heat->warm = true;
}

void heat_update(struct heat *heat, int64_t capture_us, const struct detections *detections,
                 float min_confidence, bool by_masks)
{
    int64_t passed_us = capture_us - heat->updated_us;
    bool begins = !heat->warm || passed_us > PAUSE_US;
    if (passed_us <= 0)
        return;
    if (heat->warm)
        cool(heat, expf(-(float)passed_us / COOLS_US));
    heat->updated_us = capture_us;
    if (!detections || detections->source_width < 1 || detections->source_height < 1)
        return;
    float share = 1 - expf(-(begins ? 1 : (float)passed_us / WARMS_US));
    for (int i = 0; i < detections->count; i++) {
        const struct detection *item = &detections->items[i];
        if (!is_sound(item, min_confidence))
            continue;
        if (by_masks && item->shape && item->shape->mask_width > 0)
            warm_mask(heat, detections, item, share);
        else
            warm(heat, detections, item, share);
    }
}

/* ---- drawing ---- */

float heat_cover(float heat)
{
    return fminf(heat * 1.5f, 1);
}

/* What a level of heat means in the terms of a frame: alpha, then the value of each plane, a byte
 * each from the lowest. */
static void make_table(uint32_t table[LEVELS], const struct frame *frame,
                       const struct xray_style *style)
{
    float most = 255 * fminf(fmaxf(style->heatmap_intensity, 0), 1);
    for (int i = 0; i < LEVELS; i++) {
        float heat = (float)i / (LEVELS - 1);
        struct ink ink = palette_ink(scheme_heat(style, heat), frame);
        table[i] = (uint32_t)(most * heat_cover(heat));
        for (int p = 0; p < FRAME_PLANES; p++)
            table[i] |= (uint32_t)ink.plane[p] << (8 * (p + 1));
    }
}

/* The heat along one line of the picture, 0..255 * 256, and how much more the next cell has; one
 * cell more on each side. */
struct line {
    int cell[HEAT_COLUMNS + 2], rise[HEAT_COLUMNS + 2];
    int first, last; /* the cells that are warm, first > last: none */
};

static void read_line(struct line *line, const struct heat *heat, float y)
{
    int above = (int)floorf(y);
    float share = y - (float)above;
    const float *a = heat->cells[above < 0 ? 0 : above];
    const float *b = heat->cells[above + 1 < HEAT_ROWS ? above + 1 : HEAT_ROWS - 1];
    for (int i = 0; i < HEAT_COLUMNS; i++)
        line->cell[i + 1] = (int)(255 * 256 * (a[i] + (b[i] - a[i]) * share));
    line->cell[0] = line->cell[1];
    line->cell[HEAT_COLUMNS + 1] = line->cell[HEAT_COLUMNS];
    for (int i = 0; i <= HEAT_COLUMNS; i++)
        line->rise[i] = line->cell[i + 1] - line->cell[i];
    line->first = 0;
    line->last = HEAT_COLUMNS - 1;
    while (line->first <= line->last && line->cell[line->first + 1] == 0)
        line->first++;
    while (line->last > line->first && line->cell[line->last + 1] == 0)
        line->last--;
}

/* Where the pairs of pixels of a line lie: cells of struct line, and how far to the next, of 256.
 */
struct pairs {
    int cell[HALF_WIDTH_MAX], share[HALF_WIDTH_MAX];
};

static void place_pairs(struct pairs *pairs, int half_width)
{
    int step = (HEAT_COLUMNS << 16) / half_width;
    for (int x = 0; x < half_width; x++) {
        int at = x * step + step / 2 + (1 << 15); /* + 1/2: cell 0 is one before */
        pairs->cell[x] = at >> 16;
        pairs->share[x] = (at >> 8) & 255;
    }
}

/* A line of the picture for pairs of pixels, and for pixels: their values are two times the same.
 */
struct strip {
    int begin, end;
    uint8_t alpha[HALF_WIDTH_MAX], value[FRAME_PLANES - 1][HALF_WIDTH_MAX];
    uint16_t wide_alpha[HALF_WIDTH_MAX], wide_value[HALF_WIDTH_MAX];
};

SIMD_CLONES static void read_strip(const struct line *restrict line,
                                   const struct pairs *restrict pairs, const uint32_t *table,
                                   uint32_t *restrict looks, int begin, int end)
{
    for (int x = begin; x < end; x++) {
        int cell = pairs->cell[x];
        int heat = line->cell[cell] + (line->rise[cell] * pairs->share[x] >> 8);
        looks[x] = table[heat >> 8];
    }
}

SIMD_CLONES static void part_looks(struct strip *restrict strip, const uint32_t *restrict looks)
{
    for (int x = strip->begin; x < strip->end; x++)
        strip->alpha[x] = (uint8_t)looks[x];
    for (int p = 0; p < FRAME_PLANES - 1; p++)
        for (int x = strip->begin; x < strip->end; x++)
            strip->value[p][x] = (uint8_t)(looks[x] >> (8 * p + 16));
    for (int x = strip->begin; x < strip->end; x++)
        strip->wide_alpha[x] = (uint16_t)((looks[x] & 255) * 257);
    for (int x = strip->begin; x < strip->end; x++)
        strip->wide_value[x] = (uint16_t)((looks[x] >> 8 & 255) * 257);
}

/* What is warm fades out over the cells beside it. */
static void set_ends(struct strip *strip, const struct line *line, int half_width)
{
    int begin = (int)((int64_t)(line->first - 1) * half_width / HEAT_COLUMNS) - 1;
    int end = (int)((int64_t)(line->last + 2) * half_width / HEAT_COLUMNS) + 2;
    strip->begin = begin < 0 ? 0 : begin;
    strip->end = end < half_width ? end : half_width;
}

static void draw_strip(const struct strip *strip, struct frame *frame, int row)
{
    int begin = strip->begin, end = min_int(2 * strip->end, frame->width);
    for (int p = 1; p < FRAME_PLANES; p++)
        canvas_blend_row(frame->plane[p] + (ptrdiff_t)row * frame->stride[p] + begin,
                         strip->value[p - 1] + begin, strip->alpha + begin, strip->end - begin);
    for (int y = 2 * row; y < 2 * row + 2 && y < frame->height; y++)
        canvas_blend_row(frame->plane[0] + (ptrdiff_t)y * frame->stride[0] + 2 * begin,
                         (const uint8_t *)(strip->wide_value + begin),
                         (const uint8_t *)(strip->wide_alpha + begin), end - 2 * begin);
}

/* The heat changes slowly: one value serves two by two pixels. */
void heat_draw(const struct heat *heat, struct frame *frame, const struct xray_style *style)
{
    uint32_t table[LEVELS], looks[HALF_WIDTH_MAX];
    struct pairs pairs;
    struct strip strip;
    struct line line;
    int half_width = chroma_size(frame->width), half_height = chroma_size(frame->height);
    if (!heat->warm)
        return;
    make_table(table, frame, style);
    place_pairs(&pairs, half_width);
    for (int row = 0; row < half_height; row++) {
        read_line(&line, heat, ((float)row + 0.5f) * HEAT_ROWS / (float)half_height - 0.5f);
        if (line.first > line.last)
            continue;
        set_ends(&strip, &line, half_width);
        read_strip(&line, &pairs, table, looks, strip.begin, strip.end);
        part_looks(&strip, looks);
        draw_strip(&strip, frame, row);
    }
}
